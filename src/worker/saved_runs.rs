//! The list of the runs that were saved, for viewers.

use super::protocol::{Outcome, SavedRunEntry};
use super::worker_loop::WorkerLoop;
use crate::engine::Objective;
use crate::runs::{RunSummary, list_runs};

impl WorkerLoop {
    /// Reads the list anew.
    pub(super) fn list_runs(&mut self) -> Outcome {
        let outcome = match list_runs(&self.setup.runs) {
            Ok(listing) => {
                let runs = listing.map(|listing| listing.runs).unwrap_or_default();
                self.snapshot.runs = runs.iter().map(entry).collect();
                Outcome::Done
            }
            Err(error) => self.refuse(error.chain()),
        };
        self.republish();
        outcome
    }
}

fn entry(run: &RunSummary) -> SavedRunEntry {
    let origin = &run.manifest.origin;
    let objective = origin.plan.last_objective();
    let target = if let Objective::Channel { layer, channel } = objective {
        Some((layer.clone(), *channel))
    } else {
        None
    };
    SavedRunEntry {
        name: run.name.clone(),
        network: origin.provenance.network.clone(),
        objective: objective.to_string(),
        target,
        step: run.manifest.step,
    }
}
