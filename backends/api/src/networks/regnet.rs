//! torchvision's `RegNets` ("Designing Network Design Spaces", arXiv 2003.13678): residual blocks of grouped convolutions whose
//! widths follow one line, with a gate for each channel in the family Y. Layers have torchvision's names.

use super::torchvision_blocks::{SquareConv, conv_norm, squeeze_excite};
use crate::{ActivationCurve, InputSize, LayerId, Network, NetworkBuilder, Op, Preprocess, Result};

/// The blocks and the channels of each stage of `regnet_y_400mf`.
const Y_400MF: [(usize, usize); 4] = [(1, 48), (3, 104), (6, 208), (6, 440)];

/// Channels in a group.
const GROUP: usize = 8;

/// Describes `regnet_y_400mf`, without or with its classifier, whose `fc` are logits.
pub fn regnet_y_400mf(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    let size = InputSize { native: 224, min: 32, multiple: 1 };
    let mut b = NetworkBuilder::new("regnet_y_400mf", size, preprocess);
    let stem = SquareConv { channels: [3, 32], kernel: 3, step: 2, groups: 1 };
    let mut at = conv_norm(&mut b, "stem", stem, Some(&Op::Relu), NetworkBuilder::FIRST);
    let mut channels = 32;
    for (stage, (blocks, width)) in (1..).zip(Y_400MF) {
        for block in 0..blocks {
            let name = format!("trunk_output.block{stage}.block{stage}-{block}");
            at = add_block(&mut b, &name, [channels, width], if block == 0 { 2 } else { 1 }, at);
            channels = width;
        }
        let last = format!("trunk_output.block{stage}.block{stage}-{}", blocks - 1);
        b.alias(format!("trunk_output.block{stage}"), last);
    }
    b.alias("trunk_output", "trunk_output.block4.block4-5");
    if classifier {
        let average = b.add("avgpool", Op::GlobalAverage, &[at]);
        b.linear("fc", channels, 1000, average);
    }
    b.finish()
}

fn add_block(
    b: &mut NetworkBuilder,
    name: &str,
    [inputs, width]: [usize; 2],
    step: usize,
    from: LayerId,
) -> LayerId {
    let shortcut = if step == 1 && inputs == width {
        from
    } else {
        let projection = SquareConv { channels: [inputs, width], kernel: 1, step, groups: 1 };
        conv_norm(b, &format!("{name}.proj"), projection, None, from)
    };
    let grouped = SquareConv { channels: [width; 2], kernel: 3, step, groups: width / GROUP };
    let gate = [&Op::Relu, &Op::Unary(ActivationCurve::Sigmoid)];
    let mut at =
        conv_norm(b, &format!("{name}.f.a"), SquareConv::pointwise(inputs, width), Some(&Op::Relu), from);
    at = conv_norm(b, &format!("{name}.f.b"), grouped, Some(&Op::Relu), at);
    // A quarter of the channels that come into the block, and a half rounded to the even number.
    let squeezed = (inputs as f64 * 0.25).round_ties_even() as usize;
    at = squeeze_excite(b, &format!("{name}.f.se"), [width, squeezed], gate, at);
    at = conv_norm(b, &format!("{name}.f.c"), SquareConv::pointwise(width, width), None, at);
    b.alias(format!("{name}.f"), format!("{name}.f.c"));
    let sum = b.add(format!("{name}:pre"), Op::Add, &[shortcut, at]);
    b.alias(format!("{name}.activation"), name);
    b.add(name, Op::Relu, &[sum])
}
