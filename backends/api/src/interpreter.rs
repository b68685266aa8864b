//! The walk over a network, forwards and back, written once for every backend. Not the arithmetic: that is
//! each backend's [`Kernels`].

use std::fmt::Debug;

use crate::{Array, Cotangents, Error, LayerId, Model, Network, Node, Result};

/// The operations of a framework on its own tensors: all that a new backend has to write.
///
/// Shapes have been checked when these are called: every tensor is `[N, C, H, W]` and fits the operation.
pub trait Kernels: Debug + Send {
    /// A tensor on the device. Cloning must be cheap: a handle, not a copy.
    type Tensor: Clone;

    /// Host to device.
    fn upload(&self, array: &Array) -> Result<Self::Tensor>;

    /// Device to host.
    fn download(&self, tensor: &Self::Tensor) -> Result<Array>;

    /// The node's output. `inputs` are its inputs' outputs, or the images for the preprocessing.
    fn forward(&self, node: &Node, inputs: &[&Self::Tensor]) -> Result<Self::Tensor>;

    /// The pull-back of the node: dL/d(input) for each input, from `dy` = dL/d(output).
    fn backward(
        &self,
        node: &Node,
        inputs: &[&Self::Tensor],
        output: &Self::Tensor,
        dy: &Self::Tensor,
    ) -> Result<Vec<Self::Tensor>>;

    /// `a + b`, where two paths of the gradient meet.
    fn add(&self, a: &Self::Tensor, b: &Self::Tensor) -> Result<Self::Tensor>;
}

/// A [`Model`] made of a network and a framework's kernels.
#[derive(Debug)]
pub struct Interpreter<K> {
    network: Network,
    kernels: K,
}

/// Outputs by node; `None` where no asked-for layer depends on the node.
type Tape<T> = Vec<Option<T>>;

impl<K: Kernels> Interpreter<K> {
    /// The caller has checked the weights inside `kernels` against `network`.
    pub fn new(network: Network, kernels: K) -> Self {
        Self { network, kernels }
    }

    fn run(&self, images: &Array, at: &[LayerId]) -> Result<(K::Tensor, Tape<K::Tensor>)> {
        let (n, shape) = images.dims4()?;
        if n == 0 || shape.channels != 3 {
            return Err(Error::ShapeMismatch {
                what: "the images".into(),
                expected: vec![n.max(1), 3, shape.height, shape.width],
                found: images.shape().to_vec(),
            });
        }
        let needed = self.needed(at)?;
        if let Some(deepest) = at.iter().max() {
            self.network.shapes(shape.height, shape.width, *deepest)?;
        }
        let images = self.kernels.upload(images)?;
        let mut tape: Tape<K::Tensor> = Vec::with_capacity(needed.len());
        for (node, needed) in self.network.nodes().iter().zip(&needed) {
            let output = match needed {
                true => Some(self.kernels.forward(node, &inputs(node, &images, &tape))?),
                false => None,
            };
            tape.push(output);
        }
        Ok((images, tape))
    }

    /// For each node up to the deepest asked for: does an asked-for layer depend on it?
    fn needed(&self, at: &[LayerId]) -> Result<Vec<bool>> {
        for id in at {
            self.network.node(*id)?;
        }
        let mut needed = vec![false; at.iter().max().map_or(0, |deepest| deepest.index() + 1)];
        for id in at {
            needed[id.index()] = true;
        }
        for index in (0..needed.len()).rev().filter(|&index| index > 0) {
            if needed[index] {
                for input in &self.network.nodes()[index].inputs {
                    needed[input.index()] = true;
                }
            }
        }
        Ok(needed)
    }

    fn read(&self, tape: &Tape<K::Tensor>, at: &[LayerId]) -> Result<Vec<Array>> {
        at.iter().filter_map(|id| tape[id.index()].as_ref()).map(|t| self.kernels.download(t)).collect()
    }

    /// Uploads the caller's cotangents, adding those that fall on the same layer.
    fn seed(&self, activations: &[Array], at: &[LayerId], cotangents: &[Array]) -> Result<Tape<K::Tensor>> {
        let mut grads: Tape<K::Tensor> = vec![None; at.iter().max().map_or(0, |id| id.index() + 1)];
        if cotangents.len() != at.len() {
            return Err(Error::ShapeMismatch {
                what: "cotangents, one a layer".into(),
                expected: vec![at.len()],
                found: vec![cotangents.len()],
            });
        }
        for ((id, activation), cotangent) in at.iter().zip(activations).zip(cotangents) {
            if activation.shape() != cotangent.shape() {
                return Err(Error::ShapeMismatch {
                    what: format!("the cotangent of \"{}\"", self.network.node(*id)?.name),
                    expected: activation.shape().to_vec(),
                    found: cotangent.shape().to_vec(),
                });
            }
            self.accumulate(&mut grads[id.index()], self.kernels.upload(cotangent)?)?;
        }
        Ok(grads)
    }

    fn accumulate(&self, slot: &mut Option<K::Tensor>, grad: K::Tensor) -> Result<()> {
        *slot = Some(match slot.take() {
            Some(sum) => self.kernels.add(&sum, &grad)?,
            None => grad,
        });
        Ok(())
    }
}

impl<K: Kernels> Model for Interpreter<K> {
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> Result<Vec<Array>> {
        let (_, tape) = self.run(images, at)?;
        self.read(&tape, at)
    }

    fn pull_back(&mut self, images: &Array, at: &[LayerId], cotangents: &mut Cotangents) -> Result<Array> {
        let (uploaded, mut tape) = self.run(images, at)?;
        let activations = self.read(&tape, at)?;
        let cotangents = cotangents(&activations)?;
        let mut grads = self.seed(&activations, at, &cotangents)?;
        let mut gradient = None;
        for index in (0..grads.len()).rev() {
            // An output is taken off the tape once its own pull-back is done: nothing reads it again.
            let (Some(dy), Some(output)) = (grads[index].take(), tape[index].take()) else { continue };
            let node = &self.network.nodes()[index];
            let dxs = self.kernels.backward(node, &inputs(node, &uploaded, &tape), &output, &dy)?;
            if node.inputs.is_empty() {
                gradient = dxs.into_iter().next();
                continue;
            }
            for (input, dx) in node.inputs.iter().zip(dxs) {
                self.accumulate(&mut grads[input.index()], dx)?;
            }
        }
        match gradient {
            Some(gradient) => self.kernels.download(&gradient),
            None => Ok(Array::zeros(images.shape())),
        }
    }
}

/// What a node reads: its inputs' outputs, or the images for the first one.
fn inputs<'a, T>(node: &Node, images: &'a T, tape: &'a Tape<T>) -> Vec<&'a T> {
    match node.inputs.is_empty() {
        true => vec![images],
        false => node.inputs.iter().filter_map(|input| tape[input.index()].as_ref()).collect(),
    }
}
