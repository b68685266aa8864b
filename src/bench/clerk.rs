//! The process that asks: it starts a worker and waits for what it answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Error, Result, anyhow, bail};

use super::worker::{Answer, Ask};
use super::{Agreed, Work};
use crate::config::Usage;

/// One worker. It ends when this is dropped.
#[derive(Debug)]
pub struct Clerk {
    /// The backend's name.
    pub backend: String,
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    /// What it does.
    pub agreed: Agreed,
}

impl Clerk {
    /// Starts a worker, this same program, and waits until it is ready.
    pub fn start(backend: &str, work: &Work) -> Result<Self> {
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let mut child = Command::new(program)
            .args(["bench", "--worker", &serde_json::to_string(work)?, "--backend", backend])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start a second process to measure in")?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("the process to measure in has no pipes");
        };
        let agreed = Agreed { layer: String::new(), size: 0, layers: Vec::new() };
        let mut clerk =
            Self { backend: backend.into(), child, to: Some(to), from: BufReader::new(from), agreed };
        match clerk.answer()? {
            Answer::Ready(agreed) => clerk.agreed = agreed,
            other => bail!("{backend} began with {other:?}"),
        }
        Ok(clerk)
    }

    /// Seconds a step, the mean of `count`.
    pub fn steps(&mut self, layer: &str, count: usize) -> Result<f64> {
        match self.ask(&Ask::Steps { layer: layer.into(), count })? {
            Answer::Seconds(seconds) => Ok(seconds),
            other => bail!("{} answered {other:?}", self.backend),
        }
    }

    /// The most memory it has had so far, in 1e6 bytes.
    pub fn memory(&mut self) -> Result<Option<f64>> {
        match self.ask(&Ask::Memory)? {
            Answer::Memory(megabytes) => Ok(megabytes),
            other => bail!("{} answered {other:?}", self.backend),
        }
    }

    fn ask(&mut self, ask: &Ask) -> Result<Answer> {
        if let Some(to) = &mut self.to {
            // A worker that is gone is told of below, in its own words.
            let _ = writeln!(to, "{}", serde_json::to_string(ask)?);
        }
        self.answer()
    }

    fn answer(&mut self) -> Result<Answer> {
        let mut line = String::new();
        match self.from.read_line(&mut line) {
            Ok(read) if read > 0 => Ok(serde_json::from_str(&line)?),
            _ => Err(self.gone()),
        }
    }

    /// Why it went: its own sentence, the last on its stderr, and whether that was for what was asked.
    fn gone(&mut self) -> Error {
        self.to = None;
        let mut said = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            let _ = stderr.read_to_string(&mut said);
        }
        let sentence = said.lines().last().map(|line| line.trim_start_matches("trepang: "));
        let sentence = sentence.unwrap_or("its process ended without a word");
        match self.child.wait().ok().and_then(|status| status.code()) {
            Some(2) => Usage(sentence.into()).into(),
            _ => anyhow!("{} could not be measured: {sentence}", self.backend),
        }
    }
}

impl Drop for Clerk {
    fn drop(&mut self) {
        self.to = None;
        let _ = self.child.wait();
    }
}
