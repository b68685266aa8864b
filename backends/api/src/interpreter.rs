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

/// The values that a run starts from.
#[derive(Clone, Copy)]
enum Source<'a> {
    Images(&'a Array),
    Layers(&'a [(LayerId, Array)]),
}

/// The beginning of a run: for each node the number of its output's readers, the images if it starts there, and the outputs
/// that are given.
type RunStart<T> = (Vec<usize>, Option<T>, Tape<T>);

/// The result of a run back: the gradient with respect to the images, and those that ended at outputs that were given.
struct Gradients<T> {
    images: Option<T>,
    given: Tape<T>,
}

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
        source: Source,
        at: &[LayerId],
        pulls_back: Option<ReluGradient>,
    ) -> Result<Trace<'_, K::Tensor>> {
        let (mut readers, mut images, outputs) = self.begin(source, at)?;
        let mut trace = Trace { outputs, pull_backs: tape(readers.len()) };
        for index in 0..readers.len() {
            if readers[index] == 0 || trace.outputs[index].is_some() {
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

    /// Checks the call and uploads what it starts from: how often each output is read, the images, and the outputs there
    /// are.
    fn begin(&self, source: Source, at: &[LayerId]) -> Result<RunStart<K::Tensor>> {
        match source {
            Source::Images(images) => {
                self.network.check_request(images, at)?;
                let readers = self.network.needed(at);
                let outputs = tape(readers.len());
                Ok((readers, Some(self.kernels.upload(images)?), outputs))
            }
            Source::Layers(start) => {
                self.network.check_start(start, at)?;
                let given: Vec<LayerId> = start.iter().map(|(id, _)| *id).collect();
                let readers = self.network.needed_from(&given, at);
                let mut outputs = tape(readers.len());
                for (id, values) in start {
                    if readers.get(id.index()).is_some_and(|&readers| readers > 0) {
                        outputs[id.index()] = Some(self.kernels.upload(values)?);
                    }
                }
                Ok((readers, None, outputs))
            }
        }
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

    /// Runs forwards, asks the caller for cotangents, and pulls them back.
    fn differentiate(
        &self,
        source: Source,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Gradients<K::Tensor>> {
        let Trace { outputs, pull_backs } = self.run(source, at, Some(relu))?;
        let activations = self.read(&outputs, at)?;
        drop(outputs);
        let cotangents = cotangents(&activations)?;
        check_cotangents(&self.network, at, &activations, &cotangents)?;
        let grads = self.seed(at, &cotangents)?;
        drop((activations, cotangents));
        self.walk_back(pull_backs, grads)
    }

    /// From the cotangents at each node to the gradients where the run began.
    fn walk_back(
        &self,
        mut pull_backs: Tape<PullBack<'_, K::Tensor>>,
        mut grads: Tape<K::Tensor>,
    ) -> Result<Gradients<K::Tensor>> {
        let mut images = None;
        for index in (0..grads.len()).rev() {
            // The gradient of an output that was given stays where it is.
            let Some(pull_back) = pull_backs[index].take() else { continue };
            let Some(dy) = grads[index].take() else { continue };
            let node = &self.network.nodes()[index];
            let dxs = pull_back(dy)?;
            if node.inputs.is_empty() {
                images = dxs.into_iter().next();
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
        Ok(Gradients { images, given: grads })
    }

    /// A gradient on the host: zero where none has come.
    fn gradient(&self, found: Option<&K::Tensor>, shape: &[usize]) -> Result<Array> {
        found.map_or_else(|| Ok(Array::zeros(shape)), |gradient| self.kernels.download(gradient))
    }
}

impl<K: Kernels> Model for Interpreter<K> {
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> Result<Vec<Array>> {
        let trace = self.run(Source::Images(images), at, None)?;
        self.read(&trace.outputs, at)
    }

    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Array> {
        let found = self.differentiate(Source::Images(images), at, relu, cotangents)?;
        self.gradient(found.images.as_ref(), images.shape())
    }

    fn activations_from(&mut self, start: &[(LayerId, Array)], at: &[LayerId]) -> Result<Vec<Array>> {
        let trace = self.run(Source::Layers(start), at, None)?;
        self.read(&trace.outputs, at)
    }

    fn pull_back_from(
        &mut self,
        start: &[(LayerId, Array)],
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Vec<Array>> {
        let found = self.differentiate(Source::Layers(start), at, relu, cotangents)?;
        let gradient = |(id, values): &(LayerId, Array)| {
            self.gradient(found.given.get(id.index()).and_then(Option::as_ref), values.shape())
        };
        start.iter().map(gradient).collect()
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
