//! The output of `trepang render`: lines for people, or JSON.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use trepang_api::{Network, excerpt};

use super::kept::KeptPicture;
use crate::cli::output;
use crate::cli::size_fields::SizeFields;
use crate::config::Compute;
use crate::engine::{Ascent, Objective, Plan, StepReport};
use crate::runs::{self, Evaluation, never_woken};

/// A step that was taken; with several pictures, also of which one.
#[derive(Serialize)]
pub(super) struct StepEvent {
    event: &'static str,
    step: usize,
    loss: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    objective: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

impl StepEvent {
    pub(super) fn new(report: &StepReport, plan: &Plan, several: bool) -> Self {
        let (step, loss) = (report.step, report.loss);
        let objective = several.then(|| plan.objective.to_string());
        Self { event: "step", step, loss, objective, seed: several.then_some(plan.seed) }
    }
}

/// A picture of a batch that could not be made.
#[derive(Serialize)]
pub(super) struct FailedEvent {
    event: &'static str,
    objective: String,
    seed: u64,
    /// Whether no gradient reaches the image.
    dead: bool,
    error: String,
}

impl FailedEvent {
    pub(super) fn new(ascent: &Ascent, error: &runs::Error) -> Self {
        let (objective, seed) = (ascent.plan().objective.to_string(), ascent.plan().seed);
        Self { event: "failed", objective, seed, dead: error.is_dead(), error: error.chain() }
    }
}

/// A picture that was made: the last line of `--json` for each.
#[derive(Debug, Serialize)]
pub(super) struct DoneEvent {
    event: &'static str,
    network: String,
    layer: Option<String>,
    channel: Option<usize>,
    objective: String,
    recipe: String,
    backend: String,
    device: String,
    threads: usize,
    seed: u64,
    steps: usize,
    #[serde(flatten)]
    size: SizeFields,
    loss_first: Option<f64>,
    loss_last: Option<f64>,
    /// The objective on a clean pass of the PNG, read back from disk.
    activation_saved: f64,
    /// Its mean over 32 seeded transforms of the PNG.
    activation_robust: f64,
    /// The objective on what the run began with, as it would have been saved.
    activation_start: Option<f64>,
    activation_start_robust: Option<f64>,
    /// Share of the PNG's values at 0 or 255.
    saturated: f64,
    saturated_start: Option<f64>,
    /// Steps whose true gradient was flat, and their share.
    dead_steps: usize,
    dead_share: f64,
    /// Whether nothing has woken the objective, in any step or on the picture.
    dead: bool,
    seconds_per_step: Option<f64>,
    output: String,
    /// Whether `--from` can make the picture again from that file.
    carries_recipe: bool,
    run: String,
    /// The sentence for people if it is dead.
    #[serde(skip)]
    told: String,
}

impl DoneEvent {
    pub(super) fn new(
        KeptPicture { session, job, carries_recipe }: &KeptPicture,
        compute: &Compute,
        Evaluation { saved, start }: Evaluation,
        seconds_per_step: Option<f64>,
    ) -> Result<Self> {
        let (ascent, run) = (session.ascent(), session.folder().unwrap_or(Path::new("")));
        let (plan, state) = (ascent.plan(), ascent.state());
        let (layer, channel) = target(plan.last_objective(), compute.network())?;
        let place = &compute.provenance;
        Ok(Self {
            event: "done",
            network: place.network.clone(),
            layer,
            channel,
            objective: plan.last_objective().to_string(),
            recipe: ascent.recipe().name.clone(),
            backend: place.backend.clone(),
            device: place.device.clone(),
            threads: place.threads,
            seed: plan.seed,
            steps: ascent.step_count(),
            size: plan.size.into(),
            loss_first: state.losses.first().copied(),
            loss_last: state.losses.last().copied(),
            activation_saved: saved.score.clean,
            activation_robust: saved.score.robust,
            activation_start: start.map(|start| start.score.clean),
            activation_start_robust: start.map(|start| start.score.robust),
            saturated: saved.saturated,
            saturated_start: start.map(|start| start.saturated),
            dead_steps: state.dead_steps,
            dead_share: state.dead_steps as f64 / ascent.step_count().max(1) as f64,
            dead: state.is_dead() && saved.score.is_zero(),
            seconds_per_step,
            output: job.output.display().to_string(),
            carries_recipe: *carries_recipe,
            run: run.display().to_string(),
            told: never_woken(plan.last_objective(), ascent.step_count()),
        })
    }

    /// The label of the picture on a sheet, whose pictures are of one layer: the channel, the seed, and the
    /// activation, or that nothing woke it.
    pub(super) fn label(&self) -> String {
        let what = self.channel.map_or_else(|| self.objective.clone(), |channel| channel.to_string());
        let seed = if self.seed == 0 { String::new() } else { format!(" #{}", self.seed) };
        if self.dead {
            return format!("{what}{seed}  dead");
        }
        format!("{what}{seed}  {:.1}", self.activation_saved)
    }

    pub(super) fn print(&self, json: bool) -> Result<()> {
        if json {
            return output::json(self);
        }
        let loss = |loss: Option<f64>| loss.map_or("-".into(), |loss| format!("{loss:.4}"));
        let (first, last) = (loss(self.loss_first), loss(self.loss_last));
        let objective = excerpt(&self.objective);
        output::line(format_args!("{objective}: {first} to {last} in {} steps", self.steps))?;
        output::line(format_args!(
            "saved {}: {:.4} on the saved picture (start: {}), {:.4} over 32 transforms of it ({}), {:.1} % of its \
             values saturated, {:.0} % of the steps dead",
            self.output,
            self.activation_saved,
            loss(self.activation_start),
            self.activation_robust,
            loss(self.activation_start_robust),
            100.0 * self.saturated,
            100.0 * self.dead_share
        ))?;
        output::line(format_args!("the run is in {}", self.run))?;
        if !self.carries_recipe {
            output::line(
                "this file has no room for its recipe, and only a PNG remakes itself: `-o OUT.png` writes one",
            )?;
        }
        if self.dead {
            output::line(format_args!("{}; the picture shows nothing", self.told))?;
        }
        Ok(())
    }
}

/// The layer and the channel of an objective that names one of each, once. A logit's are its classifier and its class.
fn target(objective: &Objective, network: &Network) -> Result<(Option<String>, Option<usize>)> {
    let Some((term, channel)) = objective.only_target() else { return Ok((None, None)) };
    if let Some(layer) = term.layer() {
        return Ok((Some(network.node(network.layer(layer)?)?.name.clone()), Some(channel)));
    }
    let bound = term.bind(network, network.input().native)?;
    let node = bound.at().first().map(|&layer| network.node(layer)).transpose()?;
    Ok((node.map(|node| node.name.clone()), Some(channel)))
}

/// The spread of one objective over seeds.
#[derive(Debug, Serialize)]
pub(super) struct SeedsEvent {
    event: &'static str,
    objective: String,
    #[serde(rename = "seeds")]
    count: usize,
    activation_saved: Spread,
    activation_robust: Spread,
}

/// Mean, standard deviation (of the sample) and extremes.
#[derive(Debug, Serialize)]
struct Spread {
    mean: f64,
    sd: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / count;
        let square: f64 = values.clone().map(|v| (v - mean).powi(2)).sum();
        let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        Self { mean, sd: (square / (count - 1.0).max(1.0)).sqrt(), least, most }
    }
}

impl SeedsEvent {
    /// One for each objective, in the order they were made.
    pub(super) fn of(done: &[DoneEvent]) -> Vec<Self> {
        let mut objectives: Vec<&str> = done.iter().map(|done| done.objective.as_str()).collect();
        objectives.dedup();
        let each = |objective: &&str| {
            let own = done.iter().filter(move |done| done.objective == *objective);
            Self {
                event: "seeds",
                objective: (*objective).to_owned(),
                count: own.clone().count(),
                activation_saved: Spread::of(own.clone().map(|done| done.activation_saved)),
                activation_robust: Spread::of(own.map(|done| done.activation_robust)),
            }
        };
        objectives.iter().map(each).collect()
    }

    pub(super) fn print(&self, json: bool) -> Result<()> {
        if json {
            return output::json(self);
        }
        let Spread { mean, sd, least, most } = &self.activation_saved;
        let robust = &self.activation_robust;
        output::line(format_args!(
            "{} over {} seeds: {mean:.4} +- {sd:.4} on the saved pictures ({least:.4} to {most:.4}), {:.4} +- {:.4} over \
             transforms of them",
            excerpt(&self.objective),
            self.count,
            robust.mean,
            robust.sd
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trepang_api::{InputSize, NetworkBuilder, Op, Preprocess};

    #[test]
    fn a_logit_is_of_the_classifier_whatever_that_is_called() {
        let size = InputSize { native: 8, min: 4, multiple: 4 };
        let mut b = NetworkBuilder::new("tiny", size, Preprocess::minus_one_to_one());
        let mean = b.add("mean", Op::GlobalAverage, &[NetworkBuilder::FIRST]);
        b.linear("head.fc", 3, 5, mean);
        let network = b.finish().unwrap();
        let found = |objective: Objective| target(&objective, &network).unwrap();
        assert_eq!(found(Objective::Logit { class: 4 }), (Some("head.fc".into()), Some(4)));
        assert_eq!(found(Objective::channel("mean", 2)), (Some("mean".into()), Some(2)));
        assert_eq!(found(Objective::Layer { layer: "mean".into() }), (None, None));
        let two = Objective::channel("mean", 2) - Objective::channel("mean", 1);
        assert_eq!(found(two), (None, None));
    }

    #[test]
    fn the_spread_is_that_of_a_sample() {
        let spread = Spread::of([1.0, 2.0, 3.0].into_iter());
        assert_eq!((spread.mean, spread.sd, spread.least, spread.most), (2.0, 1.0, 1.0, 3.0));
        assert_eq!(Spread::of([5.0].into_iter()).sd, 0.0);
    }
}
