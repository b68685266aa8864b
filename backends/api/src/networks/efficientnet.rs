//! EfficientNet-Lite0 (the 2020 release of Tan and Le's EfficientNet, arXiv 1905.11946, without squeeze-and-excite
//! and with ReLU6). Layers are named as Keras names EfficientNet's (`block4a_project_bn`, `top_activation`), with
//! batch norm folded into the convolutions.

use super::average_and_predict;
use crate::{Conv2d, InputSize, LayerId, Network, NetworkBuilder, Op, Padding, Preprocess, Result};

/// Repeats, kernel, step of the first, expansion and channels out of each stage.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
];

/// Channels after the stem and before the classifier.
const STEM: usize = 32;
const HEAD: usize = 1280;

/// Describes `efficientnet_lite0`, without or with its classifier, whose `predictions` are logits.
pub fn efficientnet_lite0(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    // The padding of strided windows is TensorFlow's "same" for even sizes: five halvings must come out even.
    let size = InputSize { native: 224, min: 32, multiple: 32 };
    let mut b = NetworkBuilder::new("efficientnet_lite0", size, preprocess);
    let from = b.input();
    let mut at = conv_relu6(&mut b, "stem", conv("stem_conv", [3, STEM], 3, 2, 1), from);
    let mut channels = STEM;
    for (stage, (repeats, kernel, step, expansion, outputs)) in (1..).zip(STAGES) {
        for (repeat, letter) in ('a'..).take(repeats).enumerate() {
            let block = InvertedResidual {
                name: format!("block{stage}{letter}"),
                channels: [channels, outputs],
                kernel,
                step: if repeat == 0 { step } else { 1 },
                expansion,
            };
            at = block.add_to(&mut b, at);
            channels = outputs;
        }
    }
    at = conv_relu6(&mut b, "top", conv("top_conv", [channels, HEAD], 1, 1, 1), at);
    if classifier {
        average_and_predict(&mut b, HEAD, at);
    }
    b.finish()
}

/// An inverted bottleneck: expand, filter each channel by itself, project, and add the input where it fits.
struct InvertedResidual {
    name: String,
    channels: [usize; 2],
    kernel: usize,
    step: usize,
    expansion: usize,
}

impl InvertedResidual {
    fn add_to(&self, b: &mut NetworkBuilder, from: LayerId) -> LayerId {
        let Self { name, channels: [inputs, outputs], kernel, step, expansion } = self;
        let inner = inputs * expansion;
        let mut at = from;
        if *expansion > 1 {
            let expand = conv(&format!("{name}_expand_conv"), [*inputs, inner], 1, 1, 1);
            at = conv_relu6(b, &format!("{name}_expand"), expand, at);
        }
        let depthwise = conv(&format!("{name}_dwconv"), [inner, inner], *kernel, *step, inner);
        at = conv_relu6(b, name, depthwise, at);
        let project = conv(&format!("{name}_project_conv"), [inner, *outputs], 1, 1, 1);
        at = b.add(format!("{name}_project_bn"), Op::Conv2d(project), &[at]);
        let is_residual = *step == 1 && inputs == outputs;
        if is_residual { b.add(format!("{name}_add"), Op::Add, &[at, from]) } else { at }
    }
}

fn conv_relu6(b: &mut NetworkBuilder, prefix: &str, conv: Conv2d, from: LayerId) -> LayerId {
    let name = format!("{prefix}_activation");
    let pre = b.add(format!("{name}:pre"), Op::Conv2d(conv), &[from]);
    b.add(name, Op::Relu6, &[pre])
}

/// TensorFlow's "same" padding: what is left over of an even size goes below and to the right.
fn conv(weights: &str, [inputs, outputs]: [usize; 2], kernel: usize, step: usize, groups: usize) -> Conv2d {
    let total = kernel - step.min(kernel);
    let (before, after) = (total / 2, total - total / 2);
    let padding = Padding { top: before, left: before, bottom: after, right: after };
    Conv2d {
        weights: weights.into(),
        inputs,
        outputs,
        kernel: [kernel; 2],
        stride: [step; 2],
        padding,
        groups,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    #[test]
    fn it_has_the_published_size() {
        let network = efficientnet_lite0(Preprocess::lite(), true).unwrap();
        let norms: usize =
            network.tensors().filter(|(n, _)| n.ends_with("conv.bias")).map(|(_, s)| s[0]).sum();
        // 4,652,008 with two numbers of batch norm a channel, of which one bias a channel stays here.
        assert_eq!(network.parameters() + norms, 4_652_008);
        let top = network.layer("top_activation").unwrap();
        assert_eq!(network.shape(224, 224, top).unwrap(), Shape { channels: 1280, height: 7, width: 7 });
        assert!(network.layer("block2b_add").is_ok() && network.layer("block2a_add").is_err());
    }
}
