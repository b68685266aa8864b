//! The real binary in a pseudo-terminal, with a plain terminal around it: a screen, a keyboard, a few answers.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use tempfile::TempDir;

use super::emulator::{Answers, Emulator};
use super::ended::Ended;
use super::frame::Frame;
use crate::binary::INSTRUCTIONS;

/// How long anything may take before a test gives up. The machine may be busy, and nothing here is about speed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Pixels of a cell, as the terminal tells them.
const CELL: (u16, u16) = (8, 16);

/// What is started, and in what terminal.
pub(crate) struct Setup {
    size: (u16, u16),
    answers: Answers,
    args: Vec<String>,
    env: Vec<(String, String)>,
    runs: Option<PathBuf>,
    /// The process or the run that it attaches to; else it is a dashboard of its own.
    attach: Option<String>,
    /// Is there a keyboard?
    keyboard: bool,
}

impl Setup {
    /// A terminal of this many columns and rows that answers like a plain one.
    pub(crate) fn new(columns: u16, rows: u16) -> Self {
        Self {
            size: (columns, rows),
            answers: Answers::Plain,
            // Without random views the loss rises from step to step.
            args: ["--recipe", "pixel"].map(Into::into).into(),
            env: Vec::new(),
            runs: None,
            attach: None,
            keyboard: true,
        }
    }

    pub(crate) fn answers(mut self, answers: Answers) -> Self {
        self.answers = answers;
        self
    }

    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Where runs are to be kept, instead of a folder that is the test's own.
    pub(crate) fn runs(mut self, runs: &str) -> Self {
        self.runs = Some(runs.into());
        self
    }

    /// A dashboard on what the program in another terminal computes.
    pub(crate) fn attached_to(size: (u16, u16), other: &Terminal) -> Self {
        Self::attached_to_run(size, &other.runs(), &other.pid().to_string())
    }

    /// A dashboard on a run of this folder, or on what a process of this number computes, by the sockets beside the folder.
    pub(crate) fn attached_to_run(size: (u16, u16), runs: &Path, name: &str) -> Self {
        let sockets = runs.parent().unwrap().to_str().unwrap().to_owned();
        let setup = Self {
            attach: Some(name.into()),
            args: Vec::new(),
            runs: Some(runs.into()),
            ..Self::new(size.0, size.1)
        };
        setup.env("XDG_RUNTIME_DIR", &sockets)
    }

    /// Takes the keyboard away: the program's stdin is `/dev/null`.
    pub(crate) fn stdin_from_nothing(mut self) -> Self {
        self.keyboard = false;
        self
    }

    /// Starts the program.
    pub(crate) fn start(self) -> Terminal {
        let home = TempDir::new().unwrap();
        let pair = native_pty_system().openpty(pty_size(self.size)).unwrap();
        let modes_before = modes(pair.master.as_ref());
        let child = pair.slave.spawn_command(self.command(home.path())).unwrap();
        let writer = Mutex::new(Some(pair.master.take_writer().unwrap()));
        let emulator = Mutex::new(Emulator::new(self.size, self.answers));
        let line = Arc::new(Line {
            emulator,
            writer,
            delay: self.answers.delay(),
            news: Condvar::new(),
            answered: AtomicBool::new(false),
            hung_up: AtomicBool::new(false),
        });
        let (from_child, inside) = (pair.master.try_clone_reader().unwrap(), Arc::clone(&line));
        let reader = Some(thread::spawn(move || inside.listen(from_child)));
        let (master, slave) = (Some(pair.master), Some(pair.slave));
        Terminal { home: Some(home), child, master, slave, line, reader, modes_before }
    }

    /// Nothing of the user's own surroundings reaches the program.
    fn command(&self, home: &Path) -> CommandBuilder {
        let mut command = if self.keyboard {
            CommandBuilder::new(env!("CARGO_BIN_EXE_trepang"))
        } else {
            let mut shell = CommandBuilder::new("/bin/sh");
            shell.args(["-c", "exec \"$0\" \"$@\" </dev/null", env!("CARGO_BIN_EXE_trepang")]);
            shell
        };
        command.env_clear();
        for (name, value) in INSTRUCTIONS.iter().filter_map(|name| Some((name, std::env::var_os(name)?))) {
            command.env(name, value);
        }
        command.cwd(home);
        let surroundings = [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LANG", "C.UTF-8")];
        for (name, value) in surroundings {
            command.env(name, value);
        }
        command.env("HOME", home);
        command.env("XDG_DATA_HOME", home.join("data"));
        command.env("XDG_RUNTIME_DIR", home);
        self.env.iter().for_each(|(name, value)| command.env(name, value));
        let runs = self.runs.clone().unwrap_or_else(|| home.join("runs"));
        if let Some(name) = &self.attach {
            command.args(["attach", name]);
        }
        command.args(["--runs".as_ref(), runs.as_os_str()]);
        command.args(&self.args);
        command
    }
}

/// A running program in its terminal.
pub(crate) struct Terminal {
    home: Option<TempDir>,
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    /// Kept open, so that the terminal is still there to be looked at when the program has ended.
    slave: Option<Box<dyn SlavePty + Send>>,
    line: Arc<Line>,
    reader: Option<JoinHandle<()>>,
    modes_before: String,
}

/// What the reading thread shares with the test.
struct Line {
    emulator: Mutex<Emulator>,
    writer: Mutex<Option<Box<dyn Write + Send>>>,
    /// How long the terminal thinks before it answers.
    delay: Duration,
    news: Condvar,
    answered: AtomicBool,
    hung_up: AtomicBool,
}

impl Line {
    /// Reads until the program has closed the terminal, or the test has.
    fn listen(self: &Arc<Self>, mut from_child: Box<dyn Read + Send>) {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(len @ 1..) = from_child.read(&mut buffer) {
            if self.hung_up.load(Ordering::SeqCst) {
                return;
            }
            let answer = self.lock().take(&buffer[..len]);
            self.news.notify_all();
            if !answer.is_empty() {
                Arc::clone(self).answer(answer);
            }
        }
    }

    /// Answers when it has thought, and draws what comes meanwhile.
    fn answer(self: Arc<Self>, answer: String) {
        let at_once = self.delay.is_zero();
        let say = move || {
            thread::sleep(self.delay);
            // What is late comes in pieces too, as over a slow link.
            let (piece, pause) = if at_once { (answer.len(), 0) } else { (1, 10) };
            for bytes in answer.as_bytes().chunks(piece) {
                self.write(bytes);
                thread::sleep(Duration::from_millis(pause));
            }
            self.answered.store(true, Ordering::SeqCst);
        };
        if at_once {
            say();
        } else {
            thread::spawn(say);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Emulator> {
        self.emulator.lock().unwrap()
    }

    /// A program that has just ended takes no more keys.
    fn write(&self, bytes: &[u8]) {
        if let Some(writer) = self.writer.lock().unwrap().as_mut() {
            let _ = writer.write_all(bytes).and_then(|()| writer.flush());
        }
    }
}

impl Terminal {
    /// Presses keys.
    pub(crate) fn send(&self, keys: &str) {
        self.line.write(keys.as_bytes());
    }

    /// The newest whole screen.
    pub(crate) fn frame(&self) -> Frame {
        Frame::new(self.line.lock().frame())
    }

    /// Waits until a screen shows what `look` looks for, and returns that.
    pub(crate) fn wait<T>(&mut self, what: &str, look: impl Fn(&Frame) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ended = self.child.try_wait().unwrap();
            let frame = self.frame();
            if let Some(found) = look(&frame) {
                return found;
            }
            assert!(ended.is_none(), "the program ended ({ended:?}) before {what}:\n{}", self.raw_text());
            assert!(Instant::now() < deadline, "no {what} on the screen:\n{frame:?}");
            let _ = self.line.news.wait_timeout(self.line.lock(), Duration::from_millis(50)).unwrap();
        }
    }

    /// Waits until a screen is as `is` wants it, and returns that screen.
    pub(crate) fn wait_until(&mut self, what: &str, is: impl Fn(&Frame) -> bool) -> Frame {
        self.wait(what, |frame| is(frame).then(|| frame.clone()))
    }

    /// Waits until a text is on the screen, and returns that screen.
    pub(crate) fn wait_for(&mut self, text: &str) -> Frame {
        self.wait_until(text, |frame| frame.has(text))
    }

    /// Waits until the terminal has answered the program's questions.
    pub(crate) fn wait_for_answer(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.line.answered.load(Ordering::SeqCst) {
            assert!(Instant::now() < deadline, "nothing was asked");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Has the terminal answered anything?
    pub(crate) fn was_answered(&self) -> bool {
        self.line.answered.load(Ordering::SeqCst)
    }

    /// Waits until bytes have come that a screen does not show.
    pub(crate) fn wait_raw(&mut self, what: &str, is: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is(&self.raw_text()) {
            assert!(Instant::now() < deadline, "never written: {what}\n{:?}", self.frame());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything the program has written.
    pub(crate) fn raw_text(&self) -> String {
        String::from_utf8_lossy(self.line.lock().raw()).into_owned()
    }

    /// Waits until `look` finds what it looks for in everything that was written.
    pub(crate) fn wait_for_raw(&self, what: &str, look: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !look(&self.raw_text()) {
            assert!(Instant::now() < deadline, "no {what} was written");
            let _ = self.line.news.wait_timeout(self.line.lock(), Duration::from_millis(50)).unwrap();
        }
    }

    /// Has the program draw its whole screen anew, by Ctrl-L, and waits until it has wiped the old one off.
    pub(crate) fn redraw(&mut self) {
        let wiped = |raw: &str| raw.matches("\x1b[2J").count();
        let before = wiped(&self.raw_text());
        self.send("\x0c");
        self.wait_raw("a wiped screen", |raw| wiped(raw) > before);
    }

    /// How many bytes the program has written.
    pub(crate) fn written(&self) -> usize {
        self.line.lock().raw().len()
    }

    /// Waits until nothing has been written for a while: all of the last picture has come.
    pub(crate) fn wait_until_quiet(&mut self) {
        let (deadline, mut before) = (Instant::now() + PATIENCE, 0);
        while before != self.written() {
            assert!(Instant::now() < deadline, "it does not stop writing");
            before = self.written();
            thread::sleep(Duration::from_millis(700));
        }
    }

    /// Rows that were pushed off the top of the screen.
    pub(crate) fn scrolled(&self) -> usize {
        self.line.lock().scrolled()
    }

    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.line.lock().resize((columns, rows));
        self.master.as_ref().unwrap().resize(pty_size((columns, rows))).unwrap();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends a signal by its name, as `kill` knows it.
    pub(crate) fn signal(&self, name: &str) {
        let killed = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status();
        assert!(killed.unwrap().success(), "cannot send {name}");
    }

    /// Waits until the program has been stopped, as a shell does before it takes the terminal back: one that is told to
    /// go on before that stops for good. Looked up where `/proc` is.
    pub(crate) fn wait_until_stopped(&self) {
        let stat = PathBuf::from(format!("/proc/{}/stat", self.pid()));
        let deadline = Instant::now() + PATIENCE;
        // The state follows the name, which stands in parentheses.
        let is_stopped = |text: String| text.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'));
        while stat.exists() && !std::fs::read_to_string(&stat).is_ok_and(is_stopped) {
            assert!(Instant::now() < deadline, "the program was not stopped");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Where runs are kept.
    pub(crate) fn runs(&self) -> PathBuf {
        self.home.as_ref().unwrap().path().join("runs")
    }

    /// Closes the terminal's window, or drops the connection.
    pub(crate) fn hang_up(&mut self) {
        // The writer sends a line end when it is dropped, which would begin a run: the help takes it.
        self.send("?");
        self.wait_until("the help", |frame| frame.has("suspend"));
        self.line.hung_up.store(true, Ordering::SeqCst);
        // The reading thread has the terminal open too, until something more is written: a new size sees to that.
        self.resize(60, 10);
        *self.line.writer.lock().unwrap() = None;
        (self.slave, self.master) = (None, None);
        let (reader, deadline) = (self.reader.take().unwrap(), Instant::now() + PATIENCE);
        while !reader.is_finished() {
            assert!(Instant::now() < deadline, "nothing is written for a new size");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits for the program's end.
    pub(crate) fn end(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "the program does not end:\n{:?}", self.frame());
            thread::sleep(Duration::from_millis(10));
        };
        let modes_after = self.master.as_deref().map(|master| modes(master));
        self.slave = None;
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        let emulator = self.line.lock();
        Ended {
            code: status.signal().is_none().then(|| status.exit_code()),
            said: emulator.said(),
            raw: String::from_utf8_lossy(emulator.raw()).into_owned(),
            frame: Frame::new(emulator.frame()),
            modes: [Some(self.modes_before.clone()), modes_after],
            home: self.home.take().unwrap(),
        }
    }

    /// Presses `q`, once more where it is asked whether to leave, and waits for the end.
    pub(crate) fn quit(mut self) -> Ended {
        self.send("q");
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() && Instant::now() < deadline {
            if self.frame().has("leave?") {
                self.send("q");
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.end()
    }
}

impl Drop for Terminal {
    /// A test that failed leaves no program behind.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal("KILL");
            let _ = self.child.wait();
        }
    }
}

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: cols * CELL.0, pixel_height: rows * CELL.1 }
}

/// How the terminal treats what is typed and printed. A new one is in the modes that a shell leaves: lines are
/// edited and echoed.
fn modes(master: &dyn MasterPty) -> String {
    let modes = master.get_termios().expect("the modes of the terminal");
    format!("{:?} {:?} {:?}", modes.input_flags, modes.output_flags, modes.local_flags)
}
