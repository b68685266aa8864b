//! What a terminal does with the bytes that come: it draws them, whole updates at a time, and answers questions.

use std::num::NonZeroU16;
use std::time::Duration;

use vt100::{Parser, Screen};

/// Begins or ends an update that is to be shown at once.
const UPDATE: &[u8] = b"\x1b[?2026";

/// Leaves the alternate screen.
const LEAVE: &[u8] = b"\x1b[?1049l";

/// The question that comes last, and that every terminal answers.
const STATUS: &[u8] = b"\x1b[5n";

/// What the terminal says when it is asked what it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    /// Nothing at all.
    Nothing,
    /// That it is there, and how large its cells are.
    Plain,
    /// That it shows kitty's pictures.
    Kitty,
    /// The same, and that it is too old for placeholders.
    OldKitty,
    /// That it shows kitty's pictures and much else, so late that nobody waits for it any more.
    LateKitty,
    /// That it shows sixels.
    Sixel,
}

/// The terminal's inside.
pub(crate) struct Emulator {
    parser: Parser<Scrolled>,
    answers: Answers,
    raw: Vec<u8>,
    /// How much of `raw` has been drawn, and how much has been searched for questions.
    drawn: usize,
    searched: usize,
    /// Is an update under way?
    updating: bool,
    frame: Screen,
}

/// Counts the rows that leave the screen.
#[derive(Default)]
struct Scrolled(usize);

impl vt100::Callbacks for Scrolled {
    fn on_scroll(&mut self, _: vt100::capture::RowContents<'_>, _: bool) {
        self.0 += 1;
    }
}

impl Emulator {
    pub(crate) fn new((columns, rows): (u16, u16), answers: Answers) -> Self {
        let parser = Parser::new_with_callbacks(cells(rows), cells(columns), 0, Scrolled::default());
        let frame = parser.screen().clone();
        Self { parser, answers, raw: Vec::new(), drawn: 0, searched: 0, updating: false, frame }
    }

    /// Takes in what the program wrote, and returns what the terminal says to that.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> String {
        self.raw.extend_from_slice(bytes);
        self.draw();
        self.answer()
    }

    /// Draws what is new; the frame changes only when no update is under way.
    fn draw(&mut self) {
        while let Some(mark) = self.next_mark() {
            let begins = self.raw[mark] == b'h';
            let keep = begins && self.updating;
            self.draw_to(mark + 1);
            if !keep {
                self.frame = self.parser.screen().clone();
            }
            self.updating = begins;
        }
        self.draw_to(self.raw.len());
        if !self.updating {
            self.frame = self.parser.screen().clone();
        }
    }

    /// Where the last byte is of the next beginning or end of an update. Its first bytes may have been drawn.
    fn next_mark(&self) -> Option<usize> {
        let at = find(&self.raw, UPDATE, self.drawn.saturating_sub(UPDATE.len()))?;
        Some(at + UPDATE.len()).filter(|&mark| mark < self.raw.len())
    }

    fn draw_to(&mut self, end: usize) {
        self.parser.process(&self.raw[self.drawn..end]);
        self.drawn = end;
    }

    /// Answers everything that was asked before the question that comes last.
    fn answer(&mut self) -> String {
        let Some(at) = find(&self.raw, STATUS, self.searched) else {
            self.searched = self.raw.len().saturating_sub(STATUS.len());
            return String::new();
        };
        self.searched = at + STATUS.len();
        let asked = String::from_utf8_lossy(&self.raw[..at]);
        let known = self.answers.known().iter();
        known.filter(|(question, _)| asked.contains(question)).map(|(_, answer)| *answer).collect()
    }

    /// The newest whole screen.
    pub(crate) fn frame(&self) -> &Screen {
        &self.frame
    }

    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    pub(crate) fn scrolled(&self) -> usize {
        self.parser.callbacks().0
    }

    /// What was printed after the alternate screen was left, on a very wide screen.
    pub(crate) fn said(&self) -> String {
        let after = (0..self.raw.len()).rev().find(|&at| self.raw[at..].starts_with(LEAVE));
        let mut paper = Parser::new(cells(50), cells(1000), 0);
        paper.process(&self.raw[after.unwrap_or(0)..]);
        paper.screen().contents()
    }

    /// Another size. Rows that do not fit any more are not counted as scrolled.
    pub(crate) fn resize(&mut self, (columns, rows): (u16, u16)) {
        let scrolled = self.scrolled();
        self.parser.set_size(cells(rows), cells(columns));
        self.parser.callbacks_mut().0 = scrolled;
        self.frame = self.parser.screen().clone();
    }
}

impl Answers {
    /// How long the terminal thinks.
    pub(crate) fn delay(self) -> Duration {
        if self == Self::LateKitty { Duration::from_secs(2) } else { Duration::ZERO }
    }

    /// Questions and what is said to them.
    fn known(self) -> &'static [(&'static str, &'static str)] {
        const SIZE: (&str, &str) = ("\x1b[16t", "\x1b[6;16;8t");
        const THERE: (&str, &str) = ("", "\x1b[0n");
        const NEW: (&str, &str) = ("\x1b[>0q", "\x1bP>|kitty(0.35.2)\x1b\\");
        const KITTY: (&str, &str) = ("_Gi=31,", "\x1b_Gi=31;OK\x1b\\");
        match self {
            Self::Nothing => &[],
            Self::Plain => &[("\x1b[c", "\x1b[?6c"), SIZE, THERE],
            // It cannot inflate: it says nothing to the question for that.
            Self::Kitty => &[NEW, KITTY, ("\x1b[c", "\x1b[?62c"), SIZE, THERE],
            Self::OldKitty => {
                &[("\x1b[>0q", "\x1bP>|kitty(0.26.5)\x1b\\"), KITTY, ("\x1b[c", "\x1b[?62c"), SIZE, THERE]
            }
            Self::LateKitty => {
                &[NEW, KITTY, ("", "\x1b]11;rgb:1e1e/2e2e/3e3e\x07"), ("\x1b[c", "\x1b[?62;4c"), SIZE, THERE]
            }
            Self::Sixel => &[("\x1b[c", "\x1b[?62;4c"), SIZE, THERE],
        }
    }
}

/// A screen has at least one cell.
fn cells(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap_or(NonZeroU16::MIN)
}

fn find(text: &[u8], part: &[u8], from: usize) -> Option<usize> {
    text.get(from..)?.windows(part.len()).position(|window| window == part).map(|at| from + at)
}
