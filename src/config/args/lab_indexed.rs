//! The flags of the subcommands of `trepang lab` that read one layer of an index.

use std::path::PathBuf;

use clap::Args;

/// The index and its layer.
#[derive(Debug, Clone, Args)]
pub struct IndexedArgs {
    /// The layer [default: that of the index, if it has only one]
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
    /// The folder of the index, which `trepang lab index` makes [default: lab, beside the runs]
    #[arg(long, value_name = "DIR")]
    pub index: Option<PathBuf>,
}
