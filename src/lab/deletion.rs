//! The deletion curve: the margin that is left while more and more channels are taken out. An order that puts first what matters
//! makes it fall faster than chance does, and its reverse slower, whatever the numbers behind the order are called. It is
//! taken over channels, where the same curve over pixels shows the network pictures that it never met.

use serde::Serialize;

use super::ablate::lost;
use super::error::Result;
use super::margin::Margin;
use super::photographs::shuffled;
use super::removal::Remover;
use super::tail::Tail;

/// Parts into which the channels are cut: ten, as deletion curves over pixels have.
const PARTS: usize = 10;

/// Random orders that the curve of chance is the mean of.
const RANDOM_ORDERS: u64 = 8;

/// The margins that are left in one order, and the area under them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeletionCurve {
    /// The margin for each number of channels that are taken out.
    pub margins: Vec<f64>,
    /// The area under the curve by the trapezoid rule, with the share of channels from 0 to 1 across: the mean margin on the way.
    pub area: f64,
}

/// Deletion curves of one picture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Deletion {
    /// The numbers of channels that are taken out, from none to all.
    pub counts: Vec<usize>,
    /// In the order that was given.
    pub ordered: DeletionCurve,
    /// The mean over random orders.
    pub random: DeletionCurve,
    /// In the reverse of the order.
    pub reversed: DeletionCurve,
}

/// The curves of the order, of its reverse, and of random orders, which are drawn by `seed`.
pub fn deletion(
    tail: &mut Tail,
    margin: Margin,
    removers: &[&Remover],
    order: &[usize],
    seed: u64,
) -> Result<Deletion> {
    let counts: Vec<usize> = (0..=PARTS).map(|part| part * order.len() / PARTS).collect();
    let whole = margin.of(tail.logits());
    let mut left = |order: &[usize]| -> Result<Vec<f64>> {
        let sets: Vec<Vec<usize>> = counts[1..].iter().map(|&count| order[..count].to_vec()).collect();
        let mut margins = vec![whole];
        for lost in lost(tail, margin, removers, &sets)? {
            margins.push(whole - lost.iter().sum::<f64>() / lost.len() as f64);
        }
        Ok(margins)
    };
    let ordered = left(order)?;
    let reversed = left(&order.iter().rev().copied().collect::<Vec<_>>())?;
    let mut random = vec![0.0; counts.len()];
    for draw in 0..RANDOM_ORDERS {
        let margins = left(&shuffled(order.len(), seed.wrapping_add(draw)))?;
        random.iter_mut().zip(margins).for_each(|(mean, margin)| *mean += margin / RANDOM_ORDERS as f64);
    }
    Ok(Deletion { ordered: curve(ordered), random: curve(random), reversed: curve(reversed), counts })
}

fn curve(margins: Vec<f64>) -> DeletionCurve {
    let parts = margins.windows(2).map(|ends| f64::midpoint(ends[0], ends[1]));
    let area = parts.sum::<f64>() / margins.len().saturating_sub(1).max(1) as f64;
    DeletionCurve { margins, area }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_the_mean_on_the_way() {
        assert_eq!(curve(vec![4.0, 2.0, 0.0]).area, 2.0);
        assert_eq!(curve(vec![4.0, 0.0, 0.0]).area, 1.0);
        assert_eq!(curve(vec![4.0]).area, 0.0);
    }
}
