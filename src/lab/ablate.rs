//! What a margin loses when channels of a layer are taken out: one by one, the strongest together, all but the strongest.

use serde::Serialize;

use super::error::Result;
use super::margin::{Margin, rank};
use super::removal::Remover;
use super::tail::Tail;

/// The effect of taking out one channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Single {
    /// The channel that is taken out.
    pub channel: usize,
    /// The margin that is lost.
    pub effect: f64,
    /// The standard error of that, over the photographs that it is a mean of; none for one replacement.
    pub standard_error: Option<f64>,
}

/// The effect of taking out the strongest channels together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Group {
    /// The number of channels, from the strongest on.
    pub top: usize,
    /// The margin that is lost without them.
    pub joint: f64,
    /// The sum of the margins that are lost without one of them at a time. Effects do not add up, so it differs.
    pub sum: f64,
    /// The place of the class without them, counted from 1.
    pub rank: usize,
    /// The margin that is left with them alone, all others taken out.
    pub alone: f64,
}

/// The effect of taking out each channel by itself, in the channels' order: the mean over the removers.
pub fn singles(tail: &mut Tail, margin: Margin, removers: &[&Remover]) -> Result<Vec<Single>> {
    let sets: Vec<Vec<usize>> = (0..tail.channels()).map(|channel| vec![channel]).collect();
    let lost = lost(tail, margin, removers, &sets)?;
    let single = |(channel, effects): (usize, Vec<f64>)| {
        let (effect, standard_error) = mean_and_error(&effects);
        Single { channel, effect, standard_error }
    };
    Ok(lost.into_iter().enumerate().map(single).collect())
}

/// The margins that are lost without each set of channels, one for each remover.
pub(super) fn lost(
    tail: &mut Tail,
    margin: Margin,
    removers: &[&Remover],
    sets: &[Vec<usize>],
) -> Result<Vec<Vec<f64>>> {
    let whole = margin.of(tail.logits());
    let mut lost = vec![Vec::new(); sets.len()];
    for remover in removers {
        for (lost, logits) in lost.iter_mut().zip(remover.logits(tail, sets)?) {
            lost.push(whole - margin.of(&logits));
        }
    }
    Ok(lost)
}

fn mean_and_error(numbers: &[f64]) -> (f64, Option<f64>) {
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    (mean, (numbers.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt()))
}

/// The effects of taking out the first channels of `order` together, for each number of them; `singles` are theirs one
/// by one.
pub fn groups(
    tail: &mut Tail,
    margin: Margin,
    removers: &[&Remover],
    (order, singles): (&[usize], &[Single]),
    tops: &[usize],
) -> Result<Vec<Group>> {
    let mut groups = Vec::with_capacity(tops.len());
    let whole = margin.of(tail.logits());
    for &top in tops {
        let (first, others) = order.split_at(top.min(order.len()));
        let logits = mean_logits(tail, removers, &[first.to_vec()])?.swap_remove(0);
        let lost = lost(tail, margin, removers, &[first.to_vec(), others.to_vec()])?;
        let mean = |numbers: &[f64]| mean_and_error(numbers).0;
        groups.push(Group {
            top: first.len(),
            joint: mean(&lost[0]),
            sum: first.iter().map(|&channel| singles[channel].effect).sum(),
            rank: rank(margin.class, &logits),
            alone: whole - mean(&lost[1]),
        });
    }
    Ok(groups)
}

/// The smallest number of channels, taken out together in this order, without which the class is no longer first: 0 if it
/// is not first to begin with, none if it stays first without all of them. With several removers the mean logits decide.
pub fn flip_count(
    tail: &mut Tail,
    margin: Margin,
    removers: &[&Remover],
    order: &[usize],
) -> Result<Option<usize>> {
    if rank(margin.class, tail.logits()) > 1 {
        return Ok(Some(0));
    }
    let counts: Vec<usize> = (1..=order.len()).collect();
    for counts in counts.chunks(tail.batch()) {
        let sets: Vec<Vec<usize>> = counts.iter().map(|&count| order[..count].to_vec()).collect();
        let logits = mean_logits(tail, removers, &sets)?;
        let flipped = counts.iter().zip(&logits).find(|(_, logits)| rank(margin.class, logits) > 1);
        if let Some((count, _)) = flipped {
            return Ok(Some(*count));
        }
    }
    Ok(None)
}

/// The mean logits over the removers, for each set of channels.
pub(super) fn mean_logits(
    tail: &mut Tail,
    removers: &[&Remover],
    sets: &[Vec<usize>],
) -> Result<Vec<Vec<f32>>> {
    let mut sums = vec![vec![0.0_f32; tail.logits().len()]; sets.len()];
    for remover in removers {
        for (sums, logits) in sums.iter_mut().zip(remover.logits(tail, sets)?) {
            sums.iter_mut().zip(logits).for_each(|(sum, logit)| *sum += logit / removers.len() as f32);
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_error_is_the_deviation_over_the_root_of_n() {
        assert_eq!(mean_and_error(&[4.0]), (4.0, None));
        let (mean, error) = mean_and_error(&[1.0, 3.0, 5.0, 7.0]);
        assert!(mean == 4.0 && (error.unwrap() - (20.0_f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12);
    }
}
