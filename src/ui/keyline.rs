//! The last two lines: what the user has to be told, and the most useful keys, made from the key table.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::View;
use crate::app::{BINDINGS, Mode, State};

/// A remark on the last key, or else the worker's notice.
pub(super) fn message(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let told = state.remark.as_deref().or(state.snapshot.notice.as_deref()).unwrap_or_default();
    frame.render_widget(Paragraph::new(told).style(view.theme.warning), area);
}

/// The keys, or the number that is being typed.
pub(super) fn keys(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let line = match &state.mode {
        Mode::Jump(typed) => {
            let last = state.channels().saturating_sub(1);
            let text = format!("go to channel (0 to {last}): {typed}\u{2581}   Enter goes, Esc gives up");
            Line::styled(text, view.theme.accent)
        }
        _ => from_table(view, usize::from(area.width)),
    };
    frame.render_widget(Paragraph::new(line), area);
}

/// As many keys as fit whole; the last two, help and quit, always do.
fn from_table<'a>(view: &View, width: usize) -> Line<'a> {
    let mut shown: Vec<(&str, &str)> = vec![("arrows", "move")];
    shown.extend(BINDINGS.iter().filter(|b| !b.short.is_empty()).map(|b| (b.shown, b.short)));
    let room =
        |keys: &[(&str, &str)]| keys.iter().map(|(key, word)| key.len() + word.len() + 3).sum::<usize>();
    while room(&shown) > width && shown.len() > 3 {
        shown.remove(shown.len() - 3);
    }
    let spans = |(key, word): (&'static str, &'static str)| {
        [Span::styled(key, view.theme.accent), Span::raw(format!(" {word}  "))]
    };
    shown.into_iter().flat_map(spans).collect()
}
