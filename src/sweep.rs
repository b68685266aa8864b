//! Pictures of whole layers: a unit of work (`unit`), what is kept of it (`pack`), what a classifier saw in that
//! (`seen_classes`), and the folder that keeps it all (`store`).
//! The dashboard's drafts are kept here. Not here: which unit is computed when.

mod draft;
mod pack;
mod seen_classes;
mod store;
mod store_place;
mod unit;

pub use draft::Draft;
pub use pack::{Pack, PackedChannel};
pub use seen_classes::SeenClasses;
pub use store::{Cleaned, Error, Result, UnitStore};
pub use store_place::{StorePlace, store_folder};
pub use unit::{UNIT_CHANNELS, Unit};
