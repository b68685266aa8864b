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
mod growth;
mod jpeg_data;
mod jpeg_entropy;
mod label;
mod listing;
mod lock;
mod made_before;
mod manifest;
mod origin_text;
mod picture_decoder;
mod picture_file;
mod picture_format;
mod png;
mod regular;
mod render_command;
mod replaced;
mod session;
mod sheet;
mod small_picture;
mod state;
mod tiff_kind;
mod trash;
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
pub use folder::{IMAGE, RunFolder, SavedRun, default_folder, is_run};
pub use growth::{Growth, GrowthFrame};
pub use label::Text;
pub use listing::{LOG, RunListing, RunSummary, list_runs};
pub(crate) use lock::RunLock;
pub use lock::{RunOwner, is_locked, owner};
pub use made_before::runs_made_before;
pub use manifest::{Manifest, Origin, Parts, Provenance, Segment};
pub use picture_file::{MAX_FILE_BYTES, PictureReading, decode_picture, read_picture, read_picture_as};
pub use picture_format::{check_picture_path, is_lossless, read_origin, write_picture};
pub use png::{
    decode as decode_png, encode as encode_png, encode_plain as encode_plain_png, origin_of as origin_of_png,
};
pub(crate) use regular::{open_regular, read_regular};
pub use render_command::{quoted, render_command};
pub use replaced::{OutputKind, SPECTRUM_HEADER};
pub use session::{SAVE_EVERY, Session, evaluate_starts};
pub use sheet::{Cell, contact_sheet, write_sheet};
pub use small_picture::{from_bytes, small, to_jpeg};
pub use state::{decode as decode_state, encode as encode_state};
pub use trash::{Trash, bring_back, run_named};
