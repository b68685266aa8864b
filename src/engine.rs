//! One ascent: from a recipe, an objective and a seed to a picture. Host `f32` code, written once, so that
//! backends cannot differ in it. Not here: clocks, files, threads, terminals, ML frameworks.
//!
//! A step is: parameters to image (`param`), image to views (`transform`), views to activations and back
//! (`Model::pull_back`, with the cotangents of the `objective`, which `bound` computes), gradient to
//! parameters again, `optimizer`. A `recipe` has all the numbers, a `plan` a whole run.

// A new variant of an enum of ours must be thought of wherever the enum is matched.
#![deny(clippy::wildcard_enum_match_arm)]

mod ascent;
mod bound;
mod error;
mod fitting;
mod fourier;
mod gram;
mod nearest;
mod objective;
mod optimizer;
mod parallel;
mod param;
mod penalty;
mod picture;
mod plan;
mod recipe;
mod resample;
mod rng;
mod score;
mod size;
mod start;
mod sums;
mod transform;
mod typed;

pub use ascent::{Ascent, AscentState, StepReport, step_together};
pub use bound::{BatchLayout, Bound, ObjectiveInput};
pub use error::{Error, Result};
pub(crate) use fitting::nearest_size;
pub use fitting::{check_size, fitted_size, least_memory};
pub(crate) use nearest::{nearest, similar};
pub use objective::{ClassFinder, FUNCTIONS, Function, Objective, ParseError, Penalty};
pub use optimizer::{Moments, Optimizer, Rule, Schedule};
pub use param::{Backdrop, Param, ParamKind, ParamSpec, Spectrum, SpectrumBuilder};
pub use picture::{Picture, Pictures};
pub use plan::{Change, MeantLength, Plan};
pub use recipe::{DeadChannel, Octaves, RECIPE_ALIASES, RECIPES, Recipe, read_recipe};
pub use score::{Evaluator, ROBUST_VIEWS, Score, score_together};
pub(crate) use size::SIZE_NEEDED;
pub use size::{AskedSize, PictureSize};
pub use start::Start;
pub use transform::{Crop, StepContext, Transform};
pub(crate) use typed::{as_typed, without_quotes, without_spaces_at_colons};
