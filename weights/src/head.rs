//! Judges what a file has behind a network's last features: the network's own classes, a linear layer under any name with a
//! number of classes of its own, or another head, which is not computed.

use trepang_api::{Network, Op};

use crate::layout::{KernelOrder, LayerTensors};
use crate::prefix::place;
use crate::{TensorInfo, TensorSource};

/// The head of a network in a file: what is behind the last features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// The network's own classes.
    Own,
    /// A linear layer on the last features.
    Linear {
        /// The name of its kernel in the file.
        name: String,
        /// The number of its outputs.
        classes: usize,
    },
    /// Tensors that are no linear layer on the last features, by their names in the file. They are left out.
    Other(Vec<String>),
    /// The network's own classes with a fault, as a clause.
    Broken(String),
    /// A linear layer whose numbers the file's model uses in another way, as a clause.
    Unlike(String),
    /// No tensor: the file ends with the features.
    Missing,
}

impl Head {
    /// Whether classes can be computed.
    pub fn classifies(&self) -> bool {
        matches!(self, Self::Own | Self::Linear { .. })
    }
}

/// A kernel of a linear layer, with or without a bias, as positions in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinearAt {
    pub kernel: usize,
    pub bias: Option<usize>,
    pub classes: usize,
}

/// The tensors of the file that may be a head, and what the network's own head reads.
#[derive(Debug)]
pub(crate) struct HeadSearch<'a> {
    pub source: &'a dyn TensorSource,
    /// The network's own head.
    pub own: &'a LayerTensors,
    /// The positions at which the file has the own head's kernel and bias.
    pub named: (Option<usize>, Option<usize>),
    /// The positions of the tensors behind the features.
    pub rest: &'a [usize],
}

impl HeadSearch<'_> {
    /// Judges the head, and finds its tensors if it is a linear layer.
    pub(crate) fn judge(&self) -> (Head, Option<LinearAt>) {
        let classes = self.own.outputs;
        if let (Some(kernel), bias) = self.named
            && self.tensor(kernel).shape == self.own.kernel.shape
        {
            return match self.bias_fault(bias) {
                None => (Head::Own, Some(LinearAt { kernel, bias, classes })),
                Some(fault) => (Head::Broken(fault), None),
            };
        }
        match self.rest {
            [] => (Head::Missing, None),
            _ => match self.linear() {
                Some(at) => {
                    let name = self.tensor(at.kernel).name.clone();
                    (Head::Linear { name, classes: at.classes }, Some(at))
                }
                None => {
                    (Head::Other(self.rest.iter().map(|&at| self.tensor(at).name.clone()).collect()), None)
                }
            },
        }
    }

    fn tensor(&self, at: usize) -> &TensorInfo {
        &self.source.tensors()[at]
    }

    /// The fault of the own head's bias, if there is one.
    fn bias_fault(&self, bias: Option<usize>) -> Option<String> {
        let name = self.own.bias.as_deref()?;
        let (count, needed) = (self.source.tensors().len(), [self.own.outputs]);
        match bias {
            None => Some(format!("tensor \"{name}\" is missing among the file's {count}")),
            Some(at) => {
                let found = &self.tensor(at).shape;
                (*found != needed)
                    .then(|| format!("tensor \"{name}\" has shape {found:?} where {needed:?} is needed"))
            }
        }
    }

    /// The single linear layer on the features that all the rest is.
    pub(crate) fn linear(&self) -> Option<LinearAt> {
        let (kernel, bias) = match *self.rest {
            [kernel] => (kernel, None),
            [a, b] if self.tensor(a).shape.len() > 1 => (a, Some(b)),
            [a, b] => (b, Some(a)),
            _ => return None,
        };
        let classes = self.outputs_of(&self.tensor(kernel).shape)?;
        let fits = |at: usize| {
            self.tensor(at).shape == [classes] && stem(self.tensor(at)) == stem(self.tensor(kernel))
        };
        bias.is_none_or(fits).then_some(LinearAt { kernel, bias, classes })
    }

    /// The number of outputs of a kernel on the features.
    fn outputs_of(&self, shape: &[usize]) -> Option<usize> {
        let own = &self.own.kernel;
        let classes = match (own.order, shape, &*own.shape) {
            (KernelOrder::Native, &[outputs, inputs], &[_, features]) if inputs == features => outputs,
            // A convolution that gives the classes at each position, and a linear layer on the means instead.
            (KernelOrder::Native, &[outputs, inputs] | &[outputs, inputs, 1, 1], &[_, features, 1, 1])
                if inputs == features =>
            {
                outputs
            }
            (KernelOrder::InOut | KernelOrder::Flattened(_), &[inputs, outputs], &[features, _])
                if inputs == features =>
            {
                outputs
            }
            _ => return None,
        };
        (classes > 0).then_some(classes)
    }
}

/// The layer of a tensor: in HDF5 it is said, and otherwise it is the name without its last part.
fn stem(tensor: &TensorInfo) -> &str {
    match &tensor.layer {
        Some(_) => place(tensor),
        None => tensor.name.rsplit_once('.').map_or(&*tensor.name, |(stem, _)| stem),
    }
}

/// The name of the tensors of a network's class logits.
pub(crate) fn logits_layer(network: &Network) -> Option<&str> {
    let layer = network.class_layer()?;
    match &network.nodes()[layer.index()].op {
        Op::Linear(linear) => Some(&linear.weights),
        Op::Conv2d(conv) => Some(&conv.weights),
        _ => None,
    }
}
