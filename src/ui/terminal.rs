//! Takes over the terminal, and gives it back when the dashboard ends, is suspended or panics.

use std::cell::RefCell;
use std::io::{self, Write};
use std::ops::Range;
use std::panic;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
};
use ratatui::crossterm::style::{Print, force_color_output};
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{Command, cursor, execute};
use ratatui::{Frame, Terminal};

use super::background;
use super::capabilities::is_status;
use super::decoder::TerminalInput;
use super::delivery::Sequences;
use super::encoder::PICTURES;
use super::fatal;
use super::graphics::{Graphics, Protocol};
use super::input::TerminalReader;
use super::kitty;
use super::link::{Link, STATUS_REQUEST};
use super::mouse::{self, MouseEvent};
use super::probe::Probe;
use super::sized::Sized;
use super::stderr_log::StderrToLog;
use super::string_kind::StringKind;
use super::surroundings::{let_pictures_through, wrap};
use super::theme::{Background, Theme, ThemeName};
use crate::dashboard::Message;

/// The longest time in which the terminal may owe its replies: until then, an Esc may be the beginning of one.
const OWED_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether the terminal is taken over. The panic hook uses this to give it back only once.
static TERMINAL_TAKEN: AtomicBool = AtomicBool::new(false);

/// The user's input, and what happened to the terminal meanwhile.
#[derive(Debug, Default)]
pub struct Heard {
    /// The keys, texts and uses of the mouse, in their order.
    pub inputs: Vec<UserInput>,
    /// Whether the terminal's window was chosen.
    pub focused: bool,
    /// Whether the terminal has told what it can show, or its time for that is over.
    pub graphics: bool,
    /// Whether the terminal has told whether it is dark or light.
    pub background: bool,
}

/// Something that the user did.
#[derive(Debug, Clone)]
pub enum UserInput {
    /// A key or a text for the dashboard.
    Message(Message),
    /// A use of the mouse, which is about what was drawn at that place.
    Mouse(MouseEvent),
}

/// The user's choices of how the terminal is used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ScreenOptions {
    /// The image protocol; none if the terminal is to be asked.
    pub protocol: Option<Protocol>,
    /// The most bytes a second that are sent while nobody presses a key, if they are to be fewer than the protocol's.
    pub rate_cap: Option<f64>,
    /// The theme of the dashboard.
    pub theme: ThemeName,
    /// Whether only ASCII may be drawn.
    pub ascii: bool,
    /// Whether the mouse is left to the terminal, which selects text with it.
    pub leaves_mouse: bool,
}

/// The one that has the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mouse {
    /// The dashboard has it.
    Captured,
    /// The terminal has it, for a while.
    Lent,
    /// The terminal keeps it, as the user wants.
    Left,
}

/// The dashboards in panes of one terminal that have ids of their own, out of 255.
const DASHBOARDS: u32 = 2;

/// The terminal while the dashboard uses it. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal<Sized<CrosstermBackend<FrameBytes>>>,
    /// The bytes that ratatui has written of the frame that is being drawn.
    frame: FrameBytes,
    link: Link,
    graphics: Graphics,
    theme: ThemeName,
    background: Background,
    ascii: bool,
    mouse: Mouse,
    reader: TerminalReader,
    /// The time at which the terminal was asked what it has not answered yet.
    owed: Option<Instant>,
    /// The query for the terminal's capabilities, until it is answered.
    probe: Option<Probe>,
    /// The first of kitty's ids of this dashboard.
    first_kitty_id: u8,
    /// Whether the next frame redraws the whole screen.
    redraw_whole: bool,
    stderr: Option<StderrToLog>,
}

impl Screen {
    /// Takes over the terminal and queries its capabilities and its background, where the user has not chosen, for
    /// [`listen`](Self::listen) to hear. Stderr, to which native libraries print, goes to `log` meanwhile. A panic in the calling thread gives the
    /// terminal back before it is reported. Fails if there is no usable terminal.
    pub fn enter(options: ScreenOptions, log: &Path) -> Result<Self> {
        give_back_in_panic();
        force_color_output(true); // with NO_COLOR the theme has no colours; pictures need them
        let stderr = StderrToLog::start(log); // before the terminal is taken over: nothing may be printed onto the screen
        let ScreenOptions { protocol, rate_cap, theme, ascii, leaves_mouse } = options;
        let mouse = if leaves_mouse { Mouse::Left } else { Mouse::Captured };
        take_over(mouse)?;
        let probe = match protocol {
            None => Some(Probe::ask().inspect_err(|_| give_back())?),
            Some(_) if theme.follows_background() => {
                Some(Probe::ask_for_background().inspect_err(|_| give_back())?)
            }
            Some(_) => None,
        };
        let (frame, now) = (FrameBytes::default(), Instant::now());
        let mut link = Link::new(now, rate_cap);
        if probe.is_some() {
            link.sent(0, true, f64::INFINITY, now); // its last question is that for the status
        }
        let first = 16 + (std::process::id() % DASHBOARDS) as u8 * PICTURES as u8 * kitty::IDS;
        let terminal = Terminal::new(Sized { inner: CrosstermBackend::new(frame.clone()) })
            .context("cannot draw on this terminal");
        Ok(Self {
            terminal: terminal.inspect_err(|_| give_back())?,
            frame,
            link,
            graphics: Graphics::assumed(protocol),
            theme,
            background: background::told(&std::env::var("COLORFGBG").unwrap_or_default()),
            ascii,
            mouse,
            reader: TerminalReader::new(),
            owed: probe.is_some().then(Instant::now),
            probe,
            first_kitty_id: first,
            redraw_whole: true,
            stderr,
        })
    }

    /// The image protocol of the terminal with its parameters.
    pub fn graphics(&self) -> Graphics {
        self.graphics
    }

    /// The colours of the dashboard on this terminal.
    pub(super) fn theme(&self) -> Theme {
        Theme::of(self.theme, self.background, self.graphics.depth)
    }

    /// Whether only ASCII may be drawn.
    pub(super) fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// Reads what was sent, without waiting. Replies of the terminal are no keys, however late they come.
    pub fn listen(&mut self) -> Heard {
        let mut heard = Heard::default();
        let owed = self.owed.is_some_and(|since| since.elapsed() < OWED_TIMEOUT);
        for input in self.reader.read(owed) {
            if let Some(probe) = &mut self.probe {
                probe.take(&input);
            }
            if is_status(&input) {
                self.owed = None;
                self.link.answered(Instant::now());
            }
            match input {
                TerminalInput::Key(key) => heard.inputs.push(UserInput::Message(Message::Key(key))),
                TerminalInput::Paste(text) => heard.inputs.push(UserInput::Message(Message::Paste(text))),
                TerminalInput::Control(parameters, 'I') => heard.focused |= parameters.is_empty(),
                TerminalInput::String(StringKind::System, text) => {
                    if let Some(background) = background::replied(&text) {
                        (self.background, heard.background) = (background, true);
                    }
                }
                TerminalInput::Control(parameters, last) => {
                    heard.inputs.extend(MouseEvent::reported(&parameters, last).map(UserInput::Mouse));
                }
                TerminalInput::String(..) => {}
            }
        }
        let answer = self.probe.as_ref().and_then(|p| p.answer(self.graphics, self.reader.is_inside()));
        if let Some(graphics) = answer {
            (self.graphics, self.probe, heard.graphics) = (graphics, None, true);
        }
        heard
    }

    /// Changes the image protocol.
    pub fn show_by(&mut self, protocol: Protocol) -> Result<()> {
        self.forget_pictures()?;
        self.probe = None; // the user's choice replaces the terminal's answer
        self.graphics.protocol = protocol;
        self.redraw();
        Ok(())
    }

    /// The ids of kitty's for a picture of the screen.
    pub(super) fn kitty_ids(&self, number: usize) -> Range<u8> {
        let first = self.first_kitty_id + number as u8 * kitty::IDS;
        first..first + kitty::IDS
    }

    /// The line to the terminal.
    pub(super) fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    /// Asks tmux to let pictures through.
    pub(super) fn let_pictures_through(&mut self) {
        self.graphics.tmux = let_pictures_through();
    }

    /// The screen's size in cells.
    pub fn area(&self) -> Result<ratatui::layout::Rect> {
        let size = self.terminal.size().context("the terminal has gone")?;
        Ok(ratatui::layout::Rect::new(0, 0, size.width, size.height))
    }

    /// Draws a frame as one synchronized update, with sequences of pictures. Where nothing has changed, nothing is written.
    /// Fails if the terminal has gone.
    pub(super) fn draw(&mut self, pictures: &Sequences, render: impl FnOnce(&mut Frame)) -> Result<()> {
        if std::mem::take(&mut self.redraw_whole) {
            // `clear` is not used, because it queries the cursor's position, and some terminals do not answer.
            let area = self.area()?;
            self.terminal.resize(area).context("the terminal has gone")?;
        }
        self.terminal.draw(render).context("the terminal has gone")?;
        let cells = std::mem::take(&mut *self.frame.0.borrow_mut());
        let Sequences { before, after } = pictures;
        if cells.is_empty() && before.is_empty() && after.is_empty() {
            return Ok(());
        }
        let asks = self.link.is_to_ask();
        let question = if asks { wrap(STATUS_REQUEST, self.graphics.tmux) } else { String::new() };
        let begin = sequence_of(BeginSynchronizedUpdate);
        let end = sequence_of(EndSynchronizedUpdate);
        let parts = [
            begin.as_bytes(),
            before.as_bytes(),
            &cells,
            after.as_bytes(),
            end.as_bytes(),
            question.as_bytes(),
        ];
        self.write(&parts.concat(), asks)
    }

    fn write(&mut self, bytes: &[u8], asks: bool) -> Result<()> {
        let begun = Instant::now();
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).context("the terminal has gone")?;
        self.link.sent(bytes.len(), asks, self.graphics.protocol.byte_rate(), begun);
        if asks {
            self.owed = Some(begun);
        }
        Ok(())
    }

    /// Puts a text on the terminal's clipboard, by OSC 52. tmux does that itself, if its `set-clipboard` allows it.
    pub(super) fn copy(&mut self, text: &str) -> Result<()> {
        self.write(format!("\x1b]52;c;{}\x07", STANDARD.encode(text)).as_bytes(), false)
    }

    /// Leaves the mouse to the terminal for as long as there is text on the screen to be copied with it.
    pub(super) fn lend_mouse(&mut self, lent: bool) -> Result<()> {
        let (mouse, sequence) = match (self.mouse, lent) {
            (Mouse::Captured, true) => (Mouse::Lent, mouse::RELEASE),
            (Mouse::Lent, false) => (Mouse::Captured, mouse::CAPTURE),
            (unchanged @ (Mouse::Captured | Mouse::Lent | Mouse::Left), _) => (unchanged, ""),
        };
        self.mouse = mouse;
        if sequence.is_empty() { Ok(()) } else { self.write(sequence.as_bytes(), false) }
    }

    /// Makes the next frame redraw the whole screen.
    pub fn redraw(&mut self) {
        self.redraw_whole = true;
    }

    /// Gives the terminal back and suspends the process, until the user resumes it.
    pub fn suspend(&mut self) -> Result<()> {
        self.forget_pictures()?;
        give_back();
        let log = self.stderr.take().and_then(StderrToLog::stop);
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        take_over(self.mouse)?;
        self.stderr = log.and_then(StderrToLog::start_file);
        self.redraw();
        Ok(())
    }

    fn forget_pictures(&mut self) -> Result<()> {
        if self.graphics.protocol == Protocol::Kitty {
            let delete = |id| wrap(&kitty::delete(id), self.graphics.tmux);
            let all: String = (0..PICTURES).flat_map(|number| self.kitty_ids(number)).map(delete).collect();
            self.write(all.as_bytes(), false)?;
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some(probe) = self.probe.take() {
            probe.dismiss(&mut self.reader);
        }
        // An error means that the terminal has gone.
        let _ = self.forget_pictures();
        give_back();
    }
}

/// Puts the terminal into raw mode and on the alternate screen.
fn take_over(mouse: Mouse) -> Result<()> {
    fatal::prepare().context("cannot take over the terminal")?;
    enable_raw_mode().context("cannot take over the terminal")?;
    TERMINAL_TAKEN.store(true, Ordering::SeqCst);
    fatal::set_taken(true);
    let mouse = Print(if mouse == Mouse::Captured { mouse::CAPTURE } else { "" });
    execute!(io::stdout(), EnterAlternateScreen, cursor::Hide, EnableFocusChange, EnableBracketedPaste, mouse)
        .inspect_err(|_| give_back())
        .context("cannot take over the terminal")
}

/// Gives the terminal back. Errors mean that the terminal has gone, and are ignored.
fn give_back() {
    if TERMINAL_TAKEN.swap(false, Ordering::SeqCst) {
        fatal::set_taken(false);
        // The screen is cleared first, because a tmux window that has grown would keep the new rows.
        let clear = Clear(ClearType::All);
        let _ = execute!(
            io::stdout(),
            Print(mouse::RELEASE),
            DisableFocusChange,
            DisableBracketedPaste,
            EndSynchronizedUpdate,
            clear,
            LeaveAlternateScreen,
            cursor::Show
        );
        let _ = disable_raw_mode();
    }
}

/// Sets a panic hook: a panic in this thread gives the terminal back and is reported as usual. A panic in another thread
/// is caught there and shown by the dashboard, because printing it would disturb the screen.
fn give_back_in_panic() {
    let (ours, report) = (thread::current().id(), panic::take_hook());
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == ours || !TERMINAL_TAKEN.load(Ordering::SeqCst) {
            give_back();
            report(info);
        }
    }));
}

/// The bytes of a frame, which are written at once when it is complete.
#[derive(Debug, Clone, Default)]
struct FrameBytes(Rc<RefCell<Vec<u8>>>);

impl Write for FrameBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The sequence of a command of crossterm's.
fn sequence_of(command: impl Command) -> String {
    let mut sequence = String::new();
    // Writing to a string does not fail.
    let _ = command.write_ansi(&mut sequence);
    sequence
}
