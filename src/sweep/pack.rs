//! The file of a unit: a ZIP whose entries are stored as they are, one PNG a channel and `unit.json` about all of them. Each
//! PNG carries what remakes it. The states to go on from are a ZIP of the same kind beside it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::draft::Draft;
use super::unit::Unit;
use crate::engine::{Ascent, Picture};
use crate::runs::{BoxedError, Origin, decode_png, encode_png};

/// The entry about all channels.
const INDEX: &str = "unit.json";

/// The most losses of a channel that are kept, spread evenly over its steps.
const LOSS_POINTS: usize = 32;

/// The longest `unit.json` that is read, in bytes: 32 channels with all their losses take 40 kB.
const MAX_INDEX_BYTES: u64 = 4 << 20;

/// The pictures of a unit, as far as they have come.
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    /// The unit that was asked for.
    pub unit: Unit,
    /// Its channels that have a picture, by number.
    pub channels: BTreeMap<usize, PackedChannel>,
}

/// A channel's picture in its file, and what is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct PackedChannel {
    /// The number of steps taken.
    pub step: usize,
    /// Losses by step, counted from 1: at most 32 of them.
    pub losses: Vec<(usize, f64)>,
    /// Whether nothing has woken the channel.
    pub dead: bool,
    /// The picture as a PNG with its recipe.
    pub png: Vec<u8>,
}

/// The content of `unit.json`.
#[derive(Serialize, Deserialize)]
struct PackIndex {
    unit: Unit,
    channels: Vec<PackEntry>,
}

/// A channel in `unit.json`.
#[derive(Serialize, Deserialize)]
struct PackEntry {
    channel: usize,
    step: usize,
    dead: bool,
    losses: Vec<(usize, f64)>,
    picture: String,
}

impl PackedChannel {
    /// The picture that an ascent has come to. `origin` is its whole plan and what computes it.
    pub fn of(ascent: &Ascent, origin: &Origin) -> Result<Self, BoxedError> {
        let (state, step) = (ascent.state(), ascent.step_count());
        let made = Origin { plan: origin.plan.up_to(step), ..origin.clone() };
        Ok(Self {
            step,
            losses: thinned(&state.losses),
            dead: state.is_dead(),
            png: encode_png(&ascent.picture(), &made)?,
        })
    }

    /// The picture with its numbers. Fails for a PNG that is damaged.
    pub fn draft(&self) -> Result<Draft, BoxedError> {
        let picture: Picture = decode_png(&self.png)?;
        let loss = self.losses.last().map(|(_, loss)| *loss);
        Ok(Draft { step: self.step, loss, dead: self.dead, picture: Arc::new(picture) })
    }
}

impl Pack {
    /// A unit of which nothing is known.
    pub fn empty(unit: Unit) -> Self {
        Self { unit, channels: BTreeMap::new() }
    }

    /// Takes a channel in, unless there is one that has taken more steps.
    pub fn add(&mut self, channel: usize, packed: PackedChannel) {
        if self.channels.get(&channel).is_none_or(|before| before.step <= packed.step) {
            self.channels.insert(channel, packed);
        }
    }

    /// Reads of a pack's file only which unit it holds, and of how many channels. Fails where it is damaged.
    pub(super) fn describe(file: File) -> Result<(Unit, usize), BoxedError> {
        let mut zip = ZipArchive::new(file)?;
        let entry = zip.by_name(INDEX)?;
        if entry.compression() != CompressionMethod::Stored {
            return Err("an entry is not stored as it is".into());
        }
        let index: PackIndex = serde_json::from_reader(entry.take(MAX_INDEX_BYTES))?;
        Ok((index.unit, index.channels.len()))
    }

    /// The file of the pack. Equal packs give equal files.
    pub fn encode(&self) -> Result<Vec<u8>, BoxedError> {
        let entry = |(&channel, packed): (&usize, &PackedChannel)| PackEntry {
            channel,
            step: packed.step,
            dead: packed.dead,
            losses: packed.losses.clone(),
            picture: picture_name(channel),
        };
        let channels = self.channels.iter().map(entry).collect();
        let index = serde_json::to_vec_pretty(&PackIndex { unit: self.unit.clone(), channels })?;
        let pictures = self.channels.iter().map(|(&channel, packed)| (picture_name(channel), &*packed.png));
        write_zip(std::iter::once((INDEX.to_owned(), &*index)).chain(pictures))
    }

    /// Reads the file of a pack. Fails where it is damaged, or of another unit.
    pub fn decode(bytes: &[u8], unit: &Unit) -> Result<Self, BoxedError> {
        let pack = Self::read(bytes)?;
        if pack.unit == *unit { Ok(pack) } else { Err("it holds another unit".into()) }
    }

    /// Reads the file of a pack, of whatever unit. Fails where it is damaged.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, BoxedError> {
        let mut entries = read_zip(bytes)?;
        let index = entries.remove(INDEX).ok_or("it has no unit.json")?;
        let index: PackIndex = serde_json::from_slice(&index)?;
        let mut channels = BTreeMap::new();
        for PackEntry { channel, step, dead, losses, picture } in index.channels {
            let png = entries.remove(&picture).ok_or_else(|| format!("it lacks {picture}"))?;
            channels.insert(channel, PackedChannel { step, losses, dead, png });
        }
        Ok(Self { unit: index.unit, channels })
    }
}

fn picture_name(channel: usize) -> String {
    format!("channel-{channel:04}.png")
}

/// At most [`LOSS_POINTS`] losses with their steps; the first and the last are among them.
fn thinned(losses: &[f64]) -> Vec<(usize, f64)> {
    let points = losses.len().min(LOSS_POINTS);
    let at = |point: usize| if points == 1 { 0 } else { point * (losses.len() - 1) / (points - 1) };
    (0..points).map(at).map(|index| (index + 1, losses[index])).collect()
}

/// A ZIP of these entries, stored as they are, without times.
pub(super) fn write_zip<'a>(
    entries: impl IntoIterator<Item = (String, &'a [u8])>,
) -> Result<Vec<u8>, BoxedError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(name, options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// The entries of a ZIP by name. Only stored entries are read, which are no larger than the file.
pub(super) fn read_zip(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, BoxedError> {
    let mut zip = ZipArchive::new(Cursor::new(bytes))?;
    let mut entries = BTreeMap::new();
    for index in 0..zip.len() {
        let entry = zip.by_index(index)?;
        if entry.compression() != CompressionMethod::Stored || entry.size() > bytes.len() as u64 {
            return Err("an entry is not stored as it is".into());
        }
        let (name, most) = (entry.name()?.into_owned(), entry.size());
        let mut content = Vec::new();
        entry.take(most).read_to_end(&mut content)?;
        entries.insert(name, content);
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_thinned_evenly_and_keep_both_ends() {
        assert_eq!(thinned(&[]), []);
        assert_eq!(thinned(&[5.0]), [(1, 5.0)]);
        let many: Vec<f64> = (0..1000).map(f64::from).collect();
        let thinned = thinned(&many);
        assert_eq!((thinned.len(), thinned[0], thinned[31]), (32, (1, 0.0), (1000, 999.0)));
        assert!(thinned.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_zip_gives_back_what_was_put_in_and_is_readable_as_one() {
        let entries = [("a".to_owned(), &b"one"[..]), ("b/c.png".to_owned(), &[0u8, 255][..])];
        let bytes = write_zip(entries.clone()).unwrap();
        assert_eq!(bytes, write_zip(entries).unwrap(), "no clock");
        let read = read_zip(&bytes).unwrap();
        assert_eq!(read.get("a").map(Vec::as_slice), Some(&b"one"[..]));
        assert_eq!(read.get("b/c.png").map(Vec::as_slice), Some(&[0u8, 255][..]));
        for cut in 0..bytes.len() {
            assert!(read_zip(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
}
