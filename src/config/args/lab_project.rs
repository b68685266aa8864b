//! The flags of `trepang lab project` and their help.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::framing::FramingArgs;
use super::lab_indexed::IndexedArgs;
use super::{ComputeArgs, ImageProtocol};

/// `trepang lab project`
///
/// Draws the photographs of an index as points in the plane, and pictures among them: by PCA, where a picture's place is exact, or by
/// t-SNE, fitted on photographs alone, with pictures placed afterwards. Beside the pictures stand baselines, which say
/// how much of a place comes from anything: noise, and the picture's own spectrum with random phases. A CSV file with
/// every number is written beside each figure.
#[derive(Debug, Clone, Args)]
#[command(verbatim_doc_comment)]
pub struct ProjectArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub compute: ComputeArgs,
    /// Pictures to draw among the photographs: PNG, JPEG, WebP, TIFF, BMP or GIF
    #[arg(value_name = "PICTURE")]
    pub pictures: Vec<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub indexed: IndexedArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub plane: PlaneArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub company: CompanyArgs,
    /// The classes that have a colour and a shape of their own, six at most: labels of the data set, or WordNet ids or names of
    /// the network's classes [default: those of the photographs nearest to the pictures]
    #[arg(long, value_name = "CLASS,...", value_delimiter = ',')]
    pub classes: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub framing: FramingArgs,
    /// The random seed of the baselines
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub drawn: DrawnArgs,
}

/// The flags that say which plane is drawn.
#[derive(Debug, Clone, Copy, Args)]
pub struct PlaneArgs {
    /// The plane: the two directions in which photographs differ most, or t-SNE's
    #[arg(long, value_enum, value_name = "pca|tsne", hide_possible_values = true, default_value_t)]
    pub method: PlaneFlag,
    /// Take channel means as they are. Without it each picture's are brought to length 1: an optimised picture's can be
    /// many times as long, and nothing but that would be seen
    #[arg(long)]
    pub raw: bool,
    /// About how many neighbours of a photograph t-SNE keeps near it
    #[arg(long, value_name = "P", default_value_t = 30.0, value_parser = parse_perplexity)]
    pub perplexity: f64,
}

/// The flags that say which pictures stand beside those that are asked about.
#[derive(Debug, Clone, Args)]
pub struct CompanyArgs {
    /// A run, or a picture that carries its recipe: its steps are taken again, and every fifth is drawn, the start first
    #[arg(long, value_name = "RUN|PICTURE")]
    pub trajectory: Option<PathBuf>,
    /// The steps between two points of the trajectory
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub every: u16,
    /// A folder with pictures of other channels, which `trepang render --channel 0..64 -o FOLDER` makes: without those, a
    /// place may be that of every optimised picture
    #[arg(long, value_name = "FOLDER")]
    pub others: Option<PathBuf>,
    /// The number of pictures of each baseline, made from the first picture
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub baselines: u16,
}

/// The flags that say where a figure goes.
#[derive(Debug, Clone, Args)]
pub struct DrawnArgs {
    /// Write the figure as .svg or .png, and a CSV file of the same name beside it; may be given twice. Without it the figure is shown in the
    /// terminal
    #[arg(short, long, value_name = "OUT.svg|OUT.png")]
    pub output: Vec<PathBuf>,
    /// The protocol that shows it in the terminal; auto asks the terminal
    #[arg(long, value_enum, default_value_t)]
    pub image_protocol: ImageProtocol,
    /// Print JSON, one object, with every number
    #[arg(long)]
    pub json: bool,
}

/// The plane of a projection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PlaneFlag {
    /// The first two principal components
    #[default]
    Pca,
    /// The layout of t-SNE
    Tsne,
}

impl PlaneFlag {
    /// The name that it is typed by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pca => "pca",
            Self::Tsne => "tsne",
        }
    }

    /// The name that people write.
    pub fn title(self) -> &'static str {
        match self {
            Self::Pca => "PCA",
            Self::Tsne => "t-SNE",
        }
    }
}

pub(super) fn parse_perplexity(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(perplexity) if (2.0..=1000.0).contains(&perplexity) => Ok(perplexity),
        _ => Err("a perplexity is a number from 2 to 1000, such as 30".into()),
    }
}
