//! The weights of Trepang's networks: the catalog of published sets, the readers of every file format, the conversion
//! to the tensors that a [`Network`](trepang_api::Network) reads, the class labels and the embedded network.
//!
//! This crate does not run networks. It writes only pulled sets, and only into Trepang's own folder.
//!
//! # Map
//! - [`Architecture`], [`Dialect`]: the known networks, and the trainings in which each one is published.
//! - [`open`]: a file as a [`TensorSource`], whatever its format.
//! - `layout`, `index`: the names of the tensors in each version, and their positions in a file; [`fit`]: recognises
//!   the version in a file, with `version`, `candidate`, `prefix` and `wrapped` (the trunk), `gray` (networks for gray pictures), `head`, `pick`
//!   (one of several sets) and `misfit` (the differences); `convert`: converts its tensors to the network's;
//!   [`InputFormat`]: another preprocessing.
//! - `skim`: bounds what decoding protobuf may take, for ONNX and TensorFlow's graphs.
//! - [`export_lines`]: how a model that is not known here becomes an ONNX file.
//! - [`KerasModel`]: what a Keras file says of its first and last layers.
//! - [`SETS`]: the published sets; [`pull`]: downloads them; [`cache`]: finds copies that are on this machine already;
//!   [`Store`]: keeps the pulled sets.
//! - [`OnnxModel`]: a network of the user's own with its weights, from an ONNX file.
//! - [`MadeUp`]: pseudo-random weights computed from tensor names, for comparing frameworks without a file.
//! - [`trained`]: loads a network with its weights by name.

mod architecture;
mod bare_head;
pub mod cache;
mod candidate;
mod catalog;
mod convert;
mod embedded;
mod error;
mod export;
mod file_bytes;
mod fit;
mod gray;
mod head;
mod hex;
mod index;
mod input;
mod keras_model;
mod labels;
mod layout;
mod library;
mod made_up;
mod misfit;
mod obtain;
mod onnx;
mod own_network;
mod pick;
mod prefix;
pub mod pull;
mod readers;
mod skim;
mod source;
mod store;
mod version;
mod wrapped;

pub use architecture::{Architecture, Dialect};
pub use catalog::{PublishedAt, SETS, Set, find_set, first_look};
pub use embedded::{MINIVGG_CARD, embedded_megabytes, minivgg};
pub use error::{Error, Result};
pub use export::export_lines;
pub use fit::{Fit, fit, fit_set, nearest, recognise, sets, tensors_of};
pub use head::Head;
pub use input::{InputFormat, InputScale};
pub use keras_model::{KerasModel, ModelInput};
pub use labels::{Label, Labels};
pub use library::{
    FileChoices, Purpose, Taken, Trained, WeightsOrigin, architecture, file_sha256, is_published, names,
    sha256, trained, trained_with,
};
pub use made_up::{MadeUp, words};
pub use obtain::{PullOutcome, PullRequest, Watcher, address, cached_copies, obtain};
pub use onnx::{CutOff, FoundInput, OnnxModel, is_onnx};
pub use own_network::network_file;
pub use pick::{PICK_RULE, picked};
pub use readers::{SafetensorsFile, SharedF32, open, open_hashed, read_safetensors};
pub use source::{FileFormat, TensorInfo, TensorSource};
pub use store::Store;
