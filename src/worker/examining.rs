//! Measures layers on the run's picture for those who look closer, between steps.

use std::sync::Arc;
use std::time::Instant;

use trepang_api::{Array, Model, Network};

use super::classifier::picture_array;
use super::error::{Error, Result};
use super::examined::{Examining, MeasuredLayer, planes};
use super::protocol::{ExaminedChannel, Outcome, Status};
use super::viewer::ViewerId;
use super::worker_loop::WorkerLoop;
use crate::engine::Picture;
use crate::panics::guard;

impl WorkerLoop {
    /// Notes what a viewer looks at closer; none when it does not.
    pub(super) fn look_closer(&mut self, viewer: ViewerId, wish: Option<ExaminedChannel>) -> Outcome {
        let before = match wish {
            Some(wish) => self.examining.wishes.insert(viewer, wish),
            None => self.examining.wishes.remove(&viewer),
        };
        if before.is_some() || self.examining.wishes.contains_key(&viewer) {
            self.examining.forget_unwished();
            self.publish_examinations();
        }
        Outcome::Done
    }

    /// Forgets all that was measured and wished: the network or its device is another one. Viewers ask anew.
    pub(super) fn stop_examining(&mut self) {
        self.examining = Examining::default();
        self.snapshot.examinations = Arc::default();
    }

    fn layer_due(&self) -> Option<&str> {
        let run = self.run.as_ref()?;
        let of = (run.number, run.session.ascent().step_count());
        self.examining.due(of, self.snapshot.status == Status::Running)
    }

    /// Whether a layer is to be measured on the run's picture now.
    pub(super) fn is_examination_due(&self) -> bool {
        self.layer_due().is_some()
    }

    /// Measures a layer that someone looks at. Only a panic, after which the model cannot be trusted, is an error.
    pub(super) fn examine(&mut self, model: &mut dyn Model) -> Result<()> {
        let Some(layer) = self.layer_due().map(str::to_owned) else { return Ok(()) };
        let Some(run) = &self.run else { return Ok(()) };
        let ascent = run.session.ascent();
        let (of, picture, network) =
            ((run.number, ascent.step_count()), ascent.picture(), &self.setup.network);
        let begun = Instant::now();
        let found = guard("the backend", || Ok::<_, Error>(measure(model, network, &layer, &picture)))?;
        let found = found.map_err(|error| format!("{layer} cannot be measured here: {}", error.chain()));
        self.examining.take(layer, MeasuredLayer { of, found }, begun.elapsed());
        self.publish_examinations();
        Ok(())
    }

    fn publish_examinations(&mut self) {
        self.snapshot.examinations = self.examining.view();
        self.republish();
    }
}

/// The activation of a layer on a picture, and the means of its channels.
fn measure(
    model: &mut dyn Model,
    network: &Network,
    layer: &str,
    picture: &Picture,
) -> Result<(Array, Arc<[f32]>)> {
    let mut activations = model.activations(&picture_array(picture)?, &[network.layer(layer)?])?;
    let activation = activations.pop().ok_or(Error::NoActivation)?;
    if activation.data().iter().any(|value| !value.is_finite()) {
        return Err(Error::NoActivation);
    }
    let means = planes(&activation).map(|plane| {
        let sum: f64 = plane.iter().copied().map(f64::from).sum();
        (sum / plane.len() as f64) as f32
    });
    let means = means.collect();
    Ok((activation, means))
}
