//! Photographs of a class that are still seen as the class without its channels. The order of the channels is found on one half of
//! the photographs and its effect is measured on the other, so that it is not the noise of a few pictures that is measured
//! (Bau et al. 2020, whose units of a class are found and taken out in the same way).

use serde::Serialize;

use super::ablate::mean_logits;
use super::attribute::ChannelSlopes;
use super::error::Result;
use super::margin::rank;
use super::photographs::shuffled;
use super::removal::Remover;
use super::tail::Tail;

/// The photographs that keep their class without channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecallGroup {
    /// The number of channels that are taken out, from the strongest on.
    pub top: usize,
    /// Photographs that are seen as the class without them.
    pub right: usize,
    /// The same without as many channels that are drawn at random.
    pub right_at_random: usize,
}

/// The recall of a class on photographs that the order of the channels was not found on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recall {
    /// The photographs that the order comes from.
    pub ordered_on: usize,
    /// The photographs that are counted.
    pub photographs: usize,
    /// Those of them that are seen as the class with all channels.
    pub right: usize,
    /// The counts without channels.
    pub groups: Vec<RecallGroup>,
    /// The channels that are taken out first.
    pub order: Vec<usize>,
}

/// Mean attributions over the first half of the photographs.
#[derive(Debug, Clone, Default)]
pub struct RecallOrder {
    sums: Vec<f64>,
    photographs: usize,
}

impl RecallOrder {
    /// Takes in what the channels carry in one more photograph.
    pub fn add(&mut self, slopes: &ChannelSlopes) {
        self.sums.resize(slopes.attributions.len(), 0.0);
        self.sums.iter_mut().zip(&slopes.attributions).for_each(|(sum, new)| *sum += new);
        self.photographs += 1;
    }

    /// The counts for these numbers of channels, with no photograph counted yet.
    pub fn recall(self, tops: &[usize]) -> Recall {
        let mut order: Vec<usize> = (0..self.sums.len()).collect();
        order.sort_by(|&a, &b| self.sums[b].total_cmp(&self.sums[a]));
        let group = |&top: &usize| RecallGroup { top, right: 0, right_at_random: 0 };
        Recall {
            ordered_on: self.photographs,
            photographs: 0,
            right: 0,
            groups: tops.iter().map(group).collect(),
            order,
        }
    }
}

impl Recall {
    /// Counts one more photograph of the second half. Each has a random order of its own, drawn by `seed` and its number.
    pub fn count(&mut self, tail: &mut Tail, class: usize, removers: &[&Remover], seed: u64) -> Result<()> {
        let random = shuffled(self.order.len(), seed.wrapping_add(self.photographs as u64));
        self.photographs += 1;
        self.right += usize::from(rank(class, tail.logits()) == 1);
        let sets = |order: &[usize]| {
            self.groups.iter().map(|group| order[..group.top.min(order.len())].to_vec()).collect::<Vec<_>>()
        };
        let (strongest, random) = (sets(&self.order), sets(&random));
        let strongest = mean_logits(tail, removers, &strongest)?;
        let random = mean_logits(tail, removers, &random)?;
        for (group, (strongest, random)) in self.groups.iter_mut().zip(strongest.iter().zip(&random)) {
            group.right += usize::from(rank(class, strongest) == 1);
            group.right_at_random += usize::from(rank(class, random) == 1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_sums_over_photographs() {
        let mut order = RecallOrder::default();
        for attributions in [[1.0, 0.0, 4.0], [2.5, 1.0, -3.0]] {
            order.add(&ChannelSlopes { attributions: attributions.to_vec(), weights: vec![0.0; 3] });
        }
        let recall = order.recall(&[1, 2]);
        assert_eq!((recall.order.as_slice(), recall.ordered_on), ([0, 1, 2].as_slice(), 2));
        assert_eq!(recall.groups.iter().map(|group| group.top).collect::<Vec<_>>(), [1, 2]);
    }
}
