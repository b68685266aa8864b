//! The predictions pane: the classes that networks predict for the run's picture.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::list::shortened;
use super::{View, pane};
use crate::dashboard::State;
use crate::worker::protocol::{ClassGuess, Classification};

/// The cells of a probability, with the space before it.
const PERCENT_WIDTH: usize = 5;

pub(super) fn render(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let predictions = state.snapshot.predictions.as_ref();
    let title = match predictions {
        Some(predictions) => format!("classes, step {}", predictions.step),
        None => "classes".into(),
    };
    let block = pane(&title, &view.theme, false);
    let inner = block.inner(area);
    let lines = match predictions {
        Some(predictions) => fit(&predictions.classifications, view, inner),
        None => vec![Line::styled(waiting(state), view.theme.dim)],
    };
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }).block(block), area);
}

/// The text of the pane while there are no predictions.
fn waiting(state: &State) -> String {
    if state.classes.is_empty() && state.snapshot.classifiers.is_empty() {
        let key = state.keys.shown("networks");
        format!("This network has no classifier. Press {key}, then c on one that has.")
    } else {
        String::new()
    }
}

/// The lines of as many networks as have room for their name and a class, with as many classes of each as fit.
fn fit<'a>(classifications: &[Classification], view: &View, area: Rect) -> Vec<Line<'a>> {
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let count = classifications.len().min(height / 2).max(1);
    let (each, more) = (height / count, height % count);
    let of = |(index, classification): (usize, &Classification)| {
        let classes = each.saturating_sub(1) + usize::from(index < more);
        let name = Line::styled(classification.classifier.to_string(), view.theme.accent);
        let guesses = classification.guesses.iter().take(classes).enumerate();
        let guesses = guesses.map(|(rank, guess)| line(guess, rank == 0, view, width));
        std::iter::once(name).chain(guesses).collect::<Vec<_>>()
    };
    classifications.iter().take(count).enumerate().flat_map(of).collect()
}

/// The line of a class: the first of its names, and its probability.
fn line<'a>(guess: &ClassGuess, first: bool, view: &View, width: usize) -> Line<'a> {
    let name = guess.label.split(',').next().unwrap_or_default();
    let percent = match 100.0 * guess.probability {
        small if small < 1.0 => "<1%".into(),
        percent => format!("{percent:.0}%"),
    };
    let room = width.saturating_sub(PERCENT_WIDTH);
    let style = if first { Style::default() } else { view.theme.dim };
    Line::from(vec![
        Span::styled(format!("{:<room$}", shortened(name, room)), style),
        Span::styled(format!("{percent:>PERCENT_WIDTH$}"), style),
    ])
}
