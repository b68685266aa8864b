//! Random numbers from a seed: the same seed and stream give the same numbers on every machine. Not here: what is made of
//! them.

use std::f64::consts::TAU;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The purpose of random numbers. Every use draws from a stream of its own, so that the transforms of step 3 do not depend
/// on how many numbers step 2 drew. Steps are below 2^29, views and images below 2^10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// The start of a run.
    Start,
    /// The backdrop of a transparent image in a step.
    Backdrop { step: usize },
    /// The transforms of one view in a step.
    View { step: usize, view: usize },
    /// The shift of the tiles in a step.
    Tiles { step: usize },
    /// The noise on one view of one image in a step.
    Noise { step: usize, view: usize, image: usize },
    /// Numbers that tests draw.
    #[cfg(test)]
    Test(u64),
}

impl Stream {
    /// The number of the `ChaCha` stream. It decides the bits of every picture, so it never changes.
    fn number(self) -> u64 {
        match self {
            Self::Start => 0,
            Self::Backdrop { step } => (1 << 40) + step as u64,
            Self::View { step, view } => (1 << 41) + ((step as u64) << 12) + view as u64,
            Self::Tiles { step } => (1 << 42) + step as u64,
            Self::Noise { step, view, image } => {
                (1 << 43) + ((step as u64) << 20) + ((view as u64) << 10) + image as u64
            }
            #[cfg(test)]
            Self::Test(number) => (1 << 63) + number,
        }
    }
}

/// A random number generator that a seed and a stream determine.
#[derive(Debug, Clone)]
pub(super) struct SeededRng(ChaCha8Rng);

impl SeededRng {
    pub(super) fn new(seed: u64, stream: Stream) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream.number());
        Self(generator)
    }

    /// Draws from 0..1, with the 53 bits of an `f64`.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Draws uniformly from `low..high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Draws one of 0 to `count` - 1.
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// Draws from the normal distribution of mean 0 and deviation 1 (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }

    /// Fills `bytes` with uniform bytes.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn draws_have_the_moments_they_are_named_for() {
        let mut rng = SeededRng::new(1, Stream::Test(2));
        let count = 20_000;
        let normal: Vec<f64> = (0..count).map(|_| rng.normal()).collect();
        let mean = normal.iter().sum::<f64>() / f64::from(count);
        let square = normal.iter().map(|v| v * v).sum::<f64>() / f64::from(count);
        // Five standard errors of either.
        assert!(mean.abs() < 0.035 && (square - 1.0).abs() < 0.05, "{mean} {square}");
        let counts = (0..6000).fold([0; 6], |mut counts, _| {
            counts[rng.below(6)] += 1;
            counts
        });
        assert!(counts.iter().all(|&n| (850..1150).contains(&n)), "{counts:?}");
    }

    #[test]
    fn a_stream_has_draws_of_its_own() {
        let first = |seed, stream| SeededRng::new(seed, Stream::Test(stream)).uniform();
        assert_eq!(first(3, 4), first(3, 4));
        assert_ne!(first(3, 4), first(3, 5));
        assert_ne!(first(3, 4), first(4, 4));
    }

    #[test]
    fn no_two_streams_share_a_number() {
        let steps = [0, 1, 2, 3, 1000, (1 << 20) + 1, (1 << 29) - 1];
        let counts = [0, 1, 2, 255, (1 << 10) - 1];
        let mut streams = vec![Stream::Start];
        for step in steps {
            streams.extend([Stream::Backdrop { step }, Stream::Tiles { step }]);
            for view in counts {
                streams.push(Stream::View { step, view });
                streams.extend(counts.map(|image| Stream::Noise { step, view, image }));
            }
        }
        let numbers: BTreeSet<u64> = streams.iter().map(|stream| stream.number()).collect();
        assert_eq!(numbers.len(), streams.len());
    }

    #[test]
    fn the_numbers_of_streams_are_those_of_version_0_1_0() {
        let (step, view, image) = (5, 3, 2);
        assert_eq!(Stream::Start.number(), 0);
        assert_eq!(Stream::Backdrop { step }.number(), 1_099_511_627_781);
        assert_eq!(Stream::View { step, view }.number(), 2_199_023_276_035);
        assert_eq!(Stream::Tiles { step }.number(), 4_398_046_511_109);
        assert_eq!(Stream::Noise { step, view, image }.number(), 8_796_098_268_162);
    }
}
