//! The network inside the binary, so that Trepang runs with no file beside it.

use std::path::Path;

use trepang_api::networks;

use crate::{Labels, Result, Trained, read_safetensors};

/// `minivgg.safetensors`: f16, 2.97 MB. What it is and what it was trained on is in [`MINIVGG_CARD`].
const WEIGHTS: &[u8] = include_bytes!("../minivgg/minivgg.safetensors");

/// Its 64 classes.
const LABELS: &str = include_str!("../minivgg/labels.tsv");

/// Its model card.
pub const MINIVGG_CARD: &str = include_str!("../minivgg/README.md");

/// The embedded network, ready to load.
pub fn minivgg() -> Result<Trained> {
    let network = networks::minivgg()?;
    let weights = read_safetensors(WEIGHTS, Path::new("the embedded minivgg"))?;
    weights.check(&network)?;
    Ok(Trained {
        network,
        weights,
        labels: Labels::parse(LABELS)?,
        first_look: ("block5_conv2", 30), // mushrooms, unmistakably
        source: WEIGHTS.into(),
    })
}
