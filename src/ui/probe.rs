//! Queries the terminal for its capabilities while the dashboard is already shown. Nobody waits for the answer: until it
//! arrives or times out, pictures are shown in a way that every terminal can.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use ratatui::crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use ratatui_image::FontSize;
use ratatui_image::picker::cap_parser::{Parser, QueryStdioOptions};
use ratatui_image::picker::{Picker, ProtocolType};

use super::capabilities::Capabilities;
use super::decoder::{Decoder, TerminalInput};
use super::graphics::{Graphics, Protocol};
use super::input::{self, TerminalReader};
use crate::dashboard::Key;

/// The time in which the terminal must answer, enough for the round trip of a slow link.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// The extra time if a sequence has started and not ended.
const SEQUENCE_TIMEOUT: Duration = Duration::from_millis(100);

/// The time to wait for the answer when the dashboard ends, so that the shell does not receive it.
const DISMISS_TIMEOUT: Duration = Duration::from_millis(250);

/// A query to the terminal that is not yet answered.
#[derive(Debug)]
pub(super) struct Probe {
    asked: Instant,
    capabilities: Capabilities,
    /// The protocol that environment variables indicate: iTerm2 or none.
    hint: ProtocolType,
    tmux: bool,
}

impl Probe {
    /// Sends the query. The terminal must be in raw mode.
    pub(super) fn ask() -> io::Result<Self> {
        // WezTerm and Konsole know kitty's protocol, but not its placeholders.
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let blacklist_protocols = if is_set("WEZTERM_EXECUTABLE") || is_set("KONSOLE_VERSION") {
            vec![ProtocolType::Kitty, ProtocolType::Sixel]
        } else {
            Vec::new()
        };
        #[expect(deprecated, reason = "the only way to read the environment without a query to the terminal")]
        let environment = Picker::from_fontsize(FontSize::new(1, 1));
        let tmux = environment.tmux_detected();
        let options = QueryStdioOptions {
            kitty_compression: true,
            blacklist_protocols,
            ..QueryStdioOptions::default()
        };
        // The name and version come first, because the last question tells that all are answered.
        let name = if tmux { "\x1bPtmux;\x1b\x1b[>0q\x1b\\" } else { "\x1b[>0q" };
        let mut out = io::stdout();
        out.write_all(name.as_bytes())?;
        out.write_all(Parser::query(tmux, options).as_bytes())?;
        out.flush()?;
        let (asked, hint) = (Instant::now(), environment.protocol_type());
        Ok(Self { asked, capabilities: Capabilities::default(), hint, tmux })
    }

    /// Records what the terminal says.
    pub(super) fn take(&mut self, input: &TerminalInput) {
        self.capabilities.take(input);
    }

    /// `inside` is whether a sequence has started and not ended.
    fn is_over(&self, inside: bool) -> bool {
        let limit = if inside { ANSWER_TIMEOUT + SEQUENCE_TIMEOUT } else { ANSWER_TIMEOUT };
        self.capabilities.answered || self.asked.elapsed() >= limit
    }

    /// The graphics of the terminal, when it has answered or the time is over. `assumed` is used if it reports no cell size.
    pub(super) fn answer(&self, assumed: Graphics, inside: bool) -> Option<Graphics> {
        self.is_over(inside).then(|| match self.capabilities.cell {
            Some(cell) => Graphics {
                protocol: self.protocol(),
                cell,
                tmux: self.tmux,
                deflate: self.capabilities.deflate,
            },
            // Without the size of a cell, a picture cannot be sized.
            None => assumed,
        })
    }

    fn protocol(&self) -> Protocol {
        let told = &self.capabilities;
        if told.has_placeholders() {
            Protocol::Kitty
        } else if told.is_called("WezTerm") {
            Protocol::Iterm2 // its sixels are not erased
        } else if told.sixel && !self.tmux && !told.is_called("Konsole") {
            Protocol::Sixel // tmux does not track sixels that pass through it, and would not erase them
        } else if !told.sixel && self.hint == ProtocolType::Iterm2 {
            Protocol::Iterm2
        } else {
            Protocol::Halfblocks
        }
    }

    /// Waits a short time for the answer and drops it, because the shell would take it for keys.
    pub(super) fn dismiss(mut self, reader: &mut TerminalReader) {
        self.wait(reader, DISMISS_TIMEOUT);
    }

    /// Waits until the answer has come or the limit is over.
    fn wait(&mut self, reader: &mut TerminalReader, limit: Duration) {
        let begun = Instant::now();
        while !self.is_over(reader.is_inside())
            && begun.elapsed() < limit
            && input::wait(limit.saturating_sub(begun.elapsed()))
        {
            for input in reader.read(true) {
                self.take(&input);
            }
        }
    }
}

/// Asks the terminal for at most `limit` whether it takes kitty's pictures where the cursor is, and for the size of its
/// cells in pixels. `None` for a terminal that does not say so, and where nobody could answer. Keys that are pressed
/// meanwhile are lost.
pub fn ask_for_kitty(limit: Duration) -> io::Result<Option<(u16, u16)>> {
    /// Gives the terminal its modes back.
    struct Cooked;
    impl Drop for Cooked {
        fn drop(&mut self) {
            let _ = disable_raw_mode(); // an error means that the terminal has gone
        }
    }
    if is_dumb() || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok(None);
    }
    enable_raw_mode()?;
    let _cooked = Cooked;
    let mut probe = Probe::ask()?;
    probe.wait(&mut TerminalReader::new(), limit);
    let told = probe.capabilities;
    // tmux would have to know where the picture is.
    Ok(told.cell.filter(|_| told.kitty && !probe.tmux))
}

/// The result of a terminal's bytes for a dashboard that has just asked: the keys in them, and the graphics that the
/// replies state. For tests and fuzzing.
pub fn replay(bytes: &[u8]) -> (Vec<Key>, Graphics) {
    let (asked, hint) = (Instant::now(), ProtocolType::Halfblocks);
    let mut probe = Probe { asked, capabilities: Capabilities::default(), hint, tmux: false };
    let mut decoder = Decoder::default();
    let mut decoded: Vec<TerminalInput> = bytes.iter().filter_map(|&byte| decoder.push(byte)).collect();
    decoded.extend(decoder.finish());
    for input in &decoded {
        probe.take(input);
    }
    let key = |input| match input {
        TerminalInput::Key(key) => Some(key),
        TerminalInput::Control(..) | TerminalInput::String(..) => None,
    };
    let Capabilities { cell, deflate, .. } = probe.capabilities;
    let cell = cell.unwrap_or(Graphics::assumed(Some(Protocol::None)).cell);
    let graphics = Graphics { protocol: probe.protocol(), cell, tmux: false, deflate };
    (decoded.into_iter().filter_map(key).collect(), graphics)
}

/// Whether the terminal would print a query instead of answering it.
pub(super) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Size;

    use super::*;

    /// Numbers that look random, the same ones each time.
    struct Sequence(u64);

    impl Sequence {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % end
        }
    }

    const REPLIES: [&str; 16] = [
        "\x1b_Gi=31;OK\x1b\\",
        "\x1b_Gi=32;EINVAL:bad\x1b\\",
        "\x1bP>|kitty(0.26.5)\x1b\\",
        "\x1bP1$r48:2:1:2:3m\x1b\\",
        "\x1bP1+r544e=78\x1b\\",
        "\x1b]11;rgb:0000/0000/0000\x07",
        "\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
        "\x1b]52;c;cXF1aXQ=\x07",
        "\x1b[?64;1;4;22c",
        "\x1b[>41;390;0c",
        "\x1b[6;4000;4000t",
        "\x1b[6;0;0t",
        "\x1b[24;80R",
        "\x1b[?2026;2$y",
        "\x1b[0n",
        "\x1b[I",
    ];

    const KEYS: [(&str, Key); 7] = [
        ("q", Key::Char('q')),
        ("ä", Key::Char('ä')),
        ("]", Key::Char(']')),
        ("\r", Key::Enter),
        ("\x03", Key::Ctrl('c')),
        ("\x1b[A", Key::Up),
        ("\x1b[6~", Key::PageDown),
    ];

    /// Replies and keys in a random order, and the keys among them.
    fn mixture(random: &mut Sequence) -> (Vec<u8>, Vec<Key>) {
        let (mut bytes, mut keys) = (Vec::new(), Vec::new());
        for _ in 0..random.below(30) {
            if random.below(2) == 0 {
                bytes.extend(REPLIES[random.below(REPLIES.len())].bytes());
            } else {
                let (sent, key) = KEYS[random.below(KEYS.len())];
                bytes.extend(sent.bytes());
                keys.push(key);
            }
        }
        (bytes, keys)
    }

    fn assert_bounded(graphics: Graphics) {
        for room in [(1, 1), (80, 24), (1000, 1000), (65535, 65535)] {
            let size = graphics.square(Size::new(room.0, room.1));
            assert!(size.width <= 256 && size.height <= 256, "{graphics:?} {room:?}");
        }
    }

    #[test]
    fn replies_among_keys_are_never_typed() {
        let mut random = Sequence(1);
        for _ in 0..3000 {
            let (bytes, keys) = mixture(&mut random);
            let (found, graphics) = replay(&bytes);
            assert_eq!(found, keys, "{:?}", String::from_utf8_lossy(&bytes));
            assert_bounded(graphics);
        }
    }

    #[test]
    fn damaged_input_is_survived_and_keys_come_again() {
        let mut random = Sequence(2);
        for _ in 0..20_000 {
            let (mut bytes, _) = mixture(&mut random);
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len() + 1);
                match random.below(4) {
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at, random.below(256) as u8),
                    2 if at < bytes.len() => drop(bytes.remove(at)),
                    _ if at < bytes.len() => bytes[at] = random.below(256) as u8,
                    _ => {}
                }
            }
            assert_bounded(replay(&bytes).1);
            // Enter breaks off whatever has begun.
            bytes.extend(b"\rq");
            assert_eq!(
                replay(&bytes).0.last(),
                Some(&Key::Char('q')),
                "{:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }

    fn told(hint: ProtocolType, tmux: bool, bytes: &[u8]) -> Graphics {
        let mut decoder = Decoder::default();
        let mut probe = Probe { asked: Instant::now(), capabilities: Capabilities::default(), hint, tmux };
        let assumed = Graphics { protocol: Protocol::Halfblocks, cell: (9, 18), tmux: false, deflate: false };
        assert_eq!(probe.answer(assumed, false), None);
        for input in bytes.iter().filter_map(|&byte| decoder.push(byte)) {
            probe.take(&input);
        }
        probe.answer(assumed, false).expect("the last question was answered")
    }

    #[test]
    fn the_best_protocol_of_the_terminal_is_used() {
        const NOTHING: ProtocolType = ProtocolType::Halfblocks;
        const ITERM2: ProtocolType = ProtocolType::Iterm2;
        let new = "\x1bP>|kitty(0.35.2)\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?62;4c\x1b[6;16;8t\x1b[0n";
        let old = new.replace("0.35.2", "0.26.5").replace(";4c", "c");
        let nameless = "\x1b_Gi=31;OK\x1b\\\x1b[?62c\x1b[6;16;8t\x1b[0n";
        let wezterm = new.replace("kitty(0.35.2)", "WezTerm 20240203");
        for (hint, tmux, input, protocol) in [
            (NOTHING, false, new, Protocol::Kitty),
            (NOTHING, true, new, Protocol::Kitty),
            (NOTHING, false, &old, Protocol::Halfblocks),
            (NOTHING, false, nameless, Protocol::Halfblocks),
            (NOTHING, false, &wezterm, Protocol::Iterm2),
            (NOTHING, false, "\x1b[?62;4c\x1b[6;16;8t\x1b[0n", Protocol::Sixel),
            (NOTHING, true, "\x1b[?62;4c\x1b[6;16;8t\x1b[0n", Protocol::Halfblocks),
            (
                NOTHING,
                false,
                "\x1b_Gi=31;ENOTSUPPORTED\x1b\\\x1b[?6c\x1b[6;16;8t\x1b[0n",
                Protocol::Halfblocks,
            ),
            (ITERM2, false, "\x1b[?62c\x1b[6;16;8t\x1b[0n", Protocol::Iterm2),
            (ITERM2, false, "\x1b[?62c\x1b[0n", Protocol::Halfblocks),
        ] {
            assert_eq!(told(hint, tmux, input.as_bytes()).protocol, protocol, "{input:?}");
        }
    }

    #[test]
    fn the_size_of_a_cell_and_deflating_are_as_stated() {
        let input = b"l\x1b_Gi=31;OK\x1b\\q\x1b_Gi=32;OK\x1b\\\x1b[6;20;10t\x1b[C\x1b[0n";
        let graphics = told(ProtocolType::Halfblocks, false, input);
        assert_eq!((graphics.cell, graphics.deflate), ((10, 20), true));
    }
}
