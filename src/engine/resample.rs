//! Bilinear sampling of planes through an affine map, with its adjoint, and resizing. Positions are pixel centres: pixel i
//! covers i - 0.5 to i + 0.5.

#![allow(clippy::inline_always, reason = "what is not inlined is compiled without vectors")]

use std::ops::Range;

use trepang_api::Shape;

/// The place of each pixel of a target in a source: `source = matrix * target + shift`, both as (row, column).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Affine {
    pub(super) matrix: [[f64; 2]; 2],
    pub(super) shift: [f64; 2],
}

impl Affine {
    pub(super) const IDENTITY: Self = Self { matrix: [[1.0, 0.0], [0.0, 1.0]], shift: [0.0; 2] };

    /// From a target of these rows and columns to a source of `from`, edge to edge.
    pub(super) fn resize(from: [usize; 2], to: [usize; 2]) -> Self {
        let [y, x] = [0, 1].map(|axis| from[axis] as f64 / to[axis] as f64);
        Self { matrix: [[y, 0.0], [0.0, x]], shift: [0.5 * y - 0.5, 0.5 * x - 0.5] }
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

/// A pixel of the target at an edge: up to four pixels of the source with their weights, and how much falls outside.
#[derive(Debug)]
struct Taps {
    at: [usize; 4],
    weights: [f32; 4],
    outside: f32,
}

impl Taps {
    #[inline(always)]
    fn new([y, x]: [f64; 2], [height, width]: [usize; 2], edge: Edge) -> Self {
        let (y0, x0) = (y.floor(), x.floor());
        let (fy, fx) = ((y - y0) as f32, (x - x0) as f32);
        let rows = [(place(y0, height, edge), 1.0 - fy), (place(y0 + 1.0, height, edge), fy)];
        let columns = [(place(x0, width, edge), 1.0 - fx), (place(x0 + 1.0, width, edge), fx)];
        let mut taps = Self { at: [0; 4], weights: [0.0; 4], outside: 0.0 };
        for (i, (row, wy)) in rows.into_iter().enumerate() {
            for (j, (column, wx)) in columns.into_iter().enumerate() {
                if let (Some(row), Some(column)) = (row, column) {
                    taps.at[2 * i + j] = row * width + column;
                    taps.weights[2 * i + j] = wy * wx;
                } else {
                    taps.outside += wy * wx;
                }
            }
        }
        taps
    }

    fn read(&self, source: &[f32], fill: f32) -> f32 {
        let each = self.at.iter().zip(&self.weights);
        each.fold(self.outside * fill, |value, (at, weight)| value + weight * source[*at])
    }

    fn add(&self, source: &mut [f32], value: f32) {
        self.at.iter().zip(&self.weights).for_each(|(at, weight)| source[*at] += weight * value);
    }
}

#[inline(always)]
fn place(at: f64, side: usize, edge: Edge) -> Option<usize> {
    let last = side as f64 - 1.0;
    match edge {
        _ if (0.0..=last).contains(&at) => Some(at as usize),
        Edge::Fill(_) => None,
        Edge::Clamp => Some(at.clamp(0.0, last) as usize),
        Edge::Wrap => Some(at.rem_euclid(side as f64) as usize % side),
    }
}

/// The places of a target's pixels in a source: worked out once, for the map and for its adjoint.
#[derive(Debug)]
pub(super) struct Places {
    /// The rows and columns of the target and of the source.
    to: [usize; 2],
    from: [usize; 2],
    fill: f32,
    rows: Vec<PlacedRow>,
    /// For each pixel inside: the index of the first of its four neighbours, and its distances from that, down and across.
    first: Vec<u32>,
    down: Vec<f32>,
    across: Vec<f32>,
    /// The pixels at the edges, row after row.
    edges: Vec<Taps>,
}

/// One row of the target.
#[derive(Debug)]
struct PlacedRow {
    /// The pixels whose neighbours all lie inside of the source; those before and after them are at the edges.
    inside: Range<usize>,
    /// The index of the row's first pixel at an edge.
    edges: usize,
}

impl Places {
    /// The places of a target of these rows and columns in a source of `from`.
    pub(super) fn new(to: [usize; 2], from: [usize; 2], map: Affine, edge: Edge) -> Self {
        let [height, width] = to;
        let numbers = || vec![0.0; height * width];
        let fill = if let Edge::Fill(level) = edge { level } else { 0.0 };
        let (first, rows, edges) =
            (vec![0; height * width], Vec::with_capacity(height), Vec::with_capacity(height * width / 4));
        let mut places = Self { to, from, fill, rows, first, down: numbers(), across: numbers(), edges };
        pulp::Arch::new().dispatch(|| {
            for row in 0..height {
                places.place(row, map, edge);
            }
        });
        places
    }

    /// Finds the places of the next row.
    #[inline(always)]
    fn place(&mut self, row: usize, map: Affine, edge: Edge) {
        let (width, from) = (self.to[1], self.from);
        let [[a, b], [c, d]] = map.matrix;
        let [a, c] = [a * row as f64, c * row as f64];
        let place = |x: f64| [a + b * x + map.shift[0], c + d * x + map.shift[1]];
        let inside = inside(width, from.map(|side| side as f64 - 1.0), map, place);
        self.rows.push(PlacedRow { inside: inside.clone(), edges: self.edges.len() });
        for x in 0..inside.start {
            self.edges.push(Taps::new(place(x as f64), from, edge));
        }
        for x in inside.end..width {
            self.edges.push(Taps::new(place(x as f64), from, edge));
        }
        let (start, len) = (inside.start, inside.len());
        let all = row * width + start..row * width + start + len;
        let first = &mut self.first[all.clone()][..len];
        let (down, across) = (&mut self.down[all.clone()][..len], &mut self.across[all][..len]);
        // Plain loops over numbers of 32 bits: only those become vectors.
        for i in 0..len {
            let [y, x] = place(f64::from((start + i) as i32));
            let (top, left) = (y as i32, x as i32);
            first[i] = (top * from[1] as i32 + left) as u32;
            down[i] = (y - f64::from(top)) as f32;
            across[i] = (x - f64::from(left)) as f32;
        }
    }

    /// Samples a plane of the source at the places of the target's pixels.
    pub(super) fn sample(&self, source: &[f32], target: &mut [f32]) {
        let (width, from) = (self.to[1], self.from[1]);
        for (y, (row, target)) in self.rows.iter().zip(target.chunks_exact_mut(width)).enumerate() {
            let (before, rest) = target.split_at_mut(row.inside.start);
            let (inside, after) = rest.split_at_mut(row.inside.len());
            let edges = before.iter_mut().chain(after);
            edges.zip(&self.edges[row.edges..]).for_each(|(into, taps)| *into = taps.read(source, self.fill));
            for (into, (first, weights)) in inside.iter_mut().zip(self.inside(y, row)) {
                let [top, bottom] = neighbours(source, first, from);
                // From 0, as at the edges.
                *into = 0.0
                    + weights[0] * top[0]
                    + weights[1] * top[1]
                    + weights[2] * bottom[0]
                    + weights[3] * bottom[1];
            }
        }
    }

    /// Adds the adjoint of [`sample`](Self::sample) without its fill: planes of the target's gradient to the source's.
    pub(super) fn add_adjoint<const PLANES: usize>(
        &self,
        targets: [&[f32]; PLANES],
        mut sources: [&mut [f32]; PLANES],
    ) {
        let (width, from) = (self.to[1], self.from[1]);
        for (y, row) in self.rows.iter().enumerate() {
            let targets = targets.map(|target| &target[y * width..][..width]);
            let at_edges = (0..row.inside.start).chain(row.inside.end..width);
            let mut edges = at_edges.zip(&self.edges[row.edges..]);
            let mut add_edges = |count: usize, sources: &mut [&mut [f32]; PLANES]| {
                for (x, taps) in edges.by_ref().take(count) {
                    sources.iter_mut().zip(targets).for_each(|(source, target)| taps.add(source, target[x]));
                }
            };
            add_edges(row.inside.start, &mut sources);
            let values = targets.map(|target| &target[row.inside.clone()]);
            for (i, (first, weights)) in self.inside(y, row).enumerate() {
                // A pixel's neighbours are the next one's too: while one plane's sums are on their way, the others' go on.
                for (source, values) in sources.iter_mut().zip(&values) {
                    let (value, [top, bottom]) = (values[i], neighbours_mut(source, first, from));
                    top[0] += weights[0] * value;
                    top[1] += weights[1] * value;
                    bottom[0] += weights[2] * value;
                    bottom[1] += weights[3] * value;
                }
            }
            add_edges(width, &mut sources);
        }
    }

    /// The first neighbour of each of a row's inner pixels, and the four weights.
    fn inside(&self, y: usize, row: &PlacedRow) -> impl Iterator<Item = (usize, [f32; 4])> {
        let begin = y * self.to[1];
        let all = begin + row.inside.start..begin + row.inside.end;
        let distances = self.down[all.clone()].iter().zip(&self.across[all.clone()]);
        self.first[all].iter().zip(distances).map(|(first, (fy, fx))| {
            (*first as usize, [(1.0 - fy) * (1.0 - fx), (1.0 - fy) * fx, fy * (1.0 - fx), fy * fx])
        })
    }
}

/// The pixels of a row of `width` whose places, as `place` has them, lie between 0 and `last`, the last row and column, so
/// that all their neighbours are there. A place rises or falls along the row, rounding included, so these pixels follow each other.
#[inline(always)]
fn inside(width: usize, last: [f64; 2], map: Affine, place: impl Fn(f64) -> [f64; 2]) -> Range<usize> {
    let mut range = 0..width;
    for (axis, last) in last.into_iter().enumerate() {
        let begins = |x: usize| place(x as f64)[axis] >= 0.0;
        let ends = |x: usize| place(x as f64)[axis] >= last;
        let [start, end] = if map.matrix[axis][1] > 0.0 {
            [first(width, begins), first(width, ends)]
        } else {
            [first(width, |x| !ends(x)), first(width, |x| !begins(x))]
        };
        range = range.start.max(start)..range.end.min(end);
    }
    if range.is_empty() { 0..0 } else { range }
}

/// The first of 0 to `end` - 1 that `is_past`, or `end`; all that follow it are too.
fn first(end: usize, is_past: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = usize::midpoint(low, high);
        if is_past(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

fn neighbours(source: &[f32], first: usize, width: usize) -> [&[f32]; 2] {
    [&source[first..first + 2], &source[first + width..first + width + 2]]
}

fn neighbours_mut(source: &mut [f32], first: usize, width: usize) -> [&mut [f32]; 2] {
    let (top, bottom) = source[first..].split_at_mut(width);
    [&mut top[..2], &mut bottom[..2]]
}

/// Resizes planes to these rows and columns: bilinear, and where it shrinks with a triangle as wide as the ratio, so that
/// nothing is skipped.
pub(super) fn resize(source: &[f32], from: Shape, to: [usize; 2]) -> Vec<f32> {
    if [from.height, from.width] == to {
        return source.to_vec();
    }
    let read = |row: usize, into: &mut [f32]| into.copy_from_slice(&source[row * from.width..][..from.width]);
    resize_rows(from, to, read)
}

/// Resizes planes that are read row by row, plane after plane: `read(row, into)` fills in one row. A large picture needs no
/// copy of all its pixels.
pub(super) fn resize_rows(
    from: Shape,
    [height, width]: [usize; 2],
    read: impl Fn(usize, &mut [f32]),
) -> Vec<f32> {
    let [rows, columns] = [triangle(from.height, height), triangle(from.width, width)];
    let mut across = Vec::with_capacity(from.channels * from.height * width);
    let mut row = vec![0.0; from.width];
    for at in 0..from.channels * from.height {
        read(at, &mut row);
        across.extend(columns.iter().map(|taps| taps.iter().map(|&(at, w)| w * row[at]).sum::<f32>()));
    }
    let mut resized = vec![0.0; from.channels * height * width];
    for (plane, into) in
        across.chunks_exact(from.height * width).zip(resized.chunks_exact_mut(height * width))
    {
        for (row, taps) in into.chunks_exact_mut(width).zip(&rows) {
            for &(at, weight) in taps {
                let from = &plane[at * width..][..width];
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
        for edge in [Edge::Fill(0.0), Edge::Clamp, Edge::Wrap] {
            for (to, from) in [([9, 9], [7, 7]), ([9, 5], [4, 11]), ([3, 10], [12, 5])] {
                let count = |[height, width]: [usize; 2]| height * width;
                let (v, u) = (draws(count(from), 1), draws(count(to), 2));
                let places = Places::new(to, from, turned(), edge);
                let mut there = vec![0.0; count(to)];
                places.sample(&v, &mut there);
                let mut back = vec![0.0; count(from)];
                places.add_adjoint([&u], [&mut back]);
                let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
                assert!((dot(&there, &u) - dot(&v, &back)).abs() < 1e-5, "{edge:?} {to:?} {from:?}");
            }
        }
    }

    #[test]
    fn a_ramp_is_sampled_where_it_is_asked_for() {
        let ramp: Vec<f32> = (0..25).map(|i| (i % 5) as f32 + 10.0 * (i / 5) as f32).collect();
        let mut found = vec![0.0; 4];
        let map = Affine { matrix: [[1.0, 0.0], [0.0, 1.0]], shift: [1.25, 0.5] };
        Places::new([2, 2], [5, 5], map, Edge::Clamp).sample(&ramp, &mut found);
        assert_eq!(found, [13.0, 14.0, 23.0, 24.0]);
        let outside = Affine { shift: [-9.0, 0.0], ..map };
        Places::new([2, 2], [5, 5], outside, Edge::Fill(0.5)).sample(&ramp, &mut found);
        assert_eq!(found, [0.5; 4]);
        // Of two rows of eight and of a column of five the same ramp is read.
        let wide: Vec<f32> = (0..16).map(|i| (i % 8) as f32 + 10.0 * (i / 8) as f32).collect();
        let mut found = vec![0.0; 6];
        let far = Affine { shift: [0.25, 4.5], ..map };
        Places::new([1, 6], [2, 8], far, Edge::Clamp).sample(&wide, &mut found);
        assert_eq!(found, [7.0, 8.0, 9.0, 9.5, 9.5, 9.5]);
    }

    #[test]
    fn maps_are_applied_one_after_the_other() {
        let (a, b) = (turned(), Affine::resize([5, 8], [9, 3]));
        let at = a.then(b).apply([2.0, 3.0]);
        let wanted = b.apply(a.apply([2.0, 3.0]));
        assert!(at.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn resizing_keeps_the_mean_and_a_constant() {
        let from = Shape { channels: 1, height: 12, width: 12 };
        let picture = draws(144, 3);
        let mean = |v: &[f32]| v.iter().map(|&v| f64::from(v)).sum::<f64>() / v.len() as f64;
        assert!((mean(&resize(&picture, from, [4, 4])) - mean(&picture)).abs() < 0.05);
        assert!(resize(&[0.3; 144], from, [5, 7]).iter().all(|v| (v - 0.3).abs() < 1e-6));
        assert!(resize(&[0.3; 144], from, [31, 31]).iter().all(|v| (v - 0.3).abs() < 1e-6));
        // Columns that rise, in a picture that is wide: each row of the smaller one rises too, over the same range.
        let from = Shape { channels: 1, height: 3, width: 8 };
        let rising: Vec<f32> = (0..24).map(|i| (i % 8) as f32).collect();
        let small = resize(&rising, from, [6, 4]);
        assert_eq!(small.len(), 24);
        assert!(
            small.chunks(4).all(|row| row == &small[..4] && row.is_sorted() && row[0] < 1.0 && row[3] > 6.0)
        );
    }
}
