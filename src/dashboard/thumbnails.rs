//! The pictures beside the list of saved runs: those around its cursor, asked for when they come into sight.

use std::ops::Range;

use super::actions::NOTHING;
use super::question::OpenQuestion;
use super::state::{Effect, Mode, State};
use crate::worker::protocol::{Action, SavedRunAction};

impl State {
    /// The line of the list of saved runs that the cursor is on, if the list is open.
    pub fn run_cursor(&self) -> Option<usize> {
        let cursor = match &self.mode {
            Mode::Runs(cursor) | Mode::Question(OpenQuestion::Delete { cursor, .. }) => *cursor,
            Mode::Browse
            | Mode::Prompt(..)
            | Mode::Help(_)
            | Mode::Networks(_)
            | Mode::Devices(_)
            | Mode::Recipes(_)
            | Mode::Settings(_)
            | Mode::Marks(_)
            | Mode::Question(OpenQuestion::Leave)
            | Mode::Command(_) => return None,
        };
        Some(cursor.min(self.snapshot.runs.len().saturating_sub(1)))
    }

    /// The runs whose pictures are beside the list: as many as have room, around the cursor.
    pub fn runs_in_pictures(&self) -> Range<usize> {
        let (rows, len) = (self.run_pictures.rows, self.snapshot.runs.len());
        let cursor = self.run_cursor().unwrap_or_default();
        let first = cursor.saturating_sub(rows / 2).min(len.saturating_sub(rows));
        first..len.min(first + rows)
    }

    /// Asks for the pictures in sight that were not asked for yet.
    pub(super) fn ask_for_thumbnails(&mut self) -> Vec<Effect> {
        if self.run_cursor().is_none() {
            return NOTHING;
        }
        let in_sight = &self.snapshot.runs[self.runs_in_pictures()];
        let wanted: Vec<String> = in_sight
            .iter()
            .filter(|entry| self.run_pictures.want(&entry.name, entry.step))
            .map(|entry| entry.name.clone())
            .collect();
        if wanted.is_empty() {
            return NOTHING;
        }
        vec![Effect::Ask(Action::OfSavedRun(SavedRunAction::Thumbnails(wanted)))]
    }
}
