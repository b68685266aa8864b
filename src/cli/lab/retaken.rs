//! A run, or the run of a picture that carries its recipe, opened anew: at its last step where its state is kept, and at the first
//! one otherwise.

use std::path::Path;

use anyhow::Result;
use trepang_api::{Array, Model};

use crate::config::args::ComputeArgs;
use crate::config::{Usage, check_repeatable, compute_of, find_run, pictures_of};
use crate::engine::{Ascent, AscentState, Picture};
use crate::runs::{Origin, RunFolder, read_origin};

/// A run with the model that takes its steps.
pub(super) struct RetakenRun {
    pub(super) ascent: Ascent,
    pub(super) model: Box<dyn Model>,
    /// The steps that had been taken of it.
    pub(super) steps: usize,
}

/// A run as it is saved.
struct KnownRun {
    origin: Origin,
    state: Option<AscentState>,
}

fn known(run: &Path) -> Result<KnownRun> {
    let place = find_run(run, None)?;
    if place.is_dir() {
        let (_, saved) = RunFolder::open(&place)?;
        return Ok(KnownRun { origin: saved.origin, state: Some(saved.state) });
    }
    Ok(KnownRun { origin: read_origin(&place)?, state: None })
}

impl RetakenRun {
    /// The run before its first step. Fails for one that no single computation takes again.
    pub(super) fn at_start(run: &Path, args: &ComputeArgs) -> Result<Self> {
        let KnownRun { origin, state } = known(run)?;
        check_repeatable(&origin)?;
        let steps = state.map_or(origin.plan.steps, |state| state.losses.len());
        Self::of(&origin, None, (steps, args))
    }

    /// The run after its last step, which is taken from its state, or else by taking all steps again.
    pub(super) fn at_end(run: &Path, args: &ComputeArgs) -> Result<Self> {
        let KnownRun { origin, state } = known(run)?;
        if state.is_none() {
            check_repeatable(&origin)?;
        }
        let steps = state.as_ref().map_or(origin.plan.steps, |state| state.losses.len());
        let mut retaken = Self::of(&origin, state, (steps, args))?;
        while retaken.ascent.step_count() < steps {
            retaken.step(run)?;
        }
        Ok(retaken)
    }

    fn of(origin: &Origin, state: Option<AscentState>, (steps, args): (usize, &ComputeArgs)) -> Result<Self> {
        // The run's network may be another one than the flags name, and those say nothing of the run.
        let ComputeArgs { backend, device, threads, .. } = args.clone();
        let own = ComputeArgs { backend, device, threads, ..ComputeArgs::default() };
        let compute = compute_of(origin, &own)?;
        let pictures = pictures_of(&origin.plan, Some(None))?;
        let (plan, network) = (origin.plan.clone(), compute.network());
        let ascent = match state {
            Some(state) => Ascent::resume(plan, network, state, &pictures)?,
            None => Ascent::new(plan, network, &pictures)?,
        };
        Ok(Self { ascent, model: compute.model()?, steps })
    }

    /// Takes the next step. Fails where the run is at its end.
    pub(super) fn step(&mut self, run: &Path) -> Result<()> {
        if self.ascent.is_finished() {
            let (name, step, steps) = (run.display(), self.ascent.step_count(), self.steps);
            return Err(Usage(format!("the run {name} ended after {step} of {steps} steps")).into());
        }
        self.ascent.step(self.model.as_mut())?;
        Ok(())
    }

    /// The picture as it is saved, and the same as the network gets it, `[1, 3, H, W]`. Fails for runs of several images.
    pub(super) fn seen(&self, run: &Path) -> Result<(Picture, Array)> {
        let images = self.ascent.images(self.model.pool().as_ref());
        if images.shape()[0] != 1 {
            let (name, count) = (run.display(), images.shape()[0]);
            return Err(Usage(format!("the run {name} is of {count} images, and --seen takes one")).into());
        }
        Ok((self.ascent.picture(), images))
    }
}
