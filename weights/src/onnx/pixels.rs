//! The preprocessing of a file: what its graph does to the picture before the first layer, and what its input must be for
//! that. The range of the input is concluded from the graph's own numbers where these leave no doubt, and never guessed.

use std::collections::BTreeMap;

use trepang_api::Preprocess;

use super::value::Mapped;
use crate::{InputFormat, InputScale};

/// The factors and offsets of torchvision's `transform_input`, which expects what PyTorch's networks see.
const TRANSFORM_INPUT: [[f64; 3]; 2] = [[0.458, 0.448, 0.450], [-0.030, -0.088, -0.188]];

/// The difference up to which numbers are those of [`TRANSFORM_INPUT`], which is rounded.
const TRANSFORM_TOLERANCE: f64 = 1e-3;

/// The means of Caffe's networks for B, G and R in 0..255, which no channel misses by more than the tolerance.
const CAFFE_MEANS: [f64; 3] = [104.0, 117.0, 123.5];

/// Published means differ by less than this.
const CAFFE_TOLERANCE: f64 = 1.5;

/// A factor below this belongs to 0..255: it makes at most 13 of it.
const SMALL_FACTOR: f64 = 0.05;

/// The word of a file on its pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundInput {
    /// The pixels that its input takes.
    pub input: InputFormat,
    /// The reason, as a clause behind the file's name.
    pub because: String,
}

/// The word of the file on its input; none if it says nothing.
pub(super) fn find(
    channels: &[Mapped],
    is_bytes: bool,
    metadata: &BTreeMap<String, String>,
) -> Result<Option<FoundInput>, String> {
    if let Some(input) = in_metadata(metadata)? {
        return Ok(Some(FoundInput { input, because: "says so in its metadata".into() }));
    }
    let found =
        |scale, bgr, because: String| Ok(Some(FoundInput { input: InputFormat { scale, bgr }, because }));
    if is_bytes {
        return found(InputScale::Levels, false, "takes pictures as bytes".into());
    }
    if channels.iter().all(|channel| (channel.scale, channel.shift) == (1.0, 0.0)) {
        return Ok(None);
    }
    let means: Vec<f64> = channels.iter().map(|channel| -channel.shift / channel.scale).collect();
    let by_graph = |range: &str| {
        let terms = channels.iter().map(|c| format!("{} x {:+}", shown(c.scale), shown(c.shift)));
        format!("maps its channels to {} itself, so x is {range}", terms.collect::<Vec<_>>().join(", "))
    };
    let all = |is: &dyn Fn(f64) -> bool, of: &[f64]| of.iter().all(|&number| is(number));
    let scales: Vec<f64> = channels.iter().map(|channel| channel.scale.abs()).collect();
    if is_transform_input(channels) {
        return found(InputScale::Torch, false, by_graph("what PyTorch's networks see"));
    }
    let is_caffes = channels.len() == 3
        && channels.iter().enumerate().all(|(at, channel)| channel.source == at)
        && means.iter().zip(CAFFE_MEANS).all(|(mean, caffe)| (mean - caffe).abs() <= CAFFE_TOLERANCE);
    let order = if is_caffes { "0..255 in BGR" } else { "0..255 in RGB" };
    if all(&|scale| scale < SMALL_FACTOR, &scales) || all(&|mean| (2.0..=255.0).contains(&mean), &means) {
        return found(InputScale::Levels, is_caffes, by_graph(order));
    }
    if all(&|mean| (0.0..=1.0).contains(&mean), &means) && all(&|scale| scale >= 0.5, &scales) {
        return found(InputScale::Unit, false, by_graph("0..1 in RGB"));
    }
    Ok(None)
}

fn shown(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

fn is_transform_input(channels: &[Mapped]) -> bool {
    let [factors, offsets] = TRANSFORM_INPUT;
    channels.len() == 3
        && channels.iter().zip(factors.iter().zip(offsets)).all(|(channel, (factor, offset))| {
            (channel.scale - factor).abs() <= TRANSFORM_TOLERANCE
                && (channel.shift - offset).abs() <= TRANSFORM_TOLERANCE
        })
}

/// The preprocessing under Trepang's own keys: `trepang.scale` and `trepang.shift`, each one number or three for R, G and
/// B in 0..1, and `trepang.order`, rgb or bgr.
fn in_metadata(metadata: &BTreeMap<String, String>) -> Result<Option<InputFormat>, String> {
    let numbers = |key: &str, default: f32| -> Result<[f32; 3], String> {
        let Some(text) = metadata.get(key) else { return Ok([default; 3]) };
        let numbers: Option<Vec<f32>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[one]) if one.is_finite() => Ok([one; 3]),
            Some(&[r, g, b]) if [r, g, b].iter().all(|number| number.is_finite()) => Ok([r, g, b]),
            _ => Err(format!("its metadata {key} is neither one number nor three")),
        }
    };
    if !metadata.contains_key("trepang.scale") {
        return Ok(None);
    }
    let (scale, shift) = (numbers("trepang.scale", 1.0)?, numbers("trepang.shift", 0.0)?);
    if scale.contains(&0.0) {
        return Err("its metadata trepang.scale is 0".into());
    }
    let mean = [0, 1, 2].map(|c| -shift[c] / scale[c]);
    let bgr = match metadata.get("trepang.order").map(String::as_str) {
        None | Some("rgb") => false,
        Some("bgr") => true,
        Some(_) => return Err("its metadata trepang.order is neither rgb nor bgr".into()),
    };
    Ok(Some(InputFormat { scale: InputScale::Normalized { mean, std: scale.map(f32::recip) }, bgr }))
}

/// The map from RGB in 0..1 to the first layer, and which of R, G and B each of its channels is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Door {
    pub preprocess: Preprocess,
    /// For each channel of the first layer 0, 1 or 2; empty for a network for gray pictures.
    pub order: Vec<usize>,
}

/// Combines what the input takes with what the graph does to it. Fails, with a clause, for channels that are not R, G and
/// B once each.
pub(super) fn combine(channels: &[Mapped], input: InputFormat) -> Result<Door, String> {
    let outer = input.preprocess();
    if let [one] = channels {
        let gray = outer.of_gray();
        let (scale, shift) = mapped(*one, gray.scale[0], gray.shift[0])?;
        let preprocess = Preprocess { scale: [scale; 3], shift: [shift; 3], trained_on_bgr: false };
        return Ok(Door { preprocess, order: Vec::new() });
    }
    let rgb = |source: usize| if outer.trained_on_bgr { 2_usize.checked_sub(source) } else { Some(source) };
    let order: Option<Vec<usize>> = channels.iter().map(|channel| rgb(channel.source)).collect();
    let order = order.filter(|order| order.len() == 3 && (0..3).all(|c| order.contains(&c)));
    let order = order.ok_or("its first layer reads other channels than R, G and B once each")?;
    let (mut scale, mut shift) = ([0.0; 3], [0.0; 3]);
    for (channel, &c) in channels.iter().zip(&order) {
        (scale[c], shift[c]) = mapped(*channel, outer.scale[c], outer.shift[c])?;
    }
    let trained_on_bgr = order == [2, 1, 0];
    Ok(Door { preprocess: Preprocess { scale, shift, trained_on_bgr }, order })
}

fn mapped(channel: Mapped, scale: f32, shift: f32) -> Result<(f32, f32), String> {
    let combined = (channel.scale * f64::from(scale)) as f32;
    let moved = (channel.scale * f64::from(shift) + channel.shift) as f32;
    if combined == 0.0 || !combined.is_finite() || !moved.is_finite() {
        return Err("its graph multiplies the picture by 0 or by no number".into());
    }
    Ok((combined, moved))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels(maps: &[(usize, f64, f64)]) -> Vec<Mapped> {
        maps.iter().map(|&(source, scale, shift)| Mapped { source, scale, shift }).collect()
    }

    fn found(maps: &[(usize, f64, f64)]) -> Option<String> {
        let found = find(&channels(maps), false, &BTreeMap::new()).unwrap();
        found.map(|found| found.input.to_string())
    }

    #[test]
    fn the_range_is_concluded_from_clear_numbers_only() {
        let same = |scale, shift| [(0, scale, shift), (1, scale, shift), (2, scale, shift)];
        assert_eq!(found(&same(1.0, 0.0)), None);
        assert_eq!(found(&same(1.0 / 127.5, -1.0)).as_deref(), Some("255"));
        assert_eq!(found(&same(1.0 / 255.0, 0.0)).as_deref(), Some("255"));
        assert_eq!(found(&same(2.0, -1.0)).as_deref(), Some("unit"));
        assert_eq!(
            found(&[(0, 4.367, -2.118), (1, 4.464, -2.036), (2, 4.444, -1.804)]).as_deref(),
            Some("unit")
        );
        assert_eq!(
            found(&[(0, 1.0, -103.9), (1, 1.0, -116.8), (2, 1.0, -123.7)]).as_deref(),
            Some("255:bgr")
        );
        assert_eq!(found(&[(2, 1.0, -103.9), (1, 1.0, -116.8), (0, 1.0, -123.7)]).as_deref(), Some("255"));
        assert_eq!(
            found(&[(0, 0.458, -0.03), (1, 0.448, -0.088), (2, 0.45, -0.188)]).as_deref(),
            Some("torch")
        );
        assert_eq!(found(&same(0.1, 0.3)), None, "that could be anything");
    }

    #[test]
    fn the_graphs_map_and_the_inputs_are_one() {
        let flipped = channels(&[(2, 2.0, 1.0), (1, 3.0, 1.0), (0, 4.0, 1.0)]);
        let door = combine(&flipped, "unit".parse().unwrap()).unwrap();
        assert_eq!(door.order, [2, 1, 0]);
        assert_eq!((door.preprocess.scale, door.preprocess.trained_on_bgr), ([4.0, 3.0, 2.0], true));
        let twice = combine(&flipped, "unit:bgr".parse().unwrap()).unwrap();
        assert_eq!((twice.order, twice.preprocess.scale), (vec![0, 1, 2], [2.0, 3.0, 4.0]));
        assert!(
            combine(&channels(&[(0, 1.0, 0.0), (0, 1.0, 0.0), (1, 1.0, 0.0)]), "unit".parse().unwrap())
                .is_err()
        );
    }

    #[test]
    fn trepangs_own_metadata_are_the_input() {
        let entries =
            [("trepang.scale", "255"), ("trepang.shift", "-123,-117,-104"), ("trepang.order", "bgr")];
        let metadata = entries.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let found = find(&channels(&[(0, 1.0, 0.0)]), false, &metadata).unwrap().unwrap();
        let preprocess = found.input.preprocess();
        assert!(preprocess.trained_on_bgr && (preprocess.scale[0] - 255.0).abs() < 1e-3);
        assert!((preprocess.shift[2] + 104.0).abs() < 1e-3);
        let wrong = [("trepang.scale".to_owned(), "a".to_owned())].into();
        assert!(find(&[], false, &wrong).unwrap_err().contains("trepang.scale"));
    }
}
