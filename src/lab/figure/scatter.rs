//! Points in the plane, in groups that differ in colour and in shape, so that one of the two is enough.

use super::ticks::ticks;
use super::{Anchor, CHARACTER, FRAME, Figure, FigurePart, Ink, LINE, TEXT};

/// The sides of the plot, and the room on its left, above it and on its right.
const PLOT: [f64; 2] = [720.0, 620.0];
const LEFT: f64 = 64.0;
const TOP: f64 = 44.0;
const LEGEND: f64 = 316.0;

/// The room for the axis below the plot, and at the lower end.
const AXIS: f64 = 56.0;
const BOTTOM: f64 = 8.0;

/// The share of the plot that stays free at each side.
const MARGIN: f64 = 0.04;

/// A shape of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointMark {
    /// A small filled circle.
    Dot,
    /// A filled circle.
    Circle,
    /// A filled square.
    Square,
    /// A filled triangle on its base.
    Triangle,
    /// A filled square on its corner.
    Diamond,
    /// A filled triangle on its tip.
    Down,
    /// A filled pentagon.
    Pentagon,
    /// Two lines crossing at the diagonals.
    Cross,
    /// Two lines crossing upright.
    Plus,
    /// The outline of a square.
    Frame,
    /// A star with a dark rim.
    Star,
}

/// A point of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterPoint {
    /// Its place in the plane.
    pub at: [f64; 2],
    /// A text beside it; empty for most.
    pub name: String,
}

/// Points of one look.
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterSeries {
    /// Its text in the legend.
    pub name: String,
    /// The shape of its points.
    pub mark: PointMark,
    /// The colour of its points.
    pub ink: Ink,
    /// A line goes through the points, in their order, where this is true.
    pub is_joined: bool,
    /// The points in their order.
    pub points: Vec<ScatterPoint>,
}

/// A scatter plot. Both axes have the same scale, so that distances can be seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    /// The line above it.
    pub title: String,
    /// The names of the axes; without them, the axes have no numbers either.
    pub axes: Option<[String; 2]>,
    /// The series; later ones are drawn over earlier ones.
    pub series: Vec<ScatterSeries>,
    /// Places that the axes reach to though nothing is drawn there, so that figures of some of the same points have the same
    /// axes.
    pub unseen: Vec<[f64; 2]>,
    /// The paragraphs below it.
    pub notes: Vec<String>,
}

/// The map from places in the plane to pixels.
struct PlotFrame {
    scale: f64,
    /// The place in the middle of the plot.
    middle: [f64; 2],
}

impl PlotFrame {
    fn of(series: &[ScatterSeries], unseen: &[[f64; 2]]) -> Self {
        let drawn = || series.iter().flat_map(|series| &series.points).map(|point| point.at);
        let places = || drawn().chain(unseen.iter().copied());
        let range = |axis: usize| {
            let along = || places().map(|at| at[axis]).filter(|x| x.is_finite());
            (along().fold(f64::INFINITY, f64::min), along().fold(f64::NEG_INFINITY, f64::max))
        };
        let (mut scale, mut middle) = (f64::INFINITY, [0.0; 2]);
        for axis in 0..2 {
            let (low, high) = range(axis);
            if high > low {
                scale = scale.min(PLOT[axis] * (1.0 - 2.0 * MARGIN) / (high - low));
            }
            middle[axis] = if high >= low { f64::midpoint(low, high) } else { 0.0 };
        }
        Self { scale: if scale.is_finite() { scale } else { 1.0 }, middle }
    }

    fn pixel(&self, at: [f64; 2]) -> [f64; 2] {
        let [x, y] = [0, 1].map(|axis| (at[axis] - self.middle[axis]) * self.scale);
        [LEFT + PLOT[0] / 2.0 + x, TOP + PLOT[1] / 2.0 - y]
    }

    /// The numbers at the two ends of an axis.
    fn ends(&self, axis: usize) -> (f64, f64) {
        let half = PLOT[axis] / 2.0 / self.scale;
        (self.middle[axis] - half, self.middle[axis] + half)
    }
}

impl Scatter {
    /// The plot with its legend and its notes.
    pub fn figure(&self) -> Figure {
        let width = LEFT + PLOT[0] + LEGEND;
        let columns = ((width - LEFT) / CHARACTER) as usize - 1;
        let lines: usize = self.notes.iter().map(|note| super::wrapped(note, columns).len()).sum();
        let below = TOP + PLOT[1] + AXIS;
        let mut figure = Figure::new(width as usize, (below + LINE * lines as f64 + BOTTOM) as usize);
        let frame = PlotFrame::of(&self.series, &self.unseen);
        figure.text([LEFT, TOP - 16.0], Anchor::Start, self.title.clone());
        self.draw_axes(&mut figure, &frame);
        self.draw_points(&mut figure, &frame);
        self.draw_legend(&mut figure);
        let mut row = 0;
        for note in &self.notes {
            row += figure.paragraph([LEFT, below + LINE * row as f64], columns, note);
        }
        figure
    }

    fn draw_axes(&self, figure: &mut Figure, frame: &PlotFrame) {
        let (right, bottom) = (LEFT + PLOT[0], TOP + PLOT[1]);
        let corners = [[LEFT, TOP], [right, TOP], [right, bottom], [LEFT, bottom], [LEFT, TOP]];
        figure.line(corners.to_vec(), 1.0, FRAME);
        let Some([across, up]) = &self.axes else { return };
        let (low, high) = frame.ends(0);
        for (value, text) in ticks(low, high, 7) {
            let [x, _] = frame.pixel([value, 0.0]);
            figure.line(vec![[x, bottom], [x, bottom + 5.0]], 1.0, FRAME);
            figure.text([x, bottom + 19.0], Anchor::Middle, text);
        }
        let (low, high) = frame.ends(1);
        for (value, text) in ticks(low, high, 7) {
            let [_, y] = frame.pixel([0.0, value]);
            figure.line(vec![[LEFT - 5.0, y], [LEFT, y]], 1.0, FRAME);
            figure.text([LEFT - 8.0, y + 4.0], Anchor::End, text);
        }
        figure.text(
            [LEFT + PLOT[0] / 2.0, bottom + 38.0],
            Anchor::Middle,
            format!("across: {across}; up: {up}"),
        );
    }

    fn draw_points(&self, figure: &mut Figure, frame: &PlotFrame) {
        for series in &self.series {
            let pixels: Vec<[f64; 2]> = series.points.iter().map(|point| frame.pixel(point.at)).collect();
            if series.is_joined {
                figure.line(pixels.clone(), 1.2, series.ink);
            }
            for at in &pixels {
                draw_mark(figure, series.mark, *at, series.ink);
            }
            for (point, at) in series.points.iter().zip(pixels).filter(|(point, _)| !point.name.is_empty()) {
                let width = CHARACTER * point.name.chars().count() as f64;
                // At the right edge a name would run out of the plot.
                let is_left = at[0] + 10.0 + width > LEFT + PLOT[0];
                let (x, anchor) =
                    if is_left { (at[0] - 10.0, Anchor::End) } else { (at[0] + 10.0, Anchor::Start) };
                figure.text([x, at[1] + 4.0], anchor, point.name.clone());
            }
        }
    }

    fn draw_legend(&self, figure: &mut Figure) {
        let (x, columns) = (LEFT + PLOT[0] + 20.0, ((LEGEND - 44.0) / CHARACTER) as usize);
        let mut y = TOP + 8.0;
        for series in self.series.iter().filter(|series| !series.name.is_empty()) {
            draw_mark(figure, series.mark, [x, y], series.ink);
            let lines = figure.paragraph([x + 16.0, y + 4.0], columns, &series.name);
            y += LINE * lines as f64 + 6.0;
        }
    }
}

/// Draws a mark around a place.
fn draw_mark(figure: &mut Figure, mark: PointMark, [x, y]: [f64; 2], ink: Ink) {
    let corners = |count: usize, radius: f64, first: f64| -> Vec<[f64; 2]> {
        let angle = |n: usize| first + std::f64::consts::TAU * n as f64 / count as f64;
        (0..count).map(|n| [x + radius * angle(n).sin(), y - radius * angle(n).cos()]).collect()
    };
    let half_turn = std::f64::consts::PI;
    let polygon = |points| FigurePart::Polygon { points, ink };
    let circle = |radius| FigurePart::Circle { centre: [x, y], radius, ink };
    match mark {
        PointMark::Dot => figure.parts.push(circle(1.7)),
        PointMark::Circle => figure.parts.push(circle(3.4)),
        PointMark::Square => figure.parts.push(polygon(corners(4, 4.4, half_turn / 4.0))),
        PointMark::Triangle => figure.parts.push(polygon(corners(3, 4.8, 0.0))),
        PointMark::Diamond => figure.parts.push(polygon(corners(4, 4.8, 0.0))),
        PointMark::Down => figure.parts.push(polygon(corners(3, 4.8, half_turn))),
        PointMark::Pentagon => figure.parts.push(polygon(corners(5, 4.4, 0.0))),
        PointMark::Cross => {
            figure.line(vec![[x - 4.0, y - 4.0], [x + 4.0, y + 4.0]], 1.6, ink);
            figure.line(vec![[x - 4.0, y + 4.0], [x + 4.0, y - 4.0]], 1.6, ink);
        }
        PointMark::Plus => {
            figure.line(vec![[x - 5.0, y], [x + 5.0, y]], 1.6, ink);
            figure.line(vec![[x, y - 5.0], [x, y + 5.0]], 1.6, ink);
        }
        PointMark::Frame => {
            let mut outline = corners(4, 5.0, half_turn / 4.0);
            outline.push(outline[0]);
            figure.line(outline, 1.4, ink);
        }
        PointMark::Star => {
            let star = |scale: f64| -> Vec<[f64; 2]> {
                let (tips, dents) = (corners(5, 9.0 * scale, 0.0), corners(5, 4.0 * scale, half_turn / 5.0));
                tips.into_iter().zip(dents).flat_map(|(tip, dent)| [tip, dent]).collect()
            };
            figure.parts.push(FigurePart::Polygon { points: star(1.35), ink: TEXT });
            figure.parts.push(polygon(star(1.0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: &[[f64; 2]]) -> ScatterSeries {
        let points = points.iter().map(|at| ScatterPoint { at: *at, name: String::new() }).collect();
        ScatterSeries {
            name: "one".into(),
            mark: PointMark::Circle,
            ink: [1, 2, 3],
            is_joined: false,
            points,
        }
    }

    #[test]
    fn both_axes_have_one_scale_and_hold_every_point() {
        let frame = PlotFrame::of(&[series(&[[0.0, 0.0], [2.0, 0.5]])], &[]);
        let ([x, y], [far, up]) = (frame.pixel([0.0, 0.0]), frame.pixel([2.0, 0.5]));
        assert!((far - x - 4.0 * (y - up)).abs() < 1e-9);
        assert!(x > LEFT && far < LEFT + PLOT[0] && up > TOP && y < TOP + PLOT[1]);
        assert!((far - x - PLOT[0] * (1.0 - 2.0 * MARGIN)).abs() < 1e-9);
    }

    #[test]
    fn places_without_a_mark_are_within_the_axes() {
        let [all, some] = [&[[0.0, 0.0], [2.0, 0.5]][..], &[[0.0, 0.0]]].map(series);
        let whole = PlotFrame::of(&[all], &[]);
        let part = PlotFrame::of(&[some], &[[2.0, 0.5]]);
        assert_eq!((whole.scale, whole.middle), (part.scale, part.middle));
    }

    #[test]
    fn one_point_and_none_are_drawn_too() {
        for points in [&[[3.0, 4.0]][..], &[]] {
            let scatter = Scatter {
                title: "t".into(),
                axes: Some(["a".into(), "b".into()]),
                series: vec![series(points)],
                unseen: Vec::new(),
                notes: vec!["n".into()],
            };
            let figure = scatter.figure();
            let circles =
                figure.parts.iter().filter(|part| matches!(part, FigurePart::Circle { .. })).count();
            assert_eq!(circles, points.len() + 1, "and that of the legend");
            assert!(!figure.picture().rgb.is_empty());
        }
    }
}
