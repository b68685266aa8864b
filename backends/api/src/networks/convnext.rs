//! torchvision's `ConvNeXt` ("A `ConvNet` for the 2020s", arXiv 2201.03545). A block convolves each channel by itself, normalizes the channels
//! of each position, widens them fourfold, applies GELU and narrows them again; the result is scaled and added to the block's input.
//! Layers have torchvision's names: `features.5.4` is a block's output.
//!
//! What a layer norm is multiplied by is folded into the convolution behind it, and a block's scale into its last one.

use super::torchvision_blocks::SquareConv;
use crate::{
    ActivationCurve, Conv2d, InputSize, LayerId, Network, NetworkBuilder, Op, Padding, Preprocess, Result,
};

/// The number that torchvision's layer norms add to the variance.
const NORM: Op = Op::LayerNorm { epsilon: 1e-6 };

/// Channels and blocks of each stage of `convnext_tiny`.
const STAGES: [(usize, usize); 4] = [(96, 3), (192, 3), (384, 9), (768, 3)];

/// Describes `convnext_tiny`, without or with its classifier, whose `classifier.2` are logits.
pub fn convnext_tiny(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    let size = InputSize { native: 224, min: 32, multiple: 1 };
    let mut b = NetworkBuilder::new("convnext_tiny", size, preprocess);
    let from = b.input();
    let mut channels = STAGES[0].0;
    let mut at = b.add("features.0.0", Op::Conv2d(patches("features.0.0", [3, channels], 4)), &[from]);
    at = norm(&mut b, ["features.0.1", "features.0"], channels, at);
    let mut module = 1;
    for (outputs, blocks) in STAGES {
        if outputs != channels {
            at = halved(&mut b, &format!("features.{module}"), [channels, outputs], at);
            (channels, module) = (outputs, module + 1);
        }
        for index in 0..blocks {
            at = block(&mut b, &format!("features.{module}.{index}"), channels, at);
        }
        b.alias(format!("features.{module}"), format!("features.{module}.{}", blocks - 1));
        module += 1;
    }
    b.alias("features", "features.7.2");
    if classifier {
        let average = b.add("avgpool", Op::GlobalAverage, &[at]);
        let normed = norm(&mut b, ["classifier.0", "classifier.0"], channels, average);
        b.linear("classifier.2", channels, 1000, normed);
    }
    b.finish()
}

/// A convolution of squares that do not overlap.
fn patches(weights: &str, channels: [usize; 2], side: usize) -> Conv2d {
    let conv = SquareConv { channels, kernel: side, step: side, groups: 1 }.op(weights);
    Conv2d { padding: Padding::default(), ..conv }
}

/// The layer norm `module` with what it is multiplied by, as the layer `name`.
fn norm(b: &mut NetworkBuilder, [module, name]: [&str; 2], channels: usize, from: LayerId) -> LayerId {
    let plain = b.add(format!("{module}.plain"), NORM, &[from]);
    if module != name {
        b.alias(module, name);
    }
    b.add(name, Op::Conv2d(SquareConv::depthwise(channels, 1, 1).op(module)), &[plain])
}

/// The layer norm `name.number` without what it is multiplied by, which the layer behind it has.
fn bare_norm(b: &mut NetworkBuilder, name: &str, number: usize, from: LayerId) -> LayerId {
    let (own, plain, next) =
        (format!("{name}.{number}"), format!("{name}.{number}.plain"), format!("{name}.{}", number + 1));
    b.lose(
        own,
        format!(
            "is not available: what it multiplies by is folded into \"{next}\"; before that it is \"{plain}\""
        ),
    );
    b.add(plain, NORM, &[from])
}

/// The module `name` between two stages.
fn halved(b: &mut NetworkBuilder, name: &str, channels: [usize; 2], from: LayerId) -> LayerId {
    let at = bare_norm(b, name, 0, from);
    b.alias(format!("{name}.1"), name);
    b.add(name, Op::Conv2d(patches(&format!("{name}.1"), channels, 2)), &[at])
}

fn block(b: &mut NetworkBuilder, name: &str, channels: usize, from: LayerId) -> LayerId {
    let own = |module: &str| format!("{name}.{module}");
    let depthwise = SquareConv::depthwise(channels, 7, 1).op(own("block.0"));
    let at = b.add(own("block.0"), Op::Conv2d(depthwise), &[from]);
    let at = bare_norm(b, &own("block"), 2, at);
    let wide = SquareConv::pointwise(channels, 4 * channels).op(own("block.3"));
    let at = b.add(own("block.4:pre"), Op::Conv2d(wide), &[at]);
    b.alias(own("block.3"), own("block.4:pre"));
    let at = b.add(own("block.4"), Op::Unary(ActivationCurve::Gelu), &[at]);
    let narrow = SquareConv::pointwise(4 * channels, channels).op(own("block.5"));
    let scaled = own("mul");
    for module in ["block.5", "block"] {
        b.lose(
            own(module),
            format!("is not available: the block's scale is folded into it; with that it is \"{scaled}\""),
        );
    }
    let at = b.add(scaled, Op::Conv2d(narrow), &[at]);
    b.add(name, Op::Add, &[at, from])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_folded_is_answered_with_the_layer_that_has_it() {
        let network = convnext_tiny(Preprocess::imagenet(), true).unwrap();
        let error = network.layer("features.5.4.block.2").unwrap_err().to_string();
        assert!(error.ends_with("before that it is \"features.5.4.block.2.plain\""), "{error}");
        assert!(network.layer("features.5.4.block.5").unwrap_err().to_string().contains("features.5.4.mul"));
        for (name, own) in
            [("features.5", "features.5.8"), ("features.4.1", "features.4"), ("features.0.1", "features.0")]
        {
            assert_eq!(network.layer(name).unwrap(), network.layer(own).unwrap());
        }
    }
}
