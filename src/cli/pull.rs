//! `trepang pull`: gets weights and reports the progress: a bar on stderr if that is a terminal, notes on stderr, and
//! the result on stdout. The weights crate does the download.

use std::io::{self, IsTerminal};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Error, Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use trepang_weights::cache::{Environment, SizeCheck};
use trepang_weights::pull::{Event, PullOptions, PullProgress};
use trepang_weights::{
    PullOutcome, PullRequest, SETS, Set, Watcher, address, cached_copies, find_set, obtain,
};

use super::output;
use super::signals::note_signals;
use crate::config::args::PullArgs;
use crate::config::{Usage, store};

/// A set in the list, for `--json`.
#[derive(Serialize)]
struct SetListing {
    name: &'static str,
    network: &'static str,
    version: &'static str,
    classifier: bool,
    megabytes: u32,
    licence: &'static str,
    /// The published hash that the file is checked against; null where the host tells it.
    hash: Option<&'static str>,
    source: String,
    /// Whether the set has been pulled.
    pulled: bool,
    /// The path of a copy in another program's cache.
    found: Option<String>,
}

/// The result for one set, for `--json`.
#[derive(Serialize)]
struct Pulled {
    name: &'static str,
    /// The way in which the set was obtained: `already`, `imported`, `found` or `fetched`.
    how: &'static str,
    path: String,
    source: Option<String>,
    sha256: Option<String>,
}

pub(super) fn run(args: &PullArgs) -> Result<()> {
    let environment = Environment::of_process();
    if args.list {
        return list(args, &environment);
    }
    let sets = sets(args)?;
    let words = || "interrupted; what was received is kept, and the same command goes on".into();
    let stop = note_signals(Box::new(words));
    let options = PullOptions { mirror: args.mirror.clone(), stop, ..PullOptions::default() };
    let request = PullRequest { from: args.from.as_deref(), offline: args.offline, verify: args.verify };
    let mut failed = Vec::new();
    for set in sets {
        let mut watcher = PullReporter::new(set.name, args.json);
        let outcome = obtain(set, &request, (&store(), &environment), &options, &mut watcher);
        watcher.bar.finish_and_clear();
        match outcome {
            Ok(outcome) => report(set, &outcome, args)?,
            // The other sets are still pulled, unless the user has requested a stop.
            Err(error) => failed.push(Error::from(error).context(format!("{} was not pulled", set.name))),
        }
        if options.stop.load(Ordering::Relaxed) != 0 {
            break;
        }
    }
    sum_up(failed)
}

/// One error for all sets that were not pulled.
fn sum_up(mut failed: Vec<Error>) -> Result<()> {
    match failed.len() {
        0 => Ok(()),
        1 => Err(failed.swap_remove(0)),
        _ => {
            let all: Vec<String> = failed.iter().map(|error| format!("{error:#}")).collect();
            bail!("{}", all.join("; "))
        }
    }
}

/// The sets that the user names; with `--verify` alone, all that have been pulled.
fn sets(args: &PullArgs) -> Result<Vec<&'static Set>> {
    if args.from.is_some() && args.names.len() != 1 {
        return Err(Usage("--from FILE imports one set of weights: name exactly one".into()).into());
    }
    if args.names.is_empty() {
        return Ok(SETS.iter().filter(|set| store().has(set)).collect());
    }
    Ok(args.names.iter().map(|name| find_set(name)).collect::<Result<_, _>>()?)
}

fn list(args: &PullArgs, environment: &Environment) -> Result<()> {
    let listed = |set: &Set| SetListing {
        name: set.name,
        network: set.architecture.name(),
        version: set.dialect.name(),
        classifier: set.classifier,
        megabytes: set.megabytes,
        licence: set.licence,
        hash: Some(set.hash).filter(|hash| !hash.is_empty()),
        source: address(set, environment),
        pulled: store().has(set),
        found: cached_copies(set, environment)
            .into_iter()
            .find(|found| found.size_check == SizeCheck::Candidate)
            .map(|found| found.path.display().to_string()),
    };
    let listed: Vec<SetListing> = SETS.iter().map(listed).collect();
    if args.json {
        return output::json(&listed);
    }
    for SetListing { name, megabytes, classifier, licence, hash, pulled, found, .. } in &listed {
        let what = if *classifier { "with classifier" } else { "features only" };
        let place = match found {
            _ if *pulled => "pulled",
            Some(_) => "in a cache",
            None => "",
        };
        let told = if hash.is_some() { "" } else { "; no published hash: the host's own is checked" };
        output::line(format_args!("{name:<26} {megabytes:>4} MB  {what:<15}  {place:<10}  {licence}{told}"))?;
    }
    Ok(())
}

fn report(set: &'static Set, outcome: &PullOutcome, args: &PullArgs) -> Result<()> {
    let path = store().path(set);
    let (word, sentence) = match outcome {
        PullOutcome::AlreadyHere if args.verify => ("already", "is not damaged".into()),
        PullOutcome::AlreadyHere => ("already", "has been pulled already".into()),
        PullOutcome::Imported => ("imported", "was imported".into()),
        PullOutcome::FoundInCache(file) => ("found", format!("was imported from {}", file.display())),
        PullOutcome::Fetched => ("fetched", "was downloaded".into()),
    };
    if !args.json {
        return output::line(format_args!("{} {sentence}: {}", set.name, path.display()));
    }
    let (source, _) = store().open(set)?;
    let about = |key: &str| source.metadata().get(key).cloned();
    output::json(&Pulled {
        name: set.name,
        how: word,
        path: path.display().to_string(),
        source: about("source"),
        sha256: about("source_sha256"),
    })
}

/// Reports the progress of one set on stderr.
struct PullReporter {
    name: &'static str,
    bar: ProgressBar,
    /// Whether the note about a resumed download is left out.
    quiet: bool,
}

impl PullReporter {
    fn new(name: &'static str, json: bool) -> Self {
        let hidden = !io::stderr().is_terminal() || (json && io::stdout().is_terminal());
        let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        let reporter = Self { name, bar, quiet: json };
        reporter.show("{msg} {spinner}", "looking for", 0, None);
        reporter.bar.enable_steady_tick(Duration::from_millis(200));
        reporter
    }

    fn bytes(&self, verb: &str, done: u64, total: Option<u64>) {
        let template = match total {
            Some(_) => "{msg} {bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
            None => "{msg} {spinner} {bytes}, {bytes_per_sec}",
        };
        self.show(template, verb, done, total);
    }

    fn show(&self, template: &str, verb: &str, done: u64, total: Option<u64>) {
        let message = format!("{verb} {}", self.name);
        if self.bar.message() != message || self.bar.length() != total {
            self.bar.set_position(0);
            let style = ProgressStyle::with_template(template);
            self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            self.bar.set_message(message);
            total.map_or_else(|| self.bar.unset_length(), |total| self.bar.set_length(total));
            self.bar.reset_eta();
        }
        self.bar.set_position(done);
    }

    fn print_note(&self, text: &str) {
        self.bar.suspend(|| {
            // If the terminal has gone, the download continues.
            output::remark(format_args!("{}: {text}", self.name));
        });
    }
}

impl PullProgress for PullReporter {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Checking { done, total } => self.bytes("checking", done, Some(total)),
            Event::Received { done, total } => self.bytes("downloading", done, total),
            Event::Asking { from, .. } => {
                self.show("{msg} {spinner}", "requesting", from, None);
                if from > 0 && !self.quiet {
                    self.print_note(&format!("resuming after {from} bytes"));
                }
            }
            Event::Again { reason, wait } => {
                self.print_note(&format!("{reason}; retrying in {:.0} s", wait.as_secs_f64()));
            }
            Event::Restarting { reason } => {
                self.print_note(&format!("{reason}; downloading it from the start"));
            }
            Event::Waiting { holder } => {
                self.show("{msg} {spinner}", "waiting for another pull of", 0, None);
                self.print_note(&format!("waiting for another pull of it, by {holder}"));
            }
            Event::Running { .. } => self.show("{msg} {spinner}", "running pip for", 0, None),
            _ => {}
        }
    }
}

impl Watcher for PullReporter {
    fn note(&mut self, text: &str) {
        self.print_note(text);
    }

    fn converting(&mut self, done: usize, total: usize) {
        self.show("{msg} {bar:30} {pos}/{len} layers", "converting", done as u64, Some(total as u64));
    }
}
