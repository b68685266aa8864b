//! The terminal: taken over on entry, given back on leaving, on suspending and in a panic.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Stdout, Write};
use std::os::fd::OwnedFd;
use std::panic;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{DisableFocusChange, EnableFocusChange};
use ratatui::crossterm::style::force_color_output;
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute, queue};
use ratatui::{Frame, Terminal};

use super::encoder::kitty_delete;
use super::graphics::{Graphics, Protocol};
use super::probe::Probe;
use crate::app::Key;

/// Is the terminal ours? The panic hook has to know, and gives it back only once.
static TAKEN: AtomicBool = AtomicBool::new(false);

type Out = BufWriter<Counted<Stdout>>;

/// The terminal while the dashboard has it.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Out>>,
    written: Arc<AtomicU64>,
    graphics: Graphics,
    /// The question what it can show, until that is answered.
    probe: Option<Probe>,
    /// Ids for kitty pictures, used in turn: the old picture stays until the new one is whole.
    kitty_ids: [u8; 2],
    /// Is the next frame to be drawn whole?
    anew: bool,
    stderr: Option<StderrToLog>,
}

impl Screen {
    /// Takes the terminal over and, without a `protocol`, asks what it can show: see [`listen`](Self::listen). What
    /// native libraries print to stderr goes to `log` meanwhile. A panic in the calling thread gives the terminal back before it is reported.
    pub fn enter(protocol: Option<Protocol>, log: &Path) -> Result<Self> {
        give_back_in_panic();
        force_color_output(true); // with NO_COLOR the theme has no colours; pictures need them
        let stderr = StderrToLog::start(log); // before the screen is ours: nothing may be printed onto it
        take()?;
        let probe = match protocol {
            None if !is_dumb() => Some(Probe::ask().inspect_err(|_| give_back())?),
            _ => None,
        };
        let written = Arc::<AtomicU64>::default();
        let out =
            BufWriter::with_capacity(1 << 16, Counted { out: io::stdout(), written: Arc::clone(&written) });
        let first = 16 + (std::process::id() % 100) as u8 * 2;
        let terminal = Terminal::new(CrosstermBackend::new(out)).context("cannot draw on this terminal");
        Ok(Self {
            terminal: terminal.inspect_err(|_| give_back())?,
            written,
            graphics: Graphics::assumed(protocol),
            probe,
            kitty_ids: [first, first + 1],
            anew: true,
            stderr,
        })
    }

    /// What the terminal can show.
    pub fn graphics(&self) -> Graphics {
        self.graphics
    }

    /// Is the terminal still being asked what it can show? Then keys are read by [`listen`](Self::listen), and by
    /// nobody else.
    pub fn is_asking(&self) -> bool {
        self.probe.is_some()
    }

    /// Hears what the terminal says of itself, without waiting, and returns the keys that were pressed meanwhile.
    pub fn listen(&mut self) -> Vec<Key> {
        let Some(probe) = &mut self.probe else { return Vec::new() };
        let keys = probe.listen();
        if let Some(graphics) = probe.answer(self.graphics) {
            self.graphics = graphics;
            self.probe = None;
        }
        keys
    }

    /// Shows pictures another way.
    pub fn show_by(&mut self, protocol: Protocol) -> Result<()> {
        self.forget_pictures()?;
        self.probe = None; // the user's word counts, whatever the terminal says
        self.graphics.protocol = protocol;
        self.redraw();
        Ok(())
    }

    /// An id for the next kitty picture: not the one on screen.
    pub fn next_kitty_id(&mut self) -> u8 {
        self.kitty_ids.swap(0, 1);
        self.kitty_ids[0]
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// The screen's size in cells.
    pub fn area(&self) -> Result<ratatui::layout::Rect> {
        let size = self.terminal.size().context("the terminal has gone")?;
        Ok(ratatui::layout::Rect::new(0, 0, size.width, size.height))
    }

    /// Draws a frame, all of it at once where the terminal can, and says how long the terminal took.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame)) -> Result<Duration> {
        let begun = Instant::now();
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        if std::mem::take(&mut self.anew) {
            // Not `clear`: that asks the terminal where its cursor is, and some never answer.
            let area = self.area()?;
            self.terminal.resize(area).context("the terminal has gone")?;
        }
        self.terminal.draw(render).context("the terminal has gone")?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        Ok(begun.elapsed())
    }

    /// Forgets what is on the screen, so that the next frame is drawn whole.
    pub fn redraw(&mut self) {
        self.anew = true;
    }

    /// Gives the terminal to the shell until the user comes back.
    pub fn suspend(&mut self) -> Result<()> {
        self.forget_pictures()?;
        give_back();
        let log = self.stderr.take().and_then(StderrToLog::stop);
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        take()?;
        self.stderr = log.and_then(StderrToLog::start_file);
        self.redraw();
        Ok(())
    }

    fn forget_pictures(&mut self) -> Result<()> {
        if self.graphics.protocol == Protocol::Kitty {
            for id in self.kitty_ids {
                write!(self.terminal.backend_mut(), "{}", kitty_delete(id, self.graphics.tmux))?;
            }
            io::Write::flush(self.terminal.backend_mut())?;
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some(probe) = self.probe.take() {
            probe.dismiss();
        }
        // A terminal that has gone cannot be cleaned up.
        let _ = self.forget_pictures();
        give_back();
    }
}

/// A terminal that would print a question instead of answering it.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

fn take() -> Result<()> {
    enable_raw_mode().context("cannot take over the terminal")?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, cursor::Hide, EnableFocusChange)
        .inspect_err(|_| give_back())
        .context("cannot take over the terminal")
}

/// Whatever fails here fails because the terminal has gone: there is nothing left to restore.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // Cleared first: a tmux window that grew meanwhile would keep the rows it did not have before.
        let clear = Clear(ClearType::All);
        let _ = execute!(
            io::stdout(),
            DisableFocusChange,
            EndSynchronizedUpdate,
            clear,
            LeaveAlternateScreen,
            cursor::Show
        );
        let _ = disable_raw_mode();
    }
}

/// A panic in this thread gives the terminal back and is reported as usual. One in another thread is caught
/// there and told by the dashboard: printing it now would wreck the screen.
fn give_back_in_panic() {
    let (ours, report) = (thread::current().id(), panic::take_hook());
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() == ours || !TAKEN.load(Ordering::SeqCst) {
            give_back();
            report(info);
        }
    }));
}

/// Counts what passes.
#[derive(Debug)]
struct Counted<W> {
    out: W,
    written: Arc<AtomicU64>,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.out.write(bytes)?;
        self.written.fetch_add(len as u64, Ordering::Relaxed);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Stderr, sent to a file until this is dropped: libtorch and CUDA print there.
#[derive(Debug)]
struct StderrToLog {
    terminal: OwnedFd,
    log: File,
}

impl StderrToLog {
    /// None where the log cannot be opened: a disturbed screen is better than no dashboard.
    fn start(log: &Path) -> Option<Self> {
        if let Some(folder) = log.parent() {
            std::fs::create_dir_all(folder).ok()?;
        }
        Self::start_file(OpenOptions::new().create(true).append(true).open(log).ok()?)
    }

    fn start_file(log: File) -> Option<Self> {
        let terminal = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3).ok()?;
        rustix::stdio::dup2_stderr(&log).ok()?;
        Some(Self { terminal, log })
    }

    fn stop(self) -> Option<File> {
        self.log.try_clone().ok()
    }
}

impl Drop for StderrToLog {
    fn drop(&mut self) {
        // Both descriptors are ours and open; if the system refuses, stderr stays with the log.
        let _ = rustix::stdio::dup2_stderr(&self.terminal);
    }
}
