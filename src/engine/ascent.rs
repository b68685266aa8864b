//! One run of a recipe: its step, and its state, which can be saved and taken up again to the bit.

use serde::{Deserialize, Serialize};
use trepang_api::{Array, Model, Network};

use super::optimizer::deviation;
use super::{Bound, DeadChannel, Error, Moments, Objective, Param, Picture, Recipe, Result, Start};

/// Everything that decides an ascent, given a network and its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What is raised.
    pub objective: Objective,
    /// How.
    pub recipe: Recipe,
    /// The side of the square image, in pixels.
    pub size: usize,
    /// Where all randomness comes from.
    pub seed: u64,
    /// What the image is before the first step.
    pub start: Start,
    /// How many steps the run is meant to take.
    pub steps: usize,
}

/// What a finished step found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Its number, counted from 1.
    pub step: usize,
    /// The objective's value on the image before the step: step 1 reports the start image.
    pub loss: f64,
    /// The Euclidean length of dL/dx, before any normalisation.
    pub gradient_norm: f64,
    /// True when no gradient reached the image and the step climbed the activation before the ReLU instead.
    pub dead: bool,
}

/// What has to be kept of an ascent, besides its [`Plan`], to go on with the same bits.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The parameters, `[1, 3, size, size]`.
    pub x: Array,
    /// The optimizer's memory.
    pub moments: Moments,
    /// The loss of every step so far.
    pub losses: Vec<f64>,
    /// How many of them climbed before the ReLU.
    pub dead_steps: usize,
}

/// A run in progress.
#[derive(Debug)]
pub struct Ascent {
    plan: Plan,
    objective: Bound,
    /// The same before the ReLU, if the recipe climbs that and the layers have it.
    escape: Option<Bound>,
    param: Param,
    state: State,
}

impl Ascent {
    /// Prepares the first step; fails when the plan does not fit the network. `picture` is what the file of a
    /// [`Start::Picture`] holds.
    pub fn new(plan: Plan, network: &Network, picture: Option<&Picture>) -> Result<Self> {
        network.check_size(plan.size)?;
        let levels = plan.start.levels(plan.size, plan.seed, plan.recipe.noise, picture)?;
        let param = Param::new(plan.recipe.space, network.preprocess().clone(), plan.size);
        let x = param.encode(&levels)?;
        let moments = plan.recipe.optimizer.moments(x.data().len());
        let state = State { x, moments, losses: Vec::new(), dead_steps: 0 };
        Self::resume(plan, network, state)
    }

    /// Takes up an ascent where `state` was saved; the rest is identical to a run that was never interrupted.
    pub fn resume(plan: Plan, network: &Network, state: State) -> Result<Self> {
        network.check_size(plan.size)?;
        let expected = plan.recipe.optimizer.moments(state.x.data().len());
        let moments = &state.moments;
        if state.x.shape() != [1, 3, plan.size, plan.size] {
            return Err(Error::State(format!("its image is {:?} for {} pixels", state.x.shape(), plan.size)));
        }
        if (moments.first.len(), moments.second.len()) != (expected.first.len(), expected.second.len()) {
            return Err(Error::State("its optimizer remembers another number of values".into()));
        }
        let numbers = [state.x.data(), &moments.first, &moments.second];
        if numbers.iter().any(|numbers| numbers.iter().any(|v| !v.is_finite())) {
            return Err(Error::State("it holds a number that is not finite".into()));
        }
        let objective = plan.objective.bind(network, plan.size)?;
        let escape = match (plan.recipe.dead, plan.objective.before_relu(network)) {
            (DeadChannel::ClimbBeforeRelu, Some(pre)) => Some(pre.bind(network, plan.size)?),
            _ => None,
        };
        let param = Param::new(plan.recipe.space, network.preprocess().clone(), plan.size);
        Ok(Self { plan, objective, escape, param, state })
    }

    /// What decides this run.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What would have to be saved now.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Steps taken so far.
    pub fn step_count(&self) -> usize {
        self.state.losses.len()
    }

    /// Has it taken all the steps it was meant to?
    pub fn is_finished(&self) -> bool {
        self.step_count() >= self.plan.steps
    }

    /// Changes how many steps it is meant to take.
    pub fn set_steps(&mut self, steps: usize) {
        self.plan.steps = steps;
    }

    /// The picture as it would be saved now.
    pub fn picture(&self) -> Picture {
        self.param.picture(&self.state.x)
    }

    /// One step of the recipe. On an error the state is what it was before.
    pub fn step(&mut self, model: &mut dyn Model) -> Result<StepReport> {
        let step = self.step_count() + 1;
        let image = self.param.image(&self.state.x);
        let (loss, mut gradient) = self.gradient(&self.objective, &image, model, step)?;
        let dead = is_flat(&gradient);
        if dead {
            gradient = self.escape_gradient(&image, model, step)?;
        }
        let norm = gradient.data().iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        let State { x, moments, losses, dead_steps } = &mut self.state;
        self.plan.recipe.optimizer.step(step, moments, x.data_mut(), gradient.data());
        let [low, high] = self.param.bounds();
        x.data_mut().iter_mut().for_each(|x| *x = x.clamp(low, high));
        losses.push(loss);
        *dead_steps += usize::from(dead);
        Ok(StepReport { step, loss, gradient_norm: norm, dead })
    }

    /// The objective's value and its gradient with respect to the parameters.
    fn gradient(
        &self,
        objective: &Bound,
        image: &Array,
        model: &mut dyn Model,
        step: usize,
    ) -> Result<(f64, Array)> {
        let (loss, d_image) = objective.pull_back(image, model)?;
        let gradient = self.param.pull_back(&d_image);
        if !loss.is_finite() {
            return Err(Error::NotFinite { step, what: "a loss" });
        }
        if gradient.data().iter().any(|g| !g.is_finite()) {
            return Err(Error::NotFinite { step, what: "a gradient" });
        }
        Ok((loss, gradient))
    }

    fn escape_gradient(&self, image: &Array, model: &mut dyn Model, step: usize) -> Result<Array> {
        let dead = |way_out| Error::Dead { objective: self.plan.objective.clone(), step, way_out };
        match &self.escape {
            Some(escape) => {
                let (_, gradient) = self.gradient(escape, image, model, step)?;
                if is_flat(&gradient) {
                    Err(dead(" (it is just as flat before the ReLU)"))
                } else {
                    Ok(gradient)
                }
            }
            None if self.plan.recipe.dead == DeadChannel::Stop => Err(dead(
                ", the layer's ':pre' form, or the recipe 'pixel', which climbs out before the ReLU",
            )),
            None => Err(dead("")),
        }
    }
}

/// Nothing to climb: every number equal, so that g / std(g) would divide by zero.
fn is_flat(gradient: &Array) -> bool {
    deviation(gradient.data()) == 0.0
}
