//! What can be wrong with a weights file, in one sentence each.

use std::io;
use std::path::PathBuf;

use crate::Format;

/// The result of reading weights.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why weights could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that is not in the catalog.
    #[error("there is no network \"{name}\"; the networks are: {known}")]
    UnknownNetwork {
        /// The name asked for.
        name: String,
        /// Those there are, separated by commas.
        known: String,
    },
    /// A name that no set of weights has.
    #[error("there are no weights \"{name}\"; those that can be pulled are: {known}")]
    UnknownSet {
        /// The name asked for.
        name: String,
        /// Those there are, separated by commas.
        known: String,
    },
    /// A set that is not on this machine.
    #[error("{name} is not here yet: `trepang pull {name}` fetches it ({megabytes} MB)")]
    NotPulled {
        /// The set.
        name: &'static str,
        /// Its size.
        megabytes: u32,
    },
    /// Classes are wanted of weights that have none.
    #[error("{name} has no classifier; choose weights that have one: `trepang pull --list` shows which do")]
    NoClassifier {
        /// The network, or the file.
        name: String,
    },
    /// A set that would have to be fetched, and must not be.
    #[error(
        "{name} is not on this machine: fetch {file} from {origin} by hand and import it with \
         `trepang pull {name} --from FILE`, or allow the network (leave --offline and HF_HUB_OFFLINE out)"
    )]
    Offline {
        /// The set.
        name: &'static str,
        /// The file's name.
        file: String,
        /// Where it is published.
        origin: String,
    },
    /// A pulled file that is not what was written.
    #[error("the pulled file {path} is damaged ({reason}); `trepang pull {name}` fetches it again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The set.
        name: &'static str,
        /// How it differs.
        reason: String,
    },
    /// Somebody asked to stop.
    #[error("stopped while {path} was converted; run the same command again")]
    Stopped {
        /// The file.
        path: PathBuf,
    },
    /// A file that was to be imported and is not the published one.
    #[error("{reason}; to use {path} as it is, pass it with --weights")]
    NotPublished {
        /// The file.
        path: PathBuf,
        /// How it differs.
        reason: String,
    },
    /// A converted file could not be written.
    #[error("cannot write {path} ({source}); free some space or set TREPANG_CACHE to another folder")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Fetching or checking a file failed.
    #[error(transparent)]
    Pull(#[from] crate::pull::Error),
    /// The file could not be opened or read.
    #[error("cannot read the weights file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of a known format that is damaged, most often cut short.
    #[error(
        "{path} is not a whole {format} file ({reason}); if it was downloaded, it may have been cut short: \
         fetch it again"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// The format its beginning promises.
        format: Format,
        /// The reader's reason.
        reason: String,
    },
    /// A file of no known format.
    #[error(
        "{path} is no weights file that can be read: it begins with {found}, and safetensors, Keras's HDF5 or \
         a PyTorch file is needed"
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        found: String,
    },
    /// A pickle that would run code.
    #[error(
        "{path} asks for {call} to be run, which a weights file has no need of: it was not opened; do not load \
         it with other programs either"
    )]
    Malicious {
        /// The file.
        path: PathBuf,
        /// What it wants to call, `os.system`.
        call: String,
    },
    /// A tensor of a type that cannot hold weights.
    #[error("{path}: tensor \"{tensor}\" holds {dtype}; weights are F32, F16, BF16 or F64")]
    Type {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// Its type.
        dtype: String,
    },
    /// A line of a table of labels that is not index, WNID, name.
    #[error("line {line} of the labels is not \"index, WNID, name\" with index {line}, counted from 0")]
    Labels {
        /// Counted from 0.
        line: usize,
    },
    /// A file with another network in it.
    #[error("{path} holds {found}, not {wanted}: say --network {found}, or choose another file")]
    OtherNetwork {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        wanted: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A file that comes close to a network and is not it.
    #[error("{path} does not fit {network}: {reason}; `trepang info {path}` shows what it holds")]
    Misfit {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        network: &'static str,
        /// The first thing that is wrong.
        reason: String,
    },
    /// A format in which the network's weights are not published.
    #[error("{path} is {format}, and no weights of {network} that can be read come in that format")]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        network: &'static str,
        /// How the file is written.
        format: Format,
    },
    /// Numbers in a file that no network can compute with.
    #[error("{path}: {source}; fetch or make the file again")]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<trepang_api::Error>,
    },
    /// The tensors and the network do not go together.
    #[error(transparent)]
    Network(#[from] trepang_api::Error),
}

impl Error {
    /// Was something asked for that cannot be, rather than something broken? The name of a network or of a set of weights,
    /// classes of a network without a classifier, or an address.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Pull(error) => error.is_usage(),
            Self::Network(error) => error.is_usage(),
            other => matches!(
                other,
                Self::UnknownNetwork { .. } | Self::UnknownSet { .. } | Self::NoClassifier { .. }
            ),
        }
    }
}
