//! A row of an index: what the channels of a layer make of one picture.

use trepang_api::Array;

use crate::lab::error::{Error, Result};

/// The labels of a picture, by the data set and by the network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowLabel {
    /// The data set's label.
    pub label: Option<String>,
    /// Its WordNet id.
    pub wnid: Option<String>,
    /// The index of the network's class that the label means.
    pub class: Option<usize>,
    /// The class that the network sees first.
    pub predicted: Option<usize>,
}

/// A number for each channel of a layer, several times over.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChannelNumbers {
    /// The mean over positions.
    pub means: Vec<f32>,
    /// The largest value.
    pub maxima: Vec<f32>,
    /// The position of the largest value, `y * width + x`; the first of several.
    pub places: Vec<i32>,
    /// The part that the channel carries of the margin of the picture's own class; none without a class, or if it was not asked for.
    pub relevance: Option<Vec<f32>>,
    /// All values, `[C, H, W]`, if they were asked for.
    pub activation: Option<Vec<f32>>,
}

/// A row of a shard.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexRow {
    /// The place of the picture in the data set, counted from 0.
    pub picture: usize,
    /// Its path in the data set.
    pub file: String,
    /// Its labels, as far as they are known.
    pub label: RowLabel,
    /// The numbers of its channels.
    pub numbers: ChannelNumbers,
}

impl ChannelNumbers {
    /// The numbers of picture `n` of an activation, `[N, C, H, W]`. Fails for values that are no finite numbers.
    pub fn of(activation: &Array, n: usize, network: &str) -> Result<Self> {
        let (_, shape) = activation.dims4()?;
        let positions = shape.height * shape.width;
        let mut numbers = Self::default();
        for plane in activation.item(n).chunks(positions.max(1)) {
            let sum: f64 = plane.iter().copied().map(f64::from).sum();
            let first = plane.first().copied().unwrap_or_default();
            let largest = plane
                .iter()
                .enumerate()
                .fold((0, first), |best, (at, &value)| if value > best.1 { (at, value) } else { best });
            if !sum.is_finite() {
                return Err(Error::NotFinite { network: network.into(), what: "activations" });
            }
            numbers.means.push((sum / positions as f64) as f32);
            numbers.maxima.push(largest.1);
            numbers.places.push(largest.0 as i32);
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_has_its_mean_its_largest_value_and_where_that_is() {
        let data = vec![9.0; 8].into_iter().chain([1.0, 4.0, 4.0, -1.0, -3.0, -2.0, -5.0, -2.0]).collect();
        let activation = Array::new([2, 2, 2, 2], data).unwrap();
        let numbers = ChannelNumbers::of(&activation, 1, "x").unwrap();
        assert_eq!((numbers.means, numbers.maxima), (vec![2.0, -3.0], vec![4.0, -2.0]));
        assert_eq!(numbers.places, [1, 1], "the first of equals");
        let nan = Array::new([1, 1, 1, 2], vec![0.0, f32::NAN]).unwrap();
        assert!(ChannelNumbers::of(&nan, 0, "x").unwrap_err().to_string().contains("not finite"));
    }
}
