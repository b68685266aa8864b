//! Converts a file's tensors to the network's: axes are reordered, batch norm is folded into the convolution, and the first
//! kernel is turned from BGR to RGB. A file in Trepang's own store has been converted already.

use trepang_api::{Array, Weights};

use crate::layout::{BatchNorm, Factors, KernelOrder, KernelTensor, LayerTensors};
use crate::{Error, Fit, InputFormat, Result, TensorSource, gray};

impl Fit {
    /// Reads and converts every tensor that the network needs, layer by layer. `progress(done, total)` is called before each
    /// layer and returns whether to continue. Fails with [`Error::Stopped`] if it returns false, and for numbers that
    /// are not finite.
    pub fn weights(
        &self,
        source: &dyn TensorSource,
        progress: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Weights> {
        let mut weights = Weights::default();
        let mut is_bgr = self.takes_blue_first();
        for (done, entry) in self.entries.iter().enumerate() {
            if !progress(done, self.entries.len()) {
                return Err(Error::Stopped { path: source.path().into() });
            }
            let (mut weight, bias) = self.entry(source, entry)?;
            if std::mem::take(&mut is_bgr) && weight.shape()[1] == 3 {
                swap_red_and_blue(&mut weight);
            }
            if done == 0 && self.network.is_gray() {
                weight = gray::spread(&weight, self.network.preprocess())?;
            }
            weights.insert(format!("{}.weight", entry.layer), weight);
            weights.insert(format!("{}.bias", entry.layer), bias);
        }
        let _ = progress(self.entries.len(), self.entries.len());
        weights
            .check(&self.network)
            .map_err(|error| Error::InFile { path: source.path().into(), source: Box::new(error) })?;
        Ok(weights)
    }

    /// The same weights for a network that sees pictures as `input` says.
    #[must_use]
    pub fn with_input(mut self, input: InputFormat) -> Self {
        self.network = self.network.with_preprocess(input.preprocess());
        self
    }

    /// Whether the first kernel has to be turned to read RGB.
    fn takes_blue_first(&self) -> bool {
        self.network.preprocess().trained_on_bgr != self.turned
    }

    fn entry(&self, source: &dyn TensorSource, entry: &LayerTensors) -> Result<(Array, Array)> {
        let read = |name: &str| source.read(self.index[name]);
        let mut weight = native(&entry.kernel, entry.outputs, read(&entry.kernel.name)?)?;
        let mut bias = match &entry.bias {
            Some(name) => read(name)?,
            None => Array::zeros([entry.outputs]),
        };
        if let Some(norm) = &entry.norm {
            fold(norm, read, &mut weight, &mut bias)?;
        }
        match &entry.factors {
            Some(Factors::Inputs { scale, shift, .. }) => {
                fold_inputs((read(scale)?, read(shift)?), &mut weight, &mut bias);
            }
            Some(Factors::Outputs { scale }) => fold_outputs(&read(scale)?, &mut weight, &mut bias),
            None => {}
        }
        Ok((weight, bias))
    }
}

/// Reorders a kernel to `[outputs, inputs, height, width]`, or `[outputs, inputs]` for a fully connected layer.
fn native(kernel: &KernelTensor, outputs: usize, tensor: Array) -> Result<Array> {
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
        KernelOrder::Native => tensor,
        KernelOrder::Pointwise => Array::new([outputs, shape[1], 1, 1], tensor.into_data())?,
        KernelOrder::PerChannel => Array::new([outputs, 1, 1, 1], tensor.into_data())?,
        KernelOrder::Ones => Array::new([outputs, 1, 1, 1], vec![1.0; outputs])?,
        KernelOrder::Unrolled => Array::new([outputs, tensor.item(0).len()], tensor.into_data())?,
        KernelOrder::Hwio => {
            let [h, w, inputs] = [shape[0], shape[1], shape[2]];
            let to: Vec<usize> = (0..h * w * inputs).map(|at| at % inputs * h * w + at / inputs).collect();
            Array::new([outputs, inputs, h, w], transposed(&to))?
        }
        KernelOrder::InOut => {
            Array::new([outputs, shape[0]], transposed(&(0..shape[0]).collect::<Vec<_>>()))?
        }
        KernelOrder::Flattened([c, h, w]) => {
            let to: Vec<usize> = (0..c * h * w).map(|at| at % c * h * w + at / c).collect();
            Array::new([outputs, c * h * w], transposed(&to))?
        }
    })
}

/// Folds a batch norm into the convolution before it, for each output channel:
/// w' = w gamma / sqrt(variance + epsilon), b' = (b - mean) gamma / sqrt(variance + epsilon) + beta.
/// The arithmetic is in `f64` and is rounded once.
fn fold(
    norm: &BatchNorm,
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

/// Folds factors and offsets of the inputs into a convolution without padding, for each output and input channel:
/// w' = w scale, b' = b + sum w shift. The arithmetic is in `f64` and is rounded once.
fn fold_inputs((scale, shift): (Array, Array), weight: &mut Array, bias: &mut Array) {
    let cells: usize = weight.shape()[2..].iter().product();
    for out in 0..bias.data().len() {
        let mut sum = f64::from(bias.data()[out]);
        let inputs = weight.item_mut(out).chunks_exact_mut(cells);
        for (cells, (&scale, &shift)) in inputs.zip(scale.data().iter().zip(shift.data())) {
            for w in cells {
                sum += f64::from(*w) * f64::from(shift);
                *w = (f64::from(*w) * f64::from(scale)) as f32;
            }
        }
        bias.data_mut()[out] = sum as f32;
    }
}

/// Multiplies each output channel by its factor.
fn fold_outputs(scale: &Array, weight: &mut Array, bias: &mut Array) {
    for (out, &scale) in scale.data().iter().enumerate() {
        bias.data_mut()[out] *= scale;
        weight.item_mut(out).iter_mut().for_each(|w| *w *= scale);
    }
}

/// Reverses the three input channels of a kernel `[outputs, 3, height, width]`.
fn swap_red_and_blue(weight: &mut Array) {
    let plane: usize = weight.shape()[2..].iter().product();
    for kernel in weight.data_mut().chunks_exact_mut(3 * plane) {
        let (red, rest) = kernel.split_at_mut(plane);
        red.swap_with_slice(&mut rest[plane..]);
    }
}
