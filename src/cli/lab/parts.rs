//! The photographs of an index, read again from where they were, and the parts of them that a channel saw.

use std::path::Path;

use anyhow::{Context, Result};
use image::RgbImage;
use image::imageops::{self, FilterType};
use trepang_api::Model;
use trepang_weights::Trained;

use super::opened_index::OpenedIndex;
use crate::config::{Usage, find_layer};
use crate::engine::Picture;
use crate::lab::{ChannelRow, DataSet, Field, IndexedLayer, effective_field};
use crate::runs::{MAX_FILE_BYTES, PictureReading, decode_picture};
use crate::worker::{fit_picture, picture_array};

/// The data set of an index.
#[derive(Debug)]
pub(super) struct Photographs {
    data: DataSet,
    reading: PictureReading,
    native: usize,
}

impl Photographs {
    /// The data set where the index was made from, or where it is now.
    pub(super) fn open(index: &OpenedIndex, now: Option<&Path>) -> Result<Self> {
        let place = now.unwrap_or(Path::new(&index.manifest.data_set));
        let data = DataSet::open(place, None)
            .with_context(|| "the index keeps no pictures; name the folder that has them with --data")?;
        let reading = PictureReading { as_stored: !index.manifest.upright, ..PictureReading::default() };
        Ok(Self { data, reading, native: index.manifest.size })
    }

    /// A photograph as the network sees it.
    pub(super) fn whole(&self, row: &ChannelRow) -> Result<Picture> {
        let found = self.data.pictures.binary_search_by(|picture| picture.file.as_str().cmp(&row.file));
        let found = found.ok().map(|at| &self.data.pictures[at]);
        let missing =
            || Usage(format!("{} is not in the data set any more; name its folder with --data", row.file));
        let bytes = found.ok_or_else(missing)?.read(MAX_FILE_BYTES).with_context(|| row.file.clone())?;
        let picture = decode_picture(Path::new(&row.file), &bytes, self.reading)?;
        Ok(fit_picture(self.native, &picture)?)
    }

    /// The part of a photograph that a channel's largest value comes from.
    pub(super) fn part(
        &self,
        (model, trained): (&mut dyn Model, &Trained),
        (layer, channel): (&IndexedLayer, usize),
        row: &ChannelRow,
    ) -> Result<Picture> {
        let picture = self.whole(row)?;
        let layer = find_layer(&trained.network, &layer.layer)?;
        let field = effective_field(model, &picture_array(&picture)?, layer, (channel, row.at))?;
        Ok(cut(&picture, field))
    }
}

fn cut(picture: &Picture, field: Field) -> Picture {
    let rows = field.top..field.top + field.side;
    let row = |y: usize| {
        let start = 3 * (y * picture.width + field.left);
        picture.rgb[start..start + 3 * field.side].iter().copied()
    };
    Picture { width: field.side, height: field.side, rgb: rows.flat_map(row).collect() }
}

/// The middle square of a picture.
pub(super) fn square(picture: &Picture) -> Picture {
    let side = picture.width.min(picture.height);
    cut(picture, Field { top: (picture.height - side) / 2, left: (picture.width - side) / 2, side })
}

/// A square picture at another size: those that stand side by side are of one size.
pub(super) fn resized(picture: &Picture, side: usize) -> Picture {
    let image = RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.rgb.clone());
    let Some(image) = image.filter(|_| picture.width != side) else { return picture.clone() };
    let rgb = imageops::resize(&image, side as u32, side as u32, FilterType::CatmullRom).into_raw();
    Picture { width: side, height: side, rgb }
}
