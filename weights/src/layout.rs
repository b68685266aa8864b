//! Where each weighted operation of a network finds its numbers, under the names that whoever trained it gave
//! them. Names here are logical: `block5_conv4/kernel` for Keras, whatever its file calls the tensor (`index`
//! finds it), and the state dict's own for PyTorch. Not here: reading and converting (`convert`).

mod keras;
mod lite;
mod torch;

use trepang_api::{Conv2d, Linear, Network, Node, Op};

use crate::{Architecture, Dialect};

/// One convolution or fully connected layer, and its batch norm if that is to be folded in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    /// The network's tensors are `<layer>.weight` and `<layer>.bias`.
    pub layer: String,
    pub kernel: Kernel,
    pub bias: Option<String>,
    pub norm: Option<Norm>,
    /// How many channels out.
    pub outputs: usize,
}

/// A kernel in a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kernel {
    pub name: String,
    pub order: Order,
    pub shape: Vec<usize>,
}

/// How a kernel's numbers lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// As the network wants them: `[out, in, h, w]` or `[out, in]`.
    Native,
    /// A fully connected layer kept as a convolution over the whole activation: `[out, c, h, w]`.
    Unrolled,
    /// TensorFlow's convolutions: `[h, w, in, out]`.
    Hwio,
    /// TensorFlow's fully connected layers: `[in, out]`.
    InOut,
    /// The same on a flattened activation of these channels, height and width, which TensorFlow flattens with the
    /// channels last.
    Flattened([usize; 3]),
}

/// Batch norm: y = gamma (x - mean) / sqrt(variance + epsilon) + beta.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Norm {
    pub gamma: Option<String>,
    pub beta: String,
    pub mean: String,
    pub variance: String,
    pub epsilon: f64,
}

impl Norm {
    /// PyTorch's names under `prefix`.
    fn torch(prefix: &str, epsilon: f64) -> Self {
        Self {
            gamma: Some(format!("{prefix}.weight")),
            beta: format!("{prefix}.bias"),
            mean: format!("{prefix}.running_mean"),
            variance: format!("{prefix}.running_var"),
            epsilon,
        }
    }
}

impl Part {
    /// Every tensor it reads, with the shape it must have.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = (&str, Vec<usize>)> {
        let vectors = self.norm.iter().flat_map(|norm| {
            [norm.gamma.as_deref(), Some(&*norm.beta), Some(&*norm.mean), Some(&*norm.variance)]
        });
        let vectors = self.bias.as_deref().into_iter().chain(vectors.flatten());
        std::iter::once((&*self.kernel.name, self.kernel.shape.clone()))
            .chain(vectors.map(|name| (name, vec![self.outputs])))
    }
}

/// The parts of `network` in a file of Trepang's own: `<layer>.weight` and `<layer>.bias`.
pub(crate) fn canonical(network: &Network) -> Vec<Part> {
    parts(network, |_, weights, shape| plain(weights, weights, shape))
}

/// The parts of `network`, which is `architecture` as `dialect` has it, under the dialect's names.
pub(crate) fn native(network: &Network, architecture: Architecture, dialect: Dialect) -> Vec<Part> {
    match dialect {
        Dialect::Trepang => canonical(network),
        Dialect::Keras => parts(network, |_, weights, shape| keras::part(architecture, weights, shape)),
        Dialect::Torchvision | Dialect::Timm => {
            parts(network, |node, weights, shape| torch::part(network, node, dialect, weights, shape))
        }
        Dialect::Lite => {
            let blocks = lite::blocks(network);
            parts(network, |_, weights, shape| lite::part(&blocks, weights, shape))
        }
    }
}

/// A part for each weighted operation, made from its node, the name of its tensors in the network, and its kernel's
/// shape there.
fn parts(network: &Network, part: impl Fn(&Node, &str, &[usize]) -> Part) -> Vec<Part> {
    let one = |node: &Node| match &node.op {
        Op::Conv2d(Conv2d { weights, inputs, outputs, kernel: [h, w], groups, .. }) => {
            Some(part(node, weights, &[*outputs, inputs / groups, *h, *w]))
        }
        Op::Linear(Linear { weights, inputs, outputs }) => Some(part(node, weights, &[*outputs, *inputs])),
        _ => None,
    };
    network.nodes().iter().filter_map(one).collect()
}

/// `<name>.weight` and `<name>.bias`, as the network wants them.
fn plain(layer: &str, name: &str, shape: &[usize]) -> Part {
    Part {
        layer: layer.into(),
        outputs: shape[0],
        kernel: Kernel { name: format!("{name}.weight"), order: Order::Native, shape: shape.to_vec() },
        bias: Some(format!("{name}.bias")),
        norm: None,
    }
}

/// A convolution without a bias of its own, `<name>.weight`, and its batch norm.
fn normed(layer: &str, name: &str, shape: &[usize], norm: Norm) -> Part {
    Part { bias: None, norm: Some(norm), ..plain(layer, name, shape) }
}

pub(crate) use keras::convolution_order;
