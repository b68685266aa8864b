//! VGG16 and VGG19 (Simonyan and Zisserman 2014, arXiv 1409.1556): 3x3 convolutions, 2x2 max pools, three fully
//! connected layers. Layers have Keras's names, and torchvision's (`features.34`) as aliases.

use crate::{InputSize, LayerId, Network, NetworkBuilder, Op, Padding, Pool, Preprocess, Result};

/// Convolutions in each block.
const VGG16: [usize; 5] = [2, 2, 3, 3, 3];
const VGG19: [usize; 5] = [2, 2, 4, 4, 4];

/// Channels of each block.
pub(super) const WIDTHS: [usize; 5] = [64, 128, 256, 512, 512];

/// Numbers in `block5_pool` of a 224 px image: 512 x 7 x 7.
pub(super) const FEATURES: usize = 512 * 7 * 7;

/// Describes `vgg16`, without or with its classifier, whose `predictions` are logits.
pub fn vgg16(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    vgg("vgg16", VGG16, preprocess, classifier)
}

/// Describes `vgg19`, without or with its classifier, whose `predictions` are logits.
pub fn vgg19(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    vgg("vgg19", VGG19, preprocess, classifier)
}

fn vgg(name: &str, blocks: [usize; 5], preprocess: Preprocess, classifier: bool) -> Result<Network> {
    // Below 32 px nothing is left after five pools; odd sizes lose their last row, as in both frameworks.
    let size = InputSize { native: 224, min: 32, multiple: 1 };
    let halve = Pool { kernel: [2, 2], stride: [2, 2], padding: Padding::default() };
    let mut b = NetworkBuilder::new(name, size, preprocess);
    let (mut at, mut channels, mut feature) = (b.input(), 3, 0);
    for (block, (&convs, &width)) in (1..).zip(blocks.iter().zip(&WIDTHS)) {
        for conv in 1..=convs {
            let layer = format!("block{block}_conv{conv}");
            at = b.conv_relu(&layer, [channels, width], 3, at);
            b.alias(format!("features.{feature}"), format!("{layer}:pre"));
            b.alias(format!("features.{}", feature + 1), layer);
            (channels, feature) = (width, feature + 2);
        }
        at = b.add(format!("block{block}_pool"), Op::MaxPool(halve), &[at]);
        b.alias(format!("features.{feature}"), format!("block{block}_pool"));
        feature += 1;
    }
    if classifier {
        add_classifier(&mut b, at);
    }
    b.finish()
}

fn add_classifier(b: &mut NetworkBuilder, features: LayerId) {
    let mut at = b.add("flatten", Op::Flatten, &[features]);
    for (layer, inputs, index) in [("fc1", FEATURES, 0), ("fc2", 4096, 3)] {
        at = b.linear_relu(layer, inputs, 4096, at);
        b.alias(format!("classifier.{index}"), format!("{layer}:pre"));
        b.alias(format!("classifier.{}", index + 1), layer);
    }
    b.linear("predictions", 4096, 1000, at);
    b.alias("classifier.6", "predictions");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    #[test]
    fn the_parameters_are_keras_applications() {
        let count = |network: Result<Network>| network.unwrap().parameters();
        assert_eq!(count(vgg19(Preprocess::caffe(), true)), 143_667_240);
        assert_eq!(count(vgg16(Preprocess::caffe(), true)), 138_357_544);
    }

    #[test]
    fn torchvisions_names_mean_the_same_layers() {
        let network = vgg19(Preprocess::imagenet(), true).unwrap();
        for (alias, name) in [
            ("features.34", "block5_conv4:pre"),
            ("features.35", "block5_conv4"),
            ("features.36", "block5_pool"),
            ("features.4", "block1_pool"),
            ("classifier.1", "fc1"),
            ("classifier.6", "predictions"),
        ] {
            assert_eq!(network.layer(alias).unwrap(), network.layer(name).unwrap(), "{alias}");
        }
        let last = network.layer("block5_conv4").unwrap();
        assert_eq!(network.shape(224, 224, last).unwrap(), Shape { channels: 512, height: 14, width: 14 });
    }
}
