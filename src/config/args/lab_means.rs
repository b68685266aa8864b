//! The flags of `trepang lab means` and their help.

use std::path::PathBuf;

use clap::Args;

use super::ComputeArgs;
use super::framing::FramingArgs;
use super::lab_project::DrawnArgs;

/// `trepang lab means`
///
/// Draws the mean activation of every channel of a layer for a picture as bars, one of them marked. They say which other channels
/// a picture raises besides the one that it was made for.
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment)]
pub struct MeansArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub compute: ComputeArgs,
    /// The picture: PNG, JPEG, WebP, TIFF, BMP or GIF
    #[arg(value_name = "PICTURE")]
    pub picture: PathBuf,
    /// The layer; `trepang networks` lists them, and NAME:pre is NAME before its ReLU
    #[arg(long, value_name = "LAYER")]
    pub layer: String,
    /// The channel that is marked
    #[arg(long, value_name = "C")]
    pub channel: Option<usize>,
    /// The highest mean first, instead of the channels' own order
    #[arg(long)]
    pub sorted: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub framing: FramingArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub drawn: DrawnArgs,
}
