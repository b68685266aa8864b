//! torchvision's `DenseNet` (Huang et al. 2016, arXiv 1608.06993): each layer of a dense block reads all those before it. Batch norm
//! stands before its ReLU and convolution; where no convolution comes before it, it is a convolution of one cell of each channel by
//! itself. Layers have torchvision's names: `features.denseblock3` is a block's output, `features.denseblock3.denselayer4` what a layer adds.

use super::torchvision_blocks::SquareConv;
use crate::{InputSize, LayerId, Network, NetworkBuilder, Op, Padding, Pool, Preprocess, Result};

/// Channels that a layer adds.
const GROWTH: usize = 32;

/// Channels inside of a layer.
const INNER: usize = 4 * GROWTH;

/// Layers in each block of `densenet121`.
const BLOCKS: [usize; 4] = [6, 12, 24, 16];

/// Describes `densenet121`, without or with its classifier, whose `classifier` are logits.
pub fn densenet121(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    let size = InputSize { native: 224, min: 32, multiple: 1 };
    let mut b = NetworkBuilder::new("densenet121", size, preprocess);
    let stem = SquareConv { channels: [3, 64], kernel: 7, step: 2, groups: 1 };
    let from = b.input();
    let mut at = b.conv2d_relu("features.relu0", stem.op("features.conv0"), from);
    b.alias("features.norm0", "features.relu0:pre");
    let pool = Pool { kernel: [3, 3], stride: [2, 2], padding: Padding::all(1) };
    at = b.add("features.pool0", Op::MaxPool(pool), &[at]);
    let mut channels = 64;
    for (number, layers) in (1..).zip(BLOCKS) {
        at = dense_block(&mut b, &format!("features.denseblock{number}"), layers, &mut channels, at);
        if number < BLOCKS.len() {
            at = transition(&mut b, &format!("features.transition{number}"), channels, at);
            channels /= 2;
        }
    }
    at = norm_relu(&mut b, ["features.norm5", "relu"], channels, at);
    b.alias("features", "relu:pre");
    if classifier {
        let average = b.add("avgpool", Op::GlobalAverage, &[at]);
        b.linear("classifier", channels, 1000, average);
    }
    b.finish()
}

/// A batch norm without a convolution before it, and its ReLU.
fn norm_relu(b: &mut NetworkBuilder, [norm, relu]: [&str; 2], channels: usize, from: LayerId) -> LayerId {
    b.alias(norm, format!("{relu}:pre"));
    b.conv2d_relu(relu, SquareConv::depthwise(channels, 1, 1).op(norm), from)
}

fn dense_block(
    b: &mut NetworkBuilder,
    name: &str,
    layers: usize,
    channels: &mut usize,
    from: LayerId,
) -> LayerId {
    let mut at = from;
    for number in 1..=layers {
        let layer = format!("{name}.denselayer{number}");
        let own = |module: &str| format!("{layer}.{module}");
        let narrow = norm_relu(b, [&own("norm1"), &own("relu1")], *channels, at);
        let inner = SquareConv::pointwise(*channels, INNER);
        let inner = b.conv2d_relu(&own("relu2"), inner.op(own("conv1")), narrow);
        b.alias(own("norm2"), own("relu2:pre"));
        let last = SquareConv { channels: [INNER, GROWTH], kernel: 3, step: 1, groups: 1 };
        let added = b.add(own("conv2"), Op::Conv2d(last.op(own("conv2"))), &[inner]);
        b.alias(layer.as_str(), own("conv2"));
        // What the next layer reads, and after the last one what the block puts out.
        let joined =
            if number < layers { format!("{name}.denselayer{}.cat", number + 1) } else { name.into() };
        at = b.add(joined, Op::Concat, &[at, added]);
        *channels += GROWTH;
    }
    at
}

/// Half as many channels at half the size.
fn transition(b: &mut NetworkBuilder, name: &str, channels: usize, from: LayerId) -> LayerId {
    let own = |module: &str| format!("{name}.{module}");
    let at = norm_relu(b, [&own("norm"), &own("relu")], channels, from);
    let conv = SquareConv::pointwise(channels, channels / 2).op(own("conv"));
    let at = b.add(own("conv"), Op::Conv2d(conv), &[at]);
    let pool = Pool { kernel: [2, 2], stride: [2, 2], padding: Padding::default() };
    b.alias(name, own("pool"));
    b.add(own("pool"), Op::AveragePool { pool, count_padding: true }, &[at])
}
