//! How well a saved picture holds what it was made for: the objective on the picture as it is, and on many views of it.

use trepang_api::{Array, Model, Network};

use super::bound::{Bound, Look};
use super::leaf::Layout;
use super::recipe::Recipe;
use super::resample::{Square, resize};
use super::transform::{Moment, Views};
use super::{Error, Objective, Picture, Pictures, Result};

/// How many views the mean is over.
pub const ROBUST_VIEWS: usize = 32;

/// Views in one call of the network: a compromise between speed and memory.
const AT_ONCE: usize = 8;

/// All pictures are looked at through the same views, whatever made them.
const SEED: u64 = 0;

/// Measures an objective on pictures.
#[derive(Debug)]
pub struct Robustness {
    bound: Bound,
    side: usize,
    images: usize,
    views: Views,
    references: Vec<(String, Vec<f32>)>,
    done: Vec<f64>,
}

impl Robustness {
    /// Of `objective` on pictures of `side` pixels, `images` side by side; views are those of the recipe `lucid`. Pictures
    /// that the network does not take at their size are looked at in its own. Fails when the objective does not fit.
    pub fn new(
        objective: &Objective,
        network: &Network,
        [side, images]: [usize; 2],
        pictures: &Pictures,
    ) -> Result<Self> {
        let native = network.input().native;
        let fitting = network.check_size(side).ok().and_then(|()| objective.bind(network, side).ok());
        let (bound, side) = match fitting {
            Some(bound) => (bound, side),
            None => (objective.bind(network, native)?, native),
        };
        let lucid = Recipe::named("lucid").map(|recipe| recipe.transforms).unwrap_or_default();
        let moment = Moment { seed: SEED, step: 0, progress: 0.0 };
        let views = Views::draw(&lucid, ROBUST_VIEWS, [side, side], moment);
        let missing = |file: &str| Error::State(format!("the picture {file} was not read"));
        let reference = |file: &String| {
            let picture = pictures.get(file).ok_or_else(|| missing(file))?;
            Ok((file.clone(), picture.square(side)))
        };
        let references = bound.pictures().iter().map(reference).collect::<Result<_>>()?;
        Ok(Self { bound, side, images, views, references, done: Vec::new() })
    }

    /// The objective on the picture as any viewer would load it: RGB bytes over 255.
    pub fn clean(&self, picture: &Picture, model: &mut dyn Model) -> Result<f64> {
        let moment = Moment { seed: SEED, step: 0, progress: 0.0 };
        self.evaluate(picture, &Views::draw(&[], 1, [self.side; 2], moment), model)
    }

    /// The mean over all views.
    pub fn robust(&mut self, picture: &Picture, model: &mut dyn Model) -> Result<f64> {
        loop {
            if let Some(mean) = self.go_on(picture, model)? {
                return Ok(mean);
            }
        }
    }

    /// Looks at a few more views; the mean once all have been looked at. For who has other things to do in between.
    pub fn go_on(&mut self, picture: &Picture, model: &mut dyn Model) -> Result<Option<f64>> {
        let seen = self.done.len() * AT_ONCE;
        if seen < ROBUST_VIEWS {
            let mut some = self.views.clone();
            some.draws = self.views.draws[seen..(seen + AT_ONCE).min(ROBUST_VIEWS)].to_vec();
            let mean = self.evaluate(picture, &some, model)?;
            self.done.push(mean);
        }
        let all = self.done.len() * AT_ONCE >= ROBUST_VIEWS;
        Ok(all
            .then(|| std::mem::take(&mut self.done))
            .map(|means| means.iter().sum::<f64>() / means.len() as f64))
    }

    fn evaluate(&self, picture: &Picture, views: &Views, model: &mut dyn Model) -> Result<f64> {
        let planes = picture.planes();
        let from = Square { side: picture.height, planes: 3 };
        let mut images = Vec::new();
        for image in 0..self.images {
            let rows = planes.chunks_exact(picture.width).map(|row| &row[image * from.side..][..from.side]);
            images.extend(resize(&rows.collect::<Vec<_>>().concat(), from, self.side));
        }
        let images = Array::new([self.images, 3, self.side, self.side], images)?;
        let of = |(_, planes): &(String, Vec<f32>)| {
            let image = Array::new([1, 3, self.side, self.side], planes.clone())?;
            Ok(model.activations(&views.show(&image), self.bound.at())?)
        };
        let references = self.references.iter().map(of).collect::<Result<Vec<_>>>()?;
        let layout = Layout { images: self.images, views: views.draws.len() };
        Look { bound: &self.bound, views: &views.show(&images), layout, references: &references }
            .evaluate(model)
    }
}
