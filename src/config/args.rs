//! What can be typed: flags and their help. Nothing is looked up or checked here beyond its syntax.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use super::channels::Channels;
use crate::engine::FUNCTIONS;

/// See what a channel of a convolutional network looks for, live, in the terminal.
///
/// Without a subcommand, trepang opens a dashboard: choose a layer and a channel with the arrow keys and watch
/// gradient ascent draw what raises it. Press ? there for the keys. Where stdout is not a terminal, the same
/// ascent runs with plain progress lines.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What the dashboard starts with.
    #[command(flatten)]
    pub dashboard: DashboardArgs,
    /// Something else than the dashboard.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make one picture, without a screen
    Render(Box<RenderArgs>),
    /// Tell which classes a network sees in pictures
    Predict(Box<PredictArgs>),
    /// Fetch a network's weights, or take them over from a file or another program's cache
    Pull(PullArgs),
    /// Tell what a weights file, or a network's own weights, are
    Info(InfoArgs),
    /// List the networks and their layers
    Networks(ListArgs),
    /// List the backends and devices, and whether each one works here
    Devices(DevicesArgs),
    /// Hold every backend and device here against the reference and against each other
    Parity(ParityArgs),
    /// Measure how long a step takes, on one backend or on two in turns
    Bench(BenchArgs),
    /// List the recipes, or print one, to be changed and passed as a file
    Recipes(RecipesArgs),
    /// Measure the spectrum of pictures, for recipes of the kind maco
    Spectrum(SpectrumArgs),
    /// Print a picture in the terminal
    Show(ShowArgs),
    /// Print the script that completes trepang's commands and flags in a shell
    Completions(CompletionsArgs),
    /// Print the manual page, with all subcommands, in the format of man(1)
    Man,
}

/// Which network, and what computes it.
#[derive(Debug, Clone, Default, Args)]
pub struct ComputeArgs {
    /// The network: minivgg, or a set of weights that `trepang pull --list` names [default: minivgg, which is built in]
    #[arg(long, value_name = "NAME")]
    pub network: Option<String>,
    /// A file with other weights for that network: Keras's HDF5, PyTorch's .pth or safetensors
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// What computes: a name that `trepang devices` lists [default: the one that has the device]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
    /// Where it computes; auto is the first GPU, or else the CPU. Without --backend, auto is the first GPU of any backend,
    /// and another device is that of the first backend that has it [default: auto]
    #[arg(long, value_name = "cpu|cuda[:I]|metal|mps|auto")]
    pub device: Option<String>,
    /// How many threads compute [default: one for each core]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// `trepang`
#[derive(Debug, Clone, Args)]
pub struct DashboardArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub compute: ComputeArgs,
    /// The layer to start at [default: one worth a first look]
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
    /// The channel to start with [default: one worth a first look, or 0 of the layer given]
    #[arg(long, value_name = "C", allow_negative_numbers = true, value_parser = parse_channel)]
    pub channel: Option<usize>,
    /// How pictures are made: see `trepang render --help`
    #[arg(long, value_name = "NAME|FILE.toml", default_value = "lucid")]
    pub recipe: String,
    /// Change a number of the recipe, as in `trepang render`
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_setting)]
    pub set: Vec<(String, String)>,
    /// How pictures reach the terminal; auto asks it
    #[arg(long, value_enum, default_value_t)]
    pub image_protocol: ImageProtocol,
    /// Where runs are kept [default: ~/.local/share/trepang/runs]
    #[arg(long, value_name = "DIR")]
    pub runs: Option<PathBuf>,
}

/// How a picture reaches the terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ImageProtocol {
    /// Ask the terminal what it can do
    #[default]
    Auto,
    /// kitty's graphics protocol, with Unicode placeholders
    Kitty,
    /// DEC's sixels
    Sixel,
    /// iTerm2's inline images
    Iterm2,
    /// Two pixels a character cell, in any terminal with colours
    Halfblocks,
    /// No picture
    None,
}

/// `trepang render`
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
    /// --output is a folder, and the pictures are LAYER/CHANNEL.png in it
    #[arg(long, value_name = "C", requires = "layer", allow_hyphen_values = true)]
    pub channel: Option<Channels>,
    /// Raise one number: channel, row, column
    #[arg(long, value_name = "C,Y,X", requires = "layer", allow_hyphen_values = true, value_parser = parse_neuron)]
    pub neuron: Option<[usize; 3]>,
    /// Raise a class: its index, its WordNet id or its name
    #[arg(long, value_name = "CLASS")]
    pub logit: Option<String>,
    /// The text form of an objective to raise
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help = objective_help())]
    pub objective: Option<String>,
    /// How pictures are made: the name of a recipe (`trepang recipes` lists them) or a TOML file [default: lucid]
    #[arg(long, value_name = "NAME|FILE.toml", conflicts_with_all = ["from", "resume"])]
    pub recipe: Option<String>,
    /// Change a number of the recipe: optimizer.rate=0.1, views=4; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_setting, conflicts_with_all = ["from", "resume"])]
    pub set: Vec<(String, String)>,
    /// How many steps [default: the recipe's]
    #[arg(long, value_name = "S", conflicts_with = "from", value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: Option<u32>,
    /// The side of the picture in pixels [default: the start picture's, or the network's own]
    #[arg(long, value_name = "PX", conflicts_with_all = ["from", "resume"])]
    pub size: Option<usize>,
    /// The seed of all randomness
    #[arg(long, value_name = "K", default_value_t = 0, conflicts_with_all = ["from", "resume"])]
    pub seed: u64,
    /// Make each picture from so many seeds, --seed and those after it, and tell mean and spread
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with_all = ["from", "resume"], value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub seeds: u16,
    /// The start picture: noise, gray, or a PNG or JPEG, of which the middle square is taken [default: noise]
    #[arg(long, value_name = "noise|gray|FILE", conflicts_with = "resume")]
    pub init: Option<String>,
    /// Make the picture again that this PNG of trepang's shows
    #[arg(long, value_name = "PNG")]
    pub from: Option<PathBuf>,
    /// Go on with a run that was interrupted, or beyond its end with --steps
    #[arg(long, value_name = "RUN")]
    pub resume: Option<PathBuf>,
    /// Where the picture goes; of several, the folder they go into
    #[arg(short, long, value_name = "OUT.png|DIR")]
    pub output: PathBuf,
    /// Where a sheet of all pictures with their names goes
    #[arg(long, value_name = "FILE.png")]
    pub sheet: Option<PathBuf>,
    /// Where the growth of the picture goes: a GIF, or with .png or .apng an animated PNG
    #[arg(long, value_name = "FILE.gif|FILE.png")]
    pub gif: Option<PathBuf>,
    /// Where the loss of every step goes
    #[arg(long, value_name = "OUT.csv")]
    pub losses: Option<PathBuf>,
    /// Where the run's folder goes [default: ~/.local/share/trepang/runs]; with --resume, it stays where it is
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub runs: Option<PathBuf>,
    /// Print one JSON object a line: every step, then what came of it
    #[arg(long)]
    pub json: bool,
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

/// `trepang predict`
#[derive(Debug, Clone, Args)]
pub struct PredictArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub compute: ComputeArgs,
    /// The pictures: PNG or JPEG
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<PathBuf>,
    /// How many classes to tell, those with the highest logits
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub top: u16,
    /// Take pictures as they are, which must have a size that the network takes; otherwise the shorter side is resized
    /// to 8/7 of the network's size and the middle cut out
    #[arg(long)]
    pub exact: bool,
    /// Print one JSON object a line for each picture
    #[arg(long)]
    pub json: bool,
}

/// `trepang pull`
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is typed or not")]
pub struct PullArgs {
    /// Which weights: see --list. `vgg19` is Keras's, without its classifier; `vgg19+top` has it
    #[arg(value_name = "NAME", required_unless_present_any = ["list", "verify"])]
    pub names: Vec<String>,
    /// Import this file, which was fetched by hand, instead of downloading
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Fetch from here: the address that takes the place of the file's host
    #[arg(long, value_name = "URL")]
    pub mirror: Option<String>,
    /// Use no network: only files, and the caches of Keras, PyTorch and the hub
    #[arg(long, conflicts_with = "mirror")]
    pub offline: bool,
    /// Read what has been pulled from end to end (all of it, if nothing is named) and fetch again what is damaged
    #[arg(long)]
    pub verify: bool,
    /// List every set of weights, with its size, licence and where it is
    #[arg(long, conflicts_with_all = ["names", "from", "verify"])]
    pub list: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `trepang info`
#[derive(Debug, Clone, Args)]
pub struct InfoArgs {
    /// A weights file, or the name of a network or set of weights
    #[arg(value_name = "NAME|FILE")]
    pub what: String,
    /// Print JSON, with every tensor
    #[arg(long)]
    pub json: bool,
}

/// `trepang networks`
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `trepang devices`
#[derive(Debug, Clone, Args)]
pub struct DevicesArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// How many threads compute [default: one for each core]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// `trepang parity`
///
/// First every operation, forward and backward, on tiny networks: against the naive reference, against finite
/// differences, against stated rules. Then whole networks, each backend and device against each other one: the
/// activation at every layer, a pull-back, and the losses of 20 steps of every recipe. The exit code is 1 when a
/// difference is larger than its tolerance.
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment)]
pub struct ParityArgs {
    /// Only this network: with its own weights if they are here, or else with made-up ones [default: every network,
    /// which takes minutes]
    #[arg(long, value_name = "NAME")]
    pub network: Option<String>,
    /// A file with other weights for that network
    #[arg(long, value_name = "FILE", requires = "network")]
    pub weights: Option<PathBuf>,
    /// How many threads compute [default: one for each core]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Print one JSON object, at the end
    #[arg(long)]
    pub json: bool,
}

/// `trepang bench`
#[derive(Debug, Clone, Args)]
pub struct BenchArgs {
    /// The network: minivgg, or a set of weights; made-up weights if it has not been pulled [default: minivgg]
    #[arg(long, value_name = "N")]
    pub network: Option<String>,
    /// How deep a step goes [default: the deepest layer with more than one position]
    #[arg(long, value_name = "L")]
    pub layer: Option<String>,
    /// The side of the images in pixels [default: the network's own]
    #[arg(long, value_name = "PX")]
    pub size: Option<usize>,
    /// Images at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub batch: u16,
    /// What is measured [default: the backend that computes where none is named]
    #[arg(long, value_name = "A")]
    pub backend: Option<String>,
    /// What it is measured against, in turns
    #[arg(long, value_name = "B")]
    pub vs: Option<String>,
    /// How many turns each takes
    #[arg(long, value_name = "R", default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..))]
    pub rounds: u16,
    /// How many threads compute [default: one for each core]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Take made-up weights even where the network's own are here: a step takes as long
    #[arg(long)]
    pub random_weights: bool,
    /// Also tell each layer's share: the time up to it less the time up to the one before
    #[arg(long)]
    pub per_layer: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Set by the program itself, for the processes that compute
    #[arg(long, hide = true, value_name = "JSON")]
    pub worker: Option<String>,
}

/// `trepang recipes`
#[derive(Debug, Clone, Args)]
pub struct RecipesArgs {
    /// Print this one's text
    #[arg(long, value_name = "NAME")]
    pub show: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `trepang spectrum`
///
/// Prints the mean magnitude of the pictures' Fourier transforms by frequency, for each of three decorrelated colours, as
/// the TOML table that a recipe of the kind maco can have: append it to one.
#[derive(Debug, Clone, Args)]
pub struct SpectrumArgs {
    /// A folder of PNGs and JPEGs, and of folders of them
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// The side in pixels to look at pictures at
    #[arg(long, value_name = "PX", default_value_t = 64, value_parser = clap::value_parser!(u16).range(8..=2048))]
    pub size: u16,
    /// Where the table goes [default: stdout]
    #[arg(short, long, value_name = "FILE.toml")]
    pub output: Option<PathBuf>,
}

/// `trepang show`
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The picture: PNG or JPEG
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `trepang completions`
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell that will read the script
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

fn parse_channel(text: &str) -> Result<usize, String> {
    text.trim().parse().map_err(|_| "a whole number is needed; channels are counted from 0".into())
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    let (key, value) =
        text.split_once('=').ok_or("a key and a value are needed, as in optimizer.rate=0.1")?;
    Ok((key.trim().into(), value.trim().into()))
}

fn parse_neuron(text: &str) -> Result<[usize; 3], String> {
    let numbers: Option<Vec<usize>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    numbers.and_then(|numbers| <[usize; 3]>::try_from(numbers).ok()).ok_or_else(|| {
        "three numbers are needed, each counted from 0: channel, row, column, as in 7,0,3".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn a_neuron_is_three_numbers() {
        assert_eq!(parse_neuron("7,0, 3"), Ok([7, 0, 3]));
        for text in ["7", "7,0", "7,0,3,1", "a,b,c", "-1,0,0"] {
            assert!(parse_neuron(text).is_err(), "{text}");
        }
    }
}
