//! The seam between the application and the frameworks: two object-safe traits over plain host data, with no
//! associated types and no default methods.

use std::fmt::Debug;
use std::sync::Arc;

use crate::{Array, ComputePool, Device, LayerId, Network, Result, Weights};

/// A framework that can run networks.
///
/// Assumptions: a backend interprets every [`Op`](crate::Op); `load` copies what it needs, so neither
/// argument outlives the call; it spawns no threads but its own compute pool; for equal arguments, device and
/// thread count its models return equal bits. What is not: nothing needs autograd, and nothing is asked about
/// gradients of weights.
pub trait Backend: Debug + Send + Sync {
    /// The name it is chosen by: `cpu`, `candle`, `tch`, `reference`.
    fn name(&self) -> &str;

    /// The devices that this machine really has, not those that were compiled in; the CPU first.
    fn devices(&self) -> Vec<Device>;

    /// The number of host threads that its models compute with.
    fn threads(&self) -> usize;

    /// Puts a network on a device. Fails for weights that do not fit it and for a device that is not there.
    fn load(&self, network: &Network, weights: &Weights, device: &Device) -> Result<Box<dyn Model>>;
}

/// Turns the activations at the asked-for layers into dL/d(activation), one array of the same shape for each.
pub type Cotangents<'a> = dyn FnMut(&[Array]) -> Result<Vec<Array>> + Send + 'a;

/// The pull-back of a ReLU where no gradient gets through.
///
/// A neuron that is off in the whole image has no gradient, so an ascent that starts there stays there. Lucid's way out
/// (`lucid/optvis/overrides/redirected_relu_grad.py`, turned round: it minimises, everything here maximises) is to let
/// through what would open the gates. That is no derivative of anything, so the engine only asks for it when the true
/// gradient of an image is flat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReluGradient {
    /// The derivative: nothing passes a closed gate.
    #[default]
    True,
    /// The derivative, unless it is zero in all of an image's numbers at this ReLU, each image by itself. Then what
    /// would bring the inputs back between the bounds passes the closed gates: of an input that is too low the positive
    /// part of dL/d(output), of one that is too high (6 or more, a ReLU6's) the negative part.
    Redirected,
}

/// A network on a device. `&mut self` lets an implementation keep buffers; a model may move between threads
/// but is not shared, since libtorch's tensors cannot be.
pub trait Model: Debug + Send {
    /// Runs `images` `[N, 3, H, W]` (RGB, 0..1) up to the named layers, in the order asked for. Nothing past
    /// the deepest of them is computed.
    fn activations(&mut self, images: &Array, at: &[LayerId]) -> Result<Vec<Array>>;

    /// The same, then hands the activations to `cotangents` and returns dL/d(images), or what `relu` makes of it. The
    /// gradient with respect to the images is the only one computed.
    fn pull_back(
        &mut self,
        images: &Array,
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Array>;

    /// Runs from the values of layers instead of images: `start` holds what [`Network::frontier`] names, `[N, C, H, W]` each,
    /// and N is the same for all. What the given values make superfluous is not computed. Fails for values that do not
    /// suffice, naming those that are missing.
    fn activations_from(&mut self, start: &[(LayerId, Array)], at: &[LayerId]) -> Result<Vec<Array>>;

    /// The same, then hands the activations to `cotangents` and returns dL/d(value), or what `relu` makes of it, for each
    /// value of `start`, of its shape and in its order. A given value counts as free: nothing passes from it to another.
    fn pull_back_from(
        &mut self,
        start: &[(LayerId, Array)],
        at: &[LayerId],
        relu: ReluGradient,
        cotangents: &mut Cotangents,
    ) -> Result<Vec<Array>>;

    /// Bytes of memory that [`pull_back`](Self::pull_back) of `[N, H, W]` images from these layers takes on the device,
    /// beside the weights: about, and rather more than less. Fails as the pull-back itself would.
    fn memory(&self, images: [usize; 3], at: &[LayerId]) -> Result<u64>;

    /// The threads that it computes with. The caller may run work of its own on them between two calls, and while it
    /// makes cotangents.
    fn pool(&self) -> Arc<dyn ComputePool>;
}
