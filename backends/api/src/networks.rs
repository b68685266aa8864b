//! The networks Trepang knows, one short file a family. Data only: where their weights come from is the
//! `weights` crate's business.

mod minivgg;

pub use minivgg::minivgg;
