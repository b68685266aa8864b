//! Opens weights that are split over several files by their index, `model.safetensors.index.json`: JSON whose `weight_map`
//! names the file of each tensor. The files stand beside the index.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use trepang_api::Array;

use super::{open_one, printable, read};
use crate::{Error, FileFormat, Result, TensorInfo, TensorSource};

/// The largest index in bytes. One with thousands of tensors takes a hundredth of this.
const MAX_INDEX_BYTES: usize = 64 << 20;

/// The largest number of files that one index may name.
const MAX_SHARDS: usize = 10_000;

/// The metadata key under which a shard that is opened alone says that it is one of several.
const SHARD_KEY: &str = "shard";

/// The text of an index.
#[derive(Debug, Deserialize)]
pub(super) struct ShardIndex {
    weight_map: BTreeMap<String, String>,
}

impl ShardIndex {
    /// Reads the text of a file; none if it is not an index.
    pub(super) fn parse(file: &[u8]) -> Option<Self> {
        if file.len() > MAX_INDEX_BYTES {
            return None;
        }
        serde_json::from_slice(file).ok()
    }

    /// Opens all files that the index at `path` names, by name, and calls `on_read` with the bytes of each. Fails if one is missing or lacks a tensor.
    pub(super) fn open(self, path: &Path, on_read: &mut dyn FnMut(&[u8])) -> Result<Box<dyn TensorSource>> {
        let unusable = |reason: String| Error::Unusable {
            path: path.into(),
            format: FileFormat::Safetensors,
            reason: printable(reason),
        };
        let mut names: Vec<&str> = self.weight_map.values().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return Err(unusable("it holds no tensor".into()));
        }
        if names.len() > MAX_SHARDS {
            return Err(unusable(format!("its index names {} files", names.len())));
        }
        let mut shards = Vec::new();
        for name in &names {
            let beside = beside(path, name)
                .ok_or_else(|| unusable(format!("its index names the file \"{name}\" elsewhere")))?;
            if !beside.exists() {
                return Err(unusable(format!(
                    "it needs {name}, which is not beside it: fetch that file too"
                )));
            }
            let file = read(&beside)?;
            on_read(&file);
            shards.push(open_one(&file, &beside)?);
        }
        let shards = Shards::new(path, shards);
        let known: HashMap<&str, usize> =
            shards.tensors.iter().enumerate().map(|(at, t)| (&*t.name, at)).collect();
        for (tensor, name) in &self.weight_map {
            let at = known.get(tensor.as_str()).map(|&at| shards.places[at].0);
            if at.is_none_or(|shard| names.get(shard) != Some(&name.as_str())) {
                return Err(unusable(format!(
                    "{name} lacks the tensor \"{tensor}\" that the index says is in it"
                )));
            }
        }
        Ok(Box::new(shards))
    }
}

/// The path of a shard; none if its name is more than the name of a file.
fn beside(index: &Path, name: &str) -> Option<PathBuf> {
    let is_file_name = Path::new(name).file_name().is_some_and(|file| file == name);
    is_file_name.then(|| index.with_file_name(name))
}

/// The remark on a file whose name says that it is one of several, `model-00001-of-00003.safetensors`.
pub(super) fn remark(path: &Path) -> Option<(String, String)> {
    let stem = path.file_stem()?.to_str()?;
    let (rest, count) = stem.rsplit_once("-of-")?;
    let (name, number) = rest.rsplit_once('-')?;
    let (number, count): (usize, usize) = (number.parse().ok()?, count.parse().ok()?);
    let ending = path.extension()?.to_str()?;
    let text = format!("{number} of {count}: open {name}.{ending}.index.json for all of them");
    (count > 1).then(|| (SHARD_KEY.into(), printable(text)))
}

/// Opened shards as one file.
#[derive(Debug)]
struct Shards {
    path: PathBuf,
    files: Vec<Box<dyn TensorSource>>,
    tensors: Vec<TensorInfo>,
    /// The shard of each tensor, and its position there.
    places: Vec<(usize, usize)>,
    metadata: BTreeMap<String, String>,
}

impl Shards {
    fn new(path: &Path, shards: Vec<Box<dyn TensorSource>>) -> Self {
        let (mut tensors, mut places, mut metadata) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (at, shard) in shards.iter().enumerate() {
            metadata.extend(shard.metadata().clone());
            tensors.extend(shard.tensors().iter().cloned());
            places.extend((0..shard.tensors().len()).map(|index| (at, index)));
        }
        metadata.remove(SHARD_KEY);
        Self { path: path.into(), files: shards, tensors, places, metadata }
    }
}

impl TensorSource for Shards {
    fn format(&self) -> FileFormat {
        self.files.first().map_or(FileFormat::Safetensors, |shard| shard.format())
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    fn read(&self, index: usize) -> Result<Array> {
        let (shard, at) = self.places[index];
        self.files[shard].read(at)
    }

    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_says_of_how_many_it_is_one() {
        let text = |name: &str| remark(Path::new(name)).map(|(_, text)| text);
        let expected = "2 of 3: open model.safetensors.index.json for all of them";
        assert_eq!(text("a/model-00002-of-00003.safetensors").as_deref(), Some(expected));
        for name in ["model.safetensors", "one-of-us.safetensors", "model-1-of-1.safetensors"] {
            assert_eq!(text(name), None, "{name}");
        }
    }

    #[test]
    fn an_index_names_files_beside_it_only() {
        assert_eq!(beside(Path::new("a/i.json"), "b.safetensors"), Some("a/b.safetensors".into()));
        for name in ["../b", "/b", "c/b", "..", ""] {
            assert_eq!(beside(Path::new("a/i.json"), name), None, "{name}");
        }
    }
}
