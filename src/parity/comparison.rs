//! One network, wherever it runs: every place is compared with each one before it, and the first with itself, which
//! gives the others a scale.

use anyhow::Result;
use trepang_api::conformance::{
    ActivationsApart, GradientsApart, SURVEY_ACTIVATION_TOLERANCE, SURVEY_GRADIENT_TOLERANCE, Survey,
};
use trepang_api::{Array, LayerId, Model, Network, NetworkBuilder, Op};
use trepang_weights::Trained;

use super::ascents::RECIPES;
use super::ascents::{Climb, Climbs, STEPS};
use super::{LOSS_TOLERANCE, Place, Row};
use crate::panics::guard;

/// The ascents climb in the deepest layer with so many rows at least. In a smaller one a single near-tie that falls
/// the other way moves a channel's mean by percents: on minivgg's last layer, 4x4, two correct backends were 5 % apart
/// within 20 steps.
const ROWS: usize = 14;

/// How much further than one rounding of the start moves a backend's losses may another backend's be: both are single
/// draws of the same chance, in which a few near-ties fall the other way.
const TIMES_SCALE: f64 = 3.0;

/// But never as far as this: a network whose losses part further by rounding cannot be compared in this way.
const MOST: f64 = 0.2;

/// What has been found so far.
#[derive(Debug)]
pub struct Comparison<'a> {
    trained: &'a Trained,
    climb: Option<Climb>,
    done: Vec<Whole>,
    /// For each recipe, how far the first place's losses part when its start is moved by one rounding.
    scale: Vec<f64>,
}

/// What one place makes of the network.
#[derive(Debug)]
struct Whole {
    who: String,
    survey: Survey,
    climbs: Climbs,
    model: Box<dyn Model>,
}

impl<'a> Comparison<'a> {
    /// Nothing has run yet.
    pub fn new(trained: &'a Trained) -> Self {
        Self { trained, climb: None, done: Vec::new(), scale: Vec::new() }
    }

    /// Runs the network at another place and compares it with each one before. The first is compared with itself.
    pub fn add(&mut self, place: &Place) -> Vec<Row> {
        let who = place.to_string();
        let first = self.done.is_empty();
        let run = guard("the backend", || {
            let whole = self.run(place)?;
            self.done.push(whole);
            if first { self.nudge() } else { self.pairs() }
        });
        run.unwrap_or_else(|error| vec![Row::failed(&who, "the network", &error)])
    }

    /// The losses of `place` with another number of threads, against those with its own: nothing is asked of them.
    pub fn add_twin(&self, place: &Place, twin: &Place, name: &str) -> Vec<Row> {
        let who = format!("{place} : {name}");
        let whole = self.done.iter().find(|whole| whole.who == place.to_string());
        let (Some(whole), Some(climb)) = (whole, &self.climb) else { return Vec::new() };
        let climbed = guard("the backend", || {
            let Trained { network, weights, .. } = self.trained;
            let mut model = twin.backend.load(network, weights, &twin.device)?;
            climb.climbs(model.as_mut(), network, &RECIPES[..1], false)
        });
        match climbed {
            Ok(climbs) => scale_rows(&who, &whole.climbs, &climbs, "the scale: another order of sums"),
            Err(error) => vec![Row::failed(&who, "the network", &error)],
        }
    }

    fn run(&mut self, place: &Place) -> Result<Whole> {
        let Trained { network, weights, .. } = self.trained;
        let mut model = place.backend.load(network, weights, &place.device)?;
        let deepest = network.layers().last().unwrap_or(NetworkBuilder::FIRST);
        let survey = Survey::of(model.as_mut(), network, deepest)?;
        let climb = match &self.climb {
            Some(climb) => climb,
            None => self.climb.insert(choose(network, &survey)?),
        };
        let climbs = climb.climbs(model.as_mut(), network, &RECIPES, false)?;
        Ok(Whole { who: place.to_string(), survey, climbs, model })
    }

    /// Climbs once more from a start that is one rounding off.
    fn nudge(&mut self) -> Result<Vec<Row>> {
        let (Some(whole), Some(climb)) = (self.done.last_mut(), &self.climb) else { return Ok(Vec::new()) };
        let nudged = climb.climbs(whole.model.as_mut(), &self.trained.network, &RECIPES, true)?;
        self.scale = whole.climbs.apart(&nudged).map(|(_, apart, _)| apart).collect();
        let who = format!("{} : itself", whole.who);
        Ok(scale_rows(&who, &whole.climbs, &nudged, "the scale: a start one rounding off"))
    }

    /// The newest place against each one before.
    fn pairs(&mut self) -> Result<Vec<Row>> {
        let Some((newest, before)) = self.done.split_last_mut() else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        for other in before {
            rows.extend(pair(other, newest, &self.trained.network, &self.scale)?);
        }
        Ok(rows)
    }
}

/// How far two places are apart.
fn pair(a: &mut Whole, b: &Whole, network: &Network, scale: &[f64]) -> Result<Vec<Row>> {
    let who = format!("{} : {}", a.who, b.who);
    let row = |what: &str, worst, tolerance, reason| Row::new(&who, what, worst, Some(tolerance), reason);
    let ActivationsApart { worst, layer } = a.survey.activations_apart(&b.survey, network)?;
    let reason = "sums in another order, layer on layer";
    let mut rows = vec![row("activations", worst, SURVEY_ACTIVATION_TOLERANCE, reason).at(layer)];
    let GradientsApart { worst, with_decisions, decisions } =
        a.survey.gradients_apart(&b.survey, network, a.model.as_mut())?;
    let near_ties = match decisions {
        0 => "no near-tie fell the other way".into(),
        n => format!("near-ties that fell the other way: {n}; with them {with_decisions:.1e}"),
    };
    let reason = "the same, twice as deep";
    rows.push(row("pull-back", worst, SURVEY_GRADIENT_TOLERANCE, reason).at(near_ties));
    for ((recipe, apart, step), scale) in a.climbs.apart(&b.climbs).zip(scale) {
        let tolerance = LOSS_TOLERANCE.max(TIMES_SCALE * scale).min(MOST);
        let reason = "near-ties, and what a step makes of them";
        rows.push(row(&steps_of(recipe), apart, tolerance, reason).at(format!("step {step}")));
    }
    Ok(rows)
}

fn scale_rows(who: &str, a: &Climbs, b: &Climbs, reason: &str) -> Vec<Row> {
    let row = |(recipe, apart, step)| {
        Row::new(who, &steps_of(recipe), apart, None, reason).at(format!("step {step}"))
    };
    a.apart(b).map(row).collect()
}

fn steps_of(recipe: &str) -> String {
    format!("{STEPS} steps of {recipe}")
}

/// The deepest layer that is large enough, and its channel with the largest mean: one that is alive. Not one after a
/// ReLU6, where that would be a channel at its bound.
fn choose(network: &Network, survey: &Survey) -> Result<Climb> {
    let suits = |(layer, activation): &&(LayerId, Array)| {
        let large = activation.dims4().is_ok_and(|(_, shape)| shape.height >= ROWS);
        large && network.node(*layer).is_ok_and(|node| node.op != Op::Relu6 && !node.name.ends_with(":pre"))
    };
    let (layer, activation) = survey.activations.iter().rev().find(suits).unwrap_or(&survey.activations[0]);
    let sums = channel_sums(activation);
    let channel = (0..sums.len()).max_by(|&a, &b| sums[a].total_cmp(&sums[b])).unwrap_or_default();
    Ok(Climb { layer: network.node(*layer)?.name.clone(), channel })
}

/// The sum of every channel of a batch of one.
fn channel_sums(activation: &Array) -> Vec<f64> {
    let Ok((_, shape)) = activation.dims4() else { return Vec::new() };
    let planes = activation.item(0).chunks_exact(shape.height * shape.width);
    planes.map(|plane| plane.iter().map(|&v| f64::from(v)).sum()).collect()
}
