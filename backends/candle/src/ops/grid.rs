//! Views of the places that windows read and write. A padded input is seen as `[N, C, H/s, s, W/s, s]` for a step s: what
//! every window reads under its tap (i, j) is then a rectangle of that view, and costs no copy.

use candle_core::{Result, Tensor};
use trepang_api::Padding;

/// Windows along one axis of an input.
#[derive(Debug, Clone, Copy)]
struct WindowAxis {
    /// The input's length.
    len: usize,
    /// Padding before it.
    before: usize,
    step: usize,
    /// The number of windows.
    out: usize,
    /// The padded length in steps: enough for the input and for every tap.
    steps: usize,
}

impl WindowAxis {
    fn new(len: usize, kernel: usize, step: usize, [before, after]: [usize; 2]) -> Self {
        let out = (before + len + after - kernel) / step + 1;
        let steps = (out + (kernel - 1) / step).max((before + len).div_ceil(step));
        Self { len, before, step, out, steps }
    }

    fn padded(self) -> usize {
        self.step * self.steps
    }

    /// Zeros after the input.
    fn after(self) -> usize {
        self.padded() - self.before - self.len
    }
}

/// The windows of a convolution or a pool.
#[derive(Debug, Clone, Copy)]
pub(super) struct WindowGrid {
    rows: WindowAxis,
    columns: WindowAxis,
    kernel: [usize; 2],
}

impl WindowGrid {
    /// Windows over an input with sides `[N, C, H, W]`.
    pub(super) fn new(kernel: [usize; 2], stride: [usize; 2], p: Padding, x: &Tensor) -> Result<Self> {
        let (_, _, height, width) = x.dims4()?;
        Ok(Self {
            rows: WindowAxis::new(height, kernel[0], stride[0], [p.top, p.bottom]),
            columns: WindowAxis::new(width, kernel[1], stride[1], [p.left, p.right]),
            kernel,
        })
    }

    /// The taps of a window, row-major.
    pub(super) fn taps(self) -> impl Iterator<Item = [usize; 2]> {
        let [kh, kw] = self.kernel;
        (0..kh).flat_map(move |i| (0..kw).map(move |j| [i, j]))
    }

    /// Height and width of the output.
    pub(super) fn out(self) -> [usize; 2] {
        [self.rows.out, self.columns.out]
    }

    /// `[N, C, H, W]` with `value` around it, as `[N, C, H/s, s, W/s, s]`.
    pub(super) fn pad(self, x: &Tensor, value: f32) -> Result<Tensor> {
        let x = surround(x, 2, [self.rows.before, self.rows.after()], value)?;
        let x = surround(&x, 3, [self.columns.before, self.columns.after()], value)?;
        let (n, c, _, _) = x.dims4()?;
        x.reshape(&[n, c, self.rows.steps, self.rows.step, self.columns.steps, self.columns.step][..])
    }

    /// The numbers that every window reads under a tap, `[N, C, out, out]`: a view of what [`pad`](Self::pad) gave.
    pub(super) fn tap(self, padded: &Tensor, [i, j]: [usize; 2]) -> Result<Tensor> {
        let (rows, columns) = (self.rows, self.columns);
        let at = padded.narrow(2, i / rows.step, rows.out)?.narrow(3, i % rows.step, 1)?;
        let at = at.narrow(4, j / columns.step, columns.out)?.narrow(5, j % columns.step, 1)?;
        at.squeeze(5)?.squeeze(3)
    }

    /// The transpose of padding and [`tap`](Self::tap): every window's number where it was read, zeros elsewhere; added
    /// to `sum`, in the padded form.
    pub(super) fn untap(self, sum: Option<Tensor>, dy: &Tensor, [i, j]: [usize; 2]) -> Result<Tensor> {
        let (rows, columns) = (self.rows, self.columns);
        let place = |t: &Tensor, dim: usize, side: WindowAxis, tap: usize| -> Result<Tensor> {
            let (first, phase) = (tap / side.step, tap % side.step);
            let t = t.pad_with_zeros(dim + 1, phase, side.step - 1 - phase)?;
            t.pad_with_zeros(dim, first, side.steps - side.out - first)
        };
        let dx = dy.unsqueeze(3)?.unsqueeze(5)?;
        let dx = place(&place(&dx, 4, columns, j)?, 2, rows, i)?;
        match sum {
            Some(sum) => sum + dx,
            None => Ok(dx),
        }
    }

    /// The input's part of a gradient in the padded form.
    pub(super) fn unpad(self, dx: &Tensor) -> Result<Tensor> {
        let (n, c) = (dx.dim(0)?, dx.dim(1)?);
        let dx = dx.reshape((n, c, self.rows.padded(), self.columns.padded()))?;
        let dx = dx.narrow(2, self.rows.before, self.rows.len)?;
        dx.narrow(3, self.columns.before, self.columns.len)?.contiguous()
    }
}

/// `value` before and after `x` along a side.
pub(super) fn surround(x: &Tensor, dim: usize, [before, after]: [usize; 2], value: f32) -> Result<Tensor> {
    let strip = |len: usize| -> Result<Option<Tensor>> {
        let mut dims = x.dims().to_vec();
        dims[dim] = len;
        (len > 0).then(|| Tensor::full(value, dims, x.device())).transpose()
    };
    let (before, after) = (strip(before)?, strip(after)?);
    match (&before, &after) {
        (None, None) => x.contiguous(),
        _ => Tensor::cat(
            &[before.as_ref(), Some(x), after.as_ref()].into_iter().flatten().collect::<Vec<_>>(),
            dim,
        ),
    }
}
