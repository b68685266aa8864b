//! A fork: a new run that takes the first steps of the one on the screen again and raises another objective from there on.

use super::actions::NOTHING;
use super::prompt::Prompt;
use super::state::{Effect, Mode, State};
use super::steer::read_objective;
use crate::engine::{Change, Plan};
use crate::worker::protocol::Action;

/// Opens the line where the other objective is typed, with that of the step on the screen.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let Some((step, plan)) = state.step_on_screen() else {
        let key = state.keys.shown("start");
        state.remark = Some(format!("there is no run to fork from: {key} starts an ascent"));
        return NOTHING;
    };
    let text = plan.at(step).0.to_string();
    state.ask(Prompt::Fork, text.as_str());
    NOTHING
}

/// Starts the new run with the objective that was typed.
pub(super) fn take(state: &mut State, text: &str) -> Vec<Effect> {
    let objective = match read_objective(state, text) {
        Ok(objective) => objective,
        Err(reason) => {
            state.remark = Some(reason);
            return NOTHING;
        }
    };
    let Some((step, plan)) = state.step_on_screen() else {
        state.mode = Mode::Browse;
        return NOTHING;
    };
    if *plan.at(step).0 == objective {
        state.remark = Some("the run raises that already: type another objective".into());
        return NOTHING;
    }
    let mut plan = Plan::clone(plan);
    let recipe = plan.at(step).1.clone();
    plan.changes.retain(|change| change.step < step);
    plan.lengths.retain(|length| length.step < step);
    if step == 0 {
        (plan.objective, plan.recipe) = (objective, recipe);
    } else {
        plan.changes.push(Change { step, objective, recipe });
    }
    if plan.steps <= step {
        plan.steps = step + state.settings.steps;
    }
    state.mode = Mode::Browse;
    if state.is_switching() {
        return NOTHING;
    }
    state.remark = Some(match step {
        0 => "a new run, from the same start".into(),
        step => format!("a new run: steps 1 to {step} are taken again, then it raises the other objective"),
    });
    vec![Effect::Ask(Action::Start(Box::new(plan)))]
}

impl State {
    /// The step whose picture is on the screen, and the plan of its run.
    fn step_on_screen(&self) -> Option<(usize, &Plan)> {
        let run = self.snapshot.run.as_ref()?;
        let step = self.looked_back_on().map_or(run.step, |(step, _)| step);
        Some((step, &run.plan))
    }
}
