//! How long a whole step takes, on one backend against another: forwards to a layer and back to the image.
//!
//! Each backend has a process of its own, so that neither the other's threads nor its memory count; they take turns, so
//! that what else the machine does falls on both. Not for parts of a kernel: that is `benches/kernels.rs`.

mod clerk;
mod worker;

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use trepang_api::{LayerId, Network, Op};

pub use self::clerk::Clerk;
pub use self::worker::{load, serve};

/// What is measured; also what a worker is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Work {
    /// A network, or a set of weights.
    pub network: String,
    /// A layer; the deepest with more than one position, if there is none.
    pub layer: Option<String>,
    /// The side of the images; the network's own, if there is none.
    pub size: Option<usize>,
    /// Images at once.
    pub batch: usize,
    /// Compute threads.
    pub threads: usize,
    /// Made-up weights, even where the network's own are here.
    pub random_weights: bool,
}

/// What the work turned out to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreed {
    /// The layer climbed.
    pub layer: String,
    /// The side of the images.
    pub size: usize,
    /// Each layer on the way, with the operations of a step up to it, in GFLOP of direct convolution.
    pub layers: Vec<(String, f64)>,
}

/// One backend's figures.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    /// Its name.
    pub backend: String,
    /// The median of the rounds.
    pub seconds_median: f64,
    /// Operations a second, counted as direct convolution, in 1e9.
    pub gflops: f64,
    /// The most memory that its process had; nothing where the system does not tell.
    pub peak_mb: Option<f64>,
}

/// A layer's share of a step: the time up to it less the time up to the one before.
#[derive(Debug, Clone, Serialize)]
pub struct LayerTime {
    /// Its name.
    pub layer: String,
    /// GFLOP of direct convolution, forwards and back.
    pub gflop: f64,
    /// Seconds on the first backend.
    pub a: f64,
    /// Seconds on the second.
    pub b: Option<f64>,
}

/// The middle one of the sorted numbers, or the mean of both.
pub fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[len / 2],
        len => f64::midpoint(sorted[len / 2 - 1], sorted[len / 2]),
    }
}

/// Median, smallest and largest ratio of a round's two times.
pub fn ratios(a: &[f64], b: &[f64]) -> [f64; 3] {
    let ratios: Vec<f64> = a.iter().zip(b).map(|(a, b)| a / b).collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    [median(&ratios), least, ratios.iter().copied().fold(0.0, f64::max)]
}

/// Operations of a step on one image up to `layer`, in GFLOP: each multiplication and addition of the convolutions and linear
/// layers that it takes, once forwards and once back.
pub fn gflop(network: &Network, size: usize, layer: LayerId) -> Result<f64> {
    let shapes = network.shapes(size, size, layer)?;
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

/// Every ReLU, sum or concatenation with more than one position, for square images of `size` pixels.
pub fn grids(network: &Network, size: usize) -> impl Iterator<Item = LayerId> {
    network.layers().filter(move |&id| {
        let joins =
            network.node(id).is_ok_and(|node| matches!(node.op, Op::Relu | Op::Relu6 | Op::Add | Op::Concat));
        joins && network.shape(size, size, id).is_ok_and(|shape| shape.height * shape.width > 1)
    })
}

/// Each layer's own share from the times up to each.
pub fn shares(
    agreed: &Agreed,
    a: &BTreeMap<String, f64>,
    b: Option<&BTreeMap<String, f64>>,
) -> Vec<LayerTime> {
    let (mut before, mut rows) = ((0.0, 0.0, 0.0), Vec::new());
    for (layer, gflop) in &agreed.layers {
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
    fn operations_are_counted_as_direct_convolution_forwards_and_back() {
        let network = minivgg().unwrap();
        let first = network.layer("block1_conv1").unwrap();
        // 64 x 64 outputs, 32 channels, 27 products each, an addition with each, twice.
        assert_eq!(gflop(&network, 64, first).unwrap(), 64.0 * 64.0 * 32.0 * 27.0 * 4.0 / 1e9);
    }
}
