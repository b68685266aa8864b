//! The flags of `trepang lab` and their help.

use clap::{Args, Subcommand, ValueEnum};

use super::lab_compare::CompareArgs;
use super::lab_distance::DistanceArgs;
use super::lab_examples::ExamplesArgs;
use super::lab_index::IndexArgs;
use super::lab_map::MapArgs;
use super::lab_means::MeansArgs;
use super::lab_project::ProjectArgs;
use super::lab_report::LabReportArgs;
use super::lab_seed::SeedArgs;
use super::lab_subject::SubjectArgs;

/// The flags of `trepang lab`.
#[derive(Debug, Clone, Args)]
pub struct LabArgs {
    /// The question that is asked.
    #[command(subcommand)]
    pub command: LabCommand,
}

/// The questions of the lab.
#[derive(Debug, Clone, Subcommand)]
pub enum LabCommand {
    /// Split a class's margin in a picture over the channels of a layer
    Attribute(Box<AttributeArgs>),
    /// Take channels of a layer out, and see what becomes of the margin
    Ablate(Box<AblateArgs>),
    /// Run a data set, and keep what each channel makes of each picture
    Index(Box<IndexArgs>),
    /// The photographs of an index that a channel answers to most
    Examples(Box<ExamplesArgs>),
    /// Distances of pictures from each class's photographs in an index
    Distance(Box<DistanceArgs>),
    /// Find the channel of another network or checkpoint that does what a channel does
    Compare(Box<CompareArgs>),
    /// Draw pictures among the photographs of an index, in a plane
    Project(Box<ProjectArgs>),
    /// A map of where in a picture the network sees a class, or of a channel
    Map(Box<MapArgs>),
    /// Draw the mean of every channel of a layer for a picture
    Means(Box<MeansArgs>),
    /// Write one page about a channel and a class in a picture
    Report(Box<LabReportArgs>),
    /// Replay the figure that the question of the sea cucumber began with, and draw it with the right rows
    Seed(Box<SeedArgs>),
}

/// `trepang lab attribute`
///
/// The margin is the class's logit less that of its rival. Each channel's attribution is its gradient times its activation;
/// with the row of the biases, attributions add up to the margin. Two more columns check them: integrated gradients, and
/// the margin that is lost if the channel is set to zero. In `--json` the channels are sorted by attribution.
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment)]
pub struct AttributeArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub subject: SubjectArgs,
    /// The start of the path of the integrated gradients: the layer at zero, or as it is for a black picture or for this
    /// picture blurred
    #[arg(long, value_enum, default_value_t)]
    pub baseline: BaselineFlag,
    /// Split the margin again with each layer's weights in a random order, and say how alike the attributions are: those that stay
    /// the same do not come from what the network has learned
    #[arg(long)]
    pub randomised: bool,
}

/// The start of an integrated gradient's path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum BaselineFlag {
    /// The layer at zero
    #[default]
    Zero,
    /// The layer for a black picture
    Black,
    /// The layer for this picture, blurred
    Blur,
}

/// `trepang lab ablate`
///
/// Takes out every channel by itself, then the first ones by their attribution together, then all but those. Effects of
/// single channels do not add up: their sum is printed beside the joint effect. The flip count is the number of channels,
/// the first by attribution, without which the class is no longer first. With --on, the channels are taken out of photographs of the
/// class too: their order comes from one half, and the other half is counted.
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment)]
pub struct AblateArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub subject: SubjectArgs,
    /// The stand-in for a channel: zero; its mean over the photographs of --on; or its values in 16 of those, in
    /// turn [default: zero, or mean with --on]
    #[arg(long, value_enum, value_name = "zero|mean|resample", hide_possible_values = true)]
    pub replace: Option<ReplaceFlag>,
    /// The numbers of channels that are taken out together [default: 1,2,3,5,20, as far as the layer has so many]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', value_parser = parse_count)]
    pub top: Vec<usize>,
    /// Take out more and more channels, by their attribution, in its reverse and at random, and say what is left of the margin on
    /// the way: the deletion curve
    #[arg(long)]
    pub curve: bool,
}

/// The stand-in for a channel that is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReplaceFlag {
    /// Zero at every position
    Zero,
    /// Its mean over photographs
    Mean,
    /// Its values in photographs
    Resample,
}

impl ReplaceFlag {
    /// The name that it is typed by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Mean => "mean",
            Self::Resample => "resample",
        }
    }
}

fn parse_count(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("numbers of channels are needed, each 1 or more, as in 1,2,5,20".into()),
    }
}
