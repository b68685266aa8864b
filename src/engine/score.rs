//! The score of a saved picture: the objective on the picture as it is, and on fixed views of it.

use serde::{Deserialize, Serialize};
use trepang_api::{Array, Model, Network};

use super::bound::{BatchLayout, Bound, ObjectiveInput, evaluate_together};
use super::error::{Error, Result};
use super::fitting::nearest_size;
use super::objective::Objective;
use super::picture::{Picture, Pictures};
use super::size::PictureSize;
use super::transform::{StepContext, Transform, Views};

/// An objective's value on a picture, alone and under transforms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The value on the picture as any viewer would load it: RGB bytes over 255.
    pub clean: f64,
    /// The mean of the values on [`ROBUST_VIEWS`] views of the picture.
    pub robust: f64,
}

impl Score {
    /// Tells whether the picture, however it is seen, leaves the objective at exactly 0.
    pub fn is_zero(&self) -> bool {
        self.clean == 0.0 && self.robust == 0.0
    }
}

/// The number of views of a picture over which `robust` is the mean.
pub const ROBUST_VIEWS: usize = 32;

/// The most pixels of views in one call of the network: those of 8 views of 224 px. More take memory and no less time.
const PIXELS_PER_CALL: usize = 8 * 224 * 224;

/// The number of views of this size in one call of the network. It divides [`ROBUST_VIEWS`].
fn views_per_call(size: impl Into<PictureSize>) -> usize {
    let pixels = size.into().pixels();
    [8, 4, 2].into_iter().find(|views| pixels.saturating_mul(*views) <= PIXELS_PER_CALL).unwrap_or(1)
}

/// The size at which pictures of this size are evaluated, and the number of views in one call of the network.
pub(super) fn seen_at_once(
    objective: &Objective,
    network: &Network,
    size: PictureSize,
) -> Result<(PictureSize, usize)> {
    let (_, size) = bind_near(objective, network, size)?;
    Ok((size, views_per_call(size)))
}

/// The objective bound for pictures of this size; where the network does not take that, for the network's own size in their
/// shape, and where that will not do either, as for many classifiers, for its own square.
fn bind_near(objective: &Objective, network: &Network, size: PictureSize) -> Result<(Bound, PictureSize)> {
    let (native, fits) =
        (network.input().native, |size: PictureSize| network.check_sides(size.height, size.width).is_ok());
    for size in [size, nearest_size(size, native, fits)] {
        if let (true, Ok(bound)) = (fits(size), objective.bind(network, size)) {
            return Ok((bound, size));
        }
    }
    Ok((objective.bind(network, native)?, native.into()))
}

/// The views of all pictures are drawn from this seed, whatever made the picture.
const VIEWS_SEED: u64 = 0;

/// The largest shifts of the views before and after scale and rotation, in pixels.
const JITTERS: [usize; 2] = [8, 4];

/// The gray around the picture, in pixels.
const PADDING: usize = 12;

/// The factors of size.
const SCALES: [f64; 11] = [0.90, 0.92, 0.94, 0.96, 0.98, 1.00, 1.02, 1.04, 1.06, 1.08, 1.10];

/// The angles in degrees; the repeated 0 is lucid's.
const ANGLES: [f64; 26] = [
    -10.0, -9.0, -8.0, -7.0, -6.0, -5.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0,
    9.0, 10.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];

/// The transforms of the views: lucid's `standard_transforms`. They are part of what the number means, so they do not
/// follow the recipe `lucid`, which may change.
fn robust_transforms() -> [Transform; 5] {
    [
        Transform::Pad(PADDING),
        Transform::Jitter(JITTERS[0]),
        Transform::Scale(SCALES.to_vec()),
        Transform::Rotate(ANGLES.to_vec()),
        Transform::Jitter(JITTERS[1]),
    ]
}

/// The views of a picture of this size that `robust` is the mean over.
fn robust_views(size: impl Into<PictureSize>) -> Views {
    Views::draw(&robust_transforms(), ROBUST_VIEWS, [size.into().sides(); 2], CONTEXT)
}

/// Views of pictures belong to no step.
const CONTEXT: StepContext = StepContext { seed: VIEWS_SEED, step: 0, progress: 0.0 };

/// Measures the [`Score`] of pictures.
#[derive(Debug)]
pub struct Evaluator {
    bound: Bound,
    size: PictureSize,
    images: usize,
    views: Views,
    /// The pictures that the objective compares with, as planes of that size.
    references: Vec<Vec<f32>>,
    /// The means of the calls so far.
    done: Vec<f64>,
}

impl Evaluator {
    /// Measures `objective` on pictures of this size, `images` side by side. Pictures that the network does not take at their
    /// size are resized to its own, in their shape where that can be. Fails when the objective does not fit the network, and when a picture that it
    /// compares with is not in `pictures`.
    pub fn new(
        objective: &Objective,
        network: &Network,
        (size, images): (impl Into<PictureSize>, usize),
        pictures: &Pictures,
    ) -> Result<Self> {
        let (bound, size) = bind_near(objective, network, size.into())?;
        let reference = |file: &String| {
            let picture = pictures.get(file).ok_or_else(|| Error::PictureNotRead { file: file.clone() })?;
            Ok(picture.fitted(size))
        };
        let references = bound.pictures().iter().map(reference).collect::<Result<_>>()?;
        Ok(Self { bound, size, images, views: robust_views(size), references, done: Vec::new() })
    }

    /// Evaluates a few more views; returns the score once all have been evaluated. For a caller that has other things to do
    /// in between.
    pub fn advance(&mut self, picture: &Picture, model: &mut dyn Model) -> Result<Option<Score>> {
        let means = evaluate(&[self], picture, &self.some_views(self.done.len()), model)?;
        self.done.extend(means);
        if self.done.len() * views_per_call(self.size) < ROBUST_VIEWS {
            return Ok(None);
        }
        let clean = evaluate(&[self], picture, &self.no_transforms(), model)?;
        let robust = mean(&std::mem::take(&mut self.done));
        Ok(clean.first().map(|clean| Score { clean: *clean, robust }))
    }

    /// The views of the call number `call`.
    fn some_views(&self, call: usize) -> Views {
        let count = views_per_call(self.size);
        let mut some = self.views.clone();
        some.draws = self.views.draws[call * count..][..count].to_vec();
        some
    }

    fn no_transforms(&self) -> Views {
        Views::draw(&[], 1, [self.size.sides(); 2], CONTEXT)
    }

    /// Tells whether both see the same of a picture and read the same layers, so that one call of the model is enough.
    fn goes_with(&self, other: &Self) -> bool {
        (self.size, self.images) == (other.size, other.images)
            && self.bound.goes_with(&other.bound)
            && self.references.is_empty()
            && other.references.is_empty()
    }
}

/// The scores of one picture by several evaluators, in as few calls of the model as they allow; none if `should_stop` says
/// so between two calls.
pub fn score_together(
    evaluators: &[Evaluator],
    picture: &Picture,
    model: &mut dyn Model,
    should_stop: &dyn Fn() -> bool,
) -> Result<Option<Vec<Score>>> {
    let Some(first) = evaluators.first() else { return Ok(Some(Vec::new())) };
    if evaluators.len() > 1 && !evaluators.iter().all(|other| first.goes_with(other)) {
        let alone = |one| {
            Ok(score_together(std::slice::from_ref(one), picture, model, should_stop)?
                .and_then(|mut all| all.pop()))
        };
        return evaluators.iter().map(alone).collect();
    }
    let all: Vec<&Evaluator> = evaluators.iter().collect();
    let mut means = vec![Vec::new(); evaluators.len()];
    for call in 0..ROBUST_VIEWS / views_per_call(first.size) {
        if should_stop() {
            return Ok(None);
        }
        let found = evaluate(&all, picture, &first.some_views(call), model)?;
        means.iter_mut().zip(found).for_each(|(means, mean)| means.push(mean));
    }
    let clean = evaluate(&all, picture, &first.no_transforms(), model)?;
    let scores = clean.into_iter().zip(&means).map(|(clean, means)| Score { clean, robust: mean(means) });
    Ok(Some(scores.collect()))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The objective of each on views of a picture. All go with the first.
fn evaluate(
    evaluators: &[&Evaluator],
    picture: &Picture,
    views: &Views,
    model: &mut dyn Model,
) -> Result<Vec<f64>> {
    let Some(first) = evaluators.first() else { return Ok(Vec::new()) };
    let (count, PictureSize { width, height }) = (first.images, first.size);
    let one = picture.width / count.max(1);
    let images = (0..count).flat_map(|image| picture.columns(image * one, one).fitted(first.size)).collect();
    let images = Array::new([count, 3, height, width], images)?;
    let pool = &*model.pool();
    let views = views.clone().place(first.size.sides(), pool);
    let of = |planes: &Vec<f32>| {
        let image = Array::new([1, 3, height, width], planes.clone())?;
        Ok(model.activations(&views.show(&image, pool), first.bound.at())?)
    };
    let references = first.references.iter().map(of).collect::<Result<Vec<_>>>()?;
    let layout = BatchLayout { images: count, views: views.count() };
    let views = &views.show(&images, pool);
    let input = |bound| ObjectiveInput { bound, views, first: 0, layout, references: &references };
    let inputs: Vec<_> = evaluators.iter().map(|evaluator| input(&evaluator.bound)).collect();
    evaluate_together(&inputs, model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_fewer_views_of_larger_pictures() {
        let calls = [64, 224, 225, 300, 512, 4096].map(views_per_call);
        assert_eq!(calls, [8, 8, 4, 4, 1, 1]);
        assert!(calls.iter().all(|views| ROBUST_VIEWS.is_multiple_of(*views)));
    }

    #[test]
    fn the_views_of_robust_are_those_of_version_0_1_0() {
        let transforms = r#"[{"pad":12},{"jitter":8},{"scale":[0.9,0.92,0.94,0.96,0.98,1.0,1.02,1.04,1.06,1.08,1.1]},{"rotate":[-10.0,-9.0,-8.0,-7.0,-6.0,-5.0,-4.0,-3.0,-2.0,-1.0,0.0,1.0,2.0,3.0,4.0,5.0,6.0,7.0,8.0,9.0,10.0,0.0,0.0,0.0,0.0,0.0]},{"jitter":4}]"#;
        assert_eq!(serde_json::to_string(&robust_transforms()).unwrap(), transforms);
        let before: Vec<Transform> = serde_json::from_str(transforms).unwrap();
        let step = StepContext { seed: 0, step: 0, progress: 0.0 };
        assert_eq!(robust_views(64), Views::draw(&before, 32, [[64; 2]; 2], step));
    }
}
