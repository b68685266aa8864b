//! A dashboard on a run that was saved, with the network that made it.

use std::path::Path;

use anyhow::Result;

use super::{DraftsAt, on_screen};
use crate::config::args::{AttachArgs, ComputeArgs};
use crate::config::compute_of;
use crate::dashboard::{KeyMap, State};
use crate::engine::{AskedSize, Start};
use crate::runs::RunFolder;
use crate::worker::network_view;
use crate::worker::protocol::{Action, SavedRunAction, Settings};

/// Opens a dashboard on the run in a folder. It stands still until someone goes on with it.
pub(in crate::cli) fn show(args: &AttachArgs, folder: &Path, keys: KeyMap) -> Result<()> {
    let folder = folder.canonicalize()?;
    let (_, saved) = RunFolder::open(&folder)?;
    let compute_args = ComputeArgs::default();
    let compute = compute_of(&saved.origin, &compute_args)?;
    let plan = saved.origin.plan;
    let (objective, recipe) = plan.at(saved.state.losses.len());
    let (recipe, start) = (recipe.clone(), plan.start.clone());
    let size = AskedSize::of(plan.size, matches!(start, Start::Picture { .. }));
    let settings = Settings { recipe, size, seed: plan.seed, steps: plan.steps, start };
    let first_look = (&*compute.trained.first_look.0, compute.trained.first_look.1);
    let view = network_view(compute.network(), &compute.trained.labels, first_look, &compute.provenance)?;
    let mut state = State::new(view.info, view.layers, view.classes, settings);
    state.keys = keys;
    state.go_to(first_look.0, first_look.1);
    if let Some((layer, channel)) =
        objective.only_target().and_then(|(term, channel)| Some((term.layer()?, channel)))
    {
        state.go_to(layer, channel);
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let runs = folder.parent().unwrap_or(Path::new("/")).to_owned();
    let open = Action::OfSavedRun(SavedRunAction::Open { name, goes_on: false });
    on_screen((&args.screen, &compute_args), (state, open), compute, (&runs, DraftsAt::Cache))
}
