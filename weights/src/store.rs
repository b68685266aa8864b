//! Keeps the sets that have been pulled: one safetensors file for each set, with the network's own tensors (batch norm
//! folded, RGB order) and their origin in the metadata. Downloading is in `pull`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use safetensors::{Dtype, View};
use trepang_api::{Array, Weights};

use crate::cache::Environment;
use crate::pull::{Digest, Error as PullError, NoProgress, PullOptions, PullProgress, Verified, verify};
use crate::readers::{open_hashed, open_mapped};
use crate::source::{DIALECT_KEY, LABELS_KEY};
use crate::{Error, Fit, Result, Set, TensorSource, fit};

/// The folder of pulled sets.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    /// Whether there is no such folder, and can be none.
    is_nowhere: bool,
}

impl Store {
    /// A store in this folder, which need not exist yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), is_nowhere: false }
    }

    /// The store of this environment. Without a home folder it holds nothing and takes nothing.
    pub fn of(environment: &Environment) -> Self {
        let nowhere = Self { folder: PathBuf::new(), is_nowhere: true };
        environment.weights_folder().map_or(nowhere, Self::new)
    }

    /// Fails if nothing can be kept, for want of a folder.
    pub fn check_place(&self) -> Result<()> {
        if self.is_nowhere { Err(Error::NoCache) } else { Ok(()) }
    }

    /// The folder that holds the sets.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a set's file, whether it exists or not.
    pub fn path(&self, set: &Set) -> PathBuf {
        self.folder.join(format!("{}.safetensors", set.name))
    }

    /// Whether the set has been pulled.
    pub fn has(&self, set: &Set) -> bool {
        !self.is_nowhere && self.path(set).is_file()
    }

    /// Opens a pulled set. Fails if it has not been pulled or is damaged.
    pub fn open(&self, set: &Set) -> Result<(Box<dyn TensorSource>, Fit)> {
        if !self.has(set) {
            return Err(Error::NotPulled { name: set.name, megabytes: set.megabytes });
        }
        let opened = open_mapped(&self.path(set)).and_then(|source| {
            let fit = fit(set.architecture, source.as_ref())?;
            Ok((source, fit))
        });
        opened.map_err(|error| match error {
            // The file may be whole where the system could not read it, for want of memory for example.
            Error::Io { .. } => error,
            other => self.damaged(set, &other.to_string()),
        })
    }

    /// Converts a file that has been downloaded and `verified`, and writes the result to the store. `origin` says where the
    /// file was found. `progress(done, total)` is called for each layer and returns whether to continue. The caller holds
    /// the set's lock. Fails if the file is not the set's version of the network, or cannot be read or written.
    pub fn keep(
        &self,
        set: &Set,
        file: &Path,
        (origin, verified): (&str, &Verified),
        progress: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<()> {
        // What is converted is what was downloaded, whatever became of the file since.
        let (source, sha256) = open_hashed(file)?;
        if sha256 != verified.sha256 {
            let reason = "it is not what was downloaded: another program changed it".into();
            return Err(Error::Misfit {
                path: file.into(),
                network: set.name,
                reason,
                export: String::new(),
            });
        }
        let fit = fit(set.architecture, source.as_ref())?;
        if fit.dialect != set.dialect || fit.classifier != set.classifier {
            let reason = format!(
                "it is {}'s version{}",
                fit.dialect,
                if fit.classifier { "" } else { ", without a classifier" }
            );
            return Err(Error::Misfit {
                path: file.into(),
                network: set.name,
                reason,
                export: String::new(),
            });
        }
        let weights = fit.weights(source.as_ref(), progress)?;
        let path = self.path(set);
        let mut about = provenance(set, origin, verified);
        let labels = source.metadata().get(LABELS_KEY).cloned();
        about.extend(labels.map(|labels| (LABELS_KEY.to_owned(), labels)));
        write(&weights, about, &path).map_err(|source| Error::Write { path: path.clone(), source })
    }

    fn damaged(&self, set: &Set, reason: &str) -> Error {
        Error::Damaged { path: self.path(set), name: set.name, reason: reason.into() }
    }

    /// Reads a pulled set from end to end. Fails if its hash is not the one that was written beside it.
    pub fn verify(&self, set: &Set, options: &PullOptions, progress: &mut dyn PullProgress) -> Result<()> {
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

/// The metadata of a set's file: where the weights come from and how they were converted.
fn provenance(set: &Set, origin: &str, verified: &Verified) -> HashMap<String, String> {
    let mut about: HashMap<String, String> = [
        (DIALECT_KEY, set.dialect.name()),
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

/// A tensor that is being written. On little-endian machines its bytes are not copied.
struct Outgoing<'a>(&'a Array);

impl View for Outgoing<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    fn data(&self) -> Cow<'_, [u8]> {
        if cfg!(target_endian = "little") {
            bytemuck::cast_slice(self.0.data()).into()
        } else {
            self.0.data().iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>().into()
        }
    }

    fn data_len(&self) -> usize {
        size_of_val(self.0.data())
    }
}

/// Writes a draft beside the target, flushes it to the disk and renames it to the target.
fn write(weights: &Weights, about: HashMap<String, String>, path: &Path) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // The caller holds the lock, so a draft that exists was left by a killed pull.
    let draft = path.with_extension("draft");
    let tensors = weights.iter().map(|(name, array)| (name, Outgoing(array)));
    let written = safetensors::serialize_to_file(tensors, Some(about), &draft)
        .map_err(std::io::Error::other)
        .and_then(|()| File::open(&draft)?.sync_all())
        .and_then(|()| write_checksum(&draft, path))
        .and_then(|()| fs::rename(&draft, path))
        .and_then(|()| File::open(folder)?.sync_all());
    if written.is_err() {
        // An unfinished draft is of no use.
        let _ = fs::remove_file(&draft);
    }
    written
}

/// The path of the file with the set's SHA-256, which `sha256sum -c` can read.
fn checksum(path: &Path) -> PathBuf {
    path.with_extension("safetensors.sha256")
}

/// Writes the checksum of `draft`, which is then renamed to `path`. If the machine stops in between, the old file does
/// not match the checksum, and `trepang pull --verify` repairs that.
fn write_checksum(draft: &Path, path: &Path) -> std::io::Result<()> {
    let verified = verify(draft, None, &Digest::None, &PullOptions::default(), &mut NoProgress)
        .map_err(std::io::Error::other)?;
    let (name, beside) = (path.file_name().unwrap_or_default().to_string_lossy(), checksum(path));
    let line = beside.with_extension("sha256-draft");
    fs::write(&line, format!("{}  {name}\n", verified.sha256))?;
    File::open(&line)?.sync_all()?;
    fs::rename(&line, &beside)?;
    // safetensors creates files that only their owner may read. The user's umask decides whether a cache may be shared.
    fs::set_permissions(draft, fs::metadata(&beside)?.permissions())
}
