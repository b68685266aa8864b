//! A CNN as data: named nodes in an order in which each comes after its inputs. Not a graph library and not
//! a model: nothing here holds a weight or runs.

mod frontier;
mod layer_names;
mod variants;

use std::collections::HashSet;

use crate::{Conv2d, Error, Linear, Op, Padding, Preprocess, Result, Shape};

/// The largest side of an image, in pixels: beyond it a single activation no longer fits most memories.
const LARGEST: usize = 4096;

/// A node's place in its network; only meaningful there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerId(usize);

impl LayerId {
    /// The position in [`Network::nodes`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// A named operation and what it reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Unique in the network. A ReLU has the layer's name and the convolution before it `<name>:pre`.
    pub name: String,
    /// The operation of the node.
    pub op: Op,
    /// The inputs of the node; empty for the first node, which reads the images.
    pub inputs: Vec<LayerId>,
}

/// The sides of images that a network takes: `min`, `min + multiple` and so on, in both directions. Every network takes squares
/// of `native`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputSize {
    /// The side of the squares that it was trained at, in pixels.
    pub native: usize,
    /// The smallest that still reaches the deepest layer.
    pub min: usize,
    /// The distance of two sides: the product of the strides that must come out even.
    pub multiple: usize,
}

impl InputSize {
    /// Checks a side. Fails with the sides there are, as a clause.
    pub fn check(self, size: usize) -> Result<(), String> {
        let Self { min, multiple, .. } = self;
        if (min..=LARGEST).contains(&size) && (size - min).is_multiple_of(multiple) {
            return Ok(());
        }
        Err(match multiple {
            1 => format!("take a size from {min} to {LARGEST}"),
            _ if !min.is_multiple_of(multiple) => {
                format!("take {min} or a multiple of {multiple} more, up to {LARGEST}")
            }
            _ => format!("take a multiple of {multiple} from {min} to {LARGEST}"),
        })
    }
}

/// A CNN: its name, the sizes it takes, its nodes. Built by [`NetworkBuilder`], well formed by construction.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    name: String,
    input: InputSize,
    nodes: Vec<Node>,
    /// Other names of layers, and the names they stand for.
    aliases: Vec<(String, String)>,
    /// Whether the network was trained on gray pictures.
    gray: bool,
    /// The layer of the class logits, where it is not known by its place.
    logits: Option<LayerId>,
    /// Names of layers that the network has lost, each with the reason as a clause.
    lost: Vec<(String, String)>,
}

impl Network {
    /// The name it is asked for by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The image sizes it takes.
    pub fn input(&self) -> InputSize {
        self.input
    }

    /// Every node, inputs before outputs; the first is the preprocessing.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The map from RGB in 0..1 to the network's own input space.
    pub fn preprocess(&self) -> &Preprocess {
        let Op::Preprocess(preprocess) = &self.nodes[0].op else {
            unreachable!("NetworkBuilder::new put it there")
        };
        preprocess
    }

    /// Whether the network was trained on gray pictures. It takes RGB all the same and sees the mean of R, G and B, by its
    /// weights; pictures for it have R = G = B.
    pub fn is_gray(&self) -> bool {
        self.gray
    }

    /// The same network, trained on gray pictures.
    #[must_use]
    pub fn for_gray_pictures(mut self) -> Self {
        self.gray = true;
        self
    }

    /// Every layer that can be a target, in order: all nodes but the preprocessing.
    pub fn layers(&self) -> impl Iterator<Item = LayerId> {
        (1..self.nodes.len()).map(LayerId)
    }

    /// The node of a layer, or an error for an id that came from another network.
    pub fn node(&self, id: LayerId) -> Result<&Node> {
        self.nodes.get(id.0).ok_or_else(|| Error::UnknownLayer {
            network: self.name.clone(),
            layer: format!("#{}", id.0),
            nearest: Vec::new(),
        })
    }

    /// The layer of the class logits, if the network has a classifier: the one that [`NetworkBuilder::logits`] named, or else
    /// the last one, if that is fully connected, or else a fully connected one that only a softmax follows.
    pub fn logits(&self) -> Option<LayerId> {
        if self.logits.is_some() {
            return self.logits;
        }
        let last = self.nodes.iter().rposition(|node| node.op != Op::Softmax)?;
        matches!(self.nodes[last].op, Op::Linear(_)).then_some(LayerId(last))
    }

    /// The layer before this one's ReLU (`block5_conv4:pre` for `block5_conv4`), if it has one.
    pub fn pre(&self, id: LayerId) -> Option<LayerId> {
        let pre = format!("{}:pre", self.nodes.get(id.0)?.name);
        self.nodes.iter().position(|node| node.name == pre).map(LayerId)
    }

    /// The number of learnt parameters of the network.
    pub fn parameters(&self) -> usize {
        self.tensors().map(|(_, shape)| shape.iter().product::<usize>()).sum()
    }

    /// Every tensor the network needs, with its shape.
    pub fn tensors(&self) -> impl Iterator<Item = (String, Vec<usize>)> + '_ {
        self.nodes.iter().flat_map(|node| node.op.tensors())
    }

    /// The shapes of the first `deepest + 1` nodes for images of `height` x `width`; fails where one does
    /// not fit, before anything runs.
    pub fn shapes(&self, height: usize, width: usize, deepest: LayerId) -> Result<Vec<Shape>> {
        self.node(deepest)?;
        let image = Shape { channels: 3, height, width };
        let mut shapes: Vec<Shape> = Vec::with_capacity(deepest.0 + 1);
        for node in &self.nodes[..=deepest.0] {
            let mut inputs: Vec<Shape> = node.inputs.iter().map(|input| shapes[input.0]).collect();
            if inputs.is_empty() {
                inputs.push(image);
            }
            let shape = node.op.output_shape(&inputs).and_then(|shape| {
                if shape.is_empty() { Err("nothing would be left".into()) } else { Ok(shape) }
            });
            shapes.push(shape.map_err(|reason| Error::ImageSize {
                network: self.name.clone(),
                height,
                width,
                reason: self.misfit(node, [height, width], &reason),
            })?);
        }
        Ok(shapes)
    }

    /// The reason why a node does not fit an image size, as a clause.
    fn misfit(&self, node: &Node, size: [usize; 2], reason: &str) -> String {
        let (name, native) = (&node.name, self.input.native);
        if matches!(node.op, Op::Linear(_)) && size != [native; 2] {
            return format!(
                "\"{name}\" reads every position of what is before it, so it takes {native}x{native} pixels alone; the layers \
                 before it take other sizes"
            );
        }
        format!("at \"{name}\", {reason}")
    }

    /// The shape of one layer at an image size.
    pub fn shape(&self, height: usize, width: usize, layer: LayerId) -> Result<Shape> {
        let shapes = self.shapes(height, width, layer)?;
        Ok(shapes[layer.0])
    }

    /// Fails, saying which sizes are right, for a square image size that the network was not made for.
    pub fn check_size(&self, size: usize) -> Result<()> {
        self.check_sides(size, size)
    }

    /// The same for an image of any shape.
    pub fn check_sides(&self, height: usize, width: usize) -> Result<()> {
        let checked = [height, width].into_iter().try_for_each(|side| self.input.check(side));
        checked.map_err(|reason| Error::ImageSize { network: self.name.clone(), height, width, reason })
    }
}

/// Builds a [`Network`] node by node; names and inputs are checked once, by [`finish`](Self::finish).
#[derive(Debug)]
pub struct NetworkBuilder(Network);

impl NetworkBuilder {
    /// Starts with the preprocessing, under the name `input`.
    pub fn new(name: &str, input: InputSize, preprocess: Preprocess) -> Self {
        let first = Node { name: "input".into(), op: Op::Preprocess(preprocess), inputs: Vec::new() };
        Self(Network {
            name: name.into(),
            input,
            nodes: vec![first],
            aliases: Vec::new(),
            gray: false,
            logits: None,
            lost: Vec::new(),
        })
    }

    /// The first node of any network: its own input space.
    pub const FIRST: LayerId = LayerId(0);

    /// The first node, to build on.
    pub fn input(&self) -> LayerId {
        Self::FIRST
    }

    /// Appends a node and returns its id.
    pub fn add(&mut self, name: impl Into<String>, op: Op, inputs: &[LayerId]) -> LayerId {
        self.0.nodes.push(Node { name: name.into(), op, inputs: inputs.to_vec() });
        LayerId(self.0.nodes.len() - 1)
    }

    /// `<name>:pre`, a square convolution that keeps the size, with weights under `name`, and `<name>`, its ReLU.
    pub fn conv_relu(&mut self, name: &str, channels: [usize; 2], kernel: usize, from: LayerId) -> LayerId {
        let [inputs, outputs] = channels;
        let conv = Conv2d {
            weights: name.into(),
            inputs,
            outputs,
            kernel: [kernel; 2],
            stride: [1, 1],
            padding: Padding::all(kernel / 2),
            groups: 1,
        };
        self.conv2d_relu(name, conv, from)
    }

    /// `<name>:pre`, any convolution, and `<name>`, its ReLU.
    pub fn conv2d_relu(&mut self, name: &str, conv: Conv2d, from: LayerId) -> LayerId {
        let pre = self.add(format!("{name}:pre"), Op::Conv2d(conv), &[from]);
        self.add(name, Op::Relu, &[pre])
    }

    /// `<name>:pre`, a fully connected layer with weights under `name`, and `<name>`, its ReLU.
    pub fn linear_relu(&mut self, name: &str, inputs: usize, outputs: usize, from: LayerId) -> LayerId {
        let linear = Linear { weights: name.into(), inputs, outputs };
        let pre = self.add(format!("{name}:pre"), Op::Linear(linear), &[from]);
        self.add(name, Op::Relu, &[pre])
    }

    /// Another name for a layer, which need not be there yet.
    pub fn alias(&mut self, alias: impl Into<String>, layer: impl Into<String>) {
        self.0.aliases.push((alias.into(), layer.into()));
    }

    /// The layer of the class logits, where it is no fully connected one at the end.
    pub fn logits(&mut self, layer: LayerId) {
        self.0.logits = Some(layer);
    }

    /// A layer that somebody may ask for and that is not there. `reason` is a clause behind the layer's name: `is not
    /// available: ...`.
    pub fn lose(&mut self, name: impl Into<String>, reason: impl Into<String>) {
        self.0.lost.push((name.into(), reason.into()));
    }

    /// A fully connected layer under its weights' name.
    pub fn linear(&mut self, name: &str, inputs: usize, outputs: usize, from: LayerId) -> LayerId {
        self.add(name, Op::Linear(Linear { weights: name.into(), inputs, outputs }), &[from])
    }

    /// The network, or what is wrong with it.
    pub fn finish(self) -> Result<Network> {
        match self.fault() {
            None => Ok(self.0),
            Some(reason) => Err(Error::InvalidNetwork { network: self.0.name, reason }),
        }
    }

    fn fault(&self) -> Option<String> {
        let mut seen = HashSet::new();
        for (index, node) in self.0.nodes.iter().enumerate() {
            let name = &node.name;
            let (least, most) = node.op.arity();
            if !seen.insert(name) {
                return Some(format!("two nodes are called \"{name}\""));
            }
            if index > 0 && matches!(node.op, Op::Preprocess(_)) {
                return Some(format!("\"{name}\": only the first node preprocesses"));
            }
            if !(least..=most).contains(&node.inputs.len()) {
                return Some(format!("\"{name}\" ({}) has {} inputs", node.op.kind(), node.inputs.len()));
            }
            if let Some(later) = node.inputs.iter().find(|input| input.0 >= index) {
                return Some(format!("\"{name}\" reads node {}, which does not come before it", later.0));
            }
        }
        let own: HashSet<&str> = seen.into_iter().map(String::as_str).collect();
        let mut names = own.clone();
        for (alias, layer) in &self.0.aliases {
            if !own.contains(&**layer) {
                return Some(format!("\"{alias}\" stands for \"{layer}\", which is not there"));
            }
            if !names.insert(alias) {
                return Some(format!("\"{alias}\" is the name of two layers"));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pool;

    pub(super) fn builder() -> NetworkBuilder {
        let size = InputSize { native: 8, min: 4, multiple: 4 };
        NetworkBuilder::new("tiny", size, Preprocess::minus_one_to_one())
    }

    #[test]
    fn a_node_may_only_read_what_comes_before_it() {
        let mut b = builder();
        b.add("loop", Op::Relu, &[LayerId(1)]);
        let error = b.finish().unwrap_err().to_string();
        assert_eq!(
            error,
            "network tiny is not well formed: \"loop\" reads node 1, which does not come before it"
        );
    }

    #[test]
    fn names_are_unique() {
        let mut b = builder();
        let from = b.input();
        b.add("a", Op::Relu, &[from]);
        b.add("a", Op::Relu, &[from]);
        assert!(b.finish().unwrap_err().to_string().contains("two nodes are called \"a\""));
    }

    #[test]
    fn the_logits_are_what_a_fully_connected_last_layer_gives() {
        let network = |after: &[Op], relu: bool| {
            let mut b = builder();
            let mean = b.add("mean", Op::GlobalAverage, &[b.input()]);
            let mut at = if relu { b.linear_relu("fc", 3, 5, mean) } else { b.linear("fc", 3, 5, mean) };
            for op in after {
                at = b.add(op.kind(), op.clone(), &[at]);
            }
            b.finish().unwrap()
        };
        let name = |network: &Network| network.logits().map(|id| network.node(id).unwrap().name.clone());
        assert_eq!(name(&network(&[], false)), Some("fc".into()));
        assert_eq!(name(&network(&[Op::Softmax], false)), Some("fc".into()));
        assert_eq!(name(&network(&[], true)), None, "features behind a ReLU are no logits");
        assert_eq!(name(&builder().finish().unwrap()), None);
    }

    #[test]
    fn a_window_that_does_not_fit_is_found_before_anything_runs() {
        let mut b = builder();
        let from = b.input();
        let pool = Pool { kernel: [2, 2], stride: [2, 2], padding: Padding::default() };
        let last = b.add("pool", Op::MaxPool(pool), &[from]);
        let network = b.finish().unwrap();
        assert_eq!(network.shape(7, 5, last).unwrap(), Shape { channels: 3, height: 3, width: 2 });
        let error = network.shape(1, 5, last).unwrap_err().to_string();
        assert!(error.starts_with("tiny cannot take 5x1 pixels: at \"pool\""), "{error}");
    }

    #[test]
    fn a_layer_of_one_size_says_which_and_both_sides_are_checked() {
        let mut b = builder();
        let from = b.input();
        let flat = b.add("flat", Op::Flatten, &[from]);
        let last = b.linear("fc", 3 * 8 * 8, 2, flat);
        let network = b.finish().unwrap();
        assert_eq!(network.shape(8, 8, last).unwrap().channels, 2);
        let error = network.shape(8, 12, last).unwrap_err().to_string();
        assert_eq!(
            error,
            "tiny cannot take 12x8 pixels: \"fc\" reads every position of what is before it, so it takes 8x8 pixels alone; \
             the layers before it take other sizes"
        );
        assert!(network.check_sides(8, 12).is_ok() && network.check_size(12).is_ok());
        for [height, width] in [[8, 10], [10, 8]] {
            let error = network.check_sides(height, width).unwrap_err().to_string();
            assert!(error.contains(&format!("{width}x{height} pixels: take a multiple of 4")), "{error}");
        }
    }
}
