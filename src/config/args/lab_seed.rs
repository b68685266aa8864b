//! The flags of `trepang lab seed` and their help.

use std::path::PathBuf;

use clap::Args;

use super::ComputeArgs;
use super::framing::FramingArgs;
use super::lab_indexed::IndexedArgs;
use super::lab_project::{DrawnArgs, parse_perplexity};

/// `trepang lab seed`
///
/// Replays the figure that the question of the sea cucumber began with. Its rows were photographs of ten classes, two made pictures
/// and the photographs of sea cucumbers, laid out together by t-SNE. The last two rows were drawn as the pictures; but
/// those are photographs. On the left is that figure, on the right the same layout with the pictures where they are.
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment)]
pub struct SeedArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub compute: ComputeArgs,
    /// The made pictures, of which there were two: PNG, JPEG, WebP, TIFF, BMP or GIF
    #[arg(value_name = "PICTURE", required = true)]
    pub pictures: Vec<PathBuf>,
    /// The class that they were taken for: a label of the photographs, or a WordNet id or a name of the network's class
    #[arg(long, value_name = "CLASS")]
    pub class: String,
    /// The other classes [default: the first ten of the photographs]
    #[arg(long, value_name = "CLASS,...", value_delimiter = ',')]
    pub others: Vec<String>,
    /// The photographs of each class
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..))]
    pub per_class: u16,
    /// Run the photographs of this folder now, which holds a folder for each class, instead of reading an index
    #[arg(long, value_name = "FOLDER|FILE.tar", conflicts_with = "index")]
    pub on: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub indexed: IndexedArgs,
    /// About how many neighbours of a row t-SNE keeps near it
    #[arg(long, value_name = "P", default_value_t = 30.0, value_parser = parse_perplexity)]
    pub perplexity: f64,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub framing: FramingArgs,
    /// Draw the photographs of each class by this random seed [default: the first ones]
    #[arg(long, value_name = "K")]
    pub seed: Option<u64>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub drawn: DrawnArgs,
}
