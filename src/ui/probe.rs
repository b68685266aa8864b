//! Queries the terminal for its capabilities while the dashboard is already shown. Nobody waits for the answer: until it
//! arrives or times out, pictures are shown in a way that every terminal can.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use ratatui::crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use super::background::BACKGROUND_QUESTION;
use super::capabilities::Capabilities;
use super::color_depth::ColorDepth;
use super::decoder::{Decoder, TerminalInput};
use super::graphics::{Graphics, Protocol, reported_cell};
use super::input::{self, TerminalReader};
use super::link::STATUS_REQUEST;
use super::surroundings::{is_dumb, names_iterm2, passes_pictures, wrap};
use crate::dashboard::Key;

/// The questions, each with what it is for.
const QUESTIONS: [&str; 5] = [
    "\x1b[>0q",                                                   // its name and version
    "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\",                 // whether it takes kitty's pictures
    "\x1b_Gi=32,s=1,v=1,a=q,t=d,f=24,o=z;eJxjYGAAAAADAAE=\x1b\\", // and whether deflated
    "\x1b[c",                                                     // its attributes, sixels among them
    "\x1b[16t",                                                   // the size of a cell in pixels
];

/// The time in which the terminal must answer, enough for the round trip of a slow link.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// The extra time if a sequence has started and not ended.
const SEQUENCE_TIMEOUT: Duration = Duration::from_millis(100);

/// The time to wait for the answer when the dashboard ends, so that the shell does not receive it.
const DISMISS_TIMEOUT: Duration = Duration::from_millis(250);

/// Whether it has the background that it was given, of 24 bits; then it gets the default again. tmux is not asked: it takes
/// any colour, and keeps account of the colours that are set.
const COLOR_QUESTION: &str = "\x1b[48;2;1;2;3m\x1bP$qm\x1b\\\x1b[0m";

/// A query to the terminal that is not yet answered.
#[derive(Debug)]
pub(super) struct Probe {
    asked: Instant,
    capabilities: Capabilities,
    /// Whether the user has chosen the graphics already, so that only the background is asked for.
    chosen: bool,
    /// Whether environment variables name a terminal that shows iTerm2's inline images.
    hint: bool,
    /// Whether tmux stands between and lets pictures through; none without tmux.
    tmux: Option<bool>,
    /// The size of a cell in pixels that the operating system knows.
    reported_cell: Option<(u16, u16)>,
}

impl Probe {
    /// Sends the query. The terminal must be in raw mode.
    pub(super) fn ask() -> io::Result<Self> {
        let tmux = passes_pictures();
        let mut out = io::stdout();
        if tmux.is_none() {
            out.write_all(COLOR_QUESTION.as_bytes())?;
        }
        // tmux answers for itself, if it knows.
        out.write_all(BACKGROUND_QUESTION.as_bytes())?;
        // The status comes last: its reply tells that all questions before have been heard.
        for question in QUESTIONS.into_iter().chain([STATUS_REQUEST]) {
            out.write_all(wrap(question, tmux == Some(true)).as_bytes())?;
        }
        out.flush()?;
        let (asked, hint) = (Instant::now(), names_iterm2());
        let (capabilities, reported_cell) = (Capabilities::default(), reported_cell());
        Ok(Self { asked, capabilities, chosen: false, hint, tmux, reported_cell })
    }

    /// Asks for the background alone. The terminal must be in raw mode.
    pub(super) fn ask_for_background() -> io::Result<Self> {
        let mut out = io::stdout();
        out.write_all([BACKGROUND_QUESTION, STATUS_REQUEST].concat().as_bytes())?;
        out.flush()?;
        let (asked, capabilities) = (Instant::now(), Capabilities::default());
        Ok(Self { asked, capabilities, chosen: true, hint: false, tmux: None, reported_cell: None })
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

    /// The graphics of the terminal, when it has answered or the time is over. `assumed` is used if nobody knows the size
    /// of a cell.
    pub(super) fn answer(&self, assumed: Graphics, inside: bool) -> Option<Graphics> {
        self.is_over(inside).then(|| match self.capabilities.cell.or(self.reported_cell) {
            Some(cell) if !self.chosen => Graphics {
                protocol: self.protocol(),
                cell,
                tmux: self.tmux == Some(true),
                deflate: self.capabilities.deflate,
                depth: self.depth(assumed.depth),
            },
            // Without the size of a cell, a picture cannot be sized.
            _ => Graphics { depth: self.depth(assumed.depth), ..assumed },
        })
    }

    /// The colours of a terminal that has repeated the one it was given, or else those that the environment tells.
    fn depth(&self, assumed: ColorDepth) -> ColorDepth {
        if self.capabilities.true_color { ColorDepth::True } else { assumed }
    }

    fn protocol(&self) -> Protocol {
        let told = &self.capabilities;
        let is_called = |names: &[&str]| names.iter().any(|name| told.is_called(name));
        if self.tmux == Some(false) {
            Protocol::Halfblocks // pictures do not get through
        } else if told.has_placeholders() {
            Protocol::Kitty
        } else if is_called(&["WezTerm", "iTerm2", "mintty"]) {
            Protocol::Iterm2 // WezTerm does not erase its sixels
        } else if told.sixel && self.tmux.is_none() && !is_called(&["Konsole"]) {
            Protocol::Sixel // tmux does not track sixels that pass through it, and would not erase them
        } else if !told.sixel && self.hint {
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
    Ok(told.cell.filter(|_| told.kitty && probe.tmux.is_none()))
}

/// The result of a terminal's bytes for a dashboard that has just asked: the keys in them, and the graphics that the
/// replies state. For tests and fuzzing.
pub fn replay(bytes: &[u8]) -> (Vec<Key>, Graphics) {
    let mut probe = Probe {
        asked: Instant::now(),
        capabilities: Capabilities::default(),
        chosen: false,
        hint: false,
        tmux: None,
        reported_cell: None,
    };
    let mut decoder = Decoder::default();
    let mut decoded: Vec<TerminalInput> = bytes.iter().filter_map(|&byte| decoder.push(byte)).collect();
    decoded.extend(decoder.finish());
    for input in &decoded {
        probe.take(input);
    }
    let key = |input| match input {
        TerminalInput::Key(key) => Some(key),
        TerminalInput::Control(..) | TerminalInput::String(..) | TerminalInput::Paste(_) => None,
    };
    let Capabilities { cell, deflate, .. } = probe.capabilities;
    let cell = cell.unwrap_or(Graphics::assumed(Some(Protocol::None)).cell);
    let depth = probe.depth(ColorDepth::Palette);
    let graphics = Graphics { protocol: probe.protocol(), cell, tmux: false, deflate, depth };
    (decoded.into_iter().filter_map(key).collect(), graphics)
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

    /// The graphics for a terminal that replies so; `hint` and `tmux` are what its surroundings say.
    fn told(hint: bool, tmux: Option<bool>, bytes: &[u8]) -> Graphics {
        let mut decoder = Decoder::default();
        let mut probe = Probe {
            asked: Instant::now(),
            capabilities: Capabilities::default(),
            chosen: false,
            hint,
            tmux,
            reported_cell: Some((9, 17)),
        };
        let depth = ColorDepth::Palette;
        let assumed =
            Graphics { protocol: Protocol::Halfblocks, cell: (9, 18), tmux: false, deflate: false, depth };
        assert_eq!(probe.answer(assumed, false), None);
        for input in bytes.iter().filter_map(|&byte| decoder.push(byte)) {
            probe.take(&input);
        }
        probe.answer(assumed, false).expect("the last question was answered")
    }

    const OK: &str = "\x1b_Gi=31;OK\x1b\\";
    const DEFLATES: &str = "\x1b_Gi=32;OK\x1b\\";

    /// The replies of terminals by name and version: those marked "seen" were recorded, the others are as their sources and
    /// manuals say.
    #[test]
    fn terminals_get_what_they_show_by_their_replies_alone() {
        let named = |name: &str| format!("\x1bP>|{name}\x1b\\");
        for (name, replies, protocol) in [
            // seen: xterm 379 -ti vt340, which keeps the size of a cell to itself
            ("XTerm(379)", "\x1b[?63;1;2;4;6;9;15;16;22;28c".to_owned(), Protocol::Sixel),
            // seen: xterm 379 as it comes
            ("XTerm(379)", "\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c".into(), Protocol::Halfblocks),
            // seen: kitty 0.26.5, which has no placeholders
            ("kitty(0.26.5)", format!("{OK}{DEFLATES}\x1b[?62;c\x1b[6;16;8t"), Protocol::Halfblocks),
            ("kitty(0.35.2)", format!("{OK}{DEFLATES}\x1b[?62;c\x1b[6;16;8t"), Protocol::Kitty),
            ("ghostty 1.2.3", format!("{OK}{DEFLATES}\x1b[?62;22c\x1b[6;34;17t"), Protocol::Kitty),
            (
                "WezTerm 20240203-110809-5046fc22",
                format!("{OK}\x1b[?65;4;6;18;22c\x1b[6;18;9t"),
                Protocol::Iterm2,
            ),
            ("iTerm2 3.5.10", "\x1b[?62;4c\x1b[6;17;8t".into(), Protocol::Iterm2),
            ("mintty 3.7.4", "\x1b[?64;1;2;4;6;9;15;21;22;28;29c".into(), Protocol::Iterm2),
            ("Konsole 23.08.5", format!("{OK}\x1b[?62;1;4c\x1b[6;18;9t"), Protocol::Halfblocks),
            ("foot(1.16.2)", "\x1b[?62;4;22c\x1b[6;18;9t".into(), Protocol::Sixel),
            ("VTE(7600)", "\x1b[?65;1;9c\x1b[6;18;9t".into(), Protocol::Halfblocks),
        ] {
            let graphics = told(false, None, format!("{}{replies}\x1b[0n", named(name)).as_bytes());
            assert_eq!(graphics.protocol, protocol, "{name}: {replies:?}");
        }
        let nameless = format!("{OK}\x1b[?62c\x1b[6;16;8t\x1b[0n");
        assert_eq!(told(false, None, nameless.as_bytes()).protocol, Protocol::Halfblocks);
    }

    #[test]
    fn colours_of_24_bits_are_for_terminals_that_repeat_one() {
        let depth = |reply: &str| told(false, None, format!("{reply}\x1b[6;16;8t\x1b[0n").as_bytes()).depth;
        // seen: xterm 379 and kitty 0.26.5 reply so; the others are as their sources have it
        for reply in
            ["\x1bP1$r0;48:2::1:2:3m\x1b\\", "\x1bP1$r48:2:1:2:3m\x1b\\", "\x1bP1$r0;48;2;1;2;3m\x1b\\"]
        {
            assert_eq!(depth(reply), ColorDepth::True, "{reply:?}");
        }
        for reply in ["", "\x1bP1$r0;48;5;16m\x1b\\", "\x1bP0$r\x1b\\", "\x1bP1$r0m\x1b\\"] {
            assert_eq!(depth(reply), ColorDepth::Palette, "{reply:?}");
        }
    }

    #[test]
    fn tmux_gets_pictures_only_if_it_lets_them_through() {
        let kitty = format!("\x1bP>|kitty(0.35.2)\x1b\\{OK}\x1b[?62;4c\x1b[6;16;8t\x1b[0n");
        let shown = |tmux, bytes: &str| {
            let graphics = told(false, tmux, bytes.as_bytes());
            (graphics.protocol, graphics.tmux)
        };
        assert_eq!(shown(Some(true), &kitty), (Protocol::Kitty, true));
        assert_eq!(shown(Some(false), &kitty), (Protocol::Halfblocks, false));
        assert_eq!(shown(Some(true), "\x1b[?62;4c\x1b[6;16;8t\x1b[0n").0, Protocol::Halfblocks);
    }

    #[test]
    fn variables_are_believed_where_replies_say_nothing() {
        let shown = |bytes: &str| told(true, None, bytes.as_bytes()).protocol;
        assert_eq!(shown("\x1b[?62c\x1b[6;16;8t\x1b[0n"), Protocol::Iterm2);
        assert_eq!(shown("\x1b[?62;4c\x1b[6;16;8t\x1b[0n"), Protocol::Sixel);
    }

    #[test]
    fn the_size_of_a_cell_and_deflating_are_as_stated() {
        let input = b"l\x1b_Gi=31;OK\x1b\\q\x1b_Gi=32;OK\x1b\\\x1b[6;20;10t\x1b[C\x1b[0n";
        let graphics = told(false, None, input);
        assert_eq!((graphics.cell, graphics.deflate), ((10, 20), true));
        // A terminal that keeps it to itself has often told the operating system.
        assert_eq!(told(false, None, b"\x1b[?62c\x1b[0n").cell, (9, 17));
    }
}
