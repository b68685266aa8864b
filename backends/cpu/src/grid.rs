//! The layout of activations in memory: channels in blocks as wide as a vector, `[blocks, N, H, W, lanes]`. A vector is
//! one position's channels, so every kernel works on whole vectors whatever the image's size, and a block of channels
//! of all images is one stretch of memory that one thread may write to.
//!
//! Lanes past the last channel are zero, everywhere and always.

use rayon::prelude::*;
use trepang_api::{Array, Result, Shape};

/// The sides of an activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchShape {
    pub(crate) n: usize,
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl BatchShape {
    pub(crate) fn new(n: usize, shape: Shape) -> Self {
        Self { n, channels: shape.channels, height: shape.height, width: shape.width }
    }

    /// The sides of an array; fails when it is not `[N, C, H, W]`.
    pub(crate) fn of(array: &Array) -> Result<Self> {
        array.dims4().map(|(n, shape)| Self::new(n, shape))
    }

    /// Positions of all images: what one block of channels has vectors.
    pub(crate) fn positions(self) -> usize {
        self.n * self.height * self.width
    }

    /// Vectors in all.
    pub(crate) fn vectors(self, lanes: usize) -> usize {
        self.channels.div_ceil(lanes) * self.positions()
    }

    /// Numbers in all, with those that fill up the last block.
    pub(crate) fn len(self, lanes: usize) -> usize {
        self.vectors(lanes) * lanes
    }

    /// The channel of the `index`-th plane in row-major order, and where that plane's first number lies.
    fn plane(self, lanes: usize, index: usize) -> (usize, usize) {
        let (n, channel) = (index / self.channels, index % self.channels);
        let block = (channel / lanes * self.n + n) * self.height * self.width;
        (channel, block * lanes + channel % lanes)
    }

    /// One bit for each lane of a block of channels that holds one.
    pub(crate) fn channel_bits(self, lanes: usize, block: usize) -> u16 {
        let used = (self.channels - block * lanes).min(lanes);
        u16::MAX >> (u16::BITS as usize - used)
    }

    /// `[N, C, H, W]`.
    pub(crate) fn dims(self) -> [usize; 4] {
        [self.n, self.channels, self.height, self.width]
    }

    /// From row-major `[N, C, H, W]`, each channel `c` as `factors[c] x + offsets[c]`.
    pub(crate) fn pack(
        self,
        lanes: usize,
        from: &[f32],
        into: &mut [f32],
        map: impl Fn(usize, f32) -> f32 + Sync,
    ) {
        let plane = self.height * self.width;
        let blocks = into[..self.len(lanes)].par_chunks_mut(self.positions() * lanes).enumerate();
        blocks.for_each(|(block, into)| {
            let first = block * lanes;
            let used = lanes.min(self.channels - first);
            into.fill(0.0);
            for lane in 0..used {
                let channel = first + lane;
                for (n, into) in into.chunks_mut(plane * lanes).enumerate() {
                    let from = &from[(n * self.channels + channel) * plane..][..plane];
                    let into = into[lane..].iter_mut().step_by(lanes);
                    into.zip(from).for_each(|(into, &x)| *into = map(channel, x));
                }
            }
        });
    }

    /// Into row-major `[N, C, H, W]`, each channel through `map`.
    pub(crate) fn unpack(
        self,
        lanes: usize,
        from: &[f32],
        into: &mut [f32],
        map: impl Fn(usize, f32) -> f32 + Sync,
    ) {
        let plane = self.height * self.width;
        into.par_chunks_mut(plane).enumerate().for_each(|(index, into)| {
            let (channel, start) = self.plane(lanes, index);
            let from = from[start..].iter().step_by(lanes);
            into.iter_mut().zip(from).for_each(|(into, &x)| *into = map(channel, x));
        });
    }

    /// The reverse of [`unpack`](Self::unpack), without a map: overwrites, or adds.
    pub(crate) fn put_back(self, lanes: usize, from: &[f32], into: &mut [f32], accumulate: bool) {
        if !accumulate {
            return self.pack(lanes, from, into, |_, x| x);
        }
        let plane = self.height * self.width;
        for (index, from) in from.chunks(plane).enumerate() {
            let (_, start) = self.plane(lanes, index);
            into[start..].iter_mut().step_by(lanes).zip(from).for_each(|(into, &x)| *into += x);
        }
    }

    /// An array with the same numbers.
    pub(crate) fn download(self, lanes: usize, from: &[f32]) -> Array {
        let mut array = Array::zeros(self.dims());
        self.unpack(lanes, from, array.data_mut(), |_, x| x);
        array
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacking_undoes_packing_and_the_lanes_left_over_are_zero() {
        let grid = BatchShape { n: 2, channels: 5, height: 2, width: 3 };
        let numbers: Vec<f32> = (1_u16..61).map(f32::from).collect();
        let mut packed = vec![9.0; grid.len(4)];
        grid.pack(4, &numbers, &mut packed, |_, x| x);
        assert_eq!(packed[..4], [1.0, 7.0, 13.0, 19.0], "the first position's first four channels");
        assert_eq!(packed[12 * 4..][..4], [25.0, 0.0, 0.0, 0.0], "the fifth channel and nothing");
        assert_eq!(grid.download(4, &packed).data(), numbers);
    }
}
