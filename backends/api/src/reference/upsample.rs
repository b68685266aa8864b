//! More rows and columns by a whole factor, number by number from the definition.

use crate::{Array, Result, Upsample, UpsampleMode};

/// The places of an input along one axis that one of the output is made of, with their shares.
fn parts(up: &Upsample, axis: usize, at: usize, side: usize) -> [(usize, f64); 2] {
    let factor = up.factor[axis] as f64;
    match up.mode {
        UpsampleMode::Nearest => [((at as f64 / factor).floor() as usize, 1.0), (0, 0.0)],
        UpsampleMode::Bilinear => {
            let centre = (at as f64 + 0.5) / factor - 0.5;
            let (before, last) = (centre.floor(), (side - 1) as f64);
            let inside = |place: f64| place.clamp(0.0, last) as usize;
            let share = centre - before;
            [(inside(before), 1.0 - share), (inside(before + 1.0), share)]
        }
    }
}

/// Calls `each` with the index of every number of the output, and with the index of every number of the input in it and its share.
fn walk(up: &Upsample, x: &Array, mut each: impl FnMut(usize, usize, f64)) -> Result<()> {
    let (n, shape) = x.dims4()?;
    let (height, width) = (shape.height * up.factor[0], shape.width * up.factor[1]);
    for plane in 0..n * shape.channels {
        for row in 0..height {
            for column in 0..width {
                let y = (plane * height + row) * width + column;
                for (r, in_row) in parts(up, 0, row, shape.height) {
                    for (c, in_column) in parts(up, 1, column, shape.width) {
                        each(y, (plane * shape.height + r) * shape.width + c, in_row * in_column);
                    }
                }
            }
        }
    }
    Ok(())
}

/// Each number of the output is what lies at its place in the input.
pub(super) fn upsample(up: &Upsample, x: &Array) -> Result<Array> {
    let (n, shape) = x.dims4()?;
    let mut y = vec![0.0; x.data().len() * up.factor[0] * up.factor[1]];
    walk(up, x, |at, from, share| y[at] += share * f64::from(x.data()[from]))?;
    let sides = [n, shape.channels, shape.height * up.factor[0], shape.width * up.factor[1]];
    Array::new(sides, y.into_iter().map(|y| y as f32).collect())
}

/// Each number of the input gets its share of every dy that it is part of.
pub(super) fn upsample_backward(up: &Upsample, x: &Array, dy: &Array) -> Result<Array> {
    let mut dx = vec![0.0; x.data().len()];
    walk(up, x, |at, from, share| dx[from] += share * f64::from(dy.data()[at]))?;
    Array::new(x.shape(), dx.into_iter().map(|dx| dx as f32).collect())
}
