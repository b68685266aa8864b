//! The index of a data set: what every channel of some layers makes of every picture, in files that other programs read. A
//! layer has a folder of shards, `part-00000.parquet` and on, each about 1,024 pictures that follow each other. The last one
//! is written again as it grows, whole each time, so that what a kill leaves can be read and gone on with.

mod manifest;
mod row;
mod shard;
mod skipped;
mod writer;

pub use manifest::{IndexManifest, IndexedLayer};
pub use row::{ChannelNumbers, IndexRow, RowLabel};
pub use shard::{ShardFile, pictures_seen};
pub use skipped::csv_field;
pub use writer::IndexWriter;
