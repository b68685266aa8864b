//! Answers what viewers ask the lab, part by part, between steps. A message to the worker interrupts a part, which is begun anew
//! afterwards.

use std::sync::Arc;

use trepang_api::Model;

use super::error::{Error, Result};
use super::lab_answers::{LabPlace, examples, map, margin};
use super::lab_places::scatter;
use super::lab_questions::{LabPart, LabQuestions};
use super::protocol::{LabFindings, LabSubject, Outcome};
use super::viewer::ViewerId;
use super::worker_loop::WorkerLoop;
use crate::lab;
use crate::panics::guard;

/// The name of the folder of the index that is beside the runs.
const INDEX: &str = "lab";

impl WorkerLoop {
    /// Notes what a viewer asks the lab about; none when it looks no longer.
    pub(super) fn ask_lab(&mut self, viewer: ViewerId, subject: Option<LabSubject>) -> Outcome {
        let known = match subject {
            Some(subject) => {
                // Another viewer may have asked the same, or this one with photographs in another order.
                let known = self.labs.0.values();
                let same = known.clone().find(|known| known.subject == subject).cloned();
                let like = known.clone().find(|known| known.subject.is_like(&subject)).cloned();
                let findings = match (same, like) {
                    (Some(same), _) => same,
                    (None, Some(like)) => LabFindings { subject, examples: None, ..like },
                    (None, None) => {
                        LabFindings { subject, margin: None, map: None, examples: None, scatter: None }
                    }
                };
                self.labs.0.insert(viewer, findings);
                true
            }
            None => self.labs.0.remove(&viewer).is_some(),
        };
        if known {
            self.publish_lab();
        }
        Outcome::Done
    }

    /// Forgets all questions: the network or its device is another one. Viewers ask anew.
    pub(super) fn close_lab(&mut self) {
        self.labs = LabQuestions::default();
        self.snapshot.labs = Arc::default();
    }

    /// Works out the next missing part of an answer. Only a panic, after which the model cannot be trusted, is an error.
    pub(super) fn work_in_lab(&mut self, model: &mut dyn Model) -> Result<()> {
        let Some((viewer, part)) = self.labs.due() else { return Ok(()) };
        let Some(mut findings) = self.labs.0.get(&viewer).cloned() else { return Ok(()) };
        let index = self.setup.runs.with_file_name(INDEX);
        let (network, labels, provenance) = (&self.setup.network, &self.setup.labels, &self.setup.provenance);
        let stop = || self.inbox.has_mail();
        let place = LabPlace { network, labels, provenance, index: &index, stop: &stop };
        let found = guard("the backend", || Ok::<_, Error>(work(part, &mut findings, model, &place)))?;
        if found.is_some() {
            self.labs.0.insert(viewer, findings);
            self.publish_lab();
        }
        Ok(())
    }

    fn publish_lab(&mut self) {
        self.snapshot.labs = self.labs.0.values().cloned().collect();
        self.republish();
    }
}

/// Puts a part into the findings; none if the work was interrupted.
fn work(part: LabPart, findings: &mut LabFindings, model: &mut dyn Model, place: &LabPlace) -> Option<()> {
    let subject = &findings.subject;
    match part {
        LabPart::Margin => findings.margin = Some(told(margin(subject, model, place))?),
        LabPart::Map => findings.map = Some(told(map(subject, model, place))?),
        LabPart::Examples => findings.examples = Some(told(examples(subject, model, place))?),
        LabPart::Scatter => findings.scatter = Some(told(scatter(subject, model, place))?),
    }
    Some(())
}

/// The part, or why there is none; none if the work was interrupted.
fn told<T>(found: Result<T>) -> Option<Result<T, String>> {
    match found {
        Ok(found) => Some(Ok(found)),
        Err(Error::Lab(lab::Error::Stopped)) => None,
        Err(error) => Some(Err(error.chain())),
    }
}
