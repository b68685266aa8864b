//! The pictures of an index as points: the means of a layer's channels.

use std::path::{Path, PathBuf};

use super::error::Result;
use super::index::{IndexManifest, IndexedLayer, ShardFile};

/// A picture of an index as a point.
#[derive(Debug, Clone, PartialEq)]
pub struct PicturePoint {
    /// Its path in the data set.
    pub file: String,
    /// The data set's label.
    pub label: Option<String>,
    /// The mean of each channel.
    pub means: Vec<f64>,
}

/// The pictures of a layer of an index, in their order.
pub fn picture_points(
    folder: &Path,
    manifest: &IndexManifest,
    layer: &IndexedLayer,
) -> Result<Vec<PicturePoint>> {
    points_of(&manifest.shards(folder, layer), layer)
}

/// At most about `most` pictures of a layer of an index: those of some shards, which are as far apart as they can be.
pub fn some_picture_points(
    folder: &Path,
    manifest: &IndexManifest,
    layer: &IndexedLayer,
    most: usize,
) -> Result<Vec<PicturePoint>> {
    let shards = manifest.shards(folder, layer);
    let every = manifest.pictures.div_ceil(most.max(1)).max(1);
    let chosen: Vec<PathBuf> = shards.into_iter().step_by(every).collect();
    points_of(&chosen, layer)
}

fn points_of(shards: &[PathBuf], layer: &IndexedLayer) -> Result<Vec<PicturePoint>> {
    let mut points = Vec::new();
    for path in shards {
        let shard = ShardFile::open(path)?;
        let first = points.len();
        points.extend(shard.labelled_rows()?.into_iter().map(|row| {
            let means = Vec::with_capacity(layer.channels);
            PicturePoint { file: row.file, label: row.label.label, means }
        }));
        for channel in 0..layer.channels {
            let column = shard.channel("mean", channel, layer)?;
            for (point, mean) in points[first..].iter_mut().zip(column) {
                point.means.push(f64::from(mean.unwrap_or_default()));
            }
        }
    }
    Ok(points)
}
