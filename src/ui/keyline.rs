//! The last two lines: the message for the user, and the most useful keys from the key table.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::list::shortened;
use super::{View, is_full};
use crate::dashboard::{BINDINGS, Mode, Shown, State};

/// The keys that open an overlay, which needs room for all panes.
const OVERLAY_KEYS: [&str; 5] = ["?", "N", "B", "R", "S"];

/// The keys of the list of networks.
const NETWORK_KEYS: &[(&str, &str)] =
    &[("arrows", "move"), ("Enter", "switch"), ("c", "classify or not"), ("Esc", "close")];

/// The keys of the list of devices.
const DEVICE_KEYS: &[(&str, &str)] = &[("arrows", "move"), ("Enter", "continue there"), ("Esc", "close")];

/// The keys of the list of settings.
const SETTING_KEYS: &[(&str, &str)] = &[("arrows", "move"), ("Enter", "change"), ("Esc", "close")];

/// The keys of the list of recipes.
const RECIPE_KEYS: &[(&str, &str)] =
    &[("arrows", "move"), ("Enter", "use"), ("e", "change numbers"), ("Esc", "close")];

/// The keys of the mosaic, by importance; the last two are always shown.
const MOSAIC_KEYS: &[(&str, &str)] = &[
    ("arrows", "move"),
    ("Enter", "open"),
    ("PgDn", "page"),
    ("< >", "layer"),
    ("M", "back"),
    ("z", "larger"),
    ("a", "queue"),
    ("?", "help"),
    ("q", "quit"),
];

/// Draws the remark on the last key, or else the worker's notice.
pub(super) fn message(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let text = shortened(message_text(state).unwrap_or_default(), area.width.into());
    frame.render_widget(Paragraph::new(text).style(view.theme.warning), area);
}

/// The text of [`message`], if there is one.
pub(super) fn message_text(state: &State) -> Option<&str> {
    state.remark.as_deref().or(state.snapshot.notice.as_deref())
}

/// The prompt for a channel's number with the text typed so far, in the longest form that fits.
pub(super) fn prompt(state: &State, typed: &str, width: usize) -> String {
    let last = state.channels().saturating_sub(1);
    let long = [
        format!("go to channel (0 to {last}): {typed}\u{2581}   Enter goes, Esc cancels"),
        format!("go to channel (0 to {last}): {typed}\u{2581}"),
        format!("channel 0-{last}: {typed}\u{2581}"),
    ];
    let fits = |text: &String| text.chars().count() <= width;
    long.into_iter().find(fits).unwrap_or_else(|| format!("{typed}\u{2581}"))
}

/// The input line with the text typed so far, or its end if it is too long; `None` if no text is being typed.
pub(super) fn typing(state: &State, width: usize) -> Option<String> {
    let (question, typed) = match &state.mode {
        Mode::Objective(text) => ("objective: ".to_owned(), text),
        Mode::Setting(setting, text) => (format!("{} ({}): ", setting.name(), setting.hint()), text),
        Mode::Numbers(text) => (format!("{} key=value: ", state.settings.recipe.name), text),
        _ => return None,
    };
    let room = width.saturating_sub(question.chars().count() + 1);
    let skipped = typed.chars().count().saturating_sub(room);
    let shown: String = typed.chars().skip(skipped).collect();
    Some(format!("{question}{shown}\u{2581}"))
}

/// Draws the keys, or the input line.
pub(super) fn keys(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let line = match &state.mode {
        Mode::Jump(typed) => Line::styled(prompt(state, typed, usize::from(area.width)), view.theme.accent),
        Mode::Objective(_) | Mode::Numbers(_) | Mode::Setting(..) => {
            Line::styled(typing(state, usize::from(area.width)).unwrap_or_default(), view.theme.accent)
        }
        Mode::Recipes(_) => key_line(RECIPE_KEYS, view),
        Mode::Settings(_) => key_line(SETTING_KEYS, view),
        Mode::Networks(_) => key_line(NETWORK_KEYS, view),
        Mode::Devices(_) => key_line(DEVICE_KEYS, view),
        _ if state.shown == Shown::Mosaic => {
            key_line(&fitting(MOSAIC_KEYS.to_vec(), area.width.into()), view)
        }
        _ => from_table(view, usize::from(area.width), is_full(frame.area())),
    };
    frame.render_widget(Paragraph::new(line), area);
}

/// The line of as many keys as fit; the last two, help and quit, are always shown. The keys of overlays are left out if
/// there is no room for overlays.
fn from_table<'a>(view: &View, width: usize, full: bool) -> Line<'a> {
    let mut shown: Vec<(&'static str, &'static str)> = vec![("arrows", "move")];
    let with_words = BINDINGS.iter().filter(|binding| !binding.short.is_empty());
    shown.extend(
        with_words.map(|b| (b.shown, b.short)).filter(|(key, _)| full || !OVERLAY_KEYS.contains(key)),
    );
    key_line(&fitting(shown, width), view)
}

/// As many keys as fit into so many columns, with the last two.
fn fitting(mut keys: Vec<(&'static str, &'static str)>, width: usize) -> Vec<(&'static str, &'static str)> {
    let room =
        |keys: &[(&str, &str)]| keys.iter().map(|(key, word)| key.len() + word.len() + 3).sum::<usize>();
    while room(&keys) > width && keys.len() > 3 {
        keys.remove(keys.len() - 3);
    }
    keys
}

fn key_line<'a>(keys: &[(&'static str, &'static str)], view: &View) -> Line<'a> {
    let spans = |&(key, word): &(&'static str, &'static str)| {
        [Span::styled(key, view.theme.accent), Span::raw(format!(" {word}  "))]
    };
    keys.iter().flat_map(spans).collect()
}
