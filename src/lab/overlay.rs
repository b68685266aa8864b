//! A map over the picture that it is of.

use super::maps::Map;
use crate::engine::Picture;

/// The colours of what speaks for the class and of what speaks against it, told apart by colour-blind people too.
const FOR: [f64; 3] = [255.0, 176.0, 0.0];
const AGAINST: [f64; 3] = [0.0, 114.0, 255.0];

/// The share of the picture's light that is left where the map is zero.
const DIMMED: f64 = 0.6;

/// The share of the full colour that covers the picture, and the share of pixels that have less than the full colour.
const COVERED: f64 = 0.8;
const BRIGHT: f64 = 0.995;

/// The picture in gray under a map: what is above zero in one colour, what is below in another.
pub fn overlay(picture: &Picture, map: &Map) -> Picture {
    let map = map.enlarged(picture.height, picture.width);
    let bright = bright(&map);
    let pixel = |(rgb, value): (&[u8], &f64)| {
        let gray =
            DIMMED * (0.299 * f64::from(rgb[0]) + 0.587 * f64::from(rgb[1]) + 0.114 * f64::from(rgb[2]));
        let (part, colour) = ((value / bright).abs().min(1.0), if *value < 0.0 { AGAINST } else { FOR });
        colour.map(|level| (gray + part * (level - gray) * COVERED).round() as u8)
    };
    let rgb = picture.rgb.chunks(3).zip(&map.values).flat_map(pixel).collect();
    Picture { rgb, ..picture.clone() }
}

/// The size of value that has the full colour: a few pixels of a saliency would leave nothing for the rest.
fn bright(map: &Map) -> f64 {
    let mut sizes: Vec<f64> = map.values.iter().map(|value| value.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let place = (sizes.len() as f64 * BRIGHT) as usize;
    sizes.get(place.min(sizes.len().saturating_sub(1))).copied().unwrap_or_default().max(f64::MIN_POSITIVE)
}
