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

    /// The words that tell each of them from others.
    pub fn labels(&self) -> Vec<String> {
        self.0.iter().map(|mark| mark.label.clone()).collect()
    }

    /// These marks with what another dashboard has made of the same ones, which had the labels `before`: what it has marked is
    /// marked here too, and what one of both took away is taken away.
    #[must_use]
    pub fn merged(&self, other: &Self, before: &[String]) -> Self {
        let (is_old, has) = (
            |mark: &&Mark| before.contains(&mark.label),
            |marks: &Self, mark: &Mark| marks.0.iter().any(|one| one.label == mark.label),
        );
        let (old, own): (Vec<&Mark>, Vec<&Mark>) = self.0.iter().partition(is_old);
        let kept = old.into_iter().filter(|mark| has(other, mark));
        let others = other.0.iter().filter(|mark| !is_old(mark) && !has(self, mark));
        Self::of(kept.chain(others).chain(own).cloned().collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(labels: &str) -> Marks {
        let mark = |label: char| Mark {
            label: label.into(),
            network: "tinynet".into(),
            target: None,
            picture: Arc::new(Picture { width: 1, height: 1, rgb: vec![0; 3] }),
            chosen: false,
        };
        Marks::of(labels.chars().map(mark).collect())
    }

    #[test]
    fn what_two_dashboards_mark_and_take_away_comes_together() {
        for (before, one, other, both) in [
            ("ab", "abc", "abd", "abdc"),
            ("ab", "b", "ab", "b"),
            ("ab", "ab", "a", "a"),
            ("ab", "ac", "bc", "c"),
            ("", "", "xy", "xy"),
            ("ab", "ab", "", ""),
        ] {
            let before = marks(before).labels();
            let merged = marks(one).merged(&marks(other), &before);
            assert_eq!(merged.labels().concat(), both, "{one} and {other}");
        }
    }
}
