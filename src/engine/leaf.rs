//! The parts of a bound objective that read something: the value of each on one view of one image, and its cotangent.
//! Sums are in `f64`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use trepang_api::Array;

use super::Penalty;
use super::gram::{Gram, add_gram_cotangent, cosine};
use super::penalty;

/// Below this a cosine counts as this, so that a vector that points away is not without a gradient (lucid's dot x cos).
const LEAST_COSINE: f64 = 0.1;

/// How the images of a batch lie one after the other: image by image, each with all of its views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// How many images are raised together.
    pub images: usize,
    /// How many views of each the network sees.
    pub views: usize,
}

impl Layout {
    /// One image, seen as it is.
    pub const SINGLE: Self = Self { images: 1, views: 1 };

    /// How many the network sees.
    pub fn len(self) -> usize {
        self.images * self.views
    }

    /// Is there nothing to see?
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// What an objective looks at: a run of items of a batch.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    /// Its own views, `[images * views, 3, H, W]`.
    pub(super) views: &'a Array,
    /// The activations of each layer read, of a batch that holds its own items and perhaps others.
    pub(super) activations: &'a [Array],
    /// The first of its own items in that batch.
    pub(super) first: usize,
    pub(super) layout: Layout,
    /// The activations of each reference picture at each layer read, an item for each view.
    pub(super) references: &'a [Vec<Array>],
    grams: RefCell<BTreeMap<(usize, usize), Rc<Gram>>>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        views: &'a Array,
        activations: &'a [Array],
        first: usize,
        layout: Layout,
        references: &'a [Vec<Array>],
    ) -> Self {
        Self { views, activations, first, layout, references, grams: RefCell::default() }
    }

    fn item(&self, image: usize, view: usize) -> usize {
        self.first + image * self.layout.views + view
    }

    /// Kept, since every pair of images needs both.
    fn gram(&self, slot: usize, item: usize, channels: usize) -> Rc<Gram> {
        let mut grams = self.grams.borrow_mut();
        let made = || Rc::new(Gram::new(self.activations[slot].item(item), channels));
        Rc::clone(grams.entry((slot, item)).or_insert_with(made))
    }
}

/// Where the cotangents of a scene are gathered, in arrays of the same shapes.
#[derive(Debug)]
pub(super) struct Cotangents<'a> {
    pub(super) activations: &'a mut [Array],
    /// d(value)/d(views) of what reads the views themselves.
    pub(super) views: &'a mut Array,
}

/// What is read: layers as positions among the layers read, channels as runs of numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Leaf {
    /// The mean of a run of numbers: a channel, or a single number.
    Mean { slot: usize, start: usize, len: usize },
    /// The mean of all squares.
    Squares { slot: usize },
    /// dot x cos^p with a direction, averaged over `area` positions. `(first number of the channel, weight)`.
    Direction { slot: usize, weights: Vec<(usize, f64)>, cosine: f64, area: usize },
    /// The mean of one channel going over into another along the images.
    Interpolation { slot: usize, from: usize, to: usize, area: usize },
    /// Minus the Gram cosines with the other images.
    Diversity { slot: usize, channels: usize },
    /// Minus the weighted squared distances of the next images.
    Alignment { slot: usize },
    /// -|a - r|^2 / |r|^2
    Inversion { slot: usize, reference: usize },
    /// dot(a, r) / area, times the cosine's power.
    Caricature { slot: usize, reference: usize, cosine: f64, area: usize },
    /// Of the view itself.
    Penalty { of: Penalty, weight: f64 },
}

impl Leaf {
    /// Its number for one view of one image.
    pub(super) fn value(&self, scene: &Scene, image: usize, view: usize) -> f64 {
        let n = scene.item(image, view);
        let read = |slot: usize| scene.activations[slot].item(n);
        match self {
            Self::Mean { slot, start, len } => mean(&read(*slot)[*start..][..*len]),
            Self::Squares { slot } => dot(read(*slot), read(*slot)) / read(*slot).len() as f64,
            Self::Direction { slot, weights, cosine, area } => {
                let a = read(*slot);
                let each = |at| Dot::along(a, weights, *area, at).value(*cosine);
                (0..*area).map(each).sum::<f64>() / *area as f64
            }
            Self::Interpolation { slot, from, to, area } => {
                let w = share(image, scene.layout.images);
                (1.0 - w) * mean(&read(*slot)[*from..][..*area]) + w * mean(&read(*slot)[*to..][..*area])
            }
            Self::Diversity { slot, channels } => {
                let own = scene.gram(*slot, n, *channels);
                let others = (0..scene.layout.images).filter(|&other| other != image);
                -others
                    .map(|other| cosine(&own, &scene.gram(*slot, scene.item(other, view), *channels)))
                    .sum::<f64>()
            }
            Self::Alignment { slot } => {
                let a = read(*slot);
                let next = neighbours(image, scene.layout.images);
                -next
                    .map(|(other, weight)| {
                        weight * distance(a, scene.activations[*slot].item(scene.item(other, view)))
                    })
                    .sum::<f64>()
            }
            Self::Inversion { slot, reference } => {
                let (a, r) = (read(*slot), scene.references[*reference][*slot].item(view));
                -(distance(a, r) * a.len() as f64) / dot(r, r).max(f64::MIN_POSITIVE)
            }
            Self::Caricature { slot, reference, cosine, area } => {
                let r = scene.references[*reference][*slot].item(view);
                Dot::of(read(*slot), r).value(*cosine) / *area as f64
            }
            Self::Penalty { of, weight } => {
                let shape = scene.views.shape();
                weight * penalty::value(*of, scene.views.item(n - scene.first), [shape[2], shape[3]])
            }
        }
    }

    /// Adds `scale` times d(value)/d(what it read). Those that read other images too add to theirs as well.
    pub(super) fn add_cotangents(
        &self,
        scale: f64,
        scene: &Scene,
        (image, view): (usize, usize),
        into: &mut Cotangents,
    ) {
        let n = scene.item(image, view);
        let read = |slot: usize| scene.activations[slot].item(n);
        match self {
            Self::Mean { slot, start, len } => {
                add_mean(&mut into.activations[*slot].item_mut(n)[*start..][..*len], scale);
            }
            Self::Squares { slot } => {
                let factor = 2.0 * scale / read(*slot).len() as f64;
                add(into.activations[*slot].item_mut(n), factor, read(*slot));
            }
            Self::Direction { slot, weights, cosine, area } => {
                let (a, scale) = (read(*slot), scale / *area as f64);
                let c = into.activations[*slot].item_mut(n);
                (0..*area).for_each(|at| add_direction(c, scale, a, weights, (*cosine, *area, at)));
            }
            Self::Interpolation { slot, from, to, area } => {
                let w = share(image, scene.layout.images);
                let c = into.activations[*slot].item_mut(n);
                add_mean(&mut c[*from..][..*area], scale * (1.0 - w));
                add_mean(&mut c[*to..][..*area], scale * w);
            }
            Self::Diversity { slot, channels } => {
                let own = scene.gram(*slot, n, *channels);
                for other in (0..scene.layout.images).filter(|&other| other != image) {
                    let m = scene.item(other, view);
                    let theirs = scene.gram(*slot, m, *channels);
                    let b = scene.activations[*slot].item(m);
                    add_gram_cotangent(
                        into.activations[*slot].item_mut(n),
                        -scale,
                        read(*slot),
                        &own,
                        &theirs,
                    );
                    add_gram_cotangent(into.activations[*slot].item_mut(m), -scale, b, &theirs, &own);
                }
            }
            Self::Alignment { slot } => {
                let a = read(*slot);
                for (other, weight) in neighbours(image, scene.layout.images) {
                    let m = scene.item(other, view);
                    let b = scene.activations[*slot].item(m);
                    let factor = -2.0 * scale * weight / a.len() as f64;
                    add_difference(into.activations[*slot].item_mut(n), factor, a, b);
                    add_difference(into.activations[*slot].item_mut(m), factor, b, a);
                }
            }
            Self::Inversion { slot, reference } => {
                let r = scene.references[*reference][*slot].item(view);
                let factor = -2.0 * scale / dot(r, r).max(f64::MIN_POSITIVE);
                add_difference(into.activations[*slot].item_mut(n), factor, read(*slot), r);
            }
            Self::Caricature { slot, reference, cosine, area } => {
                let (a, r) = (read(*slot), scene.references[*reference][*slot].item(view));
                let [along_r, along_a] = Dot::of(a, r).slopes(*cosine).map(|s| s * scale / *area as f64);
                let c = into.activations[*slot].item_mut(n);
                add(c, along_r, r);
                add(c, along_a, a);
            }
            Self::Penalty { of, weight } => {
                let shape = scene.views.shape();
                let size = [shape[2], shape[3]];
                let own = n - scene.first;
                penalty::add_gradient(
                    *of,
                    scale * weight,
                    scene.views.item(own),
                    size,
                    into.views.item_mut(own),
                );
            }
        }
    }
}

/// A dot product and the two lengths, for dot max(0.1, cos)^p.
struct Dot {
    ab: f64,
    aa: f64,
    bb: f64,
}

impl Dot {
    fn of(a: &[f32], b: &[f32]) -> Self {
        Self { ab: dot(a, b), aa: dot(a, a), bb: dot(b, b) }
    }

    /// Of the vector of channels at position `at` and a few channels' weights.
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
        match (power, cosine > LEAST_COSINE) {
            (0.0, _) => [1.0, 0.0],
            // dot cos^p = ab^(p+1) / (|a| |b|)^p
            (p, true) => [(p + 1.0) * cosine.powf(p), -p * cosine.powf(p) * self.ab / self.aa],
            (p, false) => [LEAST_COSINE.powf(p), 0.0],
        }
    }
}

fn add_direction(
    c: &mut [f32],
    scale: f64,
    a: &[f32],
    weights: &[(usize, f64)],
    (power, area, at): (f64, usize, usize),
) {
    let [along_v, along_a] = match power {
        0.0 => [1.0, 0.0],
        _ => Dot::along(a, weights, area, at).slopes(power),
    };
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

/// How far along the images image `i` is, from 0 to 1.
fn share(image: usize, images: usize) -> f64 {
    image as f64 / (images.saturating_sub(1)).max(1) as f64
}

/// The next four images and lucid's weight of each.
fn neighbours(image: usize, images: usize) -> impl Iterator<Item = (usize, f64)> {
    (1..=4_i32).map(move |d| (image + d as usize, 0.5_f64.powi(d))).filter(move |(other, _)| *other < images)
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// The mean of the squared differences.
fn distance(a: &[f32], b: &[f32]) -> f64 {
    let squares = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
    squares.sum::<f64>() / a.len() as f64
}

fn add_mean(c: &mut [f32], scale: f64) {
    let share = (scale / c.len() as f64) as f32;
    for c in c {
        *c += share;
    }
}

fn add(c: &mut [f32], factor: f64, a: &[f32]) {
    c.iter_mut().zip(a).for_each(|(c, &a)| *c += (factor * f64::from(a)) as f32);
}

fn add_difference(c: &mut [f32], factor: f64, a: &[f32], b: &[f32]) {
    let differences = a.iter().zip(b).map(|(&a, &b)| f64::from(a) - f64::from(b));
    c.iter_mut().zip(differences).for_each(|(c, d)| *c += (factor * d) as f32);
}
