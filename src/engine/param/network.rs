//! The network's own input space as parameters: the affine map to RGB, its inverse and its transpose. The recipe
//! `original` optimises there.

use trepang_api::Preprocess;

/// Images of one size in the space of a network's own inputs.
#[derive(Debug, Clone)]
pub(super) struct NetworkSpace {
    preprocess: Preprocess,
    area: usize,
}

/// One channel's way through an affine map.
struct Plane {
    from: usize,
    to: usize,
    factor: f64,
    offset: f64,
}

impl NetworkSpace {
    pub(super) fn new(preprocess: Preprocess, area: usize) -> Self {
        Self { preprocess, area }
    }

    /// Levels in 0..255, R, G, B planes, as the network gets them.
    pub(super) fn encode(&self, levels: &[f64]) -> Vec<f32> {
        let Preprocess { scale, shift, .. } = &self.preprocess;
        let own = |c| {
            let rgb = self.rgb_of(c);
            let (scale, shift) = (f64::from(scale[rgb]), f64::from(shift[rgb]));
            // Multiplied first: a factor of 255 then gives whole levels back exactly.
            levels[rgb * self.area..][..self.area].iter().map(move |l| (scale * l / 255.0 + shift) as f32)
        };
        (0..3).flat_map(own).collect()
    }

    /// RGB, nominally in 0..1.
    pub(super) fn rgb(&self, x: &[f32], into: &mut [f32]) {
        let Preprocess { scale, shift, .. } = &self.preprocess;
        self.map(x, into, |own, rgb| {
            let (scale, shift) = (f64::from(scale[rgb]), f64::from(shift[rgb]));
            Plane { from: own, to: rgb, factor: 1.0 / scale, offset: -shift / scale }
        });
    }

    /// dL/dx from dL/d(RGB).
    pub(super) fn pull_back(&self, d_rgb: &[f32], into: &mut [f32]) {
        let factor = |rgb: usize| 1.0 / f64::from(self.preprocess.scale[rgb]);
        self.map(d_rgb, into, |own, rgb| Plane { from: rgb, to: own, factor: factor(rgb), offset: 0.0 });
    }

    /// The index among R, G, B of the channel `own` of the network's own input space.
    fn rgb_of(&self, own: usize) -> usize {
        if self.preprocess.trained_on_bgr { 2 - own } else { own }
    }

    fn map(&self, x: &[f32], into: &mut [f32], plane: impl Fn(usize, usize) -> Plane) {
        for own in 0..3 {
            let Plane { from, to, factor, offset } = plane(own, self.rgb_of(own));
            let plane = &mut into[to * self.area..][..self.area];
            for (into, &from) in plane.iter_mut().zip(&x[from * self.area..][..self.area]) {
                *into = (factor * f64::from(from) + offset) as f32;
            }
        }
    }
}
