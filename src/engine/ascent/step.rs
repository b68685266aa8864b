//! A step: parameters to image, image to views, views through the network and back, one ascent alone or several as one
//! batch. Everything that can fail is computed first; then the ascent is changed.

use trepang_api::{Array, Model, ReluGradient};

use super::{Ascent, References, Stage, StepReport, Transition};
use crate::engine::bound::{BatchLayout, ObjectiveInput, pull_back_together};
use crate::engine::error::{Error, Result};
use crate::engine::optimizer::{Rule, deviation, length};
use crate::engine::param::Backdrop;
use crate::engine::recipe::DeadChannel;
use crate::engine::transform::{StepContext, Views};

/// A step on its way: what the network is to see.
struct Pending {
    /// The octave that the step begins, if it begins one.
    octave: Option<Transition>,
    backdrop: Backdrop,
    images: Array,
    views: Views,
    shown: Array,
    layout: BatchLayout,
    /// The activations of reference pictures, if they were computed for this step.
    references: Option<References>,
}

/// The objective's value and gradient in a step.
struct StepGradient {
    value: f64,
    /// dL/d(images), `[images, 3, side, side]`
    gradient: Array,
    dead: bool,
}

/// One step of each ascent, in as few calls of the network as they allow. An ascent whose step fails is left as it was.
pub fn step_together(ascents: &mut [&mut Ascent], model: &mut dyn Model) -> Vec<Result<StepReport>> {
    let prepared: Vec<Result<Pending>> = ascents.iter().map(|ascent| ascent.prepare(model)).collect();
    let mut gradients = {
        let ready = ascents.iter().zip(&prepared);
        let group: Vec<(&Ascent, &Pending)> =
            ready.filter_map(|(ascent, pending)| Some((&**ascent, pending.as_ref().ok()?))).collect();
        step_gradients(&group, model).into_iter()
    };
    let accepted = ascents.iter_mut().zip(prepared).map(|(ascent, pending)| {
        let pending = pending?;
        let gradient = gradients.next().unwrap_or(Err(Error::MissingGradient))?;
        ascent.accept(pending, &gradient)
    });
    accepted.collect()
}

/// The gradients of a group: of all at once where they fit together, and then again, redirected, of those whose gradient is
/// flat somewhere.
fn step_gradients(group: &[(&Ascent, &Pending)], model: &mut dyn Model) -> Vec<Result<StepGradient>> {
    let plain = pull_back(group, ReluGradient::True, model);
    let each = group.iter().zip(plain).map(|((ascent, pending), found)| {
        let (value, gradient) = found?;
        let mut found = StepGradient { value, gradient: ascent.of_images(pending, &gradient), dead: false };
        let flat = flat_images(&found.gradient);
        if ascent.recipe().dead == DeadChannel::Redirect && !flat.is_empty() {
            let (_, redirected) = ascent.input(pending).pull_back(ReluGradient::Redirected, model)?;
            let way_out = ascent.of_images(pending, &redirected);
            for image in flat {
                found.gradient.item_mut(image).copy_from_slice(way_out.item(image));
            }
            found.dead = true;
        }
        Ok(found)
    });
    each.collect()
}

/// The value of each and the gradient of its views.
fn pull_back(
    group: &[(&Ascent, &Pending)],
    relu: ReluGradient,
    model: &mut dyn Model,
) -> Vec<Result<(f64, Array)>> {
    let inputs: Vec<ObjectiveInput> = group.iter().map(|(ascent, pending)| ascent.input(pending)).collect();
    let together = inputs.windows(2).all(|pair| {
        pair[0].bound.goes_with(pair[1].bound) && pair[0].views.shape()[1..] == pair[1].views.shape()[1..]
    });
    if together && inputs.len() > 1 {
        // After an error one by one, so that each has its own error.
        if let Ok(found) = pull_back_together(&inputs, relu, model) {
            return found.into_iter().map(Ok).collect();
        }
    }
    inputs.iter().map(|input| input.pull_back(relu, model)).collect()
}

/// The images that no gradient reaches.
fn flat_images(gradient: &Array) -> Vec<usize> {
    (0..gradient.shape()[0]).filter(|&n| gradient.item(n).iter().all(|&g| g == 0.0)).collect()
}

/// Whether none of the numbers is a NaN or infinite.
fn are_finite(numbers: &[f32]) -> bool {
    numbers.iter().all(|v| v.is_finite())
}

impl Ascent {
    /// One step of the recipe. On an error the ascent is what it was before.
    pub fn step(&mut self, model: &mut dyn Model) -> Result<StepReport> {
        step_together(&mut [self], model).pop().unwrap_or(Err(Error::MissingGradient))
    }

    /// The stage and the parameters of a pending step: those of the octave that it begins, or the ascent's own.
    fn staged<'a>(&'a self, octave: Option<&'a Transition>) -> (&'a Stage, &'a Array) {
        octave.map_or((&self.stage, &self.state.x), |octave| (&octave.stage, &octave.x))
    }

    fn input<'a>(&'a self, pending: &'a Pending) -> ObjectiveInput<'a> {
        let (stage, _) = self.staged(pending.octave.as_ref());
        let references =
            pending.references.as_ref().or(stage.references.as_ref()).map_or(&[][..], |found| found);
        ObjectiveInput { bound: &stage.objective, views: &pending.shown, layout: pending.layout, references }
    }

    /// dL/d(images) from dL/d(views).
    fn of_images(&self, pending: &Pending, gradient: &Array) -> Array {
        let (stage, _) = self.staged(pending.octave.as_ref());
        pending.views.pull_back(gradient, [pending.layout.images, stage.side])
    }

    fn context(&self) -> StepContext {
        let meant = self.plan.meant_steps(self.step_count()).max(1);
        let progress = self.step_count() as f64 / meant as f64;
        StepContext { seed: self.plan.seed, step: self.step_count() + 1, progress: progress.min(1.0) }
    }

    /// The network's input in the next step.
    fn prepare(&self, model: &mut dyn Model) -> Result<Pending> {
        let octave = self.next_octave()?;
        let (stage, x) = self.staged(octave.as_ref());
        let (context, recipe) = (self.context(), self.recipe());
        let backdrop = stage.param.backdrop(context.seed, context.step);
        let images = stage.param.image(x, &backdrop)?;
        let sizes = [stage.side, stage.view];
        let views = if recipe.octaves.is_some() && stage.side > stage.view {
            Views::tiles(sizes, context)
        } else {
            Views::draw(&recipe.transforms, recipe.views, sizes, context)
        };
        let layout = BatchLayout { images: recipe.images, views: views.draws.len() };
        let shown = views.show(&images);
        let needed = !stage.objective.pictures().is_empty() && stage.references.is_none();
        let references = needed.then(|| self.reference_activations(stage, &views, model)).transpose()?;
        Ok(Pending { octave, backdrop, images, views, shown, layout, references })
    }

    /// The activations of each reference picture, seen as the image itself is.
    fn reference_activations(
        &self,
        stage: &Stage,
        views: &Views,
        model: &mut dyn Model,
    ) -> Result<References> {
        let of = |file: &String| {
            let picture =
                self.pictures.get(file).ok_or_else(|| Error::PictureNotRead { file: file.clone() })?;
            let image = Array::new([1, 3, stage.side, stage.side], picture.square(stage.side))?;
            Ok(model.activations(&views.show(&image), stage.objective.at())?)
        };
        stage.objective.pictures().iter().map(of).collect()
    }

    /// Moves the parameters, and applies what the plan changes after this step.
    fn accept(&mut self, pending: Pending, found: &StepGradient) -> Result<StepReport> {
        let (step, context) = (self.step_count() + 1, self.context());
        let (stage, x) = self.staged(pending.octave.as_ref());
        let recipe = self.recipe();
        let gradient = self.parameter_gradient(&pending, found)?;
        let flat = match recipe.optimizer.kind {
            // g / std(g) would divide by zero.
            Rule::Normalised => deviation(gradient.data()) == 0.0,
            Rule::Sgd | Rule::Adam | Rule::Nadam => gradient.data().iter().all(|&g| g == 0.0),
        };
        let normalised = recipe.optimizer.kind == Rule::Normalised;
        if flat && (step == 1 || recipe.dead == DeadChannel::Stop || normalised) {
            return Err(self.dead(step, recipe.dead));
        }
        let mut x = x.clone();
        let mut moments =
            pending.octave.as_ref().map_or(&self.state.moments, |octave| &octave.moments).clone();
        if !flat {
            recipe.optimizer.step(context.progress, &mut moments, x.data_mut(), gradient.data());
            // Before the clamp, which would turn an infinite step into a black or white picture.
            if ![x.data(), &moments.first, &moments.second].into_iter().all(are_finite) {
                return Err(Error::NotFinite { step, what: "a change of the parameters" });
            }
        }
        if let Some([low, high]) = stage.param.bounds() {
            x.data_mut().iter_mut().for_each(|x| *x = x.clamp(low, high));
        }
        let change = self.changes_at(step, stage, &x, &moments)?;
        // Unless views are drawn anew, references are the same in the next step.
        let keeps_references = recipe.transforms.is_empty() && recipe.octaves.is_none();
        let dead = found.dead || flat;

        // Nothing fails from here on.
        let Pending { octave, references, .. } = pending;
        if let Some(octave) = octave {
            self.stage = octave.stage;
        }
        if keeps_references && references.is_some() {
            self.stage.references = references;
        }
        (self.state.x, self.state.moments) = (x, moments);
        if let Some(change) = change {
            self.begin(change);
        }
        self.state.losses.push(found.value);
        self.state.dead_steps += usize::from(dead);
        Ok(StepReport { step, loss: found.value, gradient_norm: length(gradient.data()), dead })
    }

    /// dL/dx. Fails where the value or the gradient is not finite.
    fn parameter_gradient(&self, pending: &Pending, found: &StepGradient) -> Result<Array> {
        let (stage, x) = self.staged(pending.octave.as_ref());
        let (step, spec) = (self.step_count() + 1, &self.recipe().param);
        if !found.value.is_finite() {
            return Err(Error::NotFinite { step, what: "a loss" });
        }
        // With an alpha channel the objective counts times 1 - alpha mean(alpha): lucid's recipe for transparency.
        let alpha = if spec.has_alpha() { spec.alpha } else { 0.0 };
        let scaled = (alpha > 0.0).then(|| {
            let kept = 1.0 - alpha * stage.param.mean_alpha(x);
            let mut scaled = found.gradient.clone();
            scaled.data_mut().iter_mut().for_each(|d| *d *= kept as f32);
            scaled
        });
        let d_images = scaled.as_ref().unwrap_or(&found.gradient);
        let Pending { backdrop, images, .. } = pending;
        let gradient = stage.param.pull_back(x, backdrop, images, d_images, -alpha * found.value)?;
        if !are_finite(gradient.data()) {
            return Err(Error::NotFinite { step, what: "a gradient" });
        }
        Ok(gradient)
    }

    fn dead(&self, step: usize, policy: DeadChannel) -> Error {
        let way_out = match policy {
            DeadChannel::Stop => ", the layer's ':pre' form, or the recipe 'pixel', which finds a way out",
            DeadChannel::Redirect => " (the ReLUs' redirected gradient is just as flat)",
        };
        Error::Dead { objective: self.plan.at(step - 1).0.clone(), step, way_out }
    }
}
