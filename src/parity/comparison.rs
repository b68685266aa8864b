//! Compares one network on every backend and device: each one with those before it. The first is compared with itself from a
//! start that differs by one rounding, which shows how large a difference is to be expected.

use anyhow::Result;
use trepang_api::conformance::{ActivationsApart, GradientsApart, Survey, survey_tolerances};
use trepang_api::{Array, LayerId, Model, Network, NetworkBuilder, Op, Precision};
use trepang_weights::Trained;

use super::ascents::LOSS_TOLERANCE;
use super::ascents::{ASCENT_STEPS, AscentLosses, ParityAscent, RECIPES};
use super::{BackendOnDevice, Row};
use crate::panics::guard;

/// The ascents maximise a channel of the deepest layer with at least this height. In a smaller layer, a single near-tie
/// that is decided differently changes a channel's mean by percents: on minivgg's last layer, 4x4, two correct backends
/// differed by 5 % within 20 steps.
const MIN_LAYER_HEIGHT: usize = 14;

/// The tolerance for losses, as a multiple of the difference that one rounding of the start makes. Both differences are
/// single samples of the same random effect, in which a few near-ties are decided differently.
const TOLERANCE_PER_NUDGE: f64 = 3.0;

/// The largest tolerance for losses. A network whose losses differ more by rounding cannot be compared in this way.
const MAX_LOSS_TOLERANCE: f64 = 0.2;

/// The comparison of one network: the results of the backends and devices so far.
#[derive(Debug)]
pub struct Comparison<'a> {
    trained: &'a Trained,
    ascent: Option<ParityAscent>,
    done: Vec<BackendResults>,
    /// For each recipe, the relative difference of the first one's losses after a nudge of its start by one rounding.
    scale: Vec<f64>,
}

/// The results of one backend and device on the network.
#[derive(Debug)]
struct BackendResults {
    who: String,
    precision: Precision,
    survey: Survey,
    losses: AscentLosses,
    model: Box<dyn Model>,
}

impl<'a> Comparison<'a> {
    /// A comparison without results.
    pub fn new(trained: &'a Trained) -> Self {
        Self { trained, ascent: None, done: Vec::new(), scale: Vec::new() }
    }

    /// Runs the network on another backend and device and compares it with each one before; the first is compared with
    /// itself.
    pub fn add(&mut self, place: &BackendOnDevice) -> Vec<Row> {
        let who = place.to_string();
        let first = self.done.is_empty();
        let run = guard("the backend", || {
            let results = self.run(place)?;
            self.done.push(results);
            if first { self.nudge() } else { self.pairs() }
        });
        run.unwrap_or_else(|error| vec![Row::failed(&who, "the network", &error)])
    }

    /// Compares the losses of `place` with those of `other`, the same with another number of threads. These rows have no
    /// tolerance.
    pub fn add_other_threads(
        &self,
        place: &BackendOnDevice,
        other: &BackendOnDevice,
        name: &str,
    ) -> Vec<Row> {
        let who = format!("{place} : {name}");
        let results = self.done.iter().find(|results| results.who == place.to_string());
        let (Some(results), Some(ascent)) = (results, &self.ascent) else { return Vec::new() };
        let ascended = guard("the backend", || {
            let Trained { network, weights, .. } = self.trained;
            let mut model = other.backend.load(network, weights, &other.device)?;
            ascent.losses(model.as_mut(), network, &RECIPES[..1], false)
        });
        match ascended {
            Ok(losses) => scale_rows(&who, &results.losses, &losses, "for scale: another order of sums"),
            Err(error) => vec![Row::failed(&who, "the network", &error)],
        }
    }

    fn run(&mut self, place: &BackendOnDevice) -> Result<BackendResults> {
        let Trained { network, weights, .. } = self.trained;
        let mut model = place.backend.load(network, weights, &place.device)?;
        let deepest = network.layers().last().unwrap_or(NetworkBuilder::FIRST);
        let survey = Survey::of(model.as_mut(), network, deepest)?;
        let ascent = match &self.ascent {
            Some(ascent) => ascent,
            None => self.ascent.insert(choose(network, &survey)?),
        };
        let losses = ascent.losses(model.as_mut(), network, &RECIPES, false)?;
        Ok(BackendResults {
            who: place.to_string(),
            precision: place.device.precision,
            survey,
            losses,
            model,
        })
    }

    /// Runs the ascents of the first one again, from a start that differs by one rounding.
    fn nudge(&mut self) -> Result<Vec<Row>> {
        let (Some(results), Some(ascent)) = (self.done.last_mut(), &self.ascent) else {
            return Ok(Vec::new());
        };
        let nudged = ascent.losses(results.model.as_mut(), &self.trained.network, &RECIPES, true)?;
        self.scale = results.losses.apart(&nudged).map(|(_, apart, _)| apart).collect();
        let who = format!("{} : itself", results.who);
        Ok(scale_rows(&who, &results.losses, &nudged, "for scale: a start that differs by one rounding"))
    }

    /// Compares the newest results with each one before.
    fn pairs(&mut self) -> Result<Vec<Row>> {
        let Some((newest, before)) = self.done.split_last_mut() else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        for other in before {
            rows.extend(pair(other, newest, &self.trained.network, &self.scale)?);
        }
        Ok(rows)
    }
}

/// The differences between two backends and devices.
fn pair(a: &mut BackendResults, b: &BackendResults, network: &Network, scale: &[f64]) -> Result<Vec<Row>> {
    let who = format!("{} : {}", a.who, b.who);
    let row = |what: &str, worst, tolerance, reason| Row::new(&who, what, worst, Some(tolerance), reason);
    let [of_a, of_b] = [a.precision, b.precision].map(survey_tolerances);
    let ActivationsApart { worst, layer } = a.survey.activations_apart(&b.survey, network)?;
    let reason = "sums in another order, layer on layer";
    let mut rows = vec![row("activations", worst, of_a[0].max(of_b[0]), reason).at(layer)];
    let GradientsApart { worst, with_decisions, decisions } =
        a.survey.gradients_apart(&b.survey, network, a.model.as_mut())?;
    let near_ties = match decisions {
        0 => "no near-tie was decided differently".into(),
        n => format!("near-ties decided differently: {n}; with them {with_decisions:.1e}"),
    };
    let reason = "sums in another order, forwards and backwards";
    rows.push(row("pull-back", worst, of_a[1].max(of_b[1]), reason).at(near_ties));
    for ((recipe, apart, step), scale) in a.losses.apart(&b.losses).zip(scale) {
        let tolerance = LOSS_TOLERANCE.max(TOLERANCE_PER_NUDGE * scale).min(MAX_LOSS_TOLERANCE);
        let reason = "near-ties, whose effect grows from step to step";
        rows.push(row(&steps_of(recipe), apart, tolerance, reason).at(format!("step {step}")));
    }
    Ok(rows)
}

fn scale_rows(who: &str, a: &AscentLosses, b: &AscentLosses, reason: &str) -> Vec<Row> {
    let row = |(recipe, apart, step)| {
        Row::new(who, &steps_of(recipe), apart, None, reason).at(format!("step {step}"))
    };
    a.apart(b).map(row).collect()
}

fn steps_of(recipe: &str) -> String {
    format!("{ASCENT_STEPS} steps of {recipe}")
}

/// Chooses the deepest layer that is large enough, and its channel with the largest mean, which is certainly active.
/// Layers after a ReLU6 are left out, since their channel with the largest mean would be at the bound.
fn choose(network: &Network, survey: &Survey) -> Result<ParityAscent> {
    let suits = |(layer, activation): &&(LayerId, Array)| {
        let large = activation.dims4().is_ok_and(|(_, shape)| shape.height >= MIN_LAYER_HEIGHT);
        large && network.node(*layer).is_ok_and(|node| node.op != Op::Relu6 && !node.name.ends_with(":pre"))
    };
    let (layer, activation) = survey.activations.iter().rev().find(suits).unwrap_or(&survey.activations[0]);
    let sums = channel_sums(activation);
    let channel = (0..sums.len()).max_by(|&a, &b| sums[a].total_cmp(&sums[b])).unwrap_or_default();
    Ok(ParityAscent { layer: network.node(*layer)?.name.clone(), channel })
}

/// The sum of every channel of a batch of one.
fn channel_sums(activation: &Array) -> Vec<f64> {
    let Ok((_, shape)) = activation.dims4() else { return Vec::new() };
    let planes = activation.item(0).chunks_exact(shape.height * shape.width);
    planes.map(|plane| plane.iter().map(|&v| f64::from(v)).sum()).collect()
}
