//! A loss curve of any length in bounded memory: the recent steps in full, and the whole history with fewer points.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The number of newest losses that are all kept.
const MAX_RECENT: usize = 256;

/// The most points that stand for the whole history.
const MAX_WHOLE: usize = 512;

/// Losses by step, counted from 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    recent: VecDeque<(f64, f64)>,
    whole: Vec<(f64, f64)>,
    /// `whole` holds every `stride`-th step.
    stride: usize,
    len: usize,
}

impl Default for Curve {
    fn default() -> Self {
        Self { recent: VecDeque::new(), whole: Vec::new(), stride: 1, len: 0 }
    }
}

impl Curve {
    /// Adds the next step's loss.
    pub fn push(&mut self, loss: f64) {
        self.len += 1;
        let point = (self.len as f64, loss);
        if self.recent.len() == MAX_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(point);
        if !(self.len - 1).is_multiple_of(self.stride) {
            return;
        }
        if self.whole.len() == MAX_WHOLE {
            self.stride *= 2;
            let mut index = 0;
            self.whole.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        if (self.len - 1).is_multiple_of(self.stride) {
            self.whole.push(point);
        }
    }

    /// The losses of the recent steps as (step, loss), without gaps.
    pub fn recent(&self) -> Vec<(f64, f64)> {
        self.recent.iter().copied().collect()
    }

    /// The whole history as (step, loss) with fewer points. It always includes the newest step.
    pub fn whole(&self) -> Vec<(f64, f64)> {
        let newest = self.recent.back().filter(|newest| self.whole.last() != Some(newest));
        self.whole.iter().chain(newest).copied().collect()
    }
}

impl FromIterator<f64> for Curve {
    fn from_iter<T: IntoIterator<Item = f64>>(losses: T) -> Self {
        let mut curve = Self::default();
        losses.into_iter().for_each(|loss| curve.push(loss));
        curve
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_history_is_thinned_evenly_and_keeps_its_ends() {
        let curve: Curve = (1..=5000).map(f64::from).collect();
        let (whole, recent) = (curve.whole(), curve.recent());
        assert_eq!((whole[0], whole[whole.len() - 1]), ((1.0, 1.0), (5000.0, 5000.0)));
        assert!(whole.len() > MAX_WHOLE / 2 && whole.len() <= MAX_WHOLE + 1, "{}", whole.len());
        let gaps: Vec<f64> = whole.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        assert!(gaps[..gaps.len() - 1].iter().all(|&gap| gap == gaps[0]), "{gaps:?}");
        assert_eq!((recent.len(), recent[0].0), (MAX_RECENT, (5000 - MAX_RECENT + 1) as f64));
    }
}
