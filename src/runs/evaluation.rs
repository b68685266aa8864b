//! The evaluation of a finished run: the scores of the saved picture and of the picture that the run began with, and how
//! much of each is saturated.

use trepang_api::{Model, Network};

use crate::engine::{Ascent, Evaluator, Picture, PictureSize, Pictures, Result, Score, score_together};

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
    let size = PictureSize { width: picture.width / images.max(1), height: picture.height };
    Evaluator::new(objective, network, (size, images), pictures)
}

/// The evaluation of `picture` for the objective that each ascent ended with; none if `should_stop` says so on the way.
pub(super) fn evaluate(
    ascents: &[(&Ascent, &Pictures)],
    picture: &Picture,
    network: &Network,
    model: &mut dyn Model,
    should_stop: &dyn Fn() -> bool,
) -> Result<Option<Vec<PictureEvaluation>>> {
    let evaluators = ascents.iter().map(|(ascent, pictures)| evaluator(ascent, picture, network, pictures));
    let evaluators = evaluators.collect::<Result<Vec<_>>>()?;
    let scores = score_together(&evaluators, picture, model, should_stop)?;
    let saturated = picture.saturated();
    let of = |score| PictureEvaluation { score, saturated };
    Ok(scores.map(|scores| scores.into_iter().map(of).collect()))
}

/// The evaluation of the picture that each ascent began with, in as few calls of the model as they allow; none for one
/// whose picture was a file that has gone since. None of all if `should_stop` says so on the way.
pub(super) fn evaluate_starts(
    ascents: &[(&Ascent, &Pictures)],
    network: &Network,
    model: &mut dyn Model,
    should_stop: &dyn Fn() -> bool,
) -> Result<Option<Vec<Option<PictureEvaluation>>>> {
    let start = |(ascent, pictures): &(&Ascent, &Pictures)| {
        Ascent::start_picture(ascent.plan(), network, pictures).ok()
    };
    let starts: Vec<Option<Picture>> = ascents.iter().map(start).collect();
    let mut found: Vec<Option<PictureEvaluation>> = vec![None; ascents.len()];
    for (first, picture) in starts.iter().enumerate() {
        let (Some(picture), None) = (picture, found[first]) else { continue };
        let alike: Vec<usize> =
            (first..starts.len()).filter(|&index| starts[index].as_ref() == Some(picture)).collect();
        let group: Vec<_> = alike.iter().map(|&index| ascents[index]).collect();
        let Some(evaluations) = evaluate(&group, picture, network, model, should_stop)? else {
            return Ok(None);
        };
        alike.into_iter().zip(evaluations).for_each(|(index, evaluation)| found[index] = Some(evaluation));
    }
    Ok(Some(found))
}
