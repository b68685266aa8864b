//! Steering: another objective or recipe, for the run that goes on or for the next one, and the way back. Not here: what
//! they do to a run.

use trepang_api::excerpt;

use super::actions::{NOTHING, no_room};
use super::list;
use super::prompt::Prompt;
use super::state::{Effect, Mode, State};
use crate::engine::{Objective, RECIPES, Recipe};
use crate::worker::protocol::Action;

/// Opens the line where the objective is typed, with what is maximised now.
pub(super) fn open_objective(state: &mut State) -> Vec<Effect> {
    let run = state.snapshot.run.as_ref().map(|run| run.plan.last_objective().to_string());
    let text = run.unwrap_or_else(|| state.target().to_string());
    state.ask(Prompt::Objective, text);
    NOTHING
}

/// Opens the list of recipes on the one in use.
pub(super) fn open_recipes(state: &mut State) -> Vec<Effect> {
    if !state.full {
        return no_room(state, "the list of recipes");
    }
    let current = recipes().iter().position(|recipe| recipe.name == state.settings.recipe.name);
    state.mode = Mode::Recipes(current.unwrap_or_default());
    NOTHING
}

/// Goes back by some steps.
pub(super) fn back(state: &mut State) -> Vec<Effect> {
    if state.snapshot.run.is_none() {
        state.remark = Some("there is no run whose steps can be undone".into());
        return NOTHING;
    }
    vec![Effect::Ask(Action::Undo)]
}

/// All recipes, in the order of their list.
pub fn recipes() -> Vec<Recipe> {
    RECIPES.iter().filter_map(|name| Recipe::named(name)).collect()
}

/// Maximises the objective that was typed.
pub(super) fn maximise(state: &mut State, text: &str) -> Vec<Effect> {
    let objective = match read_objective(state, text) {
        Ok(objective) => objective,
        Err(reason) => {
            state.remark = Some(reason);
            return NOTHING;
        }
    };
    state.mode = Mode::Browse;
    if state.is_switching() {
        return NOTHING;
    }
    if !state.has_run() {
        return state.start_with(&objective);
    }
    vec![Effect::Ask(Action::Change { objective, recipe: state.settings.recipe.clone().into() })]
}

/// The objective that was typed. Fails with a clause that says where it is wrong.
pub(super) fn read_objective(state: &State, text: &str) -> Result<Objective, String> {
    let read = Objective::read(text, &|name| class_named(name, &state.classes));
    read.map_err(|error| format!("at character {} {}", error.at + 1, error.wrong))
}

/// The index of the class of which this is a name, or all names.
fn class_named(name: &str, classes: &[String]) -> Result<usize, String> {
    let is_it = |class: &String| {
        class.eq_ignore_ascii_case(name) || class.split(", ").any(|one| one.eq_ignore_ascii_case(name))
    };
    let found = classes.iter().position(is_it);
    found.ok_or_else(|| {
        format!("the network has no class named \"{}\"; its index or a name belongs", excerpt(name))
    })
}

/// A command while the list of recipes is open and `cursor` is on one of its lines.
pub(super) fn act(state: &mut State, cursor: usize, command: &str) -> Vec<Effect> {
    let all = recipes();
    match (command, all.get(cursor)) {
        ("list-choose", Some(recipe)) => follow(state, recipe.clone()),
        ("recipe-numbers", Some(recipe)) => {
            // The numbers of the one in use are changed as they are, those of another from its text.
            if recipe.name != state.settings.recipe.name {
                state.settings.recipe = recipe.clone();
            }
            state.ask(Prompt::Numbers, "");
            NOTHING
        }
        _ => list::act(state, command, (cursor, all.len()), Mode::Recipes),
    }
}

/// Takes a recipe's numbers, typed as `key=value key=value`.
pub(super) fn take_numbers(state: &mut State, text: &str) -> Vec<Effect> {
    let mut set = Vec::new();
    for word in text.split_whitespace() {
        if let Some((key, value)) = word.split_once('=') {
            set.push((key.to_owned(), value.to_owned()));
        } else {
            state.remark = Some(format!("\"{word}\" is not key=value, such as optimizer.rate=0.1"));
            return NOTHING;
        }
    }
    match state.settings.recipe.with(&set) {
        Ok(recipe) => follow(state, recipe),
        Err(error) => {
            state.remark = Some(error);
            NOTHING
        }
    }
}

/// The next start follows the recipe, and the run that is on screen goes on with it. A recipe that begins with a picture
/// starts a run.
fn follow(state: &mut State, recipe: Recipe) -> Vec<Effect> {
    state.mode = Mode::Browse;
    if state.is_switching() {
        return NOTHING;
    }
    if recipe.steps != state.settings.recipe.steps {
        state.settings.steps = recipe.steps;
    }
    state.settings.recipe = recipe.clone();
    if recipe.wants_picture() {
        // A run that goes on has begun already.
        return state.start_with(&state.target());
    }
    let Some(run) = state.snapshot.run.as_ref().filter(|_| state.has_run()) else {
        state.remark = Some(format!("the next run uses the recipe {}", recipe.name));
        return NOTHING;
    };
    vec![Effect::Ask(Action::Change { objective: run.plan.last_objective().clone(), recipe: recipe.into() })]
}
