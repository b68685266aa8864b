//! What no backend has an operation for, but a convolution with the right numbers does: rows and columns that are cut off, and a
//! window that slides over channels.

use trepang_api::Padding;

use super::super::ir::{Kernel, LayerOp};
use super::super::value::{Act, GraphValue};
use super::{Lowering, NotLowered, Reading};

/// The most rows or columns that are cut off at a side: each costs as much as the layer itself.
const MOST_CUT: usize = 8;

/// The most channels that a window slides over: the convolution has a weight for every two of them.
const MOST_CHANNELS: usize = 8192;

impl Lowering<'_> {
    /// An activation without so many rows and columns at each side.
    pub(super) fn cropped(&mut self, node: &Reading, act: Act, cut: Padding) -> Result<Act, NotLowered> {
        if cut == Padding::default() {
            return Ok(act);
        }
        if [cut.top, cut.bottom, cut.left, cut.right].into_iter().any(|side| side > MOST_CUT) {
            return Err(format!("cuts off more than {MOST_CUT} rows or columns").into());
        }
        self.is_sized = true;
        let kernel = crop(self.layers.shape(act.at).channels, cut);
        let at = self.layers.add(LayerOp::Conv(kernel), &[act.at], Some(node.at))?;
        Ok(Act { at, ..act })
    }

    /// A convolution over the channels of a vector, with one window for all of them: what ECA gates are made by.
    pub(super) fn conv_of_channels(
        &mut self,
        node: &Reading,
        act: Act,
    ) -> Result<Vec<GraphValue>, NotLowered> {
        let weight = node.weights(1)?.ok_or("lacks its weights")?;
        let channels = self.layers.shape(act.at).channels;
        let pads = node.node.ints("pads").unwrap_or(&[0, 0]);
        let is_plain = |name, value| node.node.ints(name).is_none_or(|ints| ints == [value]);
        let (&[1, 1, window], &[before, after]) = (weight.shape.as_slice(), pads) else {
            return Err(format!("has weights of the shape {:?}: only 2-D is known", weight.shape).into());
        };
        let keeps = before >= 0 && after >= 0 && before.saturating_add(after) == window as i64 - 1;
        if !keeps || !is_plain("strides", 1) || !is_plain("dilations", 1) || channels > MOST_CHANNELS {
            return Err("slides over channels in an unusual way".into());
        }
        let bias = node.weights(2)?.and_then(|bias| bias.floats().first().copied()).unwrap_or(0.0);
        let kernel = band(&weight.floats(), before as usize, bias, channels);
        let at = self.layers.add(LayerOp::Conv(kernel), &[act.at], Some(node.at))?;
        Ok(vec![GraphValue::Act(Act { at, ..act })])
    }
}

/// A window as large as what is cut off and one cell more, of which only that cell counts.
fn crop(channels: usize, cut: Padding) -> Kernel {
    let window = [cut.top + cut.bottom + 1, cut.left + cut.right + 1];
    let mut plane = vec![0.0; window[0] * window[1]];
    plane[cut.top * window[1] + cut.left] = 1.0;
    let one = Kernel::depthwise(vec![1.0; channels], vec![0.0; channels], Padding::default());
    Kernel { weight: plane.repeat(channels), window, ..one }
}

/// A 1x1 convolution in which each channel sees the neighbours that the window reaches.
fn band(weight: &[f32], before: usize, bias: f32, channels: usize) -> Kernel {
    let mut rows = vec![0.0; channels * channels];
    for (channel, row) in rows.chunks_exact_mut(channels).enumerate() {
        for (at, &weight) in weight.iter().enumerate() {
            if let Some(seen) = (channel + at).checked_sub(before).and_then(|seen| row.get_mut(seen)) {
                *seen = weight;
            }
        }
    }
    Kernel::pointwise(rows, bias, channels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_over_channels_is_a_band() {
        let kernel = band(&[1.0, 2.0, 3.0], 1, 0.5, 3);
        assert_eq!(kernel.weight, [2.0, 3.0, 0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0]);
        assert_eq!(kernel.bias, [0.5; 3]);
    }

    #[test]
    fn a_crop_sees_one_cell() {
        let kernel = crop(2, Padding { top: 1, left: 1, ..Padding::default() });
        assert_eq!((kernel.window, kernel.weight.as_slice()), ([2, 2], &[0.0, 0.0, 0.0, 1.0].repeat(2)[..]));
    }
}
