//! One run of a recipe: its state, which can be saved and taken up again to the bit. Its step is in `step`.

mod change;
mod octave;
mod step;

use std::fmt;

use trepang_api::{Array, ComputePool, Model, Network, excerpt};

use super::bound::Bound;
use super::error::{Error, Result};
use super::fitting::view_size;
use super::objective::Objective;
use super::optimizer::Moments;
use super::param::Param;
use super::picture::{Picture, Pictures};
use super::plan::Plan;
use super::recipe::Recipe;
use super::score::seen_at_once;
use super::size::PictureSize;
use super::start::Start;

pub use step::step_together;

/// The report of a finished step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// The step's number, counted from 1.
    pub step: usize,
    /// The objective's value on the image before the step, as the network saw it: step 1 reports the start image.
    pub loss: f64,
    /// The Euclidean length of dL/dx, before any normalisation.
    pub gradient_norm: f64,
    /// True when no gradient reached the image, and the redirected one of the ReLUs was followed instead, if that did.
    pub dead: bool,
}

/// The state of an ascent: with its [`Plan`], enough to go on with the same bits.
#[derive(Debug, Clone, PartialEq)]
pub struct AscentState {
    /// The parameters: of each image, what the parameterization has.
    pub x: Array,
    /// The optimizer's memory.
    pub moments: Moments,
    /// The loss of every step so far.
    pub losses: Vec<f64>,
    /// The number of dead steps.
    pub dead_steps: usize,
    /// The start at its full size, for a recipe with octaves.
    pub base: Option<Array>,
}

impl AscentState {
    /// Tells whether nothing has woken the objective: at least one step was taken, and in every step the objective was exactly
    /// 0 on what the network saw and no true gradient reached the image.
    pub fn is_dead(&self) -> bool {
        let steps = self.losses.len();
        steps > 0 && self.dead_steps == steps && self.losses.iter().all(|&loss| loss == 0.0)
    }
}

/// A run in progress.
#[derive(Debug)]
pub struct Ascent {
    plan: Plan,
    network: Network,
    pictures: Pictures,
    stage: Stage,
    state: AscentState,
    /// The memory that the next step is written to; afterwards it holds the numbers before that step.
    spare: AscentNumbers,
}

/// The numbers that a step changes.
struct AscentNumbers {
    x: Array,
    moments: Moments,
}

impl fmt::Debug for AscentNumbers {
    /// Without the numbers: they are those of no step that counts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AscentNumbers").finish_non_exhaustive()
    }
}

impl Default for AscentNumbers {
    fn default() -> Self {
        Self { x: Array::zeros([0]), moments: Moments::default() }
    }
}

impl AscentNumbers {
    /// Makes it as large as these.
    fn make_room(&mut self, x: &Array, moments: &Moments) {
        if self.x.shape() != x.shape() {
            self.x = Array::zeros(x.shape());
        }
        self.moments.first.resize(moments.first.len(), 0.0);
        self.moments.second.resize(moments.second.len(), 0.0);
    }
}

/// The activations of each reference picture at each layer that the objective reads, an item for each view.
type References = Vec<Vec<Array>>;

/// The objective and the recipe until the next octave or the next change.
#[derive(Debug)]
struct Stage {
    /// The objective, bound for views of the size `view`.
    objective: Bound,
    param: Param,
    /// The size of the image: smaller than the plan's in all octaves but the last.
    size: PictureSize,
    /// The size of what the network sees at once.
    view: PictureSize,
    /// The activations of reference pictures, once they are known, where they are the same in every step.
    references: Option<References>,
}

/// Another stage, with the parameters and the optimizer's memory that it begins with.
#[derive(Debug)]
struct Transition {
    stage: Stage,
    x: Array,
    moments: Moments,
}

impl Ascent {
    /// Prepares the first step; fails when the plan does not fit the network. `pictures` holds what the plan's files hold.
    pub fn new(plan: Plan, network: &Network, pictures: &Pictures) -> Result<Self> {
        plan.recipe.check().map_err(Error::Recipe)?;
        check_steps(&plan)?;
        // Before anything is made of that size.
        view_size(&plan.recipe, network, plan.size)?;
        let first = octave::first_size(&plan, network);
        let full = param(&plan.recipe, network, plan.size);
        let (x, base) = match (&plan.recipe.octaves, &plan.start) {
            (None, Start::Noise) => (full.noise(plan.seed)?, None),
            (None, start) => {
                (full.encode(&start.levels(plan.size, plan.seed, plan.recipe.param.noise, pictures)?)?, None)
            }
            (Some(_), start) => {
                let levels = start.levels(plan.size, plan.seed, plan.recipe.param.noise, pictures)?;
                let base = full.encode(&levels)?;
                (octave::resized(&base, first)?, Some(base))
            }
        };
        let moments = plan.recipe.optimizer.moments(x.data().len());
        let state = AscentState { x, moments, losses: Vec::new(), dead_steps: 0, base };
        let (objective, recipe) = (plan.objective.clone(), plan.recipe.clone());
        let mut ascent = Self::assemble(plan, network, state, pictures, (&objective, &recipe))?;
        ascent.begin_changed()?;
        Ok(ascent)
    }

    /// Takes up an ascent where `state` was saved; the rest is identical to a run that was never interrupted.
    pub fn resume(plan: Plan, network: &Network, state: AscentState, pictures: &Pictures) -> Result<Self> {
        let (objective, recipe) = plan.at(state.losses.len());
        let (objective, recipe) = (objective.clone(), recipe.clone());
        Self::assemble(plan, network, state, pictures, (&objective, &recipe))
    }

    fn assemble(
        plan: Plan,
        network: &Network,
        state: AscentState,
        pictures: &Pictures,
        (objective, recipe): (&Objective, &Recipe),
    ) -> Result<Self> {
        recipe.check().map_err(Error::Recipe)?;
        check_steps(&plan)?;
        check_images(objective, recipe)?;
        check_pictures(objective, pictures)?;
        let size = octave::size_of(&plan, recipe, &state)?;
        // Before anything of that size is allocated: a file may hold any.
        view_size(recipe, network, plan.size)?;
        let view = view_size(recipe, network, size)?;
        let param = param(recipe, network, size);
        check_state(&state, recipe, &param, plan.size)?;
        let objective = objective.bind(network, view)?;
        let (network, pictures) = (network.clone(), pictures.clone());
        let stage = Stage { objective, param, size, view, references: None };
        Ok(Self { plan, network, pictures, stage, state, spare: AscentNumbers::default() })
    }

    /// The picture of a plan's start, at its full size, as it would be saved.
    pub fn start_picture(plan: &Plan, network: &Network, pictures: &Pictures) -> Result<Picture> {
        let begun = Self::new(plan.clone(), network, pictures)?;
        Ok(match &begun.state.base {
            Some(base) => param(&begun.plan.recipe, network, plan.size).picture(base),
            None => begun.picture(),
        })
    }

    /// The plan that decides this run.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The recipe that is followed now.
    pub fn recipe(&self) -> &Recipe {
        self.plan.at(self.step_count()).1
    }

    /// The state as it would be saved now.
    pub fn state(&self) -> &AscentState {
        &self.state
    }

    /// Steps taken so far.
    pub fn step_count(&self) -> usize {
        self.state.losses.len()
    }

    /// Tells whether the run has taken all the steps it was meant to.
    pub fn is_finished(&self) -> bool {
        self.step_count() >= self.plan.steps
    }

    /// Changes how many steps the run is meant to take.
    pub fn set_steps(&mut self, steps: usize) {
        self.plan.set_steps(steps, self.step_count());
    }

    /// Bytes of memory that a step at the plan's full size takes with this model, on its device and on the host: about, and
    /// rather more than less.
    pub fn memory(&self, model: &dyn Model) -> Result<u64> {
        let (recipe, size) = (self.recipe(), self.plan.size);
        let views = recipe.images * recipe.views;
        let view = view_size(recipe, &self.network, size)?;
        let [height, width] = self.stage.objective.seen_size().unwrap_or(view.sides());
        let on_device = model.memory([views, height, width], self.stage.objective.at())?;
        Ok(on_device + host_bytes(recipe.images * size.pixels() + views * view.pixels()))
    }

    /// Bytes of memory that the evaluation of the picture takes with this model: about, and rather more than less. One call
    /// of it may see more views than a step does.
    pub fn evaluation_memory(&self, model: &dyn Model) -> Result<u64> {
        let (recipe, plan) = (self.recipe(), &self.plan);
        let (seen, views) = seen_at_once(plan.last_objective(), &self.network, plan.size)?;
        let at = plan.last_objective().bind(&self.network, seen)?;
        let views = recipe.images * views;
        let on_device = model.memory([views, seen.height, seen.width], at.at())?;
        Ok(on_device + host_bytes(recipe.images * plan.size.pixels() + views * seen.pixels()))
    }

    /// The picture as it would be saved now: several images side by side. In an early octave it is smaller.
    pub fn picture(&self) -> Picture {
        self.stage.param.picture(&self.state.x)
    }

    /// The images as the next step hands them to the network, before the recipe's transforms: RGB, nominally in 0..1,
    /// `[images, 3, height, width]`. A file of them is rounded to 256 levels, and by the recipe `original` it has another contrast.
    pub fn images(&self, pool: &dyn ComputePool) -> Array {
        let param = &self.stage.param;
        param.image(&self.state.x, &param.backdrop(self.plan.seed, self.step_count() + 1), pool)
    }

    /// [`Self::picture`] at the plan's full size, in an early octave too: for pictures that all have one size.
    pub fn full_picture(&self) -> Picture {
        let PictureSize { width, height } = self.plan.size;
        self.picture().resized(PictureSize { width: self.recipe().images * width, height })
    }
}

/// Fails when the objective compares images and the recipe makes only one.
fn check_images(objective: &Objective, recipe: &Recipe) -> Result<()> {
    if objective.compares_images() && recipe.images < 2 {
        return Err(Error::Recipe(format!(
            "{} compares images of a batch: set images to 2 or more",
            excerpt(&objective.to_string())
        )));
    }
    Ok(())
}

/// Fails when the objective compares with a picture that was not handed over.
fn check_pictures(objective: &Objective, pictures: &Pictures) -> Result<()> {
    let missing = objective.pictures().into_iter().find(|file| !pictures.contains_key(*file));
    missing.map_or(Ok(()), |file| Err(Error::PictureNotRead { file: file.into() }))
}

fn param(recipe: &Recipe, network: &Network, size: PictureSize) -> Param {
    let new = |preprocess| Param::new(recipe.param.clone(), preprocess, size, recipe.images);
    if network.is_gray() {
        new(network.preprocess().of_gray()).gray()
    } else {
        new(network.preprocess().clone())
    }
}

/// Arrays of an image's size that the host holds in a step: parameters and moments twice, gradients, planes on their way.
const HOST_COPIES: usize = 10;

/// Bytes of the host's copies of images of so many pixels in all.
fn host_bytes(pixels: usize) -> u64 {
    (3 * pixels * HOST_COPIES * size_of::<f32>()) as u64
}

/// Fails when a plan, which a file may hold, has more steps than can be asked for by a flag.
fn check_steps(plan: &Plan) -> Result<()> {
    match u32::try_from(plan.steps) {
        Ok(1..) => Ok(()),
        _ => Err(Error::Recipe(format!("it has {} steps, where 1 to {} can be taken", plan.steps, u32::MAX))),
    }
}

/// Fails when a state is not of this recipe and size.
fn check_state(state: &AscentState, recipe: &Recipe, param: &Param, size: PictureSize) -> Result<()> {
    let AscentState { x, moments, .. } = state;
    if x.shape() != param.shape() {
        let (found, wanted) = (x.shape(), param.shape());
        return Err(Error::State(format!(
            "its parameters are {found:?} where {size} pixels need {wanted:?}"
        )));
    }
    let expected = recipe.optimizer.moments(x.data().len());
    let is_of = |other: &Moments| {
        (other.first.len(), other.second.len()) == (moments.first.len(), moments.second.len())
    };
    if !is_of(&expected) || moments.age > state.losses.len() {
        return Err(Error::State("its optimizer remembers another run's gradients".into()));
    }
    let numbers = [x.data(), &moments.first, &moments.second];
    if numbers.iter().any(|numbers| numbers.iter().any(|v| !v.is_finite())) {
        return Err(Error::State("it holds a number that is not finite".into()));
    }
    Ok(())
}
