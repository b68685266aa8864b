//! The settings of the next ascent: the list of them, and what is typed for each. Not here: what they do to a run.

use super::actions::{NOTHING, no_room};
use super::list;
use super::prompt::Prompt;
use super::setting::Setting;
use super::state::{Effect, Mode, State};
use super::steer;
use crate::engine::{AskedSize, Objective, SIZE_NEEDED, Start, as_typed};
use crate::worker::protocol::Action;

impl State {
    /// The value of a setting, as it is typed.
    pub fn setting(&self, setting: Setting) -> String {
        match setting {
            Setting::Recipe => self.settings.recipe.name.clone(),
            Setting::Size => self.settings.size.to_string(),
            Setting::Steps => self.settings.steps.to_string(),
            Setting::Seed => self.settings.seed.to_string(),
            Setting::Start => match &self.settings.start {
                Start::Noise => "noise".into(),
                Start::Gray => "gray".into(),
                Start::Picture { file, .. } => file.clone(),
            },
        }
    }

    /// Whether the recipe begins with a picture and there is none; if so, its file is asked for.
    pub(super) fn lacks_picture(&mut self) -> bool {
        let recipe = &self.settings.recipe;
        let lacks = recipe.wants_picture() && !matches!(self.settings.start, Start::Picture { .. });
        if lacks {
            self.remark = Some(format!(
                "the recipe {} begins with a picture: type its file, Tab completes",
                recipe.name
            ));
            self.ask(Prompt::Setting(Setting::Start), "");
        }
        lacks
    }

    /// The effect that starts the ascent, or a remark on why it cannot be started.
    pub(super) fn start_with(&mut self, objective: &Objective) -> Vec<Effect> {
        if self.lacks_picture() {
            return NOTHING;
        }
        match self.settings.clone().plan(objective) {
            Ok(plan) => {
                let is_open = matches!(self.settings.size, AskedSize::Longer(_));
                let start = match &plan.start {
                    Start::Picture { .. } if is_open => Action::StartInShape,
                    Start::Picture { .. } | Start::Noise | Start::Gray => Action::Start,
                };
                vec![Effect::Ask(start(Box::new(plan)))]
            }
            Err(reason) => {
                self.remark = Some(reason);
                NOTHING
            }
        }
    }
}

/// Opens the list of settings.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    if !state.full {
        return no_room(state, "the list of settings");
    }
    state.mode = Mode::Settings(0);
    NOTHING
}

/// A command while the list is open and `cursor` is on one of its lines.
pub(super) fn act(state: &mut State, cursor: usize, command: &str) -> Vec<Effect> {
    match (command, Setting::ALL.get(cursor)) {
        ("list-choose", Some(Setting::Recipe)) => steer::open_recipes(state),
        ("list-choose", Some(setting)) => {
            let value = state.setting(*setting);
            state.ask(Prompt::Setting(*setting), value);
            NOTHING
        }
        _ => list::act(state, command, (cursor, Setting::ALL.len()), Mode::Settings),
    }
}

/// Takes the text that was typed for a setting. One that cannot be is left to be typed anew.
pub(super) fn take(state: &mut State, setting: Setting, text: &str) -> Vec<Effect> {
    let taken = match setting {
        Setting::Recipe => Ok(NOTHING),
        Setting::Size => text.parse().and_then(|size: AskedSize| {
            if size.without_shape().shorter() == 0 {
                return Err(SIZE_NEEDED.into());
            }
            let taken = state.network.sizes.check(&state.settings.recipe, size.without_shape());
            taken.map_err(|reason| format!("{} cannot take {size} pixels: {reason}", state.network.name))?;
            state.settings.size = size;
            Ok(NOTHING)
        }),
        Setting::Steps => at_least_one(text).map(|steps| set_steps(state, steps)),
        Setting::Seed => {
            as_typed(text).parse().map_err(|_| "a seed is a whole number, 0 or more".to_owned()).map(|seed| {
                state.settings.seed = seed;
                NOTHING
            })
        }
        Setting::Start => start_picture(text).map(|start| {
            let begins = state.settings.recipe.wants_picture() && matches!(start, Start::Picture { .. });
            state.settings.start = start;
            state.mode = Mode::Browse;
            // Who was asked for the picture had chosen a recipe that begins with it.
            if begins && !state.is_switching() { state.start_with(&state.target()) } else { NOTHING }
        }),
    };
    match taken {
        Ok(effects) => {
            state.mode = Mode::Browse;
            state.remark.get_or_insert_with(|| format!("the next run has the {} {text}", setting.name()));
            effects
        }
        Err(reason) => {
            state.remark = Some(reason);
            NOTHING
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let number = as_typed(text).parse::<u32>().ok().filter(|number| *number > 0);
    let number = number.and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| format!("a whole number of 1 or more belongs here, up to {}", u32::MAX))
}

/// Sets the steps of the next run and, if there is one, of the run on the screen.
fn set_steps(state: &mut State, steps: usize) -> Vec<Effect> {
    state.settings.steps = steps;
    let planned = state.snapshot.run.as_ref().map(|run| run.plan.steps);
    match planned.filter(|_| state.has_run()) {
        Some(planned) => {
            let by = isize::try_from(steps).unwrap_or(isize::MAX).saturating_sub_unsigned(planned);
            vec![Effect::Ask(Action::ChangeSteps(by))]
        }
        None => NOTHING,
    }
}

/// The image before the first step of this name. The worker reads the file, and says if it cannot.
fn start_picture(text: &str) -> Result<Start, String> {
    match text {
        "" => Err("noise, gray or a picture's file belongs here".into()),
        "noise" => Ok(Start::Noise),
        "gray" => Ok(Start::Gray),
        file if file.contains('"') => {
            Err(format!("{file} cannot be named in an objective; rename it without the quote"))
        }
        file => Ok(Start::Picture { file: file.into(), sha256: String::new() }),
    }
}
