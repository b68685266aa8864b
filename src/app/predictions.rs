//! What classifiers see in the run's picture, for its pane.

use std::sync::Arc;

/// What every judge saw in one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// The step after which the picture was taken.
    pub step: usize,
    /// What each saw: the climbed network first, if it has a classifier.
    pub verdicts: Vec<Verdict>,
}

/// What one network saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The network.
    pub judge: Arc<str>,
    /// Its classes, the most probable first.
    pub guesses: Vec<Guess>,
}

/// One class.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// Its name.
    pub label: String,
    /// 0..1
    pub probability: f64,
}
