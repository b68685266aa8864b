//! Writes an index, or goes on with one. What is on the disk is whole at any moment: each shard is replaced at once, and the
//! last one says how many pictures it has seen. Pictures come in the data set's order.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::manifest::{IndexManifest, IndexedLayer, shard_path};
use super::row::{ChannelNumbers, IndexRow, RowLabel};
use super::shard::{ShardFile, encode};
use super::skipped::Skipped;
use crate::lab::error::{Error, Result};
use crate::runs::{self, RunLock};

/// An index that is being made.
#[derive(Debug)]
pub struct IndexWriter {
    folder: PathBuf,
    manifest: IndexManifest,
    layers: Vec<LayerShard>,
    skipped: Skipped,
    /// Pictures that have been seen, and those of them that are on the disk.
    next: usize,
    saved: usize,
    shard_length: usize,
    /// Files that were there and could not be read: their pictures are seen anew.
    damaged: Vec<PathBuf>,
    /// Nobody else writes into the folder meanwhile.
    _lock: RunLock,
}

/// The shard of a layer that is growing.
#[derive(Debug)]
struct LayerShard {
    layer: IndexedLayer,
    folder: PathBuf,
    key: String,
    rows: Vec<IndexRow>,
}

impl IndexWriter {
    /// Opens the index in `folder` for these layers, or begins one. It goes on at a multiple of `batch` pictures, so that
    /// pictures share their batches with the same ones as without a break. Fails where the folder holds an index of
    /// something else, and while another process writes it.
    pub fn open(
        folder: &Path,
        manifest: IndexManifest,
        layers: &[IndexedLayer],
        batch: usize,
    ) -> Result<Self> {
        let failed = |source| Error::IndexFolder { folder: folder.into(), source };
        let before = IndexManifest::read(folder)?;
        if let Some(before) = &before {
            before.check(&manifest, folder)?;
        }
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = RunLock::take(folder).map_err(|error| {
            let is_busy = matches!(error, runs::Error::Busy { .. });
            if is_busy { Error::IndexBusy { folder: folder.into() } } else { error.into() }
        })?;
        let shard_length = IndexManifest::shard_length(layers);
        let key = |layer: &IndexedLayer| manifest.key(layer, shard_length);
        let shards = layers.iter().map(|layer| LayerShard {
            folder: folder.join(&layer.folder),
            key: key(layer),
            layer: layer.clone(),
            rows: Vec::new(),
        });
        let layers: Vec<LayerShard> = shards.collect();
        let mut writer = Self {
            folder: folder.into(),
            skipped: Skipped::default(),
            manifest: with_layers(manifest, before, &layers),
            layers,
            next: 0,
            saved: 0,
            shard_length,
            damaged: Vec::new(),
            _lock: lock,
        };
        writer.prepare()?;
        writer.resume(batch)?;
        Ok(writer)
    }

    /// Makes the folders, takes away what a killed process had begun to write, and writes the manifest.
    fn prepare(&self) -> Result<()> {
        clean(&self.folder)?;
        for shard in &self.layers {
            let failed = |source| Error::IndexFolder { folder: shard.folder.clone(), source };
            fs::create_dir_all(&shard.folder).map_err(failed)?;
            clean(&shard.folder)?;
        }
        self.manifest.write(&self.folder)
    }

    /// Takes up where the layer that has come least far stopped.
    fn resume(&mut self, batch: usize) -> Result<()> {
        let mut damaged = Vec::new();
        let total = self.manifest.pictures;
        let mut seen = total;
        let mut lacking = Vec::new();
        for shard in std::mem::take(&mut self.layers) {
            let found = shard.seen(self.shard_length, total, &mut damaged);
            shard.remove_strangers(found.div_ceil(self.shard_length))?;
            if found < total {
                seen = seen.min(found);
                lacking.push(shard);
            }
        }
        self.layers = lacking;
        self.next = if seen == total { total } else { seen - seen % batch.max(1) };
        self.saved = self.next;
        self.damaged = damaged;
        self.skipped = Skipped::read(&self.folder, self.next);
        let (shard, first) = (self.next / self.shard_length, self.next - self.next % self.shard_length);
        if self.next == total || self.next == first {
            return Ok(());
        }
        for layer in &mut self.layers {
            let rows = ShardFile::open(&shard_path(&layer.folder, shard))?.rows(&layer.layer)?;
            layer.rows = rows.into_iter().filter(|row| row.picture < self.next).collect();
        }
        Ok(())
    }

    /// The layers that lack pictures, in the order that [`add`](Self::add) takes their numbers in.
    pub fn layers(&self) -> impl Iterator<Item = &IndexedLayer> {
        self.layers.iter().map(|shard| &shard.layer)
    }

    /// The picture that is next, counted from 0 in the data set's order; their number if there is none.
    pub fn next(&self) -> usize {
        self.next
    }

    /// Shards that were there and are damaged. Their pictures are seen anew.
    pub fn damaged(&self) -> &[PathBuf] {
        &self.damaged
    }

    /// The number of pictures that have been left out.
    pub fn skipped(&self) -> usize {
        self.skipped.count()
    }

    /// The first picture that was left out, and why.
    pub fn first_skipped(&self) -> Option<(&str, &str)> {
        self.skipped.first()
    }

    /// Adds the next picture, with its numbers in each layer. The shard is written when it is full.
    pub fn add(&mut self, file: &str, label: &RowLabel, numbers: Vec<ChannelNumbers>) -> Result<()> {
        let picture = self.next;
        for (shard, numbers) in self.layers.iter_mut().zip(numbers) {
            shard.rows.push(IndexRow { picture, file: file.into(), label: label.clone(), numbers });
        }
        self.go_on()
    }

    /// Leaves the next picture out.
    pub fn skip(&mut self, file: &str, reason: &str) -> Result<()> {
        self.skipped.push(self.next, file, reason);
        self.go_on()
    }

    fn go_on(&mut self) -> Result<()> {
        self.next += 1;
        if self.next.is_multiple_of(self.shard_length) || self.next == self.manifest.pictures {
            self.save()?;
            self.layers.iter_mut().for_each(|shard| shard.rows.clear());
        }
        Ok(())
    }

    /// Writes what has come since the last time. If it fails, what was there before stays.
    pub fn save(&mut self) -> Result<()> {
        if self.saved == self.next {
            return Ok(());
        }
        self.skipped.write(&self.folder)?;
        let shard = (self.next - 1) / self.shard_length;
        let seen = self.next - shard * self.shard_length;
        for LayerShard { layer, folder, key, rows } in &self.layers {
            runs::write_atomic(&shard_path(folder, shard), &encode(layer, key, seen, rows)?)?;
        }
        self.saved = self.next;
        Ok(())
    }
}

impl LayerShard {
    /// Takes away shards from this one on that belong to another index of the layer, such as one with larger shards.
    fn remove_strangers(&self, from: usize) -> Result<()> {
        for shard in from.. {
            let path = shard_path(&self.folder, shard);
            if !path.exists() {
                return Ok(());
            }
            if ShardFile::open(&path).is_ok_and(|file| file.seen(&self.key).is_none()) {
                let failed = |source| Error::IndexFolder { folder: self.folder.clone(), source };
                fs::remove_file(&path).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Pictures that the shards on the disk have seen, without a gap. A shard that cannot be read is noted in `damaged`.
    fn seen(&self, shard_length: usize, total: usize, damaged: &mut Vec<PathBuf>) -> usize {
        let mut seen = 0;
        for shard in 0.. {
            let (path, expected) = (shard_path(&self.folder, shard), shard_length.min(total - seen));
            if expected == 0 || !path.exists() {
                break;
            }
            // Rows are read as well where the shard is to grow: a damage in them would be found too late.
            let found = ShardFile::open(&path).and_then(|file| {
                // One of other columns is whole, and is written anew.
                let Some(found) = file.seen(&self.key) else { return Ok(0) };
                let found = found.min(expected);
                if found < expected { file.rows(&self.layer).map(|_| found) } else { Ok(found) }
            });
            let found = found.unwrap_or_else(|_| {
                damaged.push(path);
                0
            });
            seen += found;
            if found < expected {
                break;
            }
        }
        seen
    }
}

/// The manifest with the layers that were there and those that are made now.
fn with_layers(
    mut manifest: IndexManifest,
    before: Option<IndexManifest>,
    now: &[LayerShard],
) -> IndexManifest {
    manifest.layers = before.map(|before| before.layers).unwrap_or_default();
    for shard in now {
        manifest.layers.retain(|layer| layer.folder != shard.layer.folder);
        manifest.layers.push(shard.layer.clone());
    }
    manifest.layers.sort_by(|a, b| a.layer.cmp(&b.layer));
    manifest
}

/// Takes away the temporary files of a process that was killed.
fn clean(folder: &Path) -> Result<()> {
    let failed = |source: io::Error| Error::IndexFolder { folder: folder.into(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let ours = [".part-", ".index.json.", ".skipped.csv."].iter().any(|start| name.starts_with(start));
        if ours && path.extension().is_some_and(|ending| ending == "part") {
            fs::remove_file(&path).map_err(failed)?;
        }
    }
    Ok(())
}
