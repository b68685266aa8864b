//! Changing the objective or the recipe of the current run or of the next one, and undoing steps. The worker applies the
//! changes.

use super::actions::{NOTHING, no_room};
use super::key::Key;
use super::list;
use super::state::{Command, Mode, State};
use crate::engine::{Objective, RECIPES, Recipe};

/// Opens the input line for an objective, with the current objective as text.
pub(super) fn open_objective(state: &mut State) -> Vec<Command> {
    let run = state.snapshot.run.as_ref().map(|run| run.plan.last_objective().to_string());
    let text = run.unwrap_or_else(|| state.plan().objective.to_string());
    state.mode = Mode::Objective(text);
    NOTHING
}

/// Opens the list of recipes with the cursor on the one in use.
pub(super) fn open_recipes(state: &mut State) -> Vec<Command> {
    if !state.full {
        return no_room(state, "the list of recipes");
    }
    let current = recipes().iter().position(|recipe| recipe.name == state.settings.recipe.name);
    state.mode = Mode::Recipes(current.unwrap_or_default());
    NOTHING
}

/// Undoes some steps of the run.
pub(super) fn back(state: &mut State) -> Vec<Command> {
    if state.snapshot.run.is_none() {
        state.remark = Some("there is no run whose steps can be undone".into());
        return NOTHING;
    }
    vec![Command::Back]
}

/// The recipes that need only a channel. The others start from a picture, which only `trepang render` accepts.
pub fn recipes() -> Vec<Recipe> {
    RECIPES.iter().filter_map(|name| Recipe::named(name)).filter(|recipe| !recipe.wants_picture()).collect()
}

/// Handles a key while an objective is typed.
pub(super) fn type_objective(state: &mut State, key: Key) -> Vec<Command> {
    let Mode::Objective(text) = &mut state.mode else { return NOTHING };
    match key {
        Key::Enter => return use_objective(state),
        Key::Tab => complete(state),
        other => edit(text, other).unwrap_or_else(|| state.mode = Mode::Browse),
    }
    NOTHING
}

/// Handles a key in a line of text. Returns `None` if the key cancels.
fn edit(text: &mut String, key: Key) -> Option<()> {
    match key {
        Key::Char(c) => text.push(c),
        Key::Backspace => drop(text.pop()),
        Key::Ctrl('u') => text.clear(),
        Key::Escape => return None,
        _ => {}
    }
    Some(())
}

/// Parses the typed objective and uses it for the run on the screen, or starts a run.
fn use_objective(state: &mut State) -> Vec<Command> {
    let Mode::Objective(text) = &state.mode else { return NOTHING };
    let objective: Objective = match text.parse() {
        Ok(objective) => objective,
        Err(error) => {
            state.remark = Some(format!("at character {} {}", error.at + 1, error.wrong));
            return NOTHING;
        }
    };
    state.mode = Mode::Browse;
    if state.is_switching() {
        return NOTHING;
    }
    let recipe = state.settings.recipe.clone();
    if state.has_run() {
        vec![Command::Change { objective, recipe: recipe.into() }]
    } else {
        vec![Command::Start(Box::new(state.settings.clone().plan(objective)))]
    }
}

/// Completes the name of a layer or function at the end of the line as far as it is unique, and lists the candidates.
fn complete(state: &mut State) {
    let Mode::Objective(text) = &state.mode else { return };
    let begin = text.rfind(|c: char| " (,*+-".contains(c)).map_or(0, |at| at + 1);
    let (before, typed) = text.split_at(begin);
    let known = if before.trim_end().ends_with('(') { layer_names(state) } else { function_names() };
    let fitting: Vec<&String> = known.iter().filter(|name| name.starts_with(typed)).collect();
    let Some(first) = fitting.first() else {
        state.remark = Some(format!("no name begins with \"{typed}\""));
        return;
    };
    let common = fitting.iter().fold(first.as_str(), |common, name| common_prefix(common, name));
    let completed = format!("{before}{common}");
    if fitting.len() > 1 {
        state.remark = Some(fitting.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("  "));
    }
    state.mode = Mode::Objective(completed);
}

fn layer_names(state: &State) -> Vec<String> {
    let forms = state.layers.iter().flat_map(|layer| {
        let pre = layer.has_pre.then(|| format!("{}:pre", layer.name));
        [Some(layer.name.clone()), pre]
    });
    forms.flatten().collect()
}

fn function_names() -> Vec<String> {
    Objective::functions().map(|name| format!("{name}(")).collect()
}

/// The longest common prefix of two names.
fn common_prefix<'a>(a: &'a str, b: &str) -> &'a str {
    let same = a.char_indices().zip(b.chars()).find(|((_, a), b)| a != b);
    &a[..same.map_or(a.len().min(b.len()), |((at, _), _)| at)]
}

/// Handles a key while the list of recipes is open with the cursor on line `cursor`.
pub(super) fn press(state: &mut State, cursor: usize, key: Key) -> Vec<Command> {
    let all = recipes();
    match (key, all.get(cursor)) {
        (Key::Enter, Some(recipe)) => use_recipe(state, recipe.clone()),
        (Key::Char('e'), Some(recipe)) => {
            // The recipe in use keeps its changes; another one starts from its own numbers.
            if recipe.name != state.settings.recipe.name {
                state.settings.recipe = recipe.clone();
            }
            state.mode = Mode::Numbers(String::new());
            NOTHING
        }
        (Key::Char('R'), _) => {
            state.mode = Mode::Browse;
            NOTHING
        }
        _ => list::press(state, key, (cursor, all.len()), Mode::Recipes).unwrap_or_default(),
    }
}

/// Handles a key while numbers of the recipe are typed, as `key=value key=value`.
pub(super) fn type_numbers(state: &mut State, key: Key) -> Vec<Command> {
    let Mode::Numbers(text) = &mut state.mode else { return NOTHING };
    if key != Key::Enter {
        edit(text, key).unwrap_or_else(|| state.mode = Mode::Browse);
        return NOTHING;
    }
    let mut set = Vec::new();
    for word in text.split_whitespace() {
        match word.split_once('=') {
            Some((key, value)) => set.push((key.to_owned(), value.to_owned())),
            None => {
                state.remark = Some(format!("\"{word}\" is not key=value, such as optimizer.rate=0.1"));
                return NOTHING;
            }
        }
    }
    match state.settings.recipe.with(&set) {
        Ok(recipe) => use_recipe(state, recipe),
        Err(error) => {
            state.remark = Some(error);
            NOTHING
        }
    }
}

/// Uses the recipe for the run on the screen and for the next one.
fn use_recipe(state: &mut State, recipe: Recipe) -> Vec<Command> {
    state.mode = Mode::Browse;
    if state.is_switching() {
        return NOTHING;
    }
    if recipe.steps != state.settings.recipe.steps {
        state.settings.steps = recipe.steps;
    }
    state.settings.recipe = recipe.clone();
    let Some(run) = state.snapshot.run.as_ref().filter(|_| state.has_run()) else {
        state.remark = Some(format!("the next run uses the recipe {}", recipe.name));
        return NOTHING;
    };
    vec![Command::Change { objective: run.plan.last_objective().clone(), recipe: recipe.into() }]
}
