//! Lists which tensors of a file each convolution and fully connected layer of a network reads, by dialect. The names
//! are logical: `block5_conv4/kernel` for Keras, whatever the file calls the tensor (`index` finds it), and the name in the
//! state dict for PyTorch. Reading and converting is in `convert`.

mod children;
mod clip;
mod convnext;
mod densenet;
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
    pub factors: Option<Factors>,
    /// The number of output channels.
    pub outputs: usize,
}

/// Factors of channels that are folded into a layer besides a batch norm.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Factors {
    /// Factors and offsets of so many inputs, such as those of the layer norm before.
    Inputs { scale: String, shift: String, inputs: usize },
    /// Factors of the outputs, `[outputs, 1, 1]`.
    Outputs { scale: String },
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
    /// A convolution of one cell that is stored as a fully connected layer: `[out, in]`.
    Pointwise,
    /// A factor for each channel by itself: `[out]`.
    PerChannel,
    /// No kernel but ones, `[out, 1, 1, 1]`: a batch norm that stands alone. Its gammas stand for the tensor.
    Ones,
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
        // A norm that stands alone names its gammas twice.
        let vectors = vectors.filter(|name| *name != self.kernel.name);
        let factors = match &self.factors {
            Some(Factors::Inputs { scale, shift, inputs }) => {
                vec![(&**scale, vec![*inputs]), (&**shift, vec![*inputs])]
            }
            Some(Factors::Outputs { scale }) => vec![(&**scale, vec![self.outputs, 1, 1])],
            None => Vec::new(),
        };
        std::iter::once((&*self.kernel.name, self.kernel.shape.clone()))
            .chain(vectors.map(|name| (name, vec![self.outputs])))
            .chain(factors)
    }
}

impl LayerTensors {
    /// The name of every tensor that the layer reads.
    fn names_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let norm = self.norm.iter_mut().flat_map(|norm| {
            let BatchNorm { gamma, beta, mean, variance, .. } = norm;
            gamma.iter_mut().chain([beta, mean, variance])
        });
        let factors = self.factors.iter_mut().flat_map(|factors| match factors {
            Factors::Inputs { scale, shift, .. } => vec![scale, shift],
            Factors::Outputs { scale } => vec![scale],
        });
        std::iter::once(&mut self.kernel.name).chain(&mut self.bias).chain(norm).chain(factors)
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
        Dialect::Torchvision if architecture == Architecture::Densenet121 => {
            entries(network, |_, weights, shape| densenet::entry(weights, shape))
        }
        Dialect::Torchvision if architecture == Architecture::ConvnextTiny => {
            entries(network, |_, weights, shape| convnext::entry(weights, shape))
        }
        Dialect::Torchvision | Dialect::Timm => {
            entries(network, |node, weights, shape| torch::entry(network, node, dialect, weights, shape))
        }
        Dialect::Clip => entries(network, |_, weights, shape| clip::entry(weights, shape)),
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
        factors: None,
    }
}

/// A convolution without a bias, `<name>.weight`, and the batch norm after it.
fn normed(layer: &str, name: &str, shape: &[usize], norm: BatchNorm) -> LayerTensors {
    LayerTensors { bias: None, norm: Some(norm), ..plain(layer, name, shape) }
}

pub(crate) use keras::convolution_order;

/// The name that a tensor of a PyTorch file has today, if an older version of torchvision named it otherwise.
pub(crate) fn present_name(name: &str) -> Option<String> {
    densenet::present_name(name)
}
