//! The means of a layer's channels in a picture as bars: in the channels' order or the highest first, one of them marked. Not here:
//! how bars are drawn.

/// The means of all channels with the order in which they are drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanBars {
    /// The mean of each channel over positions.
    pub means: Vec<f64>,
    /// The channels from left to right.
    pub order: Vec<usize>,
    /// The channel that is marked.
    pub chosen: Option<usize>,
}

/// Neighbouring bars that share a column of the drawing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanColumn {
    /// The mean that is drawn: the marked channel's, or else the one farthest from zero.
    pub mean: f64,
    /// True where the marked channel is among them.
    pub is_chosen: bool,
}

impl MeanBars {
    /// Bars in the channels' order, or sorted, the highest mean first and of equals the first channel.
    pub fn of(means: Vec<f64>, chosen: Option<usize>, is_sorted: bool) -> Self {
        let mut order: Vec<usize> = (0..means.len()).collect();
        if is_sorted {
            order.sort_by(|&a, &b| means[b].total_cmp(&means[a]).then(a.cmp(&b)));
        }
        Self { means, order, chosen }
    }

    /// The place of a channel by its mean, from 1 for the highest.
    pub fn rank(&self, channel: usize) -> usize {
        let own = self.means[channel];
        1 + self
            .means
            .iter()
            .enumerate()
            .filter(|(at, mean)| **mean > own || **mean == own && *at < channel)
            .count()
    }

    /// The channels of the highest means, the highest first.
    pub fn highest(&self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.means.len()).collect();
        order.sort_by(|&a, &b| self.means[b].total_cmp(&self.means[a]).then(a.cmp(&b)));
        order.truncate(count);
        order
    }

    /// The mean over all channels; zero without any.
    pub fn average(&self) -> f64 {
        self.means.iter().sum::<f64>() / self.means.len().max(1) as f64
    }

    /// The bars in their order, in no more columns than there is `room` for. Where there are more channels than that,
    /// neighbours share a column.
    pub fn columns(&self, room: usize) -> Vec<MeanColumn> {
        let (count, all) = (self.order.len().min(room), self.order.len());
        let column = |at: usize| {
            let own = &self.order[at * all / count..(at + 1) * all / count];
            let chosen = own.iter().find(|channel| Some(**channel) == self.chosen);
            let farthest = own.iter().map(|&channel| self.means[channel]);
            let farthest =
                farthest.fold(0.0_f64, |most, mean| if mean.abs() > most.abs() { mean } else { most });
            MeanColumn {
                mean: chosen.map_or(farthest, |&channel| self.means[channel]),
                is_chosen: chosen.is_some(),
            }
        };
        (0..count).map(column).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_order_or_sorted() {
        let means = vec![1.0, 3.0, -2.0, 3.0];
        let plain = MeanBars::of(means.clone(), Some(2), false);
        assert_eq!((&plain.order[..], plain.average()), (&[0, 1, 2, 3][..], 1.25));
        let sorted = MeanBars::of(means, Some(2), true);
        assert_eq!(sorted.order, [1, 3, 0, 2]);
        let ranks: Vec<usize> = (0..4).map(|channel| sorted.rank(channel)).collect();
        assert_eq!((ranks, sorted.highest(2)), (vec![3, 1, 4, 2], vec![1, 3]));
        let marked: Vec<bool> = sorted.columns(9).iter().map(|column| column.is_chosen).collect();
        assert_eq!(marked, [false, false, false, true]);
    }

    #[test]
    fn neighbours_share_a_column_where_there_is_no_room() {
        let bars = MeanBars::of(vec![0.5, -1.0, 2.0, 3.0, 4.0, 0.0], Some(2), false);
        let columns = bars.columns(3);
        let means: Vec<f64> = columns.iter().map(|column| column.mean).collect();
        // The marked one keeps its own height beside a higher neighbour.
        assert_eq!((means, columns[1].is_chosen, columns[0].is_chosen), (vec![-1.0, 2.0, 4.0], true, false));
        assert!(bars.columns(0).is_empty() && MeanBars::of(Vec::new(), None, true).columns(5).is_empty());
    }
}
