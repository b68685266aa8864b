//! A figure as pixels. Shapes are drawn at several times the size and made smaller, so that their edges are smooth; text is
//! drawn at its own size, with the font of the contact sheets.

use image::{Rgb, RgbImage};

use super::{Anchor, Figure, FigurePart, Ink};
use crate::engine::Picture;
use crate::runs::Text;

/// The parts of a pixel, in each direction.
const PARTS: usize = 3;

pub(super) fn drawn(figure: &Figure) -> Picture {
    let mut large = LargePixels::new(figure.width * PARTS, figure.height * PARTS);
    for part in &figure.parts {
        large.draw(part);
    }
    let mut canvas = large.smaller();
    for part in &figure.parts {
        if let FigurePart::Text { at, anchor, text, ink } = part {
            write(&mut canvas, *at, *anchor, text, *ink);
        }
    }
    Picture { width: figure.width, height: figure.height, rgb: canvas.into_raw() }
}

fn write(canvas: &mut RgbImage, [x, y]: [f64; 2], anchor: Anchor, text: &str, ink: Ink) {
    let font = Text::SIZES[0];
    let width = font.width(text.chars().count());
    let left = match anchor {
        Anchor::Start => x,
        Anchor::Middle => x - width as f64 / 2.0,
        Anchor::End => x - width as f64,
    };
    // The font's base line is a quarter of a line above its lower edge.
    let top = y - 0.75 * font.line() as f64;
    font.draw(canvas, text, (left.max(0.0) as usize, top.max(0.0) as usize), width, Rgb(ink));
}

/// Pixels before they are made smaller.
struct LargePixels {
    width: usize,
    height: usize,
    pixels: Vec<Ink>,
}

impl LargePixels {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![[255; 3]; width * height] }
    }

    fn draw(&mut self, part: &FigurePart) {
        match part {
            FigurePart::Line { points, width, ink } => {
                for ends in points.windows(2) {
                    let half = width / 2.0;
                    self.fill(ends, half, *ink, |at| from_line(at, [ends[0], ends[1]]) <= half);
                }
            }
            FigurePart::Polygon { points, ink } => self.fill(points, 0.0, *ink, |at| is_inside(at, points)),
            FigurePart::Circle { centre, radius, ink } => {
                let is_near = |at: [f64; 2]| (at[0] - centre[0]).hypot(at[1] - centre[1]) <= *radius;
                self.fill(&[*centre], *radius, *ink, is_near);
            }
            FigurePart::Text { .. } => {}
        }
    }

    /// Colours what `is_drawn` of the pixels that are not farther than `beyond` outside of the corners' box.
    fn fill(&mut self, corners: &[[f64; 2]], beyond: f64, ink: Ink, is_drawn: impl Fn([f64; 2]) -> bool) {
        let scale = PARTS as f64;
        let range = |axis: usize, end: usize| {
            let along = || corners.iter().map(|corner| corner[axis]);
            let low = along().fold(f64::INFINITY, f64::min) - beyond;
            let high = along().fold(f64::NEG_INFINITY, f64::max) + beyond;
            let pixel = |place: f64| (place * scale).clamp(0.0, end as f64) as usize;
            pixel(low)..(pixel(high) + 1).min(end)
        };
        for y in range(1, self.height) {
            for x in range(0, self.width) {
                if is_drawn([(x as f64 + 0.5) / scale, (y as f64 + 0.5) / scale]) {
                    self.pixels[y * self.width + x] = ink;
                }
            }
        }
    }

    fn smaller(&self) -> RgbImage {
        RgbImage::from_fn((self.width / PARTS) as u32, (self.height / PARTS) as u32, |x, y| {
            let mut sums = [0_usize; 3];
            for at in 0..PARTS * PARTS {
                let (row, column) = (y as usize * PARTS + at / PARTS, x as usize * PARTS + at % PARTS);
                let pixel = self.pixels[row * self.width + column];
                sums.iter_mut().zip(pixel).for_each(|(sum, level)| *sum += usize::from(level));
            }
            Rgb(sums.map(|sum| (sum / (PARTS * PARTS)) as u8))
        })
    }
}

/// The distance of a place from the line between two others.
fn from_line(at: [f64; 2], [from, to]: [[f64; 2]; 2]) -> f64 {
    let along = [to[0] - from[0], to[1] - from[1]];
    let own = [at[0] - from[0], at[1] - from[1]];
    let square = along[0] * along[0] + along[1] * along[1];
    let part = if square > 0.0 { (own[0] * along[0] + own[1] * along[1]) / square } else { 0.0 };
    let part = part.clamp(0.0, 1.0);
    (own[0] - part * along[0]).hypot(own[1] - part * along[1])
}

/// True where a ray to the right crosses the outline an odd number of times.
fn is_inside(at: [f64; 2], corners: &[[f64; 2]]) -> bool {
    let mut inside = false;
    for (n, &[x, y]) in corners.iter().enumerate() {
        let [other_x, other_y] = corners[(n + 1) % corners.len()];
        if (y > at[1]) != (other_y > at[1]) && at[0] < x + (at[1] - y) / (other_y - y) * (other_x - x) {
            inside = !inside;
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(picture: &Picture, x: usize, y: usize) -> Ink {
        [0, 1, 2].map(|c| picture.rgb[3 * (y * picture.width + x) + c])
    }

    #[test]
    fn shapes_are_where_they_are_said_to_be() {
        let mut figure = Figure::new(40, 30);
        let (red, blue) = ([255, 0, 0], [0, 0, 255]);
        figure.parts.push(FigurePart::Circle { centre: [10.0, 10.0], radius: 5.0, ink: red });
        let corners = vec![[20.0, 5.0], [30.0, 5.0], [30.0, 15.0], [20.0, 15.0]];
        figure.parts.push(FigurePart::Polygon { points: corners, ink: blue });
        figure.line(vec![[0.0, 25.0], [40.0, 25.0]], 2.0, [0; 3]);
        let picture = figure.picture();
        assert_eq!(
            (at(&picture, 10, 10), at(&picture, 10, 4), at(&picture, 14, 14)),
            (red, [255; 3], [255; 3])
        );
        assert_eq!((at(&picture, 20, 5), at(&picture, 29, 14), at(&picture, 30, 15)), (blue, blue, [255; 3]));
        assert_eq!(
            (at(&picture, 20, 24), at(&picture, 39, 25), at(&picture, 20, 26)),
            ([0; 3], [0; 3], [255; 3])
        );
    }

    #[test]
    fn what_is_outside_of_the_figure_is_left_out() {
        let mut figure = Figure::new(8, 8);
        figure.line(vec![[-50.0, 4.0], [50.0, 4.0]], 2.0, [0; 3]);
        figure.parts.push(FigurePart::Circle { centre: [-9.0, 99.0], radius: 3.0, ink: [9; 3] });
        figure.text([-5.0, 2.0], Anchor::End, "far too long a text");
        let picture = figure.picture();
        assert_eq!((at(&picture, 0, 4), at(&picture, 7, 4)), ([0; 3], [0; 3]));
        assert!(Figure::new(0, 0).picture().rgb.is_empty());
    }
}
