//! What is optimised, and how it becomes the image that the network sees and the picture that is saved.

use serde::{Deserialize, Serialize};
use trepang_api::{Array, Preprocess};

use super::{Picture, Result};

/// The space the optimised numbers live in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Space {
    /// RGB in 0..1: the picture that is saved is what the network saw.
    Rgb,
    /// The network's own input space, bounded by -1 and 1 and saved as `uint8(255 (x + 1) / 2)` with its
    /// channels as they are. For a network trained on inputs of +-124 that shows 127.5 times the contrast the
    /// network saw, and where its channels are BGR it swaps red and blue: the seed's way, kept exactly.
    Network,
}

/// The pixel parameterization: one number a pixel and channel, `[1, 3, size, size]`.
#[derive(Debug, Clone)]
pub struct Param {
    space: Space,
    preprocess: Preprocess,
    size: usize,
}

/// One channel's way through an affine map.
struct Plane {
    from: usize,
    to: usize,
    factor: f64,
    offset: f64,
}

impl Param {
    /// Square images of `size` pixels for a network with this preprocessing.
    pub fn new(space: Space, preprocess: Preprocess, size: usize) -> Self {
        Self { space, preprocess, size }
    }

    /// The smallest and the largest value that a step may leave.
    pub fn bounds(&self) -> [f32; 2] {
        match self.space {
            Space::Rgb => [0.0, 1.0],
            Space::Network => [-1.0, 1.0],
        }
    }

    /// Levels in 0..255, `[3, H, W]`, as parameters. Start pictures are not clipped: the seed's lie outside
    /// its bounds until the first step.
    pub fn encode(&self, levels: &[f64]) -> Result<Array> {
        let area = self.size * self.size;
        let Preprocess { scale, shift, .. } = &self.preprocess;
        let data = match self.space {
            Space::Rgb => levels.iter().map(|level| (level / 255.0) as f32).collect(),
            Space::Network => (0..3)
                .flat_map(|c| {
                    let rgb = self.rgb(c);
                    let (scale, shift) = (f64::from(scale[rgb]), f64::from(shift[rgb]));
                    // Multiplied first: a factor of 255 then gives whole levels back exactly.
                    levels[rgb * area..][..area].iter().map(move |l| (scale * l / 255.0 + shift) as f32)
                })
                .collect(),
        };
        Ok(Array::new([1, 3, self.size, self.size], data)?)
    }

    /// The image for the network: RGB, nominally in 0..1.
    pub fn image(&self, x: &Array) -> Array {
        let Preprocess { scale, shift, .. } = &self.preprocess;
        self.map(x, |own, rgb| {
            let (scale, shift) = (f64::from(scale[rgb]), f64::from(shift[rgb]));
            Plane { from: own, to: rgb, factor: 1.0 / scale, offset: -shift / scale }
        })
    }

    /// dL/dx from dL/d(image).
    pub fn pull_back(&self, d_image: &Array) -> Array {
        let scale = &self.preprocess.scale;
        self.map(d_image, |own, rgb| Plane {
            from: rgb,
            to: own,
            factor: 1.0 / f64::from(scale[rgb]),
            offset: 0.0,
        })
    }

    /// Which of R, G, B channel `own` of the network's own input space is.
    fn rgb(&self, own: usize) -> usize {
        if self.preprocess.trained_on_bgr { 2 - own } else { own }
    }

    /// Between the network's own input space and RGB, plane by plane as `plane(own, rgb)` has it.
    fn map(&self, x: &Array, plane: impl Fn(usize, usize) -> Plane) -> Array {
        if self.space == Space::Rgb {
            return x.clone();
        }
        let area = self.size * self.size;
        let mut into = Array::zeros(x.shape());
        for own in 0..3 {
            let Plane { from, to, factor, offset } = plane(own, self.rgb(own));
            let plane = &mut into.data_mut()[to * area..][..area];
            for (into, &from) in plane.iter_mut().zip(&x.data()[from * area..][..area]) {
                *into = (factor * f64::from(from) + offset) as f32;
            }
        }
        into
    }

    /// The picture as it is saved.
    pub fn picture(&self, x: &Array) -> Picture {
        let area = self.size * self.size;
        let level = |value: f32| match self.space {
            Space::Rgb => (255.0 * value).round(),
            // numpy's float32 arithmetic and its truncation, in the seed's order of operations.
            Space::Network => 255.0 * (value + 1.0) / 2.0,
        };
        let byte = |i: usize| level(x.data()[i % 3 * area + i / 3]).clamp(0.0, 255.0) as u8;
        Picture { width: self.size, height: self.size, rgb: (0..3 * area).map(byte).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caffe(space: Space) -> Param {
        Param::new(space, Preprocess::caffe(), 1)
    }

    #[test]
    fn keras_preprocess_input_is_bgr_minus_the_mean() {
        let x = caffe(Space::Network).encode(&[10.0, 77.0, 200.0]).unwrap();
        assert_eq!(x.data(), [200.0 - 103.939, 77.0 - 116.779, 10.0 - 123.68]);
    }

    #[test]
    fn the_image_is_the_inverse_of_the_preprocessing() {
        let param = caffe(Space::Network);
        let x = param.encode(&[10.0, 77.0, 200.0]).unwrap();
        for (found, level) in param.image(&x).data().iter().zip([10.0, 77.0, 200.0]) {
            assert!((found - level / 255.0).abs() < 1e-7, "{found}");
        }
    }

    #[test]
    fn the_gradient_goes_through_the_transpose_of_the_image_map() {
        let param = caffe(Space::Network);
        let at = |v: [f32; 3]| Array::new([1, 3, 1, 1], v.to_vec()).unwrap();
        let dot =
            |a: &Array, b: &Array| a.data().iter().zip(b.data()).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let (v, u) = (at([1.0, -2.0, 4.0]), at([3.0, 5.0, -7.0]));
        let zero = param.image(&at([0.0; 3]));
        let jv = at([0, 1, 2].map(|i| param.image(&v).data()[i] - zero.data()[i]));
        assert!((dot(&jv, &u) - dot(&v, &param.pull_back(&u))).abs() < 1e-6);
    }

    #[test]
    fn the_seed_truncates_and_keeps_its_channel_order_where_rgb_rounds() {
        let x = Array::new([1, 3, 1, 1], vec![-1.0, 0.5, 1.0]).unwrap();
        assert_eq!(caffe(Space::Network).picture(&x).rgb, [0, 191, 255]); // 191.25
        let x = Array::new([1, 3, 1, 1], vec![0.0, 0.5, 1.0]).unwrap();
        assert_eq!(caffe(Space::Rgb).picture(&x).rgb, [0, 128, 255]); // 127.5
    }
}
