//! The keys that answer the question that is open.

use super::actions::NOTHING;
use super::key::Key;
use super::question::OpenQuestion;
use super::saved_runs;
use super::state::{Effect, Mode, State};

/// A key that answers a question.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other key stays")]
pub(super) fn press(state: &mut State, question: OpenQuestion, key: Key) -> Vec<Effect> {
    match question {
        OpenQuestion::Leave => {
            let leaves = key == Key::Char('y') || state.keys.runs(key, "quit");
            state.mode = Mode::Browse;
            match key {
                _ if leaves => vec![Effect::Quit],
                Key::Char('d') => vec![Effect::LeaveRunning],
                _ => NOTHING,
            }
        }
        OpenQuestion::Delete { name, cursor } => {
            state.mode = Mode::Runs(cursor);
            if key == Key::Char('y') { saved_runs::delete(name) } else { NOTHING }
        }
    }
}
