//! The command line's flags and their help. Only the syntax is checked here; `config` looks up names.

mod framing;
mod lab;
mod lab_compare;
mod lab_distance;
mod lab_examples;
mod lab_index;
mod lab_indexed;
mod lab_map;
mod lab_means;
mod lab_project;
mod lab_report;
mod lab_seed;
mod lab_subject;
mod parse;
mod render;
mod runs;
mod screen;

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use self::framing::FramingArgs;
pub use self::lab::{AblateArgs, AttributeArgs, BaselineFlag, LabArgs, LabCommand, ReplaceFlag};
pub use self::lab_compare::CompareArgs;
pub use self::lab_distance::DistanceArgs;
pub use self::lab_examples::{ByFlag, ExamplesArgs};
pub use self::lab_index::{IndexArgs, KeptArgs};
pub use self::lab_map::{MapArgs, MethodFlag, ShownArgs};
pub use self::lab_means::MeansArgs;
pub use self::lab_project::{CompanyArgs, DrawnArgs, PlaneArgs, PlaneFlag, ProjectArgs};
pub use self::lab_report::LabReportArgs;
pub use self::lab_seed::SeedArgs;
pub use self::lab_subject::SubjectArgs;
use self::parse::{parse_channel, parse_setting};
pub use self::render::{RenderArgs, ReportArgs};
pub use self::runs::{AttachArgs, RunsArgs};
pub use self::screen::{CharsetFlag, ConfigArgs, ScreenArgs, ThemeFlag};
pub use super::channels::Channels;
pub use super::input::InputFlag;
use crate::backends::BACKENDS;
use crate::engine::AskedSize;

/// The version, the commit that it was built from, where that is known, and the backends in it.
fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let commit = option_env!("TREPANG_COMMIT").map_or_else(String::new, |commit| format!(" ({commit})"));
        let backends: Vec<&str> = BACKENDS.iter().map(|entry| entry.name).collect();
        format!("{}{commit}, backends: {}", env!("CARGO_PKG_VERSION"), backends.join(", "))
    });
    &VERSION
}

/// The values of `--input`.
const INPUTS: &str = "torch|tf|caffe|clip|inceptionv1|unit|255|MEAN/STD[:bgr]|forget";

/// Show what a channel of a convolutional network responds to, live in the terminal.
///
/// Without a subcommand, trepang opens a dashboard: choose a layer and a channel with the arrow keys, and watch gradient
/// ascent find a picture that raises it. Press ? for the keys. If stdout is not a terminal, the same ascent runs and prints
/// progress lines.
#[derive(Debug, Parser)]
#[command(version = version(), args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// The flags of the dashboard.
    #[command(flatten)]
    pub dashboard: DashboardArgs,
    /// The subcommand; without one, the dashboard opens.
    #[command(subcommand)]
    pub command: Option<CliCommand>,
}

/// The subcommands of `trepang`.
#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// Make pictures without the dashboard
    Render(Box<RenderArgs>),
    /// List the saved runs, the newest first
    Runs(RunsArgs),
    /// Open a dashboard on what another dashboard of yours computes: in a second terminal, or after the line broke
    Attach(AttachArgs),
    /// Classify pictures with a network
    Predict(Box<PredictArgs>),
    /// Say why a network sees a class in a picture: which channels carry it, and what happens without them
    Lab(LabArgs),
    /// Download a network's weights, or import them from a file or another program's cache
    Pull(PullArgs),
    /// Describe a weights file, or a network's own weights
    Info(InfoArgs),
    /// List the networks and their layers, or the layers of one network
    Networks(ListArgs),
    /// List the backends and devices, and whether each one works on this machine
    Devices(DevicesArgs),
    /// Compare every backend and device on this machine with the reference and with each other
    Parity(ParityArgs),
    /// Measure the time of a step, on one backend or on two in turns
    Bench(BenchArgs),
    /// List the recipes, or print one to change it and pass it as a file
    Recipes(RecipesArgs),
    /// Measure the spectrum of pictures, for recipes like maco
    Spectrum(SpectrumArgs),
    /// Print a picture in the terminal
    Show(ShowArgs),
    /// Say where the configuration file is, or every default and where it came from
    Config(ConfigArgs),
    /// Print the script that completes trepang's commands and flags in a shell
    Completions(CompletionsArgs),
    /// Print the manual page, with all subcommands, in the format of man(1)
    Man,
}

/// The flags that choose the network, its weights, and the backend and device that compute it.
#[derive(Debug, Clone, Default, Args)]
pub struct ComputeArgs {
    /// The network: minivgg, a set of weights that `trepang pull --list` names, or an ONNX file of your own [default: minivgg,
    /// which is built in]
    #[arg(long, value_name = "NAME|FILE.onnx")]
    pub network: Option<String>,
    /// A file with other weights for that network: Keras's HDF5, PyTorch's .pth or safetensors
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// The set of weights in that file, if it holds several that fit: a key that `trepang info` lists
    #[arg(long, value_name = "KEY", requires = "weights")]
    pub pick: Option<String>,
    /// The input that the file's network was trained on, which is remembered: a known preprocessing, or three means and
    /// three deviations for R, G, B in 0..1, as in 0.5,0.5,0.5/0.25,0.25,0.25; with :bgr its first kernel takes blue
    /// first; forget drops what is remembered [default: what the names in the file indicate, or the graph of an ONNX file]
    #[arg(long, value_name = INPUTS, allow_hyphen_values = true)]
    pub input: Option<InputFlag>,
    /// A file with the names of the classes: one a line, or a JSON list; or imagenet, for its 1000
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// The backend that computes: a name that `trepang devices` lists [default: the one that has the device]
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
    /// The device that computes; auto is the first GPU, or else the CPU. Without --backend, auto is the first GPU of any
    /// backend, and another device is that of the first backend that has it [default: auto]
    #[arg(long, value_name = "cpu|cuda[:I]|metal|mps|auto")]
    pub device: Option<String>,
    /// The number of compute threads [default: one for each core]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// The flags of the dashboard, `trepang` without a subcommand.
#[derive(Debug, Clone, Args)]
pub struct DashboardArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub compute: ComputeArgs,
    /// The layer to start at [default: where the last dashboard was left, or one chosen for each network]
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
    /// The channel to start with [default: where the last dashboard was left, or one chosen for each network; 0 if a layer is
    /// given]
    #[arg(long, value_name = "C", allow_negative_numbers = true, value_parser = parse_channel)]
    pub channel: Option<usize>,
    /// The recipe that makes the pictures: see `trepang render --help` [default: lucid]
    #[arg(long, value_name = "NAME|FILE.toml")]
    pub recipe: Option<String>,
    /// Change a number of the recipe, as in `trepang render`
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_setting)]
    pub set: Vec<(String, String)>,
    /// The size of the picture in pixels: both sides, or one number for the longer side in the shape of the start picture, without
    /// one for a square [default: the start picture's own size, or the network's]
    #[arg(long, value_name = "PX|WxH")]
    pub size: Option<AskedSize>,
    /// The number of steps [default: the recipe's]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: Option<u32>,
    /// The random seed
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub seed: u64,
    /// The start picture: noise, gray, or a picture file, scaled to --size; what does not fit its shape is cut off at two sides
    /// [default: noise]
    #[arg(long, value_name = "noise|gray|FILE")]
    pub init: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub screen: ScreenArgs,
    /// The folder that runs are saved in [default: ~/.local/share/trepang/runs]
    #[arg(long, value_name = "DIR")]
    pub runs: Option<PathBuf>,
    /// Take over, from stdin, what a dashboard goes on with that was left running
    #[arg(long, hide = true)]
    pub without_screen: bool,
}

/// The protocol that shows pictures in the terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ImageProtocol {
    /// Ask the terminal what it can do
    #[default]
    Auto,
    /// kitty's graphics protocol, with Unicode placeholders
    Kitty,
    /// Sixel graphics, as from DEC's terminals
    Sixel,
    /// iTerm2's inline images
    Iterm2,
    /// Two pixels a character cell, in any terminal with colours
    Halfblocks,
    /// Four pixels a cell in two colours, where the font has quadrants
    Quadrants,
    /// Six pixels a cell in two colours, where the font has sextants (Unicode 13)
    Sextants,
    /// Show no pictures at all
    None,
}

/// The flags of `trepang predict`.
#[derive(Debug, Clone, Args)]
pub struct PredictArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub compute: ComputeArgs,
    /// The pictures: PNG, JPEG, WebP, TIFF, BMP or GIF
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<PathBuf>,
    /// The number of classes to print, those with the highest logits
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub top: u16,
    /// Classify pictures at their own size, which the network must accept; otherwise the shorter side is resized to 8/7 of
    /// the network's size and the middle is cut out
    #[arg(long)]
    pub exact: bool,
    /// Take picture files that end early; what is missing of them is gray
    #[arg(long)]
    pub allow_cut: bool,
    /// Print JSON, one object a line for each picture
    #[arg(long)]
    pub json: bool,
}

/// The flags of `trepang pull`.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is typed or not")]
pub struct PullArgs {
    /// The sets of weights: see --list. `vgg19` is Keras's, without its classifier; `vgg19+top` has it
    #[arg(value_name = "NAME", required_unless_present_any = ["list", "verify"])]
    pub names: Vec<String>,
    /// Import this file, which was downloaded by hand, instead of downloading
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Download from this mirror: the address that replaces the host of the file
    #[arg(long, value_name = "URL")]
    pub mirror: Option<String>,
    /// Use no network, only files and the caches of Keras, PyTorch and the hub
    #[arg(long, conflicts_with = "mirror")]
    pub offline: bool,
    /// Verify the files that have been pulled (all of them, if none is named), and download damaged ones again
    #[arg(long)]
    pub verify: bool,
    /// List every set of weights, with its size, licence and where it is
    #[arg(long, conflicts_with_all = ["names", "from", "verify"])]
    pub list: bool,
    /// Print JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// The flags of `trepang info`.
#[derive(Debug, Clone, Args)]
pub struct InfoArgs {
    /// A weights file, an ONNX file, or the name of a network or set of weights
    #[arg(value_name = "NAME|FILE")]
    pub what: String,
    /// Describe these weights of the file, if it holds several that fit
    #[arg(long, value_name = "KEY")]
    pub pick: Option<String>,
    /// Remember what the file's network was trained to see, or forget it: see `trepang render --help`
    #[arg(long, value_name = INPUTS, allow_hyphen_values = true)]
    pub input: Option<InputFlag>,
    /// Print JSON, with every tensor
    #[arg(long)]
    pub json: bool,
}

/// The flags of `trepang networks`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// The network, a set of weights, or an ONNX file: its layers alone, with their channels and the size of their grid
    #[arg(value_name = "NAME|FILE.onnx")]
    pub name: Option<String>,
    /// Print JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// The flags of `trepang devices`.
#[derive(Debug, Clone, Args)]
pub struct DevicesArgs {
    /// Print JSON instead of text
    #[arg(long)]
    pub json: bool,
    /// The number of compute threads [default: one for each core]
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
    /// Compare only this network, with its own weights if they have been pulled, or else with made-up ones [default: one
    /// of each kind, which takes minutes]
    #[arg(long, value_name = "NAME")]
    pub network: Option<String>,
    /// A file with other weights for that network
    #[arg(long, value_name = "FILE", requires = "network")]
    pub weights: Option<PathBuf>,
    /// The set of weights in that file, if it holds several that fit
    #[arg(long, value_name = "KEY", requires = "weights")]
    pub pick: Option<String>,
    /// The input that the file's network was trained on: see `trepang render --help`
    #[arg(long, value_name = INPUTS, allow_hyphen_values = true)]
    pub input: Option<InputFlag>,
    /// The number of compute threads [default: one for each core]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Print JSON, one object at the end
    #[arg(long)]
    pub json: bool,
}

/// The flags of `trepang bench`.
#[derive(Debug, Clone, Args)]
pub struct BenchArgs {
    /// The network: minivgg, or a set of weights; made-up weights if it has not been pulled [default: minivgg]
    #[arg(long, value_name = "N")]
    pub network: Option<String>,
    /// The layer that a step goes to [default: the deepest layer with more than one position]
    #[arg(long, value_name = "L")]
    pub layer: Option<String>,
    /// The size of the images in pixels: the side of a square, or both sides [default: the network's own]
    #[arg(long, value_name = "PX|WxH")]
    pub size: Option<AskedSize>,
    /// The number of images in a batch
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub batch: u16,
    /// The backend that is measured [default: the one that computes where none is named]
    #[arg(long, value_name = "A")]
    pub backend: Option<String>,
    /// A second backend to measure, in turns with the first
    #[arg(long, value_name = "B")]
    pub vs: Option<String>,
    /// The number of turns of each backend
    #[arg(long, value_name = "R", default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..))]
    pub rounds: u16,
    /// The number of compute threads [default: one for each core]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Use made-up weights even if the network's own have been pulled; a step takes the same time
    #[arg(long)]
    pub random_weights: bool,
    /// Also measure each layer: the time up to it minus the time up to the layer before
    #[arg(long)]
    pub per_layer: bool,
    /// Print JSON: a line for whole steps, then one for the network's
    #[arg(long)]
    pub json: bool,
    /// Set by the program itself for its worker processes
    #[arg(long, hide = true, value_name = "JSON")]
    pub worker: Option<String>,
}

/// The flags of `trepang recipes`.
#[derive(Debug, Clone, Args)]
pub struct RecipesArgs {
    /// Print the text of this recipe
    #[arg(long, value_name = "NAME")]
    pub show: Option<String>,
    /// Print JSON instead of text
    #[arg(long)]
    pub json: bool,
}

/// `trepang spectrum`
///
/// Prints the mean magnitude of the pictures' Fourier transforms by frequency, for each of three decorrelated colours, as
/// the TOML table that a recipe of the kind maco can have: append it to one.
#[derive(Debug, Clone, Args)]
pub struct SpectrumArgs {
    /// A folder with picture files (PNG, JPEG, WebP, TIFF, BMP, GIF), also in folders below it
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// The side in pixels to which pictures are resized
    #[arg(long, value_name = "PX", default_value_t = 64, value_parser = clap::value_parser!(u16).range(8..=2048))]
    pub size: u16,
    /// The file to write the table to, or - [default: stdout]
    #[arg(short, long, value_name = "FILE.toml")]
    pub output: Option<PathBuf>,
    /// Take picture files that end early; what is missing of them is gray
    #[arg(long)]
    pub allow_cut: bool,
}

/// The flags of `trepang show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The picture: PNG, JPEG, WebP, TIFF, BMP or GIF
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The width of the picture in columns of the terminal [default: its own, or what fits]
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub size: Option<u16>,
    /// The protocol that shows it, in a pipe or a file too; auto asks the terminal
    #[arg(long, value_enum, default_value_t)]
    pub image_protocol: ImageProtocol,
    /// Take picture files that end early; what is missing of them is gray
    #[arg(long)]
    pub allow_cut: bool,
}

/// The flags of `trepang completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell that will read the script
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
