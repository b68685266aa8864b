//! What a picture is worth besides its loss: the objective on the clean saved file and on views of it, how much of it is
//! saturated, and the same for what the run began with.

use anyhow::Result;
use trepang_api::{Model, Network};

use crate::engine::{Ascent, Picture, Pictures, Robustness};

/// Of one picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worth {
    /// The objective on a clean pass of the picture.
    pub(super) clean: f64,
    /// Its mean over 32 seeded transforms of it.
    pub(super) robust: f64,
    /// Share of its values at 0 or 255.
    pub(super) saturated: f64,
}

/// Of the saved picture, and of the start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Honest {
    pub(super) saved: Worth,
    /// None where the start is a file that has gone since.
    pub(super) start: Option<Worth>,
}

pub(super) fn measure(
    ascent: &Ascent,
    network: &Network,
    pictures: &Pictures,
    (saved, start): (&Picture, Option<&Picture>),
    model: &mut dyn Model,
) -> Result<Honest> {
    let (objective, images) = (ascent.plan().last_objective(), ascent.recipe().images);
    let mut worth = |picture: &Picture| -> Result<Worth> {
        let mut robustness = Robustness::new(objective, network, [picture.height, images], pictures)?;
        let clean = robustness.clean(picture, model)?;
        Ok(Worth { clean, robust: robustness.robust(picture, model)?, saturated: picture.saturated() })
    };
    Ok(Honest { saved: worth(saved)?, start: start.map(worth).transpose()? })
}
