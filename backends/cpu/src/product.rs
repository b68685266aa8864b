//! The one loop that nearly all time is spent in: a few positions times a few vectors of outputs, summed in registers.
//! It has no closures: the compiler leaves them as calls here, and a call is not compiled for vectors.

use std::ops::Range;

use crate::lanes::Lanes;

/// Positions at once. Twelve sums, two vectors of weights and one broadcast number are the sixteen registers of AVX2.
pub(crate) const ROWS: usize = 6;

/// Vectors of outputs at once.
pub(crate) const COLUMNS: usize = 2;

/// `sums[r][v] = sum over steps and lanes l of a[at[r] + step.0 + l] * b[v][step.1 + l]`, in the order of the steps.
/// `depth` lanes of each step count: all of them, or fewer for an image's three channels. The sums go to `into`,
/// [`COLUMNS`] a row: an array that was returned would be kept in memory all along.
#[inline(always)]
pub(crate) fn product<S: Lanes, const R: usize, const V: usize>(
    simd: S,
    depth: usize,
    steps: &[(usize, usize)],
    a: &[f32],
    at: [usize; R],
    b: [&[S::f32s]; V],
    into: &mut [S::f32s; ROWS * COLUMNS],
) {
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for &(step_a, step_b) in steps {
        let (mut rows, mut columns) = ([&a[..0]; R], [&b[0][..0]; V]);
        for r in 0..R {
            rows[r] = &a[at[r] + step_a..][..depth];
        }
        for v in 0..V {
            columns[v] = &b[v][step_b..][..depth];
        }
        for lane in 0..depth {
            let mut weights = [simd.splat_f32s(0.0); V];
            for v in 0..V {
                weights[v] = columns[v][lane];
            }
            for r in 0..R {
                let x = simd.splat_f32s(rows[r][lane]);
                for v in 0..V {
                    sums[r][v] = simd.fma(x, weights[v], sums[r][v]);
                }
            }
        }
    }
    for r in 0..R {
        for v in 0..V {
            into[r * COLUMNS + v] = sums[r][v];
        }
    }
}

/// Work that is compiled once for each number of rows and columns, so that the sums stay in registers.
pub(crate) trait Tile<S: Lanes> {
    /// Rows `first..first + R`.
    fn run<const R: usize, const V: usize>(&mut self, simd: S, first: usize);
}

/// Runs `tile` over `rows`, in pieces of nearly equal size, with the number of `columns` that there are.
#[inline(always)]
pub(crate) fn tiled<S: Lanes>(simd: S, rows: Range<usize>, columns: usize, tile: &mut impl Tile<S>) {
    for piece in balanced(rows, ROWS) {
        match (piece.len(), columns) {
            (1, 1) => tile.run::<1, 1>(simd, piece.start),
            (2, 1) => tile.run::<2, 1>(simd, piece.start),
            (3, 1) => tile.run::<3, 1>(simd, piece.start),
            (4, 1) => tile.run::<4, 1>(simd, piece.start),
            (5, 1) => tile.run::<5, 1>(simd, piece.start),
            (6, 1) => tile.run::<6, 1>(simd, piece.start),
            (1, _) => tile.run::<1, COLUMNS>(simd, piece.start),
            (2, _) => tile.run::<2, COLUMNS>(simd, piece.start),
            (3, _) => tile.run::<3, COLUMNS>(simd, piece.start),
            (4, _) => tile.run::<4, COLUMNS>(simd, piece.start),
            (5, _) => tile.run::<5, COLUMNS>(simd, piece.start),
            _ => tile.run::<ROWS, COLUMNS>(simd, piece.start),
        }
    }
}

/// `range` in the fewest pieces of at most `most`, which differ by one at most: a rest of one would take as long as four.
pub(crate) fn balanced(range: Range<usize>, most: usize) -> impl Iterator<Item = Range<usize>> + Clone {
    let pieces = range.len().div_ceil(most).max(1);
    let (size, longer) = (range.len() / pieces, range.len() % pieces);
    let start = move |piece: usize| range.start + piece * size + piece.min(longer);
    (0..pieces).map(move |piece| start(piece)..start(piece + 1)).filter(|piece| !piece.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_few_and_nearly_equal() {
        let lengths =
            |len: usize, most| balanced(3..3 + len, most).map(|piece| piece.len()).collect::<Vec<_>>();
        assert_eq!(lengths(16, 6), [6, 5, 5]);
        assert_eq!(lengths(7, 6), [4, 3]);
        assert_eq!(lengths(2, 6), [2]);
        assert!(lengths(0, 6).is_empty());
        assert_eq!(balanced(3..19, 6).last(), Some(14..19));
    }
}
