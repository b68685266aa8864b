//! Runs that start behind the images: from every frontier of every sample, against runs from the images and against
//! what pull-backs mean.

use super::derivatives::{self, differences_along};
use super::samples::{Sample, samples};
use super::{
    DIFFERENCE_TOLERANCE, GRADIENT_TOLERANCE, Measured, START_TOLERANCE, bits, images, noise,
    relative_difference,
};
use crate::{Array, Backend, Device, Error, LayerId, Model, ReluGradient, Result};

/// Images in a batch.
const BATCH: usize = 2;

/// The values at a frontier, as a run can start from them.
type Values = Vec<(LayerId, Array)>;

/// The values at the frontier of `layer`, and the sample's target in the same run.
fn run(
    sample: &Sample,
    model: &mut dyn Model,
    images: &Array,
    frontier: &[LayerId],
) -> Result<(Values, Array)> {
    let at = [frontier, &[sample.target()]].concat();
    let mut found = model.activations(images, &at)?;
    let target = found.pop().unwrap_or_else(|| Array::zeros([0]));
    Ok((frontier.iter().copied().zip(found).collect(), target))
}

/// Calls `check` for the frontier of each layer of each sample; returns the worst that it measures.
fn worst_of(
    (backend, device): (&dyn Backend, &Device),
    tolerance: f64,
    mut check: impl FnMut(&Sample, &mut dyn Model, &[LayerId]) -> Result<f64>,
) -> Result<Measured> {
    let mut worst = 0.0_f64;
    for sample in samples()? {
        let mut model = backend.load(&sample.network, &sample.weights, device)?;
        for layer in sample.network.layers() {
            let frontier = sample.network.frontier(layer)?;
            worst = worst.max(check(&sample, &mut *model, &frontier)?);
        }
    }
    Ok(Measured { worst, tolerance })
}

/// A run from the values at a frontier gives what the run gives that they come from.
pub fn frontiers_agree_with_direct_runs(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    worst_of((backend, device), START_TOLERANCE, |sample, model, frontier| {
        let (found, direct) = both(sample, model, frontier)?;
        let difference = relative_difference(found.data(), direct.data());
        Ok(if found.shape() == direct.shape() { difference } else { f64::INFINITY })
    })
}

/// The same, to the bit: for a backend that computes in `f32`, by kernels that depend on shapes alone. No check of the suite.
pub fn frontiers_give_equal_bits(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    worst_of((backend, device), 0.0, |sample, model, frontier| {
        let (found, direct) = both(sample, model, frontier)?;
        Ok(if bits(&found) == bits(&direct) { 0.0 } else { f64::INFINITY })
    })
}

/// A sample's target in a run from a frontier, and in the run from the images.
fn both(sample: &Sample, model: &mut dyn Model, frontier: &[LayerId]) -> Result<(Array, Array)> {
    let (start, direct) = run(sample, model, &images(51, BATCH, sample.size), frontier)?;
    Ok((model.activations_from(&start, &[sample.target()])?.swap_remove(0), direct))
}

/// The pull-back to the images is the pull-back to a frontier, and from there with what that gave.
pub fn frontiers_keep_the_chain_rule(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    worst_of((backend, device), GRADIENT_TOLERANCE, |sample, model, frontier| {
        let (images, at) = (images(super::agreement::SEED, BATCH, sample.size), [sample.target()]);
        let (start, target) = run(sample, model, &images, frontier)?;
        let u = noise(52, target.shape());
        let whole = model.pull_back(&images, &at, ReluGradient::True, &mut |_| Ok(vec![u.clone()]))?;
        let gradients =
            model.pull_back_from(&start, &at, ReluGradient::True, &mut |_| Ok(vec![u.clone()]))?;
        if !gradients.iter().zip(&start).all(|(gradient, (_, values))| gradient.shape() == values.shape()) {
            return Ok(f64::INFINITY);
        }
        let two = model.pull_back(&images, frontier, ReluGradient::True, &mut |_| Ok(gradients.clone()))?;
        Ok(relative_difference(two.data(), whole.data()))
    })
}

/// Every given number's slope of <f(start), u>, measured by moving that number.
pub fn frontiers_have_central_differences(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    worst_of((backend, device), DIFFERENCE_TOLERANCE, |sample, model, frontier| {
        let (start, target) = run(sample, model, &images(derivatives::SEED, 1, sample.size), frontier)?;
        let (at, u) = ([sample.target()], noise(53, target.shape()));
        let gradients =
            model.pull_back_from(&start, &at, ReluGradient::True, &mut |_| Ok(vec![u.clone()]))?;
        let mut worst = 0.0_f64;
        for (place, gradient) in gradients.iter().enumerate() {
            let moved = |model: &mut dyn Model, number: usize, offset: f32| {
                let mut moved = start.clone();
                let values = moved[place].1.data_mut();
                let before = values[number];
                values[number] += offset;
                let step = f64::from(values[number]) - f64::from(before);
                Ok((model.activations_from(&moved, &at)?.swap_remove(0), step))
            };
            worst = worst.max(differences_along(sample, model, gradient, (&target, &u), moved)?);
        }
        Ok(worst)
    })
}

/// A start that does not suffice is refused by an error that names what is missing; so is one of two batches, or of a
/// shape that the network does not take.
pub fn refuses_bad_starts(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let Some(sample) = samples()?.into_iter().find(|sample| sample.network.name() == "branches") else {
        return Ok(Measured::exact(false));
    };
    let mut model = backend.load(&sample.network, &sample.weights, device)?;
    let (relu, at) = (sample.network.layer("relu")?, [sample.target()]);
    let (start, _) = run(&sample, &mut *model, &images(54, 1, sample.size), &sample.network.frontier(relu)?)?;
    let names = |error: &Error, name: &str| {
        matches!(error, Error::Start { .. }) && error.to_string().contains(&format!("\"{name}\""))
    };
    let [shortcut, branch, last] = &start[..] else { return Ok(Measured::exact(false)) };
    let mut refuses = true;
    for (fewer, missing) in [
        (vec![last.clone()], vec![shortcut.0, branch.0]),
        (vec![branch.clone(), last.clone()], vec![shortcut.0]),
    ] {
        let pulled = model.pull_back_from(&fewer, &at, ReluGradient::True, &mut |found| Ok(found.to_vec()));
        let found = [model.activations_from(&fewer, &at).err(), pulled.err()];
        for id in missing {
            let name = &sample.network.node(id)?.name;
            refuses &= found.iter().all(|error| error.as_ref().is_some_and(|error| names(error, name)));
        }
    }
    for (place, (_, values)) in start.iter().enumerate() {
        let [n, channels, height, width] = values.shape() else { return Ok(Measured::exact(false)) };
        for shape in [[n + 1, *channels, *height, *width], [*n, *channels, height + 1, *width]] {
            let mut odd = start.clone();
            odd[place].1 = Array::zeros(shape);
            refuses &= model.activations_from(&odd, &at).is_err();
        }
    }
    Ok(Measured::exact(refuses && model.activations_from(&[], &at).is_err()))
}
