//! The networks that classify the run's picture, and how often: seldom enough that the ascent does not notice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trepang_api::{Model, Network};
use trepang_weights::Labels;

use super::classifier::{ClassLogit, Classifier, ClassifierHead, Framing};
use super::error::{Error, Result};
use super::protocol::{ClassGuess, Classification, Predictions};
use crate::engine::Picture;
use crate::panics::guard;

/// The shortest time between two predictions.
const MIN_PREDICTION_INTERVAL: Duration = Duration::from_secs(1);

/// Between two predictions there is at least this many times what the last one took: one part in 21 is under 5 %.
const PREDICTION_PAUSE_FACTOR: u32 = 20;

/// The largest number of classes that is shown of each network.
const MAX_CLASSES: usize = 5;

/// The pause after a prediction that took so long.
pub fn pause_after(took: Duration) -> Duration {
    MIN_PREDICTION_INTERVAL.max(took.saturating_mul(PREDICTION_PAUSE_FACTOR))
}

/// The network of the run and the others that classify its pictures.
#[derive(Debug)]
pub(super) struct Classifiers {
    /// Whether at least one viewer wants predictions.
    pub(super) wanted: bool,
    /// The network of the run, which classifies with the model of the run.
    own: Option<(Arc<str>, ClassifierHead)>,
    others: Vec<(Arc<str>, Classifier)>,
    /// No prediction before this time, while a run goes on.
    due: Option<Instant>,
}

impl Classifiers {
    pub(super) fn new() -> Self {
        Self { wanted: false, own: None, others: Vec::new(), due: None }
    }

    /// Sets the network of the run; without a classifier it cannot classify.
    pub(super) fn set_own(&mut self, name: &str, weights_sha256: &str, network: &Network, labels: &Labels) {
        let head = ClassifierHead::new(network.clone(), labels.clone()).ok();
        let head = head.map(|head| head.of_weights(weights_sha256.into()));
        self.own = head.filter(|_| !labels.is_empty()).map(|head| (name.into(), head));
        self.remove(name);
    }

    /// The names of the networks that were chosen.
    pub(super) fn chosen(&self) -> Arc<[String]> {
        self.others.iter().map(|(name, _)| name.to_string()).collect()
    }

    pub(super) fn add(&mut self, name: &str, classifier: Classifier) {
        self.others.push((name.into(), classifier));
    }

    /// False if there was none of that name.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let before = self.others.len();
        self.others.retain(|(known, _)| **known != *name);
        self.others.len() < before
    }

    /// Lets go of every model.
    pub(super) fn clear(&mut self) {
        self.others.clear();
    }

    /// The name of the network that tells the class of a kept picture, and the text that tells it from others: the network of the
    /// run, or else the first of the others.
    pub(super) fn first(&self) -> Option<(Arc<str>, Option<String>)> {
        let own = self.own.as_ref().map(|(name, head)| (Arc::clone(name), head.identity()));
        own.or_else(|| self.others.first().map(|(name, other)| (Arc::clone(name), other.identity())))
    }

    /// The class that this network sees in a picture before all others. Fails where it sees none.
    pub(super) fn first_class(
        &mut self,
        model: &mut dyn Model,
        picture: &Picture,
    ) -> Result<Option<ClassLogit>> {
        let classes = match (&self.own, self.others.first_mut()) {
            (Some((_, head)), _) => head.classify(model, picture, Framing::Fitting, 1)?,
            (None, Some((_, classifier))) => {
                guard("the backend", || classifier.classify(picture, Framing::Fitting, 1))?
            }
            (None, None) => Vec::new(),
        };
        Ok(classes.into_iter().next())
    }

    /// Whether predictions are wanted and there is a network to make them.
    pub(super) fn are_wanted(&self) -> bool {
        self.wanted && (self.own.is_some() || !self.others.is_empty())
    }

    /// Whether a running ascent may be held up now.
    pub(super) fn are_due(&self) -> bool {
        self.due.is_none_or(|due| Instant::now() >= due)
    }

    /// The classes that every network sees in a picture, and why some classify no longer: a network that fails once is
    /// out.
    pub(super) fn classify(
        &mut self,
        model: &mut dyn Model,
        picture: &Picture,
        step: usize,
    ) -> Result<(Predictions, Vec<String>)> {
        let begun = Instant::now();
        let (mut classifications, mut failures) = (Vec::new(), Vec::new());
        let mut take = |name: &Arc<str>, classes: Result<Vec<ClassLogit>>| {
            match &classes {
                Ok(classes) => classifications.push(classification(name, classes)),
                Err(error) => failures.push(format!("{name} does not classify: {}", error.chain())),
            }
            classes.is_ok()
        };
        if let Some((name, head)) = &self.own {
            // After a panic the model of the run cannot be trusted: that one is an error.
            let classes = guard("the backend", || {
                Ok::<_, Error>(head.classify(model, picture, Framing::Fitting, MAX_CLASSES))
            })?;
            if !take(name, classes) {
                self.own = None;
            }
        }
        self.others.retain_mut(|(name, classifier)| {
            let classes =
                guard("the backend", || classifier.classify(picture, Framing::Fitting, MAX_CLASSES));
            take(name, classes)
        });
        self.due = Some(Instant::now() + pause_after(begun.elapsed()));
        Ok((Predictions { step, classifications }, failures))
    }
}

fn classification(name: &Arc<str>, classes: &[ClassLogit]) -> Classification {
    let guess =
        |class: &ClassLogit| ClassGuess { label: class.label.clone(), probability: class.probability };
    Classification { classifier: Arc::clone(name), guesses: classes.iter().map(guess).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_are_a_second_apart_and_take_under_a_twentieth() {
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
