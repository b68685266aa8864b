//! Draws what fits the words that are typed, above the line in which they are typed.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph};

use super::list::shortened;
use super::{View, pane};
use crate::dashboard::{BoundCommand, Hit, Mode, Prompt, State};

/// The widest list in columns.
const MAX_WIDTH: u16 = 76;

/// Draws the list at the lower end of `area`, if one is open.
pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let Mode::Prompt(prompt, line) = &state.mode else { return };
    let (title, texts) = match prompt {
        Prompt::Find => {
            let texts: Vec<String> =
                state.hits(line.text()).iter().map(|hit| described(state, hit, line.text())).collect();
            let found = format!("{} found: arrows choose, Enter goes there, Esc leaves", texts.len());
            (state.class_search_told(line.text()).unwrap_or(found), texts)
        }
        Prompt::Command => {
            let texts = state.keys.commands(line.text()).into_iter().map(command).collect();
            ("commands: arrows choose, Enter runs one, Esc leaves".to_owned(), texts)
        }
        Prompt::Channel
        | Prompt::Objective
        | Prompt::Numbers
        | Prompt::Setting(_)
        | Prompt::Fork
        | Prompt::Export => return,
    };
    draw(frame, view, area, &title, state.hit, &texts);
}

fn draw(frame: &mut Frame, view: &View, area: Rect, title: &str, cursor: usize, texts: &[String]) {
    let width = area.width.min(MAX_WIDTH);
    let height = (texts.len().max(1) as u16).saturating_add(2).min(area.height);
    let list = Rect { y: area.bottom() - height, height, width, ..area };
    let block = pane(&shortened(title, usize::from(width.saturating_sub(4))), &view.theme, true);
    let inner = block.inner(list);
    let (rows, columns) = (usize::from(inner.height), usize::from(inner.width));
    let first = view.first_of_open(cursor, texts.len(), rows);
    let line = |(index, text): (usize, &String)| {
        let text = format!("{:<columns$}", shortened(&format!(" {text}"), columns));
        if index == cursor { Line::styled(text, view.theme.cursor) } else { Line::from(text) }
    };
    let mut lines: Vec<Line> = texts.iter().enumerate().skip(first).take(rows).map(line).collect();
    if lines.is_empty() {
        lines.push(Line::styled(" nothing", view.theme.dim));
    }
    view.cover_with_lines(list, inner, first..texts.len());
    frame.render_widget(Clear, list);
    frame.render_widget(Paragraph::new(lines).block(block), list);
}

fn command(bound: &BoundCommand) -> String {
    format!("{:<8}{}", bound.shown, bound.binding.about)
}

fn described(state: &State, hit: &Hit, typed: &str) -> String {
    let layer = |index: usize| state.layers.get(index).map_or("", |layer| layer.name.as_str());
    match hit {
        Hit::Layer(index) => format!("layer    {}", layer(*index)),
        Hit::Channel(index, pre, channel) => {
            let form = if *pre { ":pre" } else { "" };
            let class = state.taken_for((*index, *pre, *channel), typed);
            let class = class.map_or_else(String::new, |class| format!("  taken for {class}"));
            format!("channel  {}{form}, {channel}{class}", layer(*index))
        }
        Hit::Network(index) => {
            format!(
                "network  {}",
                state.snapshot.networks.get(*index).map_or("", |entry| entry.name.as_str())
            )
        }
        Hit::Run(index) => state.snapshot.runs.get(*index).map_or_else(String::new, |run| {
            format!("run      {}  {}  {} steps of {}", run.name, run.objective, run.step, run.network)
        }),
    }
}
