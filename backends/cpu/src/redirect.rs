//! Lucid's redirected ReLU gradient, as other gates: where nothing of an image's gradient gets through a ReLU, those open
//! behind which it pulls the right way. So the kernels need not know of it.

use rayon::prelude::*;

use crate::grid::BatchShape;
use crate::kept::Kept;
use crate::lanes::{Lanes, vectorized};

/// Into `high`, laid out as gates: the numbers of a ReLU6's output that are at its upper bound.
pub(crate) fn find_high<S: Lanes>(simd: S, grid: BatchShape, y: &[f32], high: &mut Vec<u16>) {
    let (lanes, plane) = (S::F32_LANES, grid.height * grid.width);
    high.resize(grid.vectors(lanes), 0);
    high.par_chunks_mut(plane).zip(y.par_chunks(plane * lanes)).for_each(|(high, y)| {
        vectorized!(simd, {
            let six = simd.splat_f32s(6.0);
            for (high, &y) in high.iter_mut().zip(S::as_simd_f32s(y).0) {
                // The second part clears the bits that no lane has.
                *high = !simd.positive(simd.sub_f32s(six, y)) & simd.positive(y);
            }
        });
    });
}

/// The gates that `dy` [N, C, H, W] is to go through, redirected image by image; none for a step without a ReLU.
pub(crate) fn gates<S: Lanes>(simd: S, grid: BatchShape, dy: &[f32], kept: &Kept) -> Option<Vec<u16>> {
    if kept.gates.is_empty() {
        return None;
    }
    let (lanes, plane) = (S::F32_LANES, grid.height * grid.width);
    let planes = || kept.gates.par_chunks(plane).zip(dy.par_chunks(plane * lanes));
    let through: Vec<bool> = planes().map(|(gates, dy)| passes(simd, gates, dy)).collect();
    let alive = |image: usize| through.iter().skip(image).step_by(grid.n).any(|&through| through);
    let alive: Vec<bool> = (0..grid.n).map(alive).collect();
    let mut gates = kept.gates.clone();
    gates.par_chunks_mut(plane).zip(planes()).enumerate().for_each(|(index, (gates, (_, dy)))| {
        if !alive[index % grid.n] {
            redirect(simd, dy, kept.high.get(index * plane..).unwrap_or_default(), gates);
        }
    });
    Some(gates)
}

/// Whether anything but zero is behind an open gate.
fn passes<S: Lanes>(simd: S, gates: &[u16], dy: &[f32]) -> bool {
    vectorized!(simd, {
        let mut found = 0;
        for (gate, &dy) in gates.iter().zip(S::as_simd_f32s(dy).0) {
            let [up, down] = pulls(simd, dy);
            found |= gate & (up | down);
        }
        found != 0
    })
}

/// Opens the gates of what is too low and is pulled up, and of what is too high and is pulled down. Those that were open
/// have zeros behind them and need not stay.
fn redirect<S: Lanes>(simd: S, dy: &[f32], high: &[u16], gates: &mut [u16]) {
    vectorized!(simd, {
        for (index, (gate, &dy)) in gates.iter_mut().zip(S::as_simd_f32s(dy).0).enumerate() {
            let high = high.get(index).copied().unwrap_or(0);
            let [up, down] = pulls(simd, dy);
            *gate = up & !high | down & high;
        }
    });
}

/// One bit a lane: above zero, and below.
#[inline(always)]
fn pulls<S: Lanes>(simd: S, dy: S::f32s) -> [u16; 2] {
    [simd.positive(dy), simd.positive(simd.sub_f32s(simd.splat_f32s(0.0), dy))]
}
