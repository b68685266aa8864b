//! From a graph to layers, node by node, with the height and width of the picture known: constants are computed, operations
//! become those of the backends, and a node that cannot be computed cuts off what depends on it and nothing else.

mod as_convolution;
mod curves;
mod dense;
mod door;
mod enlarge;
mod normal;
mod picks;
mod pointwise;
mod shapes;
mod windows;

use std::collections::HashMap;
use std::rc::Rc;

use trepang_api::{Op, Padding, Shape};

use super::evaluate::{evaluate, part_of_shape};
use super::graph::{Graph, describe};
use super::ir::{Layer, LayerOp, Layers};
use super::proto::NodeProto;
use super::tensor::{OnnxTensor, TensorNumbers};
use super::value::{Act, GraphValue, ImageMap, Mapped, dims};
use crate::readers::printable;

/// The numbers that all constants that are computed and still needed may have together.
const MAX_COMPUTED: usize = 1 << 27;

/// The numbers of all constants that are ever computed.
const MAX_COMPUTED_EVER: usize = 1 << 30;

/// The side of the picture that comes in, and of the batch that the file was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    /// Whether the picture comes in as bytes.
    pub is_bytes: bool,
}

/// The reason why a node was not lowered.
#[derive(Debug)]
pub(super) enum NotLowered {
    /// It cannot be computed; a clause behind the node's name.
    Cut(String),
    /// It reads what is behind a cut.
    Behind(usize),
    /// The whole file is of no use; a clause behind the node's name.
    Refuse(String),
}

impl From<String> for NotLowered {
    fn from(reason: String) -> Self {
        Self::Cut(reason)
    }
}

impl From<&str> for NotLowered {
    fn from(reason: &str) -> Self {
        Self::Cut(reason.into())
    }
}

/// A node that cannot be computed.
#[derive(Debug)]
pub(super) struct CutNode {
    /// The sentence without its full stop.
    pub reason: String,
    /// The number of nodes that depend on it, with itself.
    pub nodes: usize,
}

/// The graph as layers.
#[derive(Debug)]
pub(super) struct Lowering<'g> {
    pub graph: &'g Graph,
    pub frame: Frame,
    pub layers: Layers,
    pub cuts: Vec<CutNode>,
    /// The channels of the first layer, from those of the picture; none while nothing reads the picture.
    pub image: Option<Vec<Mapped>>,
    /// The value of each node's first output; none for a constant.
    pub made: Vec<Option<GraphValue>>,
    /// Whether paddings depend on the size of the picture.
    pub is_sized: bool,
    /// Whether the user says what the first layer sees, so that a part of the preprocessing may be missing.
    input_given: bool,
    /// Whether the preprocessing in the graph was dropped for that.
    pub is_reset: bool,
    values: HashMap<&'g str, GraphValue>,
    /// The number of times that each value will still be read.
    unread: HashMap<&'g str, usize>,
    /// The numbers of the computed constants that are there, and of all that ever were.
    computed: [usize; 2],
}

impl<'g> Lowering<'g> {
    /// Lowers a graph. Fails, with a clause, for a file that is of no use as it is.
    pub(super) fn of(graph: &'g Graph, input_given: bool) -> Result<Self, String> {
        let (frame, values) = door::open(graph)?;
        let mut lowering = Self {
            graph,
            frame,
            layers: Layers::default(),
            cuts: Vec::new(),
            image: None,
            made: Vec::with_capacity(graph.nodes.len()),
            is_sized: false,
            input_given,
            is_reset: false,
            values,
            unread: HashMap::new(),
            computed: [0, 0],
        };
        let read = graph.nodes.iter().flat_map(|node| &node.input).chain(&graph.outputs);
        read.for_each(|name| *lowering.unread.entry(name).or_default() += 1);
        for (at, node) in graph.nodes.iter().enumerate() {
            lowering.take(at, node)?;
            node.input.iter().for_each(|name| lowering.forget(name));
        }
        Ok(lowering)
    }

    /// The value of the graph called `name`.
    pub(super) fn known(&self, name: &str) -> Option<&GraphValue> {
        self.values.get(name)
    }

    /// Whether the layer at `at`, which a node made, is a step to that node's output, and no output itself.
    pub(super) fn is_step(&self, node: usize, at: usize) -> bool {
        let Some(Some(GraphValue::Act(act))) = self.made.get(node) else { return false };
        let output = &self.layers.0[self.layers.now(act.at)];
        output.origin == Some(node) && output.inputs.contains(&at)
    }

    /// Lowers the node at `at` and notes its values.
    fn take(&mut self, at: usize, node: &'g NodeProto) -> Result<(), String> {
        let made = match self.node(at, node) {
            Ok(made) => made,
            Err(NotLowered::Refuse(reason)) => return Err(format!("{} {reason}", describe(node))),
            Err(stop) => {
                let cut = match stop {
                    NotLowered::Behind(cut) => cut,
                    NotLowered::Cut(reason) | NotLowered::Refuse(reason) => {
                        let reason = format!("{} {reason}", describe(node));
                        self.cuts.push(CutNode { reason, nodes: 0 });
                        self.cuts.len() - 1
                    }
                };
                self.cuts[cut].nodes += 1;
                vec![GraphValue::Cut(cut); node.output.len()]
            }
        };
        self.made.push(made.first().filter(|value| !matches!(value, GraphValue::Const(_))).cloned());
        for (name, value) in node.output.iter().zip(made) {
            self.values.insert(name, value);
        }
        Ok(())
    }

    /// Notes that a value was read, and drops a computed constant that nobody will read again.
    fn forget(&mut self, name: &'g str) {
        let Some(unread) = self.unread.get_mut(name) else { return };
        *unread = unread.saturating_sub(1);
        if *unread == 0
            && let Some(GraphValue::Const(tensor)) = self.values.get(name)
        {
            self.computed[0] = self.computed[0].saturating_sub(tensor.len());
            self.values.remove(name);
        }
    }

    /// The values of a node's outputs.
    fn node(&mut self, at: usize, node: &NodeProto) -> Result<Vec<GraphValue>, NotLowered> {
        self.graph.check_own(node)?;
        let mut inputs = Vec::with_capacity(node.input.len());
        for name in &node.input {
            inputs.push(if name.is_empty() { None } else { Some(self.value(name)?) });
        }
        if let Some(cut) = inputs.iter().flatten().find_map(|value| match value {
            GraphValue::Cut(cut) => Some(*cut),
            GraphValue::Const(_) | GraphValue::Image(_) | GraphValue::Act(_) | GraphValue::Unfilled(_) => {
                None
            }
        }) {
            return Err(NotLowered::Behind(cut));
        }
        if inputs.iter().flatten().all(|value| matches!(value, GraphValue::Const(_))) {
            return self.constant(node, &inputs);
        }
        if let ("Shape", Some(Some(value))) = (&*node.op_type, inputs.first()) {
            let shape: Vec<i64> = self.dims(value).into_iter().map(|side| side as i64).collect();
            return Ok(vec![GraphValue::Const(Rc::new(part_of_shape(node, &shape)?))]);
        }
        let node = Reading { at, node, inputs: &inputs };
        match node.op() {
            "Conv" | "MaxPool" | "AveragePool" | "GlobalAveragePool" | "ReduceMean" | "Pad" => {
                self.window(&node)
            }
            "Relu" | "Clip" | "Add" | "Sum" | "Sub" | "Mul" | "Div" | "Neg" | "BatchNormalization" => {
                self.pointwise(&node)
            }
            "Gemm" | "MatMul" | "Softmax" => self.dense(&node),
            "LRN" | "LayerNormalization" | "GroupNormalization" | "InstanceNormalization" => {
                self.normal(&node)
            }
            "Resize" | "Upsample" => self.enlarge(&node),
            "Gather" | "GatherND" | "Slice" | "Split" => self.pick(&node),
            _ => match curves::curve(node.node)? {
                Some(curve) => self.plain(&node, Op::Unary(curve)),
                None => self.shaping(&node),
            },
        }
    }

    fn value(&self, name: &str) -> Result<GraphValue, NotLowered> {
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        match self.graph.constant(name)? {
            Some(tensor) => Ok(GraphValue::Const(tensor)),
            None => Err(format!("reads \"{}\", which no node computes", printable(name)).into()),
        }
    }

    fn constant(
        &mut self,
        node: &NodeProto,
        inputs: &[Option<GraphValue>],
    ) -> Result<Vec<GraphValue>, NotLowered> {
        let tensor = |value: &Option<GraphValue>| match value {
            Some(GraphValue::Const(tensor)) => Some(Rc::clone(tensor)),
            Some(
                GraphValue::Image(_) | GraphValue::Act(_) | GraphValue::Unfilled(_) | GraphValue::Cut(_),
            )
            | None => None,
        };
        let tensors: Vec<Option<Rc<OnnxTensor>>> = inputs.iter().map(tensor).collect();
        let tensors: Vec<Option<&OnnxTensor>> = tensors.iter().map(Option::as_deref).collect();
        let computed = evaluate(self.graph, node, &tensors)?;
        self.computed = self.computed.map(|all| all.saturating_add(computed.len()));
        if self.computed[0] > MAX_COMPUTED || self.computed[1] > MAX_COMPUTED_EVER {
            return Err("computes more constants than a network has".into());
        }
        Ok(vec![GraphValue::Const(Rc::new(computed))])
    }

    /// The sides of a value, as the file sees them.
    fn dims(&self, value: &GraphValue) -> Vec<usize> {
        match value {
            GraphValue::Const(tensor) => tensor.shape.clone(),
            GraphValue::Image(map) => dims(&map.axes, self.image_shape(map), self.frame.batch),
            GraphValue::Act(act) => {
                let (Shape { channels, height, width }, around) = (self.layers.shape(act.at), act.lowest);
                let (height, width) =
                    (height + around.top + around.bottom, width + around.left + around.right);
                dims(&act.axes, Shape { channels, height, width }, self.frame.batch)
            }
            GraphValue::Unfilled(_) | GraphValue::Cut(_) => Vec::new(),
        }
    }

    fn image_shape(&self, map: &ImageMap) -> Shape {
        let Frame { height, width, .. } = self.frame;
        Shape { channels: map.channels.len(), height, width }
    }

    /// A value as the output of a layer: the picture becomes the first layer's.
    fn act(&mut self, value: &GraphValue) -> Result<Act, NotLowered> {
        match value {
            GraphValue::Act(act) if act.lowest != Padding::default() => {
                Err("reads what was padded with the lowest of numbers, and is no maximum".into())
            }
            GraphValue::Act(act) => Ok(act.clone()),
            GraphValue::Image(map) => self.first_layer(map),
            GraphValue::Const(_) => Err("computes with a constant where an activation is needed".into()),
            GraphValue::Unfilled(name) => Err(unfilled(name)),
            GraphValue::Cut(cut) => Err(NotLowered::Behind(*cut)),
        }
    }

    /// The picture as the output of the first layer, or of a layer behind it where it is read in another way.
    fn first_layer(&mut self, map: &ImageMap) -> Result<Act, NotLowered> {
        let Some(first) = &self.image else {
            self.image = Some(map.channels.clone());
            let shape = self.image_shape(map);
            let op = LayerOp::Image;
            self.layers.0.push(Layer { op, inputs: Vec::new(), shape, origin: None, merged_into: None });
            return Ok(Act::with(0, map.axes.clone()));
        };
        if *first == map.channels {
            return Ok(Act::with(0, map.axes.clone()));
        }
        let is_same = first.len() == map.channels.len()
            && first.iter().zip(&map.channels).all(|(a, b)| a.source == b.source && a.scale != 0.0);
        if !is_same {
            return Err("reads other channels of the picture than the first layer".into());
        }
        let ratio = |(a, b): (&Mapped, &Mapped)| b.scale / a.scale;
        let pairs = || first.iter().zip(&map.channels);
        let scale = pairs().map(|pair| ratio(pair) as f32).collect();
        let shift = pairs().map(|(a, b)| (b.shift - ratio((a, b)) * a.shift) as f32).collect();
        let at = self.layers.add(LayerOp::Affine { scale, shift }, &[0], None)?;
        Ok(Act::with(at, map.axes.clone()))
    }
}

/// The reason why a node with an input without numbers is not computed.
fn unfilled(name: &str) -> NotLowered {
    format!("reads the input \"{}\", which has no value", printable(name)).into()
}

/// A node that is being lowered, with its inputs, of which those left out are none.
#[derive(Debug, Clone, Copy)]
struct Reading<'a> {
    at: usize,
    node: &'a NodeProto,
    inputs: &'a [Option<GraphValue>],
}

impl Reading<'_> {
    fn op(&self) -> &str {
        &self.node.op_type
    }

    fn input(&self, at: usize) -> Result<&GraphValue, NotLowered> {
        let input = self.inputs.get(at).and_then(Option::as_ref);
        input.ok_or_else(|| NotLowered::Cut(format!("lacks its input {at}")))
    }

    /// The constant at an input; none if the input is left out. Fails if it is computed from the picture.
    fn constant(&self, at: usize) -> Result<Option<Rc<OnnxTensor>>, NotLowered> {
        match self.inputs.get(at).and_then(Option::as_ref) {
            None => Ok(None),
            Some(GraphValue::Const(tensor)) => Ok(Some(Rc::clone(tensor))),
            Some(GraphValue::Unfilled(name)) => Err(unfilled(name)),
            Some(GraphValue::Image(_) | GraphValue::Act(_) | GraphValue::Cut(_)) => {
                Err("computes with two activations where one must be a constant".into())
            }
        }
    }

    /// The constant at an input, which is multiplied or added. Fails for a file of which one is no number.
    fn weights(&self, at: usize) -> Result<Option<Rc<OnnxTensor>>, NotLowered> {
        let constant = self.constant(at)?;
        if let Some(TensorNumbers::Floats(numbers)) = constant.as_ref().map(|tensor| &tensor.numbers)
            && let Some(index) = numbers.iter().position(|number| !number.is_finite())
        {
            let name = printable(self.node.input_named(at).unwrap_or_default());
            let number = numbers[index];
            return Err(NotLowered::Refuse(format!("reads \"{name}\", whose number {index} is {number}")));
        }
        Ok(constant)
    }

    /// The integers of an attribute, or of the constant at an input, where newer versions of the operation have them.
    fn ints(&self, attribute: &str, at: usize) -> Result<Option<Vec<i64>>, NotLowered> {
        if let Some(ints) = self.node.ints(attribute) {
            return Ok(Some(ints.to_vec()));
        }
        let constant = self.constant(at)?;
        Ok(constant.and_then(|tensor| tensor.as_ints().map(<[i64]>::to_vec)))
    }
}
