//! Pictures of whole layers: a unit of work (`unit`), what is kept of it (`pack`), and the folder that keeps it (`store`).
//! The dashboard's drafts are kept here. Not here: which unit is computed when.

mod draft;
mod pack;
mod store;
mod unit;

pub use draft::Draft;
pub use pack::{Pack, PackedChannel};
pub use store::{Cleaned, Error, Result, UnitStore};
pub use unit::{UNIT_CHANNELS, Unit};
