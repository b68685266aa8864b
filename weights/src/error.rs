//! The errors of finding, reading and converting weights. Each message is one sentence that says what to do.

use std::io;
use std::path::PathBuf;

use trepang_api::{did_you_mean, excerpt};

use crate::FileFormat;

/// A result with this crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of finding, reading or converting weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No network has this name.
    #[error("there is no network \"{}\"{}; the networks are: {known}", excerpt(.name), hint(.name, .known))]
    UnknownNetwork {
        /// The name that was asked for.
        name: String,
        /// All known names, separated by commas.
        known: String,
    },
    /// No set of weights has this name.
    #[error("there are no weights \"{}\"{}; those that can be pulled are: {known}", excerpt(.name), hint(.name, .known))]
    UnknownSet {
        /// The name that was asked for.
        name: String,
        /// All known names, separated by commas.
        known: String,
    },
    /// There is no folder that weights could be kept in.
    #[error(
        "there is no home folder to keep weights in: set HOME or XDG_CACHE_HOME to an absolute path, or TREPANG_CACHE to a \
         folder"
    )]
    NoCache,
    /// The set has not been pulled.
    #[error("{name} is not here yet: `trepang pull {name}` fetches it ({megabytes} MB)")]
    NotPulled {
        /// The name of the set.
        name: &'static str,
        /// The size of the download in megabytes (1e6 bytes).
        megabytes: u32,
    },
    /// Classes are wanted, and the weights have no classifier.
    #[error("{name} has no classifier; choose weights that have one: `trepang pull --list` shows which do")]
    NoClassifier {
        /// The name of the network, or the path of the file.
        name: String,
    },
    /// Classes are wanted, and the file has another head than a linear layer on the last features.
    #[error(
        "{path} has no classes that can be computed: behind the last features of {network} is another head than one linear \
         layer ({tensors}); the layers before it work, as in `trepang render --layer`"
    )]
    OtherHead {
        /// The path of the file.
        path: PathBuf,
        /// The name of the network.
        network: &'static str,
        /// The first tensors of the head.
        tensors: String,
    },
    /// Classes are wanted, and the file's model computes them in another way than by a softmax of a linear layer.
    #[error(
        "{path} has no classes that can be computed: behind the last features of {network}, {reason}; the layers before it \
         work, as in `trepang render --layer`"
    )]
    UnlikeHead {
        /// The path of the file.
        path: PathBuf,
        /// The name of the network.
        network: &'static str,
        /// The difference, as a clause.
        reason: String,
    },
    /// The first layers of the file's model make something of a picture that is not known.
    #[error(
        "{path} has a layer before the network that is not computed ({layer}): say with --input what the network sees, as in \
         --input tf"
    )]
    UncomputedInput {
        /// The path of the file.
        path: PathBuf,
        /// The layer, by its class and name.
        layer: String,
    },
    /// No set of weights of the file has this name.
    #[error("{path} has no weights \"{}\" that fit; --pick takes one of: {}", excerpt(.name), excerpt(.known))]
    NoSuchPick {
        /// The path of the file.
        path: PathBuf,
        /// The name that was asked for.
        name: String,
        /// The names of all sets that fit, separated by commas.
        known: String,
    },
    /// A file of labels cannot be used.
    #[error("the labels in {path} cannot be used: {reason}; one name a line or a JSON list is needed")]
    LabelsFile {
        /// The path of the file.
        path: PathBuf,
        /// The reason, as a clause.
        reason: String,
    },
    /// A file of labels has another number of names than the network has classes.
    #[error("{path} has {found} labels, and {network} has {classes} classes: each class needs one")]
    LabelCount {
        /// The path of the file.
        path: PathBuf,
        /// The number of names.
        found: usize,
        /// The name of the network, or the path of its weights.
        network: String,
        /// The number of classes.
        classes: usize,
    },
    /// The set would have to be downloaded, and the network may not be used.
    #[error(
        "{name} is not on this machine: fetch {file} from {origin} by hand and import it with \
         `trepang pull {name} --from FILE`, or allow the network (leave --offline and HF_HUB_OFFLINE out)"
    )]
    Offline {
        /// The name of the set.
        name: &'static str,
        /// The name of the set's file.
        file: String,
        /// The address where the file is published.
        origin: String,
    },
    /// A pulled file is not what was written.
    #[error("the pulled file {path} is damaged ({reason}); `trepang pull {name}` fetches it again")]
    Damaged {
        /// The path of the file.
        path: PathBuf,
        /// The name of the set.
        name: &'static str,
        /// The difference that was found, as a clause.
        reason: String,
    },
    /// The user stopped the conversion.
    #[error("stopped while {path} was converted; run the same command again")]
    Stopped {
        /// The path of the file.
        path: PathBuf,
    },
    /// A file that was to be imported is not the published one.
    #[error("{reason}; to use {path} as it is, pass it with --weights")]
    NotPublished {
        /// The path of the file.
        path: PathBuf,
        /// The difference that was found, as a clause.
        reason: String,
    },
    /// The converted file could not be written.
    #[error("cannot write {path} ({source}); free some space or set TREPANG_CACHE to another folder")]
    Write {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Downloading or verifying a file failed.
    #[error(transparent)]
    Pull(#[from] crate::pull::Error),
    /// The file could not be opened or read.
    #[error("cannot read the weights file {path}: {source}")]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file of a known format is damaged, most often cut short.
    #[error(
        "{path} is not a whole {format} file ({reason}); if it was downloaded, it may have been cut short: \
         fetch it again"
    )]
    Format {
        /// The path of the file.
        path: PathBuf,
        /// The format that the first bytes of the file indicate.
        format: FileFormat,
        /// The reason that the reader gave, as a clause.
        reason: String,
    },
    /// A file is whole and of a known format, but what it holds cannot be used.
    #[error("{path} is {} {format} file that Trepang cannot use: {reason}", format.article())]
    Unusable {
        /// The path of the file.
        path: PathBuf,
        /// The format of the file.
        format: FileFormat,
        /// The reason, as a clause.
        reason: String,
    },
    /// A file that holds a network was given as the weights of another.
    #[error("{path} holds a network of its own: pass it with --network {path}, without --weights")]
    IsNetwork {
        /// The path of the file.
        path: PathBuf,
    },
    /// A file with the weights of an ONNX file is not there.
    #[error(
        "{path} keeps its weights in {file}, which is not beside it; copy both, or export with external_data=False"
    )]
    DataFileMissing {
        /// The path of the ONNX file.
        path: PathBuf,
        /// The file that it names.
        file: String,
    },
    /// Nothing says what a network was trained to see.
    #[error(
        "{path} does not say what its pixels are: pass --input torch, tf, caffe, clip, inceptionv1, unit, 255 or MEAN/STD, which is \
         remembered"
    )]
    UnknownInput {
        /// The path of the file.
        path: PathBuf,
    },
    /// A weights file was given as a network.
    #[error(
        "{path} holds weights and no network: name the network with --network NAME --weights {path}; if `trepang networks` \
         has no such network, export the model to ONNX, {export}, and pass model.onnx with --network"
    )]
    NoNetwork {
        /// The path of the file.
        path: PathBuf,
        /// The two lines that export it.
        export: String,
    },
    /// A file of another program holds a model, which is read as ONNX only.
    #[error(
        "{path} is {what}, which is not read here: export the model to ONNX, {export}, and pass model.onnx with --network"
    )]
    OtherProgram {
        /// The path of the file.
        path: PathBuf,
        /// The kind of file, with its article.
        what: &'static str,
        /// The two lines that export it.
        export: String,
    },
    /// A file that was named as a network is neither one nor holds weights.
    #[error(
        "{path} is no network: it begins with {found}, and an ONNX file or a network's name is needed; `trepang networks` \
         lists the names"
    )]
    NotOnnx {
        /// The path of the file.
        path: PathBuf,
        /// The kind of file that the first bytes suggest.
        found: String,
    },
    /// A file has no known format.
    #[error(
        "{path} is no weights file that can be read: it begins with {found}, and safetensors, Keras's HDF5 or \
         a PyTorch file is needed"
    )]
    UnknownFormat {
        /// The path of the file.
        path: PathBuf,
        /// The kind of file that the first bytes suggest.
        found: String,
    },
    /// A pickle would run code.
    #[error(
        "{path} asks for {call} to be run, which a weights file has no need of: it was not opened; do not load \
         it with other programs either"
    )]
    Malicious {
        /// The path of the file.
        path: PathBuf,
        /// The function that it would call, such as `os.system`.
        call: String,
    },
    /// A tensor has a type that cannot hold weights.
    #[error("{path}: tensor \"{tensor}\" holds {dtype}; weights are F32, F16, BF16 or F64")]
    Type {
        /// The path of the file.
        path: PathBuf,
        /// The name of the tensor in the file.
        tensor: String,
        /// The type of its numbers, such as `I64`.
        dtype: String,
    },
    /// A line of a table of labels is not index, WNID and name.
    #[error("line {line} of the labels is not \"index, WNID, name\" with index {line}, counted from 0")]
    Labels {
        /// The number of the line, counted from 0.
        line: usize,
    },
    /// The file holds another network.
    #[error("{path} holds {found}, not {wanted}: say --network {found}, or choose another file")]
    OtherNetwork {
        /// The path of the file.
        path: PathBuf,
        /// The name of the network that was asked for.
        wanted: &'static str,
        /// The name of the network that the file holds.
        found: &'static str,
    },
    /// The tensors of the file do not match the network.
    #[error("{path} does not fit {network}: {reason}; `trepang info {path}` shows what it holds{export}")]
    Misfit {
        /// The path of the file.
        path: PathBuf,
        /// The name of the network that was asked for.
        network: &'static str,
        /// The first difference, as a clause.
        reason: String,
        /// The way to export the model to ONNX, if it is none that is known here.
        export: String,
    },
    /// The network's weights are not published in the file's format.
    #[error("{path} is {format}, and no weights of {network} that can be read come in that format{export}")]
    OtherFormat {
        /// The path of the file.
        path: PathBuf,
        /// The name of the network that was asked for.
        network: &'static str,
        /// The format of the file.
        format: FileFormat,
        /// The way to export the model to ONNX.
        export: String,
    },
    /// Numbers in the file are not usable, for example not finite.
    #[error("{path}: {source}; fetch or make the file again")]
    InFile {
        /// The path of the file.
        path: PathBuf,
        /// The error about the tensor.
        source: Box<trepang_api::Error>,
    },
    /// A network could not be built, or its tensors do not fit it.
    #[error(transparent)]
    Network(#[from] trepang_api::Error),
}

impl Error {
    /// Whether the request was impossible, rather than that something broke: the name of a network or of a set of weights,
    /// classes of a network without a classifier or another number of labels, or an address.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Pull(error) => error.is_usage(),
            Self::Network(error) => error.is_usage(),
            other => matches!(
                other,
                Self::UnknownNetwork { .. }
                    | Self::UnknownSet { .. }
                    | Self::NoCache
                    | Self::NoClassifier { .. }
                    | Self::OtherHead { .. }
                    | Self::UnlikeHead { .. }
                    | Self::UncomputedInput { .. }
                    | Self::NoSuchPick { .. }
                    | Self::LabelCount { .. }
                    | Self::IsNetwork { .. }
                    | Self::UnknownInput { .. }
                    | Self::NoNetwork { .. }
                    | Self::OtherProgram { .. }
                    | Self::NotOnnx { .. }
            ),
        }
    }
}

/// The question about the names that one may stand for, in parentheses, or nothing. `known` are all names, separated by commas.
fn hint(name: &str, known: &str) -> String {
    did_you_mean(name, known.split(", ")).map_or_else(String::new, |question| format!(" ({question})"))
}
