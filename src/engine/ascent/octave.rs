//! Octaves: an ascent at growing image sizes, coarse to fine (Mordvintsev et al. 2015). What an octave has added to
//! the start is enlarged and laid over the start at the next size, so that the start keeps its detail.

use trepang_api::{Array, Network};

use super::{Ascent, AscentState, Stage, Transition, param, view_side};
use crate::engine::error::{Error, Result};
use crate::engine::plan::Plan;
use crate::engine::recipe::Recipe;
use crate::engine::resample::{Square, resize};

/// The side of octave `index` of `count`, each `scale` times the one before; the last has the plan's.
fn side(plan: &Plan, network: &Network, index: usize) -> usize {
    let Some(octaves) = plan.recipe.octaves else { return plan.size };
    if index + 1 >= octaves.count {
        return plan.size;
    }
    let input = network.input();
    let smaller = plan.size as f64 * octaves.scale.powf((index + 1) as f64 - octaves.count as f64);
    let above = (smaller - input.min as f64).max(0.0) / input.multiple as f64;
    let whole = input.min + above.round() as usize * input.multiple;
    whole.clamp(input.min.min(plan.size), plan.size)
}

/// The octave of the step after `step` steps. Fewer steps than octaves go to the last octaves, one to each, so that the
/// picture ends at its full size.
fn index(plan: &Plan, count: usize, step: usize) -> usize {
    let steps = plan.meant_steps(step).max(1);
    if steps < count { count - steps + step } else { step.saturating_mul(count) / steps }
}

pub(super) fn first_side(plan: &Plan, network: &Network) -> usize {
    let first = plan.recipe.octaves.map_or(0, |octaves| index(plan, octaves.count, 0));
    side(plan, network, first)
}

/// The side of the image in a state.
pub(super) fn side_of(plan: &Plan, recipe: &Recipe, state: &AscentState) -> Result<usize> {
    if recipe.octaves.is_none() {
        return Ok(plan.size);
    }
    if state.base.as_ref().is_none_or(|base| base.shape()[1..] != [3, plan.size, plan.size]) {
        return Err(Error::State("it does not hold the start that octaves go back to".into()));
    }
    match *state.x.shape() {
        [_, 3, height, width] if height == width && width <= plan.size => Ok(width),
        _ => Err(Error::State(format!("its image is {:?} for {} pixels", state.x.shape(), plan.size))),
    }
}

/// Square images at another side.
pub(super) fn resized(images: &Array, side: usize) -> Result<Array> {
    let [count, planes, from, _] = *images.shape() else { return Ok(images.clone()) };
    let data = resize(images.data(), Square { side: from, planes: count * planes }, side);
    Ok(Array::new([count, planes, side, side], data)?)
}

impl Ascent {
    /// The octave that the next step begins, if it begins one.
    pub(super) fn next_octave(&self) -> Result<Option<Transition>> {
        let (objective, recipe) = self.plan.at(self.step_count());
        let (Some(octaves), Some(base)) = (recipe.octaves, &self.state.base) else { return Ok(None) };
        let side = side(&self.plan, &self.network, index(&self.plan, octaves.count, self.step_count()));
        if side <= self.stage.side {
            return Ok(None); // never back: a run can be given more steps on the way
        }
        let mut x = resized(base, side)?;
        let before = resized(base, self.stage.side)?;
        let detail = self.state.x.data().iter().zip(before.data()).map(|(x, base)| x - base).collect();
        let detail = resized(&Array::new(self.state.x.shape(), detail)?, side)?;
        x.data_mut().iter_mut().zip(detail.data()).for_each(|(x, d)| *x = (*x + d).clamp(0.0, 1.0));
        let view = view_side(recipe, &self.network, side)?;
        let bound = objective.bind(&self.network, view)?;
        let moments = recipe.optimizer.moments(x.data().len());
        let param = param(recipe, &self.network, side);
        Ok(Some(Transition {
            stage: Stage { objective: bound, param, side, view, references: None },
            x,
            moments,
        }))
    }
}
