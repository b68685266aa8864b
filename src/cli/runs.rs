//! `trepang runs`: lists the runs that are saved, from their manifests, and takes the dashboard's drafts away.

mod stop;

use anyhow::{Context, Result};
use serde::Serialize;
use trepang_api::excerpt;
use trepang_weights::cache::Environment;

use super::output;
use super::size_fields::SizeFields;
use crate::config::args::RunsArgs;
use crate::config::runs_folder;
use crate::runs::{RunSummary, bring_back, list_runs};
use crate::sweep::{Cleaned, UnitStore};

/// The number of entries without a run that a remark names.
const NAMED_ENTRIES: usize = 3;

/// A run in the list, for `--json`.
#[derive(Serialize)]
struct RunEntry<'a> {
    name: &'a str,
    path: String,
    network: &'a str,
    layer: Option<&'a str>,
    channel: Option<usize>,
    objective: &'a str,
    recipe: &'a str,
    #[serde(flatten)]
    size: SizeFields,
    /// The size in words.
    #[serde(skip)]
    told_size: String,
    seed: u64,
    step: usize,
    steps: usize,
    loss_last: Option<f64>,
    activation: Option<f64>,
    activation_robust: Option<f64>,
    dead: bool,
    created: u64,
    /// Seconds since `created`.
    age: u64,
    finished: bool,
    #[serde(flatten)]
    now: RunPresence,
}

/// The state of a run's folder now.
#[derive(Serialize)]
struct RunPresence {
    running: bool,
    resumable: bool,
    host: Option<String>,
    process: Option<u32>,
}

impl RunPresence {
    fn of(run: &RunSummary) -> Self {
        let owner = run.owner.clone();
        let (host, process) = owner.map(|owner| (owner.host, owner.process)).unzip();
        Self { running: run.is_running, resumable: run.has_state && !run.is_running, host, process }
    }

    /// The state in words.
    fn words(&self, finished: bool) -> String {
        match (self.running, self.resumable, finished) {
            (true, ..) => match (&self.host, self.process) {
                (Some(host), Some(process)) => format!("running on {host}, process {process}"),
                _ => "running".into(),
            },
            (_, false, _) => "no state to resume".into(),
            (_, _, true) => "finished".into(),
            (_, _, false) => "stopped, can be resumed".into(),
        }
    }
}

impl<'a> RunEntry<'a> {
    fn of(run: &'a RunSummary) -> Self {
        let RunSummary { manifest, .. } = run;
        let plan = &manifest.origin.plan;
        let (objective, recipe) = plan.at(usize::MAX);
        let target = objective.only_target();
        Self {
            name: &run.name,
            path: run.path.display().to_string(),
            network: &manifest.origin.provenance.network,
            layer: target.and_then(|(term, _)| term.layer()),
            channel: target.map(|(_, number)| number),
            objective: &manifest.objective,
            recipe: &recipe.name,
            size: plan.size.into(),
            told_size: format!("{} px", plan.size),
            seed: plan.seed,
            step: manifest.step,
            steps: plan.steps,
            loss_last: manifest.loss_last,
            activation: manifest.activation,
            activation_robust: manifest.activation_robust,
            dead: manifest.dead,
            created: manifest.created,
            age: run.age,
            finished: manifest.finished,
            now: RunPresence::of(run),
        }
    }

    /// The columns of its line, in words.
    fn columns(&self) -> [String; 9] {
        let value = match (self.activation, self.loss_last) {
            _ if self.dead => "dead, nothing woke it".into(),
            (Some(activation), _) => format!("activation {activation:.4}"),
            (None, Some(loss)) => format!("last loss {loss:.4}"),
            (None, None) => "no loss yet".into(),
        };
        let state = self.now.words(self.finished);
        [
            self.name.into(),
            self.network.into(),
            self.objective.into(),
            self.recipe.into(),
            self.told_size.clone(),
            format!("seed {}", self.seed),
            format!("{}/{} steps", self.step, self.steps),
            value,
            format!("{}, {state}", ago(self.age)),
        ]
        // A folder may be called anything, and one run is one line.
        .map(|text| excerpt(&text.replace('\n', "\\n")).into_owned())
    }
}

/// The drafts that were taken away, for `--json`.
#[derive(Serialize)]
struct CleanedDrafts {
    folder: String,
    files: usize,
    bytes: u64,
}

pub(super) fn run(args: &RunsArgs) -> Result<()> {
    if args.clean {
        return clean(args.json);
    }
    if let Some(run) = &args.stop {
        return stop::stop(run, args.runs.as_deref(), args.json);
    }
    let folder = runs_folder(args.runs.as_deref())?;
    for name in bring_back(&folder) {
        output::remark(format_args!("{} is back: the dashboard that deleted it was killed", excerpt(&name)));
    }
    let Some(listing) = list_runs(&folder)? else {
        output::remark(format_args!("there are no runs: {} does not exist", folder.display()));
        return Ok(());
    };
    if let Some(remark) = passed_over(&listing.passed_over) {
        output::remark(remark);
    }
    let entries: Vec<RunEntry> = listing.runs.iter().map(RunEntry::of).collect();
    if args.json {
        return entries.iter().try_for_each(output::json);
    }
    table(&entries.iter().map(RunEntry::columns).collect::<Vec<_>>()).iter().try_for_each(output::line)
}

/// Empties the store of drafts.
fn clean(json: bool) -> Result<()> {
    let folder = Environment::of_process().pictures_folder();
    let folder =
        folder.context("there is no folder of drafts without a home folder; TREPANG_CACHE can name one")?;
    let Cleaned { files, bytes } = UnitStore::new(&folder).clean()?;
    if json {
        return output::json(&CleanedDrafts { folder: folder.display().to_string(), files, bytes });
    }
    let megabytes = bytes as f64 / 1e6;
    output::line(format_args!(
        "{files} files of drafts taken away from {}, {megabytes:.1} MB",
        folder.display()
    ))
}

/// A sentence on the entries that hold no run; none if there are none.
fn passed_over(entries: &[String]) -> Option<String> {
    let named = entries.iter().take(NAMED_ENTRIES).cloned().collect::<Vec<_>>().join("; ");
    match entries.len().checked_sub(NAMED_ENTRIES) {
        _ if entries.is_empty() => None,
        Some(more @ 1..) => Some(format!("passed over: {named}; and {more} more")),
        _ => Some(format!("passed over: {named}")),
    }
}

/// Lines whose columns stand under each other.
fn table<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// An age in the largest unit of which it holds one.
fn ago(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let unit = units.into_iter().find(|(length, _)| seconds >= *length);
    let (length, name) = unit.unwrap_or((1, "s"));
    format!("{} {name} ago", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        assert_eq!(
            [0, 59, 60, 7200, 200_000].map(ago),
            ["0 s ago", "59 s ago", "1 min ago", "2 h ago", "2 d ago"]
        );
    }

    #[test]
    fn a_remark_names_a_few_entries_only() {
        let entries = |count: usize| (0..count).map(|at| format!("e{at}")).collect::<Vec<_>>();
        assert_eq!(passed_over(&entries(0)), None);
        assert_eq!(passed_over(&entries(3)), Some("passed over: e0; e1; e2".into()));
        assert_eq!(passed_over(&entries(5)), Some("passed over: e0; e1; e2; and 2 more".into()));
    }

    #[test]
    fn columns_stand_under_each_other() {
        let row = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        assert_eq!(table(&[row("a", "x"), row("bcd", "y")]), ["a    x", "bcd  y"]);
    }
}
