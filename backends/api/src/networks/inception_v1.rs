//! The first Inception network (Szegedy et al. 2014, arXiv 1409.4842) as Google trained it and Lucid shows it: with local
//! response norm, without batch norm. Layers have the names of its published graph: `mixed4c` is a module's output,
//! `mixed4c_3x3_bottleneck` a convolution of it behind its ReLU. Lucid's `mixed4c_pre_relu` is `mixed4c:pre`.
//!
//! TensorFlow's padding `SAME` depends on the size. At multiples of all steps it is that of the network's own size.

use crate::{
    Conv2d, InputSize, LayerId, Lrn, Network, NetworkBuilder, Op, Padding, Pool, Preprocess, Result,
};

/// The measures of a module: its name, its input's channels, and those of its convolutions: 1x1; 1x1 and 3x3; 1x1 and 5x5; 1x1
/// behind the pooling.
type Mixed = (&'static str, usize, [usize; 6]);

const THIRD: [Mixed; 2] =
    [("mixed3a", 192, [64, 96, 128, 16, 32, 32]), ("mixed3b", 256, [128, 128, 192, 32, 96, 64])];

const FOURTH: [Mixed; 5] = [
    ("mixed4a", 480, [192, 96, 204, 16, 48, 64]),
    ("mixed4b", 508, [160, 112, 224, 24, 64, 64]),
    ("mixed4c", 512, [128, 128, 256, 24, 64, 64]),
    ("mixed4d", 512, [112, 144, 288, 32, 64, 64]),
    ("mixed4e", 528, [256, 160, 320, 32, 128, 128]),
];

const FIFTH: [Mixed; 2] =
    [("mixed5a", 832, [256, 160, 320, 48, 128, 128]), ("mixed5b", 832, [384, 192, 384, 48, 128, 128])];

/// The classes of the published weights.
const CLASSES: usize = 1008;

/// TensorFlow's depth radius of 5, alpha of 0.0001 and bias of 2. The window has 11 channels, and TensorFlow's alpha is not divided
/// by that number.
const NORM: Lrn = Lrn { size: 11, alpha: 11.0 * 1e-4, beta: 0.5, bias: 2.0 };

/// Describes `inception_v1`, without or with its classifier, whose `softmax2_pre_activation` are logits.
pub fn inception_v1(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    let size = InputSize { native: 224, min: 32, multiple: 32 };
    let mut b = NetworkBuilder::new("inception_v1", size, preprocess);
    let from = b.input();
    let padding = Padding { top: 2, bottom: 3, left: 2, right: 3 };
    let stem = Conv2d { stride: [2, 2], padding, ..conv("conv2d0", [3, 64], 7) };
    for layer in ["conv2d0", "conv2d1", "conv2d2"] {
        alias_pre(&mut b, layer);
    }
    let mut at = b.conv2d_relu("conv2d0", stem, from);
    at = halved(&mut b, "maxpool0", at);
    at = b.add("localresponsenorm0", Op::Lrn(NORM), &[at]);
    at = b.conv2d_relu("conv2d1", conv("conv2d1", [64, 64], 1), at);
    at = b.conv2d_relu("conv2d2", conv("conv2d2", [64, 192], 3), at);
    at = b.add("localresponsenorm1", Op::Lrn(NORM), &[at]);
    at = halved(&mut b, "maxpool1", at);
    at = modules(&mut b, &THIRD, at);
    at = halved(&mut b, "maxpool4", at);
    at = modules(&mut b, &FOURTH, at);
    at = halved(&mut b, "maxpool10", at);
    at = modules(&mut b, &FIFTH, at);
    if classifier {
        let average = b.add("avgpool0", Op::GlobalAverage, &[at]);
        let logits = crate::Linear { weights: "softmax2".into(), inputs: 1024, outputs: CLASSES };
        b.add("softmax2_pre_activation", Op::Linear(logits), &[average]);
    }
    b.finish()
}

/// A layer before its ReLU, under the names that Lucid and Lucent give it.
fn alias_pre(b: &mut NetworkBuilder, layer: &str) {
    for end in ["_pre_relu", "_pre_relu_conv"] {
        b.alias(format!("{layer}{end}"), format!("{layer}:pre"));
    }
}

/// A square convolution that keeps the size.
fn conv(weights: &str, [inputs, outputs]: [usize; 2], kernel: usize) -> Conv2d {
    Conv2d {
        weights: weights.into(),
        inputs,
        outputs,
        kernel: [kernel; 2],
        stride: [1, 1],
        padding: Padding::all(kernel / 2),
        groups: 1,
    }
}

fn halved(b: &mut NetworkBuilder, name: &str, from: LayerId) -> LayerId {
    let padding = Padding { bottom: 1, right: 1, ..Padding::default() };
    b.add(name, Op::MaxPool(Pool { kernel: [3, 3], stride: [2, 2], padding }), &[from])
}

fn modules(b: &mut NetworkBuilder, modules: &[Mixed], from: LayerId) -> LayerId {
    modules.iter().fold(from, |from, module| mixed(b, module, from))
}

/// A convolution of a module and its ReLU.
fn branch(
    b: &mut NetworkBuilder,
    layer: &str,
    channels: [usize; 2],
    kernel: usize,
    from: LayerId,
) -> [LayerId; 2] {
    let pre = b.add(format!("{layer}:pre"), Op::Conv2d(conv(layer, channels, kernel)), &[from]);
    alias_pre(b, layer);
    [pre, b.add(layer, Op::Relu, &[pre])]
}

fn mixed(b: &mut NetworkBuilder, (name, inputs, widths): &Mixed, from: LayerId) -> LayerId {
    let [one, narrow3, three, narrow5, five, last] = *widths;
    let mut branches = vec![branch(b, &format!("{name}_1x1"), [*inputs, one], 1, from)];
    for (kernel, narrow, wide) in [(3, narrow3, three), (5, narrow5, five)] {
        let layer = format!("{name}_{kernel}x{kernel}");
        let [_, inner] = branch(b, &format!("{layer}_bottleneck"), [*inputs, narrow], 1, from);
        branches.push(branch(b, &layer, [narrow, wide], kernel, inner));
    }
    let pool = Pool { kernel: [3, 3], stride: [1, 1], padding: Padding::all(1) };
    let pool = b.add(format!("{name}_pool"), Op::MaxPool(pool), &[from]);
    branches.push(branch(b, &format!("{name}_pool_reduce"), [*inputs, last], 1, pool));
    let side = |at: usize| branches.iter().map(|branch| branch[at]).collect::<Vec<_>>();
    // Nothing reads this one: Lucid adds it to the graph, to look at a module before its ReLUs.
    b.add(format!("{name}:pre"), Op::Concat, &side(0));
    b.alias(format!("{name}_pre_relu"), format!("{name}:pre"));
    b.add(*name, Op::Concat, &side(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_parameters_are_those_of_the_published_graph() {
        let network = |classifier| inception_v1(Preprocess::inception_v1(), classifier).unwrap();
        assert_eq!(network(false).parameters(), 6_033_180);
        assert_eq!(network(true).parameters(), 7_066_380);
    }

    #[test]
    fn a_module_is_there_before_its_relus_too() {
        let network = inception_v1(Preprocess::inception_v1(), false).unwrap();
        for (layer, channels, side) in
            [("mixed3b", 480, 28), ("mixed4a", 508, 14), ("mixed4c:pre", 512, 14), ("mixed5b", 1024, 7)]
        {
            let shape = network.shape(224, 224, network.layer(layer).unwrap()).unwrap();
            assert_eq!((shape.channels, shape.height, shape.width), (channels, side, side), "{layer}");
        }
        let layer = network.layer("mixed4c").unwrap();
        assert_eq!(network.pre(layer), Some(network.layer("mixed4c:pre").unwrap()));
        for (name, own) in [
            ("mixed4c_pre_relu", "mixed4c:pre"),
            ("mixed4a_3x3_bottleneck_pre_relu", "mixed4a_3x3_bottleneck:pre"),
            ("conv2d0_pre_relu_conv", "conv2d0:pre"),
        ] {
            assert_eq!(network.layer(name).unwrap(), network.layer(own).unwrap());
        }
    }

    /// Padding is TensorFlow's `SAME` at sizes where each step halves.
    #[test]
    fn sizes_are_those_at_which_every_step_halves() {
        let network = inception_v1(Preprocess::inception_v1(), true).unwrap();
        assert!(network.check_size(96).is_ok() && network.check_size(100).is_err());
        let last = network.layer("mixed5b").unwrap();
        assert_eq!(network.shape(32, 32, last).unwrap().height, 1);
    }
}
