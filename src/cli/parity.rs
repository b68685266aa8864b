//! `trepang parity`: runs the conformance suite and compares whole networks on every backend and device of this machine.

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
use crate::config::args::{ComputeArgs, ParityArgs};
use crate::config::{MeasuredNetwork, find_entry, thread_count};
use crate::parity::{BackendOnDevice, CHEAPEST, Comparison, Row, operations};

/// The object that `--json` prints.
#[derive(Debug, Default, Serialize)]
struct ParityReport {
    /// The errors of the backends that were compiled in and cannot be used on this machine.
    unusable: Vec<String>,
    operations: Vec<Row>,
    networks: Vec<NetworkRows>,
    passes: bool,
}

/// The comparisons of one network, for `--json`.
#[derive(Debug, Serialize)]
struct NetworkRows {
    network: String,
    /// Backends and devices that take too long for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
    rows: Vec<Row>,
}

pub(super) fn run(args: &ParityArgs) -> Result<()> {
    let threads = thread_count(args.threads);
    let networks = match &args.network {
        Some(name) => vec![MeasuredNetwork::chosen(name, &weights_args(args))?],
        None => MeasuredNetwork::all()?,
    };
    let run = ParityRun { json: args.json, threads, spinner: new_spinner() };
    let mut report = ParityReport::default();
    let places = run.places(&mut report)?;
    for place in &places {
        report.operations.extend(run.operations(place)?);
    }
    for network in &networks {
        report.networks.push(run.network(network, &places)?);
    }
    run.spinner.finish_and_clear();
    conclude(report, args.json)
}

/// The flags that choose the weights.
fn weights_args(args: &ParityArgs) -> ComputeArgs {
    let ParityArgs { network, weights, pick, input, .. } = args.clone();
    ComputeArgs { network, weights, pick, input, ..ComputeArgs::default() }
}

/// Prints the report or a closing line. Fails if a difference is larger than its tolerance, or if a backend could not be
/// used.
fn conclude(mut report: ParityReport, json: bool) -> Result<()> {
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

/// A spinner on stderr, which is hidden if stderr is not a terminal.
pub(super) fn new_spinner() -> ProgressBar {
    if io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() }
}

/// A run of `trepang parity`: the settings, and the spinner while it works.
struct ParityRun {
    json: bool,
    threads: usize,
    spinner: ProgressBar,
}

impl ParityRun {
    /// Opens every device of every backend. A backend that cannot be opened is added to the report.
    fn places(&self, report: &mut ParityReport) -> Result<Vec<BackendOnDevice>> {
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

    fn operations(&self, place: &BackendOnDevice) -> Result<Vec<Row>> {
        self.line(format!("{place}: every operation, on tiny networks"))?;
        let mut rows = Vec::new();
        for row in operations(place) {
            self.row(&row)?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// Runs a network on every backend and device, and compares the results.
    fn network(&self, network: &MeasuredNetwork, places: &[BackendOnDevice]) -> Result<NetworkRows> {
        self.line(format!("\n{}", network.title))?;
        let trained = network.load()?;
        let mut comparison = Comparison::new(&trained);
        let mut rows = Vec::new();
        let covering = || places.iter().filter(|place| place.covers(network));
        let left_out = |place: &&BackendOnDevice| !place.is_reference() && !place.covers(network);
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
            rows.extend(self.print_rows(comparison.add(place))?);
        }
        for place in covering().filter(|place| place.is_on_host() && self.threads > 1) {
            self.wait_for(&format!("{} on {place} with 1 thread", trained.name));
            rows.extend(self.print_rows(comparison.add_other_threads(
                place,
                &with_one_thread(place)?,
                "with 1 thread",
            ))?);
        }
        Ok(NetworkRows { network: network.title.clone(), left_out, rows })
    }

    fn wait_for(&self, what: &str) {
        self.spinner.set_message(what.to_owned());
        self.spinner.enable_steady_tick(Duration::from_millis(100));
    }

    fn print_rows(&self, rows: Vec<Row>) -> Result<Vec<Row>> {
        rows.iter().try_for_each(|row| self.row(row))?;
        Ok(rows)
    }

    fn row(&self, row: &Row) -> Result<()> {
        let mark = if row.passes { " " } else { "!" };
        let measured = row.worst.map_or("-".into(), |worst| format!("{worst:.1e}"));
        let allowed = row.tolerance.map_or(String::new(), |allowed| format!("of {allowed:.1e}"));
        let place = row.at.as_ref().map_or(String::new(), |at| format!("({at}) "));
        let about = row.failure.as_ref().unwrap_or(&row.reason);
        let Row { who, what, .. } = row;
        self.line(format!("{mark} {who:<32} {what:<38} {measured:>8} {allowed:<10} {place}{about}"))
    }

    fn line(&self, text: String) -> Result<()> {
        if self.json {
            return Ok(());
        }
        self.spinner.suspend(|| output::line(text))
    }
}

/// The same backend and device, with one thread.
fn with_one_thread(place: &BackendOnDevice) -> Result<BackendOnDevice> {
    let backend = find_entry(place.backend.name())?.open(1)?.into();
    Ok(BackendOnDevice { backend, device: place.device.clone() })
}

fn open(entry: &Entry, threads: usize) -> Result<Vec<BackendOnDevice>> {
    let backend: Arc<dyn Backend> = entry.open(threads)?.into();
    let devices = backend.devices().into_iter();
    Ok(devices.map(|device| BackendOnDevice { backend: Arc::clone(&backend), device }).collect())
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
        let report = |operations, rows| ParityReport {
            operations,
            networks: vec![NetworkRows { network: "tiny".into(), left_out: Vec::new(), rows }],
            ..ParityReport::default()
        };
        assert!(conclude(report(vec![row(true)], vec![row(true)]), true).is_ok());
        for out in [report(vec![row(false)], vec![row(true)]), report(vec![row(true)], vec![row(false)])] {
            let error = conclude(out, true).unwrap_err().to_string();
            assert_eq!(error, "1 of 2 differences are larger than their tolerances");
        }
        let incomplete =
            ParityReport { unusable: vec!["no libtorch".into()], ..report(vec![row(true)], vec![]) };
        let error = conclude(incomplete, true).unwrap_err().to_string();
        assert_eq!(error, "not every backend of this build was compared: no libtorch");
    }
}
