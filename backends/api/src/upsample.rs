//! More rows and columns by a whole factor, as decoders and networks of several resolutions have it: what it means, and which
//! rows and columns each one of the output is made of.

use crate::Shape;

/// More rows and columns by whole factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upsample {
    /// The factors of the height and of the width.
    pub factor: [usize; 2],
    /// The numbers between those of the input.
    pub mode: UpsampleMode,
}

/// The numbers between those of an input that is made larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpsampleMode {
    /// Each number again: row `r` of the output is row `r / factor` of the input, rounded down.
    Nearest,
    /// The place on the line between the two nearest numbers. The centre of row `r` of the output is at `(r + 1/2) / factor - 1/2`
    /// in the input, whose first and last row go on outside of it (PyTorch's `align_corners=False`).
    Bilinear,
}

/// The two rows or columns of the input that one of the output lies between; they may be the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UpsampleTap {
    /// The one before it.
    pub first: usize,
    /// The one behind it.
    pub second: usize,
    /// The share of the second, in 0..1; the first has the rest.
    pub share: f32,
}

impl Upsample {
    pub(crate) fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        let [down, right] = self.factor;
        let sides = input.height.checked_mul(down).zip(input.width.checked_mul(right));
        match sides.filter(|_| down > 0 && right > 0) {
            Some((height, width)) => Ok(Shape { height, width, ..input }),
            None => {
                Err(format!("{}x{} cannot be made {down}x{right} times as large", input.height, input.width))
            }
        }
    }

    /// The parts of each row of the output (axis 0) or of each column (axis 1), for an input with `side` of them.
    pub fn taps(&self, axis: usize, side: usize) -> Vec<UpsampleTap> {
        let factor = self.factor[axis];
        let tap = |at: usize| match self.mode {
            UpsampleMode::Nearest => UpsampleTap { first: at / factor, second: at / factor, share: 0.0 },
            UpsampleMode::Bilinear => {
                // The place in the input in parts of 1 / (2 factor), none before the first.
                let place = (2 * at + 1).saturating_sub(factor);
                let (first, rest) = (place / (2 * factor), place % (2 * factor));
                let second = (first + 1).min(side - 1);
                UpsampleTap { first: first.min(side - 1), second, share: rest as f32 / (2 * factor) as f32 }
            }
        };
        (0..side * factor).map(tap).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_become_four_as_pytorch_has_it() {
        let taps = |mode| Upsample { factor: [2, 1], mode }.taps(0, 2);
        let value = |tap: &UpsampleTap| {
            let rows = [10.0, 20.0];
            rows[tap.first] * (1.0 - tap.share) + rows[tap.second] * tap.share
        };
        let rows = |mode| taps(mode).iter().map(value).collect::<Vec<f32>>();
        assert_eq!(rows(UpsampleMode::Nearest), [10.0, 10.0, 20.0, 20.0]);
        // torch.nn.functional.interpolate of [10, 20] by 2, linear.
        assert_eq!(rows(UpsampleMode::Bilinear), [10.0, 12.5, 17.5, 20.0]);
    }
}
