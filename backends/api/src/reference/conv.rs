//! Cross-correlation, written as its definition.

use crate::{Array, Conv2d, Result, Shape};

/// One product of the sum: which input, weight and output numbers meet.
struct Term {
    x: usize,
    w: usize,
    y: usize,
}

/// y[n,o,y,x] = b[o] + sum over c, i, j of w[o,c,i,j] * x[n,c,y*s+i-p,x*s+j-p], per group.
pub(super) fn forward(conv: &Conv2d, x: &Array, w: &Array, b: &Array) -> Result<Array> {
    let (n, output) = output_shape(conv, x)?;
    let mut sums = vec![0.0_f64; n * output.len()];
    let (from, weights, b) = (x.data(), w.data(), b.data());
    terms(conv, x, |t| sums[t.y] += f64::from(weights[t.w]) * f64::from(from[t.x]))?;
    let area = output.height * output.width;
    let y = sums.iter().enumerate().map(|(i, sum)| {
        let o = i / area % output.channels;
        (sum + f64::from(b[o])) as f32
    });
    Array::new(output.batch(n), y.collect())
}

/// dx[n,c,..] = sum of w[o,c,i,j] * dy[n,o,y,x] over every term of [`forward`] that read it.
pub(super) fn backward(conv: &Conv2d, x: &Array, w: &Array, dy: &Array) -> Result<Array> {
    let mut sums = vec![0.0_f64; x.data().len()];
    let (from, weights) = (dy.data(), w.data());
    terms(conv, x, |t| sums[t.x] += f64::from(weights[t.w]) * f64::from(from[t.y]))?;
    Array::new(x.shape(), sums.iter().map(|&sum| sum as f32).collect())
}

fn output_shape(conv: &Conv2d, x: &Array) -> Result<(usize, Shape)> {
    let (n, input) = x.dims4()?;
    let p = conv.padding;
    Ok((
        n,
        Shape {
            channels: conv.outputs,
            height: (input.height + p.top + p.bottom - conv.kernel[0]) / conv.stride[0] + 1,
            width: (input.width + p.left + p.right - conv.kernel[1]) / conv.stride[1] + 1,
        },
    ))
}

/// Visits every product of the convolution; those that read padding are zero and left out.
fn terms(conv: &Conv2d, x: &Array, mut visit: impl FnMut(Term)) -> Result<()> {
    let (n, output) = output_shape(conv, x)?;
    let (_, input) = x.dims4()?;
    let (inputs, outputs) = (conv.inputs / conv.groups, conv.outputs / conv.groups);
    let [kh, kw] = conv.kernel;
    for (n, o, c) in product3(n, conv.outputs, inputs) {
        let from = n * conv.inputs + o / outputs * inputs + c;
        for (i, j) in product2(kh, kw) {
            for (y, x) in product2(output.height, output.width) {
                let row = (y * conv.stride[0] + i).wrapping_sub(conv.padding.top);
                let column = (x * conv.stride[1] + j).wrapping_sub(conv.padding.left);
                if row < input.height && column < input.width {
                    visit(Term {
                        x: (from * input.height + row) * input.width + column,
                        w: ((o * inputs + c) * kh + i) * kw + j,
                        y: ((n * conv.outputs + o) * output.height + y) * output.width + x,
                    });
                }
            }
        }
    }
    Ok(())
}

fn product2(a: usize, b: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..a).flat_map(move |i| (0..b).map(move |j| (i, j)))
}

fn product3(a: usize, b: usize, c: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    product2(a, b).flat_map(move |(i, j)| (0..c).map(move |k| (i, j, k)))
}
