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

use trepang_api::{Array, CallingThread, ComputePool, Preprocess, Shape};

use self::basis::Basis;
use self::network::NetworkSpace;
use super::error::Result;
use super::parallel::for_each;
use super::picture::Picture;
use super::resample::resize;
use super::rng::{SeededRng, Stream};
use super::size::PictureSize;
use super::start;

pub use spec::{ParamKind, ParamSpec};
pub use spectrum::{Spectrum, SpectrumBuilder};

/// A picture's values are clamped to this distance from 0 and 1: the logits of 0 and 1 would be infinite.
const MARGIN: f64 = 1.0 / 512.0;

/// The numbers of a plane that are worked on at once.
const PART: usize = 1 << 13;

/// The parameterization of `images` images of one size.
#[derive(Debug, Clone)]
pub struct Param {
    spec: ParamSpec,
    space: Option<NetworkSpace>,
    basis: Basis,
    size: PictureSize,
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
    /// `images` images of this size for a network with this preprocessing.
    pub fn new(spec: ParamSpec, preprocess: Preprocess, size: impl Into<PictureSize>, images: usize) -> Self {
        let size = size.into();
        let space = (spec.kind == ParamKind::Network).then(|| NetworkSpace::new(preprocess, size.pixels()));
        let basis = Basis::new(&spec, size.sides());
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
        let one = 3 * self.area();
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
            planes.resize(4 * self.area(), opaque);
        }
        self.basis.encode(&planes)
    }

    /// The images for the network, `[images, 3, height, width]`: RGB, nominally in 0..1.
    pub fn image(&self, x: &Array, backdrop: &Backdrop, pool: &dyn ComputePool) -> Array {
        let mut images = Array::zeros([self.images, 3, self.size.height, self.size.width]);
        let each = images.data_mut().chunks_exact_mut(3 * self.area()).enumerate();
        for_each(pool, each, |(image, rgb)| self.rgb(x.item(image), backdrop, rgb, pool));
        images
    }

    /// The number of pixels of an image.
    fn area(&self) -> usize {
        self.size.pixels()
    }

    fn rgb(&self, x: &[f32], backdrop: &Backdrop, rgb: &mut [f32], pool: &dyn ComputePool) {
        if let Some(space) = &self.space {
            space.rgb(x, rgb);
        } else if self.spec.has_alpha() {
            let planes = self.values(x, pool);
            let (colours, alpha) = planes.split_at(rgb.len());
            for (i, (value, colour)) in rgb.iter_mut().zip(colours).enumerate() {
                let behind = backdrop.at(i);
                *value = behind + alpha[i % alpha.len()] * (colour - behind);
            }
        } else {
            self.values_in(x, rgb, pool);
        }
        if self.gray {
            colour::mix(colour::split(rgb));
        }
    }

    /// RGB in 0..1 and, with alpha, a fourth plane.
    fn values(&self, x: &[f32], pool: &dyn ComputePool) -> Vec<f32> {
        let mut planes = vec![0.0; self.spec.planes() * self.area()];
        self.values_in(x, &mut planes, pool);
        planes
    }

    /// Writes what [`values`](Self::values) returns.
    fn values_in(&self, x: &[f32], planes: &mut [f32], pool: &dyn ComputePool) {
        self.basis.planes(x, planes, pool);
        let (colours, alpha) = planes.split_at_mut(3 * self.area());
        for_each(pool, colour::parts(colours, PART), |mut planes| {
            if self.spec.decorrelated {
                colour::correlate(planes.each_mut().map(|plane| &mut **plane));
            }
            if self.spec.sigmoid {
                planes.into_iter().flatten().for_each(squash);
            }
        });
        if self.spec.sigmoid {
            alpha.iter_mut().for_each(squash);
        }
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
        pool: &dyn ComputePool,
    ) -> Array {
        let mut gradient = Array::zeros(self.shape());
        let len = gradient.data().len() / self.images;
        let each = gradient.data_mut().chunks_exact_mut(len).enumerate();
        for_each(pool, each, |(n, into)| {
            let mut d_rgb = d_image.item(n).to_vec();
            if self.gray {
                colour::mix(colour::split(&mut d_rgb));
            }
            if let Some(space) = &self.space {
                return space.pull_back(&d_rgb, into);
            }
            // Without an alpha channel and in colour, nothing was done to the values to make the image.
            let is_changed = self.spec.sigmoid && (self.spec.has_alpha() || self.gray);
            let own = is_changed.then(|| self.values(x.item(n), pool));
            let values = own.as_deref().unwrap_or(image.item(n));
            if self.spec.has_alpha() {
                self.pull_back_alpha(values, backdrop, &mut d_rgb, alpha_slope);
            }
            self.pull_back_values(values, &mut d_rgb, pool);
            self.basis.pull_back(x.item(n), &d_rgb, into, pool);
        });
        gradient
    }

    /// From dL/d(RGB) to dL/d(values): colours and, behind them, alpha.
    fn pull_back_alpha(
        &self,
        values: &[f32],
        backdrop: &Backdrop,
        gradient: &mut Vec<f32>,
        alpha_slope: f64,
    ) {
        let area = self.area();
        let (rgb, alpha) = values.split_at(3 * area);
        gradient.resize(4 * area, (alpha_slope / area as f64) as f32);
        let (d_colours, d_alpha) = gradient.split_at_mut(3 * area);
        for (i, d) in d_colours.iter_mut().enumerate() {
            d_alpha[i % area] += *d * (rgb[i] - backdrop.at(i));
            *d *= alpha[i % area];
        }
    }

    /// From dL/d(values) to dL/d(planes), in place.
    fn pull_back_values(&self, values: &[f32], gradient: &mut [f32], pool: &dyn ComputePool) {
        let area = self.area();
        let (d_colours, d_alpha) = gradient.split_at_mut(3 * area);
        let slope = |d: &mut [f32], values: &[f32]| {
            if self.spec.sigmoid {
                d.iter_mut().zip(values).for_each(|(d, v)| *d *= v * (1.0 - v));
            }
        };
        for_each(pool, colour::parts(d_colours, PART).enumerate(), |(part, mut planes)| {
            for (plane, d) in planes.iter_mut().enumerate() {
                slope(d, &values[plane * area + part * PART..][..d.len()]);
            }
            if self.spec.decorrelated {
                colour::correlate_adjoint(planes);
            }
        });
        slope(d_alpha, &values[3 * area..]);
    }

    /// The mean opacity of the images; 1 without an alpha channel.
    pub fn mean_alpha(&self, x: &Array) -> f64 {
        if !self.spec.has_alpha() {
            return 1.0;
        }
        let (area, mut sum) = (self.area(), 0.0);
        for image in 0..self.images {
            let values = self.values(x.item(image), &CallingThread);
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
        let blot = Shape { channels: 3, height: side, width: side };
        Backdrop::Planes(resize(&blots, blot, self.size.sides()))
    }

    /// The picture as it is saved; several images side by side.
    pub fn picture(&self, x: &Array) -> Picture {
        let (area, one) = (self.area(), self.size);
        let bytes: Vec<Vec<u8>> = (0..self.images)
            .map(|image| {
                if self.space.is_some() {
                    // numpy's float32 arithmetic and its truncation, in the original program's order of operations.
                    let byte = |v: &f32| (255.0 * (v + 1.0) / 2.0).clamp(0.0, 255.0) as u8;
                    let mut own = x.item(image).to_vec();
                    if self.gray {
                        colour::mix(colour::split(&mut own));
                    }
                    own.iter().map(byte).collect()
                } else {
                    let mut values = vec![0.0; 3 * area];
                    self.rgb(x.item(image), &Backdrop::Gray, &mut values, &CallingThread);
                    values.iter().map(|v| (255.0 * v).round().clamp(0.0, 255.0) as u8).collect()
                }
            })
            .collect();
        let width = self.images * one.width;
        let byte = |i: usize| {
            let (c, pixel) = (i % 3, i / 3);
            let (row, column) = (pixel / width, pixel % width);
            bytes[column / one.width][c * area + row * one.width + column % one.width]
        };
        Picture { width, height: one.height, rgb: (0..3 * one.height * width).map(byte).collect() }
    }
}

/// 1 / (1 + exp(-v)), in place.
fn squash(value: &mut f32) {
    *value = 1.0 / (1.0 + (-*value).exp());
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
