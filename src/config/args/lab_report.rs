//! The flags of `trepang lab report` and their help.

use std::path::PathBuf;

use clap::Args;

use super::lab_subject::SubjectArgs;

/// `trepang lab report`
///
/// One page about a channel and a class in a picture: the sentence, the tables of attribution and ablation, where the class
/// is seen, and from an index the photographs that the channel answers to and how far the picture is from each class. The page
/// needs nothing else and loads nothing; the same as Markdown is written beside it. The same command writes the same bytes.
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment)]
pub struct LabReportArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub subject: SubjectArgs,
    /// The channel that the page is about
    #[arg(long, value_name = "C")]
    pub channel: usize,
    /// The folder of the index, which `trepang lab index` makes [default: lab, beside the runs, if it is of this network and
    /// layer]
    #[arg(long, value_name = "DIR")]
    pub index: Option<PathBuf>,
    /// The page; the same as Markdown is put beside it, with the ending .md
    #[arg(short, long, value_name = "OUT.html")]
    pub output: PathBuf,
}
