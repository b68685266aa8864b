//! Writes the layers down as a [`Network`] with its weights: the first convolution takes R, G and B in this order, or the
//! mean of them where the file's network sees gray pictures.

use trepang_api::{Array, InputSize, LayerId, Network, NetworkBuilder, Op, Weights};

use super::ir::{Kernel, Layer, LayerOp, Layers, pool_of};
use super::lower::{Frame, Lowering};
use super::names::LayerNames;
use super::pixels::Door;
use super::value::GraphValue;
use crate::gray;

/// The name of a convolution that puts the channels of the picture into the file's order, where no other can.
const REORDERED: &str = "input_order";

/// Writes the layers of a lowered graph down under `name`. The weights are moved out of them.
pub(super) fn emit(
    mut lowering: Lowering,
    names: LayerNames,
    (name, door): (&str, &Door),
) -> Result<(Network, Weights), trepang_api::Error> {
    let placeholder = InputSize { native: lowering.frame.height, min: 1, multiple: 1 };
    let logits = logits(&lowering);
    let layers = std::mem::take(&mut lowering.layers);
    let step = step(&layers);
    let multiple = if lowering.is_sized { step } else { 1 };
    let builder = NetworkBuilder::new(name, placeholder, door.preprocess.clone());
    let mut writer = NetworkWriter { builder, weights: Weights::default(), door, reordered: None };
    let ids = writer.layers(layers, &names.own)?;
    let NetworkWriter { mut builder, weights, .. } = writer;
    for (alias, at) in names.aliases {
        builder.alias(alias, names.own[at].as_str());
    }
    for (lost, reason) in names.lost {
        builder.lose(lost, reason);
    }
    if let Some(id) = logits.and_then(|at| ids[at]) {
        builder.logits(id);
    }
    let mut network = builder.finish()?;
    if door.order.is_empty() {
        network = network.for_gray_pictures();
    }
    let size = sizes(&network, lowering.frame, [step, multiple]);
    Ok((network.with_input(size), weights))
}

/// The layer of the class logits: the graph's first output that is a vector, or what a softmax makes it of.
fn logits(lowering: &Lowering) -> Option<usize> {
    let layers = &lowering.layers;
    lowering.graph.outputs.iter().find_map(|name| {
        let Some(GraphValue::Act(act)) = lowering.known(name) else { return None };
        let mut at = layers.now(act.at);
        if layers.0[at].op == LayerOp::Plain(Op::Softmax) {
            at = *layers.0[at].inputs.first()?;
        }
        let shape = layers.shape(at);
        (at > 0 && shape.height * shape.width == 1 && shape.channels > 1).then_some(at)
    })
}

/// The product of the steps on the longest way.
fn step(layers: &Layers) -> usize {
    let mut steps: Vec<usize> = Vec::with_capacity(layers.0.len());
    for layer in &layers.0 {
        let before = layer.inputs.iter().map(|&input| steps[input]).max().unwrap_or(1);
        let own = match &layer.op {
            LayerOp::Conv(kernel) => kernel.stride[0].max(kernel.stride[1]),
            LayerOp::Plain(op) => pool_of(op).map_or(1, |pool| pool.stride[0].max(pool.stride[1])),
            LayerOp::Image | LayerOp::Linear(_) | LayerOp::Affine { .. } | LayerOp::Pad(_) => 1,
        };
        let enlarged = match &layer.op {
            LayerOp::Plain(Op::Upsample(up)) => up.factor[0].min(up.factor[1]).max(1),
            LayerOp::Plain(_)
            | LayerOp::Image
            | LayerOp::Conv(_)
            | LayerOp::Linear(_)
            | LayerOp::Affine { .. }
            | LayerOp::Pad(_) => 1,
        };
        // Steps in a single cell, as behind a global average, are none.
        let is_cell = layer.shape.height * layer.shape.width == 1 && before > 1;
        steps.push(if is_cell { before } else { (before.saturating_mul(own) / enlarged).max(1) });
    }
    steps.into_iter().max().unwrap_or(1)
}

/// The sizes of square pictures: the file's own, and those on its lattice down to the smallest that reaches the last layer
/// of which the size may vary and gives it a step of its own.
fn sizes(network: &Network, Frame { height, width, .. }: Frame, [step, multiple]: [usize; 2]) -> InputSize {
    let native = height + (height.max(width) - height) / multiple * multiple;
    let nodes = network.nodes();
    let fixed = nodes.iter().position(|node| node.op == Op::Flatten).unwrap_or(nodes.len());
    let deepest = network.layers().take_while(|id| id.index() < fixed).last();
    let fits = |size: usize| size >= step && deepest.is_some_and(|id| network.shapes(size, size, id).is_ok());
    let first = if native % multiple == 0 { multiple } else { native % multiple };
    let min = (first..native).step_by(multiple).find(|&size| fits(size)).unwrap_or(native);
    InputSize { native, min, multiple }
}

struct NetworkWriter<'a> {
    builder: NetworkBuilder,
    weights: Weights,
    door: &'a Door,
    /// The picture with its channels in the file's order, if a layer needs that.
    reordered: Option<LayerId>,
}

impl NetworkWriter<'_> {
    /// Adds all layers that are still there, and returns the places of them.
    fn layers(&mut self, layers: Layers, own: &[String]) -> trepang_api::Result<Vec<Option<LayerId>>> {
        let mut ids: Vec<Option<LayerId>> = Vec::with_capacity(layers.0.len());
        for (at, layer) in layers.0.into_iter().enumerate() {
            let Layer { op, inputs, merged_into, .. } = layer;
            if at == 0 || merged_into.is_some() {
                ids.push(None);
                continue;
            }
            let reads_picture = inputs.contains(&0);
            let op = match op {
                LayerOp::Conv(kernel) if reads_picture && kernel.groups == 1 => {
                    LayerOp::Conv(self.for_rgb(kernel)?)
                }
                other if reads_picture && !self.is_rgb() => {
                    self.reorder()?;
                    other
                }
                other => other,
            };
            let takes_rgb = matches!(&op, LayerOp::Conv(kernel) if kernel.groups == 1);
            let picture = if takes_rgb { None } else { self.reordered };
            let from: Vec<LayerId> =
                inputs.iter().map(|&input| ids[input].or(picture).unwrap_or(NetworkBuilder::FIRST)).collect();
            let op = self.op(op, &own[at])?;
            ids.push(Some(self.builder.add(own[at].as_str(), op, &from)));
        }
        Ok(ids)
    }

    fn is_rgb(&self) -> bool {
        self.door.order == [0, 1, 2]
    }

    /// The operation of a layer, whose numbers go to the weights.
    fn op(&mut self, op: LayerOp, own: &str) -> trepang_api::Result<Op> {
        let name = own.strip_suffix(":pre").unwrap_or(own);
        Ok(match op {
            LayerOp::Conv(kernel) => {
                let conv = kernel.op(name);
                let [height, width] = kernel.window;
                let shape = [kernel.outputs, kernel.inputs / kernel.groups.max(1), height, width];
                self.weights.insert(format!("{name}.weight"), Array::new(shape, kernel.weight)?);
                self.weights.insert(format!("{name}.bias"), Array::new([kernel.outputs], kernel.bias)?);
                Op::Conv2d(conv)
            }
            LayerOp::Linear(matrix) => {
                let linear = matrix.op(name);
                let shape = [matrix.outputs, matrix.inputs];
                self.weights.insert(format!("{name}.weight"), Array::new(shape, matrix.weight)?);
                self.weights.insert(format!("{name}.bias"), Array::new([matrix.outputs], matrix.bias)?);
                Op::Linear(linear)
            }
            LayerOp::Plain(op) => op,
            LayerOp::Image | LayerOp::Affine { .. } | LayerOp::Pad(_) => {
                unreachable!("the first layer is left out, and simplify makes convolutions of the others")
            }
        })
    }

    /// A convolution of the picture as the file has it, for R, G and B.
    fn for_rgb(&self, mut kernel: Kernel) -> trepang_api::Result<Kernel> {
        let cells = kernel.window[0] * kernel.window[1];
        if self.door.order.is_empty() {
            let shape = [kernel.outputs, 1, kernel.window[0], kernel.window[1]];
            let spread = gray::spread(&Array::new(shape, kernel.weight)?, &self.door.preprocess)?;
            return Ok(Kernel { weight: spread.data().to_vec(), inputs: 3, ..kernel });
        }
        if !self.is_rgb() {
            let mut turned = vec![0.0; kernel.weight.len()];
            for (at, &number) in kernel.weight.iter().enumerate() {
                let (output, channel, cell) = (at / (3 * cells), at / cells % 3, at % cells);
                turned[(output * 3 + self.door.order[channel]) * cells + cell] = number;
            }
            kernel.weight = turned;
        }
        Ok(kernel)
    }

    /// Adds a convolution that puts the channels of the picture into the file's order.
    fn reorder(&mut self) -> trepang_api::Result<()> {
        if self.reordered.is_some() {
            return Ok(());
        }
        let channels = self.door.order.len().max(1);
        let mut weight = vec![0.0; channels * channels];
        for channel in 0..channels {
            weight[channel * channels + channel] = 1.0;
        }
        let kernel = self.for_rgb(Kernel::pointwise(weight, 0.0, channels))?;
        let op = self.op(LayerOp::Conv(kernel), REORDERED)?;
        self.reordered = Some(self.builder.add(REORDERED, op, &[NetworkBuilder::FIRST]));
        Ok(())
    }
}
