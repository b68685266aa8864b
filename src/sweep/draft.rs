//! A channel's picture as far as its ascent has come, without what the ascent needs to go on.

use std::sync::Arc;

use crate::engine::{Ascent, Picture};

/// A channel's picture after so many steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The number of steps taken.
    pub step: usize,
    /// The objective's value before the last of them.
    pub loss: Option<f64>,
    /// Whether nothing has woken the channel so far.
    pub dead: bool,
    /// The picture itself.
    pub picture: Arc<Picture>,
}

impl Draft {
    /// The draft that an ascent has come to.
    pub fn of(ascent: &Ascent) -> Self {
        let state = ascent.state();
        Self {
            step: state.losses.len(),
            loss: state.losses.last().copied(),
            dead: state.is_dead(),
            picture: Arc::new(ascent.picture()),
        }
    }
}
