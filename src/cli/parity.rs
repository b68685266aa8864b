//! `trepang parity`: the conformance suite and whole networks, as a user runs them on a server.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use indicatif::ProgressBar;
use serde::Serialize;
use trepang_api::Backend;
use trepang_weights::Architecture;

use super::output;
use crate::backends::{BACKENDS, Entry};
use crate::config::args::ParityArgs;
use crate::config::{find_entry, thread_count};
use crate::parity::{CHEAPEST, Comparison, Place, Row, Subject, operations};

/// What `--json` prints.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// Backends that were compiled in and cannot be used here, and why.
    unusable: Vec<String>,
    operations: Vec<Row>,
    networks: Vec<Compared>,
    passes: bool,
}

/// The rows of one network.
#[derive(Debug, Serialize)]
struct Compared {
    network: String,
    /// Backends and devices that take too long for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
    rows: Vec<Row>,
}

pub(super) fn run(args: &ParityArgs) -> Result<()> {
    let threads = thread_count(args.threads);
    let subjects = match &args.network {
        Some(name) => vec![Subject::named(name, args.weights.as_deref())?],
        None => Subject::all()?,
    };
    let desk = Desk { json: args.json, threads, waiting: spinner() };
    let mut report = Report::default();
    let places = desk.places(&mut report)?;
    for place in &places {
        report.operations.extend(desk.operations(place)?);
    }
    for subject in &subjects {
        report.networks.push(desk.network(subject, &places)?);
    }
    desk.waiting.finish_and_clear();
    conclude(report, args.json)
}

/// The verdict: an error, if anything is out.
fn conclude(mut report: Report, json: bool) -> Result<()> {
    let rows = || report.operations.iter().chain(report.networks.iter().flat_map(|network| &network.rows));
    let (out, all) = (rows().filter(|row| !row.passes).count(), rows().count());
    report.passes = out == 0 && report.unusable.is_empty();
    if json {
        output::json(&report)?;
    }
    match (out, report.unusable.as_slice()) {
        (0, []) if json => Ok(()),
        (0, []) => output::line(format_args!("\nall {all} differences are within their tolerances")),
        (0, unusable) => bail!("not every backend of this build was compared: {}", unusable.join("; ")),
        _ => bail!("{out} of {all} differences are larger than their tolerances"),
    }
}

/// On stderr, if that is a terminal.
pub(super) fn spinner() -> ProgressBar {
    if io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() }
}

/// Where the work is reported.
struct Desk {
    json: bool,
    threads: usize,
    waiting: ProgressBar,
}

impl Desk {
    /// Every device of every backend.
    fn places(&self, report: &mut Report) -> Result<Vec<Place>> {
        let mut places = Vec::new();
        for entry in BACKENDS {
            match open(entry, self.threads) {
                Ok(found) => places.extend(found),
                Err(error) => {
                    self.line(format!("{error:#}"))?;
                    report.unusable.push(format!("{error:#}"));
                }
            }
        }
        Ok(places)
    }

    fn operations(&self, place: &Place) -> Result<Vec<Row>> {
        self.line(format!("{place}: every operation, on tiny networks"))?;
        let mut rows = Vec::new();
        for row in operations(place) {
            self.row(&row)?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// Runs a network everywhere, and compares.
    fn network(&self, subject: &Subject, places: &[Place]) -> Result<Compared> {
        self.line(format!("\n{}", subject.title))?;
        let trained = subject.load()?;
        let mut comparison = Comparison::new(&trained);
        let mut rows = Vec::new();
        let covering = || places.iter().filter(|place| place.covers(subject));
        let left_out = |place: &&Place| !place.is_reference() && !place.covers(subject);
        let left_out: Vec<String> = places.iter().filter(left_out).map(ToString::to_string).collect();
        if !left_out.is_empty() {
            let cheapest = CHEAPEST.map(Architecture::name).join(" and ");
            self.line(format!(
                "left out, because it is slow: {}; {cheapest} run there",
                left_out.join(", ")
            ))?;
        }
        for place in covering() {
            self.wait_for(&format!("{} on {place}", trained.name));
            rows.extend(self.told(comparison.add(place))?);
        }
        for place in covering().filter(|place| place.is_on_host() && self.threads > 1) {
            self.wait_for(&format!("{} on {place} with 1 thread", trained.name));
            rows.extend(self.told(comparison.add_twin(place, &alone(place)?, "with 1 thread"))?);
        }
        Ok(Compared { network: subject.title.clone(), left_out, rows })
    }

    fn wait_for(&self, what: &str) {
        self.waiting.set_message(what.to_owned());
        self.waiting.enable_steady_tick(Duration::from_millis(100));
    }

    fn told(&self, rows: Vec<Row>) -> Result<Vec<Row>> {
        rows.iter().try_for_each(|row| self.row(row))?;
        Ok(rows)
    }

    fn row(&self, row: &Row) -> Result<()> {
        let verdict = if row.passes { " " } else { "!" };
        let measured = row.worst.map_or("-".into(), |worst| format!("{worst:.1e}"));
        let allowed = row.tolerance.map_or(String::new(), |allowed| format!("of {allowed:.1e}"));
        let place = row.at.as_ref().map_or(String::new(), |at| format!("({at}) "));
        let about = row.failure.as_ref().unwrap_or(&row.reason);
        let Row { who, what, .. } = row;
        self.line(format!("{verdict} {who:<32} {what:<38} {measured:>8} {allowed:<10} {place}{about}"))
    }

    fn line(&self, text: String) -> Result<()> {
        if self.json {
            return Ok(());
        }
        self.waiting.suspend(|| output::line(text))
    }
}

/// The same place with one thread.
fn alone(place: &Place) -> Result<Place> {
    let backend = find_entry(place.backend.name())?.open(1)?.into();
    Ok(Place { backend, device: place.device.clone() })
}

fn open(entry: &Entry, threads: usize) -> Result<Vec<Place>> {
    let backend: Arc<dyn Backend> = entry.open(threads)?.into();
    let devices = backend.devices().into_iter();
    Ok(devices.map(|device| Place { backend: Arc::clone(&backend), device }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_out_of_tolerance_is_an_error() {
        let row = |passes| {
            let failed = Row::failed("here", "something", &anyhow::anyhow!("it broke"));
            Row { passes, ..failed }
        };
        let report = |operations, rows| Report {
            operations,
            networks: vec![Compared { network: "tiny".into(), left_out: Vec::new(), rows }],
            ..Report::default()
        };
        assert!(conclude(report(vec![row(true)], vec![row(true)]), true).is_ok());
        for out in [report(vec![row(false)], vec![row(true)]), report(vec![row(true)], vec![row(false)])] {
            let error = conclude(out, true).unwrap_err().to_string();
            assert_eq!(error, "1 of 2 differences are larger than their tolerances");
        }
        let alone = Report { unusable: vec!["no libtorch".into()], ..report(vec![row(true)], vec![]) };
        let error = conclude(alone, true).unwrap_err().to_string();
        assert_eq!(error, "not every backend of this build was compared: no libtorch");
    }
}
