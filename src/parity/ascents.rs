//! Short ascents of one channel by several recipes, and how far two of them part.

use anyhow::Result;
use trepang_api::{Model, Network};

use crate::engine::{Ascent, Objective, Pictures, Plan, Recipe};

/// The recipes that are climbed: those that add the least of their own. What others do outside of the network is the same
/// code for every backend.
pub(super) const RECIPES: [&str; 2] = ["pixel", "original"];

/// Steps of each ascent.
pub const STEPS: usize = 20;

/// How far the losses of two correct backends may part in [`STEPS`] steps, relative to the loss. A step turns rounding
/// into pixels, and near-ties of a ReLU or a max pooling into other paths; what differs grows from step to step.
pub const LOSS_TOLERANCE: f64 = 1e-2;

/// What is climbed.
#[derive(Debug, Clone)]
pub(super) struct Climb {
    pub(super) layer: String,
    pub(super) channel: usize,
}

/// The losses of every recipe.
#[derive(Debug)]
pub(super) struct Climbs(Vec<(String, Vec<f64>)>);

impl Climb {
    /// Climbs by each recipe. With `nudged` the start is one rounding off.
    pub(super) fn climbs(
        &self,
        model: &mut dyn Model,
        network: &Network,
        recipes: &[&str],
        nudged: bool,
    ) -> Result<Climbs> {
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
        Ok(Climbs(losses))
    }

    fn plan(&self, network: &Network, recipe: Recipe) -> Plan {
        let objective = Objective::channel(&self.layer, self.channel);
        Plan { steps: STEPS, ..Plan::new(objective, recipe, network.input().native) }
    }
}

/// The same ascent with every parameter at the next `f32` away from zero.
fn nudge(ascent: &Ascent, network: &Network) -> Result<Ascent> {
    let mut state = ascent.state().clone();
    state.x.data_mut().iter_mut().for_each(|x| *x = f32::from_bits(x.to_bits() + 1));
    Ok(Ascent::resume(ascent.plan().clone(), network, state, &Pictures::new())?)
}

impl Climbs {
    /// For each recipe that both took: its name, the largest relative difference of a loss, and the step where it is.
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
    steps.fold((0.0, STEPS), |most, next| if next.0 > most.0 { next } else { most })
}
