//! The flags of `trepang lab distance` and their help.

use std::path::PathBuf;

use clap::Args;

use super::ComputeArgs;
use super::framing::FramingArgs;
use super::lab_indexed::IndexedArgs;

/// `trepang lab distance`
///
/// Distances of pictures from the photographs of each class in an index, in the channels of a layer. They say whether a
/// picture lies among photographs, and if not, in whose direction and how far. An index with --full has distances over all values too.
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment)]
pub struct DistanceArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub compute: ComputeArgs,
    /// The pictures: PNG, JPEG, WebP, TIFF, BMP or GIF
    #[arg(value_name = "PICTURE", required = true)]
    pub pictures: Vec<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub indexed: IndexedArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub framing: FramingArgs,
    /// The random seed of the resamplings that intervals come from
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub seed: u64,
    /// Print JSON, one object a picture, with every class
    #[arg(long)]
    pub json: bool,
}
