//! torchvision's `ShuffleNetV2` ("`ShuffleNet` V2: Practical Guidelines for Efficient CNN Architecture Design", arXiv 1807.11164): a
//! block works on one half of its channels and shuffles them with the other. Layers have torchvision's names.

use super::torchvision_blocks::{SquareConv, conv_norm, numbered};
use crate::{InputSize, LayerId, Network, NetworkBuilder, Op, Padding, Pool, Preprocess, Result};

/// Describes `shufflenet_v2_x1_0`, without or with its classifier, whose `fc` are logits.
pub fn shufflenet_v2_x1_0(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    let size = InputSize { native: 224, min: 32, multiple: 1 };
    let mut b = NetworkBuilder::new("shufflenet_v2_x1_0", size, preprocess);
    let stem = SquareConv { channels: [3, 24], kernel: 3, step: 2, groups: 1 };
    let mut at = conv_norm(&mut b, "conv1", stem, Some(&Op::Relu), NetworkBuilder::FIRST);
    let pool = Pool { kernel: [3, 3], stride: [2, 2], padding: Padding::all(1) };
    at = b.add("maxpool", Op::MaxPool(pool), &[at]);
    let mut channels = 24;
    for (stage, blocks, width) in [(2, 4, 116), (3, 8, 232), (4, 4, 464)] {
        at = halving(&mut b, &format!("stage{stage}.0"), [channels, width], at);
        for block in 1..blocks {
            at = keeping(&mut b, &format!("stage{stage}.{block}"), width, at);
        }
        b.alias(format!("stage{stage}"), format!("stage{stage}.{}", blocks - 1));
        channels = width;
    }
    at = conv_norm(&mut b, "conv5", SquareConv::pointwise(channels, 1024), Some(&Op::Relu), at);
    if classifier {
        let average = b.add("mean", Op::GlobalAverage, &[at]);
        b.linear("fc", 1024, 1000, average);
    }
    b.finish()
}

/// A block that halves the image: both branches read all channels.
fn halving(b: &mut NetworkBuilder, name: &str, [inputs, width]: [usize; 2], from: LayerId) -> LayerId {
    let modules = |first: usize| [0, 1, 2].map(|at| format!("{name}.branch1.{}", first + at));
    let depthwise = SquareConv::depthwise(inputs, 3, 2);
    let spread = numbered(b, &format!("{name}.branch1.1"), depthwise, (&modules(0), None), from);
    let narrow = SquareConv::pointwise(inputs, width / 2);
    let first = numbered(b, &format!("{name}.branch1"), narrow, (&modules(2), Some(&Op::Relu)), spread);
    let second = second_branch(b, name, [inputs, width / 2], 2, from);
    shuffled(b, name, [first, second], width)
}

/// A block that keeps the image's size: the first half of the channels goes by.
fn keeping(b: &mut NetworkBuilder, name: &str, width: usize, from: LayerId) -> LayerId {
    let half = width / 2;
    let first = b.add(format!("{name}.first"), Op::Channels((0..half).collect()), &[from]);
    let second = b.add(format!("{name}.second"), Op::Channels((half..width).collect()), &[from]);
    let second = second_branch(b, name, [half, half], 1, second);
    shuffled(b, name, [first, second], width)
}

fn second_branch(
    b: &mut NetworkBuilder,
    name: &str,
    [inputs, width]: [usize; 2],
    step: usize,
    from: LayerId,
) -> LayerId {
    let modules = |first: usize| [0, 1, 2].map(|at| format!("{name}.branch2.{}", first + at));
    let narrow = SquareConv::pointwise(inputs, width);
    let mut at = numbered(b, &format!("{name}.branch2.2"), narrow, (&modules(0), Some(&Op::Relu)), from);
    let depthwise = SquareConv::depthwise(width, 3, step);
    at = numbered(b, &format!("{name}.branch2.4"), depthwise, (&modules(3), None), at);
    let last = SquareConv::pointwise(width, width);
    numbered(b, &format!("{name}.branch2"), last, (&modules(5), Some(&Op::Relu)), at)
}

/// The branches' channels in turns.
fn shuffled(b: &mut NetworkBuilder, name: &str, branches: [LayerId; 2], width: usize) -> LayerId {
    let joined = b.add(format!("{name}.cat"), Op::Concat, &branches);
    let half = width / 2;
    b.add(name, Op::Channels((0..width).map(|c| c % 2 * half + c / 2).collect()), &[joined])
}
