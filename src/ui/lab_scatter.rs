//! Makes the picture of a scatter: a point for each photograph, those of the nearest label in a colour, a cross for the picture
//! that was asked about, and a frame around the point under the cursor.

use std::sync::Arc;

use image::{Rgb, RgbImage};

use crate::engine::Picture;
use crate::worker::protocol::LabPoint;

/// A colour in red, green and blue.
type PointColor = [u8; 3];

/// The colours of the ground, of photographs, of those of the nearest label, of the picture that was asked about, and of the cursor:
/// colour-blind people tell them apart too (Okabe and Ito 2008).
const GROUND: PointColor = [16, 16, 16];
const POINT: PointColor = [176, 176, 176];
const NEAREST: PointColor = [86, 180, 233];
const CHOSEN: PointColor = [213, 94, 0];
const CURSOR: PointColor = [255, 255, 255];

/// The part of the way to its colour that each photograph brings a pixel: one of so many.
const CROWD: u8 = 3;

/// The radius of a point: one part of so many of the picture's shorter side.
const RADIUS: u32 = 150;

/// The share of the picture that stays free at each side.
const MARGIN: f64 = 0.04;

/// A scatter with its cursor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ScatterScene {
    /// The picture that was asked about, and then the photographs.
    pub(super) points: Arc<[LabPoint]>,
    /// The label that has a colour.
    pub(super) nearest: Option<usize>,
    /// The point under the cursor.
    pub(super) cursor: usize,
}

/// The scatter in so many pixels.
pub(super) fn draw_scatter(scene: &ScatterScene, (width, height): (u32, u32)) -> Arc<Picture> {
    let mut image = RgbImage::from_pixel(width.max(1), height.max(1), Rgb(GROUND));
    let radius = width.min(height) / RADIUS;
    let place = placing(&scene.points, image.dimensions());
    let is_nearest = |point: &LabPoint| scene.nearest.is_some() && point.label == scene.nearest;
    let photographs = || scene.points.iter().skip(1);
    for point in photographs().filter(|point| !is_nearest(point)) {
        fill(&mut image, place(point), radius, |before| nearer(before, POINT));
    }
    for point in photographs().filter(|point| is_nearest(point)) {
        fill(&mut image, place(point), radius + radius / 2, |_| NEAREST);
    }
    if let Some(own) = scene.points.first() {
        cross(&mut image, place(own), 3 * radius + 2, radius, CHOSEN);
    }
    if let Some(point) = scene.points.get(scene.cursor) {
        frame(&mut image, place(point), 4 * radius + 2, CURSOR);
    }
    Arc::new(Picture {
        width: image.width() as usize,
        height: image.height() as usize,
        rgb: image.into_raw(),
    })
}

/// The pixel of each point, so that all of them are inside.
fn placing(points: &[LabPoint], (width, height): (u32, u32)) -> impl Fn(&LabPoint) -> (i64, i64) {
    let ends = |axis: usize| {
        let along = points.iter().map(|point| point.at[axis]);
        along.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
    };
    let (across, up) = (ends(0), ends(1));
    let share = |x: f64, (low, high): (f64, f64)| {
        let inside = if high > low { (x - low) / (high - low) } else { 0.5 };
        MARGIN + (1.0 - 2.0 * MARGIN) * inside
    };
    move |point| {
        let (x, y) = (share(point.at[0], across), 1.0 - share(point.at[1], up));
        ((x * f64::from(width)) as i64, (y * f64::from(height)) as i64)
    }
}

/// A part of the way from a colour to another, so that a place where several photographs lie is brighter than one with one.
fn nearer(before: PointColor, to: PointColor) -> PointColor {
    std::array::from_fn(|c| before[c] + (to[c].saturating_sub(before[c])).div_ceil(CROWD))
}

fn put(image: &mut RgbImage, x: i64, y: i64, color: impl Fn(PointColor) -> PointColor) {
    if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
        && let Some(pixel) = image.get_pixel_mut_checked(x, y)
    {
        *pixel = Rgb(color(pixel.0));
    }
}

fn fill(image: &mut RgbImage, (x, y): (i64, i64), radius: u32, color: impl Fn(PointColor) -> PointColor) {
    let radius = i64::from(radius);
    for dy in -radius..=radius {
        for dx in -radius..=radius {
            if dx * dx + dy * dy <= radius * radius {
                put(image, x + dx, y + dy, &color);
            }
        }
    }
}

/// Two lines that cross upright, with arms of this length.
fn cross(image: &mut RgbImage, (x, y): (i64, i64), arm: u32, thickness: u32, color: PointColor) {
    for along in -i64::from(arm)..=i64::from(arm) {
        fill(image, (x + along, y), thickness / 2, |_| color);
        fill(image, (x, y + along), thickness / 2, |_| color);
    }
}

/// The outline of a square.
fn frame(image: &mut RgbImage, (x, y): (i64, i64), half: u32, color: PointColor) {
    let half = i64::from(half);
    for along in -half..=half {
        for (px, py) in
            [(x + along, y - half), (x + along, y + half), (x - half, y + along), (x + half, y + along)]
        {
            put(image, px, py, |_| color);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: [f64; 2], label: Option<usize>) -> LabPoint {
        LabPoint { at, file: String::new(), label }
    }

    fn colours(picture: &Picture, color: PointColor) -> usize {
        picture.rgb.chunks(3).filter(|pixel| **pixel == color).count()
    }

    #[test]
    fn every_point_is_drawn_and_what_matters_over_the_rest() {
        let points = [
            point([0.0, 0.6], None),
            point([1.0, 1.6], Some(0)),
            point([-1.0, 2.0], Some(1)),
            point([2.0, 0.0], None),
        ];
        let scene = ScatterScene { points: Arc::from(points), nearest: Some(1), cursor: 1 };
        let drawn = draw_scatter(&scene, (80, 40));
        let one = nearer(GROUND, POINT);
        let found = [one, NEAREST, CHOSEN, CURSOR].map(|color| colours(&drawn, color));
        assert_eq!(found, [2, 1, 9, 16], "a pixel each, a cross, and a frame of five pixels a side");
        let larger = draw_scatter(&scene, (800, 600));
        assert!(colours(&larger, NEAREST) > colours(&larger, POINT));
    }

    #[test]
    fn one_point_alone_is_in_the_middle() {
        let scene = ScatterScene { points: Arc::from([point([5.0, 5.0], None)]), nearest: None, cursor: 9 };
        let drawn = draw_scatter(&scene, (21, 21));
        assert_eq!(drawn.rgb[3 * (10 * 21 + 10)..][..3], CHOSEN);
    }
}
