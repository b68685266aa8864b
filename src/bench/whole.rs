//! A whole step of an ascent, and how much of it is spent outside of the network: parameters, transforms, objective, optimizer.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use serde::{Deserialize, Serialize};
use trepang_api::{Array, Cotangents, LayerId, Model, Network, ReluGradient, Result as ApiResult};

use crate::engine::{Ascent, Objective, PictureSize, Pictures, Plan, Recipe, step_together};

/// The recipe whose steps are measured.
pub const RECIPE: &str = "lucid";

/// The steps that the ascents are meant to take: more than are measured, so that none comes to its end.
const MOST_STEPS: usize = 1_000_000;

/// The seeds that are tried for each channel, where some take no step.
const SEEDS: usize = 4;

/// Seconds of a whole step, and of what it computes outside of the network.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct WholeStep {
    /// All of it.
    pub seconds: f64,
    /// The part that is not spent in the network.
    pub host: f64,
}

/// A model that keeps the time spent in it, and in the cotangents that it asks for.
#[derive(Debug)]
pub struct TimedModel<'a> {
    model: &'a mut dyn Model,
    /// The time spent in the network.
    pub network: Duration,
    /// The time spent in the objective, between the way there and the way back.
    pub objective: Duration,
}

impl<'a> TimedModel<'a> {
    /// Nothing is measured yet.
    pub fn new(model: &'a mut dyn Model) -> Self {
        Self { model, network: Duration::ZERO, objective: Duration::ZERO }
    }
}

impl Model for TimedModel<'_> {
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> ApiResult<Vec<Array>> {
        let begun = Instant::now();
        let found = self.model.activations(images, at);
        self.network += begun.elapsed();
        found
    }

    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> ApiResult<Array> {
        let (begun, mut objective) = (Instant::now(), Duration::ZERO);
        let found = self.model.pull_back(images, at, relu, &mut |activations| {
            let begun = Instant::now();
            let found = cotangents(activations);
            objective += begun.elapsed();
            found
        });
        self.network += begun.elapsed().saturating_sub(objective);
        self.objective += objective;
        found
    }

    fn activations_from(&mut self, start: &[(LayerId, Array)], at: &[LayerId]) -> ApiResult<Vec<Array>> {
        self.model.activations_from(start, at)
    }

    fn pull_back_from(
        &mut self,
        start: &[(LayerId, Array)],
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> ApiResult<Vec<Array>> {
        self.model.pull_back_from(start, at, relu, cotangents)
    }

    fn memory(&self, images: [usize; 3], at: &[LayerId]) -> ApiResult<u64> {
        self.model.memory(images, at)
    }

    fn pool(&self) -> std::sync::Arc<dyn trepang_api::ComputePool> {
        self.model.pool()
    }
}

/// Ascents of `batch` channels of a layer by [`RECIPE`]: its first ones that take a step.
pub(super) fn ascents(
    network: &Network,
    model: &mut dyn Model,
    layer: &str,
    (size, batch): (PictureSize, usize),
) -> Result<Vec<Ascent>> {
    let recipe = Recipe::named(RECIPE).ok_or_else(|| anyhow!("there is no recipe {RECIPE}"))?;
    let channels = network.shape(size.height, size.width, network.layer(layer)?)?.channels;
    let mut found = Vec::new();
    for index in 0..batch + SEEDS * channels {
        if found.len() == batch {
            break;
        }
        let plan = Plan {
            seed: (index / channels) as u64,
            steps: MOST_STEPS,
            ..Plan::new(Objective::channel(layer, index % channels), recipe.clone(), size)
        };
        let mut ascent = Ascent::new(plan, network, &Pictures::new())?;
        // A dead channel takes none.
        if ascent.step(model).is_ok() {
            found.push(ascent);
        }
    }
    if found.len() < batch {
        return Err(anyhow!("{layer} has not enough channels that take a step by {RECIPE}"));
    }
    Ok(found)
}

/// The mean of `count` steps of all ascents together.
pub(super) fn whole_steps(ascents: &mut [Ascent], model: &mut dyn Model, count: usize) -> Result<WholeStep> {
    let mut timed = TimedModel::new(model);
    let begun = Instant::now();
    for _ in 0..count {
        let mut group: Vec<&mut Ascent> = ascents.iter_mut().collect();
        step_together(&mut group, &mut timed).into_iter().collect::<crate::engine::Result<Vec<_>>>()?;
    }
    let whole = begun.elapsed();
    let mean = |time: Duration| time.as_secs_f64() / count as f64;
    Ok(WholeStep { seconds: mean(whole), host: mean(whole.saturating_sub(timed.network)) })
}
