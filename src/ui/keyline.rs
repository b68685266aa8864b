//! The last line: what the user has to be told, or the most useful keys, made from the key table.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::View;
use crate::app::{BINDINGS, Mode, State};

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let told = state.remark.as_deref().or(state.snapshot.notice.as_deref());
    let line = match (&state.mode, told) {
        (Mode::Jump(typed), _) => {
            let last = state.channels().saturating_sub(1);
            Line::styled(format!("go to channel (0 to {last}): {typed}\u{2581}   Enter goes, Esc gives up"), view.theme.accent)
        }
        (_, Some(told)) => Line::styled(told.to_owned(), view.theme.warning),
        _ => keys(view),
    };
    frame.render_widget(Paragraph::new(line), area);
}

fn keys<'a>(view: &View) -> Line<'a> {
    let arrows = [Span::styled("arrows", view.theme.accent), Span::raw(" move  ")];
    let keys = BINDINGS.iter().filter(|binding| !binding.short.is_empty()).flat_map(|binding| {
        [Span::styled(binding.shown, view.theme.accent), Span::raw(format!(" {}  ", binding.short))]
    });
    arrows.into_iter().chain(keys).collect()
}
