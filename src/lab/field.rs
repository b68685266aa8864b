//! The part of a picture that a channel's largest value comes from. What a position could see by the network's structure is in
//! deep layers the whole picture; what it does see is where the value's gradient is.

use trepang_api::{Array, LayerId, Model, ReluGradient};

use super::error::{Error, Result};

/// The blur of the gradient reaches 9 pixels to each side in a picture of 224, and what is above a tenth of its largest value is
/// inside (zennit-crp's numbers).
const REACH: (usize, usize) = (9, 224);
const INSIDE: f32 = 0.1;

/// The least side of the part, as a share of the picture's: 1 in 4.
const LEAST: usize = 4;

/// A square part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The first row.
    pub top: usize,
    /// The first column.
    pub left: usize,
    /// The rows and columns.
    pub side: usize,
}

/// The part of `picture`, `[1, 3, H, W]`, that the value of a channel at a position (`y * width + x`) depends on. It is the
/// whole picture where nothing does.
pub fn effective_field(
    model: &mut dyn Model,
    picture: &Array,
    layer: LayerId,
    (channel, at): (usize, usize),
) -> Result<Field> {
    let mut cotangents = |found: &[Array]| {
        let (_, shape) = found[0].dims4()?;
        let mut one = Array::zeros(found[0].shape());
        let place = channel * shape.height * shape.width + at;
        if let Some(value) = one.data_mut().get_mut(place) {
            *value = 1.0;
        }
        Ok(vec![one])
    };
    let gradient = model.pull_back(picture, &[layer], ReluGradient::True, &mut cotangents)?;
    let [_, _, height, width] = *gradient.shape() else { return Err(Error::NoValues) };
    let mut sizes = vec![0.0; height * width];
    for plane in gradient.data().chunks(height * width) {
        sizes.iter_mut().zip(plane).for_each(|(size, slope)| *size += slope.abs());
    }
    Ok(part(&blurred(&sizes, (height, width), reach(height.min(width))), height, width))
}

/// The square around all that is more than a tenth of the largest.
fn part(sizes: &[f32], height: usize, width: usize) -> Field {
    let shorter = height.min(width);
    let largest = sizes.iter().copied().fold(0.0, f32::max);
    let is_inside = |at: usize| sizes[at] > INSIDE * largest;
    let rows: Vec<usize> = (0..height).filter(|y| (0..width).any(|x| is_inside(y * width + x))).collect();
    let columns: Vec<usize> = (0..width).filter(|x| (0..height).any(|y| is_inside(y * width + x))).collect();
    let (Some((top, bottom)), Some((left, right))) = (ends(&rows), ends(&columns)) else {
        return Field { top: (height - shorter) / 2, left: (width - shorter) / 2, side: shorter };
    };
    let side = (bottom - top + 1).max(right - left + 1).max(shorter.div_ceil(LEAST)).min(shorter);
    // Around the middle, and moved into the picture.
    let begin = |first: usize, last: usize| (first + last + 1).saturating_sub(side) / 2;
    let fit = |begin: usize, all: usize| begin.min(all - side);
    Field { top: fit(begin(top, bottom), height), left: fit(begin(left, right), width), side }
}

fn ends(places: &[usize]) -> Option<(usize, usize)> {
    Some((*places.first()?, *places.last()?))
}

/// The pixels that the blur reaches to each side, in a picture of that side.
fn reach(side: usize) -> usize {
    (side * REACH.0).div_ceil(REACH.1)
}

/// The mean over squares that reach so many pixels to each side; they end at the picture's edges.
fn blurred(sizes: &[f32], (height, width): (usize, usize), reach: usize) -> Vec<f32> {
    let along = |from: &[f32], all: usize, step: usize, starts: &mut dyn Iterator<Item = usize>| {
        let mut to = vec![0.0; from.len()];
        for start in starts {
            for at in 0..all {
                let (first, last) = (at.saturating_sub(reach), (at + reach).min(all - 1));
                let sum: f32 = (first..=last).map(|at| from[start + at * step]).sum();
                to[start + at * step] = sum / (2 * reach + 1) as f32;
            }
        }
        to
    };
    let across = along(sizes, width, 1, &mut (0..height).map(|y| y * width));
    along(&across, height, width, &mut (0..width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_around_the_gradient_and_inside_the_picture() {
        let mut sizes = vec![0.0; 64 * 64];
        sizes[10 * 64 + 60] = 1.0;
        let field = part(&sizes, 64, 64);
        assert_eq!(field, Field { top: 2, left: 48, side: 16 }, "a quarter at least");
        sizes[50 * 64 + 20] = 0.5;
        let field = part(&sizes, 64, 64);
        assert!(field.side == 41 && field.left == 20 && field.top == 10, "{field:?}");
        sizes[0] = 0.05;
        assert_eq!(part(&sizes, 64, 64), field, "less than a tenth");
        assert_eq!(part(&[0.0; 32], 4, 8), Field { top: 0, left: 2, side: 4 });
    }

    #[test]
    fn a_blur_is_a_mean_over_a_square() {
        let mut sizes = vec![0.0; 40 * 40];
        sizes[20 * 40 + 20] = 361.0;
        let blurred = super::blurred(&sizes, (40, 40), reach(224));
        assert!((blurred[20 * 40 + 20] - 1.0).abs() < 1e-5 && (blurred[11 * 40 + 29] - 1.0).abs() < 1e-5);
        assert_eq!((blurred[10 * 40 + 20], blurred[20 * 40 + 30]), (0.0, 0.0));
    }
}
