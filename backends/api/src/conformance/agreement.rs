//! Equal numbers: with the reference, with itself, and the rule for ties.

use super::samples::{Sample, samples};
use super::{ACTIVATION_TOLERANCE, GRADIENT_TOLERANCE, Measured, bits, images, noise, relative_difference};
use crate::{
    Array, Backend, Device, InputSize, Model, NetworkBuilder, Op, Padding, Pool, Preprocess, Reference,
    ReluGradient, Result, Weights, find_device,
};

/// Images in a batch: not one, not a power of two.
pub(super) const BATCH: usize = 3;

/// The images that gradients are compared on: none of their decisions is near a tie.
pub(super) const SEED: u64 = 12;

/// Every sample's target, on a batch, against the reference.
pub fn activations_agree(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    against_reference(backend, device, ACTIVATION_TOLERANCE, |sample, model| {
        let images = images(11, BATCH, sample.size);
        Ok(model.activations(&images, &[sample.target()])?.swap_remove(0))
    })
}

/// The pull-back of a seeded cotangent at every sample's target and at its first node at once.
pub fn pull_backs_agree(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    against_reference(backend, device, GRADIENT_TOLERANCE, pull_back_noise)
}

fn pull_back_noise(sample: &Sample, model: &mut dyn Model) -> Result<Array> {
    let images = images(SEED, BATCH, sample.size);
    let at = [sample.target(), NetworkBuilder::FIRST];
    let mut cotangents =
        |activations: &[Array]| Ok((20..).zip(activations).map(|(seed, a)| noise(seed, a.shape())).collect());
    model.pull_back(&images, &at, ReluGradient::True, &mut cotangents)
}

fn against_reference(
    backend: &dyn Backend,
    device: &Device,
    tolerance: f64,
    compute: impl Fn(&Sample, &mut dyn Model) -> Result<Array>,
) -> Result<Measured> {
    let cpu = find_device(&Reference, "cpu")?;
    let mut worst = 0.0_f64;
    for sample in samples()? {
        let expected = compute(&sample, &mut *Reference.load(&sample.network, &sample.weights, &cpu)?)?;
        let found = compute(&sample, &mut *backend.load(&sample.network, &sample.weights, device)?)?;
        if found.shape() != expected.shape() {
            return Ok(Measured { worst: f64::INFINITY, tolerance });
        }
        worst = worst.max(relative_difference(found.data(), expected.data()));
    }
    Ok(Measured { worst, tolerance })
}

/// A batch gives each image what it gets alone. The tolerance is not zero: a matrix product may add in
/// another order for another width.
pub fn batch_is_n_images(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let mut worst = 0.0_f64;
    for sample in samples()? {
        let mut model = backend.load(&sample.network, &sample.weights, device)?;
        let batch = images(13, BATCH, sample.size);
        let together = model.activations(&batch, &[sample.target()])?.swap_remove(0);
        for n in 0..BATCH {
            let alone = Array::new([1, 3, sample.size[0], sample.size[1]], batch.item(n).to_vec())?;
            let alone = model.activations(&alone, &[sample.target()])?.swap_remove(0);
            worst = worst.max(relative_difference(together.item(n), alone.data()));
        }
    }
    Ok(Measured { worst, tolerance: ACTIVATION_TOLERANCE })
}

/// The same call twice on one model, and on a model loaded anew, gives the same bits.
pub fn equal_calls_equal_bits(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let mut equal = true;
    for sample in samples()? {
        let mut model = backend.load(&sample.network, &sample.weights, device)?;
        let first = pull_back_noise(&sample, &mut *model)?;
        let again = pull_back_noise(&sample, &mut *model)?;
        let anew = pull_back_noise(&sample, &mut *backend.load(&sample.network, &sample.weights, device)?)?;
        equal &= bits(&first) == bits(&again) && bits(&first) == bits(&anew);
    }
    Ok(Measured::exact(equal))
}

/// Max pooling of a flat picture: of equal numbers the first in row-major order takes the whole gradient.
pub fn ties_go_to_the_first(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let identity = Preprocess { scale: [1.0; 3], shift: [0.0; 3], trained_on_bgr: false };
    let mut b = NetworkBuilder::new("ties", InputSize { native: 4, min: 1, multiple: 1 }, identity);
    let pool = Pool { kernel: [2, 2], stride: [2, 2], padding: Padding::default() };
    let from = b.input();
    let at = b.add("pool", Op::MaxPool(pool), &[from]);
    let mut model = backend.load(&b.finish()?, &Weights::default(), device)?;
    let flat = Array::new([1, 3, 4, 4], vec![0.5; 48])?;
    let gradient = model.pull_back(&flat, &[at], ReluGradient::True, &mut |a| {
        Ok(vec![Array::new(a[0].shape(), vec![1.0; 12])?])
    })?;
    let plane = [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    Ok(Measured::exact(gradient.data() == plane.repeat(3)))
}

/// A linear layer that fits only one image size is never reached when an earlier layer is asked for at another.
pub fn deepest_layer_only(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let Some(sample) = samples()?.into_iter().find(|s| s.network.name() == "classifier") else {
        return Ok(Measured::exact(false));
    };
    let mut model = backend.load(&sample.network, &sample.weights, device)?;
    let larger = images(14, 1, [9, 8]);
    let shallow: Vec<_> = sample.network.layers().take(2).collect();
    let runs = model.activations(&larger, &shallow)?.len() == 2;
    let refuses = model.activations(&larger, &[sample.target()]).is_err();
    Ok(Measured::exact(runs && refuses))
}
