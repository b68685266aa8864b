//! `trepang bench`: steps on one backend against another, in turns.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use indicatif::ProgressBar;
use serde::Serialize;

use super::output;
use crate::bench::{Clerk, LayerTime, Side, Work, median, ratios, serve, shares};
use crate::config::args::{BenchArgs, ComputeArgs};
use crate::config::{find_entry, find_place, thread_count};

/// A turn is at least this long: shorter ones measure the clock and the turns.
const TURN: f64 = 0.2;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Report {
    network: String,
    layer: String,
    size: usize,
    batch: usize,
    threads: usize,
    a: Side,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<Side>,
    #[serde(flatten)]
    ratio: Option<Ratio>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<LayerTime>,
}

/// a / b, round by round.
#[derive(Debug, Serialize)]
struct Ratio {
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
    let work = Work {
        network: args.network.clone().unwrap_or_else(|| "minivgg".into()),
        layer: args.layer.clone(),
        size: args.size,
        batch: args.batch.into(),
        threads: thread_count(args.threads),
        random_weights: args.random_weights,
    };
    let mut desk = Desk::open(a, args.vs.as_deref(), &work, args.rounds.into())?;
    let report = desk.measure(&work, args.per_layer)?;
    desk.waiting.finish_and_clear();
    match args.json {
        true => output::json(&report),
        false => print(&report),
    }
}

/// The workers, and how many rounds they go.
struct Desk {
    clerks: Vec<Clerk>,
    rounds: usize,
    waiting: ProgressBar,
}

impl Desk {
    fn open(a: &str, b: Option<&str>, work: &Work, rounds: usize) -> Result<Self> {
        let waiting = super::parity::spinner();
        waiting.set_message("loading");
        let clerks =
            std::iter::once(a).chain(b).map(|name| Clerk::start(name, work)).collect::<Result<Vec<_>>>()?;
        if clerks.iter().any(|clerk| clerk.agreed != clerks[0].agreed) {
            bail!("the backends do not agree on what there is to compute");
        }
        Ok(Self { clerks, rounds, waiting })
    }

    fn measure(&mut self, work: &Work, per_layer: bool) -> Result<Report> {
        let agreed = self.clerks[0].agreed.clone();
        let times = self.turns(&agreed.layer, self.rounds)?;
        let gflop = agreed.layers.last().map_or(0.0, |(_, gflop)| *gflop);
        let mut sides = Vec::new();
        for (clerk, times) in self.clerks.iter_mut().zip(&times) {
            let seconds_median = median(times);
            sides.push(Side {
                backend: clerk.backend.clone(),
                seconds_median,
                gflops: gflop / seconds_median,
                peak_mb: clerk.memory()?,
            });
        }
        let ratio = times.get(1).map(|b| {
            let [median, min, max] = ratios(&times[0], b);
            Ratio { median, min, max }
        });
        let layers = if per_layer { self.layers()? } else { Vec::new() };
        let mut sides = sides.into_iter();
        let Some(a) = sides.next() else { bail!("nothing was measured") };
        Ok(Report {
            network: work.network.clone(),
            layer: agreed.layer,
            size: agreed.size,
            batch: work.batch,
            threads: work.threads,
            a,
            b: sides.next(),
            ratio,
            layers,
        })
    }

    /// Seconds a step of each worker in each round.
    fn turns(&mut self, layer: &str, rounds: usize) -> Result<Vec<Vec<f64>>> {
        let mut slowest: f64 = 0.0;
        for clerk in &mut self.clerks {
            clerk.steps(layer, 1)?; // sets itself up
            slowest = slowest.max(clerk.steps(layer, 1)?);
        }
        let count = (TURN / slowest).ceil().clamp(1.0, 100.0) as usize;
        let mut times = vec![Vec::new(); self.clerks.len()];
        for round in 1..=rounds {
            self.waiting.set_message(format!("{layer}, round {round} of {rounds}"));
            self.waiting.tick();
            for (clerk, times) in self.clerks.iter_mut().zip(&mut times) {
                times.push(clerk.steps(layer, count)?);
            }
        }
        Ok(times)
    }

    /// The times up to each layer, and the differences between one and the next.
    fn layers(&mut self) -> Result<Vec<LayerTime>> {
        let agreed = self.clerks[0].agreed.clone();
        let mut up_to = vec![BTreeMap::new(); self.clerks.len()];
        for (layer, _) in &agreed.layers {
            let times = self.turns(layer, self.rounds)?;
            up_to.iter_mut().zip(times).for_each(|(up_to, times)| {
                up_to.insert(layer.clone(), median(&times));
            });
        }
        Ok(shares(&agreed, &up_to[0], up_to.get(1)))
    }
}

fn print(report: &Report) -> Result<()> {
    let Report { network, layer, size, batch, threads, .. } = report;
    output::line(format_args!("{network}, {layer}, {size} px, {batch} at once, threads: {threads}"))?;
    for side in std::iter::once(&report.a).chain(&report.b) {
        let memory = side.peak_mb.map_or("-".into(), |mb| format!("{mb:.0} MB"));
        let (name, ms) = (&side.backend, 1e3 * side.seconds_median);
        output::line(format_args!(
            "{name:<10} {ms:>9.2} ms {:>7.1} GFLOP/s {memory:>8} at most",
            side.gflops
        ))?;
    }
    if let Some(Ratio { median, min, max }) = report.ratio {
        output::line(format_args!("ratio {median:.3} ({min:.3} to {max:.3})"))?;
    }
    for LayerTime { layer, gflop, a, b } in &report.layers {
        let b = b.map_or(String::new(), |b| format!(" {:>9.2} ms {:>6.2}", 1e3 * b, a / b));
        output::line(format_args!("  {layer:<26} {gflop:>7.3} GFLOP {:>9.2} ms{b}", 1e3 * a))?;
    }
    Ok(())
}
