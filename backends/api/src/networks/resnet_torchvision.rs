//! torchvision's residual networks (He et al. 2015, arXiv 1512.03385) but for `resnet50`, which is in `resnet`: they have
//! other numbers of blocks, wider blocks ("Wide Residual Networks", arXiv 1605.07146) or grouped convolutions
//! ("Aggregated Residual Transformations", arXiv 1611.05431). A block halves the image in its 3x3 convolution.
//!
//! Layers have torchvision's names, as its `get_graph_node_names` lists them: `layer1.0` is a block's output,
//! `layer1.0.relu` its first ReLU and `layer1.0.relu_1` its second. Batch norm is folded into the convolutions:
//! `layer1.0.bn1` is what the norm gives, and the convolution's output before it is not there.

use super::torchvision_blocks::SquareConv;
use crate::{InputSize, LayerId, Network, NetworkBuilder, Op, Padding, Pool, Preprocess, Result};

/// Channels that the first stage's blocks put out, divided by [`Block::expansion`]; each further stage doubles them.
const FIRST_WIDTH: usize = 64;

/// A residual network's measures.
#[derive(Debug, Clone, Copy)]
struct Measures {
    block: Block,
    /// Blocks in each of the four stages.
    blocks: [usize; 4],
}

/// The convolutions of a block, besides its shortcut.
#[derive(Debug, Clone, Copy)]
enum Block {
    /// Two 3x3 convolutions.
    Basic,
    /// A 1x1, a 3x3 and a 1x1 convolution.
    Bottleneck {
        /// Channels inside of a block of the first stage.
        inner: usize,
        /// Groups of the 3x3 convolution.
        groups: usize,
    },
}

impl Block {
    /// Channels that a block puts out, over the stage's width.
    fn expansion(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Bottleneck { .. } => 4,
        }
    }

    /// The convolutions of a block whose stage is `factor` times as wide as the first, reading `inputs` channels.
    fn convolutions(self, inputs: usize, factor: usize, step: usize) -> Vec<SquareConv> {
        let conv = |channels, kernel, step, groups| SquareConv { channels, kernel, step, groups };
        let outputs = self.expansion() * FIRST_WIDTH * factor;
        match self {
            Self::Basic => vec![conv([inputs, outputs], 3, step, 1), conv([outputs; 2], 3, 1, 1)],
            Self::Bottleneck { inner, groups } => {
                let inner = inner * factor;
                vec![
                    conv([inputs, inner], 1, 1, 1),
                    conv([inner; 2], 3, step, groups),
                    conv([inner, outputs], 1, 1, 1),
                ]
            }
        }
    }
}

/// Describes `resnet18`, without or with its classifier, whose `fc` are logits.
pub fn resnet18(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    resnet("resnet18", Measures { block: Block::Basic, blocks: [2, 2, 2, 2] }, preprocess, classifier)
}

/// Describes `resnet34`, without or with its classifier, whose `fc` are logits.
pub fn resnet34(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    resnet("resnet34", Measures { block: Block::Basic, blocks: [3, 4, 6, 3] }, preprocess, classifier)
}

/// Describes `resnet101`, without or with its classifier, whose `fc` are logits.
pub fn resnet101(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    let block = Block::Bottleneck { inner: 64, groups: 1 };
    resnet("resnet101", Measures { block, blocks: [3, 4, 23, 3] }, preprocess, classifier)
}

/// Describes `resnet152`, without or with its classifier, whose `fc` are logits.
pub fn resnet152(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    let block = Block::Bottleneck { inner: 64, groups: 1 };
    resnet("resnet152", Measures { block, blocks: [3, 8, 36, 3] }, preprocess, classifier)
}

/// Describes `wide_resnet50_2`, whose blocks are twice as wide inside as those of `resnet50`, without or with its
/// classifier, whose `fc` are logits.
pub fn wide_resnet50_2(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    let block = Block::Bottleneck { inner: 128, groups: 1 };
    resnet("wide_resnet50_2", Measures { block, blocks: [3, 4, 6, 3] }, preprocess, classifier)
}

/// Describes `resnext50_32x4d`, whose 3x3 convolutions have 32 groups, of 4 channels in the first stage, without or with
/// its classifier, whose `fc` are logits.
pub fn resnext50_32x4d(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    let block = Block::Bottleneck { inner: 128, groups: 32 };
    resnet("resnext50_32x4d", Measures { block, blocks: [3, 4, 6, 3] }, preprocess, classifier)
}

fn resnet(name: &str, measures: Measures, preprocess: Preprocess, classifier: bool) -> Result<Network> {
    let Measures { block, blocks } = measures;
    let size = InputSize { native: 224, min: 32, multiple: 1 };
    let mut b = NetworkBuilder::new(name, size, preprocess);
    let stem = SquareConv { channels: [3, FIRST_WIDTH], kernel: 7, step: 2, groups: 1 };
    let from = b.input();
    let mut at = b.conv2d_relu("relu", stem.op("conv1"), from);
    b.alias("bn1", "relu:pre");
    let pool = Pool { kernel: [3, 3], stride: [2, 2], padding: Padding::all(1) };
    at = b.add("maxpool", Op::MaxPool(pool), &[at]);
    let (mut channels, mut factor) = (FIRST_WIDTH, 1);
    for (stage, blocks) in (1..).zip(blocks) {
        for index in 0..blocks {
            let step = if stage > 1 && index == 0 { 2 } else { 1 };
            let convs = block.convolutions(channels, factor, step);
            at = add_block(&mut b, &format!("layer{stage}.{index}"), &convs, at);
            channels = block.expansion() * FIRST_WIDTH * factor;
        }
        b.alias(format!("layer{stage}"), format!("layer{stage}.{}", blocks - 1));
        factor *= 2;
    }
    if classifier {
        let average = b.add("avgpool", Op::GlobalAverage, &[at]);
        b.linear("fc", channels, 1000, average);
    }
    b.finish()
}

/// The convolutions one after the other and, beside them, the input itself or its projection where its shape changes.
fn add_block(b: &mut NetworkBuilder, name: &str, convs: &[SquareConv], from: LayerId) -> LayerId {
    let relu = |k: usize| match k {
        1 => format!("{name}.relu"),
        _ => format!("{name}.relu_{}", k - 1),
    };
    let mut at = from;
    for (k, conv) in (1..).zip(convs) {
        let op = conv.op(format!("{name}.conv{k}"));
        if k == convs.len() {
            at = b.add(format!("{name}.bn{k}"), Op::Conv2d(op), &[at]);
        } else {
            at = b.conv2d_relu(&relu(k), op, at);
            b.alias(format!("{name}.bn{k}"), format!("{}:pre", relu(k)));
        }
    }
    let step = convs.iter().map(|conv| conv.step).product();
    let channels = [convs[0].channels[0], convs[convs.len() - 1].channels[1]];
    let shortcut = if step == 1 && channels[0] == channels[1] {
        from
    } else {
        let projection = SquareConv { channels, kernel: 1, step, groups: 1 };
        let layer = format!("{name}.downsample");
        b.alias(format!("{layer}.1"), layer.clone());
        b.add(layer.clone(), Op::Conv2d(projection.op(format!("{layer}.0"))), &[from])
    };
    let sum = b.add(format!("{name}:pre"), Op::Add, &[at, shortcut]);
    b.alias(format!("{name}.add"), format!("{name}:pre"));
    b.alias(relu(convs.len()), name);
    b.add(name, Op::Relu, &[sum])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    /// torchvision's count without the second number a channel of batch norm: one bias a channel stays here.
    #[test]
    fn the_parameters_are_torchvisions_with_batch_norm_folded() {
        let count = |network: Result<Network>| network.unwrap().parameters();
        let norms = |network: Result<Network>| -> usize {
            let network = network.unwrap();
            let vectors = network.tensors().filter(|(name, shape)| shape.len() == 1 && name != "fc.bias");
            vectors.map(|(_, shape)| shape[0]).sum()
        };
        let whole = |of: fn(Preprocess, bool) -> Result<Network>| {
            count(of(Preprocess::imagenet(), true)) + norms(of(Preprocess::imagenet(), true))
        };
        assert_eq!(whole(resnet18), 11_689_512);
        assert_eq!(whole(resnet34), 21_797_672);
        assert_eq!(whole(resnet101), 44_549_160);
        assert_eq!(whole(resnet152), 60_192_808);
        assert_eq!(whole(wide_resnet50_2), 68_883_240);
        assert_eq!(whole(resnext50_32x4d), 25_028_904);
    }

    #[test]
    fn layers_have_torchvisions_names_and_shapes() {
        let network = resnet18(Preprocess::imagenet(), true).unwrap();
        let shape = |layer: &str| network.shape(224, 224, network.layer(layer).unwrap()).unwrap();
        assert_eq!(shape("maxpool"), Shape { channels: 64, height: 56, width: 56 });
        assert_eq!(shape("layer2.0.bn1"), Shape { channels: 128, height: 28, width: 28 });
        assert_eq!(shape("layer4.1"), Shape { channels: 512, height: 7, width: 7 });
        for (alias, name) in [
            ("bn1", "relu:pre"),
            ("layer3", "layer3.1"),
            ("layer3.1.add", "layer3.1:pre"),
            ("layer3.1.relu_1", "layer3.1"),
            ("layer3.0.downsample.1", "layer3.0.downsample"),
        ] {
            assert_eq!(network.layer(alias).unwrap(), network.layer(name).unwrap(), "{alias}");
        }
        let first_relu = network.layer("layer3.1.relu").unwrap();
        assert_eq!(network.pre(first_relu), network.layer("layer3.1.bn1").ok());
        assert!(network.layer("layer3.1.conv1").is_err(), "batch norm is folded into it");
        assert!(network.layer("layer1.0.downsample").is_err(), "the first stage keeps the shape");
    }

    #[test]
    fn bottlenecks_halve_the_image_in_their_middle() {
        let network = resnet101(Preprocess::imagenet(), false).unwrap();
        let side = |layer: &str| network.shape(224, 224, network.layer(layer).unwrap()).unwrap().height;
        assert_eq!([side("layer2.0.relu"), side("layer2.0.relu_1"), side("layer2.0")], [56, 28, 28]);
        assert_eq!(network.layer("layer3.22.relu_2").unwrap(), network.layer("layer3").unwrap());
    }
}
