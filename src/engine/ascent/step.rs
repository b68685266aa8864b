//! A step: parameters to image, image to views, views through the network and back, one ascent alone or several as one
//! batch. Everything that can fail is computed first; then the ascent is changed.

use std::iter::repeat_with;
use std::sync::Arc;

use trepang_api::{Array, ComputePool, Model, ReluGradient};

use super::{Ascent, AscentNumbers, References, Stage, StepReport, Transition};
use crate::engine::bound::{BatchLayout, ObjectiveInput, pull_back_together};
use crate::engine::error::{Error, Result};
use crate::engine::optimizer::{Moments, Rule, StepRule, deviation, squared_length};
use crate::engine::parallel::{for_each, inside, map};
use crate::engine::param::Backdrop;
use crate::engine::recipe::DeadChannel;
use crate::engine::size::PictureSize;
use crate::engine::transform::{PlacedViews, StepContext, Views};

/// A step on its way: what the network is to see.
struct Pending {
    /// The octave that the step begins, if it begins one.
    octave: Option<Transition>,
    backdrop: Backdrop,
    images: Array,
    views: Arc<PlacedViews>,
    layout: BatchLayout,
    /// The activations of reference pictures, if they were computed for this step.
    references: Option<References>,
}

/// An ascent of a group, and its step.
type Member<'a> = (&'a Ascent, &'a Pending);

/// The objective's value and gradient in a step.
struct StepGradient {
    value: f64,
    /// dL/d(images), `[images, 3, height, width]`
    gradient: Array,
    dead: bool,
}

/// The parameters that an optimizer changes together: enough for a thread to be worth its while.
const PART: usize = 1 << 14;

/// One step of each ascent, in as few calls of the network as they allow. An ascent whose step fails is left as it was.
pub fn step_together(ascents: &mut [&mut Ascent], model: &mut dyn Model) -> Vec<Result<StepReport>> {
    let pool = &*model.pool();
    let prepared = prepare(ascents, model, pool);
    let mut gradients = {
        let ready = ascents.iter().zip(&prepared);
        let group: Vec<Member> =
            ready.filter_map(|(ascent, pending)| Some((&**ascent, pending.as_ref().ok()?))).collect();
        step_gradients(&group, model, pool).into_iter()
    };
    let ready = ascents.iter_mut().zip(prepared).map(|(ascent, pending)| {
        let pending = pending?;
        let gradient = gradients.next().unwrap_or(Err(Error::MissingGradient))?;
        Ok((ascent, pending, gradient))
    });
    let ready: Vec<_> = ready.collect();
    inside(pool, || {
        map(pool, ready, |ready: Result<_>| {
            let (ascent, pending, gradient) = ready?;
            ascent.accept(pending, &gradient, pool)
        })
    })
}

/// Makes each ascent's images, and places its views.
fn prepare(ascents: &[&mut Ascent], model: &mut dyn Model, pool: &dyn ComputePool) -> Vec<Result<Pending>> {
    let prepared = inside(pool, || {
        let octaves: Vec<Result<Option<Transition>>> =
            ascents.iter().map(|ascent| ascent.next_octave()).collect();
        let draw = |(ascent, octave): (&&mut Ascent, &Result<Option<Transition>>)| {
            Some(ascent.draw(octave.as_ref().ok()?.as_ref()))
        };
        let placed = place(&ascents.iter().zip(&octaves).map(draw).collect::<Vec<_>>(), pool);
        map(pool, ascents.iter().zip(octaves).zip(placed), |((ascent, octave), views)| {
            let (octave, views) = (octave?, views.ok_or(Error::MissingGradient)?);
            Ok(ascent.prepare(octave, views, pool))
        })
    });
    let with_references = prepared.into_iter().zip(ascents).map(|(pending, ascent): (Result<Pending>, _)| {
        let mut pending = pending?;
        pending.references = ascent.new_references(&pending, model, pool)?;
        Ok(pending)
    });
    with_references.collect()
}

/// Places the views of each in images of a size. Equal views of several ascents, which have the same seed, are
/// placed once.
fn place(drawn: &[Option<(Views, PictureSize)>], pool: &dyn ComputePool) -> Vec<Option<Arc<PlacedViews>>> {
    let mut different: Vec<&(Views, PictureSize)> = Vec::new();
    for one in drawn.iter().flatten() {
        if !different.contains(&one) {
            different.push(one);
        }
    }
    let placed = map(pool, &different, |(views, size)| Arc::new(views.clone().place(size.sides(), pool)));
    let of = |one: &(Views, PictureSize)| {
        let at = different.iter().position(|other| *other == one)?;
        Some(Arc::clone(&placed[at]))
    };
    drawn.iter().map(|one| one.as_ref().and_then(of)).collect()
}

/// The gradients of a group: of all at once where they fit together, and then again, redirected, of those whose gradient is
/// flat somewhere.
fn step_gradients(
    group: &[Member],
    model: &mut dyn Model,
    pool: &dyn ComputePool,
) -> Vec<Result<StepGradient>> {
    let plain = gradients(group, ReluGradient::True, model, pool);
    let each = group.iter().zip(plain).map(|(member, found)| {
        let (value, gradient) = found?;
        let mut found = StepGradient { value, gradient, dead: false };
        let flat = flat_images(&found.gradient);
        if member.0.recipe().dead == DeadChannel::Redirect && !flat.is_empty() {
            let redirected = batch_gradients(&[*member], ReluGradient::Redirected, model, pool)?;
            for ((_, way_out), image) in
                redirected.iter().flat_map(|one| flat.iter().map(move |image| (one, *image)))
            {
                found.gradient.item_mut(image).copy_from_slice(way_out.item(image));
            }
            found.dead = true;
        }
        Ok(found)
    });
    each.collect()
}

/// The value of each and the gradient of its images.
fn gradients(
    group: &[Member],
    relu: ReluGradient,
    model: &mut dyn Model,
    pool: &dyn ComputePool,
) -> Vec<Result<(f64, Array)>> {
    if group.len() > 1 && group.windows(2).all(|pair| go_together(pair[0], pair[1])) {
        // After an error one by one, so that each has its own error.
        if let Ok(found) = batch_gradients(group, relu, model, pool) {
            return found.into_iter().map(Ok).collect();
        }
    }
    let alone = |member: &Member| {
        let found = batch_gradients(&[*member], relu, model, pool)?;
        found.into_iter().next().ok_or(Error::MissingGradient)
    };
    group.iter().map(alone).collect()
}

/// Tells whether the views of both can go through the network as one batch.
fn go_together(a: Member, b: Member) -> bool {
    let [(a, of_a), (b, of_b)] = [a, b];
    let [(stage_a, _), (stage_b, _)] = [a.staged(of_a.octave.as_ref()), b.staged(of_b.octave.as_ref())];
    stage_a.objective.goes_with(&stage_b.objective) && of_a.views.view() == of_b.views.view()
}

/// The value of each and the gradient of its images, from one call of the model.
fn batch_gradients(
    group: &[Member],
    relu: ReluGradient,
    model: &mut dyn Model,
    pool: &dyn ComputePool,
) -> Result<Vec<(f64, Array)>> {
    let (batch, firsts) = inside(pool, || batch(group, pool));
    let inputs: Vec<ObjectiveInput> = group
        .iter()
        .zip(&firsts)
        .map(|((ascent, pending), first)| ascent.input(pending, &batch, *first))
        .collect();
    let (values, gradient) = pull_back_together(&inputs, relu, model)?;
    let found = group.iter().zip(firsts).zip(values);
    let back = |(((ascent, pending), first), value): ((&Member, usize), f64)| {
        let item = 3 * pending.views.view().iter().product::<usize>();
        let (stage, _) = ascent.staged(pending.octave.as_ref());
        let of_views = &gradient.data()[first * item..];
        (value, pending.views.pull_back(of_views, (pending.layout.images, stage.size.sides()), pool))
    };
    Ok(inside(pool, || map(pool, found, back)))
}

/// The views of all, one after the other, and the index of the first of each.
fn batch(group: &[Member], pool: &dyn ComputePool) -> (Array, Vec<usize>) {
    let mut count = 0;
    let mut firsts = Vec::new();
    for (_, pending) in group {
        firsts.push(count);
        count += pending.layout.len();
    }
    let [height, width] = group.first().map_or([0; 2], |(_, pending)| pending.views.view());
    let mut batch = Array::zeros([count, 3, height, width]);
    let mut rest = batch.data_mut();
    let parts = group.iter().map(|(_, pending)| {
        let (own, after) = std::mem::take(&mut rest).split_at_mut(pending.layout.len() * 3 * height * width);
        rest = after;
        (pending, own)
    });
    for_each(pool, parts, |(pending, own)| pending.views.show_in(&pending.images, own, pool));
    (batch, firsts)
}

/// The images that no gradient reaches.
fn flat_images(gradient: &Array) -> Vec<usize> {
    (0..gradient.shape()[0]).filter(|&n| gradient.item(n).iter().all(|&g| g == 0.0)).collect()
}

/// Whether none of the numbers is a NaN or infinite.
fn are_finite(numbers: &[f32]) -> bool {
    numbers.iter().all(|v| v.is_finite())
}

/// Takes a step for a part of the parameters, and returns the gradient's square there; none if a number is not finite.
fn advance_part(
    rule: Option<StepRule>,
    bounds: Option<[f32; 2]>,
    [x, first, second]: [&mut [f32]; 3],
    gradient: &[f32],
) -> Option<f64> {
    if let Some(rule) = rule {
        rule.apply([&mut *x, &mut *first, &mut *second], gradient);
        // Before the clamp, which would turn an infinite step into a black or white picture.
        if ![&*x, first, second].into_iter().all(are_finite) {
            return None;
        }
    }
    if let Some([low, high]) = bounds {
        for x in x.iter_mut() {
            *x = x.clamp(low, high);
        }
    }
    Some(squared_length(gradient))
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

    fn input<'a>(&'a self, pending: &'a Pending, views: &'a Array, first: usize) -> ObjectiveInput<'a> {
        let (stage, _) = self.staged(pending.octave.as_ref());
        let references =
            pending.references.as_ref().or(stage.references.as_ref()).map_or(&[][..], |found| found);
        ObjectiveInput { bound: &stage.objective, views, first, layout: pending.layout, references }
    }

    fn context(&self) -> StepContext {
        let meant = self.plan.meant_steps(self.step_count()).max(1);
        let progress = self.step_count() as f64 / meant as f64;
        StepContext { seed: self.plan.seed, step: self.step_count() + 1, progress: progress.min(1.0) }
    }

    /// The views of the next step, and the size of the image that they are views of.
    fn draw(&self, octave: Option<&Transition>) -> (Views, PictureSize) {
        let ((stage, _), context, recipe) = (self.staged(octave), self.context(), self.recipe());
        let sizes = [stage.size.sides(), stage.view.sides()];
        let views = if recipe.octaves.is_some() && stage.size != stage.view {
            Views::tiles(sizes, context)
        } else {
            Views::draw(&recipe.transforms, recipe.views, sizes, context)
        };
        (views, stage.size)
    }

    fn prepare(
        &self,
        octave: Option<Transition>,
        views: Arc<PlacedViews>,
        pool: &dyn ComputePool,
    ) -> Pending {
        let ((stage, x), context) = (self.staged(octave.as_ref()), self.context());
        let backdrop = stage.param.backdrop(context.seed, context.step);
        let images = stage.param.image(x, &backdrop, pool);
        let layout = BatchLayout { images: self.recipe().images, views: views.count() };
        Pending { octave, backdrop, images, views, layout, references: None }
    }

    /// The activations of each reference picture, seen as the image itself is, if they are not known yet.
    fn new_references(
        &self,
        pending: &Pending,
        model: &mut dyn Model,
        pool: &dyn ComputePool,
    ) -> Result<Option<References>> {
        let (stage, _) = self.staged(pending.octave.as_ref());
        if stage.objective.pictures().is_empty() || stage.references.is_some() {
            return Ok(None);
        }
        let of = |file: &String| {
            let picture =
                self.pictures.get(file).ok_or_else(|| Error::PictureNotRead { file: file.clone() })?;
            let PictureSize { width, height } = stage.size;
            let image = Array::new([1, 3, height, width], picture.fitted(stage.size))?;
            Ok(model.activations(&pending.views.show(&image, pool), stage.objective.at())?)
        };
        stage.objective.pictures().iter().map(of).collect::<Result<_>>().map(Some)
    }

    /// Moves the parameters, and applies what the plan changes after this step.
    fn accept(
        &mut self,
        pending: Pending,
        found: &StepGradient,
        pool: &dyn ComputePool,
    ) -> Result<StepReport> {
        let mut next = std::mem::take(&mut self.spare);
        let (stage, x) = self.staged(pending.octave.as_ref());
        let gradient = self.parameter_gradient(&pending, found, pool)?;
        let is_flat = self.is_flat(&gradient)?;
        let moments = pending.octave.as_ref().map_or(&self.state.moments, |octave| &octave.moments);
        next.make_room(x, moments);
        let gradient_norm = self.advance([x, &gradient], moments, is_flat, (stage, &mut next), pool)?;
        let change = self.changes_at(self.step_count() + 1, stage, &next.x, &next.moments)?;
        // Unless views are drawn anew, references are the same in the next step.
        let keeps_references = self.recipe().transforms.is_empty() && self.recipe().octaves.is_none();
        let dead = found.dead || is_flat;

        // Nothing fails from here on.
        let Pending { octave, references, .. } = pending;
        if let Some(octave) = octave {
            self.stage = octave.stage;
        }
        if keeps_references && references.is_some() {
            self.stage.references = references;
        }
        std::mem::swap(&mut self.state.x, &mut next.x);
        std::mem::swap(&mut self.state.moments, &mut next.moments);
        self.spare = next;
        if let Some(change) = change {
            self.begin(change);
        }
        self.state.losses.push(found.value);
        self.state.dead_steps += usize::from(dead);
        Ok(StepReport { step: self.step_count(), loss: found.value, gradient_norm, dead })
    }

    /// Tells whether a gradient leads nowhere; fails if that ends the run.
    fn is_flat(&self, gradient: &Array) -> Result<bool> {
        let (step, recipe) = (self.step_count() + 1, self.recipe());
        let is_flat = match recipe.optimizer.kind {
            // g / std(g) would divide by zero.
            Rule::Normalised => deviation(gradient.data()) == 0.0,
            Rule::Sgd | Rule::Adam | Rule::Nadam => gradient.data().iter().all(|&g| g == 0.0),
        };
        let normalised = recipe.optimizer.kind == Rule::Normalised;
        if is_flat && (step == 1 || recipe.dead == DeadChannel::Stop || normalised) {
            return Err(self.dead(step, recipe.dead));
        }
        Ok(is_flat)
    }

    /// Writes the parameters and the optimizer's memory after a step, and returns the length of the gradient. Fails where a
    /// number is not finite.
    fn advance(
        &self,
        [x, gradient]: [&Array; 2],
        moments: &Moments,
        is_flat: bool,
        (stage, next): (&Stage, &mut AscentNumbers),
        pool: &dyn ComputePool,
    ) -> Result<f64> {
        let age = moments.age + usize::from(!is_flat);
        let optimizer = &self.recipe().optimizer;
        let rule = (!is_flat).then(|| optimizer.rule_of(self.context().progress, age, gradient.data()));
        next.moments.age = age;
        let from = x.data().chunks(PART).zip(gradient.data().chunks(PART));
        let before = [&moments.first, &moments.second].map(|m| m.chunks(PART).chain(repeat_with(|| &[][..])));
        let [first, second] = [&mut next.moments.first, &mut next.moments.second]
            .map(|m| m.chunks_mut(PART).chain(repeat_with(<&mut [f32]>::default)));
        let [before_first, before_second] = before;
        let old = from.zip(before_first.zip(before_second));
        let new = next.x.data_mut().chunks_mut(PART).zip(first.zip(second));
        let bounds = stage.param.bounds();
        let squares = map(pool, old.zip(new), |(((x, gradient), (m, v)), (new_x, (new_m, new_v)))| {
            new_x.copy_from_slice(x);
            new_m.copy_from_slice(m);
            new_v.copy_from_slice(v);
            advance_part(rule, bounds, [new_x, new_m, new_v], gradient)
        });
        let squares: Option<Vec<f64>> = squares.into_iter().collect();
        let step = self.step_count() + 1;
        let squares = squares.ok_or(Error::NotFinite { step, what: "a change of the parameters" })?;
        Ok(squares.iter().sum::<f64>().sqrt())
    }

    /// dL/dx. Fails where the value or the gradient is not finite.
    fn parameter_gradient(
        &self,
        pending: &Pending,
        found: &StepGradient,
        pool: &dyn ComputePool,
    ) -> Result<Array> {
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
        let gradient = stage.param.pull_back(x, backdrop, images, d_images, -alpha * found.value, pool);
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
