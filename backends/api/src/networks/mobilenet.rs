//! torchvision's networks of inverted residuals: `MobileNetV2` ("Inverted Residuals and Linear Bottlenecks", arXiv 1801.04381),
//! `MobileNetV3` ("Searching for `MobileNetV3`", arXiv 1905.02244) and `EfficientNet` ("Rethinking Model Scaling", arXiv 1905.11946).
//! A block widens its input, convolves each channel by itself, perhaps gates the channels, and narrows again without an
//! activation function. Layers have torchvision's names: `features.5` is a block's output.

use super::torchvision_blocks::{SquareConv, conv_norm, numbered, squeeze_excite};
use crate::{ActivationCurve, InputSize, LayerId, Network, NetworkBuilder, Op, Preprocess, Result};

/// The sizes that these networks take: their paddings suit any.
const SIZE: InputSize = InputSize { native: 224, min: 32, multiple: 1 };

/// Sigmoid's piecewise linear relative in `MobileNetV3`.
const HARD_SIGMOID: Op = Op::Unary(ActivationCurve::HardSigmoid { slope: 1.0 / 6.0, shift: 0.5 });

const HARD_SWISH: Op = Op::Unary(ActivationCurve::HardSwish);
const SILU: Op = Op::Unary(ActivationCurve::Silu);
const SIGMOID: Op = Op::Unary(ActivationCurve::Sigmoid);

/// An inverted residual.
#[derive(Debug, Clone)]
struct Inverted {
    kernel: usize,
    step: usize,
    inputs: usize,
    /// Channels inside; as many as come in if the block does not widen.
    inner: usize,
    outputs: usize,
    curve: Op,
    /// The channels of the gate's inner layer, and its curves.
    gate: Option<(usize, [Op; 2])>,
}

impl Inverted {
    /// Adds the block `name`, whose modules are in `name.inside`, numbered without gaps. With `is_bare`, the last convolution
    /// and its norm are modules of the block, and not of a module of their own.
    fn add(&self, b: &mut NetworkBuilder, name: &str, inside: &str, is_bare: bool, from: LayerId) -> LayerId {
        let mut module = 0;
        let mut next = || {
            module += 1;
            format!("{name}.{inside}.{}", module - 1)
        };
        let mut at = from;
        if self.inner != self.inputs {
            at = conv_norm(b, &next(), SquareConv::pointwise(self.inputs, self.inner), Some(&self.curve), at);
        }
        let depthwise = SquareConv::depthwise(self.inner, self.kernel, self.step);
        at = conv_norm(b, &next(), depthwise, Some(&self.curve), at);
        if let Some((squeezed, [inner, gate])) = &self.gate {
            at = squeeze_excite(b, &next(), [self.inner, *squeezed], [inner, gate], at);
        }
        let narrow = SquareConv::pointwise(self.inner, self.outputs);
        let has_shortcut = self.step == 1 && self.inputs == self.outputs;
        let last = next();
        let modules = if is_bare {
            [last, next(), String::new()]
        } else {
            if !has_shortcut {
                b.alias(last.as_str(), name);
            }
            [format!("{last}.0"), format!("{last}.1"), String::new()]
        };
        let own = match (has_shortcut, is_bare) {
            (false, _) => name,
            (true, true) => &modules[1],
            (true, false) => modules[0].trim_end_matches(".0"),
        };
        at = numbered(b, own, narrow, (&modules, None), at);
        if has_shortcut { b.add(name, Op::Add, &[at, from]) } else { at }
    }
}

/// Describes `mobilenet_v2`, without or with its classifier, whose `classifier.1` are logits.
pub fn mobilenet_v2(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    let mut b = NetworkBuilder::new("mobilenet_v2", SIZE, preprocess);
    let stem = SquareConv { channels: [3, 32], kernel: 3, step: 2, groups: 1 };
    let mut at = conv_norm(&mut b, "features.0", stem, Some(&Op::Relu6), NetworkBuilder::FIRST);
    let (mut inputs, mut index) = (32, 1);
    let stages = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ];
    for (widening, outputs, blocks, first_step) in stages {
        for block in 0..blocks {
            let step = if block == 0 { first_step } else { 1 };
            let inner = inputs * widening;
            let inverted = Inverted { kernel: 3, step, inputs, inner, outputs, curve: Op::Relu6, gate: None };
            at = inverted.add(&mut b, &format!("features.{index}"), "conv", true, at);
            (inputs, index) = (outputs, index + 1);
        }
    }
    at = conv_norm(&mut b, "features.18", SquareConv::pointwise(320, 1280), Some(&Op::Relu6), at);
    b.alias("features", "features.18");
    if classifier {
        let average = b.add("avgpool", Op::GlobalAverage, &[at]);
        b.linear("classifier.1", 1280, 1000, average);
    }
    b.finish()
}

/// The blocks of `mobilenet_v3_large`: kernel, channels inside and out, whether it is gated, whether it has hard-swish, step.
const LARGE: [(usize, usize, usize, bool, bool, usize); 15] = [
    (3, 16, 16, false, false, 1),
    (3, 64, 24, false, false, 2),
    (3, 72, 24, false, false, 1),
    (5, 72, 40, true, false, 2),
    (5, 120, 40, true, false, 1),
    (5, 120, 40, true, false, 1),
    (3, 240, 80, false, true, 2),
    (3, 200, 80, false, true, 1),
    (3, 184, 80, false, true, 1),
    (3, 184, 80, false, true, 1),
    (3, 480, 112, true, true, 1),
    (3, 672, 112, true, true, 1),
    (5, 672, 160, true, true, 2),
    (5, 960, 160, true, true, 1),
    (5, 960, 160, true, true, 1),
];

/// Describes `mobilenet_v3_large`, without or with its classifier, whose `classifier.3` are logits.
pub fn mobilenet_v3_large(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    let mut b = NetworkBuilder::new("mobilenet_v3_large", SIZE, preprocess);
    let stem = SquareConv { channels: [3, 16], kernel: 3, step: 2, groups: 1 };
    let mut at = conv_norm(&mut b, "features.0", stem, Some(&HARD_SWISH), NetworkBuilder::FIRST);
    let mut inputs = 16;
    for (index, (kernel, inner, outputs, is_gated, is_hard, step)) in (1..).zip(LARGE) {
        let curve = if is_hard { HARD_SWISH } else { Op::Relu };
        let gate = is_gated.then(|| (divisible(inner / 4), [Op::Relu, HARD_SIGMOID]));
        let inverted = Inverted { kernel, step, inputs, inner, outputs, curve, gate };
        at = inverted.add(&mut b, &format!("features.{index}"), "block", false, at);
        inputs = outputs;
    }
    at = conv_norm(&mut b, "features.16", SquareConv::pointwise(160, 960), Some(&HARD_SWISH), at);
    b.alias("features", "features.16");
    if classifier {
        let average = b.add("avgpool", Op::GlobalAverage, &[at]);
        let hidden = b.linear("classifier.0", 960, 1280, average);
        let hidden = b.add("classifier.1", HARD_SWISH, &[hidden]);
        b.linear("classifier.3", 1280, 1000, hidden);
    }
    b.finish()
}

/// The multiple of 8 that is nearest, and no more than a tenth below.
fn divisible(channels: usize) -> usize {
    let near = ((channels + 4) / 8 * 8).max(8);
    if 10 * near < 9 * channels { near + 8 } else { near }
}

/// Describes `efficientnet_b0`, without or with its classifier, whose `classifier.1` are logits.
pub fn efficientnet_b0(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    let mut b = NetworkBuilder::new("efficientnet_b0", SIZE, preprocess);
    let stem = SquareConv { channels: [3, 32], kernel: 3, step: 2, groups: 1 };
    let mut at = conv_norm(&mut b, "features.0", stem, Some(&SILU), NetworkBuilder::FIRST);
    let mut inputs = 32;
    let stages = [
        (1, 3, 1, 16, 1),
        (6, 3, 2, 24, 2),
        (6, 5, 2, 40, 2),
        (6, 3, 2, 80, 3),
        (6, 5, 1, 112, 3),
        (6, 5, 2, 192, 4),
        (6, 3, 1, 320, 1),
    ];
    for (stage, (widening, kernel, first_step, outputs, blocks)) in (1..).zip(stages) {
        for block in 0..blocks {
            let (step, inner) = (if block == 0 { first_step } else { 1 }, inputs * widening);
            let gate = Some((inputs / 4, [SILU, SIGMOID]));
            let inverted = Inverted { kernel, step, inputs, inner, outputs, curve: SILU, gate };
            at = inverted.add(&mut b, &format!("features.{stage}.{block}"), "block", false, at);
            inputs = outputs;
        }
        b.alias(format!("features.{stage}"), format!("features.{stage}.{}", blocks - 1));
    }
    at = conv_norm(&mut b, "features.8", SquareConv::pointwise(320, 1280), Some(&SILU), at);
    b.alias("features", "features.8");
    if classifier {
        let average = b.add("avgpool", Op::GlobalAverage, &[at]);
        b.linear("classifier.1", 1280, 1000, average);
    }
    b.finish()
}
