//! The evaluation of a finished run: the scores of the saved picture and of the picture that the run began with, and how
//! much of each is saturated.

use trepang_api::{Model, Network};

use crate::engine::{Ascent, Evaluator, Picture, Pictures, Result, Score};

/// One picture's score and saturation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PictureEvaluation {
    /// The objective on the picture, alone and under transforms.
    pub score: Score,
    /// The share of the picture's values at 0 or 255.
    pub saturated: f64,
}

/// The evaluation of the saved picture, and of the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// Of the saved picture.
    pub saved: PictureEvaluation,
    /// Of the picture that the run began with; none where that was a file that has gone since.
    pub start: Option<PictureEvaluation>,
}

/// An evaluator of `picture` for the objective that `ascent` ended with.
pub(super) fn evaluator(
    ascent: &Ascent,
    picture: &Picture,
    network: &Network,
    pictures: &Pictures,
) -> Result<Evaluator> {
    let (objective, images) = (ascent.plan().last_objective(), ascent.recipe().images);
    Evaluator::new(objective, network, [picture.height, images], pictures)
}

pub(super) fn evaluate(
    ascent: &Ascent,
    (saved, start): (&Picture, Option<&Picture>),
    network: &Network,
    pictures: &Pictures,
    model: &mut dyn Model,
) -> Result<Evaluation> {
    let mut of = |picture: &Picture| -> Result<PictureEvaluation> {
        let score = evaluator(ascent, picture, network, pictures)?.score(picture, model)?;
        Ok(PictureEvaluation { score, saturated: picture.saturated() })
    };
    Ok(Evaluation { saved: of(saved)?, start: start.map(of).transpose()? })
}
