//! From a file's tensors to the network's: axes in the network's order, batch norm folded, the first kernel turned
//! from BGR to RGB. What is written by [`save`] needs none of this again.

use trepang_api::{Array, Weights};

use crate::layout::{Kernel, Norm, Order, Part};
use crate::{Error, Fit, Result, Source};

impl Fit {
    /// Reads and converts every tensor that the network needs, one part at a time. `progress` is told how many parts of
    /// how many are done, and says whether to go on.
    pub fn weights(
        &self,
        source: &dyn Source,
        progress: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Weights> {
        let mut weights = Weights::default();
        let mut turn = !self.canonical && self.network.preprocess().trained_on_bgr;
        for (done, part) in self.parts.iter().enumerate() {
            if !progress(done, self.parts.len()) {
                return Err(Error::Stopped { path: source.path().into() });
            }
            let (mut weight, bias) = self.part(source, part)?;
            if std::mem::take(&mut turn) {
                swap_red_and_blue(&mut weight);
            }
            weights.insert(format!("{}.weight", part.layer), weight);
            weights.insert(format!("{}.bias", part.layer), bias);
        }
        let _ = progress(self.parts.len(), self.parts.len());
        weights
            .check(&self.network)
            .map_err(|error| Error::InFile { path: source.path().into(), source: Box::new(error) })?;
        Ok(weights)
    }

    fn part(&self, source: &dyn Source, part: &Part) -> Result<(Array, Array)> {
        let read = |name: &str| source.read(self.index[name]);
        let mut weight = native(&part.kernel, part.outputs, read(&part.kernel.name)?)?;
        let mut bias = match &part.bias {
            Some(name) => read(name)?,
            None => Array::zeros([part.outputs]),
        };
        if let Some(norm) = &part.norm {
            fold(norm, read, &mut weight, &mut bias)?;
        }
        Ok((weight, bias))
    }
}

/// A kernel with the channels out first, then the channels in.
fn native(kernel: &Kernel, outputs: usize, tensor: Array) -> Result<Array> {
    let shape = &kernel.shape;
    let transposed = |inner: &[usize]| {
        // [a, b, .., out] to [out, b', a', ..]: `inner` says where each number of a row of outputs goes.
        let mut data = vec![0.0; tensor.data().len()];
        for (row, &to) in tensor.data().chunks_exact(outputs).zip(inner) {
            for (out, &value) in row.iter().enumerate() {
                data[out * inner.len() + to] = value;
            }
        }
        data
    };
    Ok(match kernel.order {
        Order::Native => tensor,
        Order::Unrolled => Array::new([outputs, tensor.item(0).len()], tensor.into_data())?,
        Order::Hwio => {
            let [h, w, inputs] = [shape[0], shape[1], shape[2]];
            let to: Vec<usize> = (0..h * w * inputs).map(|at| at % inputs * h * w + at / inputs).collect();
            Array::new([outputs, inputs, h, w], transposed(&to))?
        }
        Order::InOut => Array::new([outputs, shape[0]], transposed(&(0..shape[0]).collect::<Vec<_>>()))?,
        Order::Flattened([c, h, w]) => {
            let to: Vec<usize> = (0..c * h * w).map(|at| at % c * h * w + at / c).collect();
            Array::new([outputs, c * h * w], transposed(&to))?
        }
    })
}

/// w' = w gamma / sqrt(variance + epsilon), b' = (b - mean) gamma / sqrt(variance + epsilon) + beta, for each channel
/// out; in `f64`, rounded once.
fn fold(
    norm: &Norm,
    read: impl Fn(&str) -> Result<Array>,
    weight: &mut Array,
    bias: &mut Array,
) -> Result<()> {
    let gamma = norm.gamma.as_deref().map(&read).transpose()?;
    let (beta, mean, variance) = (read(&norm.beta)?, read(&norm.mean)?, read(&norm.variance)?);
    for out in 0..bias.data().len() {
        let at = |array: &Array| f64::from(array.data()[out]);
        let factor = gamma.as_ref().map_or(1.0, at) / (at(&variance) + norm.epsilon).sqrt();
        let folded = (at(bias) - at(&mean)) * factor + at(&beta);
        bias.data_mut()[out] = folded as f32;
        weight.item_mut(out).iter_mut().for_each(|w| *w = (f64::from(*w) * factor) as f32);
    }
    Ok(())
}

/// Reverses the channels in of `[out, 3, h, w]`.
fn swap_red_and_blue(weight: &mut Array) {
    let plane: usize = weight.shape()[2..].iter().product();
    for kernel in weight.data_mut().chunks_exact_mut(3 * plane) {
        let (red, rest) = kernel.split_at_mut(plane);
        red.swap_with_slice(&mut rest[plane..]);
    }
}
