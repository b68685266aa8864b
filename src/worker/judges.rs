//! Who judges the run's picture, and how often: seldom enough that the ascent does not notice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use trepang_api::{Model, Network};
use trepang_weights::Labels;

use crate::app::{Classification, Guess, Predictions};
use crate::classify::{Class, Classifier, Framing, Head};
use crate::engine::Picture;
use crate::panics::guard;

/// Between two predictions at least.
const APART: Duration = Duration::from_secs(1);

/// Between two predictions there is at least this many times what the last one took: one part in 21 is under 5 %.
const SHARE: u32 = 20;

/// Classes of each judge that are shown at most.
const CLASSES: usize = 5;

/// How long to wait after a prediction that took so long.
pub fn pause_after(took: Duration) -> Duration {
    APART.max(took.saturating_mul(SHARE))
}

/// Everyone who judges.
#[derive(Debug)]
pub(super) struct Judges {
    /// Are predictions wanted?
    pub(super) wanted: bool,
    /// The climbed network itself: it judges by the model that climbs.
    own: Option<(Arc<str>, Head)>,
    others: Vec<(Arc<str>, Classifier)>,
    /// Not before this, while a run goes on.
    due: Option<Instant>,
}

impl Judges {
    pub(super) fn new() -> Self {
        Self { wanted: true, own: None, others: Vec::new(), due: None }
    }

    /// The climbed network is this one now; one without a classifier cannot judge.
    pub(super) fn set_own(&mut self, name: &str, network: &Network, labels: &Labels) {
        let head = Head::new(network.clone(), labels.clone()).ok().filter(|_| !labels.is_empty());
        self.own = head.map(|head| (name.into(), head));
        self.remove(name);
    }

    /// The names of those who were chosen.
    pub(super) fn chosen(&self) -> Arc<[Arc<str>]> {
        self.others.iter().map(|(name, _)| Arc::clone(name)).collect()
    }

    pub(super) fn add(&mut self, name: &str, classifier: Classifier) {
        self.others.push((name.into(), classifier));
    }

    /// False if there was none of that name.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let before = self.others.len();
        self.others.retain(|(judge, _)| **judge != *name);
        self.others.len() < before
    }

    /// Lets go of every model.
    pub(super) fn dismiss(&mut self) {
        self.others.clear();
    }

    /// Are there judges who are wanted?
    pub(super) fn sit(&self) -> bool {
        self.wanted && (self.own.is_some() || !self.others.is_empty())
    }

    /// May a running ascent be held up now?
    pub(super) fn is_due(&self) -> bool {
        self.due.is_none_or(|due| Instant::now() >= due)
    }

    /// Everyone's classes for a picture, and why some judge no longer: whoever fails once is out.
    pub(super) fn judge(
        &mut self,
        model: &mut dyn Model,
        picture: &Picture,
        step: usize,
    ) -> Result<(Predictions, Vec<String>)> {
        let begun = Instant::now();
        let (mut verdicts, mut failures) = (Vec::new(), Vec::new());
        let mut take = |judge: &Arc<str>, classes: Result<Vec<Class>>| {
            match &classes {
                Ok(classes) => verdicts.push(verdict(judge, classes)),
                Err(error) => failures.push(format!("{judge} does not judge: {error:#}")),
            }
            classes.is_ok()
        };
        if let Some((name, head)) = &self.own {
            // After a panic the model that climbs cannot be trusted: that one is an error.
            let classes =
                guard("the backend", || Ok(head.classify(model, picture, Framing::Fitting, CLASSES)))?;
            if !take(name, classes) {
                self.own = None;
            }
        }
        self.others.retain_mut(|(name, classifier)| {
            let classes = guard("the backend", || classifier.classify(picture, Framing::Fitting, CLASSES));
            take(name, classes)
        });
        self.due = Some(Instant::now() + pause_after(begun.elapsed()));
        Ok((Predictions { step, verdicts }, failures))
    }
}

fn verdict(judge: &Arc<str>, classes: &[Class]) -> Classification {
    let guess = |class: &Class| Guess { label: class.label.clone(), probability: class.probability };
    Classification { judge: Arc::clone(judge), guesses: classes.iter().map(guess).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_are_a_second_apart_and_take_less_than_a_twentieth() {
        for milliseconds in [0, 1, 50, 51, 200, 5000] {
            let took = Duration::from_millis(milliseconds);
            let pause = pause_after(took);
            assert!(pause >= Duration::from_secs(1), "{took:?}");
            assert!(took.as_secs_f64() / (took + pause).as_secs_f64() < 0.05, "{took:?}");
        }
        assert_eq!(pause_after(Duration::from_millis(200)), Duration::from_secs(4));
        assert_eq!(pause_after(Duration::MAX), Duration::MAX);
    }
}
