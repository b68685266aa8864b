//! The operations' bodies on the CPU: what `kernels.cu` computes, with the planes side by side on the compute pool's threads.

use rayon::prelude::*;

use super::SlidingWindows;

/// Numbers that one thread takes at once.
const PART: usize = 1 << 14;

pub(super) fn gate(y: &[f32], dy: &[f32]) -> Vec<f32> {
    let mut dx = vec![0.0; y.len()];
    let parts = dx.par_chunks_mut(PART).zip(y.par_chunks(PART).zip(dy.par_chunks(PART)));
    parts.for_each(|(dx, (y, dy))| {
        for (dx, (y, dy)) in dx.iter_mut().zip(y.iter().zip(dy)) {
            *dx = if *y > 0.0 { *dy } else { 0.0 };
        }
    });
    dx
}

pub(super) fn add_bias(x: &[f32], bias: &[f32], area: usize) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    let planes = y.par_chunks_mut(area).zip(x.par_chunks(area)).enumerate();
    planes.for_each(|(plane, (y, x))| {
        let bias = bias[plane % bias.len()];
        y.iter_mut().zip(x).for_each(|(y, x)| *y = x + bias);
    });
    y
}

pub(super) fn columns(x: &[f32], windows: &SlidingWindows) -> Vec<f32> {
    let (area, [rows, columns]) = (windows.area(), windows.out);
    let of_plane = windows.taps() * rows * columns;
    let mut y = vec![0.0; x.len() / area * of_plane];
    let places = |axis: usize| -> Vec<Vec<Option<usize>>> {
        let of_tap = |tap| (0..windows.out[axis]).map(|window| windows.place(axis, window, tap)).collect();
        (0..windows.kernel[axis]).map(of_tap).collect()
    };
    let [down, right] = [places(0), places(1)];
    y.par_chunks_mut(of_plane).zip(x.par_chunks(area)).for_each(|(y, x)| {
        let lines = down
            .iter()
            .flat_map(|down| right.iter().flat_map(move |right| down.iter().map(move |row| (row, right))));
        for (y, (row, right)) in y.chunks_exact_mut(columns).zip(lines) {
            let Some(row) = row else { continue };
            let x = &x[row * windows.input[1]..][..windows.input[1]];
            y.iter_mut().zip(right).for_each(|(y, at)| *y = at.map_or(0.0, |at| x[at]));
        }
    });
    y
}

pub(super) fn max_pool(x: &[f32], windows: &SlidingWindows) -> Vec<f32> {
    let (area, count) = (windows.area(), windows.count());
    let mut y = vec![f32::NEG_INFINITY; x.len() / area * count];
    y.par_chunks_mut(count).zip(x.par_chunks(area)).for_each(|(y, x)| {
        for (window, best) in y.iter_mut().enumerate() {
            each_place(windows, window, |at| {
                if x[at] > *best {
                    *best = x[at];
                }
                true
            });
        }
    });
    y
}

/// From x, y and dy. A plane's windows come one after the other, so each sum has the order of the kernel's.
pub(super) fn max_pool_back([x, y, dy]: [&[f32]; 3], windows: &SlidingWindows) -> Vec<f32> {
    let (area, count) = (windows.area(), windows.count());
    let mut dx = vec![0.0; x.len()];
    let planes =
        dx.par_chunks_mut(area).zip(x.par_chunks(area)).zip(y.par_chunks(count).zip(dy.par_chunks(count)));
    planes.for_each(|((dx, x), (y, dy))| {
        for (window, (best, dy)) in y.iter().zip(dy).enumerate() {
            each_place(windows, window, |at| {
                if x[at] == *best {
                    dx[at] += dy;
                }
                x[at] != *best
            });
        }
    });
    dx
}

/// Calls `each` with the places of a plane that a window reads, row by row, until it returns false.
fn each_place(windows: &SlidingWindows, window: usize, mut each: impl FnMut(usize) -> bool) {
    let [row, column] = [window / windows.out[1], window % windows.out[1]];
    for down in (0..windows.kernel[0]).filter_map(|tap| windows.place(0, row, tap)) {
        for right in (0..windows.kernel[1]).filter_map(|tap| windows.place(1, column, tap)) {
            if !each(down * windows.input[1] + right) {
                return;
            }
        }
    }
}
