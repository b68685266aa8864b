//! The keys that answer the question that is open.

use super::actions::NOTHING;
use super::key::Key;
use super::key_scope::KeyScope;
use super::question::OpenQuestion;
use super::saved_runs;
use super::state::{Effect, Mode, State};

/// A key that answers a question.
pub(super) fn press(state: &mut State, question: OpenQuestion, key: Key) -> Vec<Effect> {
    let quits = state.keys.runs(key, "quit");
    let answer = state.keys.lookup_in(KeyScope::Questions, key).map_or("", |binding| binding.name);
    match question {
        OpenQuestion::Leave => {
            state.mode = Mode::Browse;
            match answer {
                "leave-running" => vec![Effect::LeaveRunning],
                "answer-yes" => vec![Effect::Quit],
                _ if quits => vec![Effect::Quit],
                _ => NOTHING,
            }
        }
        OpenQuestion::Delete { name, cursor } => {
            state.mode = Mode::Runs(cursor);
            if answer == "answer-yes" { saved_runs::delete(name) } else { NOTHING }
        }
    }
}
