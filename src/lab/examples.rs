//! The pictures of a data set that a channel answers to most, and how well it tells classes apart, read from an index.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::auc::{GroupArea, areas, corrected};
use super::error::{Error, Result};
use super::index::{IndexManifest, IndexedLayer, ShardFile};
use super::points::PicturePoint;

/// Pictures that the mix of classes is taken from.
const MIXED: usize = 100;

/// The number that pictures are put in order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankedBy {
    /// The channel's mean over positions.
    Mean,
    /// Its largest value.
    Max,
    /// The part that it carries of the margin of the picture's own class.
    Relevance,
}

/// The numbers of one channel for one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelRow {
    /// The place of the picture in the data set.
    pub picture: usize,
    /// Its path there.
    pub file: String,
    /// The data set's label.
    pub label: Option<String>,
    /// The network's class that the label means.
    pub class: Option<usize>,
    /// The channel's mean.
    pub mean: f32,
    /// Its largest value.
    pub max: f32,
    /// The position of that, `y * width + x`.
    pub at: usize,
    /// Its relevance, if that was kept and the picture has a class.
    pub relevance: Option<f32>,
}

/// A label among the first pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabelCount {
    /// The data set's label.
    pub label: String,
    /// Its pictures among the first.
    pub pictures: usize,
}

/// A measure of how well a channel tells a label's pictures from all others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelArea {
    /// The data set's label.
    pub label: String,
    /// The area under the ROC curve of the channel's mean: 1 if all of its pictures come first, 0.5 by chance.
    pub auc: f64,
    /// The probability of such an area by chance, corrected for the number of labels.
    pub p: f64,
    /// The label's pictures.
    pub pictures: usize,
    /// The number of all others.
    pub others: usize,
}

impl ChannelRow {
    /// The number that it is put in order by; none where it has no relevance.
    pub fn value(&self, by: RankedBy) -> Option<f32> {
        match by {
            RankedBy::Mean => Some(self.mean),
            RankedBy::Max => Some(self.max),
            RankedBy::Relevance => self.relevance,
        }
    }
}

/// A channel's rows in an index. Only the columns of this channel are read.
pub fn channel_rows(
    folder: &Path,
    manifest: &IndexManifest,
    layer: &IndexedLayer,
    channel: usize,
) -> Result<Vec<ChannelRow>> {
    let mut rows = Vec::new();
    for path in manifest.shards(folder, layer) {
        let shard = ShardFile::open(&path)?;
        let relevance = if layer.relevance {
            shard.channel("relevance", channel, layer)?
        } else {
            vec![None; shard.len()]
        };
        let (means, maxima) = (shard.channel("mean", channel, layer)?, shard.channel("max", channel, layer)?);
        let numbers = means.into_iter().zip(maxima).zip(shard.places(channel, layer)?).zip(relevance);
        for (row, (((mean, max), at), relevance)) in shard.labelled_rows()?.into_iter().zip(numbers) {
            rows.push(ChannelRow {
                picture: row.picture,
                file: row.file,
                label: row.label.label,
                class: row.label.class,
                mean: mean.unwrap_or_default(),
                max: max.unwrap_or_default(),
                at: at.and_then(|at| usize::try_from(at).ok()).unwrap_or_default(),
                relevance,
            });
        }
    }
    if rows.is_empty() { Err(Error::NoIndex { folder: folder.into() }) } else { Ok(rows) }
}

/// The first `count` rows, largest number first; of equals, the one that comes first in the data set. Rows without the number
/// are left out.
pub fn first(rows: &[ChannelRow], by: RankedBy, count: usize) -> Vec<&ChannelRow> {
    let mut order: Vec<(&ChannelRow, f32)> =
        rows.iter().filter_map(|row| Some((row, row.value(by)?))).collect();
    order.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.picture.cmp(&b.picture)));
    order.into_iter().take(count).map(|(row, _)| row).collect()
}

/// The labels of the first hundred rows, the most frequent first.
pub fn label_mix(rows: &[ChannelRow], by: RankedBy) -> Vec<LabelCount> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for label in first(rows, by, MIXED).iter().filter_map(|row| row.label.as_deref()) {
        *counts.entry(label).or_default() += 1;
    }
    let mut mix: Vec<LabelCount> =
        counts.into_iter().map(|(label, pictures)| LabelCount { label: label.into(), pictures }).collect();
    mix.sort_by(|a, b| b.pictures.cmp(&a.pictures).then_with(|| a.label.cmp(&b.label)));
    mix
}

/// The areas under the ROC curves of the channel's mean, each label against all other pictures, the best first.
pub fn label_areas(rows: &[ChannelRow]) -> Vec<LabelArea> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for label in rows.iter().filter_map(|row| row.label.as_deref()) {
        let next = places.len();
        places.entry(label).or_insert(next);
    }
    let values: Vec<f64> = rows.iter().map(|row| f64::from(row.mean)).collect();
    let groups: Vec<Option<usize>> =
        rows.iter().map(|row| row.label.as_deref().and_then(|label| places.get(label).copied())).collect();
    let found = areas(&values, &groups, places.len());
    let mut areas: Vec<LabelArea> = Vec::with_capacity(places.len());
    for (label, place) in places {
        let pictures = groups.iter().filter(|group| **group == Some(place)).count();
        if let Some(GroupArea { auc, p }) = found[place] {
            areas.push(LabelArea { label: label.into(), auc, p, pictures, others: rows.len() - pictures });
        }
    }
    let p: Vec<f64> = areas.iter().map(|area| area.p).collect();
    areas.iter_mut().zip(corrected(&p)).for_each(|(area, p)| area.p = p);
    areas.sort_by(|a, b| b.auc.total_cmp(&a.auc).then_with(|| a.label.cmp(&b.label)));
    areas
}

/// A measure of how well a channel tells one label's pictures from all others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ChannelArea {
    /// The channel's index.
    pub channel: usize,
    /// The area under the ROC curve of its mean.
    pub auc: f64,
    /// The probability of such an area by chance, corrected for the number of channels.
    pub p: f64,
}

/// The areas under the ROC curves of all channels' means, for the pictures of `label` against all others, the largest first. None if
/// the label has no picture, or all of them.
pub fn channel_areas(pictures: &[PicturePoint], label: &str) -> Option<Vec<ChannelArea>> {
    let groups: Vec<Option<usize>> =
        pictures.iter().map(|picture| (picture.label.as_deref() == Some(label)).then_some(0)).collect();
    let channels = pictures.first().map_or(0, |picture| picture.means.len());
    let mut found = Vec::with_capacity(channels);
    for channel in 0..channels {
        let means: Vec<f64> = pictures.iter().map(|picture| picture.means[channel]).collect();
        let GroupArea { auc, p } = areas(&means, &groups, 1).pop().flatten()?;
        found.push(ChannelArea { channel, auc, p });
    }
    let p: Vec<f64> = found.iter().map(|area| area.p).collect();
    found.iter_mut().zip(corrected(&p)).for_each(|(area, p)| area.p = p);
    found.sort_by(|a, b| b.auc.total_cmp(&a.auc).then(a.channel.cmp(&b.channel)));
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(picture: usize, label: &str, mean: f32, relevance: Option<f32>) -> ChannelRow {
        let label = (!label.is_empty()).then(|| label.to_owned());
        ChannelRow {
            picture,
            file: picture.to_string(),
            label,
            class: None,
            mean,
            max: -mean,
            at: 0,
            relevance,
        }
    }

    fn rows() -> Vec<ChannelRow> {
        vec![
            row(0, "cat", 1.0, None),
            row(1, "dog", 3.0, Some(-1.0)),
            row(2, "cat", 2.0, Some(5.0)),
            row(3, "", 3.0, Some(0.0)),
        ]
    }

    #[test]
    fn rows_come_in_order_of_what_is_asked_for() {
        let rows = rows();
        let order = |by| first(&rows, by, 9).iter().map(|row| row.picture).collect::<Vec<_>>();
        assert_eq!(order(RankedBy::Mean), [1, 3, 2, 0], "of equals the first");
        assert_eq!(order(RankedBy::Max), [0, 2, 1, 3]);
        assert_eq!(order(RankedBy::Relevance), [2, 3, 1], "without those that have none");
        assert_eq!(first(&rows, RankedBy::Mean, 1).len(), 1);
    }

    #[test]
    fn labels_are_counted_and_told_apart() {
        let rows = rows();
        let mix = label_mix(&rows, RankedBy::Mean);
        assert_eq!((mix[0].label.as_str(), mix[0].pictures, mix.len()), ("cat", 2, 2));
        let areas = label_areas(&rows);
        assert_eq!((areas[0].label.as_str(), areas[0].auc, areas[0].pictures), ("dog", 2.5 / 3.0, 1));
        assert_eq!((areas[1].auc, areas[1].others), (0.0, 2));
    }

    #[test]
    fn channels_are_put_in_order_by_how_well_they_tell_a_label() {
        let picture = |label: &str, means: [f64; 3]| PicturePoint {
            file: String::new(),
            label: Some(label.into()),
            means: means.to_vec(),
        };
        let pictures = [
            picture("cat", [1.0, 5.0, 0.0]),
            picture("dog", [2.0, 1.0, 0.0]),
            picture("cat", [3.0, 4.0, 0.0]),
        ];
        let found = channel_areas(&pictures, "cat").unwrap();
        assert_eq!(found.iter().map(|area| area.channel).collect::<Vec<_>>(), [1, 0, 2]);
        assert_eq!(found.iter().map(|area| area.auc).collect::<Vec<_>>(), [1.0, 0.5, 0.5]);
        assert!(found.iter().all(|area| area.p > 0.2), "three pictures say nothing: {found:?}");
        assert_eq!((channel_areas(&pictures, "cow"), channel_areas(&[], "cat").unwrap().len()), (None, 0));
    }
}
