//! A linear layer right on the last features of a network whose own classes come after further layers: VGG without its fully
//! connected ones, as it is fine-tuned most often.

use trepang_api::Network;

use crate::TensorSource;
use crate::candidate::Candidate;
use crate::head::{HeadSearch, LinearAt};
use crate::layout::{KernelOrder, KernelTensor, LayerTensors};

/// A linear layer on the features of a candidate, and the network with it.
#[derive(Debug)]
pub(crate) struct BareHead {
    pub at: LinearAt,
    pub entry: LayerTensors,
    /// The layer reads all numbers of the features, flattened, or their means over positions.
    pub network: Network,
}

/// Finds the layer among `rest`, the positions of the tensors behind the features. None if there is no such layer, or if the
/// network's own head is no more than that.
pub(crate) fn find(candidate: &Candidate, source: &dyn TensorSource, rest: &[usize]) -> Option<BareHead> {
    let own = candidate.version.head.as_ref().filter(|_| !candidate.has_features)?;
    let trunk = candidate.network();
    let (size, last) = (trunk.input().native, trunk.layers().last()?);
    let features = trunk.shape(size, size, last).ok()?;
    let (height, width) = (features.height, features.width);
    [(features.channels, false), (features.len(), true)].into_iter().find_map(|(inputs, is_flat)| {
        let order = match own.kernel.order {
            KernelOrder::InOut if is_flat => KernelOrder::Flattened([features.channels, height, width]),
            order => order,
        };
        let shape = |outputs| match order {
            KernelOrder::Native => Some(vec![outputs, inputs]),
            KernelOrder::InOut | KernelOrder::Flattened(_) => Some(vec![inputs, outputs]),
            KernelOrder::Unrolled
            | KernelOrder::Hwio
            | KernelOrder::Pointwise
            | KernelOrder::PerChannel
            | KernelOrder::Ones => None,
        };
        let of = |outputs| {
            let kernel = KernelTensor { order, shape: shape(outputs)?, ..own.kernel.clone() };
            Some(LayerTensors { kernel, outputs, ..own.clone() })
        };
        let sought = of(own.outputs)?;
        let at = HeadSearch { source, own: &sought, named: (None, None), rest }.linear()?;
        let bias = own.bias.clone().filter(|_| at.bias.is_some());
        let entry = LayerTensors { bias, ..of(at.classes)? };
        let network = trunk.clone().with_linear(&own.layer, [inputs, at.classes], is_flat);
        Some(BareHead { at, entry, network })
    })
}
