//! The flags of the dashboard's screen, and of `trepang config`, which says where each value came from.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ImageProtocol;
use crate::engine::AskedSize;

/// The flags that say how the dashboard uses the terminal.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ScreenArgs {
    /// The protocol that shows pictures in the terminal; auto asks the terminal [default: auto]
    #[arg(long, value_enum)]
    pub image_protocol: Option<ImageProtocol>,
    /// The colours of the dashboard; auto asks the terminal whether it is dark or light [default: auto, or terminal if
    /// `NO_COLOR` is set]
    #[arg(long, value_enum)]
    pub theme: Option<ThemeFlag>,
    /// The characters that the dashboard is drawn with [default: unicode]
    #[arg(long, value_enum)]
    pub charset: Option<CharsetFlag>,
    /// The most kB a second that are sent to the terminal while nobody presses a key [default: 58 for pictures of
    /// characters, 290 for others]
    #[arg(long, value_name = "KB", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate_cap: Option<u32>,
    /// Whether the dashboard takes the mouse; otherwise it selects text, which Shift does in most terminals in any case [default: true]
    #[arg(long, value_name = "true|false")]
    pub mouse: Option<bool>,
}

/// The colours of the dashboard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ThemeFlag {
    /// Dark or light, as the terminal says it is
    #[default]
    Auto,
    /// For a dark screen
    Dark,
    /// For a light screen
    Light,
    /// As much contrast as there is
    HighContrast,
    /// Colours that people with any vision of colours tell apart
    #[value(name = "colour-blind", alias = "color-blind")]
    ColorBlind,
    /// The terminal's own foreground, bold and reversed; pictures keep their colours
    Terminal,
}

/// The characters that the dashboard is drawn with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum CharsetFlag {
    /// Lines, arrows and dots of Unicode
    #[default]
    Unicode,
    /// Nothing but ASCII
    Ascii,
}

/// `trepang config`
///
/// The file holds the defaults of flags and the keys of the dashboard. A value comes from the flag, or else from the file, or
/// else from the environment, or else it is the default. What is printed can be kept as the file. With flags, it is
/// what they would come to.
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment)]
pub struct ConfigArgs {
    /// Print every value, and where it came from
    #[arg(long, required_unless_present = "path", conflicts_with = "path")]
    pub print: bool,
    /// Print the path of the file, which need not be there
    #[arg(long)]
    pub path: bool,
    /// The network, in place of the file's
    #[arg(long, value_name = "NAME|FILE.onnx")]
    pub network: Option<String>,
    /// The recipe, in place of the file's
    #[arg(long, value_name = "NAME|FILE.toml")]
    pub recipe: Option<String>,
    /// The size of the picture in pixels: the longer side, or both
    #[arg(long, value_name = "PX|WxH")]
    pub size: Option<AskedSize>,
    /// The number of steps
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: Option<u32>,
    /// The backend that computes
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
    /// The device that computes
    #[arg(long, value_name = "cpu|cuda[:I]|metal|mps|auto")]
    pub device: Option<String>,
    /// The number of compute threads
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// The folder that runs are saved in
    #[arg(long, value_name = "DIR")]
    pub runs: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub screen: ScreenArgs,
}
