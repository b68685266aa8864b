//! The flags of `trepang lab index` and their help.

use std::path::PathBuf;

use clap::Args;

use super::ComputeArgs;

/// `trepang lab index`
///
/// Runs every picture of a data set, and keeps for each channel of the layers its mean, its largest value and where that is:
/// parquet files, a row a picture and a column a channel, in a folder for each layer. The same command goes on where one that
/// was killed has stopped.
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment, mut_arg("labels", |arg| arg.long("class-names")))]
pub struct IndexArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub compute: ComputeArgs,
    /// The data set: a folder or a tar file. The folders in it name the classes, by WordNet id or by name
    #[arg(value_name = "FOLDER|FILE.tar")]
    pub data: PathBuf,
    /// The layers, which are kept in one pass; `trepang networks` lists them
    #[arg(long, value_name = "LAYER,LAYER,...", value_delimiter = ',', required = true)]
    pub layer: Vec<String>,
    /// A file that says which class each picture is of: lines of its name and its label (a WordNet id, an index of the
    /// network's classes or a name), apart by commas, tabs or blanks. It goes before the folders
    #[arg(long = "labels", value_name = "FILE")]
    pub picture_labels: Option<PathBuf>,
    /// The folder of the index [default: lab, beside the runs]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub kept: KeptArgs,
    /// Turn pictures as their cameras were held. Data sets are not turned, so that accuracies are those of other programs
    #[arg(long)]
    pub upright: bool,
    /// Print JSON, one object
    #[arg(long)]
    pub json: bool,
}

/// The flags that say what is kept besides.
#[derive(Debug, Clone, Copy, Args)]
pub struct KeptArgs {
    /// Keep whole activations too, as bytes of 32-bit numbers: 400 kB for a picture of 512 channels at 14 x 14
    #[arg(long)]
    pub full: bool,
    /// Keep what each channel carries of the margin of the picture's own class too, which takes a run of its own for each
    /// picture and layer
    #[arg(long)]
    pub relevance: bool,
}
