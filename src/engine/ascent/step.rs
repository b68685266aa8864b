//! A step: parameters to image, image to views, views through the network and back, one ascent alone or several as one batch.

use trepang_api::{Array, Model, ReluGradient};

use super::{Ascent, StepReport};
use crate::engine::bound::{Look, pull_back_together};
use crate::engine::leaf::Layout;
use crate::engine::optimizer::{deviation, length};
use crate::engine::param::Backdrop;
use crate::engine::recipe::DeadChannel;
use crate::engine::transform::{Moment, Views};
use crate::engine::{Error, Result, Rule};

/// A step on its way: what the network is to see.
struct Pending {
    backdrop: Backdrop,
    /// The side of the images before they were transformed.
    side: usize,
    images: Array,
    views: Views,
    shown: Array,
    layout: Layout,
    references: Vec<Vec<Array>>,
}

/// What came back.
struct Climb {
    value: f64,
    /// dL/d(images)
    gradient: Array,
    dead: bool,
}

/// One step of each ascent, in as few calls of the network as they allow. An ascent whose step fails is left as it was.
pub fn step_together(ascents: &mut [&mut Ascent], model: &mut dyn Model) -> Vec<Result<StepReport>> {
    let prepared: Vec<Result<Pending>> = ascents.iter_mut().map(|ascent| ascent.prepare(model)).collect();
    let mut climbs = {
        let ready = ascents.iter().zip(&prepared);
        let group: Vec<(&Ascent, &Pending)> =
            ready.filter_map(|(ascent, pending)| Some((&**ascent, pending.as_ref().ok()?))).collect();
        climb(&group, model).into_iter()
    };
    let accepted = ascents.iter_mut().zip(prepared).map(|(ascent, pending)| {
        let pending = pending?;
        let climb = climbs.next().unwrap_or_else(|| Err(Error::State("a step was lost".into())))?;
        ascent.accept(&pending, climb)
    });
    accepted.collect()
}

/// The gradients of a group: of all at once where they fit together, and then again, redirected, of those whose gradient is
/// flat somewhere.
fn climb(group: &[(&Ascent, &Pending)], model: &mut dyn Model) -> Vec<Result<Climb>> {
    let plain = pull_back(group, ReluGradient::True, model);
    let each = group.iter().zip(plain).map(|((ascent, pending), found)| {
        let (value, gradient) = found?;
        let mut climb = Climb { value, gradient: pending.pull_back(&gradient), dead: false };
        if ascent.recipe().dead == DeadChannel::Redirect && !flat_images(&climb.gradient).is_empty() {
            let redirected = pull_back(&[(*ascent, *pending)], ReluGradient::Redirected, model);
            let Some(found) = redirected.into_iter().next() else { return Ok(climb) };
            let way_out = pending.pull_back(&found?.1);
            for image in flat_images(&climb.gradient) {
                climb.gradient.item_mut(image).copy_from_slice(way_out.item(image));
            }
            climb.dead = true;
        }
        Ok(climb)
    });
    each.collect()
}

/// Value and gradient of the views of each.
fn pull_back(
    group: &[(&Ascent, &Pending)],
    relu: ReluGradient,
    model: &mut dyn Model,
) -> Vec<Result<(f64, Array)>> {
    let looks: Vec<Look> = group.iter().map(|(ascent, pending)| ascent.look(pending)).collect();
    let together = looks.windows(2).all(|pair| {
        pair[0].bound.goes_with(pair[1].bound) && pair[0].views.shape()[1..] == pair[1].views.shape()[1..]
    });
    if together {
        match pull_back_together(&looks, relu, model) {
            Ok(found) => return found.into_iter().map(Ok).collect(),
            Err(error) if looks.len() < 2 => return vec![Err(error)],
            Err(_) => {} // one by one, so that each has its own error
        }
    }
    let alone = |look: &Look, model: &mut dyn Model| {
        let mut found = pull_back_together(std::slice::from_ref(look), relu, model)?;
        found.pop().ok_or_else(|| Error::State("nothing was computed".into()))
    };
    looks.iter().map(|look| alone(look, model)).collect()
}

/// The images that no gradient reaches.
fn flat_images(gradient: &Array) -> Vec<usize> {
    (0..gradient.shape()[0]).filter(|&n| gradient.item(n).iter().all(|&g| g == 0.0)).collect()
}

impl Pending {
    /// dL/d(images) from dL/d(views).
    fn pull_back(&self, gradient: &Array) -> Array {
        self.views.pull_back(gradient, [self.layout.images, self.side])
    }
}

impl Ascent {
    /// One step of the recipe. On an error the state is what it was before.
    pub fn step(&mut self, model: &mut dyn Model) -> Result<StepReport> {
        let mut result = step_together(&mut [self], model);
        result.pop().unwrap_or_else(|| Err(Error::State("a step was lost".into())))
    }

    fn look<'a>(&'a self, pending: &'a Pending) -> Look<'a> {
        let references = self.references.as_ref().unwrap_or(&pending.references);
        Look { bound: &self.objective, views: &pending.shown, layout: pending.layout, references }
    }

    fn moment(&self) -> Moment {
        let progress = self.step_count() as f64 / self.plan.steps.max(1) as f64;
        Moment { seed: self.plan.seed, step: self.step_count() + 1, progress: progress.min(1.0) }
    }

    fn prepare(&mut self, model: &mut dyn Model) -> Result<Pending> {
        self.enter_octave()?;
        let (moment, recipe) = (self.moment(), self.recipe().clone());
        let backdrop = self.param.backdrop(moment.seed, moment.step);
        let images = self.param.image(&self.state.x, &backdrop)?;
        let sizes = [self.side, self.view];
        let views = match recipe.octaves.is_some() && self.side > self.view {
            true => Views::tiles(sizes, moment),
            false => Views::draw(&recipe.transforms, recipe.views, sizes, moment),
        };
        let layout = Layout { images: recipe.images, views: views.draws.len() };
        let shown = views.show(&images);
        let mut references = Vec::new();
        if !self.objective.pictures().is_empty() && self.references.is_none() {
            let found = self.reference_activations(&views, model)?;
            // Unless views are drawn anew, they are the same in the next step.
            match recipe.transforms.is_empty() && recipe.octaves.is_none() {
                true => self.references = Some(found),
                false => references = found,
            }
        }
        Ok(Pending { backdrop, side: self.side, images, views, shown, layout, references })
    }

    /// Of each reference picture what the network makes of it, seen as the image itself is.
    fn reference_activations(&self, views: &Views, model: &mut dyn Model) -> Result<Vec<Vec<Array>>> {
        let of = |file: &String| {
            let picture = self
                .pictures
                .get(file)
                .ok_or_else(|| Error::State(format!("the picture {file} was not read")))?;
            let image = Array::new([1, 3, self.side, self.side], picture.square(self.side))?;
            Ok(model.activations(&views.show(&image), self.objective.at())?)
        };
        self.objective.pictures().iter().map(of).collect()
    }

    /// Moves the parameters. Nothing is changed unless all is well.
    fn accept(&mut self, pending: &Pending, climb: Climb) -> Result<StepReport> {
        let (step, moment) = (self.step_count() + 1, self.moment());
        let recipe = self.recipe().clone();
        if !climb.value.is_finite() {
            return Err(Error::NotFinite { step, what: "a loss" });
        }
        // With an alpha channel the objective counts times 1 - alpha mean(alpha): lucid's recipe for transparency.
        let alpha = if recipe.param.has_alpha() { recipe.param.alpha } else { 0.0 };
        let kept = 1.0 - alpha * if alpha > 0.0 { self.param.mean_alpha(&self.state.x) } else { 0.0 };
        let mut d_images = climb.gradient;
        if alpha > 0.0 {
            d_images.data_mut().iter_mut().for_each(|d| *d *= kept as f32);
        }
        let Pending { backdrop, images, .. } = pending;
        let gradient =
            self.param.pull_back(&self.state.x, backdrop, images, &d_images, -alpha * climb.value)?;
        if gradient.data().iter().any(|g| !g.is_finite()) {
            return Err(Error::NotFinite { step, what: "a gradient" });
        }
        let flat = match recipe.optimizer.kind {
            // g / std(g) would divide by zero.
            Rule::Normalised => deviation(gradient.data()) == 0.0,
            _ => gradient.data().iter().all(|&g| g == 0.0),
        };
        if flat
            && (step == 1 || recipe.dead == DeadChannel::Stop || recipe.optimizer.kind == Rule::Normalised)
        {
            return Err(self.dead(step, recipe.dead));
        }
        let mut x = self.state.x.clone();
        let moments = &mut self.state.moments;
        if !flat {
            recipe.optimizer.step(moment.progress, moments, x.data_mut(), gradient.data());
        }
        if let Some([low, high]) = self.param.bounds() {
            x.data_mut().iter_mut().for_each(|x| *x = x.clamp(low, high));
        }
        self.state.x = x;
        self.state.losses.push(climb.value);
        let dead = climb.dead || flat;
        self.state.dead_steps += usize::from(dead);
        self.apply_changes()?;
        Ok(StepReport { step, loss: climb.value, gradient_norm: length(gradient.data()), dead })
    }

    fn dead(&self, step: usize, policy: DeadChannel) -> Error {
        let way_out = match policy {
            DeadChannel::Stop => ", the layer's ':pre' form, or the recipe 'pixel', which finds a way out",
            DeadChannel::Redirect => " (the ReLUs' redirected gradient is just as flat)",
        };
        Error::Dead { objective: self.plan.at(step - 1).0.clone(), step, way_out }
    }
}
