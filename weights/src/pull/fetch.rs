//! A download from its first question to the file in its place: what to ask for, what to make of the answers, when
//! to try again. Not here: HTTP itself (`http`), the files (`part`).

use std::path::Path;
use std::time::Duration;

use super::digest::CHUNK;
use super::http::{Answer, Client, Silence};
use super::part::{Part, Record, stopped};
use super::{Digest, Error, Event, Fetched, Options, Progress, Remote, Result, Verified, address};

/// Retries until some server has answered once: without a network, more would only make the user wait.
const FIRST_CONTACT: u32 = 2;

/// Why the file is not there after a try.
#[derive(Debug)]
enum Failure {
    /// Something that may pass: ask again, after the wait the server wants or a growing one.
    Again { reason: String, wait: Option<Duration> },
    /// The part or the address was of no use; there is another way, to be taken at once. It comes at most once for
    /// an address and once for a part, so it need not be counted.
    Otherwise { reason: String },
    /// A whole answer, of wrong bytes. That is believed the second time.
    Wrong(Error),
    /// Not to be mended.
    Lasting(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Lasting(error)
    }
}

/// One download.
pub(super) struct Job<'a> {
    target: &'a Path,
    options: &'a Options,
    progress: &'a mut dyn Progress,
    client: Client,
    /// Where to ask; the first that has not said 404.
    addresses: Vec<String>,
    /// What the catalogue, else the hub, says of the file.
    size: Option<u64>,
    digest: Digest,
    part: Part,
    resumed: u64,
}

impl<'a> Job<'a> {
    /// Takes up what an earlier download left. Fails if an address is none, or if the files cannot be used.
    pub(super) fn new(
        remote: &Remote,
        target: &'a Path,
        options: &'a Options,
        progress: &'a mut dyn Progress,
    ) -> Result<Self> {
        let mut addresses = address::candidates(&remote.url, options.mirror.as_deref())?;
        let (size, digest) = (remote.size, remote.digest.clone());
        let mut part = Part::open(target, &digest)?;
        let ours = |record: &Record| {
            addresses.contains(&record.address) && size.is_none_or(|size| size == record.total)
        };
        part.take_up(ours, options, progress)?;
        if let Some(record) = part.record() {
            // Ask first where the part came from.
            addresses.sort_by_key(|address| *address != record.address);
        }
        let (client, resumed) = (Client::new(options), part.size());
        Ok(Self { target, options, progress, client, addresses, size, digest, part, resumed })
    }

    /// Tries until the file is there, or until there is no point in trying.
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
                Failure::Lasting(error) => return Err(error),
                Failure::Wrong(error) if wrong => return Err(error),
                Failure::Wrong(error) => {
                    wrong = true;
                    self.progress.event(Event::Restarting { reason: &error.to_string() });
                }
                Failure::Otherwise { reason } => {
                    self.progress.event(Event::Restarting { reason: &reason });
                }
                Failure::Again { reason, wait } => {
                    failed += 1;
                    self.wait(failed, &reason, wait)?;
                }
            }
        }
    }

    /// Waits for failure number `failed` in a row to pass; fails if that was one too many.
    fn wait(&mut self, failed: u32, reason: &str, asked: Option<Duration>) -> Result<()> {
        let retries = self.options.retries;
        if failed > if self.client.answered { retries } else { retries.min(FIRST_CONTACT) } {
            return Err(self.unreachable(failed, reason));
        }
        let wait = self.options.wait(failed, asked);
        self.progress.event(Event::Again { reason, wait });
        self.options.sleep(wait);
        Ok(())
    }

    /// Asks once, and takes what comes.
    fn attempt(&mut self) -> Result<Verified, Failure> {
        if self.options.stopped() {
            return Err(self.stopped().into());
        }
        let address = self.addresses[0].clone();
        let from = self.part.record().map(|record| (record, self.part.size()));
        self.progress.event(Event::Asking { address: &address, from: from.map_or(0, |(_, size)| size) });
        let resuming = from.is_some();
        let mut answer = self.client.get(&address, from).map_err(|silence| match silence {
            Silence::Passing(reason) => Failure::Again { reason, wait: None },
            Silence::Lasting(error) => Failure::Lasting(error),
        })?;
        self.learn(&answer);
        match answer.status {
            200 => self.begin(&address, &answer)?,
            206 if resuming => self.go_on(&answer)?,
            416 if resuming => {
                self.expect_nothing_more(&answer)?;
                return self.check();
            }
            _ => return Err(self.refused(&address, &answer)),
        }
        self.copy(&mut answer)?;
        self.check()
    }

    /// Believes the hub where the catalogue says nothing.
    fn learn(&mut self, answer: &Answer) {
        if matches!(self.digest, Digest::None)
            && let Some(sha256) = &answer.linked_sha256
        {
            self.digest = Digest::Sha256(sha256.clone());
        }
        self.size = self.size.or(answer.linked_size);
    }

    /// A whole file will follow: makes room for it, unless it is another one already by its size.
    fn begin(&mut self, address: &str, answer: &Answer) -> Result<(), Failure> {
        if let (Some(expected), Some(found)) = (self.size, answer.length)
            && expected != found
        {
            return Err(Failure::Wrong(Error::Size { what: address.into(), expected, found }));
        }
        let total = self.size.or(answer.length);
        if total.is_none() && matches!(self.digest, Digest::None) && !answer.framed {
            return Err(Error::Unverifiable { url: address.into() }.into());
        }
        let record = answer.validator().zip(total).map(|(validator, total)| Record {
            address: address.into(),
            validator: validator.clone(),
            total,
        });
        self.resumed = 0;
        Ok(self.part.restart(record)?)
    }

    /// The rest of the file will follow, if the server has understood what was asked and the file is the same.
    fn go_on(&mut self, answer: &Answer) -> Result<(), Failure> {
        let same = self.part.record().is_some_and(|record| {
            let (start, total) = answer.range;
            let tag = if record.validator.starts_with('"') { &answer.etag } else { &answer.modified };
            start == Some(self.part.size())
                && total == Some(record.total)
                && tag.as_ref().is_none_or(|tag| *tag == record.validator)
        });
        match same {
            true => Ok(()),
            false => self.start_over("the server answered with another part of the file, or of another file"),
        }
    }

    /// There is nothing after what is there, which is well if it is all of the file.
    fn expect_nothing_more(&mut self, answer: &Answer) -> Result<(), Failure> {
        let total = answer.range.1.or_else(|| self.part.record().map(|record| record.total));
        match total == Some(self.part.size()) {
            true => Ok(()),
            false => self.start_over("the server has no more of the file than was there already"),
        }
    }

    fn start_over(&mut self, reason: &str) -> Result<(), Failure> {
        self.part.restart(None)?;
        Err(Failure::Otherwise { reason: reason.into() })
    }

    /// An answer without the file.
    fn refused(&mut self, address: &str, answer: &Answer) -> Failure {
        let (url, status) = (address.to_owned(), answer.status);
        match status {
            408 | 425 | 429 | 500.. => {
                let reason = format!("the server answers {status}");
                Failure::Again { reason, wait: answer.retry_after }
            }
            404 | 410 if self.addresses.len() > 1 => {
                self.addresses.remove(0);
                Failure::Otherwise { reason: format!("{url} is not there") }
            }
            404 | 410 => Error::NotFound { url, status }.into(),
            _ => Error::Refused { url, status }.into(),
        }
    }

    /// Puts the body into the part.
    fn copy(&mut self, answer: &mut Answer) -> Result<(), Failure> {
        let total = self.size.or_else(|| self.part.record().map(|record| record.total)).or(answer.length);
        let mut chunk = vec![0; CHUNK];
        loop {
            if self.options.stopped() {
                return Err(self.stopped().into());
            }
            let count = answer.read(&mut chunk).map_err(|reason| Failure::Again { reason, wait: None })?;
            let done = self.part.size() + count as u64;
            if let Some(expected) = total.filter(|total| done > *total) {
                self.part.restart(None)?;
                let what = self.addresses[0].clone();
                return Err(Failure::Wrong(Error::Size { what, expected, found: done }));
            }
            if count == 0 {
                break;
            }
            self.part.write(&chunk[..count])?;
            self.progress.event(Event::Received { done, total });
        }
        // Where only the end of the connection told of the end of the body, it may have been cut; and a server may
        // give less than all of the rest at a time.
        let may_go_on = !answer.framed || answer.status == 206;
        match total.is_some_and(|total| self.part.size() < total) && may_go_on {
            true => Err(Failure::Again { reason: "the connection ended early".into(), wait: None }),
            false => Ok(()),
        }
    }

    /// Is what came what was meant? If not, the part is emptied.
    fn check(&mut self) -> Result<Verified, Failure> {
        let verified = self.part.verified();
        match verified.check(&self.addresses[0], self.size, &self.digest) {
            Ok(()) => Ok(verified),
            Err(error) => {
                self.part.restart(None)?;
                Err(Failure::Wrong(error))
            }
        }
    }

    fn finish(self, verified: Verified) -> Result<Fetched> {
        self.part.finish()?;
        let source = self.addresses.into_iter().next().unwrap_or_default();
        Ok(Fetched { path: self.target.into(), source, resumed: self.resumed, verified })
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
        Error::Unreachable { url: self.addresses[0].clone(), reason: reason.into(), tries, hint }
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
