//! Runs the real binary in a folder of its own, as a user would, and takes apart what it says.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use trepang::engine::Picture;

/// What a test run sets to try other instructions than the processor's best: in our kernels, and in libtorch's.
pub(crate) const INSTRUCTIONS: [&str; 3] = ["TREPANG_VECTORS", "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA"];

/// An empty folder that is the current one, the user's home and the place of all runs.
#[derive(Debug)]
pub(crate) struct Home(TempDir);

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The binary with arguments as they are typed; none of them holds a space.
    pub(crate) fn command(&self, line: &str) -> Command {
        self.wrapped(Command::new(env!("CARGO_BIN_EXE_trepang")), line)
    }

    /// The same for a program that starts the binary itself.
    pub(crate) fn wrapped(&self, mut command: Command, line: &str) -> Command {
        command.args(line.split_whitespace()).current_dir(self.0.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for (name, value) in INSTRUCTIONS.iter().filter_map(|name| Some((name, std::env::var_os(name)?))) {
            command.env(name, value);
        }
        command.env("HOME", self.0.path()).env("XDG_DATA_HOME", self.0.path());
        command.stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, line: &str) -> Outcome {
        self.command(line).output().expect("the binary was built").into()
    }

    /// Runs it to its end and reads what `--json` printed. It must end well and leave stderr empty.
    pub(crate) fn json(&self, line: &str) -> Vec<Value> {
        let Outcome { code, stdout, stderr } = self.run(line);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "trepang {line}");
        json_lines(&stdout)
    }

    /// The same for what version 0.1.0 made, which is told on stderr.
    pub(crate) fn json_of_0_1_0(&self, line: &str) -> Vec<Value> {
        let Outcome { code, stdout, stderr } = self.run(line);
        let (told, version) = ("trepang: trepang 0.1.0 made that, and this is", env!("CARGO_PKG_VERSION"));
        assert_eq!(
            (code, stderr),
            (Some(0), format!("{told} {version}: its bits may differ\n")),
            "trepang {line}"
        );
        json_lines(&stdout)
    }

    /// Starts it and does not wait.
    pub(crate) fn start(&self, line: &str) -> Running {
        let mut child = self
            .command(line)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built");
        let stdout = child.stdout.take().map(BufReader::new);
        Running { child, stdout }
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Outcome {
    /// The one sentence on stderr of a command that failed with `code`.
    pub(crate) fn refusal(&self, code: i32) -> &str {
        let sentence = self.stderr.strip_prefix("trepang: ").and_then(|text| text.strip_suffix('\n'));
        let sentence = sentence.unwrap_or_else(|| panic!("not a sentence of trepang's: {self:?}"));
        assert!(!sentence.contains('\n') && !sentence.contains("panicked"), "{self:?}");
        assert_eq!(self.code, Some(code), "{self:?}");
        sentence
    }
}

/// A process that has not ended; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
}

impl Running {
    /// Waits for a line on stdout.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().expect("stdout is open").read_line(&mut line).unwrap();
        line
    }

    /// Goes away, as `head` does.
    pub(crate) fn close_stdout(&mut self) {
        self.stdout = None;
    }

    /// Sends `INT`, `TERM`, ...
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }

    /// Whether it takes the signals that ask to stop already, where the system says so.
    pub(crate) fn takes_signals(&self) -> bool {
        const TERM: u32 = 15;
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        caught.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() >> (TERM - 1) & 1 == 1)
    }

    /// Waits for its end; `stdout` is what was not read before.
    pub(crate) fn finish(mut self) -> Outcome {
        let mut outcome = Outcome { code: None, stdout: String::new(), stderr: String::new() };
        if let Some(stdout) = &mut self.stdout {
            stdout.read_to_string(&mut outcome.stdout).unwrap();
        }
        self.child.stderr.take().expect("it is piped").read_to_string(&mut outcome.stderr).unwrap();
        outcome.code = self.child.wait().unwrap().code();
        outcome
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing to do about a process that has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Each line as a JSON value.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// The losses of the step events, which must be numbered from `first` on.
pub(crate) fn losses(events: &[Value], first: u64) -> Vec<f64> {
    let steps = events.iter().filter(|event| event["event"] == "step");
    (first..)
        .zip(steps)
        .map(|(step, event)| {
            assert_eq!(event["step"], step);
            event["loss"].as_f64().expect("a loss is a number")
        })
        .collect()
}

/// An RGB PNG without any text.
pub(crate) fn write_png(path: &Path, picture: &Picture) {
    let (width, height) = (picture.width as u32, picture.height as u32);
    image::save_buffer(path, &picture.rgb, width, height, image::ColorType::Rgb8).unwrap();
}
