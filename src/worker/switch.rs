//! The worker and what it has besides the first network: other networks, other devices, and other classifiers.

use trepang_api::Model;

use super::error::Result;
use super::models::LoadedModel;
use super::protocol::{Outcome, Settings, Status};
use super::worker_loop::WorkerLoop;
use crate::engine::Objective;
use crate::panics::guard;

impl WorkerLoop {
    /// Saves the run and puts another network in the place of the one on the device, which stays there, with its run,
    /// until that has worked.
    pub(super) fn switch_network(
        &mut self,
        name: &str,
        settings: Settings,
        model: &mut Box<dyn Model>,
    ) -> Outcome {
        let before = self.snapshot.status.clone();
        self.save();
        self.publish(Status::Loading);
        let opened = guard("the backend", || self.models.open(name));
        match opened {
            Ok(loaded) => self.take_over(name, loaded, settings, model),
            Err(error) => {
                let refused = self.refuse(format!("{name} was not loaded: {}", error.chain()));
                self.publish(before);
                refused
            }
        }
    }

    fn take_over(
        &mut self,
        name: &str,
        loaded: LoadedModel,
        settings: Settings,
        model: &mut Box<dyn Model>,
    ) -> Outcome {
        let (layer, channel) = &loaded.view.first_look;
        let size = loaded.view.size.into();
        let plan = Settings { size, ..settings }.plan(&Objective::channel(layer, *channel));
        self.adopt(name, loaded, model);
        match plan {
            Ok(plan) => self.start(plan, Some(size)),
            Err(reason) => self.refuse(reason),
        }
    }

    /// Puts a network in the place of the one on the device, whose run was saved. There is no run until one begins.
    pub(super) fn adopt(&mut self, name: &str, loaded: LoadedModel, model: &mut Box<dyn Model>) {
        let LoadedModel { model: new, network, labels, provenance, view } = loaded;
        self.put_drafts_away();
        self.stop_examining();
        self.close_lab();
        self.queue = None;
        self.begin_class_search();
        *model = new;
        self.classifiers.set_own(name, &provenance.weights_sha256, &network, &labels);
        self.snapshot.classifiers = self.classifiers.chosen();
        (self.setup.network, self.setup.labels, self.setup.provenance) = (network, labels, provenance);
        self.snapshot.network = Some(view);
        (self.run, self.snapshot.predictions) = (None, None);
        self.snapshot.status = Status::Idle;
    }

    /// Saves the run and puts the network on another device, where the run goes on from the same picture. Until that has
    /// worked, everything stays where it is.
    pub(super) fn switch_device(
        &mut self,
        backend: &str,
        device: &str,
        model: &mut Box<dyn Model>,
    ) -> Outcome {
        let mut before = self.snapshot.status.clone();
        self.save();
        self.publish(Status::Loading);
        let opened = guard("the backend", || self.models.open_on(backend, device, &self.setup.provenance));
        let outcome = match opened {
            Ok(LoadedModel { model: new, provenance, view, .. }) => {
                self.put_drafts_away();
                self.stop_examining();
                self.close_lab();
                *model = new;
                if let Some(run) = &mut self.run {
                    run.compute_with(&provenance);
                }
                self.setup.provenance = provenance;
                self.snapshot.network = Some(view);
                // What stopped the run may have been the device.
                if before == Status::Stopped {
                    before = Status::Paused;
                }
                self.snapshot.notice = Some(format!("{backend} on {device} computes now").into());
                Outcome::Done
            }
            Err(error) => self.refuse(format!("{backend} on {device} does not compute: {}", error.chain())),
        };
        self.publish(before);
        outcome
    }

    /// Loads a network that classifies, or lets go of it.
    pub(super) fn toggle_classifier(&mut self, name: &str) -> Outcome {
        let outcome = if self.classifiers.remove(name) {
            self.snapshot.notice = Some(format!("{name} no longer classifies the pictures").into());
            Outcome::Done
        } else {
            self.add_classifier(name)
        };
        self.snapshot.classifiers = self.classifiers.chosen();
        self.begin_class_search();
        self.forget_predictions();
        outcome
    }

    fn add_classifier(&mut self, name: &str) -> Outcome {
        self.snapshot.notice = Some(format!("loading {name} to classify the pictures").into());
        self.republish();
        match guard("the backend", || self.models.classifier(name)) {
            Ok(classifier) => {
                self.classifiers.add(name, classifier);
                self.snapshot.notice = Some(format!("{name} classifies the pictures too").into());
                Outcome::Done
            }
            Err(error) => self.refuse(format!("{name} was not loaded: {}", error.chain())),
        }
    }

    /// Other networks classify now, or none: the picture is looked at anew.
    pub(super) fn forget_predictions(&mut self) {
        self.snapshot.predictions = None;
        self.republish();
    }

    /// Whether the picture is to be classified now: that of a run in progress when it is time, and one that stands still
    /// once.
    pub(super) fn is_prediction_due(&self) -> bool {
        let step = self.run.as_ref().map_or(0, |run| run.session.ascent().step_count());
        let seen = self.snapshot.predictions.as_ref().map_or(0, |predictions| predictions.step);
        let running = self.snapshot.status == Status::Running;
        step > seen && self.classifiers.are_wanted() && (!running || self.classifiers.are_due())
    }

    /// Classifies the picture. Only a panic in the model of the run is an error.
    pub(super) fn predict(&mut self, model: &mut dyn Model) -> Result<()> {
        let Some(run) = &self.run else { return Ok(()) };
        let ascent = run.session.ascent();
        let (predictions, failures) =
            self.classifiers.classify(model, &ascent.picture(), ascent.step_count())?;
        self.snapshot.predictions = Some(predictions.into());
        if !failures.is_empty() {
            self.snapshot.notice = Some(failures.join("; ").into());
            self.snapshot.classifiers = self.classifiers.chosen();
        }
        self.republish();
        Ok(())
    }
}
