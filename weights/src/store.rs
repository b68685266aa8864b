//! The sets that have been pulled: one safetensors file each, in which the tensors are the network's own (batch norm
//! folded, RGB first) and the metadata says where they come from. Not here: fetching (`pull`).

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use safetensors::{Dtype, View};
use trepang_api::{Array, Weights};

use crate::fit::DIALECT;
use crate::pull::{Digest, Error as PullError, Options, Progress, Silent, Verified, verify};
use crate::{Error, Fit, Result, Set, Source, fit, open};

/// Where pulled sets are kept.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// In this folder, which need not exist yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the set is, or would be.
    pub fn path(&self, set: &Set) -> PathBuf {
        self.folder.join(format!("{}.safetensors", set.name))
    }

    /// Has it been pulled?
    pub fn has(&self, set: &Set) -> bool {
        self.path(set).is_file()
    }

    /// Opens a pulled set. Fails for one that is not there, saying how to get it.
    pub fn open(&self, set: &Set) -> Result<(Box<dyn Source>, Fit)> {
        if !self.has(set) {
            return Err(Error::NotPulled { name: set.name, megabytes: set.megabytes });
        }
        let opened = open(&self.path(set)).and_then(|source| {
            let fit = fit(set.architecture, source.as_ref())?;
            Ok((source, fit))
        });
        opened.map_err(|error| self.damaged(set, &error.to_string()))
    }

    /// Converts a file that has been fetched and `verified`, and keeps the result. `origin` says where it was found;
    /// `progress` is told of each layer done, of how many, and says whether to go on. The caller holds the set's lock.
    pub fn keep(
        &self,
        set: &Set,
        file: &Path,
        (origin, verified): (&str, &Verified),
        progress: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<()> {
        let source = open(file)?;
        let fit = fit(set.architecture, source.as_ref())?;
        if fit.dialect != set.dialect || fit.classifier != set.classifier {
            let reason = format!(
                "it is {}'s version{}",
                fit.dialect,
                if fit.classifier { "" } else { ", without a classifier" }
            );
            return Err(Error::Misfit { path: file.into(), network: set.name, reason });
        }
        let weights = fit.weights(source.as_ref(), progress)?;
        let path = self.path(set);
        write(&weights, provenance(set, origin, verified), &path)
            .map_err(|source| Error::Write { path: path.clone(), source })
    }

    fn damaged(&self, set: &Set, reason: &str) -> Error {
        Error::Damaged { path: self.path(set), name: set.name, reason: reason.into() }
    }

    /// Reads a pulled set from end to end; fails unless it is what was written.
    pub fn verify(&self, set: &Set, options: &Options, progress: &mut dyn Progress) -> Result<()> {
        let path = self.path(set);
        let line = fs::read_to_string(checksum(&path))
            .map_err(|error| self.damaged(set, &format!("its checksum cannot be read: {error}")))?;
        let written = line.split_whitespace().next().unwrap_or_default();
        match verify(&path, None, &Digest::Sha256(written.into()), options, progress) {
            Ok(_) => {}
            Err(PullError::Digest { .. }) => {
                return Err(self.damaged(set, "its bytes are not those that were written"));
            }
            Err(error @ PullError::Stopped { .. }) => return Err(error.into()),
            Err(error) => return Err(self.damaged(set, &error.to_string())),
        }
        self.open(set).map(|_| ())
    }
}

/// What the file says of itself.
fn provenance(set: &Set, origin: &str, verified: &Verified) -> HashMap<String, String> {
    let mut about: HashMap<String, String> = [
        (DIALECT, set.dialect.name()),
        ("network", set.architecture.name()),
        ("set", set.name),
        ("source", origin),
        ("source_sha256", &verified.sha256),
        ("licence", set.licence),
        ("preprocessing", set.architecture.preprocessing(set.dialect)),
        ("layout", "OIHW, batch norm folded, RGB first"),
        ("converter", concat!("trepang ", env!("CARGO_PKG_VERSION"))),
    ]
    .map(|(key, value)| (key.into(), value.into()))
    .into();
    about.insert("source_size".into(), verified.size.to_string());
    if let Some(md5) = &verified.md5 {
        about.insert("source_md5".into(), md5.clone());
    }
    about
}

/// A tensor on its way to a file, not copied on machines that have the file's byte order.
struct Outgoing<'a>(&'a Array);

impl View for Outgoing<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match cfg!(target_endian = "little") {
            true => bytemuck::cast_slice(self.0.data()).into(),
            false => self.0.data().iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>().into(),
        }
    }

    fn data_len(&self) -> usize {
        size_of_val(self.0.data())
    }
}

/// Writes beside the target, and puts it in its place when it is whole and on the disk.
fn write(weights: &Weights, about: HashMap<String, String>, path: &Path) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // The caller holds the lock: a draft that is there already is what a killed pull left.
    let draft = path.with_extension("draft");
    let tensors = weights.iter().map(|(name, array)| (name, Outgoing(array)));
    let written = safetensors::serialize_to_file(tensors, Some(about), &draft)
        .map_err(std::io::Error::other)
        .and_then(|()| File::open(&draft)?.sync_all())
        .and_then(|()| write_checksum(&draft, path))
        .and_then(|()| fs::rename(&draft, path))
        .and_then(|()| File::open(folder)?.sync_all());
    if written.is_err() {
        // It never became the file: what is left of it helps nobody.
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Beside a file, its SHA-256 as `sha256sum -c` reads it.
fn checksum(path: &Path) -> PathBuf {
    path.with_extension("safetensors.sha256")
}

/// Writes the checksum of `draft`, which is to become `path`. If the machine stops between the two, the old file does
/// not match it, and `--verify` mends that.
fn write_checksum(draft: &Path, path: &Path) -> std::io::Result<()> {
    let verified = verify(draft, None, &Digest::None, &Options::default(), &mut Silent)
        .map_err(std::io::Error::other)?;
    let (name, beside) = (path.file_name().unwrap_or_default().to_string_lossy(), checksum(path));
    let line = beside.with_extension("sha256-draft");
    fs::write(&line, format!("{}  {name}\n", verified.sha256))?;
    File::open(&line)?.sync_all()?;
    fs::rename(&line, &beside)?;
    // safetensors makes files that only their owner may read; a cache may be shared, as the user's mask allows.
    fs::set_permissions(draft, fs::metadata(&beside)?.permissions())
}
