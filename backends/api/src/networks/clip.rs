//! The trunks of `OpenAI`'s CLIP ("Learning Transferable Visual Models From Natural Language Supervision", arXiv 2103.00020): residual
//! networks whose stem has three convolutions, and in which averages halve the image, before a 1x1 convolution. They end where
//! attention pools positions. Layers have `OpenAI`'s names as its `state_dict` has them, without `visual.`: `layer4.2` is a block's output,
//! `layer4.2.relu2` its second ReLU. timm's (`stages.3.2`) mean the same layers.

use super::torchvision_blocks::SquareConv;
use crate::{InputSize, LayerId, Network, NetworkBuilder, Op, Padding, Pool, Preprocess, Result};

/// Halves the size.
const POOL: Op = Op::AveragePool {
    pool: Pool { kernel: [2, 2], stride: [2, 2], padding: Padding { top: 0, bottom: 0, left: 0, right: 0 } },
    count_padding: true,
};

/// Describes the trunk `clip_rn50`, which has 2048 channels in the end.
pub fn clip_rn50(preprocess: Preprocess) -> Result<Network> {
    trunk("clip_rn50", 224, 64, [3, 4, 6, 3], preprocess)
}

/// Describes the trunk `clip_rn50x4`, which is wider and deeper, and has 2560 channels in the end.
pub fn clip_rn50x4(preprocess: Preprocess) -> Result<Network> {
    trunk("clip_rn50x4", 288, 80, [4, 6, 10, 6], preprocess)
}

/// A trunk whose first stage is `width` channels wide inside of its blocks.
fn trunk(
    name: &str,
    native: usize,
    width: usize,
    blocks: [usize; 4],
    preprocess: Preprocess,
) -> Result<Network> {
    let size = InputSize { native, min: 32, multiple: 1 };
    let mut b = NetworkBuilder::new(name, size, preprocess);
    let mut at = b.input();
    let stem = [([3, width / 2], 2), ([width / 2, width / 2], 1), ([width / 2, width], 1)];
    for (number, (channels, step)) in (1..).zip(stem) {
        let conv = SquareConv { channels, kernel: 3, step, groups: 1 }.op(format!("conv{number}"));
        at = b.conv2d_relu(&format!("relu{number}"), conv, at);
        b.alias(format!("bn{number}"), format!("relu{number}:pre"));
        b.alias(format!("stem.conv{number}"), format!("relu{number}"));
    }
    at = b.add("avgpool", POOL, &[at]);
    b.alias("stem", "avgpool");
    let (mut channels, mut inner) = (width, width);
    for (stage, blocks) in (1..).zip(blocks) {
        for index in 0..blocks {
            let is_halved = stage > 1 && index == 0;
            let places = [format!("layer{stage}.{index}"), format!("stages.{}.{index}", stage - 1)];
            at = bottleneck(&mut b, &places, [channels, inner], is_halved, at);
            channels = 4 * inner;
        }
        let last = format!("layer{stage}.{}", blocks - 1);
        b.alias(format!("layer{stage}"), last.as_str());
        b.alias(format!("stages.{}", stage - 1), last);
        inner *= 2;
    }
    b.finish()
}

/// A block under `OpenAI`'s and timm's names.
fn bottleneck(
    b: &mut NetworkBuilder,
    [name, timm]: &[String; 2],
    [inputs, inner]: [usize; 2],
    is_halved: bool,
    from: LayerId,
) -> LayerId {
    let mut at = from;
    let narrow = SquareConv::pointwise(inputs, inner);
    let middle = SquareConv { channels: [inner; 2], kernel: 3, step: 1, groups: 1 };
    for (number, conv, module) in [(1, narrow, "conv1_1x1"), (2, middle, "conv2_kxk")] {
        let relu = format!("{name}.relu{number}");
        at = b.conv2d_relu(&relu, conv.op(format!("{name}.conv{number}")), at);
        b.alias(format!("{name}.bn{number}"), format!("{relu}:pre"));
        let has_pool = is_halved && number == 2;
        b.alias(format!("{timm}.{module}"), if has_pool { format!("{name}.avgpool") } else { relu });
        if has_pool {
            at = b.add(format!("{name}.avgpool"), POOL, &[at]);
        }
    }
    let last = SquareConv::pointwise(inner, 4 * inner).op(format!("{name}.conv3"));
    at = b.add(format!("{name}.bn3"), Op::Conv2d(last), &[at]);
    b.alias(format!("{timm}.conv3_1x1"), format!("{name}.bn3"));
    let mut shortcut = from;
    if is_halved || inputs != 4 * inner {
        if is_halved {
            shortcut = b.add(format!("{name}.downsample.-1"), POOL, &[shortcut]);
        }
        let layer = format!("{name}.downsample");
        let conv = SquareConv::pointwise(inputs, 4 * inner).op(layer.as_str());
        b.alias(format!("{timm}.shortcut"), layer.as_str());
        shortcut = b.add(layer, Op::Conv2d(conv), &[shortcut]);
    }
    let sum = b.add(format!("{name}:pre"), Op::Add, &[at, shortcut]);
    for alias in [format!("{name}.relu3"), timm.clone()] {
        b.alias(alias, name.as_str());
    }
    b.add(name.as_str(), Op::Relu, &[sum])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// timm's trunks have as many, of which one for each channel that is normalized goes into the convolutions.
    #[test]
    fn the_parameters_are_those_of_the_published_trunks() {
        let norms = |network: &Network| {
            let biases = network.tensors().filter(|(_, shape)| shape.len() == 1);
            biases.map(|(_, shape)| shape[0]).sum::<usize>()
        };
        let small = clip_rn50(Preprocess::imagenet()).unwrap();
        assert_eq!(small.parameters() + norms(&small), 23_527_264);
        let large = clip_rn50x4(Preprocess::imagenet()).unwrap();
        assert_eq!(large.parameters() + norms(&large), 65_619_640);
        for (network, channels, side) in [(&small, 2048, 7), (&large, 2560, 9)] {
            let (size, last) = (network.input().native, network.layer("layer4").unwrap());
            let shape = network.shape(size, size, last).unwrap();
            assert_eq!((shape.channels, shape.height), (channels, side));
        }
    }
}
