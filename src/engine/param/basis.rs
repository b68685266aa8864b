//! The maps from parameters to planes of values, `[C, H, W]`: identity, Fourier, a pyramid, or phases. Each with its
//! adjoint, and with the way back from given planes.

use std::ops::Range;

use rustfft::num_complex::Complex32;
use trepang_api::ComputePool;

use super::maco::Maco;
use super::spec::{ParamKind, ParamSpec};
use crate::engine::fourier::Fourier;
use crate::engine::parallel::for_each;
use crate::engine::resample::{Affine, Edge, Places};
use crate::engine::rng::SeededRng;

/// Lucid divides its planes by this, which makes a start of deviation 0.01 faint.
const FAINTER: f32 = 0.25;

/// A basis of the space of planes.
#[derive(Debug, Clone)]
pub(super) enum Basis {
    Pixels {
        planes: usize,
        sides: [usize; 2],
    },
    /// `scale` is what a coefficient is multiplied with.
    Fourier {
        planes: usize,
        fourier: Fourier,
        scale: Vec<f32>,
    },
    /// The rows and columns of the pyramid's images, the full one first.
    Laplacian {
        planes: usize,
        levels: Vec<[usize; 2]>,
    },
    Maco(Maco),
}

impl Basis {
    pub(super) fn new(spec: &ParamSpec, sides: [usize; 2]) -> Self {
        let planes = spec.planes();
        match spec.kind {
            ParamKind::Network | ParamKind::Pixel => Self::Pixels { planes, sides },
            ParamKind::Fourier => {
                let [height, width] = sides;
                let fourier = Fourier::new(height, width);
                // lucid's `fft_image`: sqrt(W H) / max(f, 1 / max(W, H))^decay
                let lowest = 1.0 / height.max(width) as f64;
                let power = ((height * width) as f64).sqrt();
                let scale = |f: &f64| (power / f.max(lowest).powf(spec.decay)) as f32;
                let scale = fourier.frequencies().iter().map(scale).collect();
                Self::Fourier { planes, fourier, scale }
            }
            ParamKind::Laplacian => {
                let level = |level: usize| sides.map(|side| (side >> level).max(1));
                Self::Laplacian { planes, levels: (0..spec.levels).map(level).collect() }
            }
            ParamKind::Maco => Self::Maco(Maco::new(spec.spectrum.as_ref(), sides)),
        }
    }

    /// The shape of one image's numbers.
    pub(super) fn shape(&self) -> Vec<usize> {
        match self {
            Self::Pixels { planes, sides: [height, width] } => vec![*planes, *height, *width],
            Self::Fourier { planes, fourier, .. } => {
                vec![*planes, fourier.len() / fourier.half(), fourier.half(), 2]
            }
            Self::Laplacian { planes, levels } => {
                vec![planes * levels.iter().map(|[height, width]| height * width).sum::<usize>()]
            }
            Self::Maco(maco) => maco.shape(),
        }
    }

    /// A random start.
    pub(super) fn random(&self, spec: &ParamSpec, rng: &mut SeededRng) -> Vec<f32> {
        match self {
            Self::Maco(maco) => maco.random(rng),
            Self::Pixels { .. } | Self::Fourier { .. } | Self::Laplacian { .. } => {
                (0..self.shape().iter().product()).map(|_| (spec.sd * rng.normal()) as f32).collect()
            }
        }
    }

    /// Planes from numbers.
    pub(super) fn planes(&self, x: &[f32], into: &mut [f32], pool: &dyn ComputePool) {
        match self {
            Self::Pixels { .. } => into.copy_from_slice(x),
            Self::Fourier { fourier, scale, planes } => {
                let area = into.len() / planes;
                let pairs = x.chunks_exact(2 * fourier.len()).zip(into.chunks_exact_mut(area));
                for_each(pool, pairs, |(x, plane)| {
                    let pairs = x.as_chunks::<2>().0.iter().zip(scale);
                    let spectrum = pairs.map(|([re, im], s)| Complex32::new(*re, *im) * (s * FAINTER));
                    fourier.inverse(spectrum.collect(), plane);
                });
            }
            Self::Laplacian { levels, .. } => {
                let area = levels[0][0] * levels[0][1];
                let levels: Vec<Places> =
                    levels.iter().map(|&level| pyramid_level(level, levels[0])).collect();
                for_each(pool, into.chunks_exact_mut(area).enumerate(), |(plane, into)| {
                    let mut level = vec![0.0; area];
                    for (places, range) in levels.iter().zip(self.pyramid(plane)) {
                        places.sample(&x[range], &mut level);
                        into.iter_mut().zip(&level).for_each(|(sum, v)| *sum += v);
                    }
                });
            }
            Self::Maco(maco) => maco.planes(x, into, pool),
        }
    }

    /// dL/dx from dL/d(planes).
    pub(super) fn pull_back(&self, x: &[f32], gradient: &[f32], into: &mut [f32], pool: &dyn ComputePool) {
        match self {
            Self::Pixels { .. } => into.copy_from_slice(gradient),
            Self::Fourier { fourier, scale, planes } => {
                let area = gradient.len() / planes;
                let planes = gradient.chunks_exact(area).zip(into.chunks_exact_mut(2 * fourier.len()));
                for_each(pool, planes, |(gradient, into)| {
                    let numbers = fourier.inverse_adjoint(gradient).into_iter().zip(scale);
                    for (into, (z, s)) in into.as_chunks_mut::<2>().0.iter_mut().zip(numbers) {
                        *into = [z.re * s * FAINTER, z.im * s * FAINTER];
                    }
                });
            }
            Self::Laplacian { planes, levels } => {
                let area = levels[0][0] * levels[0][1];
                let levels: Vec<Places> =
                    levels.iter().map(|&level| pyramid_level(level, levels[0])).collect();
                for plane in 0..*planes {
                    let gradient = &gradient[plane * area..][..area];
                    for (places, range) in levels.iter().zip(self.pyramid(plane)) {
                        places.add_adjoint([gradient], [&mut into[range]]);
                    }
                }
            }
            Self::Maco(maco) => maco.pull_back(x, gradient, into, pool),
        }
    }

    /// The numbers of a plane at each level of the pyramid; none of another basis.
    fn pyramid(&self, plane: usize) -> impl Iterator<Item = Range<usize>> {
        let (planes, levels) = match self {
            Self::Laplacian { planes, levels } => (*planes, &levels[..]),
            Self::Pixels { .. } | Self::Fourier { .. } | Self::Maco(_) => (0, &[][..]),
        };
        let mut begin = 0;
        levels.iter().map(move |[height, width]| {
            let area = height * width;
            let at = begin + plane * area;
            begin += planes * area;
            at..at + area
        })
    }

    /// Numbers that give these planes; of a picture's magnitudes `maco` keeps only the phases.
    pub(super) fn encode(&self, planes: &[f32]) -> Vec<f32> {
        match self {
            Self::Pixels { .. } => planes.to_vec(),
            Self::Fourier { fourier, scale, planes: count } => {
                let plane = |plane: &[f32]| {
                    let pairs = fourier.forward(plane).into_iter().zip(scale);
                    pairs.flat_map(|(z, s)| [z.re / (s * FAINTER), z.im / (s * FAINTER)]).collect::<Vec<_>>()
                };
                planes.chunks_exact(planes.len() / count).flat_map(plane).collect()
            }
            Self::Laplacian { .. } => {
                let mut x = planes.to_vec();
                x.resize(self.shape()[0], 0.0);
                x
            }
            Self::Maco(maco) => maco.encode(planes),
        }
    }
}

/// The places of a full image's pixels in a level of the pyramid.
fn pyramid_level(level: [usize; 2], full: [usize; 2]) -> Places {
    Places::new(full, level, Affine::resize(level, full), Edge::Clamp)
}
