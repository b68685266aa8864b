//! Figures for papers and pages: lines, shapes and text, in the same places as SVG and as pixels. Not here: which numbers are
//! drawn, and files.

mod bars;
mod pixels;
mod scatter;
mod svg;
mod ticks;

pub use bars::BarPlot;
pub use scatter::{PointMark, Scatter, ScatterPoint, ScatterSeries};

use crate::engine::Picture;

/// A colour as red, green and blue.
pub type Ink = [u8; 3];

/// Colours that colour-blind people tell apart too (Okabe and Ito 2008), in the order in which they are given out.
pub const INKS: [Ink; 6] =
    [[0, 114, 178], [230, 159, 0], [0, 158, 115], [204, 121, 167], [86, 180, 233], [240, 228, 66]];

/// The colour of what a figure is about, and those of text and of what stands behind.
pub const CHOSEN: Ink = [213, 94, 0];
pub(super) const TEXT: Ink = [34, 34, 34];
pub(super) const FRAME: Ink = [120, 120, 120];

/// The height of a line of text, and the width of a character, in pixels: those of the bitmap font. SVG's may be narrower.
pub(super) const LINE: f64 = 16.0;
pub(super) const CHARACTER: f64 = 8.0;

/// The end of a text that is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A part of a figure. Later ones are drawn over earlier ones. Places are in pixels from the upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum FigurePart {
    /// A line through points.
    Line { points: Vec<[f64; 2]>, width: f64, ink: Ink },
    /// A filled shape with these corners.
    Polygon { points: Vec<[f64; 2]>, ink: Ink },
    /// A filled circle.
    Circle { centre: [f64; 2], radius: f64, ink: Ink },
    /// A line of text; its place is on its base line.
    Text { at: [f64; 2], anchor: Anchor, text: String, ink: Ink },
}

/// A figure on white.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) parts: Vec<FigurePart>,
}

impl Figure {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, parts: Vec::new() }
    }

    /// The figure as an SVG file. Its text is text, so that it can be searched and set anew.
    pub fn svg(&self) -> String {
        svg::written(self)
    }

    /// The figure as pixels.
    pub fn picture(&self) -> Picture {
        pixels::drawn(self)
    }

    /// The two figures side by side.
    #[must_use]
    pub fn beside(mut self, other: &Self) -> Self {
        let along = self.width as f64;
        let moved = |[x, y]: [f64; 2]| [x + along, y];
        let all = |points: &[[f64; 2]]| points.iter().copied().map(moved).collect();
        self.parts.extend(other.parts.iter().cloned().map(|part| match part {
            FigurePart::Line { points, width, ink } => FigurePart::Line { points: all(&points), width, ink },
            FigurePart::Polygon { points, ink } => FigurePart::Polygon { points: all(&points), ink },
            FigurePart::Circle { centre, radius, ink } => {
                FigurePart::Circle { centre: moved(centre), radius, ink }
            }
            FigurePart::Text { at, anchor, text, ink } => {
                FigurePart::Text { at: moved(at), anchor, text, ink }
            }
        }));
        Self { width: self.width + other.width, height: self.height.max(other.height), parts: self.parts }
    }

    pub(super) fn line(&mut self, points: Vec<[f64; 2]>, width: f64, ink: Ink) {
        self.parts.push(FigurePart::Line { points, width, ink });
    }

    pub(super) fn text(&mut self, at: [f64; 2], anchor: Anchor, text: impl Into<String>) {
        self.parts.push(FigurePart::Text { at, anchor, text: text.into(), ink: TEXT });
    }

    /// Text in lines of at most `columns` characters, the first one's base line at `at`. The number of lines.
    pub(super) fn paragraph(&mut self, at: [f64; 2], columns: usize, text: &str) -> usize {
        let lines = wrapped(text, columns);
        for (n, line) in lines.iter().enumerate() {
            self.text([at[0], at[1] + LINE * n as f64], Anchor::Start, line.clone());
        }
        lines.len()
    }
}

/// Text broken between words into lines of at most `columns` characters; a longer word has a line of its own.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_beside_another_is_moved_as_a_whole() {
        let mut other = Figure::new(10, 30);
        other.line(vec![[1.0, 2.0], [3.0, 4.0]], 1.0, [0; 3]);
        other.text([5.0, 6.0], Anchor::End, "t");
        let both = Figure::new(100, 20).beside(&other);
        let line = FigurePart::Line { points: vec![[101.0, 2.0], [103.0, 4.0]], width: 1.0, ink: [0; 3] };
        assert_eq!((both.width, both.height, &both.parts[0]), (110, 30, &line));
        assert!(matches!(both.parts[1], FigurePart::Text { at: [105.0, 6.0], .. }));
    }

    #[test]
    fn text_is_broken_between_words() {
        assert_eq!(wrapped("a bc  def incomprehensible g", 6), ["a bc", "def", "incomprehensible", "g"]);
        assert!(wrapped(" ", 6).is_empty());
    }
}
