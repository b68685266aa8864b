//! The matrix product, from the `gemm` crate, behind views that check their bounds.
//!
//! This is the one module of the crate with unsafe code: `gemm` takes raw pointers and strides. The views
//! below own that proof: a view exists only if its last element lies inside its slice.
#![allow(unsafe_code)]

use gemm::Parallelism;

/// A matrix in a slice, with a stride for each direction.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// Row-major, with `stride` numbers from one row to the next.
    pub(super) fn new(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        assert_inside(data.len(), rows, columns, stride);
        Self { data, rows, columns, strides: [stride, 1] }
    }

    /// Rows for columns.
    pub(super) fn transposed(self) -> Self {
        let Self { data, rows, columns, strides: [down, right] } = self;
        Self { data, rows: columns, columns: rows, strides: [right, down] }
    }
}

/// A row-major matrix to write to.
pub(super) struct MatrixMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    columns: usize,
    stride: usize,
}

impl<'a> MatrixMut<'a> {
    pub(super) fn new(data: &'a mut [f32], rows: usize, columns: usize, stride: usize) -> Self {
        assert_inside(data.len(), rows, columns, stride);
        Self { data, rows, columns, stride }
    }
}

/// `into = a b`, or `into += a b`.
pub(super) fn product(
    into: &mut MatrixMut,
    accumulate: bool,
    a: Matrix,
    b: Matrix,
    parallelism: Parallelism,
) {
    assert_eq!((into.rows, into.columns, a.columns), (a.rows, b.columns, b.rows), "matrix shapes");
    // SAFETY: the shapes agree, and each view was checked to lie inside its slice; `into` is borrowed mutably,
    // so it overlaps neither `a` nor `b`. f32 has no invalid bit patterns.
    unsafe {
        gemm::gemm::<f32>(
            into.rows,
            into.columns,
            a.columns,
            into.data.as_mut_ptr(),
            1,
            into.stride as isize,
            accumulate,
            a.data.as_ptr(),
            a.strides[1] as isize,
            a.strides[0] as isize,
            b.data.as_ptr(),
            b.strides[1] as isize,
            b.strides[0] as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

fn assert_inside(len: usize, rows: usize, columns: usize, stride: usize) {
    let end = if rows == 0 || columns == 0 { 0 } else { (rows - 1) * stride + columns };
    assert!(end <= len && (stride >= columns || rows <= 1), "a {rows}x{columns} matrix in {len} numbers");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_with_strides_and_a_transpose() {
        // a is the left 2x2 of a 2x3, b is given by its transpose.
        let a = [1.0, 2.0, 9.0, 3.0, 4.0, 9.0];
        let b_t = [5.0, 7.0, 6.0, 8.0];
        let mut c = [1.0; 4];
        let mut into = MatrixMut::new(&mut c, 2, 2, 2);
        let b = Matrix::new(&b_t, 2, 2, 2).transposed();
        product(&mut into, true, Matrix::new(&a, 2, 2, 3), b, Parallelism::None);
        assert_eq!(c, [20.0, 23.0, 44.0, 51.0]);
    }

    #[test]
    #[should_panic(expected = "a 2x3 matrix in 5 numbers")]
    fn a_view_outside_its_slice_does_not_exist() {
        let _ = Matrix::new(&[0.0; 5], 2, 3, 3);
    }
}
