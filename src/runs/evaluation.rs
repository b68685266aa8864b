//! What a picture is worth besides its loss: the objective on the clean saved file and on views of it, how much of it is
//! saturated, and the same for what the run began with.

use trepang_api::{Model, Network};

use crate::engine::{Ascent, Picture, Pictures, Result, Robustness};

/// How well one picture shows an objective.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PictureScore {
    /// The objective on a clean pass of the picture.
    pub clean: f64,
    /// The objective's mean over 32 seeded transforms of the picture.
    pub robust: f64,
    /// Share of the picture's values at 0 or 255.
    pub saturated: f64,
}

/// The scores of a run's saved picture and of the picture that it began with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// The score of the saved picture.
    pub saved: PictureScore,
    /// The score of the start picture; none where it was a file that has gone since.
    pub start: Option<PictureScore>,
}

/// What measures how well `picture` shows the last objective of `ascent`.
pub(super) fn evaluator(
    ascent: &Ascent,
    picture: &Picture,
    network: &Network,
    pictures: &Pictures,
) -> Result<Robustness> {
    let (objective, images) = (ascent.plan().last_objective(), ascent.recipe().images);
    Robustness::new(objective, network, [picture.height, images], pictures)
}

pub(super) fn evaluate(
    ascent: &Ascent,
    (saved, start): (&Picture, Option<&Picture>),
    network: &Network,
    pictures: &Pictures,
    model: &mut dyn Model,
) -> Result<Evaluation> {
    let mut score = |picture: &Picture| -> Result<PictureScore> {
        let mut robustness = evaluator(ascent, picture, network, pictures)?;
        let clean = robustness.clean(picture, model)?;
        let robust = robustness.robust(picture, model)?;
        Ok(PictureScore { clean, robust, saturated: picture.saturated() })
    };
    Ok(Evaluation { saved: score(saved)?, start: start.map(score).transpose()? })
}
