//! The flags that questions about one picture share.

use std::path::PathBuf;

use clap::Args;

use super::ComputeArgs;
use super::framing::FramingArgs;

/// The flags that say which picture, layer and class a question is about.
#[derive(Debug, Clone, Args)]
pub struct SubjectArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub compute: ComputeArgs,
    /// The picture: PNG, JPEG, WebP, TIFF, BMP or GIF; or a run, by its folder or name
    #[arg(value_name = "PICTURE|RUN")]
    pub picture: PathBuf,
    /// Ask about the picture as its network saw it, before it was saved in 256 levels: of a run, or of a picture that carries its
    /// recipe, whose steps are taken again. Its size has to be one that the network takes
    #[arg(long, conflicts_with_all = ["exact", "allow_cut"])]
    pub seen: bool,
    /// The layer whose channels are told apart; `trepang networks` lists them, and NAME:pre is NAME before its ReLU
    #[arg(long, value_name = "LAYER")]
    pub layer: String,
    /// The class that is explained: its index, its WordNet id or its name [default: the picture's first class]
    #[arg(long, value_name = "CLASS", allow_hyphen_values = true)]
    pub class: Option<String>,
    /// The other side of the margin: rival, which is the best other class for the picture; a class; or logsumexp, for all
    /// classes together
    #[arg(long, value_name = "CLASS|rival|logsumexp", default_value = "rival", allow_hyphen_values = true)]
    pub against: String,
    /// A folder with photographs of the class, to say how things are on those
    #[arg(long, value_name = "FOLDER")]
    pub on: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub framing: FramingArgs,
    /// The random seed of what is drawn: photographs, orders of channels, weights in a random order
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub seed: u64,
    /// Print JSON, one object, with every channel
    #[arg(long)]
    pub json: bool,
}
