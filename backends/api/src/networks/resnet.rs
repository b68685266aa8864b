//! ResNet50 (He et al. 2015, arXiv 1512.03385), in the two forms its weights come in. Layers have Keras's names
//! and torchvision's (`layer3.5`) as aliases. Batch norm is folded into the convolutions: `<name>_relu:pre` is
//! what Keras calls `<name>_bn`, and the output before batch norm is not there.

use super::average_and_predict;
use crate::{Conv2d, InputSize, LayerId, Network, NetworkBuilder, Op, Padding, Pool, Preprocess, Result};

/// Blocks and inner width of stages 2 to 5; a stage puts out four times its width.
const STAGES: [(usize, usize); 4] = [(3, 64), (4, 128), (6, 256), (3, 512)];

/// The convolution of a stage's first block that halves the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strides {
    /// The first, 1x1: the paper's, and Keras's weights ("v1").
    First,
    /// The 3x3: torchvision's weights ("v1.5").
    Middle,
}

/// Describes `resnet50`, without or with its classifier, whose `predictions` are logits.
pub fn resnet50(preprocess: Preprocess, strides: Strides, classifier: bool) -> Result<Network> {
    let size = InputSize { native: 224, min: 32, multiple: 1 };
    let mut b = NetworkBuilder::new("resnet50", size, preprocess);
    let from = b.input();
    let stem = conv("conv1_conv", [3, 64], 7, 2);
    let mut at = b.conv2d_relu("conv1_relu", stem, from);
    for (alias, layer) in [("conv1_bn", "conv1_relu:pre"), ("bn1", "conv1_relu:pre"), ("relu", "conv1_relu")]
    {
        b.alias(alias, layer);
    }
    // Keras pads with zeros and torchvision with minus infinity: after a ReLU the maxima are the same.
    let pool = Pool { kernel: [3, 3], stride: [2, 2], padding: Padding::all(1) };
    at = b.add("pool1_pool", Op::MaxPool(pool), &[at]);
    b.alias("maxpool", "pool1_pool");
    let mut channels = 64;
    for (stage, (blocks, width)) in (2..).zip(STAGES) {
        for block in 1..=blocks {
            let halves = stage > 2 && block == 1;
            let position = BlockPosition { stage, block, strides: halves.then_some(strides) };
            at = add_block(&mut b, &position, [channels, width], at);
            channels = 4 * width;
        }
    }
    if classifier {
        average_and_predict(&mut b, channels, at);
        b.alias("avgpool", "avg_pool");
        b.alias("fc", "predictions");
    }
    b.finish()
}

/// The place of a block, and the way in which it halves the image if it does.
struct BlockPosition {
    stage: usize,
    block: usize,
    strides: Option<Strides>,
}

/// 1x1, 3x3, 1x1, and around them the input itself or, in a stage's first block, its projection.
fn add_block(
    b: &mut NetworkBuilder,
    position: &BlockPosition,
    channels: [usize; 2],
    from: LayerId,
) -> LayerId {
    let [inputs, width] = channels;
    let name = format!("conv{}_block{}", position.stage, position.block);
    let torch = format!("layer{}.{}", position.stage - 1, position.block - 1);
    let step = |strides| if position.strides == Some(strides) { 2 } else { 1 };
    let shortcut = match position.block {
        1 => {
            let step = if position.strides.is_some() { 2 } else { 1 };
            let projection = conv(&format!("{name}_0_conv"), [inputs, 4 * width], 1, step);
            let shortcut = b.add(format!("{name}_0_bn"), Op::Conv2d(projection), &[from]);
            b.alias(format!("{torch}.downsample"), format!("{name}_0_bn"));
            b.alias(format!("{torch}.downsample.1"), format!("{name}_0_bn"));
            shortcut
        }
        _ => from,
    };
    let mut at = from;
    for (k, channels, kernel, step) in
        [(1, [inputs, width], 1, step(Strides::First)), (2, [width; 2], 3, step(Strides::Middle))]
    {
        let relu = format!("{name}_{k}_relu");
        at = b.conv2d_relu(&relu, conv(&format!("{name}_{k}_conv"), channels, kernel, step), at);
        b.alias(format!("{name}_{k}_bn"), format!("{relu}:pre"));
        b.alias(format!("{torch}.bn{k}"), format!("{relu}:pre"));
    }
    at = b.add(
        format!("{name}_3_bn"),
        Op::Conv2d(conv(&format!("{name}_3_conv"), [width, 4 * width], 1, 1)),
        &[at],
    );
    b.alias(format!("{torch}.bn3"), format!("{name}_3_bn"));
    let sum = b.add(format!("{name}_out:pre"), Op::Add, &[shortcut, at]);
    b.alias(format!("{name}_add"), format!("{name}_out:pre"));
    b.alias(torch, format!("{name}_out"));
    b.add(format!("{name}_out"), Op::Relu, &[sum])
}

fn conv(weights: &str, [inputs, outputs]: [usize; 2], kernel: usize, step: usize) -> Conv2d {
    Conv2d {
        weights: weights.into(),
        inputs,
        outputs,
        kernel: [kernel; 2],
        stride: [step; 2],
        padding: Padding::all(kernel / 2),
        groups: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    fn network(strides: Strides) -> Network {
        resnet50(Preprocess::caffe(), strides, true).unwrap()
    }

    #[test]
    fn the_parameters_are_the_papers_with_batch_norm_folded() {
        // torchvision counts 25,557,032 with two numbers of batch norm a channel; one bias a channel stays here.
        assert_eq!(network(Strides::Middle).parameters(), 25_530_472);
    }

    #[test]
    fn the_two_forms_differ_in_where_they_halve_the_image() {
        let side = |strides, layer| {
            let network = network(strides);
            network.shape(224, 224, network.layer(layer).unwrap()).unwrap().height
        };
        assert_eq!(side(Strides::First, "conv3_block1_1_relu"), 28);
        assert_eq!(side(Strides::Middle, "conv3_block1_1_relu"), 56);
        assert_eq!(side(Strides::Middle, "conv3_block1_2_relu"), 28);
    }

    #[test]
    fn torchvisions_names_mean_the_same_layers() {
        let network = network(Strides::Middle);
        for (alias, name) in [
            ("layer3.5", "conv4_block6_out"),
            ("conv4_block6_add", "conv4_block6_out:pre"),
            ("layer1.0.bn2", "conv2_block1_2_relu:pre"),
            ("layer1.0.downsample.1", "conv2_block1_0_bn"),
            ("bn1", "conv1_relu:pre"),
            ("fc", "predictions"),
        ] {
            assert_eq!(network.layer(alias).unwrap(), network.layer(name).unwrap(), "{alias}");
        }
        let last = network.layer("conv5_block3_out").unwrap();
        assert_eq!(network.shape(224, 224, last).unwrap(), Shape { channels: 2048, height: 7, width: 7 });
    }
}
