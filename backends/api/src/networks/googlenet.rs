//! torchvision's `GoogLeNet` (Szegedy et al. 2014, arXiv 1409.4842): with batch norm, without local response norm, and with 3x3
//! convolutions where the paper has 5x5. It is not the `InceptionV1` that the visualizations of the literature show. Layers have
//! torchvision's names; `inception4c.branch2.1` is a convolution of a module, behind its ReLU.

use super::torchvision_blocks::SquareConv;
use crate::{InputSize, LayerId, Network, NetworkBuilder, Op, Padding, Pool, Preprocess, Result};

/// The measures of a module: its name, its input's channels, and those of its convolutions: 1x1; 1x1 and 3x3; 1x1 and 3x3; 1x1
/// behind the pooling.
type Module = (&'static str, usize, [usize; 6]);

const THIRD: [Module; 2] =
    [("inception3a", 192, [64, 96, 128, 16, 32, 32]), ("inception3b", 256, [128, 128, 192, 32, 96, 64])];

const FOURTH: [Module; 5] = [
    ("inception4a", 480, [192, 96, 208, 16, 48, 64]),
    ("inception4b", 512, [160, 112, 224, 24, 64, 64]),
    ("inception4c", 512, [128, 128, 256, 24, 64, 64]),
    ("inception4d", 512, [112, 144, 288, 32, 64, 64]),
    ("inception4e", 528, [256, 160, 320, 32, 128, 128]),
];

const FIFTH: [Module; 2] = [
    ("inception5a", 832, [256, 160, 320, 32, 128, 128]),
    ("inception5b", 832, [384, 192, 384, 48, 128, 128]),
];

/// Describes `googlenet`, without or with its classifier, whose `fc` are logits. It sees RGB as `preprocess` says: torchvision's
/// turns the preprocessing of its other networks into -1..1 first.
pub fn googlenet(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    // Its poolings round up: at multiples of all steps always by one cell.
    let size = InputSize { native: 224, min: 32, multiple: 32 };
    let mut b = NetworkBuilder::new("googlenet", size, preprocess);
    let from = b.input();
    let mut at = basic(&mut b, "conv1", [3, 64], (7, 2), from);
    at = pooled(&mut b, "maxpool1", at);
    at = basic(&mut b, "conv2", [64, 64], (1, 1), at);
    at = basic(&mut b, "conv3", [64, 192], (3, 1), at);
    at = pooled(&mut b, "maxpool2", at);
    for module in &THIRD {
        at = inception(&mut b, module, at);
    }
    at = pooled(&mut b, "maxpool3", at);
    for module in &FOURTH {
        at = inception(&mut b, module, at);
    }
    let pool = Pool { kernel: [2, 2], stride: [2, 2], padding: Padding::default() };
    at = b.add("maxpool4", Op::MaxPool(pool), &[at]);
    for module in &FIFTH {
        at = inception(&mut b, module, at);
    }
    if classifier {
        let average = b.add("avgpool", Op::GlobalAverage, &[at]);
        b.linear("fc", 1024, 1000, average);
    }
    b.finish()
}

fn pooled(b: &mut NetworkBuilder, name: &str, from: LayerId) -> LayerId {
    let padding = Padding { bottom: 1, right: 1, ..Padding::default() };
    b.add(name, Op::MaxPool(Pool { kernel: [3, 3], stride: [2, 2], padding }), &[from])
}

/// torchvision's `BasicConv2d`: `name.conv`, `name.bn`, and a ReLU, which is no module.
fn basic(
    b: &mut NetworkBuilder,
    name: &str,
    [inputs, outputs]: [usize; 2],
    (kernel, step): (usize, usize),
    from: LayerId,
) -> LayerId {
    let conv = SquareConv { channels: [inputs, outputs], kernel, step, groups: 1 }.op(name);
    b.alias(format!("{name}.bn"), format!("{name}:pre"));
    b.conv2d_relu(name, conv, from)
}

fn inception(b: &mut NetworkBuilder, (name, inputs, widths): &Module, from: LayerId) -> LayerId {
    let [one, second, three, third, five, last] = *widths;
    let first = basic(b, &format!("{name}.branch1"), [*inputs, one], (1, 1), from);
    let mut branches = vec![first];
    for (branch, [inner, outputs]) in [("branch2", [second, three]), ("branch3", [third, five])] {
        let narrow = basic(b, &format!("{name}.{branch}.0"), [*inputs, inner], (1, 1), from);
        let own = format!("{name}.{branch}.1");
        branches.push(basic(b, &own, [inner, outputs], (3, 1), narrow));
        b.alias(format!("{name}.{branch}"), own);
    }
    let pool = Pool { kernel: [3, 3], stride: [1, 1], padding: Padding::all(1) };
    let pool = b.add(format!("{name}.branch4.0"), Op::MaxPool(pool), &[from]);
    let own = format!("{name}.branch4.1");
    branches.push(basic(b, &own, [*inputs, last], (1, 1), pool));
    b.alias(format!("{name}.branch4"), own);
    b.add(*name, Op::Concat, &branches)
}
