//! Tiny networks whose ReLUs are driven by the colours of the images: which gates are open is known beforehand.

use crate::conformance::noise;
use crate::conformance::samples::{conv, pool, weights_for};
use crate::{
    ActivationCurve, Array, Conv2d, InputSize, LayerId, Network, NetworkBuilder, Op, Padding, Preprocess,
    Result, Weights,
};

/// Height and width of the images.
const SIZE: [usize; 2] = [5, 6];

/// Channels of a convolution that drives a ReLU.
const DRIVEN: usize = 5;

/// The beginning of their names.
const DRIVE: &str = "drive-";

/// Values of R, G or B that become about -10, 2 and 10.
const LOW: f32 = 0.02;
const OPEN: f32 = 0.6;
const HIGH: f32 = 0.98;

/// The batch: R, G and B of each image, and whether the caller's cotangent is zero wherever a gate is open.
const BATCH: [([f32; 3], bool); 6] = [
    ([OPEN, OPEN, OPEN], false),
    ([LOW, LOW, LOW], false),
    ([HIGH, HIGH, HIGH], false),
    ([LOW, HIGH, LOW], false),
    ([HIGH, OPEN, LOW], false),
    ([HIGH, OPEN, LOW], true),
];

/// A network, and where it is pulled back from.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) network: Network,
    pub(super) weights: Weights,
    /// The layers asked for.
    pub(super) at: Vec<LayerId>,
    /// The ReLUs with nothing but sums and concatenations between them and the layers asked for; none if not all are.
    pub(super) relus: Vec<LayerId>,
    /// The cotangents that arrive at these.
    pub(super) arriving: Arriving,
}

/// Builds one case's nodes onto the input: the layers asked for, and the ReLUs.
type BuildCase = fn(&mut NetworkBuilder, LayerId) -> [Vec<LayerId>; 2];

/// dL/d(output) of each of the ReLUs, from the caller's cotangents.
pub(super) type Arriving = fn(&[Array]) -> Result<Vec<Array>>;

/// Name, nodes, and what arrives.
const CASES: &[(&str, BuildCase, Arriving)] = &[
    ("relu", |b, x| alone(b, Op::Relu, x), |c| Ok(c.to_vec())),
    ("relu6", |b, x| alone(b, Op::Relu6, x), |c| Ok(c.to_vec())),
    ("relu-of-a-sum", |b, x| of_two(b, Op::Add, Op::Relu6, x), |c| Ok(c.to_vec())),
    ("relu-of-a-concatenation", |b, x| of_two(b, Op::Concat, Op::Relu, x), |c| Ok(c.to_vec())),
    ("sum-of-branches", |b, x| branches(b, Op::Add, x), |c| Ok(vec![c[0].clone(), c[0].clone()])),
    ("concatenation-of-branches", |b, x| branches(b, Op::Concat, x), |c| halves(&c[0])),
    ("read-twice-and-asked-for", read_twice, |c| {
        let twice = c[0].data().iter().zip(c[1].data()).map(|(sum, own)| 2.0 * sum + own).collect();
        Ok(vec![c[0].clone(), Array::new(c[0].shape(), twice)?])
    }),
    ("chain", chain, |_| Ok(Vec::new())),
    ("residual", residual, |_| Ok(Vec::new())),
    ("beside-a-hard-sigmoid", beside_a_curve, |_| Ok(Vec::new())),
];

/// All of them, with their weights.
pub(super) fn cases() -> Result<Vec<Case>> {
    let cases = CASES.iter().map(|(name, build, arriving)| {
        let size = InputSize { native: SIZE[0], min: 1, multiple: 1 };
        let preprocess =
            Preprocess { scale: [20.0, 19.0, 21.0], shift: [-10.0, -9.5, -10.5], trained_on_bgr: false };
        let mut b = NetworkBuilder::new(name, size, preprocess);
        let first = b.input();
        let [at, relus] = build(&mut b, first);
        let network = b.finish()?;
        let weights = driving(weights_for(&network));
        Ok(Case { network, weights, at, relus, arriving: *arriving })
    });
    cases.collect()
}

/// The batch: plain colours with a little noise.
pub(super) fn images() -> Array {
    let mut images = noise(61, [BATCH.len(), 3, SIZE[0], SIZE[1]]);
    for (n, (colours, _)) in BATCH.iter().enumerate() {
        for (plane, colour) in images.item_mut(n).chunks_mut(SIZE[0] * SIZE[1]).zip(colours) {
            for v in plane {
                *v = colour + 0.02 * *v;
            }
        }
    }
    images
}

/// Noise, shaped like each of the `activations`, which are those asked for; for some images only where `is_open` says no,
/// of an activation's number and the index of a number in it.
pub(super) fn cotangents(activations: &[Array], is_open: impl Fn(usize, usize) -> bool) -> Vec<Array> {
    let cotangent = |(which, activation): (usize, &Array)| {
        let mut cotangent = noise(62 + which as u64, activation.shape());
        let len = activation.item(0).len();
        for (n, (_, spares_open)) in BATCH.iter().enumerate() {
            for (i, v) in cotangent.item_mut(n).iter_mut().enumerate() {
                if *spares_open && is_open(which, n * len + i) {
                    *v = 0.0;
                }
            }
        }
        cotangent
    };
    activations.iter().enumerate().map(cotangent).collect()
}

fn three_by_three(b: &mut NetworkBuilder, name: &str, inputs: usize, from: LayerId) -> LayerId {
    let conv = Conv2d {
        weights: name.into(),
        inputs,
        outputs: DRIVEN,
        kernel: [3, 3],
        stride: [1, 1],
        padding: Padding::all(1),
        groups: 1,
    };
    b.add(name, Op::Conv2d(conv), &[from])
}

/// A convolution whose channels follow the images' colours in turn: `colours` are their digits.
fn drive(b: &mut NetworkBuilder, colours: &str, from: LayerId) -> LayerId {
    three_by_three(b, &format!("{DRIVE}{colours}"), 3, from)
}

/// Makes the noise of what drives faint, with a one in the middle of each kernel for the colour that it follows.
fn driving(mut weights: Weights) -> Weights {
    let of = |name: &str| name.starts_with(DRIVE) || name.starts_with("faint");
    let faint: Vec<(String, Array)> = weights
        .iter()
        .filter(|(name, _)| of(name))
        .map(|(name, tensor)| (name.into(), tensor.clone()))
        .collect();
    for (name, mut tensor) in faint {
        tensor.data_mut().iter_mut().for_each(|v| *v *= 0.04);
        if let Some(colours) = name.strip_prefix(DRIVE).and_then(|rest| rest.strip_suffix(".weight")) {
            for (channel, digit) in colours.bytes().cycle().take(DRIVEN).enumerate() {
                tensor.item_mut(channel)[usize::from(digit - b'0') * 9 + 4] += 1.0;
            }
        }
        weights.insert(name, tensor);
    }
    weights
}

fn alone(b: &mut NetworkBuilder, relu: Op, x: LayerId) -> [Vec<LayerId>; 2] {
    let x = drive(b, "012", x);
    let y = b.add("relu", relu, &[x]);
    [vec![y], vec![y]]
}

fn of_two(b: &mut NetworkBuilder, meet: Op, relu: Op, x: LayerId) -> [Vec<LayerId>; 2] {
    let both = [drive(b, "012", x), drive(b, "0", x)];
    let met = b.add("both", meet, &both);
    let y = b.add("relu", relu, &[met]);
    [vec![y], vec![y]]
}

fn branches(b: &mut NetworkBuilder, meet: Op, x: LayerId) -> [Vec<LayerId>; 2] {
    let [a, c] = [drive(b, "0", x), drive(b, "2", x)];
    let relus = [b.add("relu", Op::Relu, &[a]), b.add("relu6", Op::Relu6, &[c])];
    [vec![b.add("both", meet, &relus)], relus.to_vec()]
}

/// A hard sigmoid is no ReLU: its gradient stays zero where it is zero in all of an image.
fn beside_a_curve(b: &mut NetworkBuilder, x: LayerId) -> [Vec<LayerId>; 2] {
    let [a, c] = [drive(b, "0", x), drive(b, "2", x)];
    let curve = ActivationCurve::HardSigmoid { slope: 0.2, shift: 0.5 };
    let both = [b.add("relu", Op::Relu, &[a]), b.add("curve", Op::Unary(curve), &[c])];
    [vec![b.add("both", Op::Concat, &both)], Vec::new()]
}

fn read_twice(b: &mut NetworkBuilder, x: LayerId) -> [Vec<LayerId>; 2] {
    let [a, c] = [drive(b, "0", x), drive(b, "2", x)];
    let relus = [b.add("once", Op::Relu, &[a]), b.add("twice", Op::Relu, &[c])];
    let sum = b.add("sum", Op::Add, &[relus[0], relus[1], relus[1]]);
    [vec![sum, relus[1]], relus.to_vec()]
}

fn chain(b: &mut NetworkBuilder, x: LayerId) -> [Vec<LayerId>; 2] {
    let x = drive(b, "012", x);
    let x = b.add("relu", Op::Relu, &[x]);
    let x = conv(b, x, [DRIVEN, 4], [3, 3], [1, 1], Padding::all(1), 1);
    let x = b.add("relu6", Op::Relu6, &[x]);
    let x = b.add("pool", Op::MaxPool(pool(2, 2, Padding::default())), &[x]);
    [vec![conv(b, x, [4, 3], [1, 1], [1, 1], Padding::default(), 1)], Vec::new()]
}

/// The second ReLU may be dead where the first, which is asked for too, is not.
fn residual(b: &mut NetworkBuilder, x: LayerId) -> [Vec<LayerId>; 2] {
    let [a, c] = [drive(b, "0", x), drive(b, "2", x)];
    let first = b.add("relu", Op::Relu, &[a]);
    let faint = three_by_three(b, "faint", DRIVEN, first);
    let sum = b.add("sum", Op::Add, &[faint, c]);
    let second = b.add("relu6", Op::Relu6, &[sum]);
    [vec![conv(b, second, [DRIVEN, 3], [3, 3], [1, 1], Padding::all(1), 1), first], Vec::new()]
}

/// The channels' first half and their second.
fn halves(both: &Array) -> Result<Vec<Array>> {
    let (n, mut shape) = both.dims4()?;
    shape.channels /= 2;
    let half = |half: usize| {
        let data = (0..n).flat_map(|n| both.item(n)[half * shape.len()..][..shape.len()].iter().copied());
        Array::new(shape.batch(n), data.collect())
    };
    Ok(vec![half(0)?, half(1)?])
}
