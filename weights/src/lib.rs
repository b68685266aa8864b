//! Where Trepang's weights come from: the catalog of what is published, the readers of every format it comes in, the
//! conversion to the networks' own tensors, the class labels and the embedded network.
//!
//! This crate is *not* for running networks. It writes nothing but pulled sets, into Trepang's own folder.
//!
//! # Map
//! - [`Architecture`], [`Dialect`]: which networks there are, and in whose versions.
//! - [`open`]: a file as a [`Source`] of tensors, whatever its format.
//! - `layout`, `index`: under which names, and where in a file, each version keeps its numbers; [`fit`]: which
//!   version a file holds; `convert`: from its tensors to the network's.
//! - [`SETS`]: what is published; [`pull`]: fetching it; [`cache`]: where it may be already; [`Store`]: what has been
//!   pulled.
//! - [`MadeUp`]: weights out of names, for comparing frameworks without a file.
//! - [`trained`]: from the name of a network to the network with its weights.

mod architecture;
pub mod cache;
mod catalog;
mod convert;
mod embedded;
mod error;
mod fit;
mod index;
mod labels;
mod layout;
mod library;
mod made_up;
mod mapped;
mod obtain;
pub mod pull;
mod readers;
mod source;
mod store;

pub use architecture::{Architecture, Dialect};
pub use catalog::{Place, SETS, Set, find_set, first_look};
pub use embedded::{MINIVGG_CARD, embedded_megabytes, minivgg};
pub use error::{Error, Result};
pub use fit::{Fit, fit, recognise, tensors_of};
pub use labels::{Label, Labels};
pub use library::{Origin, Trained, Want, architecture, names, sha256, trained};
pub use made_up::{MadeUp, words};
pub use obtain::{How, Watcher, Wish, address, elsewhere, obtain};
pub use readers::{SafetensorsFile, SharedF32, open, read_safetensors};
pub use source::{Format, Source, TensorInfo};
pub use store::Store;
