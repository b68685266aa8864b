//! torchvision's VGGs (Simonyan and Zisserman 2014, arXiv 1409.1556) but for VGG16 and VGG19 without batch norm, which
//! are in `vgg`. Layers have torchvision's names: `features.28` is the module of that number. Keras's names for the
//! same places (`block5_conv1`) are aliases. Where there is batch norm, it is folded into the convolution before it:
//! the norm's module is what the norm gives, and the convolution's output before it is not there.

use super::vgg::{FEATURES, WIDTHS};
use crate::{
    Conv2d, InputSize, LayerId, Linear, Network, NetworkBuilder, Op, Padding, Pool, Preprocess, Result,
};

/// Describes `vgg11`, without or with its classifier, whose `classifier.6` are logits.
pub fn vgg11(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    vgg("vgg11", ([1, 1, 2, 2, 2], Norm::None), preprocess, classifier)
}

/// Describes `vgg13`, without or with its classifier, whose `classifier.6` are logits.
pub fn vgg13(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    vgg("vgg13", ([2, 2, 2, 2, 2], Norm::None), preprocess, classifier)
}

/// Describes `vgg16_bn`, without or with its classifier, whose `classifier.6` are logits.
pub fn vgg16_bn(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    vgg("vgg16_bn", ([2, 2, 3, 3, 3], Norm::Batch), preprocess, classifier)
}

/// Describes `vgg19_bn`, without or with its classifier, whose `classifier.6` are logits.
pub fn vgg19_bn(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    vgg("vgg19_bn", ([2, 2, 4, 4, 4], Norm::Batch), preprocess, classifier)
}

/// The operation between a convolution and its ReLU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Norm {
    None,
    Batch,
}

/// `measures` are the convolutions in each block, and what follows each.
fn vgg(
    name: &str,
    measures: ([usize; 5], Norm),
    preprocess: Preprocess,
    classifier: bool,
) -> Result<Network> {
    let (blocks, norm) = measures;
    let size = InputSize { native: 224, min: 32, multiple: 1 };
    let halve = Pool { kernel: [2, 2], stride: [2, 2], padding: Padding::default() };
    let mut b = NetworkBuilder::new(name, size, preprocess);
    let (mut at, mut channels, mut module) = (b.input(), 3, 0);
    for (block, (&convs, &width)) in (1..).zip(blocks.iter().zip(&WIDTHS)) {
        for conv in 1..=convs {
            let keras = format!("block{block}_conv{conv}");
            (at, module) = add_convolution(&mut b, [channels, width], (module, norm), &keras, at);
            channels = width;
        }
        let pool = format!("features.{module}");
        b.alias(format!("block{block}_pool"), &pool);
        at = b.add(pool, Op::MaxPool(halve), &[at]);
        module += 1;
    }
    if classifier {
        add_classifier(&mut b, at);
    }
    b.finish()
}

/// A convolution, which is the module of this number, its batch norm if there is one, and its ReLU. Returns the number
/// of the next module too.
fn add_convolution(
    b: &mut NetworkBuilder,
    [inputs, outputs]: [usize; 2],
    (module, norm): (usize, Norm),
    keras: &str,
    from: LayerId,
) -> (LayerId, usize) {
    let last = match norm {
        Norm::None => module,
        Norm::Batch => module + 1,
    };
    let conv = Conv2d {
        weights: format!("features.{module}"),
        inputs,
        outputs,
        kernel: [3, 3],
        stride: [1, 1],
        padding: Padding::all(1),
        groups: 1,
    };
    let relu = format!("features.{}", last + 1);
    let at = b.conv2d_relu(&relu, conv, from);
    b.alias(format!("features.{last}"), format!("{relu}:pre"));
    b.alias(format!("{keras}:pre"), format!("{relu}:pre"));
    b.alias(keras, relu);
    (at, last + 2)
}

fn add_classifier(b: &mut NetworkBuilder, features: LayerId) {
    let mut at = b.add("flatten", Op::Flatten, &[features]);
    for (module, inputs, keras) in [(0, FEATURES, "fc1"), (3, 4096, "fc2")] {
        let (layer, relu) = (format!("classifier.{module}"), format!("classifier.{}", module + 1));
        let linear = Op::Linear(Linear { weights: layer.clone(), inputs, outputs: 4096 });
        let pre = b.add(format!("{relu}:pre"), linear, &[at]);
        at = b.add(&relu, Op::Relu, &[pre]);
        b.alias(layer, format!("{relu}:pre"));
        b.alias(format!("{keras}:pre"), format!("{relu}:pre"));
        b.alias(keras, relu);
    }
    b.linear("classifier.6", 4096, 1000, at);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    #[test]
    fn the_parameters_are_torchvisions() {
        let count = |network: Result<Network>| network.unwrap().parameters();
        assert_eq!(count(vgg11(Preprocess::imagenet(), true)), 132_863_336);
        assert_eq!(count(vgg13(Preprocess::imagenet(), true)), 133_047_848);
        // Two vectors of batch norm for 4,224 and 5,504 channels are folded: VGG16's and VGG19's own counts remain.
        assert_eq!(count(vgg16_bn(Preprocess::imagenet(), true)), 138_365_992 - 2 * 4_224);
        assert_eq!(count(vgg19_bn(Preprocess::imagenet(), true)), 143_678_248 - 2 * 5_504);
    }

    #[test]
    fn layers_have_torchvisions_names_and_shapes() {
        let network = vgg16_bn(Preprocess::imagenet(), true).unwrap();
        let shape = |layer: &str| network.shape(224, 224, network.layer(layer).unwrap()).unwrap();
        assert_eq!(shape("features.6"), Shape { channels: 64, height: 112, width: 112 });
        assert_eq!(shape("features.42"), Shape { channels: 512, height: 14, width: 14 });
        assert_eq!(shape("features.43"), Shape { channels: 512, height: 7, width: 7 });
        for (alias, name) in [
            ("features.1", "features.2:pre"),
            ("block1_conv1:pre", "features.1"),
            ("block5_conv3", "features.42"),
            ("block5_pool", "features.43"),
            ("classifier.0", "classifier.1:pre"),
            ("fc2", "classifier.4"),
        ] {
            assert_eq!(network.layer(alias).unwrap(), network.layer(name).unwrap(), "{alias}");
        }
        assert!(network.layer("features.0").is_err(), "batch norm is folded into it");
    }

    #[test]
    fn without_batch_norm_every_module_is_a_layer() {
        let network = vgg11(Preprocess::imagenet(), true).unwrap();
        assert!((0..21).all(|module| network.layer(&format!("features.{module}")).is_ok()));
        assert!(network.layer("features.21").is_err());
    }
}
