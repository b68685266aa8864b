//! The flags of `trepang lab compare` and their help.

use std::path::PathBuf;

use clap::Args;

/// `trepang lab compare`
///
/// Finds for each channel of one layer the channel of another that does the same: the one whose mean rises and falls with its own
/// over the pictures of two indices. The layers may be of two networks, of two checkpoints of one, or both of one index. The
/// indices must be of the same pictures; they are matched by their paths, and what only one of them has is left out.
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment)]
pub struct CompareArgs {
    /// The folder of the index with the channels that are asked about, which `trepang lab index` makes
    #[arg(value_name = "A")]
    pub a: PathBuf,
    /// The folder of the index in which they are looked for
    #[arg(value_name = "B")]
    pub b: PathBuf,
    /// The layer of A [default: that of the index, if it has only one]
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
    /// The layer of B [default: the one of the same name, or else that of the index, if it has only one]
    #[arg(long, value_name = "LAYER")]
    pub other_layer: Option<String>,
    /// Only this channel of A, with the channels of B that are most like it
    #[arg(long, value_name = "C")]
    pub channel: Option<usize>,
    /// The number of channels in the table
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub top: u16,
    /// The random seed of the order of pictures that tells what chance finds
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub seed: u64,
    /// Print JSON, one object, with every channel
    #[arg(long)]
    pub json: bool,
}
