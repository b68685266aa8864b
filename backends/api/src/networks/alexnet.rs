//! torchvision's `AlexNet`, of "One weird trick for parallelizing convolutional neural networks" (arXiv 1404.5997): no groups and
//! no local response norm. Layers have torchvision's names: `features.10` is the module of that number.

use crate::{Conv2d, InputSize, Network, NetworkBuilder, Op, Padding, Pool, Preprocess, Result};

/// Channels, kernel, step and padding of each convolution, the number of its module, and whether a pooling follows its ReLU.
const CONVOLUTIONS: [([usize; 2], [usize; 3], usize, bool); 5] = [
    ([3, 64], [11, 4, 2], 0, true),
    ([64, 192], [5, 1, 2], 3, true),
    ([192, 384], [3, 1, 1], 6, false),
    ([384, 256], [3, 1, 1], 8, false),
    ([256, 256], [3, 1, 1], 10, true),
];

/// Numbers of the last pooling at the network's own size.
const FEATURES: usize = 256 * 6 * 6;

/// Describes `alexnet`, without or with its classifier, whose `classifier.6` are logits.
pub fn alexnet(preprocess: Preprocess, classifier: bool) -> Result<Network> {
    let size = InputSize { native: 224, min: 63, multiple: 1 };
    let mut b = NetworkBuilder::new("alexnet", size, preprocess);
    let pool = Pool { kernel: [3, 3], stride: [2, 2], padding: Padding::default() };
    let mut at = b.input();
    for ([inputs, outputs], [kernel, step, padding], module, is_pooled) in CONVOLUTIONS {
        let conv = Conv2d {
            weights: format!("features.{module}"),
            inputs,
            outputs,
            kernel: [kernel; 2],
            stride: [step; 2],
            padding: Padding::all(padding),
            groups: 1,
        };
        let relu = format!("features.{}", module + 1);
        b.alias(format!("features.{module}"), format!("{relu}:pre"));
        at = b.conv2d_relu(&relu, conv, at);
        if is_pooled {
            at = b.add(format!("features.{}", module + 2), Op::MaxPool(pool), &[at]);
        }
    }
    b.alias("features", "features.12");
    if classifier {
        at = b.add("flatten", Op::Flatten, &[at]);
        for (module, inputs) in [(1, FEATURES), (4, 4096)] {
            let (layer, relu) = (format!("classifier.{module}"), format!("classifier.{}", module + 1));
            b.alias(layer.as_str(), format!("{relu}:pre"));
            let linear = Op::Linear(crate::Linear { weights: layer, inputs, outputs: 4096 });
            let pre = b.add(format!("{relu}:pre"), linear, &[at]);
            at = b.add(relu, Op::Relu, &[pre]);
        }
        b.linear("classifier.6", 4096, 1000, at);
    }
    b.finish()
}
