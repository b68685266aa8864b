//! The walk over a network, forwards and back, written once for every backend. Not the arithmetic: that is
//! each backend's [`Kernels`].

use std::fmt::Debug;
use std::sync::Arc;

use crate::{
    Array, CallingThread, ComputePool, Cotangents, Error, LayerId, Model, Network, Node, ReluGradient,
    Result, check_cotangents,
};

/// The pull-back of an operation that has run: the function from dL/d(output) to dL/d(input), for each input. It owns
/// what it needs of the forward run (a ReLU's output, a max pool's winners, for most a shape), which is all that stays
/// in memory of a node whose output nobody asked for.
pub type PullBack<'a, T> = Box<dyn FnOnce(T) -> Result<Vec<T>> + 'a>;

/// An operation's output and its pull-back.
pub type WithPullBack<'a, T> = (T, PullBack<'a, T>);

/// The operations of a framework on its own tensors: all that a new backend has to write.
///
/// Shapes have been checked when these are called: every tensor is `[N, C, H, W]` and fits the operation.
pub trait Kernels: Debug + Send {
    /// A tensor on the device.
    type Tensor;

    /// Host to device.
    fn upload(&self, array: &Array) -> Result<Self::Tensor>;

    /// Device to host.
    fn download(&self, tensor: &Self::Tensor) -> Result<Array>;

    /// The node's output, and its pull-back, which is called at most once and later. `inputs` are its inputs' outputs,
    /// or the images for the preprocessing; `relu` is the pull-back that a ReLU shall have, and nothing to other nodes.
    fn forward<'a>(
        &'a self,
        node: &'a Node,
        inputs: &[&Self::Tensor],
        relu: ReluGradient,
    ) -> Result<WithPullBack<'a, Self::Tensor>>;

    /// `a + b`, where two paths of the gradient meet.
    fn add(&self, a: &Self::Tensor, b: &Self::Tensor) -> Result<Self::Tensor>;
}

/// A [`Model`] made of a network and a framework's kernels.
#[derive(Debug)]
pub struct Interpreter<K> {
    network: Network,
    kernels: K,
}

/// Something for each node up to the deepest asked for; `None` where there is none, or no more.
type Tape<T> = Vec<Option<T>>;

/// The result of a run forwards: the outputs of the layers asked for, and for each node its pull-back.
struct Trace<'a, T> {
    outputs: Tape<T>,
    pull_backs: Tape<PullBack<'a, T>>,
}

impl<K: Kernels> Interpreter<K> {
    /// The caller has checked the weights inside `kernels` against `network`.
    pub fn new(network: Network, kernels: K) -> Self {
        Self { network, kernels }
    }

    /// Runs every node that a layer asked for depends on. An output goes as soon as nobody reads it any more, and
    /// pull-backs, with what they hold, are kept only if they will be called: if it is said what ReLUs do in them.
    fn run(
        &self,
        images: &Array,
        at: &[LayerId],
        pulls_back: Option<ReluGradient>,
    ) -> Result<Trace<'_, K::Tensor>> {
        self.network.check_request(images, at)?;
        let mut readers = self.network.needed(at);
        let mut images = Some(self.kernels.upload(images)?);
        let mut trace = Trace { outputs: tape(readers.len()), pull_backs: tape(readers.len()) };
        for index in 0..readers.len() {
            if readers[index] == 0 {
                continue;
            }
            let node = &self.network.nodes()[index];
            let inputs = inputs(node, images.as_ref(), &trace.outputs);
            let (output, pull_back) = self.kernels.forward(node, &inputs, pulls_back.unwrap_or_default())?;
            trace.outputs[index] = Some(output);
            trace.pull_backs[index] = pulls_back.map(|_| pull_back);
            for input in &node.inputs {
                readers[input.index()] -= 1;
                if readers[input.index()] == 0 {
                    trace.outputs[input.index()] = None;
                }
            }
            images = None; // only the first node reads them
        }
        Ok(trace)
    }

    fn read(&self, outputs: &Tape<K::Tensor>, at: &[LayerId]) -> Result<Vec<Array>> {
        at.iter().filter_map(|id| outputs[id.index()].as_ref()).map(|t| self.kernels.download(t)).collect()
    }

    /// Uploads the caller's cotangents, adding those that fall on the same layer.
    fn seed(&self, at: &[LayerId], cotangents: &[Array]) -> Result<Tape<K::Tensor>> {
        let mut grads = tape(at.iter().max().map_or(0, |id| id.index() + 1));
        for (id, cotangent) in at.iter().zip(cotangents) {
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
        let trace = self.run(images, at, None)?;
        self.read(&trace.outputs, at)
    }

    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Array> {
        let Trace { outputs, mut pull_backs } = self.run(images, at, Some(relu))?;
        let activations = self.read(&outputs, at)?;
        drop(outputs);
        let cotangents = cotangents(&activations)?;
        check_cotangents(&self.network, at, &activations, &cotangents)?;
        let mut grads = self.seed(at, &cotangents)?;
        drop((activations, cotangents));
        let mut gradient = None;
        for index in (0..grads.len()).rev() {
            let (Some(dy), Some(pull_back)) = (grads[index].take(), pull_backs[index].take()) else {
                continue;
            };
            let node = &self.network.nodes()[index];
            let dxs = pull_back(dy)?;
            if node.inputs.is_empty() {
                gradient = dxs.into_iter().next();
                continue;
            }
            if dxs.len() != node.inputs.len() {
                return Err(Error::ShapeMismatch {
                    what: format!("gradients of \"{}\", one an input", node.name),
                    expected: vec![node.inputs.len()],
                    found: vec![dxs.len()],
                });
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

    /// The outputs of all nodes, each with a gradient or with what its pull-back keeps.
    fn memory(&self, [n, height, width]: [usize; 3], at: &[LayerId]) -> Result<u64> {
        let Some(deepest) = at.iter().max() else { return Ok(0) };
        let shapes = self.network.shapes(height, width, *deepest)?;
        let numbers: u64 = shapes.iter().map(|shape| shape.len() as u64).sum();
        Ok(2 * n as u64 * numbers * size_of::<f32>() as u64)
    }

    /// An interpreter has no threads; a backend that has some wraps it.
    fn pool(&self) -> Arc<dyn ComputePool> {
        Arc::new(CallingThread)
    }
}

fn tape<T>(len: usize) -> Tape<T> {
    std::iter::repeat_with(|| None).take(len).collect()
}

/// The input of a node: its inputs' outputs, or the images for the first one.
fn inputs<'a, T>(node: &Node, images: Option<&'a T>, outputs: &'a Tape<T>) -> Vec<&'a T> {
    if node.inputs.is_empty() {
        images.into_iter().collect()
    } else {
        node.inputs.iter().filter_map(|input| outputs[input.index()].as_ref()).collect()
    }
}
