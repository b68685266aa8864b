//! The worker and what it has besides the first network: other networks, other devices, and those that judge.

use anyhow::Result;
use trepang_api::Model;

use super::{Desk, Loaded};
use crate::app::{Settings, Status};
use crate::engine::Objective;
use crate::panics::guard;

impl Desk {
    /// Saves the run and puts another network in the place of the one on the device, which stays there, with its run,
    /// until that has worked.
    pub(super) fn switch(&mut self, name: &str, settings: Settings, model: &mut Box<dyn Model>) {
        let before = self.snapshot.status.clone();
        self.keep();
        self.publish(Status::Loading);
        let opened = guard("the backend", || self.shelf.open(name));
        self.snapshot.switches += 1;
        match opened {
            Ok(loaded) => self.take_over(name, loaded, settings, model),
            Err(error) => {
                self.snapshot.notice = Some(format!("{name} was not loaded: {error:#}").into());
                self.publish(before);
            }
        }
    }

    fn take_over(&mut self, name: &str, loaded: Loaded, settings: Settings, model: &mut Box<dyn Model>) {
        let Loaded { model: new, network, labels, provenance, subject } = loaded;
        *model = new;
        self.judges.set_own(name, &network, &labels);
        self.snapshot.judges = self.judges.chosen();
        (self.setup.network, self.setup.labels, self.setup.provenance) = (network, labels, provenance);
        let (layer, channel) = &subject.first_look;
        let plan = Settings { size: subject.size, ..settings }.plan(Objective::channel(layer, *channel));
        self.snapshot.subject = Some(subject);
        (self.job, self.snapshot.predictions) = (None, None);
        self.snapshot.status = Status::Idle; // until the run has begun, and if it cannot
        self.start(plan);
    }

    /// Saves the run and puts the network on another device, where the run goes on from the same picture. Until that has
    /// worked, everything stays where it is.
    pub(super) fn carry(&mut self, backend: &str, device: &str, model: &mut Box<dyn Model>) {
        let mut before = self.snapshot.status.clone();
        self.keep();
        self.publish(Status::Loading);
        let opened = guard("the backend", || self.shelf.carry(backend, device, &self.setup.provenance));
        self.snapshot.switches += 1;
        let notice = match opened {
            Ok(Loaded { model: new, provenance, subject, .. }) => {
                *model = new;
                if let Some(job) = &mut self.job {
                    job.go_on(&provenance);
                }
                self.setup.provenance = provenance;
                self.snapshot.subject = Some(subject);
                // What stopped the run may have been the device.
                if before == Status::Stopped {
                    before = Status::Paused;
                }
                format!("{backend} on {device} computes now")
            }
            Err(error) => format!("{backend} on {device} does not compute: {error:#}"),
        };
        self.snapshot.notice = Some(notice.into());
        self.publish(before);
    }

    /// Loads a network that judges, or lets go of it.
    pub(super) fn toggle_judge(&mut self, name: &str) {
        let notice = match self.judges.remove(name) {
            true => format!("{name} judges no longer"),
            false => self.add_judge(name),
        };
        self.snapshot.notice = Some(notice.into());
        self.snapshot.judges = self.judges.chosen();
        self.forget_predictions();
    }

    /// What came of it, for the user.
    fn add_judge(&mut self, name: &str) -> String {
        self.snapshot.notice = Some(format!("loading {name} to judge").into());
        let status = self.snapshot.status.clone();
        self.publish(status);
        match guard("the backend", || self.shelf.judge(name)) {
            Ok(classifier) => {
                self.judges.add(name, classifier);
                format!("{name} judges too")
            }
            Err(error) => format!("{name} was not loaded: {error:#}"),
        }
    }

    /// Others judge now, or none: the picture is looked at anew.
    pub(super) fn forget_predictions(&mut self) {
        self.snapshot.predictions = None;
        let status = self.snapshot.status.clone();
        self.publish(status);
    }

    /// Is the picture to be judged now: a running one when it is time, and one that stands still once?
    pub(super) fn is_prediction_due(&self) -> bool {
        let step = self.job.as_ref().map_or(0, |job| job.session.ascent().step_count());
        let seen = self.snapshot.predictions.as_ref().map_or(0, |predictions| predictions.step);
        let running = self.snapshot.status == Status::Running;
        step > seen && self.judges.sit() && (!running || self.judges.is_due())
    }

    /// Has the picture judged. Only a panic in the model that climbs is an error.
    pub(super) fn predict(&mut self, model: &mut dyn Model) -> Result<()> {
        let Some(job) = &self.job else { return Ok(()) };
        let (predictions, failures) =
            self.judges.judge(model, &job.session.ascent().picture(), job.session.ascent().step_count())?;
        self.snapshot.predictions = Some(predictions.into());
        if !failures.is_empty() {
            self.snapshot.notice = Some(failures.join("; ").into());
            self.snapshot.judges = self.judges.chosen();
        }
        let status = self.snapshot.status.clone();
        self.publish(status);
        Ok(())
    }
}
