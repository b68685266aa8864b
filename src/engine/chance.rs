//! Draws from a seed: the same seed and purpose give the same numbers on every machine. Not here: what they are for.

use std::f64::consts::TAU;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// `purpose` separates what is drawn from one seed: step 3's transforms do not depend on how much step 2 drew.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(purpose);
        Self(generator)
    }

    /// In 0..1, with the 53 bits of an `f64`.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// In low..high.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// One of 0 to `count` - 1.
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// Of mean 0 and deviation 1 (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (TAU * self.uniform()).cos()
    }

    /// Bytes, as they come.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_moments_they_are_named_for() {
        let mut chance = Chance::new(1, 2);
        let count = 20_000;
        let normal: Vec<f64> = (0..count).map(|_| chance.normal()).collect();
        let mean = normal.iter().sum::<f64>() / f64::from(count);
        let square = normal.iter().map(|v| v * v).sum::<f64>() / f64::from(count);
        // Five standard errors of either.
        assert!(mean.abs() < 0.035 && (square - 1.0).abs() < 0.05, "{mean} {square}");
        let counts = (0..6000).fold([0; 6], |mut counts, _| {
            counts[chance.below(6)] += 1;
            counts
        });
        assert!(counts.iter().all(|&n| (850..1150).contains(&n)), "{counts:?}");
    }

    #[test]
    fn a_purpose_has_draws_of_its_own() {
        let first = |seed, purpose| Chance::new(seed, purpose).uniform();
        assert_eq!(first(3, 4), first(3, 4));
        assert_ne!(first(3, 4), first(3, 5));
        assert_ne!(first(3, 4), first(4, 4));
    }
}
