//! The flags of `trepang lab examples` and their help.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ComputeArgs;
use super::lab_indexed::IndexedArgs;

/// `trepang lab examples`
///
/// The photographs of an index that a channel answers to most, the classes among the first hundred, and how well the channel
/// tells each class from all others; or the channels that tell a class best. With -o photographs are drawn: each cut down to the part that the channel's largest value
/// comes from.
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment)]
pub struct ExamplesArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub compute: ComputeArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub indexed: IndexedArgs,
    /// The channel that photographs are put in order by. With --class and no channel, the channels are told whose means tell the
    /// class from all others best
    #[arg(long, value_name = "C", required_unless_present = "class")]
    pub channel: Option<usize>,
    /// The number that photographs are put in order by: the channel's mean; its largest value; or its relevance, which is
    /// what it carries of the margin of the photograph's own class, for an index made with --relevance
    #[arg(long, value_enum, value_name = "mean|max|relevance", hide_possible_values = true, default_value_t)]
    pub by: ByFlag,
    /// Only photographs of this class: a label of the data set, or an index, a WordNet id or a name of the network's class
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// The number of photographs, or of channels
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub top: u16,
    /// Draw them as a sheet
    #[arg(short, long, value_name = "OUT.png", requires = "channel")]
    pub output: Option<PathBuf>,
    /// A picture of the channel to draw beside them: a file, or a run's folder or name
    #[arg(long, value_name = "PICTURE|RUN", requires = "output")]
    pub beside: Option<PathBuf>,
    /// Draw whole photographs, and not the parts that the channel's largest values come from
    #[arg(long, requires = "output")]
    pub whole: bool,
    /// The data set, if it is not any more where the index was made from
    #[arg(long, value_name = "FOLDER|FILE.tar", requires = "output")]
    pub data: Option<PathBuf>,
    /// Print JSON, one object
    #[arg(long)]
    pub json: bool,
}

/// The number that photographs are put in order by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ByFlag {
    /// The channel's mean over positions
    #[default]
    Mean,
    /// Its largest value
    Max,
    /// The part that it carries of the margin of the photograph's own class
    Relevance,
}

impl ByFlag {
    /// The name that it is typed by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Max => "max",
            Self::Relevance => "relevance",
        }
    }
}
