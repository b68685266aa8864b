//! The flags of `trepang lab map` and their help.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::framing::FramingArgs;
use super::{ComputeArgs, ImageProtocol};

/// `trepang lab map`
///
/// Shows over a picture where in it the network sees a class, or where a channel answers. What speaks for it is warm, what
/// speaks against it is blue, and the rest is the picture in gray.
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment)]
pub struct MapArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub compute: ComputeArgs,
    /// The picture: PNG, JPEG, WebP, TIFF, BMP or GIF
    #[arg(value_name = "PICTURE")]
    pub picture: PathBuf,
    /// The map: hirescam, gradcam (both of a layer), saliency, smoothgrad or occlusion (of pixels), or channel
    /// [default: hirescam, or channel with --channel]
    #[arg(long, value_enum, value_name = "METHOD", hide_possible_values = true)]
    pub method: Option<MethodFlag>,
    /// The layer of hirescam, gradcam and channel [default: the last one before the classes that still has positions]
    #[arg(long, value_name = "LAYER")]
    pub layer: Option<String>,
    /// The class: its index, its WordNet id or its name [default: the picture's first class]
    #[arg(long, value_name = "CLASS", allow_hyphen_values = true, conflicts_with = "channel")]
    pub class: Option<String>,
    /// The channel that is shown instead of a class
    #[arg(long, value_name = "C")]
    pub channel: Option<usize>,
    /// Compute the map with the weights of each layer in a random order too, and say how alike the two are: a map that
    /// stays the same does not come from what the network has learned
    #[arg(long)]
    pub randomised: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub framing: FramingArgs,
    /// The random seed of the noise of smoothgrad, and of --randomised
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub shown: ShownArgs,
}

/// The flags that say where a map goes.
#[derive(Debug, Clone, Args)]
pub struct ShownArgs {
    /// Write the map over the picture to a file, instead of showing it in the terminal
    #[arg(short, long, value_name = "OUT.png")]
    pub output: Option<PathBuf>,
    /// The protocol that shows it in the terminal; auto asks the terminal
    #[arg(long, value_enum, default_value_t)]
    pub image_protocol: ImageProtocol,
    /// Print JSON, one object, with the map's numbers
    #[arg(long)]
    pub json: bool,
}

/// A way to compute a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MethodFlag {
    /// Gradient times activation at each position of a layer
    Hirescam,
    /// Activations, each channel weighted by its mean gradient
    Gradcam,
    /// One channel's activation
    Channel,
    /// The gradient of each pixel
    Saliency,
    /// The gradient of each pixel, as a mean over noisy copies
    Smoothgrad,
    /// The part of the logit that is lost when a patch is covered
    Occlusion,
}

impl MethodFlag {
    /// The name that it is typed by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hirescam => "hirescam",
            Self::Gradcam => "gradcam",
            Self::Channel => "channel",
            Self::Saliency => "saliency",
            Self::Smoothgrad => "smoothgrad",
            Self::Occlusion => "occlusion",
        }
    }
}
