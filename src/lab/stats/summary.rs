//! Numbers about many numbers: means, ranks, bins and bootstrap intervals.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Serialize;

/// Samples of a bootstrap.
const SAMPLES: usize = 1000;

/// The share of samples that lies inside of an interval, in percent.
const INSIDE: f64 = 95.0;

/// Bins of a histogram.
const BINS: usize = 20;

/// The ends of an interval that holds 95 % of bootstrap samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Two histograms over the same bins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bins {
    /// The lower end of the first bin.
    pub from: f64,
    /// The upper end of the last.
    pub to: f64,
    /// The number of a class's own photographs in each.
    pub intra: Vec<usize>,
    /// The number of all others in each.
    pub inter: Vec<usize>,
}

/// The mean, and the standard deviation of a sample (divided by n - 1); none of less than two numbers.
pub(in crate::lab) fn mean_and_deviation(numbers: &[f64]) -> Option<(f64, f64)> {
    if numbers.len() < 2 {
        return None;
    }
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    Some((mean, (squares / (n - 1.0)).sqrt()))
}

/// The share of numbers that are as large as `found`, with `found` counted among them: (1 + #{number >= found}) / (n + 1).
pub(in crate::lab) fn empirical_rank(found: f64, numbers: &[f64]) -> f64 {
    let larger = numbers.iter().filter(|number| **number >= found).count();
    (1 + larger) as f64 / (numbers.len() + 1) as f64
}

/// The interval that holds 95 % of `statistic` over samples of places 0 to `counts[group]` - 1 in each group, drawn with
/// repetition by the seed. Percentiles are linear between neighbours, as numpy's.
pub(in crate::lab) fn interval(
    counts: &[usize],
    seed: u64,
    mut statistic: impl FnMut(&[Vec<usize>]) -> f64,
) -> Interval {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut found: Vec<f64> = (0..SAMPLES)
        .map(|_| {
            let sample = counts
                .iter()
                .map(|&count| (0..count).map(|_| (rng.next_u64() % count.max(1) as u64) as usize).collect());
            statistic(&sample.collect::<Vec<Vec<usize>>>())
        })
        .collect();
    found.sort_by(f64::total_cmp);
    let outside = (100.0 - INSIDE) / 200.0;
    Interval { low: quantile(&found, outside), high: quantile(&found, 1.0 - outside) }
}

/// A quantile of sorted numbers.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + part * (sorted[above] - sorted[below])
}

/// The histograms of a class's own numbers and of all others'.
pub(in crate::lab) fn bins(intra: &[f64], inter: &[f64]) -> Bins {
    let all = || intra.iter().chain(inter).copied();
    let (from, to) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let count = |numbers: &[f64]| {
        let mut counts = vec![0; BINS];
        for number in numbers {
            let bin = ((number - from) / (to - from).max(f64::MIN_POSITIVE) * BINS as f64) as usize;
            counts[bin.min(BINS - 1)] += 1;
        }
        counts
    };
    Bins { from, to, intra: count(intra), inter: count(inter) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_deviations_are_those_of_a_sample() {
        assert_eq!(mean_and_deviation(&[1.0, 3.0]), Some((2.0, 2.0_f64.sqrt())));
        assert_eq!(mean_and_deviation(&[1.0]), None);
        assert_eq!(
            (empirical_rank(9.0, &[1.0, 2.0, 3.0]), empirical_rank(2.0, &[1.0, 2.0, 3.0])),
            (0.25, 0.75)
        );
    }

    #[test]
    fn an_interval_is_that_of_resampled_means() {
        let numbers: Vec<f64> = (0..100).map(f64::from).collect();
        let mean = |sample: &[Vec<usize>]| sample[0].iter().map(|&at| numbers[at]).sum::<f64>() / 100.0;
        let found = interval(&[100], 7, mean);
        // 49.5 and 1.96 standard errors of 2.887.
        assert!((found.low - 43.8).abs() < 0.7 && (found.high - 55.2).abs() < 0.7, "{found:?}");
        assert_eq!(found, interval(&[100], 7, mean));
        assert_ne!(found, interval(&[100], 8, mean));
    }

    #[test]
    fn bins_hold_every_number_once() {
        let found = bins(&[1.0, 2.0, 3.0], &[2.0, 5.0]);
        assert_eq!((found.from, found.to), (1.0, 5.0));
        assert_eq!((found.intra.iter().sum::<usize>(), found.inter.iter().sum::<usize>()), (3, 2));
        assert_eq!((found.intra[0], found.inter[19]), (1, 1));
        assert_eq!(bins(&[1.0], &[]).intra[0], 1);
    }
}
