//! Short ascents of one channel by several recipes, and the differences between the losses of two backends.

use anyhow::Result;
use trepang_api::{Model, Network};

use crate::engine::{Ascent, Objective, Pictures, Plan, Recipe};

/// The recipes that are compared: those that add the least of their own. What others do outside of the network is the same
/// code for every backend.
pub(super) const RECIPES: [&str; 2] = ["pixel", "original"];

/// The number of steps of each ascent.
pub const ASCENT_STEPS: usize = 20;

/// The largest relative difference between the losses of two correct backends in [`ASCENT_STEPS`] steps. Each step turns
/// rounding into pixels, and near-ties of a ReLU or a max pooling into other paths, so that differences grow.
pub const LOSS_TOLERANCE: f64 = 1e-2;

/// The layer and the channel that the ascents maximise.
#[derive(Debug, Clone)]
pub(super) struct ParityAscent {
    pub(super) layer: String,
    pub(super) channel: usize,
}

/// For each recipe, its name and the losses of its steps.
#[derive(Debug)]
pub(super) struct AscentLosses(Vec<(String, Vec<f64>)>);

impl ParityAscent {
    /// Runs an ascent by each recipe. With `nudged`, the start differs by one rounding.
    pub(super) fn losses(
        &self,
        model: &mut dyn Model,
        network: &Network,
        recipes: &[&str],
        nudged: bool,
    ) -> Result<AscentLosses> {
        let mut losses = Vec::new();
        for recipe in recipes.iter().filter_map(|name| Recipe::named(name)) {
            let name = recipe.name.clone();
            let mut ascent = Ascent::new(self.plan(network, recipe), network, &Pictures::new())?;
            if nudged {
                ascent = nudge(&ascent, network)?;
            }
            while !ascent.is_finished() {
                ascent.step(model)?;
            }
            losses.push((name, ascent.state().losses.clone()));
        }
        Ok(AscentLosses(losses))
    }

    fn plan(&self, network: &Network, recipe: Recipe) -> Plan {
        let objective = Objective::channel(&self.layer, self.channel);
        Plan { steps: ASCENT_STEPS, ..Plan::new(objective, recipe, network.input().native) }
    }
}

/// The same ascent with every parameter at the next `f32` away from zero.
fn nudge(ascent: &Ascent, network: &Network) -> Result<Ascent> {
    let mut state = ascent.state().clone();
    state.x.data_mut().iter_mut().for_each(|x| *x = f32::from_bits(x.to_bits() + 1));
    Ok(Ascent::resume(ascent.plan().clone(), network, state, &Pictures::new())?)
}

impl AscentLosses {
    /// For each recipe: its name, the largest relative difference of a loss, and the step of that loss, counted from 1.
    pub(super) fn apart<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a str, f64, usize)> + 'a {
        let both = self.0.iter().zip(&other.0);
        both.map(|((recipe, a), (_, b))| {
            let (apart, step) = largest(a, b);
            (recipe.as_str(), apart, step)
        })
    }
}

fn largest(a: &[f64], b: &[f64]) -> (f64, usize) {
    let steps = (1..).zip(a.iter().zip(b)).map(|(step, (a, b))| {
        let apart = (a - b).abs() / a.abs().max(b.abs()).max(f64::MIN_POSITIVE);
        (apart, step)
    });
    steps.fold((0.0, ASCENT_STEPS), |most, next| if next.0 > most.0 { next } else { most })
}
