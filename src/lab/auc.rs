//! How well a number tells one group from all others: the area under the ROC curve, which is the share of pairs, one of the
//! group and one of the others, in which the group's number is the larger one. Equal numbers count half.

use std::f64::consts::SQRT_2;

/// An area under the ROC curve with its significance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupArea {
    /// The area: 1 if all of the group's numbers are larger than all others, 0.5 by chance.
    pub auc: f64,
    /// The probability of an area as far from 0.5 by chance, by Mann and Whitney's test: two-sided, by the normal distribution, with
    /// the corrections for ties and for continuity (scipy's `mannwhitneyu(method="asymptotic")`).
    pub p: f64,
}

/// The area for each of `groups` groups; none for a group that is empty, or that has everything. `group` is the group of each
/// value, or none for values that belong to none and are among all groups' others.
pub fn areas(values: &[f64], group: &[Option<usize>], groups: usize) -> Vec<Option<GroupArea>> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let (mut rank_sums, mut counts) = (vec![0.0; groups], vec![0_usize; groups]);
    let (mut start, mut tied) = (0, 0.0);
    while start < order.len() {
        let value = values[order[start]];
        let ties = order[start..].iter().take_while(|&&at| values[at] == value).count();
        // The mean of the ranks `start` + 1 to `start` + ties.
        let rank = start as f64 + (ties + 1) as f64 / 2.0;
        for group in order[start..start + ties].iter().filter_map(|&at| group[at]) {
            rank_sums[group] += rank;
            counts[group] += 1;
        }
        start += ties;
        tied += (ties as f64).powi(3) - ties as f64;
    }
    let area = |(rank_sum, count): (f64, usize)| {
        let (inside, outside) = (count as f64, (values.len() - count) as f64);
        let pairs = inside * outside;
        let auc = (rank_sum - inside * (inside + 1.0) / 2.0) / pairs;
        (pairs > 0.0).then(|| GroupArea { auc, p: significance(auc, [inside, outside], tied) })
    };
    rank_sums.into_iter().zip(counts).map(area).collect()
}

/// The two-sided p of an area over pairs of `inside` and `outside` numbers, of which some are equal: `tied` is the sum of t^3 - t
/// over the sets of t equal ones.
fn significance(auc: f64, [inside, outside]: [f64; 2], tied: f64) -> f64 {
    let (all, pairs) = (inside + outside, inside * outside);
    let variance = pairs / 12.0 * (all + 1.0 - tied / (all * (all - 1.0)));
    let beyond = pairs * (auc - 0.5).abs() - 0.5;
    if variance <= 0.0 {
        return 1.0; // all numbers are equal
    }
    libm::erfc(beyond / (SQRT_2 * variance.sqrt())).min(1.0)
}

/// The p of several tests corrected for their number, so that of those below a level only that share is there by chance (Benjamini
/// and Hochberg 1995; scipy's `false_discovery_control`).
pub fn corrected(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
    let (mut corrected, mut least) = (vec![1.0; p.len()], 1.0_f64);
    for (after, at) in order.into_iter().enumerate() {
        let rank = p.len() - after;
        least = least.min(p[at] * p.len() as f64 / rank as f64);
        corrected[at] = least;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_the_share_of_pairs_that_are_in_order() {
        let values = [1.0, 2.0, 2.0, 3.0, 0.5];
        let group = [Some(0), Some(0), Some(1), Some(1), None];
        // Group 1 against 1, 2, 0.5: of 2.0 two and a half of three pairs, of 3.0 all.
        let found: Vec<Option<f64>> =
            areas(&values, &group, 3).into_iter().map(|area| area.map(|area| area.auc)).collect();
        assert_eq!(found, [Some(2.5 / 6.0), Some(5.5 / 6.0), None]);
        assert_eq!(areas(&[1.0, 1.0], &[Some(0), Some(0)], 1), [None]);
    }

    #[test]
    fn numbers_that_are_all_equal_tell_nothing() {
        let area = areas(&[3.0; 4], &[Some(0), Some(0), None, None], 1)[0].unwrap();
        assert_eq!((area.auc, area.p), (0.5, 1.0));
        assert_eq!(corrected(&[]), [0.0; 0]);
    }
}
