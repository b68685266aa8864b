//! Makes the picture that is looked at closer: a part of the run's picture, with the activation map and the cursor over it.

use std::sync::Arc;

use image::RgbImage;
use image::imageops::{self, FilterType};

use crate::dashboard::PictureWindow;
use crate::engine::Picture;
use crate::worker::protocol::ActivationMap;

/// The smallest side of such a picture in pixels, so that the cursor is finer than what lies under it.
const LEAST_SIDE: u32 = 256;

/// The share of a picture's brightness that is left where the map is 0.
const DIMMED: f32 = 0.3;

/// The share of the map's colour where the map is highest.
const TINT: f32 = 0.6;

/// The colours of a map from 0 to its highest activation, equally far apart: dark to bright, for every kind of sight.
const HEAT: [[f32; 3]; 4] =
    [[20.0, 10.0, 60.0], [150.0, 30.0, 110.0], [245.0, 120.0, 30.0], [255.0, 245.0, 150.0]];

/// The arms of the cursor, and the free space inside them, as shares of the picture: one of so many.
const ARM: u32 = 12;
const GAP: u32 = 60;

/// A picture that is looked at closer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CloserScene {
    pub(super) picture: Arc<Picture>,
    /// The part of it that is drawn; none for all of it.
    pub(super) window: Option<PictureWindow>,
    /// The pixel under the cursor.
    pub(super) pixel: Option<(usize, usize)>,
    /// The map that lies over all of the picture.
    pub(super) map: Option<Arc<ActivationMap>>,
}

/// The part of the picture that is looked at, for a place of so many pixels on the screen.
pub(super) fn look_closer(scene: &CloserScene, shown: (u32, u32)) -> Arc<Picture> {
    let CloserScene { picture, window, pixel, map } = scene;
    let size = (picture.width, picture.height);
    let window = window.unwrap_or(PictureWindow { origin: (0, 0), size });
    let Some(image) = RgbImage::from_raw(size.0 as u32, size.1 as u32, picture.rgb.clone()) else {
        return Arc::clone(picture);
    };
    let (width, height) = (window.size.0 as u32, window.size.1 as u32);
    let part =
        imageops::crop_imm(&image, window.origin.0 as u32, window.origin.1 as u32, width, height).to_image();
    let scale = LEAST_SIDE.div_ceil(width.max(height)).max(1);
    let mut part = imageops::resize(&part, width * scale, height * scale, FilterType::Triangle);
    if let Some(map) = map {
        lay_over(&mut part, map, &window, size);
    }
    if let Some(pixel) = pixel {
        let at = |axis: fn((usize, usize)) -> usize| {
            (axis(*pixel).saturating_sub(axis(window.origin)) as u32) * scale + scale / 2
        };
        let thick = |side: u32, shown: u32| side.div_ceil(shown.max(1)).max(1);
        let thickness = (thick(part.width(), shown.0), thick(part.height(), shown.1));
        draw_cursor(&mut part, (at(|(x, _)| x), at(|(_, y)| y)), thickness);
    }
    Arc::new(Picture { width: part.width() as usize, height: part.height() as usize, rgb: part.into_raw() })
}

/// Darkens what the channel does not respond to, and tints what it does.
fn lay_over(image: &mut RgbImage, map: &ActivationMap, window: &PictureWindow, whole: (usize, usize)) {
    let highest = map.values.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let share = |at: u32, side: u32, origin: usize, shown: usize, whole: usize| {
        (origin as f32 + (at as f32 + 0.5) / side as f32 * shown as f32) / whole as f32
    };
    let (width, height) = image.dimensions();
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        let across = share(x, width, window.origin.0, window.size.0, whole.0);
        let down = share(y, height, window.origin.1, window.size.1, whole.1);
        let level = (between(map, across, down) / highest).clamp(0.0, 1.0);
        let (light, tint) = (DIMMED + (1.0 - DIMMED) * level, TINT * level);
        let color = heat(level);
        for (value, heat) in pixel.0.iter_mut().zip(color) {
            *value = (f32::from(*value) * light * (1.0 - tint) + heat * tint).round() as u8;
        }
    }
}

/// The activation at a place that is given as shares of the map's sides, bilinear between the middles of positions.
fn between(map: &ActivationMap, across: f32, down: f32) -> f32 {
    let taps = |share: f32, count: usize| {
        let place = (share * count as f32 - 0.5).clamp(0.0, count.saturating_sub(1) as f32);
        let first = place as usize;
        (first, (first + 1).min(count.saturating_sub(1)), place.fract())
    };
    let ((left, right, x), (top, bottom, y)) = (taps(across, map.width), taps(down, map.height));
    let value =
        |row: usize, column: usize| map.values.get(row * map.width + column).copied().unwrap_or_default();
    let row = |row: usize| value(row, left) + x * (value(row, right) - value(row, left));
    row(top) + y * (row(bottom) - row(top))
}

/// The colour of a level in 0..1, as a map's legend shows it.
pub(super) fn legend_color(level: f32) -> [u8; 3] {
    heat(level.clamp(0.0, 1.0)).map(|value| value.round() as u8)
}

/// The colour of a level in 0..1.
fn heat(level: f32) -> [f32; 3] {
    let place = level * (HEAT.len() - 1) as f32;
    let first = (place as usize).min(HEAT.len() - 2);
    let share = place - first as f32;
    std::array::from_fn(|c| HEAT[first][c] + share * (HEAT[first + 1][c] - HEAT[first][c]))
}

/// Draws four arms around a pixel, each as thick as the screen can show, in what differs most from the picture there.
fn draw_cursor(image: &mut RgbImage, (x, y): (u32, u32), thickness: (u32, u32)) {
    let (width, height) = image.dimensions();
    let (arm, gap) = ((width / ARM, height / ARM), (width / GAP + thickness.0, height / GAP + thickness.1));
    for (px, py, pixel) in image.enumerate_pixels_mut() {
        let (dx, dy) = (px.abs_diff(x), py.abs_diff(y));
        let across = dy <= thickness.1 / 2 && (gap.0..gap.0 + arm.0.max(1)).contains(&dx);
        let down = dx <= thickness.0 / 2 && (gap.1..gap.1 + arm.1.max(1)).contains(&dy);
        if across || down {
            let bright = pixel.0.iter().map(|&value| u32::from(value)).sum::<u32>() > 3 * 127;
            pixel.0 = if bright { [0; 3] } else { [255; 3] };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gray(side: usize) -> Arc<Picture> {
        Arc::new(Picture { width: side, height: side, rgb: vec![100; 3 * side * side] })
    }

    fn at(picture: &Picture, x: f64, y: f64) -> [u8; 3] {
        let (column, row) = ((x * picture.width as f64) as usize, (y * picture.height as f64) as usize);
        let first = 3 * (row * picture.width + column);
        [picture.rgb[first], picture.rgb[first + 1], picture.rgb[first + 2]]
    }

    #[test]
    fn a_window_shows_its_part_and_nothing_else() {
        let mut picture = Picture::clone(&gray(64));
        // The lower right quarter is white.
        for (index, value) in picture.rgb.iter_mut().enumerate() {
            let (column, row) = (index / 3 % 64, index / 3 / 64);
            *value = if column >= 32 && row >= 32 { 255 } else { 0 };
        }
        let window = Some(PictureWindow { origin: (32, 32), size: (32, 32) });
        let scene = CloserScene { picture: Arc::new(picture), window, pixel: None, map: None };
        assert!(look_closer(&scene, (80, 80)).rgb.iter().all(|&value| value == 255));
    }

    #[test]
    fn the_map_is_bright_where_the_channel_responds() {
        let map = ActivationMap { height: 2, width: 2, values: vec![0.0, 0.0, 0.0, 9.0] };
        let scene =
            CloserScene { picture: gray(64), window: None, pixel: None, map: Some(Arc::new(map.clone())) };
        let shown = look_closer(&scene, (80, 80));
        let (dark, bright) = (at(&shown, 0.1, 0.1), at(&shown, 0.9, 0.9));
        assert_eq!(dark, [30; 3], "what it does not respond to is darker");
        assert!(bright[0] > 180, "{bright:?}");
        // A channel that nothing wakes darkens all of it, and divides by nothing.
        let still = ActivationMap { values: vec![0.0; 4], ..map };
        let scene = CloserScene { map: Some(Arc::new(still)), ..scene };
        assert_eq!(at(&look_closer(&scene, (80, 80)), 0.9, 0.9), [30; 3]);
    }

    #[test]
    fn the_cursor_surrounds_its_pixel_on_every_screen() {
        for shown in [(20, 20), (300, 300)] {
            let scene = CloserScene { picture: gray(64), window: None, pixel: Some((10, 50)), map: None };
            let drawn = look_closer(&scene, shown);
            let center = (10.5 / 64.0, 50.5 / 64.0);
            assert_eq!(at(&drawn, center.0, center.1), [100; 3], "the pixel itself stays");
            let arm = 1.0 / f64::from(shown.0) + 0.06;
            assert_eq!(at(&drawn, center.0 + arm, center.1), [255; 3], "{shown:?}");
            assert_eq!(at(&drawn, center.0, center.1 - arm), [255; 3], "{shown:?}");
            assert_eq!(at(&drawn, 0.9, 0.1), [100; 3]);
        }
    }
}
