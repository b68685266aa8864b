//! torchvision's `SqueezeNet` 1.1 (Iandola et al. 2016, arXiv 1602.07360): a fire module squeezes its input into few channels and
//! expands them by convolutions of one cell and of nine, side by side. Layers have torchvision's names: `features.7` is a module's
//! output, `features.7.squeeze` a convolution of it before its ReLU, `features.7.squeeze_activation`.

use super::torchvision_blocks::SquareConv;
use crate::{Conv2d, InputSize, LayerId, Network, NetworkBuilder, Op, Padding, Pool, Preprocess, Result};

/// The numbers of the fire modules, and their channels: of the input, squeezed, and of each of the two that expand.
const FIRES: [(usize, usize, usize, usize); 8] = [
    (3, 64, 16, 64),
    (4, 128, 16, 64),
    (6, 128, 32, 128),
    (7, 256, 32, 128),
    (9, 256, 48, 192),
    (10, 384, 48, 192),
    (11, 384, 64, 256),
    (12, 512, 64, 256),
];

/// Describes `squeezenet1_1`, without or with its classifier, whose `classifier.3` are logits: the means of what a convolution finds at
/// each position.
pub fn squeezenet1_1(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    // Its poolings round up, which changes nothing at these sizes.
    let size = InputSize { native: 224, min: 32, multiple: 16 };
    let mut b = NetworkBuilder::new("squeezenet1_1", size, preprocess);
    let stem = Conv2d {
        padding: Padding::default(),
        ..SquareConv { channels: [3, 64], kernel: 3, step: 2, groups: 1 }.op("features.0")
    };
    let from = b.input();
    let mut at = convolved(&mut b, "features.1", stem, from);
    at = pooled(&mut b, 2, at);
    for (module, inputs, squeezed, expanded) in FIRES {
        at = fire(&mut b, &format!("features.{module}"), [inputs, squeezed, expanded], at);
        if matches!(module, 4 | 7) {
            at = pooled(&mut b, module + 1, at);
        }
    }
    b.alias("features", "features.12");
    if classifier {
        let conv = SquareConv::pointwise(512, 1000).op("classifier.1");
        at = convolved(&mut b, "classifier.2", conv, at);
        let logits = b.add("classifier.3", Op::GlobalAverage, &[at]);
        b.alias("classifier", "classifier.3");
        b.logits(logits);
    }
    b.finish()
}

/// A convolution under its own name, and its ReLU `name`.
fn convolved(b: &mut NetworkBuilder, name: &str, conv: Conv2d, from: LayerId) -> LayerId {
    b.alias(conv.weights.as_str(), format!("{name}:pre"));
    b.conv2d_relu(name, conv, from)
}

fn pooled(b: &mut NetworkBuilder, module: usize, from: LayerId) -> LayerId {
    let pool = Pool { kernel: [3, 3], stride: [2, 2], padding: Padding::default() };
    b.add(format!("features.{module}"), Op::MaxPool(pool), &[from])
}

fn fire(
    b: &mut NetworkBuilder,
    name: &str,
    [inputs, squeezed, expanded]: [usize; 3],
    from: LayerId,
) -> LayerId {
    let mut add = |module: &str, channels, kernel, from| {
        let conv = SquareConv { channels, kernel, step: 1, groups: 1 }.op(format!("{name}.{module}"));
        convolved(b, &format!("{name}.{module}_activation"), conv, from)
    };
    let narrow = add("squeeze", [inputs, squeezed], 1, from);
    let expand = [("expand1x1", 1), ("expand3x3", 3)];
    let sides = expand.map(|(module, kernel)| add(module, [squeezed, expanded], kernel, narrow));
    b.add(name, Op::Concat, &sides)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classes_are_means_over_positions() {
        let network = squeezenet1_1(Preprocess::imagenet(), true).unwrap();
        let logits = network.logits().unwrap();
        assert_eq!(network.shape(224, 224, logits).unwrap().channels, 1000);
        let other = network.clone().with_classes(7);
        assert_eq!(other.shape(96, 96, logits).unwrap().channels, 7);
        let trunk = network.without_logits();
        assert_eq!((trunk.logits(), trunk.layers().count()), (None, other.layers().count() - 3));
    }

    #[test]
    fn poolings_come_out_even_at_every_size() {
        let network = squeezenet1_1(Preprocess::imagenet(), false).unwrap();
        for (size, side) in [(32, 1), (64, 3), (224, 13), (256, 15)] {
            network.check_size(size).unwrap();
            let last = network.layer("features").unwrap();
            assert_eq!(network.shape(size, size, last).unwrap().height, side);
        }
    }
}
