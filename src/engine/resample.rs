//! Bilinear sampling of planes through an affine map, with its adjoint, and resizing. Positions are pixel centres: pixel i
//! covers i - 0.5 to i + 0.5.

/// The place of each pixel of a target in a source: `source = matrix * target + shift`, both as (row, column).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Affine {
    pub(super) matrix: [[f64; 2]; 2],
    pub(super) shift: [f64; 2],
}

impl Affine {
    pub(super) const IDENTITY: Self = Self { matrix: [[1.0, 0.0], [0.0, 1.0]], shift: [0.0; 2] };

    /// From a target of `to` pixels to a source of `from`, edge to edge.
    pub(super) fn resize(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        Self { matrix: [[scale, 0.0], [0.0, scale]], shift: [0.5 * scale - 0.5; 2] }
    }

    /// First this, then `next`: from this one's target to `next`'s source.
    pub(super) fn then(self, next: Self) -> Self {
        let row = |r: [f64; 2]| {
            let column = |c: usize| r[0] * self.matrix[0][c] + r[1] * self.matrix[1][c];
            [column(0), column(1)]
        };
        Self { matrix: next.matrix.map(row), shift: next.apply(self.shift) }
    }

    pub(super) fn apply(self, [y, x]: [f64; 2]) -> [f64; 2] {
        let row = |r: usize| self.matrix[r][0] * y + self.matrix[r][1] * x + self.shift[r];
        [row(0), row(1)]
    }
}

/// The levels outside of the source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Edge {
    /// This level, everywhere.
    Fill(f32),
    /// The nearest pixel.
    Clamp,
    /// The other side.
    Wrap,
}

/// Square planes of a side, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Square {
    pub(super) side: usize,
    pub(super) planes: usize,
}

/// One pixel of the target: up to four pixels of the source with their weights, and how much falls outside.
struct Taps {
    at: [usize; 4],
    weights: [f32; 4],
    outside: f32,
}

impl Taps {
    fn new([y, x]: [f64; 2], side: usize, edge: Edge) -> Self {
        let last = side as f64 - 1.0;
        if y >= 0.0 && x >= 0.0 && y < last && x < last {
            Self::inside(y, x, side)
        } else {
            Self::at_edge([y, x], side, edge)
        }
    }

    /// Nearly all pixels: four neighbours, none of them outside.
    fn inside(y: f64, x: f64, side: usize) -> Self {
        let (row, column) = (y as usize, x as usize);
        let (fy, fx) = ((y - row as f64) as f32, (x - column as f64) as f32);
        let first = row * side + column;
        Self {
            at: [first, first + 1, first + side, first + side + 1],
            weights: [(1.0 - fy) * (1.0 - fx), (1.0 - fy) * fx, fy * (1.0 - fx), fy * fx],
            outside: 0.0,
        }
    }

    fn at_edge([y, x]: [f64; 2], side: usize, edge: Edge) -> Self {
        let (y0, x0) = (y.floor(), x.floor());
        let (fy, fx) = ((y - y0) as f32, (x - x0) as f32);
        let rows = [(y0, 1.0 - fy), (y0 + 1.0, fy)];
        let columns = [(x0, 1.0 - fx), (x0 + 1.0, fx)];
        let mut taps = Self { at: [0; 4], weights: [0.0; 4], outside: 0.0 };
        for (i, (row, wy)) in rows.into_iter().enumerate() {
            for (j, (column, wx)) in columns.into_iter().enumerate() {
                match (place(row, side, edge), place(column, side, edge)) {
                    (Some(row), Some(column)) => {
                        taps.at[2 * i + j] = row * side + column;
                        taps.weights[2 * i + j] = wy * wx;
                    }
                    _ => taps.outside += wy * wx,
                }
            }
        }
        taps
    }
}

fn place(at: f64, side: usize, edge: Edge) -> Option<usize> {
    let last = side as f64 - 1.0;
    match edge {
        _ if (0.0..=last).contains(&at) => Some(at as usize),
        Edge::Fill(_) => None,
        Edge::Clamp => Some(at.clamp(0.0, last) as usize),
        Edge::Wrap => Some(at.rem_euclid(side as f64) as usize % side),
    }
}

/// The taps of every pixel of a target of `side` in a source of `from`, row after row.
fn taps(side: usize, from: usize, map: Affine, edge: Edge) -> impl Iterator<Item = Taps> {
    let row = move |y: usize| (0..side).map(move |x| Taps::new(map.apply([y as f64, x as f64]), from, edge));
    (0..side).flat_map(row)
}

/// Samples `source` at the places of `target`'s pixels; both hold the same number of planes.
pub(super) fn sample(source: &[f32], from: Square, target: &mut [f32], side: usize, map: Affine, edge: Edge) {
    let (area, source_area) = (side * side, from.side * from.side);
    let fill = if let Edge::Fill(level) = edge { level } else { 0.0 };
    for (i, taps) in taps(side, from.side, map, edge).enumerate() {
        for plane in 0..from.planes {
            let source = &source[plane * source_area..][..source_area];
            let mut value = taps.outside * fill;
            for (at, weight) in taps.at.iter().zip(&taps.weights) {
                value += weight * source[*at];
            }
            target[plane * area + i] = value;
        }
    }
}

/// Adds the adjoint of [`sample`] without its fill: `target`'s gradient to `source`'s.
pub(super) fn add_sample_adjoint(
    target: &[f32],
    side: usize,
    source: &mut [f32],
    from: Square,
    map: Affine,
    edge: Edge,
) {
    let (area, source_area) = (side * side, from.side * from.side);
    for (i, taps) in taps(side, from.side, map, edge).enumerate() {
        for plane in 0..from.planes {
            let source = &mut source[plane * source_area..][..source_area];
            let value = target[plane * area + i];
            for (at, weight) in taps.at.iter().zip(&taps.weights) {
                source[*at] += weight * value;
            }
        }
    }
}

/// Resizes square planes: bilinear, and where it shrinks with a triangle as wide as the ratio, so that nothing is skipped.
pub(super) fn resize(source: &[f32], from: Square, side: usize) -> Vec<f32> {
    if from.side == side {
        return source.to_vec();
    }
    let read = |row: usize, into: &mut [f32]| into.copy_from_slice(&source[row * from.side..][..from.side]);
    resize_rows(from, side, read)
}

/// Resizes square planes that are read row by row, plane after plane: `read(row, into)` fills in one row. A large picture
/// needs no copy of all its pixels.
pub(super) fn resize_rows(from: Square, side: usize, read: impl Fn(usize, &mut [f32])) -> Vec<f32> {
    let weights = triangle(from.side, side);
    let mut across = Vec::with_capacity(from.planes * from.side * side);
    let mut row = vec![0.0; from.side];
    for at in 0..from.planes * from.side {
        read(at, &mut row);
        across.extend(weights.iter().map(|taps| taps.iter().map(|&(at, w)| w * row[at]).sum::<f32>()));
    }
    let mut resized = vec![0.0; from.planes * side * side];
    for (plane, into) in across.chunks_exact(from.side * side).zip(resized.chunks_exact_mut(side * side)) {
        for (row, taps) in into.chunks_exact_mut(side).zip(&weights) {
            for &(at, weight) in taps {
                let from = &plane[at * side..][..side];
                row.iter_mut().zip(from).for_each(|(into, from)| *into += weight * from);
            }
        }
    }
    resized
}

/// The source pixels of every target pixel along one axis, with weights that sum to 1.
fn triangle(from: usize, to: usize) -> Vec<Vec<(usize, f32)>> {
    let scale = from as f64 / to as f64;
    let reach = scale.max(1.0);
    let of = |i: usize| {
        let centre = (i as f64 + 0.5) * scale - 0.5;
        let (first, last) = ((centre - reach).ceil(), (centre + reach).floor());
        let near = (first.max(0.0) as usize)..=(last.min(from as f64 - 1.0) as usize);
        let taps: Vec<(usize, f64)> =
            near.map(|at| (at, 1.0 - (at as f64 - centre).abs() / reach)).filter(|(_, w)| *w > 0.0).collect();
        let sum: f64 = taps.iter().map(|(_, w)| w).sum();
        taps.into_iter().map(|(at, w)| (at, (w / sum) as f32)).collect()
    };
    (0..to).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::rng::{SeededRng, Stream};

    fn draws(count: usize, stream: u64) -> Vec<f32> {
        let mut rng = SeededRng::new(7, Stream::Test(stream));
        (0..count).map(|_| rng.normal() as f32).collect()
    }

    fn turned() -> Affine {
        let (s, c) = (0.3_f64.sin(), 0.3_f64.cos());
        Affine { matrix: [[0.8 * c, -0.8 * s], [0.8 * s, 0.8 * c]], shift: [1.3, -0.4] }
    }

    #[test]
    fn the_adjoint_is_the_transpose_at_every_edge() {
        let from = Square { side: 7, planes: 2 };
        for edge in [Edge::Fill(0.0), Edge::Clamp, Edge::Wrap] {
            let (v, u) = (draws(2 * 49, 1), draws(2 * 81, 2));
            let mut there = vec![0.0; 2 * 81];
            sample(&v, from, &mut there, 9, turned(), edge);
            let mut back = vec![0.0; 2 * 49];
            add_sample_adjoint(&u, 9, &mut back, from, turned(), edge);
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
            assert!((dot(&there, &u) - dot(&v, &back)).abs() < 1e-5, "{edge:?}");
        }
    }

    #[test]
    fn a_ramp_is_sampled_where_it_is_asked_for() {
        let ramp: Vec<f32> = (0..25).map(|i| (i % 5) as f32 + 10.0 * (i / 5) as f32).collect();
        let mut found = vec![0.0; 4];
        let map = Affine { matrix: [[1.0, 0.0], [0.0, 1.0]], shift: [1.25, 0.5] };
        sample(&ramp, Square { side: 5, planes: 1 }, &mut found, 2, map, Edge::Clamp);
        assert_eq!(found, [13.0, 14.0, 23.0, 24.0]);
        let outside = Affine { shift: [-9.0, 0.0], ..map };
        sample(&ramp, Square { side: 5, planes: 1 }, &mut found, 2, outside, Edge::Fill(0.5));
        assert_eq!(found, [0.5; 4]);
    }

    #[test]
    fn maps_are_applied_one_after_the_other() {
        let (a, b) = (turned(), Affine::resize(5, 9));
        let at = a.then(b).apply([2.0, 3.0]);
        let wanted = b.apply(a.apply([2.0, 3.0]));
        assert!(at.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn resizing_keeps_the_mean_and_a_constant() {
        let from = Square { side: 12, planes: 1 };
        let picture = draws(144, 3);
        let mean = |v: &[f32]| v.iter().map(|&v| f64::from(v)).sum::<f64>() / v.len() as f64;
        assert!((mean(&resize(&picture, from, 4)) - mean(&picture)).abs() < 0.05);
        assert!(resize(&[0.3; 144], from, 5).iter().all(|v| (v - 0.3).abs() < 1e-6));
        assert!(resize(&[0.3; 144], from, 31).iter().all(|v| (v - 0.3).abs() < 1e-6));
    }
}
