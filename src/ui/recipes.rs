//! The list of recipes, over the panes. The recipe in use is marked.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::View;
use super::list::{self, ListStyle, shortened};
use crate::dashboard::{State, recipes};

/// Columns of the longest name, `accentuate`, with a space after it.
const NAME_WIDTH: usize = 11;

/// Columns that are left for what a recipe is about.
const ABOUT_WIDTH: usize = 54;

const STYLE: ListStyle = ListStyle { title: "recipes", width: 69, empty: "" };

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect, cursor: usize) {
    let current = &state.settings.recipe.name;
    let line = |(index, recipe): (usize, crate::engine::Recipe)| {
        let mark = if recipe.name == *current { "\u{25b8}" } else { " " };
        let style = if index == cursor { view.theme.cursor } else { Style::default() };
        let text = format!("{:<NAME_WIDTH$}{}", recipe.name, shortened(&recipe.about, ABOUT_WIDTH));
        Line::from(vec![Span::styled(format!(" {mark} "), view.theme.running), Span::styled(text, style)])
    };
    let lines = recipes().into_iter().enumerate().map(line).collect();
    list::render(frame, view, area, &STYLE, cursor, lines);
}
