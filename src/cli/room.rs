//! The check that a run can fit into memory at all, before anything of its size is made.

use anyhow::Result;

use crate::config::Compute;
use crate::engine::{Plan, least_memory};
use crate::memory;

/// Fails for a plan whose parameters and images alone do not fit into memory.
pub(super) fn check_room(plan: &Plan, compute: &Compute) -> Result<()> {
    let least = least_memory(plan, compute.network().input());
    Ok(memory::check_room(plan.size, least, memory::available(&compute.device)?)?)
}
