//! How well a number tells one group from all others: the area under the ROC curve, which is the share of pairs, one of the
//! group and one of the others, in which the group's number is the larger one. Equal numbers count half.

/// The area for each of `groups` groups; none for a group that is empty, or that has everything. `group` is the group of each
/// value, or none for values that belong to none and are among all groups' others.
pub fn areas(values: &[f64], group: &[Option<usize>], groups: usize) -> Vec<Option<f64>> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let (mut rank_sums, mut counts) = (vec![0.0; groups], vec![0_usize; groups]);
    let mut start = 0;
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
    }
    let area = |(rank_sum, count): (f64, usize)| {
        let (inside, outside) = (count as f64, (values.len() - count) as f64);
        let pairs = inside * outside;
        (pairs > 0.0).then(|| (rank_sum - inside * (inside + 1.0) / 2.0) / pairs)
    };
    rank_sums.into_iter().zip(counts).map(area).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_the_share_of_pairs_that_are_in_order() {
        let values = [1.0, 2.0, 2.0, 3.0, 0.5];
        let group = [Some(0), Some(0), Some(1), Some(1), None];
        // Group 1 against 1, 2, 0.5: of 2.0 two and a half of three pairs, of 3.0 all.
        assert_eq!(areas(&values, &group, 3), [Some(2.5 / 6.0), Some(5.5 / 6.0), None]);
        assert_eq!(areas(&[1.0, 1.0], &[Some(0), Some(0)], 1), [None]);
    }
}
