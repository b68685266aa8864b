//! The last two lines: what the user has to be told, and the most useful keys, made from the key table.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::{View, is_full};
use crate::app::{BINDINGS, Mode, State};

/// The keys of what needs room for all panes.
const OVERLAYS: [&str; 4] = ["?", "N", "B", "R"];

/// The keys of the list of networks.
const LIST_KEYS: &[(&str, &str)] =
    &[("arrows", "move"), ("Enter", "switch"), ("c", "judge, or not"), ("Esc", "close")];

/// The keys of the list of devices.
const DEVICE_KEYS: &[(&str, &str)] = &[("arrows", "move"), ("Enter", "go on there"), ("Esc", "close")];

/// The keys of the list of recipes.
const RECIPE_KEYS: &[(&str, &str)] =
    &[("arrows", "move"), ("Enter", "follow"), ("e", "with other numbers"), ("Esc", "close")];

/// A remark on the last key, or else the worker's notice.
pub(super) fn message(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    frame.render_widget(Paragraph::new(told(state).unwrap_or_default()).style(view.theme.warning), area);
}

/// The words of [`message`], if there are any.
pub(super) fn told(state: &State) -> Option<&str> {
    state.remark.as_deref().or(state.snapshot.notice.as_deref())
}

/// The question for a channel's number and what has been typed, as long as fits.
pub(super) fn prompt(state: &State, typed: &str, width: usize) -> String {
    let last = state.channels().saturating_sub(1);
    let long = [
        format!("go to channel (0 to {last}): {typed}\u{2581}   Enter goes, Esc gives up"),
        format!("go to channel (0 to {last}): {typed}\u{2581}"),
        format!("channel 0-{last}: {typed}\u{2581}"),
    ];
    let fits = |text: &String| text.chars().count() <= width;
    long.into_iter().find(fits).unwrap_or_else(|| format!("{typed}\u{2581}"))
}

/// The line of text that is being typed, its end where it does not fit whole; none if nothing is.
pub(super) fn typing(state: &State, width: usize) -> Option<String> {
    let (question, typed) = match &state.mode {
        Mode::Objective(text) => ("objective: ".to_owned(), text),
        Mode::Numbers(text) => (format!("{} with key=value: ", state.settings.recipe.name), text),
        _ => return None,
    };
    let room = width.saturating_sub(question.chars().count() + 1);
    let skipped = typed.chars().count().saturating_sub(room);
    let shown: String = typed.chars().skip(skipped).collect();
    Some(format!("{question}{shown}\u{2581}"))
}

/// The keys, or the number that is being typed.
pub(super) fn keys(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let line = match &state.mode {
        Mode::Jump(typed) => Line::styled(prompt(state, typed, usize::from(area.width)), view.theme.accent),
        Mode::Objective(_) | Mode::Numbers(_) => {
            Line::styled(typing(state, usize::from(area.width)).unwrap_or_default(), view.theme.accent)
        }
        Mode::Recipes(_) => named(RECIPE_KEYS, view),
        Mode::Networks(_) => named(LIST_KEYS, view),
        Mode::Devices(_) => named(DEVICE_KEYS, view),
        _ => from_table(view, usize::from(area.width), is_full(frame.area())),
    };
    frame.render_widget(Paragraph::new(line), area);
}

/// As many keys as fit whole; the last two, help and quit, always do. Help and the lists only where there is
/// room for them.
fn from_table<'a>(view: &View, width: usize, full: bool) -> Line<'a> {
    let mut shown: Vec<(&'static str, &'static str)> = vec![("arrows", "move")];
    let with_words = BINDINGS.iter().filter(|binding| !binding.short.is_empty());
    shown.extend(with_words.map(|b| (b.shown, b.short)).filter(|(key, _)| full || !OVERLAYS.contains(key)));
    let room =
        |keys: &[(&str, &str)]| keys.iter().map(|(key, word)| key.len() + word.len() + 3).sum::<usize>();
    while room(&shown) > width && shown.len() > 3 {
        shown.remove(shown.len() - 3);
    }
    named(&shown, view)
}

fn named<'a>(keys: &[(&'static str, &'static str)], view: &View) -> Line<'a> {
    let spans = |&(key, word): &(&'static str, &'static str)| {
        [Span::styled(key, view.theme.accent), Span::raw(format!(" {word}  "))]
    };
    keys.iter().flat_map(spans).collect()
}
