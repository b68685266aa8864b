//! The last two lines: the message for the user, and the most useful keys from the key table.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::list::shortened;
use super::{View, is_full};
use crate::dashboard::{Key, LineEditor, Mode, OpenQuestion, Prompt, Shown, State};

/// The commands that open an overlay, which needs room for all panes.
const OVERLAYS: [&str; 5] = ["help", "networks", "devices", "recipe", "settings"];

/// A key with the words for it.
type KeyWords = (String, String);

/// A command of a list, with the word for what it does there.
type ListWords = (&'static str, &'static str);

/// The commands of the list of networks.
const NETWORK_COMMANDS: &[ListWords] =
    &[("list-choose", "switch"), ("network-classify", "classify or not"), ("list-close", "close")];

/// The commands of the list of devices.
const DEVICE_COMMANDS: &[ListWords] = &[("list-choose", "continue there"), ("list-close", "close")];

/// The commands of the list of settings.
const SETTING_COMMANDS: &[ListWords] = &[("list-choose", "change"), ("list-close", "close")];

/// The commands of the list of recipes.
const RECIPE_COMMANDS: &[ListWords] =
    &[("list-choose", "use"), ("recipe-numbers", "change numbers"), ("list-close", "close")];

/// The commands of the list of marks.
const MARK_COMMANDS: &[ListWords] = &[
    ("list-choose", "go there"),
    ("mark-choose", "choose"),
    ("mark-compare", "side by side"),
    ("mark-remove", "remove"),
    ("list-close", "close"),
];

/// The commands of the list of runs.
const RUN_COMMANDS: &[ListWords] = &[
    ("list-choose", "open"),
    ("run-go-on", "go on"),
    ("run-export", "export"),
    ("run-undelete", "undo delete"),
    ("run-delete", "delete"),
    ("list-close", "close"),
];

/// The commands of the mosaic, by importance; the last two are always shown.
const MOSAIC_COMMANDS: [(&str, &str); 9] = [
    ("start", "open"),
    ("page-down", "page"),
    ("previous-layer", ""),
    ("next-layer", "layer"),
    ("mosaic", "back"),
    ("zoom", "larger"),
    ("queue", "queue"),
    ("help", "help"),
    ("quit", "quit"),
];

/// The commands of the lab, by importance; the last two are always shown.
const LAB_COMMANDS: [(&str, &str); 6] = [
    ("lab", "back"),
    ("previous-layer", ""),
    ("next-layer", "layer"),
    ("go-to", "channel"),
    ("help", "help"),
    ("quit", "quit"),
];

/// Draws the remark on the last key, or else the worker's notice.
pub(super) fn message(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let pixel = state.pixel_words().filter(|_| state.mode == Mode::Browse && state.remark.is_none());
    let text = pixel.as_deref().or(message_text(state)).unwrap_or_default();
    let text = shortened(text, area.width.into());
    frame.render_widget(Paragraph::new(text).style(view.theme.warning), area);
}

/// The text of [`message`], if there is one.
pub(super) fn message_text(state: &State) -> Option<&str> {
    if let Mode::Question(question) = &state.mode {
        return Some(question.words());
    }
    state.remark.as_deref().or(state.snapshot.notice.as_deref())
}

/// The line that is open with what was typed in it; `None` if none is open.
pub(super) fn prompt<'a>(state: &State, width: usize) -> Option<Line<'a>> {
    let Mode::Prompt(prompt, line) = &state.mode else { return None };
    let (question, advice) = question(state, *prompt, line.text().width(), width);
    let room = width.saturating_sub(question.width());
    let (before, at, after) = visible(line, room);
    let cursor = match at {
        Some(under) => Span::styled(under.to_string(), Style::new().add_modifier(Modifier::REVERSED)),
        None => Span::raw("\u{2581}"),
    };
    Some(Line::from(vec![Span::raw(question + before), cursor, Span::raw(after), Span::raw(advice)]))
}

/// The question of a line, in the longest form that leaves room for a text so many columns wide, and the keys, if there is
/// room for them too.
fn question(state: &State, prompt: Prompt, typed: usize, width: usize) -> (String, &'static str) {
    match prompt {
        Prompt::Channel => {
            let last = state.channels().saturating_sub(1);
            let long = format!("go to channel (0 to {last}): ");
            let forms = [
                (long.clone(), "   Enter goes, Esc cancels"),
                (long, ""),
                (format!("channel 0-{last}: "), ""),
            ];
            let fits = |(text, advice): &(String, &str)| text.len() + typed + 1 + advice.len() <= width;
            forms.into_iter().find(fits).unwrap_or_default()
        }
        Prompt::Objective => ("objective: ".into(), ""),
        Prompt::Find => ("/".into(), ""),
        Prompt::Command => (":".into(), ""),
        Prompt::Fork => ("fork with objective: ".into(), ""),
        Prompt::Export => ("write the picture to: ".into(), ""),
        Prompt::Setting(setting) => (format!("{} ({}): ", setting.name(), setting.hint()), ""),
        Prompt::Numbers => (format!("{} key=value: ", state.settings.recipe.name), ""),
    }
}

/// The part of a line that fits into so many columns, always with the cursor: what is before it, the character under it,
/// if it is on one, and what is behind.
fn visible(line: &LineEditor, columns: usize) -> (&str, Option<char>, String) {
    let (mut before, after) = line.parts();
    let mut behind = after.chars();
    let at = behind.next();
    let cursor = at.and_then(UnicodeWidthChar::width).unwrap_or(1).max(1);
    while !before.is_empty() && before.width() + cursor > columns {
        let mut characters = before.chars();
        characters.next();
        before = characters.as_str();
    }
    let mut room = columns.saturating_sub(before.width() + cursor);
    let fits = |c: &char| {
        let width = c.width().unwrap_or(0);
        let fits = width <= room;
        room = room.saturating_sub(width);
        fits
    };
    (before, at, behind.take_while(fits).collect())
}

/// Draws the keys, or the input line.
pub(super) fn keys(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let line = match &state.mode {
        Mode::Prompt(..) => {
            let line = prompt(state, usize::from(area.width));
            line.unwrap_or_default().style(view.theme.accent)
        }
        Mode::Recipes(_) => of_list(state, view, RECIPE_COMMANDS, area),
        Mode::Settings(_) => of_list(state, view, SETTING_COMMANDS, area),
        Mode::Networks(_) => of_list(state, view, NETWORK_COMMANDS, area),
        Mode::Devices(_) => of_list(state, view, DEVICE_COMMANDS, area),
        Mode::Runs(_) => of_list(state, view, RUN_COMMANDS, area),
        Mode::Marks(_) => of_list(state, view, MARK_COMMANDS, area),
        Mode::Question(question) => key_line(&of_question(state, question), view),
        _ => {
            let keys = match state.shown {
                Shown::Mosaic => of_commands(state, "move", &MOSAIC_COMMANDS),
                Shown::Lab => of_commands(state, "photographs", &LAB_COMMANDS),
                Shown::Panes | Shown::Picture | Shown::Beside => from_table(state, is_full(frame.area())),
            };
            key_line(&fitting(keys, area.width.into()), view)
        }
    };
    frame.render_widget(Paragraph::new(line), area);
}

/// The keys that move the cursor, where something else does besides the arrows or instead of them.
fn moving(state: &State, up: &str, down: &str) -> KeyWords {
    let default =
        |command: &str, key: Key| state.keys.bound(command).is_some_and(|bound| bound.keys.contains(&key));
    let keys = if default(up, Key::Up) && default(down, Key::Down) {
        "arrows".to_owned()
    } else {
        format!("{} {}", state.keys.shown(up), state.keys.shown(down))
    };
    (keys, "move".into())
}

/// The line of keys of a list. Commands without a key are left out.
fn of_list<'a>(state: &State, view: &View, commands: &[ListWords], area: Rect) -> Line<'a> {
    let bound =
        |(command, word): &ListWords| Some((state.keys.key_of(command)?.to_owned(), (*word).to_owned()));
    let keys = [moving(state, "list-up", "list-down")].into_iter().chain(commands.iter().filter_map(bound));
    key_line(&fitting(keys.collect(), area.width.into()), view)
}

/// The keys that answer a question.
fn of_question(state: &State, question: &OpenQuestion) -> Vec<KeyWords> {
    let key = |command: &str| state.keys.key_of(command).unwrap_or("-").to_owned();
    match question {
        OpenQuestion::Leave => vec![
            (format!("{} {}", key("answer-yes"), key("quit")), "save and leave".into()),
            (key("leave-running"), "leave it running".into()),
            ("Esc".into(), "stay".into()),
        ],
        OpenQuestion::Delete { .. } => vec![
            (key("answer-yes"), format!("delete; {} undoes it until quit", key("run-undelete"))),
            ("any other key".into(), "keep".into()),
        ],
    }
}

/// The keys of some commands, after what the arrows do. Two for one thing stand together, and commands without a key are left out.
fn of_commands(state: &State, arrows: &str, commands: &[(&str, &str)]) -> Vec<KeyWords> {
    let mut keys = vec![("arrows".to_owned(), arrows.to_owned())];
    let mut before = String::new();
    for &(command, word) in commands {
        let Some(shown) = state.keys.key_of(command) else { continue };
        before.push_str(shown);
        if word.is_empty() {
            before.push(' ');
        } else {
            keys.push((std::mem::take(&mut before), word.to_owned()));
        }
    }
    keys
}

/// The keys that have words for this line. Those of overlays are left out if there is no room for overlays.
fn from_table(state: &State, full: bool) -> Vec<KeyWords> {
    let commands = state.keys.all().iter().filter(|bound| {
        let (name, short) = (bound.binding.name, bound.binding.short);
        !short.is_empty() && !bound.shown.is_empty() && (full || !OVERLAYS.contains(&name))
    });
    let keys = commands.map(|bound| (bound.shown.clone(), bound.binding.short.to_owned()));
    [("arrows".to_owned(), "move".to_owned())].into_iter().chain(keys).collect()
}

/// As many keys as fit into so many columns, with the last two.
fn fitting(mut keys: Vec<KeyWords>, width: usize) -> Vec<KeyWords> {
    let room = |keys: &[KeyWords]| keys.iter().map(|(key, word)| key.len() + word.len() + 3).sum::<usize>();
    while room(&keys) > width && keys.len() > 3 {
        keys.remove(keys.len() - 3);
    }
    keys
}

fn key_line<'a>(keys: &[KeyWords], view: &View) -> Line<'a> {
    let spans = |(key, word): &KeyWords| {
        [Span::styled(key.clone(), view.theme.accent), Span::raw(format!(" {word}  "))]
    };
    keys.iter().flat_map(spans).collect()
}
