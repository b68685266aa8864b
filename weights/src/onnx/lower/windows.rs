//! What slides a window over an activation: convolutions, poolings, means over the positions, and zeros around them.

use trepang_api::{Op, Padding, Pool};

use super::super::evaluate::axis;
use super::super::ir::{Kernel, LayerOp};
use super::super::proto::NodeProto;
use super::super::tensor::OnnxTensor;
use super::super::value::{Act, Axis, GraphValue, NCHW};
use super::{Lowering, NotLowered, Reading};

/// The largest number that an attribute of a window can be.
const LARGEST: i64 = 1 << 16;

/// The largest number of weights of a convolution whose dilation is written out as zeros.
const MAX_DILATED: usize = 1 << 26;

/// A window as its attributes say.
#[derive(Debug, Clone, Copy)]
struct Window {
    pool: Pool,
    dilations: [usize; 2],
    /// Cells behind the end of the padding that belong to a last window that begins before the end.
    beyond: [usize; 2],
}

impl Lowering<'_> {
    pub(super) fn window(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let act = match node.input(0)? {
            GraphValue::Act(act) if node.op() == "MaxPool" => act.clone(),
            other => self.act(other)?,
        };
        if node.op() == "ReduceMean" {
            return self.mean(node, &act);
        }
        if node.op() == "Conv" && act.axes == [Axis::N, Axis::H, Axis::C] {
            return self.conv_of_channels(node, act);
        }
        if node.op() == "Pad" {
            return self.pad(node, &act);
        }
        if act.axes != NCHW {
            return Err("reads an activation whose channels do not come first".into());
        }
        let op = match node.op() {
            "Conv" => return self.conv(node, &act),
            "GlobalAveragePool" => LayerOp::Plain(Op::GlobalAverage),
            "MaxPool" => LayerOp::Plain(self.max_pool(node, &act)?),
            _ => match self.average_pool(node, &act)? {
                Some(op) => LayerOp::Plain(op),
                None => return Ok(vec![GraphValue::Act(act)]),
            },
        };
        let made = self.layers.add(op, &[act.at], Some(node.at))?;
        Ok(vec![GraphValue::Act(Act::new(made))])
    }

    fn conv(&mut self, node: &Reading, act: &Act) -> Result<Vec<GraphValue>, NotLowered> {
        let weight = node.weights(1)?.ok_or("lacks its weights")?;
        let &[outputs, inputs, height, width] = weight.shape.as_slice() else {
            return Err(format!("has weights of the shape {:?}: only 2-D is known", weight.shape).into());
        };
        let window = self.shape_of_window(node.node, act, Some([height, width]))?;
        let groups = number(node.node.int("group").unwrap_or(1))?;
        let bias = match node.weights(2)? {
            Some(bias) => bias.floats(),
            None => vec![0.0; outputs],
        };
        if bias.len() != outputs || window.pool.kernel != [height, width] {
            return Err("has a bias or a kernel that does not fit its weights".into());
        }
        let (weight, sides) = dilated(OnnxTensor::into_floats(weight), [height, width], window.dilations)?;
        let kernel = Kernel {
            weight,
            bias,
            inputs: inputs.checked_mul(groups).ok_or("has absurd groups")?,
            outputs,
            window: sides,
            stride: window.pool.stride,
            padding: window.pool.padding,
            groups,
        };
        let made = self.layers.add(LayerOp::Conv(kernel), &[act.at], Some(node.at))?;
        Ok(vec![GraphValue::Act(Act::new(made))])
    }

    fn max_pool(&mut self, node: &Reading, act: &Act) -> Result<Op, NotLowered> {
        let window = self.shape_of_window(node.node, act, None)?;
        if window.dilations != [1, 1] {
            return Err("has dilations, which poolings here have not".into());
        }
        let mut pool = window.with_beyond();
        if act.lowest != Padding::default() {
            let is_plain =
                window.beyond == [0, 0] && node.node.text("auto_pad").unwrap_or("NOTSET") == "NOTSET";
            if !is_plain || node.node.int("ceil_mode").unwrap_or(0) != 0 {
                return Err("is padded in two ways".into());
            }
            pool.padding = pool.padding + act.lowest;
        }
        Ok(Op::MaxPool(pool))
    }

    /// The operation; none for one that changes nothing.
    fn average_pool(&mut self, node: &Reading, act: &Act) -> Result<Option<Op>, NotLowered> {
        let window = self.shape_of_window(node.node, act, None)?;
        let counts = node.node.int("count_include_pad").unwrap_or(0) != 0;
        let (pool, shape) = (window.pool, self.layers.shape(act.at));
        let is_padded = pool.padding != Padding::default();
        if window.dilations != [1, 1] || (counts && is_padded && window.beyond != [0, 0]) {
            return Err("averages windows that reach behind their padding".into());
        }
        if pool.kernel == [1, 1] && pool.stride == [1, 1] && !is_padded {
            return Ok(None);
        }
        // One window of the whole activation: the mean over all positions, at any size.
        if pool.kernel == [shape.height, shape.width] && !is_padded {
            return Ok(Some(Op::GlobalAverage));
        }
        Ok(Some(Op::AveragePool { pool: window.with_beyond(), count_padding: counts && is_padded }))
    }

    fn pad(&mut self, node: &Reading, act: &Act) -> Result<Vec<GraphValue>, NotLowered> {
        let mode = node.node.text("mode").unwrap_or("constant");
        let value = node.constant(2)?.and_then(|tensor| tensor.floats().first().copied());
        let value = value.or(node.node.float("value")).unwrap_or(0.0);
        let is_lowest = value <= f32::MIN;
        if mode != "constant" || !(value == 0.0 || is_lowest) {
            return Err("pads with something else than zeros".into());
        }
        let attribute = if self.graph.opset < 2 { "paddings" } else { "pads" };
        let pads = node.ints(attribute, 1)?.ok_or("has no padding")?;
        let sides = match node.ints("", 3)? {
            Some(axes) => axes.iter().map(|&at| axis(at, act.axes.len())).collect::<Result<Vec<_>, _>>()?,
            None => (0..act.axes.len()).collect(),
        };
        // Cells that are added, and cells that are cut off, which are negative.
        let mut padding = [[[0_usize; 2]; 4]; 2];
        for (at, &side) in sides.iter().enumerate() {
            for (end, from) in [(0, at), (1, at + sides.len())] {
                let pad = *pads.get(from).ok_or("has too few paddings")?;
                let cells = number(pad.saturating_abs()).map_err(|_| "pads without end")?;
                let place = NCHW.iter().position(|&axis| axis == act.axes[side]).unwrap_or(0);
                padding[usize::from(pad < 0)][place][end] += cells;
            }
        }
        let [zeros, cut] = padding.map(|[batch, channels, [top, bottom], [left, right]]| {
            let is_spatial = batch == [0, 0] && channels == [0, 0];
            is_spatial.then_some(Padding { top, bottom, left, right })
        });
        let (Some(zeros), Some(cut)) = (zeros, cut) else {
            return Err("pads other sides than the height and the width".into());
        };
        self.is_sized |= (zeros.top, zeros.left) != (zeros.bottom, zeros.right);
        if is_lowest && cut == Padding::default() {
            return Ok(vec![GraphValue::Act(Act { lowest: zeros, ..act.clone() })]);
        }
        if is_lowest {
            return Err("pads with the lowest of numbers and crops".into());
        }
        let mut act = act.clone();
        if zeros != Padding::default() {
            act.at = self.layers.add(LayerOp::Pad(zeros), &[act.at], Some(node.at))?;
        }
        Ok(vec![GraphValue::Act(self.cropped(node, act, cut)?)])
    }

    /// The mean over the height and the width.
    fn mean(&mut self, node: &Reading, act: &Act) -> Result<Vec<GraphValue>, NotLowered> {
        let axes = node.ints("axes", 1)?.ok_or("takes the mean of everything")?;
        let over: Vec<Axis> =
            axes.iter().map(|&at| Ok(act.axes[axis(at, act.axes.len())?])).collect::<Result<_, String>>()?;
        let is_spatial = over.len() == 2 && over.contains(&Axis::H) && over.contains(&Axis::W);
        if !is_spatial || act.channels_last.is_some() {
            return Err("takes the mean over other sides than the height and the width".into());
        }
        let made = self.layers.add(LayerOp::Plain(Op::GlobalAverage), &[act.at], Some(node.at))?;
        let keeps = node.node.int("keepdims").unwrap_or(1) != 0;
        let axes = act.axes.iter().copied().filter(|axis| keeps || !over.contains(axis)).collect();
        Ok(vec![GraphValue::Act(Act::with(made, axes))])
    }

    /// The window of a node, with the padding that it has at the size of the picture.
    fn shape_of_window(
        &mut self,
        node: &NodeProto,
        act: &Act,
        weight: Option<[usize; 2]>,
    ) -> Result<Window, NotLowered> {
        let pair = |name, default: [usize; 2]| match node.ints(name) {
            None => Ok(default),
            Some(&[down, right]) => Ok([number(down)?, number(right)?]),
            Some(other) => Err(format!("has {name} {other:?}: only 2-D is known")),
        };
        let kernel = pair("kernel_shape", weight.unwrap_or([0, 0]))?;
        let (stride, dilations) = (pair("strides", [1, 1])?, pair("dilations", [1, 1])?);
        if [kernel, stride, dilations].concat().contains(&0) {
            return Err("has a window without a size or a step".into());
        }
        let shape = self.layers.shape(act.at);
        let mut pads = [[0; 2]; 2];
        let mut beyond = [0; 2];
        for (side, length) in [shape.height, shape.width].into_iter().enumerate() {
            let (reach, step) = (dilations[side] * (kernel[side] - 1) + 1, stride[side]);
            pads[side] = match node.text("auto_pad").unwrap_or("NOTSET") {
                "VALID" => [0, 0],
                "NOTSET" | "" => match node.ints("pads") {
                    None => [0, 0],
                    Some(all @ &[_, _, _, _]) => [number(all[side])?, number(all[side + 2])?],
                    Some(other) => return Err(format!("has pads {other:?}").into()),
                },
                same => {
                    self.is_sized |= step > 1;
                    same_padding(length, reach, step, same == "SAME_LOWER")
                }
            };
            let padded = length + pads[side][0] + pads[side][1];
            if node.int("ceil_mode").unwrap_or(0) != 0 && padded >= reach {
                beyond[side] = ceil_padding([length, padded], reach, step, pads[side][0]);
                self.is_sized |= beyond[side] > 0;
            }
            self.is_sized |= pads[side][0] != pads[side][1];
        }
        let [[top, bottom], [left, right]] = pads;
        let pool = Pool { kernel, stride, padding: Padding { top, bottom, left, right } };
        Ok(Window { pool, dilations, beyond })
    }
}

impl Window {
    fn with_beyond(self) -> Pool {
        let Self { mut pool, beyond: [down, right], .. } = self;
        pool.padding.bottom += down;
        pool.padding.right += right;
        pool
    }
}

/// An attribute as a number of cells.
fn number(attribute: i64) -> Result<usize, String> {
    let number = (0..=LARGEST).contains(&attribute).then_some(attribute as usize);
    number.ok_or_else(|| format!("has the size {attribute}"))
}

/// The padding with which a window of this reach and step makes ceil(length / step) cells.
fn same_padding(length: usize, reach: usize, step: usize, at_the_start: bool) -> [usize; 2] {
    let total = ((length.div_ceil(step).max(1) - 1) * step + reach).saturating_sub(length);
    let (less, more) = (total / 2, total - total / 2);
    if at_the_start { [more, less] } else { [less, more] }
}

/// The cells behind the padding that the last window needs, if that window begins before the end of the input or in the
/// padding before it. One that would begin behind the input does not count.
fn ceil_padding([length, padded]: [usize; 2], reach: usize, step: usize, before: usize) -> usize {
    let mut count = (padded - reach).div_ceil(step) + 1;
    if (count - 1) * step >= length + before {
        count -= 1;
    }
    ((count - 1) * step + reach).saturating_sub(padded)
}

/// A kernel with zeros between its cells, and its sides.
fn dilated(
    weight: Vec<f32>,
    [height, width]: [usize; 2],
    [down, right]: [usize; 2],
) -> Result<(Vec<f32>, [usize; 2]), NotLowered> {
    if (down, right) == (1, 1) || height * width == 0 {
        return Ok((weight, [height, width]));
    }
    let (tall, wide) = (down * (height - 1) + 1, right * (width - 1) + 1);
    let planes = weight.len() / (height * width);
    let total = planes.checked_mul(tall * wide).filter(|&total| total <= MAX_DILATED);
    let mut spread = vec![0.0; total.ok_or("has a dilation that makes its kernel too large")?];
    for (at, number) in weight.into_iter().enumerate() {
        let (plane, cell) = (at / (height * width), at % (height * width));
        let (y, x) = (cell / width * down, cell % width * right);
        spread[(plane * tall + y) * wide + x] = number;
    }
    Ok((spread, [tall, wide]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_that_of_onnx() {
        assert_eq!(same_padding(224, 3, 2, false), [0, 1]);
        assert_eq!(same_padding(224, 3, 2, true), [1, 0]);
        assert_eq!(same_padding(225, 3, 2, false), [1, 1]);
        // GoogLeNet's 3x3 pooling with step 2 on 112 cells makes 56, with one cell more at the end.
        assert_eq!(ceil_padding([112, 112], 3, 2, 0), 1);
        assert_eq!(ceil_padding([113, 113], 3, 2, 0), 0);
        // The last window would begin in the padding behind the input: it does not count.
        assert_eq!(ceil_padding([4, 6], 2, 4, 1), 0);
    }

    #[test]
    fn a_dilated_kernel_has_zeros_between_its_cells() {
        let (weight, sides) = dilated(vec![1.0, 2.0, 3.0, 4.0], [2, 2], [2, 1]).unwrap();
        assert_eq!((weight, sides), (vec![1.0, 2.0, 0.0, 0.0, 3.0, 4.0], [3, 2]));
    }
}
