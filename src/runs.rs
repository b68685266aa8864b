//! A run on disk, and the one driver of a run (`session`, `driver`). A run is a folder with its manifest, losses, picture
//! and the state to go on from. Every write is atomic, so a folder is never half saved in a way that loses what was there.

mod animation;
mod atomic;
mod cut_picture;
mod dead;
mod driver;
mod error;
mod evaluation;
mod folder;
mod jpeg_data;
mod jpeg_entropy;
mod label;
mod listing;
mod lock;
mod manifest;
mod origin_text;
mod picture_decoder;
mod picture_file;
mod picture_format;
mod png;
mod regular;
mod replaced;
mod session;
mod sheet;
mod state;
mod tiff_kind;
mod unread_kind;
mod xmp;

pub use animation::{Animation, check_animation_path};
pub use atomic::{check_target, write as write_atomic};
pub use dead::never_woken;
pub use driver::{DriveReport, drive};
pub(crate) use error::describe;
pub use error::{BoxedError, Error, Result};
pub use evaluation::{Evaluation, PictureEvaluation};
pub(crate) use folder::write_losses;
pub use folder::{RunFolder, SavedRun, default_folder};
pub use listing::{LOG, RunListing, RunSummary, list_runs};
pub use manifest::{Manifest, Origin, Parts, Provenance, Segment};
pub use picture_file::{PictureReading, read_picture, read_picture_as};
pub use picture_format::{check_picture_path, read_origin, write_picture};
pub(crate) use regular::read_regular;
pub use replaced::{OutputKind, SPECTRUM_HEADER};
pub use session::{SAVE_EVERY, Session, evaluate_starts};
pub use sheet::{Cell, contact_sheet, write_sheet};
