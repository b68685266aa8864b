//! Measures the time of a step of a network, forwards to a layer and backwards to the image, and of a whole step of an ascent, on
//! one backend or on two.
//!
//! Each backend runs in a process of its own, so that the other's threads and memory do not affect it. The backends take
//! turns, so that other load on the machine affects both. `benches/kernels.rs` measures single kernels.

mod process;
mod whole;
mod worker;

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use trepang_api::{LayerId, Network, Op};

use crate::engine::PictureSize;

pub use self::process::BenchProcess;
pub use self::whole::{RECIPE, TimedModel, WholeStep};
pub use self::worker::{load, serve};

/// The work that is measured, as the user asks for it. It is passed to the worker processes as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Workload {
    /// The name of a network or a set of weights.
    pub network: String,
    /// The layer that a step goes to. The default is the deepest layer with more than one position.
    pub layer: Option<String>,
    /// The size of the images. The default is the network's own.
    pub size: Option<PictureSize>,
    /// The number of images in a batch.
    pub batch: usize,
    /// The number of compute threads of each worker.
    pub threads: usize,
    /// Whether to use made-up weights even if the network's own have been pulled.
    pub random_weights: bool,
}

/// The work with its defaults filled in, as a worker reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolvedWorkload {
    /// The layer that a step goes to.
    pub layer: String,
    /// The size of the images.
    pub size: PictureSize,
    /// Each layer up to that one, with the operations of a step up to it in GFLOP, counted as direct convolution.
    pub layers: Vec<(String, f64)>,
}

/// The measurements of one backend.
#[derive(Debug, Clone, Serialize)]
pub struct BackendTimes {
    /// The name of the backend.
    pub backend: String,
    /// The arithmetic of its sums of products.
    pub precision: String,
    /// The seconds a step: the median of the rounds.
    pub seconds_median: f64,
    /// GFLOP a second, counted as direct convolution.
    pub gflops: f64,
    /// The peak memory of the process in MB (1e6 bytes); none where the system does not report it.
    pub peak_mb: Option<f64>,
}

/// The time of one layer in a step: the time up to it minus the time up to the layer before.
#[derive(Debug, Clone, Serialize)]
pub struct LayerTime {
    /// The name of the layer.
    pub layer: String,
    /// The layer's operations, forwards and backwards, in GFLOP of direct convolution.
    pub gflop: f64,
    /// The seconds on the first backend.
    pub a: f64,
    /// The seconds on the second backend, if there is one.
    pub b: Option<f64>,
}

/// The median: the middle one of the sorted numbers, or the mean of the two middle ones; NaN without numbers.
pub fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[len / 2],
        len => f64::midpoint(sorted[len / 2 - 1], sorted[len / 2]),
    }
}

/// The median, the smallest and the largest ratio a / b of the times of a round.
pub fn ratios(a: &[f64], b: &[f64]) -> [f64; 3] {
    let ratios: Vec<f64> = a.iter().zip(b).map(|(a, b)| a / b).collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    [median(&ratios), least, ratios.iter().copied().fold(0.0, f64::max)]
}

/// The operations of a step on one image up to `layer`, in GFLOP: every multiplication and addition of the convolutions and
/// linear layers, once forwards and once backwards.
pub fn gflop(network: &Network, size: impl Into<PictureSize>, layer: LayerId) -> Result<f64> {
    let [height, width] = size.into().sides();
    let shapes = network.shapes(height, width, layer)?;
    let needed = network.needed(&[layer]);
    let mut products = 0.0;
    for (index, node) in network.nodes().iter().enumerate().take(shapes.len()).filter(|&(i, _)| needed[i] > 0)
    {
        products += match &node.op {
            Op::Conv2d(c) => {
                shapes[index].len() as f64 * (c.inputs / c.groups * c.kernel[0] * c.kernel[1]) as f64
            }
            Op::Linear(l) => (l.inputs * l.outputs) as f64,
            _ => 0.0,
        };
    }
    Ok(4.0 * products / 1e9)
}

/// The layers with more than one position that are a ReLU or another curve, a product, a sum or a concatenation, for images of this
/// size.
pub fn grids(network: &Network, size: impl Into<PictureSize>) -> impl Iterator<Item = LayerId> {
    let [height, width] = size.into().sides();
    network.layers().filter(move |&id| {
        let joins = network.node(id).is_ok_and(|node| {
            matches!(node.op, Op::Relu | Op::Relu6 | Op::Unary(_) | Op::Multiply | Op::Add | Op::Concat)
        });
        joins && network.shape(height, width, id).is_ok_and(|shape| shape.height * shape.width > 1)
    })
}

/// The time of each layer, computed from the times up to each layer in seconds.
pub fn layer_times(
    resolved: &ResolvedWorkload,
    a: &BTreeMap<String, f64>,
    b: Option<&BTreeMap<String, f64>>,
) -> Vec<LayerTime> {
    let (mut before, mut rows) = ((0.0, 0.0, 0.0), Vec::new());
    for (layer, gflop) in &resolved.layers {
        let of = |times: &BTreeMap<String, f64>| times.get(layer).copied().unwrap_or(f64::NAN);
        let now = (*gflop, of(a), b.map_or(0.0, of));
        rows.push(LayerTime {
            layer: layer.clone(),
            gflop: now.0 - before.0,
            a: now.1 - before.1,
            b: b.map(|_| now.2 - before.2),
        });
        before = now;
    }
    rows
}

#[cfg(test)]
mod tests {
    use trepang_api::networks::minivgg;

    use super::*;

    #[test]
    fn ratios_are_of_the_rounds_not_of_the_medians() {
        assert_eq!(ratios(&[1.0, 6.0, 2.0], &[2.0, 2.0, 2.0]), [1.0, 0.5, 3.0]);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn operations_are_counted_as_direct_convolution() {
        let network = minivgg().unwrap();
        let first = network.layer("block1_conv1").unwrap();
        // 64 x 64 positions, 32 channels, 27 products for each, an addition for each product, forwards and backwards.
        assert_eq!(gflop(&network, 64, first).unwrap(), 64.0 * 64.0 * 32.0 * 27.0 * 4.0 / 1e9);
        let oblong = PictureSize { width: 64, height: 32 };
        assert_eq!(gflop(&network, oblong, first).unwrap(), 64.0 * 32.0 * 32.0 * 27.0 * 4.0 / 1e9);
    }
}
