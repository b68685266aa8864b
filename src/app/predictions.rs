//! The classes that classifiers predict for the run's picture.

use std::sync::Arc;

/// The predictions of all classifiers for one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// The number of steps that the picture had taken.
    pub step: usize,
    /// The predictions by network; the visualised network is first, if it has a classifier.
    pub verdicts: Vec<Classification>,
}

/// The predictions of one network.
#[derive(Debug, Clone, PartialEq)]
pub struct Classification {
    /// The name of the network.
    pub judge: Arc<str>,
    /// The most probable classes, in falling order.
    pub guesses: Vec<Guess>,
}

/// A class and its predicted probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// The names of the class, separated by commas.
    pub label: String,
    /// The softmax probability, 0 to 1.
    pub probability: f64,
}
