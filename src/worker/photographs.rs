//! The photographs of an index, read again from where they were, and the parts of them that a channel saw.

use std::path::Path;

use image::RgbImage;
use image::imageops::{self, FilterType};
use trepang_api::{Model, Network};

use super::classifier::{fit_picture, picture_array};
use super::error::{Error, Result};
use crate::engine::Picture;
use crate::lab::{ChannelRow, DataSet, Field, IndexManifest, IndexedLayer, effective_field};
use crate::runs::{MAX_FILE_BYTES, PictureReading, decode_picture};

/// The data set of an index.
#[derive(Debug)]
pub struct Photographs {
    data: DataSet,
    reading: PictureReading,
    native: usize,
}

impl Photographs {
    /// The data set where the index was made from, or where it is `now`. Fails where it is not there any more.
    pub fn open(manifest: &IndexManifest, now: Option<&Path>) -> Result<Self> {
        let data = DataSet::open(now.unwrap_or(Path::new(&manifest.data_set)), None)?;
        let reading = PictureReading { as_stored: !manifest.upright, ..PictureReading::default() };
        Ok(Self { data, reading, native: manifest.size })
    }

    /// A photograph as the network sees it. Fails for one that is not in the data set any more, or cannot be read.
    pub fn whole(&self, row: &ChannelRow) -> Result<Picture> {
        let found = self.data.pictures.binary_search_by(|picture| picture.file.as_str().cmp(&row.file));
        let found = found.ok().map(|at| &self.data.pictures[at]);
        let found = found.ok_or_else(|| Error::NoPhotograph { file: row.file.clone() })?;
        let unread = |source| Error::Photograph { file: row.file.clone(), source };
        let bytes = found.read(MAX_FILE_BYTES).map_err(unread)?;
        let picture = decode_picture(Path::new(&row.file), &bytes, self.reading)?;
        fit_picture(self.native, &picture)
    }

    /// The part of a photograph that a channel's largest value comes from.
    pub fn part(
        &self,
        (model, network): (&mut dyn Model, &Network),
        (layer, channel): (&IndexedLayer, usize),
        row: &ChannelRow,
    ) -> Result<Picture> {
        let picture = self.whole(row)?;
        let layer = network.layer(&layer.layer)?;
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
pub fn square(picture: &Picture) -> Picture {
    let side = picture.width.min(picture.height);
    cut(picture, Field { top: (picture.height - side) / 2, left: (picture.width - side) / 2, side })
}

/// A square picture at another size: those that stand side by side are of one size.
pub fn resized(picture: &Picture, side: usize) -> Picture {
    let image = RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.rgb.clone());
    let Some(image) = image.filter(|_| picture.width != side) else { return picture.clone() };
    let rgb = imageops::resize(&image, side as u32, side as u32, FilterType::CatmullRom).into_raw();
    Picture { width: side, height: side, rgb }
}
