//! Every kernel against sums in f64, over random shapes, with every width of vectors; and sixteen lanes through the whole
//! suite on machines that have no AVX-512.

use std::sync::Arc;

use pulp::{Scalar128b, Scalar512b};
use rayon::{ThreadPool, ThreadPoolBuilder};
use trepang_api::{
    Array, Backend, Conv2d, Device, DeviceKind, InputSize, LayerId, Linear, Model, Network, NetworkBuilder,
    Op, Padding, Preprocess, ReluGradient, Result, Weights, conformance,
};

use crate::buffer::Buffer;
use crate::conv::finish::{Finish, Input, Output};
use crate::conv::{ConvKernel, Convolution, Direction, Scratch};
use crate::grid::BatchShape;
use crate::lanes::Lanes;
use crate::model::CpuModel;
use crate::{Algorithm, CpuBackend, CpuOptions};

/// Minimal filtering against f64, relative to the largest entry. Measured: 2e-6 with 256 channels; few channels have
/// smaller largest entries beside the same factors.
const WINOGRAD_TOLERANCE: f64 = 1e-5;

/// Sums of at most a few hundred products in `f32`.
const DIRECT_TOLERANCE: f64 = 2e-6;

/// <J v, u> against <v, Jt u>, relative to the norms: rounding only.
const ADJOINT_TOLERANCE: f64 = 1e-5;

/// Shapes that are tried.
const SHAPES: u32 = 60;

/// Numbers that only look random: equal in every run.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }

    fn one_of(&mut self, choices: &[usize]) -> usize {
        choices[self.next() as usize % choices.len()]
    }

    /// From -1 to 1.
    fn many(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.next() as f32 / (1 << 23) as f32 - 1.0).collect()
    }
}

/// A convolution of any sort, and an input it can take: one-pixel images, odd sides, channels that fill no vector.
fn shape(numbers: &mut Numbers) -> (Conv2d, BatchShape, BatchShape) {
    loop {
        let groups = numbers.one_of(&[1, 1, 1, 2, 3]);
        let depthwise = numbers.one_of(&[0, 0, 0, 1]) == 1;
        let (inputs, outputs) = if depthwise {
            (1, 1)
        } else {
            (numbers.one_of(&[1, 3, 5, 8, 16, 21]), numbers.one_of(&[1, 2, 7, 16, 33]))
        };
        let groups = if depthwise { numbers.one_of(&[1, 5, 16, 19]) } else { groups };
        let kernel = [[3, 3], [3, 3], [3, 3], [1, 1], [7, 7], [1, 7], [7, 1], [2, 2], [5, 3]]
            [numbers.one_of(&[0, 1, 2, 3, 4, 5, 6, 7, 8])];
        let stride = [numbers.one_of(&[1, 1, 1, 2, 3]); 2];
        let mut side = |kernel: usize| numbers.one_of(&[0, kernel / 2, kernel - 1]);
        let padding = Padding {
            top: side(kernel[0]),
            bottom: side(kernel[0]),
            left: side(kernel[1]),
            right: side(kernel[1]),
        };
        let (height, width) = (numbers.one_of(&[1, 2, 4, 7, 9, 14]), numbers.one_of(&[1, 3, 6, 8, 13]));
        let conv = Conv2d {
            weights: "conv".into(),
            inputs: inputs * groups,
            outputs: outputs * groups,
            kernel,
            stride,
            padding,
            groups,
        };
        let n = numbers.one_of(&[1, 1, 2, 5]);
        let (tall, wide) = (height + padding.top + padding.bottom, width + padding.left + padding.right);
        if tall >= kernel[0] && wide >= kernel[1] {
            let x = BatchShape { n, channels: conv.inputs, height, width };
            let out = [(tall - kernel[0]) / stride[0] + 1, (wide - kernel[1]) / stride[1] + 1];
            let y = BatchShape { n, channels: conv.outputs, height: out[0], width: out[1] };
            return (conv, x, y);
        }
    }
}

/// Calls `each(output, input, weight)` for every product of a convolution: indices of row-major numbers.
fn products(conv: &Conv2d, x: BatchShape, y: BatchShape, mut each: impl FnMut(usize, usize, usize)) {
    let (inputs, outputs) = (conv.inputs / conv.groups, conv.outputs / conv.groups);
    let [kh, kw] = conv.kernel;
    for index in 0..y.n * y.channels * y.height * y.width {
        let (column, row) = (index % y.width, index / y.width % y.height);
        let (o, n) = (index / (y.width * y.height) % y.channels, index / (y.width * y.height * y.channels));
        for tap in 0..inputs * kh * kw {
            let (c, i, j) = (tap / (kh * kw), tap / kw % kh, tap % kw);
            let read = |at: usize, stride: usize, tap: usize, pad: usize, side: usize| {
                (at * stride + tap).checked_sub(pad).filter(|&place| place < side)
            };
            let Some(r) = read(row, conv.stride[0], i, conv.padding.top, x.height) else { continue };
            let Some(s) = read(column, conv.stride[1], j, conv.padding.left, x.width) else { continue };
            let channel = o / outputs * inputs + c;
            each(
                index,
                ((n * x.channels + channel) * x.height + r) * x.width + s,
                o * inputs * kh * kw + tap,
            );
        }
    }
}

/// Runs one direction on row-major numbers.
fn run<S: Lanes>(
    simd: S,
    convolution: &Convolution,
    way: (&ConvKernel, Direction),
    reads: (BatchShape, &[f32]),
    writes: BatchShape,
) -> Vec<f32> {
    let lanes = S::F32_LANES;
    let (mut from, mut to) = (Buffer::new(reads.0.len(lanes)), Buffer::new(writes.len(lanes)));
    reads.0.pack(lanes, reads.1, from.numbers_mut(), |_, x| x);
    let mut scratch = Scratch::default();
    scratch.grow(way.0.scratch(lanes), rayon::current_num_threads());
    let input = Input { data: from.numbers(), gates: None };
    let output = Output { data: &mut to.numbers_mut()[..writes.len(lanes)], gates: None };
    let finish =
        Finish { bias: (way.1 == Direction::Forward).then(|| convolution.bias()), ..Finish::plain(false) };
    convolution.run(simd, way, input, output, finish, &mut scratch);
    let left_over = to.numbers().iter().skip(writes.len(lanes));
    assert!(left_over.copied().all(|x| x == 0.0), "wrote past the end");
    writes.download(lanes, to.numbers()).into_data()
}

/// The largest difference over the largest entry.
fn apart(found: &[f32], expected: &[f64]) -> f64 {
    let largest = expected.iter().fold(1e-30, |most: f64, x| most.max(x.abs()));
    found.iter().zip(expected).fold(0.0, |most: f64, (a, b)| most.max((f64::from(*a) - b).abs())) / largest
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

fn check<S: Lanes>(simd: S, algorithm: Algorithm) {
    let mut numbers = Numbers(7);
    for trial in 0..SHAPES {
        let (conv, x, y) = shape(&mut numbers);
        let sides = [conv.outputs, conv.inputs / conv.groups, conv.kernel[0], conv.kernel[1]];
        let w = numbers.many(sides.iter().product());
        let (b, zeros) = (numbers.many(conv.outputs), vec![0.0; conv.outputs]);
        let (input, cotangent) =
            (numbers.many(x.dims().iter().product()), numbers.many(y.dims().iter().product()));
        let new = |bias: &[f32]| {
            let bias = Array::new([conv.outputs], bias.to_vec()).unwrap();
            Convolution::new(&conv, &Array::new(sides, w.clone()).unwrap(), &bias, S::F32_LANES, algorithm)
        };
        let (convolution, unbiased) = (new(&b), new(&zeros));
        let forward = convolution.kernel(Direction::Forward, x, y, algorithm);
        let back = convolution.kernel(Direction::Back, x, y, algorithm);
        let found_y = run(simd, &convolution, (&forward, Direction::Forward), (x, &input), y);
        let found_dx = run(simd, &convolution, (&back, Direction::Back), (y, &cotangent), x);

        let plane = y.height * y.width;
        let mut expected_y: Vec<f64> =
            (0..cotangent.len()).map(|i| f64::from(b[i / plane % y.channels])).collect();
        let mut expected_dx = vec![0.0; input.len()];
        products(&conv, x, y, |to, from, weight| {
            expected_y[to] += f64::from(input[from]) * f64::from(w[weight]);
            expected_dx[from] += f64::from(cotangent[to]) * f64::from(w[weight]);
        });
        let tolerance = |kernel: &ConvKernel| match kernel {
            ConvKernel::Winograd(_) => WINOGRAD_TOLERANCE,
            ConvKernel::Direct(_) | ConvKernel::Depthwise(_) => DIRECT_TOLERANCE,
        };
        let about = format!("trial {trial}, {} lanes, {algorithm:?}: {conv:?} on {x:?}", S::F32_LANES);
        let (of_y, of_dx) = (apart(&found_y, &expected_y), apart(&found_dx, &expected_dx));
        assert!(of_y <= tolerance(&forward), "y is {of_y:e} off: {about}");
        assert!(of_dx <= tolerance(&back), "dx is {of_dx:e} off: {about}");

        let linear = run(simd, &unbiased, (&forward, Direction::Forward), (x, &input), y);
        let difference = dot(&linear, &cotangent) - dot(&input, &found_dx);
        let scale = (dot(&linear, &linear) * dot(&cotangent, &cotangent)).sqrt().max(1e-30);
        assert!(
            difference.abs() <= ADJOINT_TOLERANCE * scale,
            "not adjoint by {:e}: {about}",
            difference / scale
        );
    }
}

fn check_all<S: Lanes>(simd: S) {
    for algorithm in [Algorithm::Fastest, Algorithm::Winograd, Algorithm::Direct] {
        check(simd, algorithm);
    }
}

#[test]
fn four_lanes_compute_every_convolution_as_f64_does() {
    check_all(Scalar128b);
}

#[test]
fn sixteen_lanes_compute_every_convolution_as_f64_does() {
    check_all(Scalar512b);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn this_processors_lanes_compute_every_convolution_as_f64_does() {
    pulp::x86::V3::try_new().into_iter().for_each(check_all);
    pulp::x86::V4::try_new().into_iter().for_each(check_all);
}

/// AVX-512's width, by plain arrays.
#[derive(Debug)]
struct Wide(Arc<ThreadPool>);

impl Backend for Wide {
    fn name(&self) -> &'static str {
        "wide"
    }

    fn devices(&self) -> Vec<Device> {
        vec![Device::new(DeviceKind::Cpu, 0, String::new())]
    }

    fn threads(&self) -> usize {
        self.0.current_num_threads()
    }

    fn load(&self, network: &Network, weights: &Weights, device: &Device) -> Result<Box<dyn Model>> {
        trepang_api::find_device(self, &device.to_string())?;
        weights.check(network)?;
        Ok(Box::new(CpuModel::new(Scalar512b, network, weights, Arc::clone(&self.0), CpuOptions::default())?))
    }
}

#[test]
fn sixteen_lanes_are_conformant() {
    let backend = Wide(Arc::new(ThreadPoolBuilder::new().num_threads(2).build().unwrap()));
    let cpu = backend.devices().remove(0);
    assert_eq!(conformance::failures(&backend, &cpu), Vec::<String>::new());
}

/// Three dense convolutions of 40 channels and a linear layer.
fn deep(side: usize) -> (Network, Weights) {
    let identity = Preprocess { scale: [1.0; 3], shift: [0.0; 3], trained_on_bgr: false };
    let mut b = NetworkBuilder::new("deep", InputSize { native: side, min: 1, multiple: 1 }, identity);
    let mut at = b.input();
    for (name, inputs) in [("a", 3), ("b", 40), ("c", 40)] {
        let conv = Conv2d {
            weights: name.into(),
            inputs,
            outputs: 40,
            kernel: [3, 3],
            stride: [1, 1],
            padding: Padding::all(1),
            groups: 1,
        };
        let conv = b.add(format!("{name}_conv"), Op::Conv2d(conv), &[at]);
        at = b.add(name, Op::Relu, &[conv]);
    }
    let flat = b.add("flat", Op::Flatten, &[at]);
    let linear = Linear { weights: "fc".into(), inputs: 40 * side * side, outputs: 11 };
    b.add("logits", Op::Linear(linear), &[flat]);
    let network = b.finish().unwrap();
    let mut weights = Weights::default();
    for (seed, (name, shape)) in (1..).zip(network.tensors()) {
        let mut tensor = conformance::noise(seed, shape.clone());
        let terms: usize = shape.iter().skip(1).product();
        tensor.data_mut().iter_mut().for_each(|v| *v *= 2.0 / (terms as f32).sqrt());
        weights.insert(name, tensor);
    }
    (network, weights)
}

#[test]
fn an_images_bits_do_not_depend_on_its_batch() {
    let backend = CpuBackend::new(2, CpuOptions::default()).unwrap();
    let cpu = backend.devices().remove(0);
    for side in 1..9 {
        let (network, weights) = deep(side);
        let mut model = backend.load(&network, &weights, &cpu).unwrap();
        for count in [2, 5, 8] {
            check_batch(model.as_mut(), network.layer("logits").unwrap(), [count, side, side]);
        }
    }
    for sample in conformance::samples().unwrap() {
        let [height, width] = sample.size;
        let mut model = backend.load(&sample.network, &sample.weights, &cpu).unwrap();
        check_batch(model.as_mut(), sample.target(), [5, height, width]);
    }
}

/// Runs and pulls back a batch and its first image alone.
fn check_batch(model: &mut dyn Model, at: LayerId, [count, height, width]: [usize; 3]) {
    let batch = conformance::noise(3, [count, 3, height, width]);
    let alone = Array::new([1, 3, height, width], batch.item(0).to_vec()).unwrap();
    let mut run = |images: &Array| {
        let mut kept = Vec::new();
        let gradient = model
            .pull_back(images, &[at], ReluGradient::True, &mut |activations| {
                kept = activations[0].item(0).to_vec();
                Ok(activations.to_vec())
            })
            .unwrap();
        (kept, gradient.item(0).to_vec())
    };
    assert_eq!(run(&batch), run(&alone), "{count} images of {height}x{width}");
}

#[test]
fn memory_for_many_images_is_given_back_after_many_small_runs() {
    let (network, weights) = deep(8);
    let backend = Wide(Arc::new(ThreadPoolBuilder::new().num_threads(2).build().unwrap()));
    let pool = Arc::clone(&backend.0);
    let mut model = CpuModel::new(Scalar512b, &network, &weights, pool, CpuOptions::default()).unwrap();
    let at = [network.layer("c").unwrap()];
    let (many, one) = (conformance::noise(3, [32, 3, 8, 8]), conformance::noise(4, [1, 3, 8, 8]));
    let run = |model: &mut CpuModel<Scalar512b>, images: &Array| {
        let gradient = model.pull_back(images, &at, ReluGradient::True, &mut |values| Ok(values.to_vec()));
        gradient.unwrap()
    };
    let (first, of_many) = (run(&mut model, &one), run(&mut model, &many));
    let large = model.room();
    // In turns, nothing is given back.
    for _ in 0..100 {
        assert_eq!(run(&mut model, &one), first);
        run(&mut model, &many);
    }
    assert_eq!(model.room(), large);
    for _ in 0..100 {
        assert_eq!(run(&mut model, &one), first);
    }
    assert!(model.room() < large / 8, "{} of {large}", model.room());
    assert_eq!(run(&mut model, &many), of_many);
}
