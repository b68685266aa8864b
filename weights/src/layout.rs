//! Lists which tensors of a file each convolution and fully connected layer of a network reads, by dialect. The names
//! are logical: `block5_conv4/kernel` for Keras, whatever the file calls the tensor (`index` finds it), and the name in the
//! state dict for PyTorch. Reading and converting is in `convert`.

mod children;
mod keras;
mod lite;
mod tensorflow;
mod torch;

use trepang_api::{Conv2d, Linear, Network, Node, Op};

use crate::{Architecture, Dialect};

/// The tensors of a file that one convolution or fully connected layer is made from, with the batch norm that is folded
/// into it, if there is one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LayerTensors {
    /// The layer's name in the network, whose tensors are `<layer>.weight` and `<layer>.bias`.
    pub layer: String,
    pub kernel: KernelTensor,
    pub bias: Option<String>,
    pub norm: Option<BatchNorm>,
    /// The number of output channels.
    pub outputs: usize,
}

/// The kernel as a tensor of the file: its logical name, the order of its axes and its shape there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KernelTensor {
    pub name: String,
    pub order: KernelOrder,
    pub shape: Vec<usize>,
}

/// The order of a kernel's axes in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KernelOrder {
    /// The network's own order: `[out, in, h, w]` or `[out, in]`.
    Native,
    /// A fully connected layer that is stored as a convolution over the whole activation: `[out, c, h, w]`.
    Unrolled,
    /// TensorFlow's convolutions: `[h, w, in, out]`.
    Hwio,
    /// TensorFlow's fully connected layers: `[in, out]`.
    InOut,
    /// The same, for a layer after a flattened activation of these channels, height and width. TensorFlow flattens with the
    /// channels last.
    Flattened([usize; 3]),
}

/// The tensors of a batch norm, y = gamma (x - mean) / sqrt(variance + epsilon) + beta, by their names in the file. Without
/// `gamma`, its value is 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BatchNorm {
    pub gamma: Option<String>,
    pub beta: String,
    pub mean: String,
    pub variance: String,
    pub epsilon: f64,
}

impl BatchNorm {
    /// The names that PyTorch gives the tensors of the module `prefix`.
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

impl LayerTensors {
    /// Every tensor that the layer reads, by logical name, with the shape that it must have.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = (&str, Vec<usize>)> {
        let vectors = self.norm.iter().flat_map(|norm| {
            [norm.gamma.as_deref(), Some(&*norm.beta), Some(&*norm.mean), Some(&*norm.variance)]
        });
        let vectors = self.bias.as_deref().into_iter().chain(vectors.flatten());
        std::iter::once((&*self.kernel.name, self.kernel.shape.clone()))
            .chain(vectors.map(|name| (name, vec![self.outputs])))
    }
}

impl LayerTensors {
    /// The name of every tensor that the layer reads.
    fn names_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let norm = self.norm.iter_mut().flat_map(|norm| {
            let BatchNorm { gamma, beta, mean, variance, .. } = norm;
            gamma.iter_mut().chain([beta, mean, variance])
        });
        std::iter::once(&mut self.kernel.name).chain(&mut self.bias).chain(norm)
    }
}

/// The tensors of `network` in a file of Trepang's own store: `<layer>.weight` and `<layer>.bias`.
pub(crate) fn canonical(network: &Network) -> Vec<LayerTensors> {
    entries(network, |_, weights, shape| plain(weights, weights, shape))
}

/// The tensors of `network` under the names that `dialect` gives them in its files of `architecture`.
pub(crate) fn native(network: &Network, architecture: Architecture, dialect: Dialect) -> Vec<LayerTensors> {
    match dialect {
        Dialect::Trepang => canonical(network),
        Dialect::Keras => entries(network, |_, weights, shape| keras::entry(architecture, weights, shape)),
        Dialect::Torchvision | Dialect::Timm => {
            entries(network, |node, weights, shape| torch::entry(network, node, dialect, weights, shape))
        }
        Dialect::Tensorflow => entries(network, |_, weights, shape| tensorflow::entry(weights, shape)),
        Dialect::Lite => {
            let blocks = lite::blocks(network);
            entries(network, |_, weights, shape| lite::entry(&blocks, weights, shape))
        }
    }
}

/// The tensors of `network` in torchvision's version as a `Sequential` of its modules names them: by their positions.
pub(crate) fn numbered(network: &Network, architecture: Architecture) -> Vec<LayerTensors> {
    let mut entries = native(network, architecture, Dialect::Torchvision);
    entries
        .iter_mut()
        .flat_map(LayerTensors::names_mut)
        .for_each(|name| children::number(architecture, name));
    entries
}

/// Calls `entry` for each convolution and fully connected layer, with its node, the name of its tensors in the network, and
/// the shape of its kernel there.
fn entries(network: &Network, entry: impl Fn(&Node, &str, &[usize]) -> LayerTensors) -> Vec<LayerTensors> {
    let one = |node: &Node| match &node.op {
        Op::Conv2d(Conv2d { weights, inputs, outputs, kernel: [h, w], groups, .. }) => {
            Some(entry(node, weights, &[*outputs, inputs / groups, *h, *w]))
        }
        Op::Linear(Linear { weights, inputs, outputs }) => Some(entry(node, weights, &[*outputs, *inputs])),
        _ => None,
    };
    network.nodes().iter().filter_map(one).collect()
}

/// A layer whose file has `<name>.weight` and `<name>.bias` in the network's own order of axes.
fn plain(layer: &str, name: &str, shape: &[usize]) -> LayerTensors {
    LayerTensors {
        layer: layer.into(),
        outputs: shape[0],
        kernel: KernelTensor {
            name: format!("{name}.weight"),
            order: KernelOrder::Native,
            shape: shape.to_vec(),
        },
        bias: Some(format!("{name}.bias")),
        norm: None,
    }
}

/// A convolution without a bias, `<name>.weight`, and the batch norm after it.
fn normed(layer: &str, name: &str, shape: &[usize], norm: BatchNorm) -> LayerTensors {
    LayerTensors { bias: None, norm: Some(norm), ..plain(layer, name, shape) }
}

pub(crate) use keras::convolution_order;
