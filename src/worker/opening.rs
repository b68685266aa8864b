//! The worker and a saved run that is put on the screen again, on its own network.

use trepang_api::Model;

use super::active_run::ActiveRun;
use super::error::{Error, Result};
use super::pictures::read_same_pictures;
use super::protocol::{NetworkView, Outcome, Status};
use super::worker_loop::WorkerLoop;
use crate::engine::{Objective, Score};
use crate::panics::guard;
use crate::runs::{Manifest, Provenance, RunFolder, SavedRun, Session, run_named};

impl WorkerLoop {
    /// Opens a saved run. Where that does not work, everything stays as it is.
    pub(super) fn open_saved(&mut self, name: &str, goes_on: bool, model: &mut Box<dyn Model>) -> Outcome {
        let before = self.snapshot.status.clone();
        let outcome = match self.reopen_saved(name, goes_on, model) {
            Ok(()) => Outcome::Done,
            Err(error) => self.refuse(format!("{name} was not opened: {}", error.chain())),
        };
        if self.snapshot.status == Status::Loading {
            self.snapshot.status = before;
        }
        self.republish();
        outcome
    }

    fn reopen_saved(&mut self, name: &str, goes_on: bool, model: &mut Box<dyn Model>) -> Result<()> {
        if self.is_shown(name) {
            if goes_on && self.snapshot.status == Status::Paused {
                self.snapshot.status = Status::Running;
            }
            self.snapshot.notice = Some(format!("{name} is on the screen").into());
            return Ok(());
        }
        let (folder, saved) = RunFolder::open_to_resume(&run_named(&self.setup.runs, name)?)?;
        let score = folder.manifest().as_ref().and_then(score_of);
        let pictures = read_same_pictures(&saved.origin.plan)?;
        self.fetch_network(&saved, model)?;
        let provenance = self.setup.provenance.clone();
        let session =
            Session::reopen((folder, saved), &self.setup.network, &pictures, provenance)?.with_growth();
        let ascent = session.ascent();
        let (step, steps) = (ascent.step_count(), ascent.plan().steps);
        let (status, text) = match (ascent.is_finished(), goes_on) {
            (true, _) => (Status::Finished, format!("{name} is finished, after {step} steps")),
            (false, true) => (Status::Running, format!("{name} goes on from step {step} of {steps}")),
            (false, false) => {
                (Status::Paused, format!("{name} stands at step {step} of {steps}; Space goes on"))
            }
        };
        let run = ActiveRun::reopened(session, pictures, self.run_count + 1, score);
        self.queue = None;
        self.show(run, status, Some(text));
        Ok(())
    }

    /// Puts the network of a saved run on the device, if it is another than the one that is there, after the run that is there
    /// was saved. Fails where the run was made with other weights than those that its network has here.
    fn fetch_network(&mut self, saved: &SavedRun, model: &mut Box<dyn Model>) -> Result<()> {
        let made = &saved.origin.provenance;
        if is_same_network(made, &self.setup.provenance) {
            return Ok(());
        }
        self.save();
        self.publish(Status::Loading);
        let mut loaded = guard("the backend", || self.models.open(&made.network))?;
        if !is_same_network(made, &loaded.provenance) {
            let (network, weights) = (made.network.clone(), made.weights.clone());
            return Err(Error::OtherWeights { network, weights });
        }
        if let Objective::Channel { layer, channel } = saved.origin.plan.at(saved.state.losses.len()).0 {
            let layer = layer.strip_suffix(":pre").unwrap_or(layer);
            let first_look = (layer.to_owned(), *channel);
            loaded.view = NetworkView { first_look, ..(*loaded.view).clone() }.into();
        }
        self.adopt(&made.network, loaded, model);
        Ok(())
    }
}

/// Whether both are of one network with the same weights and the same preprocessing.
fn is_same_network(a: &Provenance, b: &Provenance) -> bool {
    let of = |one: &Provenance| (one.network.clone(), one.weights_sha256.clone(), one.input.clone());
    of(a) == of(b)
}

/// The score in a manifest, if it was measured.
fn score_of(manifest: &Manifest) -> Option<Score> {
    let (clean, robust) = manifest.activation.zip(manifest.activation_robust)?;
    Some(Score { clean, robust })
}
