//! A dashboard on the drafts of a store, with the network that made them.

use std::path::Path;

use anyhow::{Context, Result};

use super::{DraftsAt, on_screen};
use crate::config::args::{AttachArgs, ComputeArgs};
use crate::config::{compute_of, runs_folder};
use crate::dashboard::{KeyMap, Shown, State};
use crate::engine::{AskedSize, Start};
use crate::sweep::StorePlace;
use crate::worker::network_view;
use crate::worker::protocol::{Action, Settings};

/// Opens a dashboard on the drafts of the file of pictures that is named, or of the one that was written last in the store that is.
/// Those that are not done go on.
pub(in crate::cli) fn show(args: &AttachArgs, given: &Path, keys: KeyMap) -> Result<()> {
    let place = given.display();
    let StorePlace { store, unit, origin } = StorePlace::open(given)
        .with_context(|| format!("there are no pictures in {place} that can be read"))?;
    let compute_args = ComputeArgs::default();
    let compute = compute_of(&origin, &compute_args)?;
    let plan = origin.plan;
    let native = compute.network().input().native;
    let from_picture = matches!(plan.start, Start::Picture { .. });
    let size = if plan.size.is_square() || from_picture {
        AskedSize::Longer(native)
    } else {
        AskedSize::Sides(plan.size.scaled(native))
    };
    let steps = plan.recipe.steps;
    let settings = Settings { recipe: plan.recipe, size, seed: plan.seed, steps, start: plan.start };
    let first_look = (&*compute.trained.first_look.0, compute.trained.first_look.1);
    let view = network_view(compute.network(), &compute.trained.labels, first_look, &compute.provenance)?;
    let mut state = State::new(view.info, view.layers, view.classes, settings);
    state.keys = keys;
    state.go_to(first_look.0, first_look.1);
    state.go_to(&unit.layer, unit.first);
    state.shown = Shown::Mosaic;
    let runs = runs_folder(args.runs.as_deref())?;
    let drafts = DraftsAt::Store(store);
    on_screen((&args.screen, &compute_args), (state, Action::ListRuns), compute, (&runs, drafts))
}
