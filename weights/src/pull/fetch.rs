//! A download from the first request to the finished file: it decides what to request, how to treat each response and when
//! to retry. HTTP itself is in `http`, and the files are in `part`.

use std::path::Path;
use std::time::Duration;

use super::address::masked;
use super::digest::CHUNK_BYTES;
use super::http::{Client, HttpFailure, HttpResponse};
use super::part::{PartFile, PartRecord, stopped};
use super::{Digest, Error, Event, Fetched, PullOptions, PullProgress, Remote, Result, Verified, address};

/// The number of retries before any server has answered. Without a network, more would only make the user wait.
const RETRIES_BEFORE_FIRST_ANSWER: u32 = 2;

/// The reason why an attempt did not give the file.
#[derive(Debug)]
enum AttemptFailure {
    /// A temporary failure: retry, after the wait that the server asks for or after a growing one.
    Retry { reason: String, wait: Option<Duration> },
    /// The received bytes or the address were not usable; try at once in another way. This happens at most once for each
    /// address and once for the received bytes, so it is not counted.
    TryAnotherWay { reason: String },
    /// The response was complete and had the wrong bytes. The second time, this is the final error.
    Wrong(Error),
    /// A failure that a retry cannot change.
    Permanent(Error),
}

impl From<Error> for AttemptFailure {
    fn from(error: Error) -> Self {
        Self::Permanent(error)
    }
}

/// One download: the target, the client and the state between attempts.
pub(super) struct Download<'a> {
    target: &'a Path,
    options: &'a PullOptions,
    progress: &'a mut dyn PullProgress,
    client: Client,
    /// The addresses to try in order, without those that answered 404.
    addresses: Vec<String>,
    /// The size of the file in bytes, from the catalog or else from the hub.
    size: Option<u64>,
    /// The most bytes that are taken, whatever the server says.
    most: u64,
    digest: Digest,
    part: PartFile,
    resumed: u64,
}

impl<'a> Download<'a> {
    /// Prepares the download and reads what an earlier one left. Fails if an address is not valid, or if the files
    /// beside the target cannot be read or written.
    pub(super) fn new(
        remote: &Remote,
        target: &'a Path,
        options: &'a PullOptions,
        progress: &'a mut dyn PullProgress,
    ) -> Result<Self> {
        let mut addresses = address::candidates(&remote.url, options.mirror.as_deref())?;
        let (size, digest) = (remote.size, remote.digest.clone());
        let mut part = PartFile::open(target, &digest)?;
        let ours = |record: &PartRecord| {
            addresses.iter().any(|address| masked(address) == record.address)
                && size.is_none_or(|size| size == record.total)
        };
        part.take_up(ours, options, progress)?;
        if let Some(record) = part.record() {
            // The address that sent the received bytes is tried first.
            addresses.sort_by_key(|address| masked(address) != record.address);
        }
        let (client, resumed) = (Client::new(options), part.size());
        let most = size.unwrap_or(remote.most);
        Ok(Self { target, options, progress, client, addresses, size, most, digest, part, resumed })
    }

    /// Makes attempts until the file is there, or until a failure is final.
    pub(super) fn run(mut self) -> Result<Fetched> {
        let (mut failed, mut most, mut wrong) = (0, self.part.size(), false);
        loop {
            let failure = match self.attempt() {
                Ok(verified) => return self.finish(verified),
                Err(_) if self.options.stopped() => return Err(self.stopped()),
                Err(failure) => failure,
            };
            if self.part.size() > most {
                (failed, most) = (0, self.part.size());
            }
            match failure {
                AttemptFailure::Permanent(error) => return Err(error),
                AttemptFailure::Wrong(error) if wrong => return Err(error),
                AttemptFailure::Wrong(error) => {
                    wrong = true;
                    self.progress.event(Event::Restarting { reason: &error.to_string() });
                }
                AttemptFailure::TryAnotherWay { reason } => {
                    self.progress.event(Event::Restarting { reason: &reason });
                }
                AttemptFailure::Retry { reason, wait } => {
                    failed += 1;
                    self.wait(failed, &reason, wait)?;
                }
            }
        }
    }

    /// Waits after failure number `failed` in a row. Fails if no retry is left.
    fn wait(&mut self, failed: u32, reason: &str, asked: Option<Duration>) -> Result<()> {
        let retries = self.options.retries;
        if failed > if self.client.answered { retries } else { retries.min(RETRIES_BEFORE_FIRST_ANSWER) } {
            return Err(self.unreachable(failed, reason));
        }
        let wait = self.options.wait(failed, asked);
        self.progress.event(Event::Again { reason, wait });
        self.options.sleep(wait);
        Ok(())
    }

    /// Sends one request and receives the response.
    fn attempt(&mut self) -> Result<Verified, AttemptFailure> {
        if self.options.stopped() {
            return Err(self.stopped().into());
        }
        let (address, shown) = (self.addresses[0].clone(), self.shown_address());
        let from = self.part.record().map(|record| (record, self.part.size()));
        self.progress.event(Event::Asking { address: &shown, from: from.map_or(0, |(_, size)| size) });
        let resuming = from.is_some();
        let mut answer = self.client.get(&address, from).map_err(|silence| match silence {
            HttpFailure::Temporary(reason) => AttemptFailure::Retry { reason, wait: None },
            HttpFailure::Permanent(error) => AttemptFailure::Permanent(error),
        })?;
        self.adopt_published(&answer);
        match answer.status {
            200 => self.start_file(&shown, &answer)?,
            206 if resuming => self.continue_file(&answer)?,
            416 if resuming => {
                self.expect_nothing_more(&answer)?;
                return self.check();
            }
            _ => return Err(self.refused(&shown, &answer)),
        }
        self.copy(&mut answer)?;
        self.check()
    }

    /// Adopts the size and the hash that the hub sends, where the catalog has none.
    fn adopt_published(&mut self, answer: &HttpResponse) {
        if matches!(self.digest, Digest::None)
            && let Some(sha256) = &answer.linked_sha256
        {
            self.digest = Digest::Sha256(sha256.clone());
        }
        self.size = self.size.or(answer.linked_size);
    }

    /// Empties the part for a response with the whole file. Fails if the response already has the wrong size.
    fn start_file(&mut self, address: &str, answer: &HttpResponse) -> Result<(), AttemptFailure> {
        if let (Some(expected), Some(found)) = (self.size, answer.length)
            && expected != found
        {
            return Err(AttemptFailure::Wrong(Error::Size { what: address.into(), expected, found }));
        }
        let total = self.size.or(answer.length);
        if let Some(length) = total.filter(|total| *total > self.most) {
            return Err(self.endless(length).into());
        }
        if total.is_none() && matches!(self.digest, Digest::None) && !answer.framed {
            return Err(Error::Unverifiable { url: address.into() }.into());
        }
        let record = answer.validator().zip(total).map(|(validator, total)| PartRecord {
            address: address.into(),
            validator: validator.clone(),
            total,
        });
        self.resumed = 0;
        Ok(self.part.restart(record)?)
    }

    /// Checks that a partial response (206) continues the received bytes of the same file.
    fn continue_file(&mut self, answer: &HttpResponse) -> Result<(), AttemptFailure> {
        let same = self.part.record().is_some_and(|record| {
            let (start, total) = answer.range;
            let tag = if record.validator.starts_with('"') { &answer.etag } else { &answer.modified };
            start == Some(self.part.size())
                && total == Some(record.total)
                && tag.as_ref().is_none_or(|tag| *tag == record.validator)
        });
        if same {
            Ok(())
        } else {
            self.start_over("the server answered with another part of the file, or of another file")
        }
    }

    /// Checks, after the response that no bytes follow (416), that the received bytes are the whole file.
    fn expect_nothing_more(&mut self, answer: &HttpResponse) -> Result<(), AttemptFailure> {
        let total = answer.range.1.or_else(|| self.part.record().map(|record| record.total));
        if total == Some(self.part.size()) {
            Ok(())
        } else {
            self.start_over("the server has no more of the file than was there already")
        }
    }

    fn start_over(&mut self, reason: &str) -> Result<(), AttemptFailure> {
        self.part.restart(None)?;
        Err(AttemptFailure::TryAnotherWay { reason: reason.into() })
    }

    /// The failure for a response that does not carry the file.
    fn refused(&mut self, address: &str, answer: &HttpResponse) -> AttemptFailure {
        let (url, status) = (address.to_owned(), answer.status);
        match status {
            408 | 425 | 429 | 500.. => {
                let reason = format!("the server answers {status}");
                AttemptFailure::Retry { reason, wait: answer.retry_after }
            }
            404 | 410 if self.addresses.len() > 1 => {
                self.addresses.remove(0);
                AttemptFailure::TryAnotherWay { reason: format!("{url} is not there") }
            }
            404 | 410 => Error::NotFound { url, status }.into(),
            _ => Error::Refused { url, status }.into(),
        }
    }

    /// Writes the body of the response into the part.
    fn copy(&mut self, answer: &mut HttpResponse) -> Result<(), AttemptFailure> {
        let total = self.size.or_else(|| self.part.record().map(|record| record.total)).or(answer.length);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            if self.options.stopped() {
                return Err(self.stopped().into());
            }
            let count =
                answer.read(&mut chunk).map_err(|reason| AttemptFailure::Retry { reason, wait: None })?;
            let done = self.part.size() + count as u64;
            if let Some(expected) = total.filter(|total| done > *total) {
                self.part.restart(None)?;
                let what = self.shown_address();
                return Err(AttemptFailure::Wrong(Error::Size { what, expected, found: done }));
            }
            if done > self.most {
                self.part.restart(None)?;
                return Err(self.endless(done).into());
            }
            if count == 0 {
                break;
            }
            self.part.write(&chunk[..count])?;
            self.progress.event(Event::Received { done, total });
        }
        // If only the end of the connection marks the end of the body, the body may be incomplete; and a server may send
        // less than the rest at a time.
        let may_go_on = !answer.framed || answer.status == 206;
        if total.is_some_and(|total| self.part.size() < total) && may_go_on {
            Err(AttemptFailure::Retry { reason: "the connection ended early".into(), wait: None })
        } else {
            Ok(())
        }
    }

    /// Verifies the received file. Empties the part if it is not the expected one.
    fn check(&mut self) -> Result<Verified, AttemptFailure> {
        let verified = self.part.verified();
        match verified.check(&self.shown_address(), self.size, &self.digest) {
            Ok(()) => Ok(verified),
            Err(error) => {
                self.part.restart(None)?;
                Err(AttemptFailure::Wrong(error))
            }
        }
    }

    fn finish(self, verified: Verified) -> Result<Fetched> {
        let source = self.shown_address();
        self.part.finish()?;
        Ok(Fetched { path: self.target.into(), source, resumed: self.resumed, verified })
    }

    /// The address that is asked now, as it may be shown.
    fn shown_address(&self) -> String {
        self.addresses.first().map_or_else(String::new, |address| masked(address))
    }

    fn endless(&self, found: u64) -> Error {
        Error::TooLong { url: self.shown_address(), found, most: self.most }
    }

    fn unreachable(&self, tries: u32, reason: &str) -> Error {
        let hint = match self.part.record() {
            Some(_) => format!(
                "the {} bytes that have come are kept in {}, and the same command goes on from there",
                self.part.size(),
                self.part.path().display()
            ),
            None => "check the network, or fetch the file by hand and import it with --from FILE".into(),
        };
        Error::Unreachable { url: self.shown_address(), reason: reason.into(), tries, hint }
    }

    fn stopped(&self) -> Error {
        match self.part.record() {
            Some(record) => stopped(self.part.size(), Some(record.total), self.part.path()),
            None => Error::Stopped {
                done: self.part.size(),
                total: self.size,
                hint: "the server does not let a download be gone on with, so the same command starts anew"
                    .into(),
            },
        }
    }
}
