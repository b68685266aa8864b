//! Every kernel at a shape of a real network, forwards and back, on one thread and on two: `cargo bench -p trepang-cpu`.
//! A model takes pictures, so a pointwise convolution from three channels comes before the one that is measured.
//! Not for backends against each other: that is `trepang bench`.

use divan::counter::ItemsCount;
use trepang_api::{
    Array, Backend, Conv2d, InputSize, LayerId, Model, NetworkBuilder, Op, Padding, Pool, Preprocess,
    ReluGradient, Weights, find_device,
};
use trepang_cpu::{Algorithm, CpuBackend, CpuOptions, Level};

fn main() {
    divan::main();
}

/// A convolution of `channels` with a square kernel, at `side` x `side` positions.
#[derive(Debug, Clone, Copy)]
struct Shape {
    channels: [usize; 2],
    kernel: [usize; 2],
    stride: usize,
    groups: usize,
    side: usize,
}

const fn square(channels: [usize; 2], kernel: usize, side: usize) -> Shape {
    Shape { channels, kernel: [kernel; 2], stride: 1, groups: 1, side }
}

/// The convolutions that VGG19, ResNet50, InceptionV3 and EfficientNet-Lite0 have most of.
const SHAPES: [Shape; 8] = [
    square([64, 64], 3, 112),
    square([256, 256], 3, 28),
    square([512, 512], 3, 14),
    square([256, 64], 1, 56),
    square([1024, 256], 1, 14),
    Shape { kernel: [1, 7], ..square([160, 160], 7, 17) },
    Shape { stride: 2, ..square([128, 128], 3, 56) },
    Shape { groups: 240, ..square([240, 240], 5, 28) },
];

fn conv(shape: Shape, name: &str, inputs: usize, kernel: [usize; 2]) -> Conv2d {
    let measured = name == "measured";
    Conv2d {
        weights: name.into(),
        inputs,
        outputs: shape.channels[usize::from(measured)],
        kernel,
        stride: [if measured { shape.stride } else { 1 }; 2],
        padding: Padding {
            top: kernel[0] / 2,
            bottom: kernel[0] / 2,
            left: kernel[1] / 2,
            right: kernel[1] / 2,
        },
        groups: if measured { shape.groups } else { 1 },
    }
}

/// The model, and its last layer.
fn model(
    build: impl FnOnce(&mut NetworkBuilder),
    threads: usize,
    options: CpuOptions,
) -> (Box<dyn Model>, LayerId) {
    let size = InputSize { native: 32, min: 1, multiple: 1 };
    let mut builder = NetworkBuilder::new("bench", size, Preprocess::minus_one_to_one());
    build(&mut builder);
    let network = builder.finish().expect("a network of two layers");
    let mut weights = Weights::default();
    for (name, shape) in network.tensors() {
        let len: usize = shape.iter().product();
        let numbers = (0..len).map(|i| ((i * 37 % 101) as f32 - 50.0) / 5000.0).collect();
        weights.insert(name, Array::new(shape, numbers).expect("as many numbers as the shape has"));
    }
    let backend = CpuBackend::new(threads, options).expect("threads");
    let cpu = find_device(&backend, "cpu").expect("every machine has a CPU");
    let last = network.layers().last().expect("two layers");
    (backend.load(&network, &weights, &cpu).expect("a level of this machine"), last)
}

/// A step from the images through the last layer and back.
fn step(bencher: divan::Bencher, (mut model, last): (Box<dyn Model>, LayerId), side: usize, flop: usize) {
    let images = Array::zeros([1, 3, side, side]);
    bencher.counter(ItemsCount::new(flop)).bench_local(|| {
        model
            .pull_back(&images, &[last], ReluGradient::True, &mut |activations| {
                Ok(vec![activations[0].clone()])
            })
            .expect("a step")
    });
}

fn convolution(bencher: divan::Bencher, shape: Shape, threads: usize, options: CpuOptions) {
    let Shape { channels: [inputs, outputs], kernel, side, groups, stride } = shape;
    let build = |b: &mut NetworkBuilder| {
        let first = b.add("first", Op::Conv2d(conv(shape, "first", 3, [1, 1])), &[b.input()]);
        b.add("measured", Op::Conv2d(conv(shape, "measured", inputs, kernel)), &[first]);
    };
    let places = (side / stride) * (side / stride);
    let flop = 4 * places * outputs * inputs / groups * kernel[0] * kernel[1];
    step(bencher, model(build, threads, options), side, flop);
}

#[divan::bench(args = SHAPES)]
fn one_thread(bencher: divan::Bencher, shape: Shape) {
    convolution(bencher, shape, 1, CpuOptions::default());
}

#[divan::bench(args = SHAPES)]
fn two_threads(bencher: divan::Bencher, shape: Shape) {
    convolution(bencher, shape, 2, CpuOptions::default());
}

#[divan::bench(args = &SHAPES[..3])]
fn one_thread_direct(bencher: divan::Bencher, shape: Shape) {
    convolution(bencher, shape, 1, CpuOptions { algorithm: Algorithm::Direct, ..CpuOptions::default() });
}

#[divan::bench(args = SHAPES)]
fn one_thread_portable(bencher: divan::Bencher, shape: Shape) {
    convolution(bencher, shape, 1, CpuOptions { level: Level::Portable, ..CpuOptions::default() });
}

#[divan::bench]
fn max_pool(bencher: divan::Bencher) {
    let pool = Pool { kernel: [2, 2], stride: [2, 2], padding: Padding::default() };
    let build = |b: &mut NetworkBuilder| {
        let first =
            b.add("first", Op::Conv2d(conv(square([64, 64], 1, 224), "first", 3, [1, 1])), &[b.input()]);
        b.add("measured", Op::MaxPool(pool), &[first]);
    };
    step(bencher, model(build, 2, CpuOptions::default()), 224, 64 * 224 * 224);
}
