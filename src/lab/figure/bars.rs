//! A bar for each channel, one of them marked.

use super::ticks::ticks;
use super::{Anchor, CHARACTER, CHOSEN, FRAME, Figure, FigurePart, Ink, LINE};
use crate::lab::means::MeanBars;

/// The sides of the plot, and the room on its left, above it and on its right.
const PLOT: [f64; 2] = [1024.0, 360.0];
const LEFT: f64 = 80.0;
const TOP: f64 = 44.0;
const RIGHT: f64 = 24.0;

/// The room for the axis below the plot, and at the lower end.
const AXIS: f64 = 56.0;
const BOTTOM: f64 = 8.0;

/// The free part above the highest bar, where the marked one's number stands.
const ABOVE: f64 = 0.08;

/// The least width of the marked bar, so that it can be found among thousands.
const LEAST: f64 = 3.0;

/// The colour of bars that are not marked.
const BAR: Ink = [110, 110, 110];

/// A plot of channels' means.
#[derive(Debug, Clone, PartialEq)]
pub struct BarPlot {
    /// The line above it.
    pub title: String,
    /// The name of the axis along which the bars stand.
    pub across: String,
    /// The number of the first bar on that axis: 0 for channels, 1 for places.
    pub first: usize,
    /// The bars with the order in which they stand.
    pub bars: MeanBars,
    /// The paragraphs below it.
    pub notes: Vec<String>,
}

impl BarPlot {
    /// The plot with its notes.
    pub fn figure(&self) -> Figure {
        let width = LEFT + PLOT[0] + RIGHT;
        let columns = (PLOT[0] / CHARACTER) as usize;
        let lines: usize = self.notes.iter().map(|note| super::wrapped(note, columns).len()).sum();
        let below = TOP + PLOT[1] + AXIS;
        let mut figure = Figure::new(width as usize, (below + LINE * lines as f64 + BOTTOM) as usize);
        figure.text([LEFT, TOP - 16.0], Anchor::Start, self.title.clone());
        let (low, high) = self.range();
        let up = |mean: f64| TOP + PLOT[1] * (high - mean) / (high - low);
        self.draw_bars(&mut figure, &up);
        self.draw_axes(&mut figure, (low, high), &up);
        let mut row = 0;
        for note in &self.notes {
            row += figure.paragraph([LEFT, below + LINE * row as f64], columns, note);
        }
        figure
    }

    /// The ends of the axis of means. Zero is always on it.
    fn range(&self) -> (f64, f64) {
        let means = self.bars.means.iter().filter(|mean| mean.is_finite());
        let (low, high) =
            means.fold((0.0_f64, 0.0_f64), |(low, high), mean| (low.min(*mean), high.max(*mean)));
        let span = if high > low { high - low } else { 1.0 };
        (if low < 0.0 { low - ABOVE * span } else { 0.0 }, high + ABOVE * span)
    }

    fn draw_bars(&self, figure: &mut Figure, up: &impl Fn(f64) -> f64) {
        let columns = self.bars.columns(PLOT[0] as usize);
        let step = PLOT[0] / columns.len().max(1) as f64;
        // Bars that are wide enough have a gap between them.
        let own = if step > 4.0 { step - 1.0 } else { step };
        let zero = up(0.0);
        // The marked one is drawn last, over its neighbours.
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_by_key(|&at| columns[at].is_chosen);
        for at in order {
            let column = columns[at];
            let width = if column.is_chosen { own.max(LEAST) } else { own };
            let middle = LEFT + (at as f64 + 0.5) * step;
            let (left, right, end) = (middle - width / 2.0, middle + width / 2.0, up(column.mean));
            let points = vec![[left, zero], [right, zero], [right, end], [left, end]];
            let ink = if column.is_chosen { CHOSEN } else { BAR };
            figure.parts.push(FigurePart::Polygon { points, ink });
            if let (true, Some(channel)) = (column.is_chosen, self.bars.chosen) {
                // The name is above all bars, where it covers none.
                figure.line(vec![[middle, TOP], [middle, end.min(zero)]], 0.7, CHOSEN);
                let is_right = at * 4 > columns.len() * 3;
                let (anchor, x) =
                    if is_right { (Anchor::End, middle - 6.0) } else { (Anchor::Start, middle + 6.0) };
                figure.text([x, TOP + 12.0], anchor, format!("channel {channel}"));
            }
        }
    }

    fn draw_axes(&self, figure: &mut Figure, (low, high): (f64, f64), up: &impl Fn(f64) -> f64) {
        let (right, bottom) = (LEFT + PLOT[0], TOP + PLOT[1]);
        figure.line(vec![[LEFT, TOP], [LEFT, bottom]], 1.0, FRAME);
        figure.line(vec![[LEFT, up(0.0)], [right, up(0.0)]], 1.0, FRAME);
        for (value, text) in ticks(low, high, 6) {
            figure.line(vec![[LEFT - 5.0, up(value)], [LEFT, up(value)]], 1.0, FRAME);
            figure.text([LEFT - 8.0, up(value) + 4.0], Anchor::End, text);
        }
        let count = self.bars.order.len();
        let (from, to) = (self.first as f64, (self.first + count.saturating_sub(1)) as f64);
        for (value, text) in ticks(from, to, 9).into_iter().filter(|(value, _)| value.fract() == 0.0) {
            let x = LEFT + (value - from + 0.5) * PLOT[0] / count.max(1) as f64;
            figure.line(vec![[x, bottom], [x, bottom + 5.0]], 1.0, FRAME);
            figure.text([x, bottom + 19.0], Anchor::Middle, text);
        }
        let across = format!("across: {}; up: mean over positions", self.across);
        figure.text([LEFT + PLOT[0] / 2.0, bottom + 38.0], Anchor::Middle, across);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(means: Vec<f64>, chosen: Option<usize>) -> Figure {
        let bars = MeanBars::of(means, chosen, false);
        BarPlot { title: "t".into(), across: "channel".into(), first: 0, bars, notes: vec!["n".into()] }
            .figure()
    }

    #[test]
    fn a_bar_is_as_high_as_its_mean_and_one_is_marked() {
        let figure = plot(vec![1.0, -1.0, 2.0], Some(1));
        let bars: Vec<(f64, Ink)> = (figure.parts.iter())
            .filter_map(|part| match part {
                FigurePart::Polygon { points, ink } => Some((points[0][1] - points[2][1], *ink)),
                FigurePart::Line { .. } | FigurePart::Circle { .. } | FigurePart::Text { .. } => None,
            })
            .collect();
        assert!((bars[1].0 / bars[0].0 - 2.0).abs() < 1e-9 && (bars[2].0 / bars[0].0 + 1.0).abs() < 1e-9);
        assert_eq!((bars.len(), bars[0].1, bars[2].1), (3, BAR, CHOSEN), "the marked one is the last");
        assert!(figure.svg().contains(">channel 1<"));
    }

    #[test]
    fn thousands_of_channels_and_dead_ones_are_drawn() {
        let many = plot((0..3000).map(f64::from).collect(), Some(1500));
        let count = many.parts.iter().filter(|part| matches!(part, FigurePart::Polygon { .. })).count();
        assert_eq!(count, 1024);
        assert!(
            !plot(vec![0.0; 4], Some(0)).picture().rgb.is_empty() && !plot(Vec::new(), None).svg().is_empty()
        );
    }
}
