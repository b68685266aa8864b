//! The errors of the lab.

use std::io;
use std::path::PathBuf;

use parquet::errors::ParquetError;

use crate::runs;

/// The result of everything in the lab.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error that keeps the lab from answering.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A network without logits.
    #[error(
        "{network} has no classifier, so no class can be explained; `trepang render` and `trepang networks` still work"
    )]
    NoClassifier {
        /// The network's name.
        network: String,
    },
    /// A layer that the logits do not depend on.
    #[error("{layer} comes after the class logits of {network}; choose an earlier layer")]
    AfterLogits {
        /// The network's name.
        network: String,
        /// The layer's name.
        layer: String,
    },
    /// A class beyond the last.
    #[error("{network} has {classes} classes, and class {class} is none of them")]
    NoClass {
        /// The network's name.
        network: String,
        /// The number of logits.
        classes: usize,
        /// The class asked for.
        class: usize,
    },
    /// The work was ended early, as it was asked to.
    #[error("stopped before the end")]
    Stopped,
    /// A class that would be held against itself.
    #[error("a class has no margin over itself; choose another rival")]
    OwnRival,
    /// A network with a single logit.
    #[error("{network} has a single class, so there is no rival to hold it against")]
    NoRival {
        /// The network's name.
        network: String,
    },
    /// A NaN or an infinity among activations, gradients or logits.
    #[error("{network} gives {what} that are not finite numbers for this picture")]
    NotFinite {
        /// The network's name.
        network: String,
        /// The numbers, in the plural.
        what: &'static str,
    },
    /// An activation that is not of the layer's shape at the picture.
    #[error("{what}: the layer is {expected:?} for this picture, and {found:?} was given")]
    Shape {
        /// The array that does not fit.
        what: &'static str,
        /// The sides of the layer.
        expected: Vec<usize>,
        /// The sides found.
        found: Vec<usize>,
    },
    /// A weight that the network was loaded with and that is not there.
    #[error("the weights of {layer} are not at hand")]
    NoWeights {
        /// The fully connected layer's name.
        layer: String,
    },
    /// A backend that returned fewer arrays than it was asked for.
    #[error("the backend gave no values for a layer that it was asked for")]
    NoValues,
    /// A folder or an archive without pictures.
    #[error("{} holds no picture (PNG, JPEG, WebP, TIFF, BMP or GIF)", .place.display())]
    NoPictures {
        /// The place that was looked at.
        place: PathBuf,
    },
    /// Something else than a folder or a tar file.
    #[error("{} is neither a folder nor a tar file", .place.display())]
    NoDataSet {
        /// The place that was named.
        place: PathBuf,
    },
    /// An archive that would have to be unpacked as a whole to get at one picture.
    #[error("{} is packed, so its pictures cannot be read in place; unpack it first", .place.display())]
    PackedArchive {
        /// The archive that was named.
        place: PathBuf,
    },
    /// A file of labels that belongs to other pictures.
    #[error("{} names none of the pictures in {}", .labels.display(), .place.display())]
    NoLabelMatches {
        /// The file of labels.
        labels: PathBuf,
        /// The data set.
        place: PathBuf,
    },
    /// A file of labels that says nothing.
    #[error("{} holds no labels: it needs lines of a picture's name and its label", .path.display())]
    EmptyLabels {
        /// The file of labels.
        path: PathBuf,
    },
    /// The devkit's numbers, which are no network's indices.
    #[error(
        "{} holds numbers without the pictures' names; it needs lines of a name and a label, such as \
         \"ILSVRC2012_val_00000001.JPEG n01751748\" (the numbers of ImageNet's devkit are not the networks' indices)",
        .path.display()
    )]
    LabelsWithoutNames {
        /// The file of labels.
        path: PathBuf,
    },
    /// A line of a file of labels that cannot be understood.
    #[error("line {line} of {} is not a picture's name and its label", .path.display())]
    LabelLine {
        /// The file of labels.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A file or a folder that cannot be read.
    #[error("cannot read {}", .path.display())]
    ReadFile {
        /// The file that was to be read.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A folder that cannot be made, or a file that cannot be taken away.
    #[error("cannot keep an index in {}", .folder.display())]
    IndexFolder {
        /// The folder of the index.
        folder: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file that cannot be written.
    #[error(transparent)]
    Write(#[from] runs::Error),
    /// A folder that holds another index.
    #[error("{} holds an index {what}; choose another folder with --out, or remove that one", .folder.display())]
    OtherIndex {
        /// The folder of the index.
        folder: PathBuf,
        /// The difference, as in "of vgg19".
        what: String,
    },
    /// A folder without an index.
    #[error("there is no index in {}; `trepang lab index FOLDER --network N --layer L` makes one", .folder.display())]
    NoIndex {
        /// The folder of the index.
        folder: PathBuf,
    },
    /// An index that another process is making.
    #[error("another process is making the index in {}; wait until it ends", .folder.display())]
    IndexBusy {
        /// The folder of the index.
        folder: PathBuf,
    },
    /// A manifest that cannot be understood.
    #[error("{} is damaged; remove the index, or choose another folder", .path.display())]
    DamagedManifest {
        /// The path of the manifest.
        path: PathBuf,
        /// The reader's error.
        source: serde_json::Error,
    },
    /// A shard that cannot be read.
    #[error("{} is damaged; the command that made the index mends it", .path.display())]
    DamagedShard {
        /// The path of the shard.
        path: PathBuf,
        /// The reader's error.
        source: ParquetError,
    },
    /// A shard that cannot be put into its format.
    #[error("cannot write numbers as parquet")]
    Encode(#[from] ParquetError),
    /// Too few photographs to say anything.
    #[error("the index has {found} photographs with a label, and {needed} are needed at least")]
    FewPhotographs {
        /// The number of photographs.
        found: usize,
        /// The least number.
        needed: usize,
    },
    /// Too few photographs for t-SNE.
    #[error(
        "t-SNE with a perplexity of {perplexity} needs {needed} photographs at least, and the index has {found}; choose a \
         smaller --perplexity, or --method pca"
    )]
    FewForPerplexity {
        /// The number of photographs.
        found: usize,
        /// The least number.
        needed: usize,
        /// The perplexity asked for.
        perplexity: f64,
    },
    /// Two indices that have too few pictures in common.
    #[error(
        "{found} pictures are in both indices by their paths, and {needed} are needed at least (the first of the one is {:?}, of the \
         other {:?}); make both of the same folder",
        .first[0], .first[1]
    )]
    FewInBoth {
        /// The number of pictures in both.
        found: usize,
        /// The least number.
        needed: usize,
        /// The first picture of each.
        first: [String; 2],
    },
    /// A machine that gives no thread.
    #[error("the system gives no thread to compute in: {reason}")]
    NoThread {
        /// The system's words.
        reason: String,
    },
    /// Photographs that are all alike.
    #[error(
        "the channels have the same means in all photographs of the index, so there is nothing to measure distances by"
    )]
    NoSpread,
    /// An error of the network or of the backend.
    #[error(transparent)]
    Backend(#[from] trepang_api::Error),
}

impl Error {
    /// Whether the request was impossible, rather than that something broke.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::NoClassifier { .. }
            | Self::AfterLogits { .. }
            | Self::NoClass { .. }
            | Self::OwnRival
            | Self::NoRival { .. }
            | Self::NoDataSet { .. }
            | Self::PackedArchive { .. }
            | Self::NoLabelMatches { .. }
            | Self::EmptyLabels { .. }
            | Self::LabelsWithoutNames { .. }
            | Self::LabelLine { .. }
            | Self::OtherIndex { .. }
            | Self::FewPhotographs { .. }
            | Self::FewForPerplexity { .. }
            | Self::FewInBoth { .. }
            | Self::NoIndex { .. } => true,
            Self::Backend(error) => error.is_usage(),
            Self::NotFinite { .. }
            | Self::Shape { .. }
            | Self::NoWeights { .. }
            | Self::NoValues
            | Self::NoPictures { .. }
            | Self::ReadFile { .. }
            | Self::IndexFolder { .. }
            | Self::Write(_)
            | Self::IndexBusy { .. }
            | Self::DamagedManifest { .. }
            | Self::DamagedShard { .. }
            | Self::NoSpread
            | Self::Stopped
            | Self::NoThread { .. }
            | Self::Encode(_) => false,
        }
    }
}
