//! What a finished run came to: the scores of the saved picture and of the picture that the run began with, and how much of
//! each is saturated.

use anyhow::Result;
use trepang_api::{Model, Network};

use crate::engine::{Ascent, Evaluator, Picture, Pictures, Score};

/// One picture's score and saturation.
#[derive(Debug, Clone, Copy)]
pub(super) struct PictureEvaluation {
    pub(super) score: Score,
    /// The share of the picture's values at 0 or 255.
    pub(super) saturated: f64,
}

/// The evaluation of the saved picture, and of the start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evaluation {
    pub(super) saved: PictureEvaluation,
    /// None where the start is a file that has gone since.
    pub(super) start: Option<PictureEvaluation>,
}

/// Evaluates the objective that the run ended with on the saved picture and on the start.
pub(super) fn evaluate(
    ascent: &Ascent,
    network: &Network,
    pictures: &Pictures,
    (saved, start): (&Picture, Option<&Picture>),
    model: &mut dyn Model,
) -> Result<Evaluation> {
    let (objective, images) = (ascent.plan().last_objective(), ascent.recipe().images);
    let mut of = |picture: &Picture| -> Result<PictureEvaluation> {
        let mut evaluator = Evaluator::new(objective, network, [picture.height, images], pictures)?;
        let score = evaluator.score(picture, model)?;
        Ok(PictureEvaluation { score, saturated: picture.saturated() })
    };
    Ok(Evaluation { saved: of(saved)?, start: start.map(of).transpose()? })
}
