//! The terms of a bound objective: the value of each on one view of one image, and its cotangent.

use super::context::{CotangentBuffers, ObjectiveContext};
use crate::engine::gram::{add_gram_cotangent, cosine};
use crate::engine::objective::Penalty;
use crate::engine::penalty;
use crate::engine::sums::{add_mean, add_scaled, add_scaled_difference, dot, mean, mean_squared_difference};

/// A smaller cosine counts as this one, so that a vector that points away is not without a gradient (lucid's dot x cos).
const LEAST_COSINE: f64 = 0.1;

/// A term with its layers as slots (positions among the layers read) and its channels as runs of numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum BoundTerm {
    /// The mean of a run of numbers: a channel, or a single number.
    Mean { slot: usize, start: usize, len: usize },
    /// The mean of the squares of a layer.
    Squares { slot: usize },
    /// dot x cos^p with a direction, averaged over `area` positions. `(first number of the channel, weight)`.
    Direction { slot: usize, weights: Vec<(usize, f64)>, cosine_power: f64, area: usize },
    /// The mean of one channel going over into another along the images.
    Interpolation { slot: usize, from: usize, to: usize, area: usize },
    /// Minus the Gram cosines with the other images.
    Diversity { slot: usize, channels: usize },
    /// Minus the weighted squared distances of the next images.
    Alignment { slot: usize },
    /// -|a - r|^2 / |r|^2
    Inversion { slot: usize, reference: usize },
    /// dot(a, r) / area, times the cosine's power.
    Caricature { slot: usize, reference: usize, cosine_power: f64, area: usize },
    /// A measure of the view itself.
    Penalty { of: Penalty, weight: f64 },
}

impl BoundTerm {
    /// The term's number for one view of one image.
    pub(super) fn value(&self, context: &ObjectiveContext, image: usize, view: usize) -> f64 {
        let n = context.item(image, view);
        let read = |slot: usize| context.activations[slot].item(n);
        match self {
            Self::Mean { slot, start, len } => mean(&read(*slot)[*start..][..*len]),
            Self::Squares { slot } => dot(read(*slot), read(*slot)) / read(*slot).len() as f64,
            Self::Direction { slot, weights, cosine_power, area } => {
                let a = read(*slot);
                let each = |at| Dot::along(a, weights, *area, at).value(*cosine_power);
                (0..*area).map(each).sum::<f64>() / *area as f64
            }
            Self::Interpolation { slot, from, to, area } => {
                let w = share(image, context.layout.images);
                (1.0 - w) * mean(&read(*slot)[*from..][..*area]) + w * mean(&read(*slot)[*to..][..*area])
            }
            Self::Diversity { slot, channels } => {
                let own = context.gram(*slot, n, *channels);
                let theirs = |other| context.gram(*slot, context.item(other, view), *channels);
                -context.others(image).map(|other| cosine(&own, &theirs(other))).sum::<f64>()
            }
            Self::Alignment { slot } => {
                let next = |other| context.activations[*slot].item(context.item(other, view));
                let each = |(other, weight)| weight * mean_squared_difference(read(*slot), next(other));
                -neighbours(image, context.layout.images).map(each).sum::<f64>()
            }
            Self::Inversion { slot, reference } => {
                let (a, r) = (read(*slot), context.references[*reference][*slot].item(view));
                -(mean_squared_difference(a, r) * a.len() as f64) / dot(r, r).max(f64::MIN_POSITIVE)
            }
            Self::Caricature { slot, reference, cosine_power, area } => {
                let r = context.references[*reference][*slot].item(view);
                Dot::of(read(*slot), r).value(*cosine_power) / *area as f64
            }
            Self::Penalty { of, weight } => {
                let shape = context.views.shape();
                weight * penalty::value(*of, context.views.item(n), [shape[2], shape[3]])
            }
        }
    }

    /// Adds `scale` times d(value)/d(what the term reads). A term that reads other images too adds to theirs as well.
    pub(super) fn add_cotangents(
        &self,
        scale: f64,
        context: &ObjectiveContext,
        (image, view): (usize, usize),
        into: &mut CotangentBuffers,
    ) {
        let n = context.item(image, view);
        let read = |slot: usize| context.activations[slot].item(n);
        match self {
            Self::Mean { slot, start, len } => {
                add_mean(&mut into.activations[*slot].item_mut(n)[*start..][..*len], scale);
            }
            Self::Squares { slot } => {
                let factor = 2.0 * scale / read(*slot).len() as f64;
                add_scaled(into.activations[*slot].item_mut(n), factor, read(*slot));
            }
            Self::Direction { slot, weights, cosine_power, area } => {
                let (a, scale) = (read(*slot), scale / *area as f64);
                let c = into.activations[*slot].item_mut(n);
                (0..*area).for_each(|at| add_direction(c, scale, a, weights, (*cosine_power, *area, at)));
            }
            Self::Interpolation { slot, from, to, area } => {
                let w = share(image, context.layout.images);
                let c = into.activations[*slot].item_mut(n);
                add_mean(&mut c[*from..][..*area], scale * (1.0 - w));
                add_mean(&mut c[*to..][..*area], scale * w);
            }
            Self::Diversity { slot, channels } => {
                add_diversity(scale, context, (image, view), (*slot, *channels), into);
            }
            Self::Alignment { slot } => add_alignment(scale, context, (image, view), *slot, into),
            Self::Inversion { slot, reference } => {
                let r = context.references[*reference][*slot].item(view);
                let factor = -2.0 * scale / dot(r, r).max(f64::MIN_POSITIVE);
                add_scaled_difference(into.activations[*slot].item_mut(n), factor, read(*slot), r);
            }
            Self::Caricature { slot, reference, cosine_power, area } => {
                let (a, r) = (read(*slot), context.references[*reference][*slot].item(view));
                let slopes = Dot::of(a, r).slopes(*cosine_power).map(|s| s * scale / *area as f64);
                let c = into.activations[*slot].item_mut(n);
                add_scaled(c, slopes[0], r);
                add_scaled(c, slopes[1], a);
            }
            Self::Penalty { of, weight } => {
                add_penalty(*of, scale * weight, context, n, into);
            }
        }
    }
}

/// Adds the cotangents of [`BoundTerm::Diversity`], to the image's own activations and to those of the others.
fn add_diversity(
    scale: f64,
    context: &ObjectiveContext,
    (image, view): (usize, usize),
    (slot, channels): (usize, usize),
    into: &mut CotangentBuffers,
) {
    let n = context.item(image, view);
    let (activations, own) = (&context.activations[slot], context.gram(slot, n, channels));
    for other in context.others(image) {
        let m = context.item(other, view);
        let theirs = context.gram(slot, m, channels);
        let into = &mut into.activations[slot];
        add_gram_cotangent(into.item_mut(n), -scale, activations.item(n), &own, &theirs);
        add_gram_cotangent(into.item_mut(m), -scale, activations.item(m), &theirs, &own);
    }
}

/// Adds the cotangents of [`BoundTerm::Alignment`], to the image's own activations and to those of the next images.
fn add_alignment(
    scale: f64,
    context: &ObjectiveContext,
    (image, view): (usize, usize),
    slot: usize,
    into: &mut CotangentBuffers,
) {
    let n = context.item(image, view);
    let a = context.activations[slot].item(n);
    for (other, weight) in neighbours(image, context.layout.images) {
        let m = context.item(other, view);
        let b = context.activations[slot].item(m);
        let factor = -2.0 * scale * weight / a.len() as f64;
        add_scaled_difference(into.activations[slot].item_mut(n), factor, a, b);
        add_scaled_difference(into.activations[slot].item_mut(m), factor, b, a);
    }
}

/// Adds the gradient of a penalty to the view number `n` of the batch.
fn add_penalty(of: Penalty, scale: f64, context: &ObjectiveContext, n: usize, into: &mut CotangentBuffers) {
    let shape = context.views.shape();
    let size = [shape[2], shape[3]];
    penalty::add_gradient(of, scale, context.views.item(n), size, into.views.item_mut(n));
}

/// A dot product and the two lengths, for dot max(0.1, cos)^p.
struct Dot {
    ab: f64,
    aa: f64,
    bb: f64,
}

impl Dot {
    /// The products of two runs of one length.
    fn of(a: &[f32], b: &[f32]) -> Self {
        Self { ab: dot(a, b), aa: dot(a, a), bb: dot(b, b) }
    }

    /// The products of the vector of channels at position `at` with a few channels' weights.
    fn along(a: &[f32], weights: &[(usize, f64)], area: usize, at: usize) -> Self {
        let ab = weights.iter().map(|(start, w)| f64::from(a[start + at]) * w).sum();
        let bb = weights.iter().map(|(_, w)| w * w).sum();
        Self { ab, aa: a[at..].iter().step_by(area).map(|&a| f64::from(a).powi(2)).sum(), bb }
    }

    fn cosine(&self) -> f64 {
        let lengths = (self.aa * self.bb).sqrt();
        if lengths > 0.0 { self.ab / lengths } else { 0.0 }
    }

    fn value(&self, power: f64) -> f64 {
        if power == 0.0 { self.ab } else { self.ab * self.cosine().max(LEAST_COSINE).powf(power) }
    }

    /// d(value)/da is the first times b plus the second times a.
    fn slopes(&self, power: f64) -> [f64; 2] {
        let cosine = self.cosine();
        if power == 0.0 {
            [1.0, 0.0]
        } else if cosine > LEAST_COSINE {
            // dot cos^p = ab^(p+1) / (|a| |b|)^p
            [(power + 1.0) * cosine.powf(power), -power * cosine.powf(power) * self.ab / self.aa]
        } else {
            [LEAST_COSINE.powf(power), 0.0]
        }
    }
}

/// Adds the gradient of dot x cos^p at the position `at`, one of `area`.
fn add_direction(
    c: &mut [f32],
    scale: f64,
    a: &[f32],
    weights: &[(usize, f64)],
    (power, area, at): (f64, usize, usize),
) {
    let [along_v, along_a] =
        if power == 0.0 { [1.0, 0.0] } else { Dot::along(a, weights, area, at).slopes(power) };
    for (start, w) in weights {
        c[start + at] += (scale * along_v * w) as f32;
    }
    if along_a != 0.0 {
        let own = a[at..].iter().step_by(area);
        c[at..]
            .iter_mut()
            .step_by(area)
            .zip(own)
            .for_each(|(c, &a)| *c += (scale * along_a * f64::from(a)) as f32);
    }
}

/// The place of image `i` among the images, from 0 to 1.
fn share(image: usize, images: usize) -> f64 {
    image as f64 / (images.saturating_sub(1)).max(1) as f64
}

/// The next four images and lucid's weight of each.
fn neighbours(image: usize, images: usize) -> impl Iterator<Item = (usize, f64)> {
    (1..=4_i32).map(move |d| (image + d as usize, 0.5_f64.powi(d))).filter(move |(other, _)| *other < images)
}
