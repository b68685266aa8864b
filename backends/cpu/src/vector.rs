//! The operations that end a classifier: flatten, linear, softmax. They work on row-major numbers, `[N, features]` or
//! `[N, C, H, W]`, and are small: their inputs are unpacked first and their outputs packed.

use gemm::Parallelism;
use trepang_api::Array;

use crate::grid::BatchShape;
use crate::matmul::{Matrix, MatrixMut, product};

/// A fully connected layer: `[out, in]`, `[out]`.
#[derive(Debug)]
pub(crate) struct LinearWeights {
    pub(crate) weights: Array,
    pub(crate) bias: Array,
}

impl LinearWeights {
    fn sides(&self) -> [usize; 2] {
        [self.weights.shape()[0], self.weights.shape()[1]]
    }

    /// y = x w^T + b.
    pub(crate) fn forward(&self, n: usize, x: &[f32], y: &mut [f32]) {
        let [outputs, inputs] = self.sides();
        y.chunks_mut(outputs).for_each(|y| y.copy_from_slice(self.bias.data()));
        let weights = Matrix::new(self.weights.data(), outputs, inputs, inputs).transposed();
        let mut into = MatrixMut::new(y, n, outputs, outputs);
        product(&mut into, true, Matrix::new(x, n, inputs, inputs), weights, Parallelism::Rayon(0));
    }

    /// dx = dy w.
    pub(crate) fn back(&self, n: usize, dy: &[f32], dx: &mut [f32]) {
        let [outputs, inputs] = self.sides();
        let weights = Matrix::new(self.weights.data(), outputs, inputs, inputs);
        let mut into = MatrixMut::new(dx, n, inputs, inputs);
        product(&mut into, false, Matrix::new(dy, n, outputs, outputs), weights, Parallelism::Rayon(0));
    }
}

/// exp(x - max) / sum exp(x - max) over the channels of each position, in place.
pub(crate) fn softmax(grid: BatchShape, x: &mut [f32]) {
    each_position(grid, |at| {
        let largest = at.clone().map(|i| x[i]).fold(f32::NEG_INFINITY, f32::max);
        at.clone().for_each(|i| x[i] = (x[i] - largest).exp());
        let sum: f32 = at.clone().map(|i| x[i]).sum();
        at.for_each(|i| x[i] /= sum);
    });
}

/// dx = y (dy - sum of y dy over the channels), in place of dy.
pub(crate) fn softmax_back(grid: BatchShape, y: &[f32], dy: &mut [f32]) {
    each_position(grid, |at| {
        let mean: f32 = at.clone().map(|i| y[i] * dy[i]).sum();
        at.for_each(|i| dy[i] = y[i] * (dy[i] - mean));
    });
}

/// The indices of one position's channels, for each position.
fn each_position(grid: BatchShape, mut each: impl FnMut(std::iter::StepBy<std::ops::Range<usize>>)) {
    let plane = grid.height * grid.width;
    for n in 0..grid.n {
        for position in 0..plane {
            let begin = n * grid.channels * plane + position;
            each((begin..(n + 1) * grid.channels * plane).step_by(plane));
        }
    }
}
