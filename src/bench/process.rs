//! Starts a worker process, sends it requests and waits for the replies.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Error, Result, anyhow, bail};

use super::whole::WholeStep;
use super::worker::{BenchReply, BenchRequest};
use super::{ResolvedWorkload, Workload};
use crate::config::Usage;

/// A worker process that measures one backend. It ends when this value is dropped.
#[derive(Debug)]
pub struct BenchProcess {
    /// The name of the backend that it measures.
    pub backend: String,
    /// The arithmetic of that backend's sums of products.
    pub precision: String,
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    /// The work as the worker resolved it.
    pub resolved: ResolvedWorkload,
}

impl BenchProcess {
    /// Starts this program as a worker and waits until it is ready. Fails if the worker does not start or reports an error.
    pub fn start(backend: &str, workload: &Workload) -> Result<Self> {
        let program = std::env::current_exe().context("cannot find the file of this program")?;
        let mut child = Command::new(program)
            .args(["bench", "--worker", &serde_json::to_string(workload)?, "--backend", backend])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the process that measures")?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("the process that measures has no pipes");
        };
        let from = BufReader::new(from);
        let resolved = ResolvedWorkload { layer: String::new(), size: 0.into(), layers: Vec::new() };
        let mut process =
            Self { backend: backend.into(), precision: String::new(), child, to: Some(to), from, resolved };
        match process.read_reply()? {
            BenchReply::Ready { resolved, precision } => {
                (process.resolved, process.precision) = (resolved, precision);
            }
            other => bail!("{backend} sent {other:?} instead of being ready"),
        }
        Ok(process)
    }

    /// Runs `count` steps up to `layer` and returns the mean seconds a step.
    pub fn steps(&mut self, layer: &str, count: usize) -> Result<f64> {
        match self.send(&BenchRequest::Steps { layer: layer.into(), count })? {
            BenchReply::Seconds(seconds) => Ok(seconds),
            other => bail!("{} answered {other:?}", self.backend),
        }
    }

    /// Takes `count` whole steps of ascents up to `layer`, and returns their mean. Every call goes on with the same ascents.
    pub fn whole_steps(&mut self, layer: &str, count: usize) -> Result<WholeStep> {
        match self.send(&BenchRequest::Whole { layer: layer.into(), count })? {
            BenchReply::Whole(step) => Ok(step),
            other => bail!("{} answered {other:?}", self.backend),
        }
    }

    /// The peak memory of the worker so far in MB (1e6 bytes), if its system reports it.
    pub fn memory(&mut self) -> Result<Option<f64>> {
        match self.send(&BenchRequest::Memory)? {
            BenchReply::Memory(megabytes) => Ok(megabytes),
            other => bail!("{} answered {other:?}", self.backend),
        }
    }

    fn send(&mut self, request: &BenchRequest) -> Result<BenchReply> {
        if let Some(to) = &mut self.to {
            // If the worker has ended, reading its reply below reports the reason.
            let _ = writeln!(to, "{}", serde_json::to_string(request)?);
        }
        self.read_reply()
    }

    fn read_reply(&mut self) -> Result<BenchReply> {
        let mut line = String::new();
        match self.from.read_line(&mut line) {
            Ok(read) if read > 0 => Ok(serde_json::from_str(&line)?),
            _ => Err(self.exit_error()),
        }
    }

    /// The error of a worker that has ended: the last line of its stderr. Exit code 2 becomes a usage error.
    fn exit_error(&mut self) -> Error {
        self.to = None;
        let mut stderr_text = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            let _ = stderr.read_to_string(&mut stderr_text);
        }
        let sentence = stderr_text.lines().last().map(|line| line.trim_start_matches("trepang: "));
        let sentence = sentence.unwrap_or("its process ended without an error message");
        match self.child.wait().ok().and_then(|status| status.code()) {
            Some(2) => Usage(sentence.into()).into(),
            _ => anyhow!("{} could not be measured: {sentence}", self.backend),
        }
    }
}

impl Drop for BenchProcess {
    fn drop(&mut self) {
        self.to = None;
        let _ = self.child.wait();
    }
}
