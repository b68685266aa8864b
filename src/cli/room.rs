//! The checks that a run fits into memory: at all, before anything of its size is made, and with the model, before a step.

use anyhow::Result;
use trepang_api::Model;

use crate::config::Compute;
use crate::engine::{Ascent, Plan, least_memory};
use crate::memory;

/// Fails for a plan whose parameters and images alone do not fit into memory.
pub(super) fn check_room(plan: &Plan, compute: &Compute) -> Result<()> {
    let least = least_memory(plan, compute.network().input());
    Ok(memory::check_room(plan.size, least, memory::available(&compute.device)?)?)
}

/// Fails for an ascent of which a step, or the evaluation of its picture, does not fit into memory.
pub(super) fn check_step(ascent: &Ascent, model: &dyn Model, compute: &Compute) -> Result<()> {
    // The picture is evaluated after the steps.
    let needed = ascent.memory(model)?.max(ascent.evaluation_memory(model)?);
    Ok(memory::check_room(ascent.plan().size, needed, memory::available(&compute.device)?)?)
}
