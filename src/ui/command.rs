//! Draws a command for a shell over the lower part of the screen. Its lines have no border at their sides and end as a shell
//! wants it, so that they can be copied with the mouse too.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Clear, Paragraph};
use unicode_width::UnicodeWidthStr;

use super::View;
use super::list::filled;
use super::spots::Spot;
use crate::dashboard::PointedAt;

/// The end of a line that the next one belongs to.
const GOES_ON: &str = " \\";

pub(super) fn render(frame: &mut Frame, view: &View, area: Rect, words: &[String]) {
    let lines = in_lines(words, usize::from(area.width));
    let height = (lines.len() as u16).saturating_add(2).min(area.height);
    let place = Rect { y: area.bottom() - height, height, ..area };
    let title = " copied, if the terminal takes OSC 52; any key closes ";
    let block = Block::new()
        .borders(Borders::TOP | Borders::BOTTOM)
        .border_style(view.theme.accent)
        .title(Line::styled(title, view.theme.accent));
    let lines: Vec<Line> = lines.into_iter().map(Line::from).collect();
    view.cover(place, Some(Spot::At(PointedAt::Overlay)));
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).block(block), place);
}

/// The words in lines of so many columns. A flag stays with its value; a longer pair goes on where the line ends.
fn in_lines(words: &[String], columns: usize) -> Vec<String> {
    let mut pairs: Vec<String> = Vec::new();
    for word in words {
        match pairs.last_mut() {
            Some(last) if !word.starts_with('-') => *last = format!("{last} {word}"),
            _ => pairs.push(word.clone()),
        }
    }
    let room = columns.saturating_sub(GOES_ON.len()).max(1);
    let mut lines = filled(pairs.iter().map(String::as_str), room);
    let last = lines.len().saturating_sub(1);
    lines.iter_mut().take(last).for_each(|line| line.push_str(GOES_ON));
    lines.iter().flat_map(|line| cut(line, columns.max(1))).collect()
}

/// A line in pieces of so many columns.
fn cut(line: &str, columns: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for c in line.chars() {
        match pieces.last_mut() {
            Some(piece) if piece.width() + c.len_utf8().min(2) <= columns => piece.push(c),
            _ => pieces.push(c.into()),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_lines_as_the_words() {
        let words: Vec<String> = ["trepang", "render", "--layer", "a", "--objective", "'a b'", "-o", "x.png"]
            .map(Into::into)
            .into();
        for columns in [20, 30, 80] {
            let lines = in_lines(&words, columns);
            assert!(lines.iter().all(|line| line.width() <= columns), "{lines:?}");
            assert_eq!(lines.join("\n").replace("\\\n", ""), words.join(" "), "{columns}");
        }
        assert!(in_lines(&["x".repeat(50)], 20).iter().all(|line| line.width() <= 20));
    }
}
