//! InceptionV3 (Szegedy et al. 2015, arXiv 1512.00567), as Keras and torchvision have it. Layers have Keras's
//! names (`mixed7`; the k-th convolution of a fresh session is `activation_k` after and `activation_k:pre` before
//! its ReLU, batch norm folded in) and torchvision's (`Mixed_6e`, `Mixed_6e.branch7x7_2`) as aliases.

use super::average_and_predict;
use crate::{Conv2d, InputSize, LayerId, Network, NetworkBuilder, Op, Padding, Pool, Preprocess, Result};

/// A convolution of a branch: torchvision's name, channels out, kernel.
type Conv = (&'static str, usize, [usize; 2]);

/// A branch of a module; branches are concatenated in their order.
enum Branch {
    /// Convolutions that keep the size.
    Keep(&'static [Conv]),
    /// The same, but the last one halves the image.
    Halve(&'static [Conv]),
    /// Convolutions, of which the last two read the same input and are concatenated.
    Fork(&'static [Conv]),
    /// 3x3 averages, then this many channels.
    Average(usize),
    /// 3x3 maxima that halve the image.
    Maximum,
}
use Branch::{Average, Fork, Halve, Keep, Maximum};

const ONE: [usize; 2] = [1, 1];
const THREE: [usize; 2] = [3, 3];
const WIDE: [usize; 2] = [1, 7];
const TALL: [usize; 2] = [7, 1];

const DOUBLE: Branch =
    Keep(&[("branch3x3dbl_1", 64, ONE), ("branch3x3dbl_2", 96, THREE), ("branch3x3dbl_3", 96, THREE)]);

/// 35x35 positions; `pool` channels from the averages.
const fn module_a(pool: usize) -> [Branch; 4] {
    [
        Keep(&[("branch1x1", 64, ONE)]),
        Keep(&[("branch5x5_1", 48, ONE), ("branch5x5_2", 64, [5, 5])]),
        DOUBLE,
        Average(pool),
    ]
}

/// To 17x17 positions.
const MODULE_B: [Branch; 3] = [
    Halve(&[("branch3x3", 384, THREE)]),
    Halve(&[("branch3x3dbl_1", 64, ONE), ("branch3x3dbl_2", 96, THREE), ("branch3x3dbl_3", 96, THREE)]),
    Maximum,
];

/// 17x17 positions, factorized 7x7 kernels of `$w` inner channels.
macro_rules! module_c {
    ($w:literal) => {
        [
            Keep(&[("branch1x1", 192, ONE)]),
            Keep(&[("branch7x7_1", $w, ONE), ("branch7x7_2", $w, WIDE), ("branch7x7_3", 192, TALL)]),
            Keep(&[
                ("branch7x7dbl_1", $w, ONE),
                ("branch7x7dbl_2", $w, TALL),
                ("branch7x7dbl_3", $w, WIDE),
                ("branch7x7dbl_4", $w, TALL),
                ("branch7x7dbl_5", 192, WIDE),
            ]),
            Average(192),
        ]
    };
}

/// To 8x8 positions.
const MODULE_D: [Branch; 3] = [
    Halve(&[("branch3x3_1", 192, ONE), ("branch3x3_2", 320, THREE)]),
    Halve(&[
        ("branch7x7x3_1", 192, ONE),
        ("branch7x7x3_2", 192, WIDE),
        ("branch7x7x3_3", 192, TALL),
        ("branch7x7x3_4", 192, THREE),
    ]),
    Maximum,
];

/// 8x8 positions, forked kernels.
const MODULE_E: [Branch; 4] = [
    Keep(&[("branch1x1", 320, ONE)]),
    Fork(&[("branch3x3_1", 384, ONE), ("branch3x3_2a", 384, [1, 3]), ("branch3x3_2b", 384, [3, 1])]),
    Fork(&[
        ("branch3x3dbl_1", 448, ONE),
        ("branch3x3dbl_2", 384, THREE),
        ("branch3x3dbl_3a", 384, [1, 3]),
        ("branch3x3dbl_3b", 384, [3, 1]),
    ]),
    Average(192),
];

/// torchvision's name of each `mixed` module, in order, and its branches.
const MODULES: [(&str, &[Branch]); 11] = [
    ("Mixed_5b", &module_a(32)),
    ("Mixed_5c", &module_a(64)),
    ("Mixed_5d", &module_a(64)),
    ("Mixed_6a", &MODULE_B),
    ("Mixed_6b", &module_c!(128)),
    ("Mixed_6c", &module_c!(160)),
    ("Mixed_6d", &module_c!(160)),
    ("Mixed_6e", &module_c!(192)),
    ("Mixed_7a", &MODULE_D),
    ("Mixed_7b", &MODULE_E),
    ("Mixed_7c", &MODULE_E),
];

/// Describes `inception_v3`, without or with its classifier, whose `predictions` are logits. `count_padding` is
/// how its average pools treat the border: false for Keras's weights, true for torchvision's.
pub fn inception_v3(preprocess: Preprocess, count_padding: bool, classifier: bool) -> Result<Network> {
    let size = InputSize { native: 299, min: 75, multiple: 1 };
    let builder = NetworkBuilder::new("inception_v3", size, preprocess);
    let mut w = Writer { builder, count_padding, convs: 0, averages: 0, maxima: 0 };
    let (mut at, mut channels) = w.stem();
    for (index, (torch, branches)) in MODULES.iter().enumerate() {
        (at, channels) = w.module(&format!("mixed{index}"), torch, branches, (at, channels));
    }
    let mut b = w.builder;
    if classifier {
        average_and_predict(&mut b, channels, at);
        b.alias("avgpool", "avg_pool");
        b.alias("fc", "predictions");
    }
    b.finish()
}

/// A layer and its channels.
type LayerOutput = (LayerId, usize);

/// Numbers layers in the order that Keras makes them, which is also torchvision's.
struct Writer {
    builder: NetworkBuilder,
    count_padding: bool,
    convs: usize,
    averages: usize,
    maxima: usize,
}

impl Writer {
    fn stem(&mut self) -> LayerOutput {
        let valid = Padding::default();
        let mut at = (self.builder.input(), 3);
        at = self.conv(("Conv2d_1a_3x3", 32, THREE), 2, valid, at);
        at = self.conv(("Conv2d_2a_3x3", 32, THREE), 1, valid, at);
        at = self.conv(("Conv2d_2b_3x3", 64, THREE), 1, Padding::all(1), at);
        at = self.maximum(at);
        self.builder.alias("maxpool1", "max_pooling2d_0");
        at = self.conv(("Conv2d_3b_1x1", 80, ONE), 1, valid, at);
        at = self.conv(("Conv2d_4a_3x3", 192, THREE), 1, valid, at);
        at = self.maximum(at);
        self.builder.alias("maxpool2", "max_pooling2d_1");
        at
    }

    fn module(&mut self, name: &str, torch: &str, branches: &[Branch], from: LayerOutput) -> LayerOutput {
        let ends: Vec<LayerOutput> = branches
            .iter()
            .enumerate()
            .map(|(i, branch)| self.branch(name, torch, (i, branch), from))
            .collect();
        self.builder.alias(torch, name);
        self.concat(name, &ends)
    }

    fn branch(
        &mut self,
        name: &str,
        torch: &str,
        (index, branch): (usize, &Branch),
        from: LayerOutput,
    ) -> LayerOutput {
        let keep =
            |s: &mut Self, convs: &[Conv], from| convs.iter().fold(from, |at, &conv| s.keep(torch, conv, at));
        match *branch {
            Keep(convs) => keep(self, convs, from),
            Halve([first @ .., (last, channels, kernel)]) => {
                let at = keep(self, first, from);
                self.conv((&format!("{torch}.{last}"), *channels, *kernel), 2, Padding::default(), at)
            }
            Fork([first @ .., left, right]) => {
                let at = keep(self, first, from);
                let ends = [self.keep(torch, *left, at), self.keep(torch, *right, at)];
                self.concat(&format!("{name}_fork{index}"), &ends)
            }
            Halve([]) | Fork(_) => from,
            Average(channels) => {
                let at = self.average(from);
                self.keep(torch, ("branch_pool", channels, ONE), at)
            }
            Maximum => self.maximum(from),
        }
    }

    fn keep(&mut self, torch: &str, (name, channels, kernel): Conv, from: LayerOutput) -> LayerOutput {
        let [down, right] = kernel.map(|side| side / 2);
        let padding = Padding { top: down, bottom: down, left: right, right };
        self.conv((&format!("{torch}.{name}"), channels, kernel), 1, padding, from)
    }

    fn conv(
        &mut self,
        (torch, outputs, kernel): (&str, usize, [usize; 2]),
        step: usize,
        padding: Padding,
        (from, inputs): LayerOutput,
    ) -> LayerOutput {
        let (index, name) = (self.convs, format!("activation_{}", self.convs));
        self.convs += 1;
        let weights = format!("conv2d_{index}");
        let conv = Conv2d { weights, inputs, outputs, kernel, stride: [step; 2], padding, groups: 1 };
        let at = self.builder.conv2d_relu(&name, conv, from);
        self.builder.alias(torch, &name);
        self.builder.alias(format!("{torch}.bn"), format!("{name}:pre"));
        self.builder.alias(format!("batch_normalization_{index}"), format!("{name}:pre"));
        (at, outputs)
    }

    fn average(&mut self, (from, channels): LayerOutput) -> LayerOutput {
        let pool = Pool { kernel: THREE, stride: ONE, padding: Padding::all(1) };
        let op = Op::AveragePool { pool, count_padding: self.count_padding };
        self.averages += 1;
        (self.builder.add(format!("average_pooling2d_{}", self.averages - 1), op, &[from]), channels)
    }

    fn maximum(&mut self, (from, channels): LayerOutput) -> LayerOutput {
        let pool = Pool { kernel: THREE, stride: [2, 2], padding: Padding::default() };
        self.maxima += 1;
        (self.builder.add(format!("max_pooling2d_{}", self.maxima - 1), Op::MaxPool(pool), &[from]), channels)
    }

    fn concat(&mut self, name: &str, parts: &[LayerOutput]) -> LayerOutput {
        let inputs: Vec<LayerId> = parts.iter().map(|part| part.0).collect();
        (self.builder.add(name, Op::Concat, &inputs), parts.iter().map(|part| part.1).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    fn network() -> Network {
        inception_v3(Preprocess::minus_one_to_one(), false, true).unwrap()
    }

    #[test]
    fn it_has_94_convolutions_and_keras_parameters() {
        let convs = network().nodes().iter().filter(|node| matches!(node.op, Op::Conv2d(_))).count();
        // Keras counts 23,851,784 with three numbers of batch norm a channel; one bias a channel stays here.
        assert_eq!((convs, network().parameters()), (94, 23_817_352));
    }

    #[test]
    fn torchvisions_names_mean_the_same_layers() {
        let network = network();
        for (alias, name) in [
            ("Mixed_6e", "mixed7"),
            ("Conv2d_1a_3x3", "activation_0"),
            ("Conv2d_4a_3x3.bn", "activation_4:pre"),
            ("Mixed_7c.branch_pool", "activation_93"),
            ("Mixed_6b.branch7x7_2", "activation_32"),
        ] {
            assert_eq!(network.layer(alias).unwrap(), network.layer(name).unwrap(), "{alias}");
        }
    }

    #[test]
    fn modules_have_the_papers_sizes() {
        let network = network();
        for (name, channels, side) in [("mixed0", 256, 35), ("mixed7", 768, 17), ("mixed10", 2048, 8)] {
            let shape = network.shape(299, 299, network.layer(name).unwrap()).unwrap();
            assert_eq!(shape, Shape { channels, height: side, width: side }, "{name}");
        }
    }
}
