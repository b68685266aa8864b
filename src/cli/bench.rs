//! `trepang bench`: measures the steps of one backend, or of two in turns: of the network alone, and of whole ascents.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use indicatif::ProgressBar;
use serde::Serialize;

use super::output;
use super::parity::new_spinner;
use super::size_fields::SizeFields;
use crate::bench::{
    BackendTimes, BenchProcess, LayerTime, RECIPE, ResolvedWorkload, WholeStep, Workload, layer_times,
    median, ratios, serve,
};
use crate::config::args::{BenchArgs, ComputeArgs};
use crate::config::{find_entry, find_place, thread_count};
use crate::engine::{AskedSize, PictureSize};

/// The shortest turn of a backend, in seconds. A shorter one would measure the clock and the switching.
const MIN_TURN_SECONDS: f64 = 0.2;

/// The object that `--json` prints.
#[derive(Debug, Serialize)]
struct BenchReport {
    network: String,
    layer: String,
    #[serde(flatten)]
    size: SizeFields,
    #[serde(skip)]
    told_size: PictureSize,
    batch: usize,
    threads: usize,
    a: BackendTimes,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<BackendTimes>,
    #[serde(flatten)]
    ratio: Option<TimeRatio>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<LayerTime>,
}

/// The line that `--json` prints before it: whole steps of an ascent, with what computes outside of the network.
#[derive(Debug, Serialize)]
struct WholeReport {
    recipe: &'static str,
    network: String,
    layer: String,
    #[serde(flatten)]
    size: SizeFields,
    batch: usize,
    threads: usize,
    a: WholeTimes,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<WholeTimes>,
    #[serde(flatten)]
    ratio: Option<TimeRatio>,
}

/// A backend's whole steps.
#[derive(Debug, Serialize)]
struct WholeTimes {
    backend: String,
    precision: String,
    seconds_median: f64,
    host_seconds_median: f64,
}

/// The ratio of the two backends' times, a / b, over the rounds.
#[derive(Debug, Serialize)]
struct TimeRatio {
    #[serde(rename = "ratio_median")]
    median: f64,
    #[serde(rename = "ratio_min")]
    min: f64,
    #[serde(rename = "ratio_max")]
    max: f64,
}

pub(super) fn run(args: &BenchArgs) -> Result<()> {
    let a = match &args.backend {
        Some(name) => name.clone(),
        None => find_place(&ComputeArgs::default())?.0.name().to_owned(),
    };
    let a = a.as_str();
    if let Some(work) = &args.worker {
        return serve(a, &serde_json::from_str(work)?, output::line);
    }
    find_entry(a)?;
    args.vs.as_deref().map(find_entry).transpose()?;
    let workload = Workload {
        network: args.network.clone().unwrap_or_else(|| "minivgg".into()),
        layer: args.layer.clone(),
        size: args.size.map(AskedSize::without_shape),
        batch: args.batch.into(),
        threads: thread_count(args.threads),
        random_weights: args.random_weights,
    };
    let mut run = BenchRun::open(a, args.vs.as_deref(), &workload, args.rounds.into())?;
    let report = run.measure(&workload, args.per_layer)?;
    // A layer whose channels are all dead has a step of the network, and none of an ascent.
    let whole = run.measure_whole(&workload);
    run.spinner.finish_and_clear();
    if let Err(error) = &whole {
        output::remark(format!("whole steps were not measured: {error:#}"));
    }
    if args.json {
        whole.iter().try_for_each(output::json)?;
        return output::json(&report);
    }
    print(&report)?;
    whole.iter().try_for_each(print_whole)
}

/// A run of `trepang bench`: the worker processes, the number of rounds, and the spinner while it works.
struct BenchRun {
    processes: Vec<BenchProcess>,
    rounds: usize,
    spinner: ProgressBar,
}

impl BenchRun {
    fn open(a: &str, b: Option<&str>, workload: &Workload, rounds: usize) -> Result<Self> {
        let spinner = new_spinner();
        spinner.set_message("loading");
        let processes = std::iter::once(a)
            .chain(b)
            .map(|name| BenchProcess::start(name, workload))
            .collect::<Result<Vec<_>>>()?;
        if processes.iter().any(|process| process.resolved != processes[0].resolved) {
            bail!("the backends do not agree on what there is to compute");
        }
        Ok(Self { processes, rounds, spinner })
    }

    fn measure(&mut self, workload: &Workload, per_layer: bool) -> Result<BenchReport> {
        let resolved = self.processes[0].resolved.clone();
        let times = self.turns(&resolved.layer, self.rounds)?;
        let gflop = resolved.layers.last().map_or(0.0, |(_, gflop)| *gflop);
        let mut sides = Vec::new();
        for (process, times) in self.processes.iter_mut().zip(&times) {
            let seconds_median = median(times);
            sides.push(BackendTimes {
                backend: process.backend.clone(),
                precision: process.precision.clone(),
                seconds_median,
                gflops: gflop / seconds_median,
                peak_mb: process.memory()?,
            });
        }
        let ratio = times.get(1).map(|b| {
            let [median, min, max] = ratios(&times[0], b);
            TimeRatio { median, min, max }
        });
        let layers = if per_layer { self.layers()? } else { Vec::new() };
        let mut sides = sides.into_iter();
        let Some(a) = sides.next() else { bail!("nothing was measured") };
        Ok(BenchReport {
            network: workload.network.clone(),
            layer: resolved.layer,
            size: resolved.size.into(),
            told_size: resolved.size,
            batch: workload.batch,
            threads: workload.threads,
            a,
            b: sides.next(),
            ratio,
            layers,
        })
    }

    /// Whole steps, of each worker in each round.
    fn measure_whole(&mut self, workload: &Workload) -> Result<WholeReport> {
        let ResolvedWorkload { layer, size, .. } = self.processes[0].resolved.clone();
        let mut times: Vec<Vec<WholeStep>> = vec![Vec::new(); self.processes.len()];
        let mut slowest: f64 = 0.0;
        for process in &mut self.processes {
            slowest = slowest.max(process.whole_steps(&layer, 1)?.seconds);
        }
        let count = turn(slowest);
        for round in 1..=self.rounds {
            self.spinner.set_message(format!("whole steps, round {round} of {}", self.rounds));
            self.spinner.tick();
            for (process, times) in self.processes.iter_mut().zip(&mut times) {
                times.push(process.whole_steps(&layer, count)?);
            }
        }
        let seconds = |side: &[WholeStep]| side.iter().map(|step| step.seconds).collect::<Vec<_>>();
        let ratio = times.get(1).map(|b| {
            let [median, min, max] = ratios(&seconds(&times[0]), &seconds(b));
            TimeRatio { median, min, max }
        });
        let mut sides = self.processes.iter().zip(&times).map(|(process, times)| WholeTimes {
            backend: process.backend.clone(),
            precision: process.precision.clone(),
            seconds_median: median(&seconds(times)),
            host_seconds_median: median(&times.iter().map(|step| step.host).collect::<Vec<_>>()),
        });
        let Some(a) = sides.next() else { bail!("nothing was measured") };
        let (network, batch, threads) = (workload.network.clone(), workload.batch, workload.threads);
        let size = size.into();
        Ok(WholeReport { recipe: RECIPE, network, layer, size, batch, threads, a, b: sides.next(), ratio })
    }

    /// The seconds a step of each worker, in each round.
    fn turns(&mut self, layer: &str, rounds: usize) -> Result<Vec<Vec<f64>>> {
        let mut slowest: f64 = 0.0;
        for process in &mut self.processes {
            process.steps(layer, 1)?; // the first step allocates and is not measured
            slowest = slowest.max(process.steps(layer, 1)?);
        }
        let count = turn(slowest);
        let mut times = vec![Vec::new(); self.processes.len()];
        for round in 1..=rounds {
            self.spinner.set_message(format!("{layer}, round {round} of {rounds}"));
            self.spinner.tick();
            for (process, times) in self.processes.iter_mut().zip(&mut times) {
                times.push(process.steps(layer, count)?);
            }
        }
        Ok(times)
    }

    /// Measures the time up to each layer, and returns the differences between successive layers.
    fn layers(&mut self) -> Result<Vec<LayerTime>> {
        let resolved = self.processes[0].resolved.clone();
        let mut up_to = vec![BTreeMap::new(); self.processes.len()];
        for (layer, _) in &resolved.layers {
            let times = self.turns(layer, self.rounds)?;
            up_to.iter_mut().zip(times).for_each(|(up_to, times)| {
                up_to.insert(layer.clone(), median(&times));
            });
        }
        Ok(layer_times(&resolved, &up_to[0], up_to.get(1)))
    }
}

/// The number of steps of a turn, where the slowest takes so many seconds.
fn turn(slowest: f64) -> usize {
    (MIN_TURN_SECONDS / slowest).ceil().clamp(1.0, 100.0) as usize
}

fn print_whole(report: &WholeReport) -> Result<()> {
    output::line(format_args!("whole steps by {}, with what is outside of the network", report.recipe))?;
    for side in std::iter::once(&report.a).chain(&report.b) {
        let [whole, host] = [side.seconds_median, side.host_seconds_median].map(|seconds| 1e3 * seconds);
        output::line(format_args!("{:<10} {whole:>9.2} ms, outside {host:.2} ms", side.backend))?;
    }
    match report.ratio {
        Some(TimeRatio { median, min, max }) => {
            output::line(format_args!("ratio {median:.3} ({min:.3} to {max:.3})"))
        }
        None => Ok(()),
    }
}

fn print(report: &BenchReport) -> Result<()> {
    let BenchReport { network, layer, told_size: size, batch, threads, .. } = report;
    output::line(format_args!("{network}, {layer}, {size} px, {batch} at once, threads: {threads}"))?;
    for side in std::iter::once(&report.a).chain(&report.b) {
        let memory = side.peak_mb.map_or("-".into(), |mb| format!("{mb:.0} MB"));
        let (name, ms) = (&side.backend, 1e3 * side.seconds_median);
        output::line(format_args!(
            "{name:<10} {ms:>9.2} ms {:>7.1} GFLOP/s {memory:>8} at most",
            side.gflops
        ))?;
    }
    if let Some(TimeRatio { median, min, max }) = report.ratio {
        output::line(format_args!("ratio {median:.3} ({min:.3} to {max:.3})"))?;
    }
    for LayerTime { layer, gflop, a, b } in &report.layers {
        let b = b.map_or(String::new(), |b| format!(" {:>9.2} ms {:>6.2}", 1e3 * b, a / b));
        output::line(format_args!("  {layer:<26} {gflop:>7.3} GFLOP {:>9.2} ms{b}", 1e3 * a))?;
    }
    Ok(())
}
