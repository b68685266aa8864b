//! The flags of `trepang render` and their help.

use std::path::PathBuf;

use clap::Args;

use super::ComputeArgs;
use super::parse::{parse_neuron, parse_setting};
use crate::config::channels::Channels;
use crate::engine::{AskedSize, FUNCTIONS};

/// The flags of `trepang render`.
#[derive(Debug, Clone, Args)]
#[command(group(clap::ArgGroup::new("target").args(["channel", "neuron", "logit", "objective", "from", "resume"])))]
pub struct RenderArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub compute: ComputeArgs,
    /// The layer; `trepang networks` lists them, and NAME:pre is NAME before its ReLU
    #[arg(long, value_name = "LAYER", conflicts_with_all = ["from", "resume"])]
    pub layer: Option<String>,
    /// Raise the mean of this channel, or of each of several: 4, or 4,7,9, or 0..64 (0 to 63), or all. With several,
    /// --output is a folder
    #[arg(long, value_name = "C", requires = "layer", allow_hyphen_values = true)]
    pub channel: Option<Channels>,
    /// Raise one neuron: channel, row, column
    #[arg(long, value_name = "C,Y,X", requires = "layer", allow_hyphen_values = true, value_parser = parse_neuron)]
    pub neuron: Option<[usize; 3]>,
    /// Raise a class: its index, its WordNet id or its name
    #[arg(long, value_name = "CLASS")]
    pub logit: Option<String>,
    /// The text form of an objective to raise
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help = objective_help())]
    pub objective: Option<String>,
    /// The recipe that makes the pictures: a name (`trepang recipes` lists them) or a TOML file [default: lucid]
    #[arg(long, value_name = "NAME|FILE.toml", conflicts_with_all = ["from", "resume"])]
    pub recipe: Option<String>,
    /// Change a number of the recipe: optimizer.rate=0.1, views=4; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_setting, conflicts_with_all = ["from", "resume"])]
    pub set: Vec<(String, String)>,
    /// The number of steps [default: the recipe's]
    #[arg(long, value_name = "S", conflicts_with = "from", value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: Option<u32>,
    /// The size of the picture in pixels: both sides, or one number for the longer side in the shape of the start picture, without
    /// one for a square [default: the start picture's own size, or the network's]
    #[arg(long, value_name = "PX|WxH", conflicts_with_all = ["from", "resume"])]
    pub size: Option<AskedSize>,
    /// The random seed
    #[arg(long, value_name = "K", default_value_t = 0, conflicts_with_all = ["from", "resume"])]
    pub seed: u64,
    /// Make each picture with N seeds, --seed and those after it, and print the mean and the spread
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with_all = ["from", "resume"], value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub seeds: u16,
    /// The start picture: noise, gray, or a picture file, scaled to --size; what does not fit its shape is cut off at two sides
    /// [default: noise]
    #[arg(long, value_name = "noise|gray|FILE", conflicts_with = "resume")]
    pub init: Option<String>,
    /// Take picture files that end early; what is missing of them is gray
    #[arg(long)]
    pub allow_cut: bool,
    /// Make the picture of this file, which trepang wrote, again: a PNG, JPEG or WebP
    #[arg(long, value_name = "PICTURE")]
    pub from: Option<PathBuf>,
    /// Continue a run that was interrupted, or beyond its end with --steps: its folder, or its name as `trepang runs` lists
    /// it
    #[arg(long, value_name = "RUN")]
    pub resume: Option<PathBuf>,
    /// The picture to write, in the format of its name: .png, .jpg, .webp (lossless), .tif or .bmp. PNG, JPEG and WebP carry
    /// the recipe that makes them again. With several pictures, or a name that ends in /, the folder that receives
    /// LAYER/CHANNEL.png. - is stdout, which carries the PNG and nothing else
    #[arg(short, long, value_name = "OUT.png|DIR/|-")]
    pub output: PathBuf,
    /// Write a sheet of all pictures with their names, in the format of its own name
    #[arg(long, value_name = "FILE.png")]
    pub sheet: Option<PathBuf>,
    /// Write an animation of the steps: a GIF, or with .png or .apng an animated PNG
    #[arg(long, value_name = "FILE.gif|FILE.png")]
    pub gif: Option<PathBuf>,
    /// Write the loss of every step
    #[arg(long, value_name = "OUT.csv")]
    pub losses: Option<PathBuf>,
    /// The folder that the run is saved in [default: ~/.local/share/trepang/runs]; with --resume, it stays where it is
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub runs: Option<PathBuf>,
    /// Refuse to replace a file that is there already
    #[arg(long)]
    pub no_clobber: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub report: ReportArgs,
}

/// The flags that choose what `trepang render` prints.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ReportArgs {
    /// Print JSON, one object a line: every step, then the result
    #[arg(long)]
    pub json: bool,
    /// Print no progress and no results, only what goes wrong
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,
}

/// The help of `--objective`, with all functions of the text form.
fn objective_help() -> String {
    let names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
    let (last, others) = names.split_last().unwrap_or((&"", &[]));
    format!(
        "Raise this: `channel(block5_conv2, 4) - 0.5 * channel(block5_conv2:pre, 7) - tv(0.001)`. There are {} and {last}",
        others.join(", ")
    )
}
