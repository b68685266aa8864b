//! Asks the terminal what it can show, while the dashboard is already on it. Nobody waits for the answer: until it
//! comes, or is overdue, whoever reads keys reads them from here.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use ratatui_image::FontSize;
use ratatui_image::picker::cap_parser::{Parser, QueryStdioOptions};
use ratatui_image::picker::{Picker, ProtocolType};

use super::decoder::{Decoder, Said};
use super::graphics::{Graphics, Protocol};
use super::input;
use crate::app::Key;

/// How long a terminal may take to say what it can do: a slow link's round trip.
const ANSWER: Duration = Duration::from_secs(1);

/// How much longer if it is in the middle of a word.
const WORD: Duration = Duration::from_millis(100);

/// How long to wait for the answer at the end, so that the shell does not get it.
const FAREWELL: Duration = Duration::from_millis(250);

/// A question that is being answered.
#[derive(Debug)]
pub(super) struct Probe {
    decoder: Decoder,
    asked: Instant,
    /// Has the terminal answered the question that comes last?
    answered: bool,
    heard: Heard,
    /// What the environment says, for terminals that do not: iTerm2, or nothing.
    hint: ProtocolType,
    tmux: bool,
}

/// What the terminal has said of itself.
#[derive(Debug, Default)]
struct Heard {
    kitty: bool,
    deflate: bool,
    sixel: bool,
    cell: Option<(u16, u16)>,
}

impl Probe {
    /// Asks. The terminal has to be in raw mode, and nobody else may read it until [`answer`](Self::answer).
    pub(super) fn ask() -> io::Result<Self> {
        // WezTerm and Konsole know kitty's protocol, but not its placeholders.
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let blacklist_protocols = if is_set("WEZTERM_EXECUTABLE") || is_set("KONSOLE_VERSION") {
            vec![ProtocolType::Kitty, ProtocolType::Sixel]
        } else {
            Vec::new()
        };
        #[expect(deprecated, reason = "the one way to what the environment says without asking the terminal")]
        let environment = Picker::from_fontsize(FontSize::new(1, 1));
        let tmux = environment.tmux_detected();
        let options = QueryStdioOptions {
            kitty_compression: true,
            blacklist_protocols,
            ..QueryStdioOptions::default()
        };
        let mut out = io::stdout();
        out.write_all(Parser::query(tmux, options).as_bytes())?;
        out.flush()?;
        Ok(Self {
            decoder: Decoder::default(),
            asked: Instant::now(),
            answered: false,
            heard: Heard::default(),
            hint: environment.protocol_type(),
            tmux,
        })
    }

    /// Takes in what has come, without waiting, and returns the keys among it.
    pub(super) fn listen(&mut self) -> Vec<Key> {
        let mut keys = Vec::new();
        let mut bytes = [0; 256];
        while !self.answered && input::is_readable() {
            match rustix::io::read(rustix::stdio::stdin(), &mut bytes) {
                Ok(len @ 1..) => keys.extend(self.take(&bytes[..len])),
                // A terminal that has gone is noticed by who waits for it.
                _ => break,
            }
        }
        if self.is_over() {
            keys.extend(self.decoder.finish().and_then(|said| self.hear(said)));
        }
        keys
    }

    fn take(&mut self, bytes: &[u8]) -> Vec<Key> {
        let mut keys = Vec::new();
        for &byte in bytes {
            let said = self.decoder.push(byte);
            keys.extend(said.and_then(|said| self.hear(said)));
        }
        keys
    }

    /// Notes an answer, and passes a key on.
    fn hear(&mut self, said: Said) -> Option<Key> {
        match said {
            Said::Key(key) => return Some(key),
            Said::String(text) if text.starts_with("Gi=31;OK") => self.heard.kitty = true,
            Said::String(text) if text.starts_with("Gi=32;OK") => self.heard.deflate = true,
            Said::Control(parameters, 'c') => {
                self.heard.sixel = parameters.trim_start_matches('?').split(';').any(|p| p == "4");
            }
            Said::Control(parameters, 't') => self.heard.cell = cell(&parameters),
            Said::Control(_, 'n') => self.answered = true,
            _ => {}
        }
        None
    }

    fn is_over(&self) -> bool {
        let limit = if self.decoder.is_inside() { ANSWER + WORD } else { ANSWER };
        self.answered || self.asked.elapsed() >= limit
    }

    /// What the terminal can show, once it has said so or had its time; `assumed` is what it was taken for.
    pub(super) fn answer(&self, assumed: Graphics) -> Option<Graphics> {
        self.is_over().then(|| match self.heard.cell {
            Some(cell) => {
                Graphics { protocol: self.protocol(), cell, tmux: self.tmux, deflate: self.heard.deflate }
            }
            // Without the size of a cell no picture fits.
            None => assumed,
        })
    }

    fn protocol(&self) -> Protocol {
        match (&self.heard, self.hint) {
            (Heard { kitty: true, .. }, _) => Protocol::Kitty,
            // tmux does not know of sixels that pass through it, and leaves them behind.
            (Heard { sixel: true, .. }, _) if !self.tmux => Protocol::Sixel,
            (Heard { sixel: false, .. }, ProtocolType::Iterm2) => Protocol::Iterm2,
            _ => Protocol::Halfblocks,
        }
    }

    /// Waits a little for the answer, which nobody wants any more: the shell would take it for keys.
    pub(super) fn dismiss(mut self) {
        let begun = Instant::now();
        while !self.is_over()
            && begun.elapsed() < FAREWELL
            && input::wait(FAREWELL.saturating_sub(begun.elapsed()))
        {
            self.listen();
        }
    }
}

/// `6;height;width` in pixels.
fn cell(parameters: &str) -> Option<(u16, u16)> {
    let numbers: Vec<u16> = parameters.split(';').filter_map(|number| number.parse().ok()).collect();
    match numbers[..] {
        [6, height, width] if height > 0 && width > 0 => Some((width, height)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(hint: ProtocolType, tmux: bool, bytes: &[u8]) -> (Graphics, Vec<Key>) {
        let (decoder, heard) = (Decoder::default(), Heard::default());
        let mut probe = Probe { decoder, asked: Instant::now(), answered: false, heard, hint, tmux };
        let assumed = Graphics { protocol: Protocol::Halfblocks, cell: (9, 18), tmux: false, deflate: false };
        assert_eq!(probe.answer(assumed), None);
        let keys = probe.take(bytes);
        (probe.answer(assumed).expect("the last question was answered"), keys)
    }

    #[test]
    fn the_best_way_that_the_terminal_knows_is_taken() {
        const NOTHING: ProtocolType = ProtocolType::Halfblocks;
        for (hint, tmux, said, protocol) in [
            (NOTHING, false, "\x1b_Gi=31;OK\x1b\\\x1b[?62;4c\x1b[6;16;8t\x1b[0n", Protocol::Kitty),
            (NOTHING, false, "\x1b[?62;4c\x1b[6;16;8t\x1b[0n", Protocol::Sixel),
            (NOTHING, true, "\x1b[?62;4c\x1b[6;16;8t\x1b[0n", Protocol::Halfblocks),
            (
                NOTHING,
                false,
                "\x1b_Gi=31;ENOTSUPPORTED\x1b\\\x1b[?6c\x1b[6;16;8t\x1b[0n",
                Protocol::Halfblocks,
            ),
            (ProtocolType::Iterm2, false, "\x1b[?62c\x1b[6;16;8t\x1b[0n", Protocol::Iterm2),
            (ProtocolType::Iterm2, false, "\x1b[?62c\x1b[0n", Protocol::Halfblocks),
        ] {
            assert_eq!(told(hint, tmux, said.as_bytes()).0.protocol, protocol, "{said:?}");
        }
    }

    #[test]
    fn keys_among_the_answers_are_kept() {
        let (graphics, keys) =
            told(ProtocolType::Halfblocks, false, b"l\x1b_Gi=31;OK\x1b\\q\x1b[6;20;10t\x1b[C\x1b[0n");
        assert_eq!((graphics.cell, graphics.deflate), ((10, 20), false));
        assert_eq!(keys, [Key::Char('l'), Key::Char('q'), Key::Right]);
    }
}
