//! Channels of two layers held against each other, by what they make of the same pictures: the correlation of their means over the
//! pictures of two indices. The layers may be of two checkpoints or of two networks.

use std::collections::HashMap;

use serde::Serialize;

use super::error::{Error, Result};
use super::photographs::shuffled;
use super::points::PicturePoint;
use super::stats::Interval;
use super::vectors::{dot, length};

/// The pictures that a correlation needs: of two, every one is 1 or -1.
const LEAST: usize = 3;

/// Columns of the one side that stay in the processor's cache while those of the other pass by.
const TILE: usize = 16;

/// The deviations of a normal distribution within which 95 % of it lie.
const INSIDE: f64 = 1.96;

/// The channels of two layers over the pictures that both have seen.
#[derive(Debug, Clone)]
pub struct JoinedPictures {
    /// The number of pictures in both.
    pub pictures: usize,
    /// Pictures that only the first index has.
    pub only_a: usize,
    /// Pictures that only the second index has.
    pub only_b: usize,
    /// For each channel its values, centred and of length 1; empty for a channel that is the same in all pictures.
    a: Vec<Vec<f64>>,
    b: Vec<Vec<f64>>,
}

/// A channel of the first layer with the one of the second that it correlates with most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ChannelMatch {
    /// The channel of the first layer.
    pub channel: usize,
    /// The channel of the second; none if either side is the same in all pictures.
    #[serde(rename = "match")]
    pub matched: Option<usize>,
    /// The correlation of the two.
    pub r: Option<f64>,
    /// The channel of the second layer that comes next, and its correlation.
    pub next: Option<usize>,
    /// The correlation of that one.
    pub next_r: Option<f64>,
    /// The correlation with the channel of the same number.
    pub same_r: Option<f64>,
    /// The place of that channel among all of the second layer, from 1 for the most correlated.
    pub same_rank: Option<usize>,
    /// True where the second layer's channel correlates most with this one, too.
    pub mutual: bool,
}

impl JoinedPictures {
    /// Joins the pictures of two indices by their paths. Fails where fewer than three are in both.
    pub fn of(a: &[PicturePoint], b: &[PicturePoint]) -> Result<Self> {
        let mut pairs = pairs((a, ""), (b, ""));
        if pairs.len() < LEAST {
            // A tar file, or a folder around the data set, stands in front of all paths of an index.
            pairs = self::pairs((a, outer_folder(a)), (b, outer_folder(b)));
        }
        let pictures = pairs.len();
        if pictures < LEAST {
            let first =
                |points: &[PicturePoint]| points.first().map_or_else(String::new, |point| point.file.clone());
            return Err(Error::FewInBoth { found: pictures, needed: LEAST, first: [first(a), first(b)] });
        }
        Ok(Self {
            pictures,
            only_a: a.len() - pictures,
            only_b: b.len() - pictures,
            a: columns(&pairs.iter().map(|(own, _)| *own)),
            b: columns(&pairs.iter().map(|(_, other)| *other)),
        })
    }

    /// The channels of the second layer, the most correlated with a channel of the first one first.
    pub fn ranked(&self, channel: usize) -> Vec<(usize, f64)> {
        let own = &self.a[channel];
        let others = self.b.iter().enumerate();
        let mut found: Vec<(usize, f64)> =
            others.filter_map(|(at, other)| Some((at, correlation(own, other)?))).collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found
    }

    /// Every channel of the first layer with its match, in their order.
    pub fn matches(&self) -> Vec<ChannelMatch> {
        let all = correlations(&self.a, &self.b);
        let width = self.b.len();
        let chosen_by_b: Vec<Option<usize>> = (0..width)
            .map(|column| {
                best((0..self.a.len()).map(|row| (row, all[row * width + column]))).map(|best| best.0)
            })
            .collect();
        let one = |channel: usize| {
            let row = &all[channel * width..][..width];
            let entries = || row.iter().copied().enumerate();
            let first = best(entries());
            let next = best(entries().filter(|(at, _)| Some(*at) != first.map(|first| first.0)));
            let same = row.get(channel).copied().filter(|r| !r.is_nan());
            let before =
                |same: f64| entries().filter(|(at, r)| *r > same || *r == same && *at < channel).count();
            ChannelMatch {
                channel,
                matched: first.map(|first| first.0),
                r: first.map(|first| first.1),
                next: next.map(|next| next.0),
                next_r: next.map(|next| next.1),
                same_r: same,
                same_rank: same.map(|same| before(same) + 1),
                mutual: first.is_some_and(|first| chosen_by_b[first.0] == Some(channel)),
            }
        };
        (0..self.a.len()).map(one).collect()
    }

    /// The correlation that a channel finds by chance: the highest correlation of each with the channels of the second layer over the same
    /// pictures in a random order, as a mean. None if all channels are the same in all pictures.
    pub fn chance(&self, seed: u64) -> Option<f64> {
        let order = shuffled(self.pictures, seed);
        let turned = |column: &Vec<f64>| {
            if column.is_empty() { Vec::new() } else { order.iter().map(|&at| column[at]).collect() }
        };
        let b: Vec<Vec<f64>> = self.b.iter().map(turned).collect();
        let all = correlations(&self.a, &b);
        let rows = all.chunks(b.len().max(1));
        let found: Vec<f64> =
            rows.filter_map(|row| best(row.iter().copied().enumerate())).map(|best| best.1).collect();
        (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
    }

    /// The interval that holds a correlation over these pictures with 95 % of certainty, by Fisher's transform. None for fewer
    /// than four pictures.
    pub fn interval(&self, r: f64) -> Option<Interval> {
        let width = (self.pictures > 3).then(|| INSIDE / ((self.pictures - 3) as f64).sqrt())?;
        // A correlation of 1 has no width.
        let z = r.clamp(-1.0, 1.0).atanh();
        Some(Interval { low: (z - width).tanh(), high: (z + width).tanh() })
    }
}

/// The pictures that both sides have, by their paths behind what stands in front of all of a side's.
fn pairs<'a>(
    (a, before_a): (&'a [PicturePoint], &str),
    (b, before_b): (&'a [PicturePoint], &str),
) -> Vec<(&'a PicturePoint, &'a PicturePoint)> {
    let places: HashMap<&str, &PicturePoint> =
        b.iter().map(|point| (&point.file[before_b.len()..], point)).collect();
    a.iter().filter_map(|own| Some((own, *places.get(&own.file[before_a.len()..])?))).collect()
}

/// The folders that all pictures lie in, with a slash at the end; empty where they have none in common.
fn outer_folder(points: &[PicturePoint]) -> &str {
    let Some(first) = points.first() else { return "" };
    let ends = first.file.match_indices('/').map(|(at, _)| at + 1);
    let is_outer = |end: &usize| points.iter().all(|point| point.file.starts_with(&first.file[..*end]));
    ends.take_while(is_outer).last().map_or("", |end| &first.file[..end])
}

/// The channels of points as columns, centred and of length 1.
fn columns<'a>(points: &(impl Iterator<Item = &'a PicturePoint> + Clone)) -> Vec<Vec<f64>> {
    let channels = points.clone().next().map_or(0, |point| point.means.len());
    let column = |channel: usize| {
        let values: Vec<f64> = points.clone().map(|point| point.means[channel]).collect();
        if values.iter().all(|value| *value == values[0]) {
            return Vec::new();
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let centred: Vec<f64> = values.into_iter().map(|value| value - mean).collect();
        let length = length(&centred);
        centred.into_iter().map(|value| value / length).collect()
    };
    (0..channels).map(column).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    (!a.is_empty() && !b.is_empty()).then(|| dot(a, b).clamp(-1.0, 1.0))
}

/// All correlations, a row for each of `a`; not a number where a side is the same in all pictures.
fn correlations(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<f64> {
    let mut all = vec![f64::NAN; a.len() * b.len()];
    for (tile, others) in b.chunks(TILE).enumerate() {
        for (row, own) in a.iter().enumerate() {
            for (column, other) in others.iter().enumerate() {
                if let Some(r) = correlation(own, other) {
                    all[row * b.len() + tile * TILE + column] = r;
                }
            }
        }
    }
    all
}

/// The largest number that is one, the first of equals.
fn best(numbers: impl Iterator<Item = (usize, f64)>) -> Option<(usize, f64)> {
    numbers.filter(|(_, r)| !r.is_nan()).reduce(|best, new| if new.1 > best.1 { new } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures whose channels are waves of different lengths, and one that is always the same.
    fn points(count: usize, order: [usize; 5]) -> Vec<PicturePoint> {
        let value = |picture: usize, channel: usize| match channel {
            4 => 0.7,
            _ => 3.0 + (picture as f64 * (0.7 + channel as f64 / 3.0)).sin(),
        };
        let point = |picture: usize| PicturePoint {
            file: format!("{picture}.png"),
            label: None,
            means: order.iter().map(|&channel| value(picture, channel)).collect(),
        };
        (0..count).map(point).collect()
    }

    #[test]
    fn a_layer_finds_itself() {
        let points = points(50, [0, 1, 2, 3, 4]);
        let joined = JoinedPictures::of(&points, &points).unwrap();
        for (channel, found) in joined.matches().iter().enumerate().take(4) {
            assert_eq!((found.matched, found.same_rank, found.mutual), (Some(channel), Some(1), true));
            assert!((found.r.unwrap() - 1.0).abs() < 1e-12 && found.next_r.unwrap() < 0.5, "{found:?}");
        }
        let dead = joined.matches()[4];
        assert_eq!((dead.matched, dead.r, dead.same_r, dead.mutual), (None, None, None, false));
        assert!(joined.chance(0).unwrap() < 0.5);
    }

    #[test]
    fn a_permutation_is_found_whatever_pictures_are_missing() {
        let (a, order) = (points(50, [0, 1, 2, 3, 4]), [2, 4, 0, 1, 3]);
        let mut b = points(60, order);
        b.reverse();
        b.retain(|point| point.file != "7.png");
        let joined = JoinedPictures::of(&a, &b).unwrap();
        assert_eq!((joined.pictures, joined.only_a, joined.only_b), (49, 1, 10));
        let found = joined.matches();
        for (channel, found) in found.iter().enumerate().take(4) {
            let place = order.iter().position(|own| *own == channel);
            assert_eq!(found.matched, place, "{channel}");
            assert_eq!(joined.ranked(channel)[0].0, place.unwrap());
        }
        assert_eq!(found[1].same_r, None, "channel 1 of the other layer is always the same");
    }

    #[test]
    fn a_folder_around_all_pictures_is_no_part_of_their_names() {
        let a = points(20, [0, 1, 2, 3, 4]);
        let mut b = a.clone();
        for point in &mut b {
            point.file.insert_str(0, "photos.tar/photos/");
        }
        let joined = JoinedPictures::of(&a, &b).unwrap();
        assert_eq!((joined.pictures, joined.matches()[2].matched), (20, Some(2)));
        assert_eq!((outer_folder(&b), outer_folder(&a)), ("photos.tar/photos/", ""));
        let [one, other] =
            ["x/1.png", "y/1.png"].map(|file| PicturePoint { file: file.into(), ..a[0].clone() });
        assert_eq!(outer_folder(&[one, other]), "");
    }

    #[test]
    fn correlations_are_of_known_size() {
        let point = |n: usize, means: Vec<f64>| PicturePoint { file: n.to_string(), label: None, means };
        let a: Vec<PicturePoint> =
            [1.0, 2.0, 3.0, 4.0].iter().enumerate().map(|(n, x)| point(n, vec![*x])).collect();
        let b: Vec<PicturePoint> =
            [2.0, 1.0, 4.0, 3.0].iter().enumerate().map(|(n, x)| point(n, vec![-x])).collect();
        let joined = JoinedPictures::of(&a, &b).unwrap();
        assert!((joined.matches()[0].r.unwrap() + 0.6).abs() < 1e-12, "by hand: 3 / 5");
        // atanh(-0.6) -+ 1.96 / sqrt(1)
        let Interval { low, high } = joined.interval(-0.6).unwrap();
        assert!((low + 0.990_1).abs() < 1e-4 && (high - 0.853_0).abs() < 1e-4, "{low} {high}");
        assert_eq!(joined.interval(1.0), Some(Interval { low: 1.0, high: 1.0 }));
        assert!(matches!(JoinedPictures::of(&a, &b[..2]), Err(Error::FewInBoth { found: 2, .. })));
    }
}
