//! Lucid's redirected ReLU gradient. That a redirected pull-back is right is said twice: it is the reference's; and, where
//! one can see what arrives at a ReLU, it is the backend's own true pull-back with one more cotangent, at the ReLU's input.

mod cases;
#[cfg(test)]
mod faults;

use self::cases::{Case, cases, cotangents, images};
use super::{GRADIENT_TOLERANCE, Measured, relative_difference};
use crate::{Array, Backend, Device, LayerId, Model, Op, Reference, ReluGradient, Result, find_device};
#[cfg(test)]
use crate::{Network, Weights};

/// On chains and branches of ReLUs, of which each image kills others.
pub fn redirected_pull_backs_agree(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let cpu = find_device(&Reference, "cpu")?;
    let mut worst = 0.0_f64;
    for case in cases()? {
        let gradient = |backend: &dyn Backend, device| {
            let mut model = backend.load(&case.network, &case.weights, device)?;
            let drawn = case.draw(model.as_mut())?;
            case.pull_back(model.as_mut(), ReluGradient::Redirected, &drawn.cotangents)
        };
        worst = worst.max(apart(&gradient(backend, device)?, &gradient(&Reference, &cpu)?));
    }
    Ok(Measured { worst, tolerance: GRADIENT_TOLERANCE })
}

/// Redirection: where no part of an image's gradient gets through, what opens a gate arrives at its input: the positive
/// part where it is too low, the negative part where it is too high. Other images of the batch, and other ReLUs, have no
/// say in it.
pub fn dead_relus_are_redirected(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let mut worst = 0.0_f64;
    for case in cases()?.iter().filter(|case| !case.relus.is_empty()) {
        let mut model = backend.load(&case.network, &case.weights, device)?;
        let Drawn { cotangents, redirected, .. } = case.draw(model.as_mut())?;
        let found = case.pull_back(model.as_mut(), ReluGradient::Redirected, &cotangents)?;
        let layers = [&case.at[..], &case.inputs()?].concat();
        let all = [cotangents, redirected].concat();
        let expected = model.pull_back(&images(), &layers, ReluGradient::True, &mut |_| Ok(all.clone()))?;
        worst = worst.max(apart(&found, &expected));
    }
    Ok(Measured { worst, tolerance: GRADIENT_TOLERANCE })
}

/// An image of whose gradient something gets through every ReLU has its true gradient, to the bit.
pub fn living_images_keep_their_gradient(backend: &dyn Backend, device: &Device) -> Result<Measured> {
    let mut equal = true;
    for case in cases()?.iter().filter(|case| !case.relus.is_empty()) {
        let mut model = backend.load(&case.network, &case.weights, device)?;
        let drawn = case.draw(model.as_mut())?;
        let [found, expected] = [ReluGradient::Redirected, ReluGradient::True]
            .map(|relu| case.pull_back(model.as_mut(), relu, &drawn.cotangents));
        let (found, expected) = (found?, expected?);
        for n in (0..drawn.lives.len()).filter(|&n| drawn.lives[n]) {
            let bits = |array: &Array| array.item(n).iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            equal &= bits(&found) == bits(&expected);
        }
    }
    Ok(Measured::exact(equal))
}

/// The largest difference, each image by itself: one's gradient may be much smaller than another's.
fn apart(found: &Array, expected: &Array) -> f64 {
    if found.shape() != expected.shape() {
        return f64::INFINITY;
    }
    let images = 0..expected.shape()[0];
    images.map(|n| relative_difference(found.item(n), expected.item(n))).fold(0.0, f64::max)
}

/// The cotangents that are pulled back in a case, and what is known of them.
#[derive(Debug)]
struct Drawn {
    /// The caller's, at the layers asked for.
    cotangents: Vec<Array>,
    /// The part that redirecting adds at the input of each ReLU.
    redirected: Vec<Array>,
    /// For each image, whether something gets through each of the ReLUs.
    lives: Vec<bool>,
}

impl Case {
    /// The layers before the ReLUs.
    fn inputs(&self) -> Result<Vec<LayerId>> {
        self.relus.iter().map(|&relu| Ok(self.network.node(relu)?.inputs[0])).collect()
    }

    /// `model` is asked which gates are open.
    fn draw(&self, model: &mut dyn Model) -> Result<Drawn> {
        let asked = model.activations(&images(), &self.at)?;
        let inputs = model.activations(&images(), &self.inputs()?)?;
        let limits = self.relus.iter().map(|&relu| Ok(limit(&self.network.node(relu)?.op)));
        let limits = limits.collect::<Result<Vec<f32>>>()?;
        let cotangents = cotangents(&asked, |which, index| {
            let of_a_relu = inputs.iter().zip(&limits).filter(|(x, _)| x.shape() == asked[which].shape());
            of_a_relu.into_iter().any(|(x, &limit)| is_open(x.data()[index], limit))
        });
        let arriving = (self.arriving)(&cotangents)?;
        let mut lives = vec![true; images().shape()[0]];
        let mut redirected = Vec::new();
        for ((x, dy), limit) in inputs.iter().zip(&arriving).zip(limits) {
            let (added, through) = redirect(x, dy, limit);
            redirected.push(added);
            lives.iter_mut().zip(through).for_each(|(lives, through)| *lives &= through);
        }
        Ok(Drawn { cotangents, redirected, lives })
    }

    fn pull_back(&self, model: &mut dyn Model, relu: ReluGradient, cotangents: &[Array]) -> Result<Array> {
        model.pull_back(&images(), &self.at, relu, &mut |_| Ok(cotangents.to_vec()))
    }
}

fn limit(relu: &Op) -> f32 {
    if matches!(relu, Op::Relu6) { 6.0 } else { f32::INFINITY }
}

fn is_open(x: f32, limit: f32) -> bool {
    x > 0.0 && x < limit
}

/// The part that redirecting adds to dL/d(x) of a ReLU with this upper bound, and for each image whether anything gets
/// through as it is.
fn redirect(x: &Array, dy: &Array, limit: f32) -> (Array, Vec<bool>) {
    let mut added = Array::zeros(x.shape());
    let gets_through =
        |n: usize| x.item(n).iter().zip(dy.item(n)).any(|(&x, &dy)| is_open(x, limit) && dy != 0.0);
    let through: Vec<bool> = (0..x.shape()[0]).map(gets_through).collect();
    for n in (0..through.len()).filter(|&n| !through[n]) {
        for ((added, &x), &dy) in added.item_mut(n).iter_mut().zip(x.item(n)).zip(dy.item(n)) {
            *added = if x > 0.0 { dy.min(0.0) } else { dy.max(0.0) };
        }
    }
    (added, through)
}

/// Hands every case's network, weights and images to `check`.
#[cfg(test)]
pub(super) fn for_each_case(check: impl Fn(&Network, &Weights, &Array)) {
    for case in cases().unwrap() {
        check(&case.network, &case.weights, &images());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each has images that are redirected, and images that are not.
    #[test]
    fn the_cases_are_what_they_are_for() {
        let cpu = find_device(&Reference, "cpu").unwrap();
        for case in cases().unwrap() {
            let mut model = Reference.load(&case.network, &case.weights, &cpu).unwrap();
            let gradients = [ReluGradient::True, ReluGradient::Redirected].map(|relu| {
                let drawn = case.draw(model.as_mut()).unwrap();
                case.pull_back(model.as_mut(), relu, &drawn.cotangents).unwrap()
            });
            let changed = (0..6).filter(|&n| gradients[0].item(n) != gradients[1].item(n)).count();
            assert!((1..6).contains(&changed), "{}: {changed} of 6 images", case.network.name());
        }
    }
}
