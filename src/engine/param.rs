//! Parameterizations: the optimised numbers, and the way to the image that the network sees and the picture that is saved.
//!
//! Numbers x become planes of values (`basis`: pixels, Fourier coefficients, a pyramid, phases), planes become RGB in 0..1
//! (`colour`, a sigmoid), and RGB may be laid over a backdrop (alpha). Each way has its adjoint beside it.

mod basis;
mod colour;
mod maco;
mod network;
mod spec;
mod spectrum;

use std::borrow::Cow;

use trepang_api::{Array, Preprocess};

use self::basis::Basis;
use self::network::NetworkSpace;
use super::error::Result;
use super::picture::Picture;
use super::resample::{Square, resize};
use super::rng::{SeededRng, Stream};
use super::start;

pub use spec::{ParamKind, ParamSpec};
pub use spectrum::{Spectrum, SpectrumBuilder};

/// A picture's values are clamped to this distance from 0 and 1: the logits of 0 and 1 would be infinite.
const MARGIN: f64 = 1.0 / 512.0;

/// The parameterization of `images` square images of `size` pixels.
#[derive(Debug, Clone)]
pub struct Param {
    spec: ParamSpec,
    space: Option<NetworkSpace>,
    basis: Basis,
    size: usize,
    images: usize,
    /// Whether images are gray: the mean of what the colours would be.
    gray: bool,
}

/// The backdrop that shows through where an image with an alpha channel is not opaque.
#[derive(Debug, Clone)]
pub enum Backdrop {
    /// Middle gray: what is saved.
    Gray,
    /// RGB planes of one image, drawn anew for every step, so that nothing can rely on them.
    Planes(Vec<f32>),
}

impl Param {
    /// `images` square images of `size` pixels for a network with this preprocessing.
    pub fn new(spec: ParamSpec, preprocess: Preprocess, size: usize, images: usize) -> Self {
        let space = (spec.kind == ParamKind::Network).then(|| NetworkSpace::new(preprocess, size));
        let basis = Basis::new(&spec, size);
        Self { spec, space, basis, size, images, gray: false }
    }

    /// The same with gray images, for a network that was trained on such: at the end of the way from x to the image, R,
    /// G and B become their mean.
    #[must_use]
    pub fn gray(self) -> Self {
        Self { gray: true, ..self }
    }

    /// The shape of x.
    pub fn shape(&self) -> Vec<usize> {
        let mut shape = vec![self.images];
        shape.extend(self.basis.shape());
        shape
    }

    /// The smallest and the largest value that a step may leave, if there are such.
    pub fn bounds(&self) -> Option<[f32; 2]> {
        match self.spec.kind {
            ParamKind::Network => Some([-1.0, 1.0]),
            ParamKind::Pixel => (!self.spec.sigmoid).then_some([0.0, 1.0]),
            ParamKind::Fourier | ParamKind::Laplacian | ParamKind::Maco => None,
        }
    }

    /// A random x from a seed, as the parameterization's source has it.
    pub fn noise(&self, seed: u64) -> Result<Array> {
        if self.spec.starts_from_levels() {
            return self.encode(&start::noise(self.images, self.size, seed, self.spec.noise));
        }
        let mut rng = SeededRng::new(seed, Stream::Start);
        let data = self.each(|_| self.basis.random(&self.spec, &mut rng));
        Ok(Array::new(self.shape(), data)?)
    }

    /// Levels in 0..255, `[3, H, W]` for one image or for each, as parameters. Those of the pixel kinds are not clipped: the
    /// levels of the recipe `original` lie outside its bounds until the first step.
    pub fn encode(&self, levels: &[f64]) -> Result<Array> {
        let one = 3 * self.size * self.size;
        let data = self.each(|image| self.encode_one(&levels[(image * one) % levels.len()..][..one]));
        Ok(Array::new(self.shape(), data)?)
    }

    /// The numbers that `of` makes of each image, one after the other.
    fn each(&self, of: impl FnMut(usize) -> Vec<f32>) -> Vec<f32> {
        (0..self.images)
            .map(of)
            .reduce(|mut all, one| {
                all.extend(one);
                all
            })
            .unwrap_or_default()
    }

    fn encode_one(&self, levels: &[f64]) -> Vec<f32> {
        if let Some(space) = &self.space {
            return space.encode(levels);
        }
        if !self.spec.sigmoid {
            return levels.iter().map(|level| (level / 255.0) as f32).collect();
        }
        let logit = |level: &f64| {
            let value = (level / 255.0).clamp(MARGIN, 1.0 - MARGIN);
            (value / (1.0 - value)).ln() as f32
        };
        let mut planes: Vec<f32> = levels.iter().map(logit).collect();
        if self.spec.decorrelated {
            colour::decorrelate(&mut planes);
        }
        if self.spec.has_alpha() {
            // Opaque, but not so much that no gradient is left.
            let opaque = ((1.0 - MARGIN) / MARGIN).ln() as f32;
            planes.resize(4 * self.size * self.size, opaque);
        }
        self.basis.encode(&planes)
    }

    /// The images for the network, `[images, 3, size, size]`: RGB, nominally in 0..1.
    pub fn image(&self, x: &Array, backdrop: &Backdrop) -> Result<Array> {
        let data = self.each(|image| self.rgb(x.item(image), backdrop));
        Ok(Array::new([self.images, 3, self.size, self.size], data)?)
    }

    fn rgb(&self, x: &[f32], backdrop: &Backdrop) -> Vec<f32> {
        if let Some(space) = &self.space {
            let mut rgb = space.rgb(x);
            self.mix(&mut rgb);
            return rgb;
        }
        let mut planes = self.values(x);
        let colours = 3 * self.size * self.size;
        if self.spec.has_alpha() {
            let (rgb, alpha) = planes.split_at_mut(colours);
            for (i, value) in rgb.iter_mut().enumerate() {
                let behind = backdrop.at(i);
                *value = behind + alpha[i % alpha.len()] * (*value - behind);
            }
            planes.truncate(colours);
        }
        self.mix(&mut planes);
        planes
    }

    /// Replaces R, G and B by their mean if images are gray. This map is its own adjoint.
    fn mix(&self, planes: &mut [f32]) {
        if self.gray {
            colour::mix(planes);
        }
    }

    /// RGB in 0..1 and, with alpha, a fourth plane.
    fn values(&self, x: &[f32]) -> Vec<f32> {
        let mut planes = self.basis.planes(x);
        if self.spec.decorrelated {
            colour::correlate(&mut planes[..3 * self.size * self.size]);
        }
        if self.spec.sigmoid {
            for v in &mut planes {
                *v = 1.0 / (1.0 + (-*v).exp());
            }
        }
        planes
    }

    /// dL/dx from dL/d(image), where `image` is what [`image`](Self::image) made of `x`. `alpha_slope` is dL/d(mean of
    /// alpha), where there is an alpha channel.
    pub fn pull_back(
        &self,
        x: &Array,
        backdrop: &Backdrop,
        image: &Array,
        d_image: &Array,
        alpha_slope: f64,
    ) -> Result<Array> {
        let data = self
            .each(|n| self.pull_back_one(x.item(n), backdrop, [image.item(n), d_image.item(n)], alpha_slope));
        Ok(Array::new(self.shape(), data)?)
    }

    fn pull_back_one(
        &self,
        x: &[f32],
        backdrop: &Backdrop,
        [rgb, d_rgb]: [&[f32]; 2],
        alpha_slope: f64,
    ) -> Vec<f32> {
        let mut gradient = d_rgb.to_vec();
        self.mix(&mut gradient);
        if let Some(space) = &self.space {
            return space.pull_back(&gradient);
        }
        if self.spec.sigmoid {
            // Without an alpha channel and in colour, nothing was done to the values to make the image.
            let is_changed = self.spec.has_alpha() || self.gray;
            let values = if is_changed { Cow::Owned(self.values(x)) } else { Cow::Borrowed(rgb) };
            let area = self.size * self.size;
            if self.spec.has_alpha() {
                let (rgb, alpha) = values.split_at(3 * area);
                gradient.resize(4 * area, (alpha_slope / area as f64) as f32);
                let (d_colours, d_alpha) = gradient.split_at_mut(3 * area);
                for (i, d) in d_colours.iter_mut().enumerate() {
                    d_alpha[i % area] += *d * (rgb[i] - backdrop.at(i));
                    *d *= alpha[i % area];
                }
            }
            gradient.iter_mut().zip(values.iter()).for_each(|(d, v)| *d *= v * (1.0 - v));
        }
        if self.spec.decorrelated {
            colour::correlate_adjoint(&mut gradient[..3 * self.size * self.size]);
        }
        self.basis.pull_back(x, &gradient)
    }

    /// The mean opacity of the images; 1 without an alpha channel.
    pub fn mean_alpha(&self, x: &Array) -> f64 {
        if !self.spec.has_alpha() {
            return 1.0;
        }
        let (area, mut sum) = (self.size * self.size, 0.0);
        for image in 0..self.images {
            let values = self.values(x.item(image));
            sum += values[3 * area..].iter().map(|&a| f64::from(a)).sum::<f64>();
        }
        sum / (self.images * area) as f64
    }

    /// The backdrop of one step.
    pub fn backdrop(&self, seed: u64, step: usize) -> Backdrop {
        if !self.spec.has_alpha() {
            return Backdrop::Gray;
        }
        let mut rng = SeededRng::new(seed, Stream::Backdrop { step });
        // A few large blots of any colour: what could stand behind a thing.
        let side = 2 + rng.below(6);
        let blots: Vec<f32> = (0..3 * side * side).map(|_| rng.uniform() as f32).collect();
        Backdrop::Planes(resize(&blots, Square { side, planes: 3 }, self.size))
    }

    /// The picture as it is saved; several images side by side.
    pub fn picture(&self, x: &Array) -> Picture {
        let area = self.size * self.size;
        let bytes: Vec<Vec<u8>> = (0..self.images)
            .map(|image| {
                if self.space.is_some() {
                    // numpy's float32 arithmetic and its truncation, in the original program's order of operations.
                    let byte = |v: &f32| (255.0 * (v + 1.0) / 2.0).clamp(0.0, 255.0) as u8;
                    let mut own = x.item(image).to_vec();
                    self.mix(&mut own);
                    own.iter().map(byte).collect()
                } else {
                    let values = self.rgb(x.item(image), &Backdrop::Gray);
                    values.iter().map(|v| (255.0 * v).round().clamp(0.0, 255.0) as u8).collect()
                }
            })
            .collect();
        let width = self.images * self.size;
        let byte = |i: usize| {
            let (c, pixel) = (i % 3, i / 3);
            let (row, column) = (pixel / width, pixel % width);
            bytes[column / self.size][c * area + row * self.size + column % self.size]
        };
        Picture { width, height: self.size, rgb: (0..3 * self.size * width).map(byte).collect() }
    }
}

impl Backdrop {
    fn at(&self, i: usize) -> f32 {
        match self {
            Self::Gray => 0.5,
            Self::Planes(planes) => planes[i],
        }
    }
}

#[cfg(test)]
mod tests;
