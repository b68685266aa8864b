//! The words for what was to be raised and never was.

use crate::engine::Objective;

/// Says that no step woke the objective.
pub(super) fn never_woken(objective: &Objective, steps: usize) -> String {
    let what = match objective {
        Objective::Channel { .. } => "channel",
        Objective::Neuron { .. } => "neuron",
        Objective::Layer { .. } => "layer",
        Objective::Logit { .. } => "class",
        _ => "objective",
    };
    format!("nothing woke this {what} in {steps} steps")
}
