//! A run on disk: a folder with its manifest, losses, picture and the state to go on from. Every write is
//! atomic, so a folder is never half saved in a way that loses what was there. Not here: deciding when.

use std::time::Duration;

mod animation;
mod atomic;
mod folder;
mod label;
mod manifest;
mod png;
mod sheet;
mod state;

/// How much work a power cut may cost: a run in progress is saved this often.
pub const SAVE_EVERY: Duration = Duration::from_secs(30);

pub use animation::{Animation, check_animation_path};
pub(crate) use atomic::advise;
pub use atomic::write as write_atomic;
pub(crate) use folder::write_losses;
pub use folder::{Progress, RunFolder, default_folder};
pub use manifest::{Manifest, Origin, Parts, Provenance, Segment};
pub use png::{read_origin, read_picture, write_picture};
pub use sheet::{Cell, contact_sheet, write_sheet};
