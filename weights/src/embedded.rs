//! The network that is embedded in the program, so that Trepang runs without any weights file.

use std::path::Path;

use trepang_api::networks;

use crate::catalog::first_look;
use crate::{Architecture, Labels, Result, Taken, Trained, WeightsOrigin, read_safetensors};

/// The file `minivgg.safetensors`: `f16` tensors, 2.97 MB. [`MINIVGG_CARD`] describes the network and its training data.
const MINIVGG_WEIGHTS: &[u8] = include_bytes!("../minivgg/minivgg.safetensors");

/// The table of minivgg's 64 classes: index, WNID and name.
const MINIVGG_LABELS: &str = include_str!("../minivgg/labels.tsv");

/// The model card of minivgg, in Markdown.
pub const MINIVGG_CARD: &str = include_str!("../minivgg/README.md");

/// The size of minivgg's weights in megabytes (1e6 bytes), rounded for display.
pub fn embedded_megabytes() -> u32 {
    (MINIVGG_WEIGHTS.len() as f64 / 1e6).round() as u32
}

/// The bytes of minivgg's weights file, for its hash.
pub(crate) fn embedded_bytes() -> &'static [u8] {
    MINIVGG_WEIGHTS
}

/// The embedded network with its weights and labels.
pub fn minivgg() -> Result<Trained> {
    let network = networks::minivgg()?;
    let weights = read_safetensors(MINIVGG_WEIGHTS, Path::new("the embedded minivgg"))?;
    weights.check(&network)?;
    Ok(Trained {
        name: Architecture::Minivgg.name().into(),
        network,
        weights,
        labels: Labels::parse(MINIVGG_LABELS)?,
        first_look: (first_look(Architecture::Minivgg).0.into(), first_look(Architecture::Minivgg).1),
        origin: WeightsOrigin::Embedded,
        taken: Taken::default(),
    })
}
