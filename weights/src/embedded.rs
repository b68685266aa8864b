//! The network inside the binary, so that Trepang runs with no file beside it.

use std::path::Path;

use trepang_api::networks;

use crate::catalog::first_look;
use crate::{Architecture, Labels, Origin, Result, Trained, read_safetensors};

/// `minivgg.safetensors`: f16, 2.97 MB. What it is and what it was trained on is in [`MINIVGG_CARD`].
const WEIGHTS: &[u8] = include_bytes!("../minivgg/minivgg.safetensors");

/// Its 64 classes.
const LABELS: &str = include_str!("../minivgg/labels.tsv");

/// Its model card.
pub const MINIVGG_CARD: &str = include_str!("../minivgg/README.md");

/// Millions of bytes of its file, for people.
pub fn embedded_megabytes() -> u32 {
    (WEIGHTS.len() as f64 / 1e6).round() as u32
}

/// The bytes of its file.
pub(crate) fn embedded_bytes() -> &'static [u8] {
    WEIGHTS
}

/// The embedded network, ready to load.
pub fn minivgg() -> Result<Trained> {
    let network = networks::minivgg()?;
    let weights = read_safetensors(WEIGHTS, Path::new("the embedded minivgg"))?;
    weights.check(&network)?;
    Ok(Trained {
        name: Architecture::Minivgg.name().into(),
        network,
        weights,
        labels: Labels::parse(LABELS)?,
        first_look: first_look(Architecture::Minivgg),
        origin: Origin::Embedded,
    })
}
