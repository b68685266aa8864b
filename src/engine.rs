//! One ascent: from a recipe, an objective and a seed to a picture. Host `f32` code, written once, so that
//! backends cannot differ in it. Not here: clocks, files, threads, terminals, ML frameworks.
//!
//! A step is: parameters to image (`param`), image to views (`transform`), views to activations and back
//! (`Model::pull_back`, with the cotangents of the `objective`, bound in `bound` and computed in `leaf`), gradient to
//! parameters again, `optimizer`. A `recipe` has all the numbers, a `plan` a whole run.

mod ascent;
mod bound;
mod chance;
mod error;
mod fourier;
mod gram;
mod leaf;
mod objective;
mod optimizer;
mod param;
mod penalty;
mod picture;
mod plan;
mod recipe;
mod resample;
mod robust;
mod start;
mod transform;

pub use ascent::{Ascent, State, StepReport, step_together};
pub use bound::{Bound, Look};
pub use error::{Error, Result};
pub use leaf::Layout;
pub use objective::{Objective, ParseError, Penalty};
pub use optimizer::{Moments, Optimizer, Rule, Schedule};
pub use param::{Backdrop, Kind, Param, ParamSpec, Spectrum, SpectrumBuilder};
pub use picture::Picture;
pub use plan::{Change, Pictures, Plan};
pub use recipe::{DeadChannel, Octaves, RECIPE_ALIASES, RECIPES, Recipe, read_recipe};
pub use robust::{ROBUST_VIEWS, Robustness};
pub use start::Start;
pub use transform::{Crop, Moment, Transform};

/// Of some known names the one most like `name`, for an error that helps.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> &'a str {
    let likeness = |other: &&str| strsim::jaro_winkler(name, other);
    known.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or_default()
}
