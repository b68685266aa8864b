//! The small networks of `make_lab.py`, with weights made up from names.

use trepang_api::{
    Array, InputSize, LayerId, Network, NetworkBuilder, Op, Padding, Pool, Preprocess, Weights,
};
use trepang_weights::words;

/// A network with its weights, the size of its pictures, and the layer that is looked at.
pub(crate) struct Small {
    pub(crate) network: Network,
    pub(crate) weights: Weights,
    pub(crate) layer: LayerId,
}

/// Uniform numbers between `-scale` and `scale`, as golden.py makes them.
pub(crate) fn uniform(name: &str, shape: &[usize], scale: f64) -> Array {
    let unit = |z: u64| (z >> 40) as f32 * (-23_f32).exp2() - 1.0;
    let data = words(name).take(shape.iter().product()).map(|z| scale as f32 * unit(z)).collect();
    Array::new(shape, data).unwrap()
}

fn builder(name: &str) -> NetworkBuilder {
    let same = Preprocess { scale: [1.0; 3], shift: [0.0; 3], trained_on_bgr: false };
    NetworkBuilder::new(name, InputSize { native: 8, min: 8, multiple: 8 }, same)
}

fn finish(b: NetworkBuilder, layer: &str) -> Small {
    let network = b.finish().unwrap();
    let mut weights = Weights::default();
    for (tensor, shape) in network.tensors() {
        let fan_in: usize = shape.iter().skip(1).product();
        let scale = if shape.len() > 1 { (6.0 / fan_in as f64).sqrt() } else { 0.1 };
        weights.insert(&tensor, uniform(&format!("lab/{}/{tensor}", network.name()), &shape, scale));
    }
    let layer = network.layer(layer).unwrap();
    Small { network, weights, layer }
}

/// Two hidden layers behind a max pool.
pub(crate) fn hidden() -> Small {
    let mut b = builder("hidden");
    let first = b.conv_relu("conv1", [3, 8], 3, b.input());
    let second = b.conv_relu("conv2", [8, 16], 3, first);
    let halve = Pool { kernel: [2, 2], stride: [2, 2], padding: Padding::default() };
    let pooled = b.add("pool", Op::MaxPool(halve), &[second]);
    let flat = b.add("flatten", Op::Flatten, &[pooled]);
    let fc1 = b.linear_relu("fc1", 256, 64, flat);
    let fc2 = b.linear_relu("fc2", 64, 48, fc1);
    b.linear("fc3", 48, 10, fc2);
    finish(b, "conv2")
}

/// A block with a shortcut, whose branch is looked at.
pub(crate) fn residual() -> Small {
    let mut b = builder("residual");
    let first = b.conv_relu("conv1", [3, 8], 3, b.input());
    let branch = b.conv_relu("conv2", [8, 8], 3, first);
    let sum = b.add("sum", Op::Add, &[branch, first]);
    let sum = b.add("relu", Op::Relu, &[sum]);
    let last = b.conv_relu("conv3", [8, 12], 3, sum);
    let mean = b.add("mean", Op::GlobalAverage, &[last]);
    b.linear("fc1", 12, 10, mean);
    finish(b, "conv2")
}
