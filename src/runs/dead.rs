//! The words for what was to be raised and never was.

use crate::engine::Objective;

/// A clause that says that no step woke the objective.
pub fn never_woken(objective: &Objective, steps: usize) -> String {
    let what = match objective {
        Objective::Channel { .. } => "channel",
        Objective::Neuron { .. } => "neuron",
        Objective::Layer { .. } => "layer",
        Objective::Logit { .. } => "class",
        _ => "objective",
    };
    let word = if steps == 1 { "step" } else { "steps" };
    format!("nothing woke this {what} in {steps} {word}")
}
