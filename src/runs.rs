//! A run on disk: a folder with its manifest, losses, picture and the state to go on from. Every write is
//! atomic, so a folder is never half saved in a way that loses what was there. Not here: deciding when.

mod atomic;
mod folder;
mod manifest;
mod png;
mod state;

pub use atomic::write as write_atomic;
pub(crate) use folder::write_losses;
pub use folder::{Progress, RunFolder, default_folder};
pub use manifest::{Manifest, Origin, Provenance, digest};
pub use png::{read_origin, read_picture, write_picture};
