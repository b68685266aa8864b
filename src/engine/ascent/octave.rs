//! Octaves: an ascent at growing image sizes, coarse to fine (Mordvintsev et al. 2015). What an octave has added to
//! the start is enlarged and laid over the start at the next size, so that the start keeps its detail.

use trepang_api::{Array, InputSize, Network, Shape};

use super::{Ascent, AscentState, Stage, Transition, param};
use crate::engine::error::{Error, Result};
use crate::engine::fitting::view_size;
use crate::engine::plan::Plan;
use crate::engine::recipe::Recipe;
use crate::engine::resample::resize;
use crate::engine::size::PictureSize;

/// The size of octave `index` of `count`, each `scale` times the one before; the last has the plan's.
fn size(plan: &Plan, network: &Network, index: usize) -> PictureSize {
    let Some(octaves) = plan.recipe.octaves else { return plan.size };
    if index + 1 >= octaves.count {
        return plan.size;
    }
    let scale = octaves.scale.powf((index + 1) as f64 - octaves.count as f64);
    PictureSize::of_sides(plan.size.sides().map(|side| smaller(side, scale, network.input())))
}

/// A side at a smaller scale, rounded to what the network takes.
fn smaller(full: usize, scale: f64, InputSize { min, multiple, .. }: InputSize) -> usize {
    let above = (full as f64 * scale - min as f64).max(0.0) / multiple as f64;
    let whole = min + above.round() as usize * multiple;
    whole.clamp(min.min(full), full)
}

/// The octave of the step after `step` steps. Fewer steps than octaves go to the last octaves, one to each, so that the
/// picture ends at its full size.
fn index(plan: &Plan, count: usize, step: usize) -> usize {
    let steps = plan.meant_steps(step).max(1);
    if steps < count { count - steps + step } else { step.saturating_mul(count) / steps }
}

pub(super) fn first_size(plan: &Plan, network: &Network) -> PictureSize {
    let first = plan.recipe.octaves.map_or(0, |octaves| index(plan, octaves.count, 0));
    size(plan, network, first)
}

/// The size of the image in a state.
pub(super) fn size_of(plan: &Plan, recipe: &Recipe, state: &AscentState) -> Result<PictureSize> {
    let PictureSize { width: full_width, height: full_height } = plan.size;
    if recipe.octaves.is_none() {
        return Ok(plan.size);
    }
    if state.base.as_ref().is_none_or(|base| base.shape()[1..] != [3, full_height, full_width]) {
        return Err(Error::State("it does not hold the start that octaves go back to".into()));
    }
    match *state.x.shape() {
        [_, 3, height, width]
            if (height == width || !plan.size.is_square())
                && width <= full_width
                && height <= full_height =>
        {
            Ok(PictureSize { width, height })
        }
        _ => Err(Error::State(format!("its image is {:?} for {} pixels", state.x.shape(), plan.size))),
    }
}

/// Images at another size.
pub(super) fn resized(images: &Array, to: PictureSize) -> Result<Array> {
    let [count, planes, height, width] = *images.shape() else { return Ok(images.clone()) };
    let data = resize(images.data(), Shape { channels: count * planes, height, width }, to.sides());
    Ok(Array::new([count, planes, to.height, to.width], data)?)
}

impl Ascent {
    /// The octave that the next step begins, if it begins one.
    pub(super) fn next_octave(&self) -> Result<Option<Transition>> {
        let (objective, recipe) = self.plan.at(self.step_count());
        let (Some(octaves), Some(base)) = (recipe.octaves, &self.state.base) else { return Ok(None) };
        let size = size(&self.plan, &self.network, index(&self.plan, octaves.count, self.step_count()));
        let now = self.stage.size;
        if size.width <= now.width && size.height <= now.height {
            return Ok(None); // never back: a run can be given more steps on the way
        }
        let mut x = resized(base, size)?;
        let before = resized(base, now)?;
        let detail = self.state.x.data().iter().zip(before.data()).map(|(x, base)| x - base).collect();
        let detail = resized(&Array::new(self.state.x.shape(), detail)?, size)?;
        x.data_mut().iter_mut().zip(detail.data()).for_each(|(x, d)| *x = (*x + d).clamp(0.0, 1.0));
        let view = view_size(recipe, &self.network, size)?;
        let bound = objective.bind(&self.network, view)?;
        let moments = recipe.optimizer.moments(x.data().len());
        let param = param(recipe, &self.network, size);
        Ok(Some(Transition {
            stage: Stage { objective: bound, param, size, view, references: None },
            x,
            moments,
        }))
    }
}
