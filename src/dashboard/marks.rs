//! The pictures that the user marked, as part of the state. Not here: what keys do to them.

use std::sync::Arc;

use crate::engine::Picture;

/// The most pictures that are marked; the oldest gives way.
const MAX_MARKS: usize = 64;

/// The most pictures that stand side by side.
pub(super) const MAX_BESIDE: usize = 4;

/// A picture that was marked, as it was then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The objective or the run, and what else tells its picture from others.
    pub label: String,
    /// The network that made it.
    pub network: String,
    /// The layer and the channel of its objective, if that is a channel.
    pub target: Option<(String, usize)>,
    /// The picture that was on the screen.
    pub picture: Arc<Picture>,
    /// Whether it is chosen to stand beside others.
    pub chosen: bool,
}

/// All marks, the newest last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks(Vec<Mark>);

impl Marks {
    /// The marks of an earlier session, the newest last.
    pub fn of(marks: Vec<Mark>) -> Self {
        let mut kept = Self(marks);
        kept.0.drain(..kept.0.len().saturating_sub(MAX_MARKS));
        kept
    }

    /// All marks, the newest last.
    pub fn all(&self) -> &[Mark] {
        &self.0
    }

    /// Adds a mark, or takes the one with its label away. True if it was added.
    pub(super) fn toggle(&mut self, mark: Mark) -> bool {
        let before = self.0.len();
        self.0.retain(|other| other.label != mark.label);
        let is_new = self.0.len() == before;
        if is_new {
            self.0.push(mark);
            self.0.drain(..self.0.len().saturating_sub(MAX_MARKS));
        }
        is_new
    }

    /// Chooses a mark, or no longer.
    pub(super) fn choose(&mut self, index: usize) {
        if let Some(mark) = self.0.get_mut(index) {
            mark.chosen = !mark.chosen;
        }
    }

    /// Takes a mark away.
    pub(super) fn remove(&mut self, index: usize) {
        if index < self.0.len() {
            self.0.remove(index);
        }
    }

    /// The marks that are to stand side by side: those that are chosen, or else the newest; four at most.
    pub fn beside(&self) -> Vec<&Mark> {
        let chosen: Vec<&Mark> = self.0.iter().filter(|mark| mark.chosen).collect();
        let wanted = if chosen.len() < 2 { self.0.iter().collect() } else { chosen };
        let first = wanted.len().saturating_sub(MAX_BESIDE);
        wanted[first..].to_vec()
    }
}
