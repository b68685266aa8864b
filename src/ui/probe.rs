//! Queries the terminal for its capabilities while the dashboard is already shown. The dashboard does not wait for the
//! answer: until it arrives or times out, keys are read through this probe.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use ratatui_image::FontSize;
use ratatui_image::picker::cap_parser::{Parser, QueryStdioOptions};
use ratatui_image::picker::{Picker, ProtocolType};

use super::decoder::{Decoder, TerminalInput};
use super::graphics::{Graphics, Protocol};
use super::input;
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
    decoder: Decoder,
    asked: Instant,
    /// Whether the terminal has answered the last query.
    answered: bool,
    capabilities: Capabilities,
    /// The protocol that environment variables indicate: iTerm2 or none.
    hint: ProtocolType,
    tmux: bool,
}

/// The capabilities that the terminal has reported; `cell` is the size of a cell in pixels.
#[derive(Debug, Default)]
struct Capabilities {
    kitty: bool,
    deflate: bool,
    sixel: bool,
    cell: Option<(u16, u16)>,
}

impl Probe {
    /// Sends the query. The terminal must be in raw mode, and no other code may read it until [`answer`](Self::answer).
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
        let mut out = io::stdout();
        out.write_all(Parser::query(tmux, options).as_bytes())?;
        out.flush()?;
        Ok(Self {
            decoder: Decoder::default(),
            asked: Instant::now(),
            answered: false,
            capabilities: Capabilities::default(),
            hint: environment.protocol_type(),
            tmux,
        })
    }

    /// Reads the available input without waiting, and returns the keys in it.
    pub(super) fn listen(&mut self) -> Vec<Key> {
        let mut keys = Vec::new();
        let mut bytes = [0; 256];
        while !self.answered && input::is_readable() {
            match rustix::io::read(rustix::stdio::stdin(), &mut bytes) {
                Ok(len @ 1..) => keys.extend(self.take(&bytes[..len])),
                // The code that waits for input notices if the terminal has gone.
                _ => break,
            }
        }
        if self.is_over() {
            keys.extend(self.decoder.finish().and_then(|input| self.handle(input)));
        }
        keys
    }

    fn take(&mut self, bytes: &[u8]) -> Vec<Key> {
        let mut keys = Vec::new();
        for &byte in bytes {
            let input = self.decoder.push(byte);
            keys.extend(input.and_then(|input| self.handle(input)));
        }
        keys
    }

    /// Records an answer, or returns a key.
    fn handle(&mut self, input: TerminalInput) -> Option<Key> {
        match input {
            TerminalInput::Key(key) => return Some(key),
            TerminalInput::String(text) if text.starts_with("Gi=31;OK") => self.capabilities.kitty = true,
            TerminalInput::String(text) if text.starts_with("Gi=32;OK") => self.capabilities.deflate = true,
            TerminalInput::Control(parameters, 'c') => {
                self.capabilities.sixel = parameters.trim_start_matches('?').split(';').any(|p| p == "4");
            }
            TerminalInput::Control(parameters, 't') => self.capabilities.cell = cell(&parameters),
            TerminalInput::Control(_, 'n') => self.answered = true,
            _ => {}
        }
        None
    }

    fn is_over(&self) -> bool {
        let limit = if self.decoder.is_inside() { ANSWER_TIMEOUT + SEQUENCE_TIMEOUT } else { ANSWER_TIMEOUT };
        self.answered || self.asked.elapsed() >= limit
    }

    /// The graphics of the terminal, when it has answered or the time is over. `assumed` is used if it reports no cell size.
    pub(super) fn answer(&self, assumed: Graphics) -> Option<Graphics> {
        self.is_over().then(|| match self.capabilities.cell {
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
        match (&self.capabilities, self.hint) {
            (Capabilities { kitty: true, .. }, _) => Protocol::Kitty,
            // tmux does not track sixels that pass through it, and would not erase them.
            (Capabilities { sixel: true, .. }, _) if !self.tmux => Protocol::Sixel,
            (Capabilities { sixel: false, .. }, ProtocolType::Iterm2) => Protocol::Iterm2,
            _ => Protocol::Halfblocks,
        }
    }

    /// Waits a short time for the answer and drops it, because the shell would take it for keys.
    pub(super) fn dismiss(mut self) {
        let begun = Instant::now();
        while !self.is_over()
            && begun.elapsed() < DISMISS_TIMEOUT
            && input::wait(DISMISS_TIMEOUT.saturating_sub(begun.elapsed()))
        {
            self.listen();
        }
    }
}

/// Parses `6;height;width`, the size of a cell in pixels.
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
        let (decoder, capabilities) = (Decoder::default(), Capabilities::default());
        let mut probe = Probe { decoder, asked: Instant::now(), answered: false, capabilities, hint, tmux };
        let assumed = Graphics { protocol: Protocol::Halfblocks, cell: (9, 18), tmux: false, deflate: false };
        assert_eq!(probe.answer(assumed), None);
        let keys = probe.take(bytes);
        (probe.answer(assumed).expect("the last question was answered"), keys)
    }

    #[test]
    fn the_best_protocol_of_the_terminal_is_used() {
        const NOTHING: ProtocolType = ProtocolType::Halfblocks;
        for (hint, tmux, input, protocol) in [
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
            assert_eq!(told(hint, tmux, input.as_bytes()).0.protocol, protocol, "{input:?}");
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
