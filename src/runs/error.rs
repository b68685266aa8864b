//! The errors of a run on disk, or while it is driven.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use super::unread_kind::UnreadKind;
use crate::engine;
use crate::panics::Panicked;

/// The result of everything in `runs`.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a library or of a caller whose type does not matter here.
pub type BoxedError = Box<dyn std::error::Error + Send + Sync>;

/// An error of a run, or of a file of it, when it is made, read, saved or resumed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system refused to write a file.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The content of a file could not be put into its format.
    #[error("cannot write {}", .path.display())]
    Encode {
        /// The file that was to be written.
        path: PathBuf,
        /// The encoder's error.
        source: BoxedError,
    },
    /// Renaming over a device, a pipe or a folder would replace it.
    #[error("cannot write {}: it exists and is not a regular file", .path.display())]
    NotRegular {
        /// The place that was to be written to.
        path: PathBuf,
    },
    /// Files of the system, such as `/proc/self/mem`, are not on any disk.
    #[error("cannot write {}: it is not on a disk", .path.display())]
    NoDisk {
        /// The place that was to be written to.
        path: PathBuf,
    },
    /// No file system takes a name of that length.
    #[error("cannot write {}: its name is longer than {limit} bytes", .path.display())]
    NameTooLong {
        /// The place that was to be written to.
        path: PathBuf,
        /// The largest number of bytes of a name.
        limit: usize,
    },
    /// The lock of a run's folder could not be made.
    #[error("cannot make the lock {}", .path.display())]
    Lock {
        /// The path of the lock.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another process is taking steps of the run.
    #[error("another process is going on with the run in {}; wait until it ends", .folder.display())]
    Busy {
        /// The folder of the run.
        folder: PathBuf,
    },
    /// The disk or the user's quota is full.
    #[error("the disk is full: free some space or choose another folder with {flag}")]
    DiskFull {
        /// The command-line flag that chooses another folder for this file.
        flag: &'static str,
        /// The error of the write that found no room.
        source: Box<Error>,
    },
    /// The folder for a new run could not be made.
    #[error("cannot make the run's folder in {}; choose another place with --runs", .parent.display())]
    NoFolder {
        /// The folder that holds all runs.
        parent: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A folder that was to be opened holds no run.
    #[error(
        "{} does not hold a run: {found}; the folder of a run is what trepang said it is saved in",
        .path.display()
    )]
    NoRun {
        /// The place that was to be opened.
        path: PathBuf,
        /// The content that was found there, as a clause.
        found: &'static str,
    },
    /// The state and the manifest of a run tell of two plans.
    #[error(
        "{} is damaged or was edited: its state and its manifest.json differ in {part}, so what the run computed cannot be told",
        .path.display()
    )]
    TwoPlans {
        /// The folder of the run.
        path: PathBuf,
        /// The part of the plan that differs.
        part: &'static str,
    },
    /// A run could not be moved to the trash, or back.
    #[error("cannot move {}", .path.display())]
    Delete {
        /// The run, or the folder of what was deleted.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The system refused to list the folder that holds all runs.
    #[error("cannot read the folder of runs {}", .path.display())]
    ReadRuns {
        /// The folder that was to be listed.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The system refused to read a saved state.
    #[error("cannot read the state {}", .path.display())]
    ReadState {
        /// The `state.safetensors` of the run.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A saved state is not what Trepang writes.
    #[error("the state {} is damaged", .path.display())]
    DamagedState {
        /// The `state.safetensors` of the run.
        path: PathBuf,
        /// The fault in its content, as a clause.
        source: BoxedError,
    },
    /// The system refused to read a picture.
    #[error("cannot read the picture {}", .path.display())]
    ReadPicture {
        /// The file that was to be read.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file is no picture in a format that Trepang reads.
    #[error("{} is not a picture that can be read (PNG, JPEG, WebP, TIFF, BMP or GIF)", .path.display())]
    NotPicture {
        /// The file that was read.
        path: PathBuf,
        /// The decoder's error.
        source: image::ImageError,
    },
    /// A file is a picture in a known format that Trepang does not read.
    #[error(
        "{} is a picture in the format {}, which is not read; convert it first: {}",
        .path.display(),
        .kind.name,
        .kind.commands(.path)
    )]
    UnreadFormat {
        /// The file that was read.
        path: PathBuf,
        /// The kind of picture, and what converts it.
        kind: UnreadKind,
    },
    /// A file is a TIFF of floats that cannot be shown as they are.
    #[error(
        "{path} is a TIFF of floats {fault}; convert it first: `vips cast {path} OUT.png uchar` if white is 255, or \
         `vips linear {path} OUT.png 255 0 --uchar` if it is 1",
        path = .path.display()
    )]
    FloatTiff {
        /// The file that was read.
        path: PathBuf,
        /// The reason why its floats cannot be shown, as a clause.
        fault: String,
    },
    /// A picture file ends before its pixels do.
    #[error(
        "{} ends early: {there}; copy or fetch it again{}", .path.display(),
        if *.is_usable { ", or take what is there with --allow-cut" } else { "" }
    )]
    CutPicture {
        /// The file that was read.
        path: PathBuf,
        /// The part of it that is there, as a clause.
        there: String,
        /// Whether that is at least the size of the picture.
        is_usable: bool,
    },
    /// The file that a picture was to be made again from is of no kind that carries a text.
    #[error("{} is not a PNG, JPEG or WebP file: only these say how they were made", .path.display())]
    NotPng {
        /// The file that was read.
        path: PathBuf,
        /// The decoder's error.
        source: png::DecodingError,
    },
    /// A PNG file ends too early.
    #[error("{} is not a whole PNG file", .path.display())]
    CutPng {
        /// The file that was read.
        path: PathBuf,
        /// The decoder's error.
        source: png::DecodingError,
    },
    /// A picture file carries no text of Trepang's.
    #[error(
        "{} does not say how it was made: it was not saved by trepang, or its text was stripped",
        .path.display()
    )]
    NoOrigin {
        /// The file that was read.
        path: PathBuf,
    },
    /// The text of a PNG file cannot be decoded.
    #[error("the text of {} is damaged", .path.display())]
    DamagedText {
        /// The file that was read.
        path: PathBuf,
        /// The decoder's error.
        source: png::DecodingError,
    },
    /// The text of a picture or of a state does not describe a run as this version does.
    #[error("the text of {} cannot be used: {fault}", .path.display())]
    UnusableText {
        /// The file that was read.
        path: PathBuf,
        /// The fault in it, as a clause.
        fault: String,
    },
    /// The name of an animation does not say in which format it is.
    #[error("{} is no name for an animation: it has to end in .gif, .png or .apng", .path.display())]
    AnimationName {
        /// The name that was asked for.
        path: PathBuf,
    },
    /// The name of a picture ends in no format that is written.
    #[error("{} is no name for a picture: it has to end in .png, .jpg, .jpeg, .webp, .tif, .tiff or .bmp", .path.display())]
    PictureName {
        /// The name that was asked for.
        path: PathBuf,
    },
    /// A file would be replaced by one of another kind.
    #[error("{} is there already and is {wanted}, so it is not replaced; choose another name, or delete it first", .path.display())]
    OtherFile {
        /// The place that was to be written to.
        path: PathBuf,
        /// The kind that the file is not of, in words.
        wanted: &'static str,
    },
    /// The ascent could not begin or go on.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The model panicked, and cannot be trusted any more.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// The caller's own work after a step failed.
    #[error(transparent)]
    Caller(BoxedError),
    /// One run was stopped by an error, and is saved as far as it had come.
    #[error("stopped after step {step}, saved in {}", .folder.display())]
    Stopped {
        /// The number of steps that the run had taken.
        step: usize,
        /// The folder in which the run is saved.
        folder: PathBuf,
        /// The error that stopped the run.
        source: Box<Error>,
    },
    /// One run was stopped by an error, and could not be saved.
    #[error("the run could not be saved either ({save})")]
    NotKept {
        /// The error of saving, with all causes.
        save: String,
        /// The error that stopped the run.
        source: Box<Error>,
    },
    /// Several runs were stopped by one error.
    #[error("stopped; {saved} of {count} runs were saved as far as they had come")]
    SeveralStopped {
        /// The number of runs that were saved. One that had taken no step is not saved.
        saved: usize,
        /// The number of runs in progress.
        count: usize,
        /// The error that stopped the runs.
        source: Box<Error>,
    },
    /// A run was to be stopped by the user, and could not be saved.
    #[error("interrupted, and the run could not be saved")]
    InterruptedUnsaved {
        /// The error of saving.
        source: Box<Error>,
    },
}

impl Error {
    /// Whether the request was impossible, rather than that something failed.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Engine(error) => error.is_usage(),
            Self::PictureName { .. } | Self::OtherFile { .. } => true,
            _ => false,
        }
    }

    /// Whether a run ended because no gradient reaches its image.
    pub fn is_dead(&self) -> bool {
        match self {
            Self::Engine(error) => matches!(error, engine::Error::Dead { .. }),
            Self::Stopped { source, .. } | Self::NotKept { source, .. } => source.is_dead(),
            _ => false,
        }
    }

    /// The error of the caller that stopped the runs, if it was one.
    pub fn of_caller(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Caller(error) => Some(&**error),
            Self::Stopped { source, .. }
            | Self::NotKept { source, .. }
            | Self::SeveralStopped { source, .. } => source.of_caller(),
            _ => None,
        }
    }

    /// Names the flag that chooses another folder, if the disk is full; every other error stays as it is.
    #[must_use]
    pub fn advise(self, flag: &'static str) -> Self {
        let full =
            |error: &io::Error| matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&self);
        while let Some(error) = cause {
            if error.downcast_ref().is_some_and(full) {
                return Self::DiskFull { flag, source: Box::new(self) };
            }
            cause = error.source();
        }
        self
    }

    /// The error and its causes in one line.
    pub fn chain(&self) -> String {
        describe(self)
    }
}

/// An error and its causes, joined by colons.
pub(crate) fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
