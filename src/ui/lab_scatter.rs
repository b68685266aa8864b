//! Makes the picture of a scatter: a point for each photograph, those of the nearest label in a colour, a cross for the picture
//! that was asked about, and a frame around the point under the cursor.

use std::sync::Arc;

use image::{Rgb, RgbImage};

use crate::engine::Picture;
use crate::worker::protocol::LabScatter;

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

/// A scatter with its cursor.
#[derive(Debug, Clone)]
pub(super) struct ScatterScene {
    pub(super) scatter: LabScatter,
    /// The point under the cursor.
    pub(super) cursor: usize,
}

impl PartialEq for ScatterScene {
    /// Compares where the points are kept, not thousands of points: the screen asks many times a second.
    fn eq(&self, other: &Self) -> bool {
        self.cursor == other.cursor && Arc::ptr_eq(&self.scatter.points, &other.scatter.points)
    }
}

/// The scatter in so many pixels.
pub(super) fn draw_scatter(scene: &ScatterScene, (width, height): (u32, u32)) -> Arc<Picture> {
    let mut image = RgbImage::from_pixel(width.max(1), height.max(1), Rgb(GROUND));
    let radius = width.min(height) / RADIUS;
    let LabScatter { points, nearest, .. } = &scene.scatter;
    let pixel =
        |[across, down]: [f64; 2]| ((across * f64::from(width)) as i64, (down * f64::from(height)) as i64);
    let places: Vec<(i64, i64)> = scene.scatter.shares().into_iter().map(pixel).collect();
    let photographs = || points.iter().zip(&places).skip(1);
    let is_nearest = |label: Option<usize>| nearest.is_some() && label == *nearest;
    for (_, place) in photographs().filter(|(point, _)| !is_nearest(point.label)) {
        fill(&mut image, *place, radius, |before| nearer(before, POINT));
    }
    for (_, place) in photographs().filter(|(point, _)| is_nearest(point.label)) {
        fill(&mut image, *place, radius + radius / 2, |_| NEAREST);
    }
    if let Some(own) = places.first() {
        cross(&mut image, *own, 3 * radius + 2, radius, CHOSEN);
    }
    if let Some(place) = places.get(scene.cursor) {
        frame(&mut image, *place, 4 * radius + 2, CURSOR);
    }
    Arc::new(Picture {
        width: image.width() as usize,
        height: image.height() as usize,
        rgb: image.into_raw(),
    })
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
    use crate::worker::protocol::LabPoint;

    fn point(at: [f64; 2], label: Option<usize>) -> LabPoint {
        LabPoint { at, file: String::new(), label }
    }

    fn scene(points: &[LabPoint], nearest: Option<usize>, cursor: usize) -> ScatterScene {
        let (points, labels, about) = (points.into(), [].into(), String::new());
        ScatterScene { scatter: LabScatter { points, labels, nearest, about }, cursor }
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
        let scene = scene(&points, Some(1), 1);
        let drawn = draw_scatter(&scene, (80, 40));
        let one = nearer(GROUND, POINT);
        let found = [one, NEAREST, CHOSEN, CURSOR].map(|color| colours(&drawn, color));
        assert_eq!(found, [2, 1, 9, 16], "a pixel each, a cross, and a frame of five pixels a side");
        let larger = draw_scatter(&scene, (800, 600));
        assert!(colours(&larger, NEAREST) > colours(&larger, POINT));
    }

    #[test]
    fn one_point_alone_is_in_the_middle() {
        let scene = scene(&[point([5.0, 5.0], None)], None, 9);
        let drawn = draw_scatter(&scene, (21, 21));
        assert_eq!(drawn.rgb[3 * (10 * 21 + 10)..][..3], CHOSEN);
    }
}
