//! Pull-backs against what they mean: the transpose of the forward map, and the slope of the function.

use super::samples::{Sample, SampleForm, samples};
use super::{ADJOINT_TOLERANCE, DIFFERENCE_TOLERANCE, Measured, dot, images, noise};
use crate::{Array, Backend, Device, Model, ReluGradient, Result};

/// Half the distance between the two points of a central difference.
const STEP: f32 = 1e-2;

/// The images that are moved pixel by pixel: none of their decisions is near a tie.
pub(super) const SEED: u64 = 34;

/// A kink (a ReLU or a maximum that switches) inside the step makes the two one-sided slopes differ; such
/// pixels have no central difference. More than this share of them would leave too little to check.
const MOST_KINKS: f64 = 0.6;

/// <J v, u> = <v, Jt u> on every affine sample, where J v is exactly f(x + v) - f(x).
pub fn adjoint_identity(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let mut worst = 0.0_f64;
    for sample in samples()?.iter().filter(|sample| sample.form == SampleForm::Affine) {
        let mut model = backend.load(&sample.network, &sample.weights, device)?;
        let x = images(31, 2, sample.size);
        let v = noise(32, x.shape());
        let moved = Array::new(x.shape(), x.data().iter().zip(v.data()).map(|(x, v)| x + v).collect())?;
        let at = [sample.target()];
        let fx = model.activations(&x, &at)?.swap_remove(0);
        let fv = model.activations(&moved, &at)?.swap_remove(0);
        let jv: Vec<f32> = fv.data().iter().zip(fx.data()).map(|(a, b)| a - b).collect();
        let u = noise(33, fx.shape());
        let jtu = model.pull_back(&x, &at, ReluGradient::True, &mut |_| Ok(vec![u.clone()]))?;
        let scale = (dot(&jv, &jv) * dot(u.data(), u.data())).sqrt();
        worst = worst.max((dot(&jv, u.data()) - dot(v.data(), jtu.data())).abs() / scale);
    }
    Ok(Measured { worst, tolerance: ADJOINT_TOLERANCE })
}

/// Every pixel's slope of <f(x), u> on every sample, measured by moving that pixel.
pub fn central_differences(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let mut worst = 0.0_f64;
    for sample in samples()? {
        let mut model = backend.load(&sample.network, &sample.weights, device)?;
        worst = worst.max(differences_of(&sample, &mut *model)?);
    }
    Ok(Measured { worst, tolerance: DIFFERENCE_TOLERANCE })
}

/// The largest difference, relative to the largest slope; infinite when kinks leave too little to compare.
fn differences_of(sample: &Sample, model: &mut dyn Model) -> Result<f64> {
    let x = images(SEED, 1, sample.size);
    let at = [sample.target()];
    let fx = model.activations(&x, &at)?.swap_remove(0);
    let u = noise(35, fx.shape());
    let gradient = model.pull_back(&x, &at, ReluGradient::True, &mut |_| Ok(vec![u.clone()]))?;
    differences_along(sample, model, &gradient, (&fx, &u), |model, pixel, offset| {
        let mut moved = x.clone();
        moved.data_mut()[pixel] += offset;
        let step = f64::from(moved.data()[pixel]) - f64::from(x.data()[pixel]);
        Ok((model.activations(&moved, &at)?.swap_remove(0), step))
    })
}

/// The same for any gradient of <f, u>: `moved` gives f where one number is moved, and by how much that was.
pub(super) fn differences_along(
    sample: &Sample,
    model: &mut dyn Model,
    gradient: &Array,
    (fx, u): (&Array, &Array),
    mut moved: impl FnMut(&mut dyn Model, usize, f32) -> Result<(Array, f64)>,
) -> Result<f64> {
    let largest = gradient.data().iter().fold(f64::MIN_POSITIVE, |m, &g| m.max(f64::from(g).abs()));
    let here = dot(fx.data(), u.data());
    let (mut worst, mut kinks) = (0.0_f64, 0);
    for (number, &slope) in gradient.data().iter().enumerate() {
        let mut at_offset = |offset: f32| -> Result<f64> {
            let (there, step) = moved(model, number, offset)?;
            Ok((dot(there.data(), u.data()) - here) / step)
        };
        let (up, down) = (at_offset(STEP)?, at_offset(-STEP)?);
        let mut bend = (up - down).abs();
        if sample.form == SampleForm::Curved && bend > DIFFERENCE_TOLERANCE * largest {
            // A shorter step makes curvature's part, which the central difference cancels, smaller in proportion. A kink's
            // part is in proportion for one length of the step at most: two lengths are tried.
            let mut rest = |times: f64| -> Result<f64> {
                let shorter = (f64::from(STEP) / times) as f32;
                Ok((up - down - times * (at_offset(shorter)? - at_offset(-shorter)?)).abs())
            };
            bend = rest(2.0)?.max(rest(4.0)?);
        }
        if bend <= DIFFERENCE_TOLERANCE * largest {
            worst = worst.max((f64::midpoint(up, down) - f64::from(slope)).abs() / largest);
        } else {
            kinks += 1;
        }
    }
    let share = f64::from(kinks) / gradient.data().len() as f64;
    Ok(if share > MOST_KINKS { f64::INFINITY } else { worst })
}

/// Ten small steps along the gradient raise <f(x), u> on every sample, each time.
pub fn small_steps_raise_the_objective(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let mut rises = true;
    for sample in samples()? {
        let mut model = backend.load(&sample.network, &sample.weights, device)?;
        let mut x = images(36, 1, sample.size);
        let at = [sample.target()];
        let fx = model.activations(&x, &at)?.swap_remove(0);
        let u = noise(37, fx.shape());
        let first = dot(fx.data(), u.data());
        for _ in 0..10 {
            let gradient = model.pull_back(&x, &at, ReluGradient::True, &mut |_| Ok(vec![u.clone()]))?;
            let norm = dot(gradient.data(), gradient.data()).sqrt().max(f64::MIN_POSITIVE) as f32;
            x.data_mut().iter_mut().zip(gradient.data()).for_each(|(x, g)| *x += 0.02 * g / norm);
        }
        rises &= dot(model.activations(&x, &at)?[0].data(), u.data()) > first;
    }
    Ok(Measured::exact(rises))
}
