//! Images of any shape: the same network on wide and on high ones, as large as its kernels and tiles are made for.

use super::samples::{conv, pool, weights_for};
use super::{ACTIVATION_TOLERANCE, DIFFERENCE_TOLERANCE, GRADIENT_TOLERANCE};
use super::{Measured, dot, images, noise, relative_difference};
use crate::{
    Array, Backend, Device, InputSize, LayerId, Model, Network, NetworkBuilder, Op, Padding, Preprocess,
    Reference, ReluGradient, Result, find_device,
};

/// Heights and widths: both ways, and one whose sides are odd.
const SIZES: [[usize; 2]; 3] = [[32, 48], [48, 32], [33, 50]];

/// Images in a batch.
const BATCH: usize = 2;

/// Half the distance between the two points of a central difference: along a whole image, since a pixel moves too little of
/// a network of this size.
const STEP: f32 = 1e-3;

/// The directions along which a slope is measured.
const DIRECTIONS: u64 = 4;

/// Convolutions of all kinds that backends have kernels for, with channels enough for those, and pools whose windows overlap.
fn network() -> Result<Network> {
    let identity = Preprocess { scale: [2.0, 1.5, 1.0], shift: [-1.0, -0.5, 0.25], trained_on_bgr: false };
    let mut b = NetworkBuilder::new("oblong", InputSize { native: 32, min: 8, multiple: 1 }, identity);
    let input = b.input();
    let same = Padding::all(1);
    let x = conv(&mut b, input, [3, 16], [3, 3], [1, 1], same, 1);
    let x = b.add("first", Op::Relu, &[x]);
    let x = conv(&mut b, x, [16, 16], [3, 3], [1, 1], same, 1);
    let skip = b.add("second", Op::Relu, &[x]);
    let x = b.add("pooled", Op::MaxPool(pool(3, 2, same)), &[skip]);
    let wide =
        conv(&mut b, x, [16, 8], [1, 7], [1, 1], Padding { left: 3, right: 3, ..Padding::default() }, 1);
    let high =
        conv(&mut b, x, [16, 8], [5, 1], [1, 1], Padding { top: 2, bottom: 2, ..Padding::default() }, 1);
    let x = b.add("both", Op::Concat, &[wide, high]);
    let own = conv(&mut b, x, [16, 16], [3, 3], [1, 1], same, 16);
    let x = b.add("sum", Op::Add, &[x, own]);
    let average = Op::AveragePool { pool: pool(2, 2, Padding::default()), count_padding: true };
    let x = b.add("halved", average, &[x]);
    let x = conv(&mut b, x, [16, 12], [3, 3], [2, 2], same, 1);
    b.add("last", Op::Relu, &[x]);
    b.finish()
}

/// The layers that are compared: before and after each change of size.
fn layers(network: &Network) -> Result<[LayerId; 4]> {
    Ok([network.layer("second")?, network.layer("both")?, network.layer("sum")?, network.layer("last")?])
}

/// Activations at several depths and the pull-back from all of them, on wide and on high images, against the reference.
pub fn oblong_images_agree(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let network = network()?;
    let (weights, at) = (weights_for(&network), layers(&network)?);
    let cpu = find_device(&Reference, "cpu")?;
    let mut reference = Reference.load(&network, &weights, &cpu)?;
    let mut model = backend.load(&network, &weights, device)?;
    let mut worst = 0.0_f64;
    for (seed, size) in (61..).zip(SIZES) {
        let images = images(seed, BATCH, size);
        let compute = |model: &mut dyn Model| -> Result<(Vec<Array>, Array)> {
            let mut back =
                |found: &[Array]| Ok((70..).zip(found).map(|(s, a)| noise(s, a.shape())).collect());
            Ok((
                model.activations(&images, &at)?,
                model.pull_back(&images, &at, ReluGradient::True, &mut back)?,
            ))
        };
        let (expected, slope) = compute(reference.as_mut())?;
        let (found, own) = compute(model.as_mut())?;
        if own.shape() != slope.shape() || found.iter().zip(&expected).any(|(a, b)| a.shape() != b.shape()) {
            return Ok(Measured { worst: f64::INFINITY, tolerance: GRADIENT_TOLERANCE });
        }
        for (found, expected) in found.iter().zip(&expected) {
            // In the unit of the gradients, whose tolerance is the larger one.
            let apart = relative_difference(found.data(), expected.data());
            worst = worst.max(apart * GRADIENT_TOLERANCE / ACTIVATION_TOLERANCE);
        }
        worst = worst.max(relative_difference(own.data(), slope.data()));
    }
    Ok(Measured { worst, tolerance: GRADIENT_TOLERANCE })
}

/// The slope of <f(x), u> along directions of noise, on wide and on high images, by central differences.
pub fn oblong_images_have_central_differences(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let network = network()?;
    let (weights, at) = (weights_for(&network), [network.layer("last")?]);
    let mut model = backend.load(&network, &weights, device)?;
    let mut worst = 0.0_f64;
    for (seed, size) in (81..).zip(SIZES) {
        let x = images(seed, 1, size);
        let shape = model.activations(&x, &at)?.swap_remove(0);
        let u = noise(90, shape.shape());
        let gradient = model.pull_back(&x, &at, ReluGradient::True, &mut |_| Ok(vec![u.clone()]))?;
        for direction in 0..DIRECTIONS {
            let v = noise(91 + direction, x.shape());
            let mut value = |by: f32| -> Result<f64> {
                let moved = x.data().iter().zip(v.data()).map(|(x, v)| x + by * v).collect();
                let there = model.activations(&Array::new(x.shape(), moved)?, &at)?.swap_remove(0);
                Ok(dot(there.data(), u.data()))
            };
            let slope = (value(STEP)? - value(-STEP)?) / (2.0 * f64::from(STEP));
            let scale = (dot(gradient.data(), gradient.data()) * dot(v.data(), v.data())).sqrt();
            worst = worst.max((slope - dot(gradient.data(), v.data())).abs() / scale);
        }
    }
    Ok(Measured { worst, tolerance: DIFFERENCE_TOLERANCE })
}
