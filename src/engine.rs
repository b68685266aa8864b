//! One ascent: from a recipe, an objective and a seed to a picture. Host `f32` code, written once, so that
//! backends cannot differ in it. Not here: clocks, files, threads, terminals, ML frameworks.
//!
//! A step is: parameters to image (`param`), image to activations and back (`Model::pull_back`, with the
//! cotangents of the `objective`), gradient to parameters again, `optimizer`.

mod ascent;
mod bound;
mod error;
mod objective;
mod optimizer;
mod param;
mod picture;
mod recipe;
mod start;

pub use ascent::{Ascent, Plan, State, StepReport};
pub use bound::Bound;
pub use error::{Error, Result};
pub use objective::Objective;
pub use optimizer::{Moments, Optimizer};
pub use param::{Param, Space};
pub use picture::Picture;
pub use recipe::{DeadChannel, RECIPES, Recipe};
pub use start::Start;
