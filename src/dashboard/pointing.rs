//! The mouse, as the dashboard knows it: what it was used on, and what that does. Nothing needs it: each of these things has a
//! key. Not here: where on the screen something is.

use super::actions::{self, NOTHING};
use super::key::Key;
use super::pane_sizes::PaneSizes;
use super::state::{Effect, Mode, Pane, Shown, State, TerminalAction};
use super::{lab, look_back, look_closer};

/// Something on the screen that can be clicked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointedAt {
    /// A pane in which arrow keys move, beside its lines.
    Pane(Pane),
    /// A layer, by its index.
    Layer(usize),
    /// A channel of the layer under the cursor, in the pane of channels.
    Channel(usize),
    /// A channel of the layer under the cursor, elsewhere: its draft, or its bar.
    Draft(usize),
    /// A step of the run, on its curve.
    Step(usize),
    /// A pixel of the run's picture, column and row.
    Pixel(usize, usize),
    /// A place in the lab's scatter, across and down, in thousandths of it.
    Scatter(usize, usize),
    /// A line of the list that is open.
    Line(usize),
    /// Something that lies over the panes and has no lines to choose from.
    Overlay,
}

/// Something on the screen that the wheel scrolls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scrolled {
    /// The list of layers.
    Layers,
    /// Channels, by so many at a time.
    Channels(usize),
    /// The lines of the list that is open.
    Lines,
    /// The run's picture, which becomes larger and smaller.
    Picture,
}

/// A use of the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointing {
    /// It was clicked on.
    Click(PointedAt),
    /// It was clicked on twice, one after the other.
    DoubleClick(PointedAt),
    /// The mouse was moved here with its button held.
    Drag(PointedAt),
    /// The wheel was turned over it by so many notches, down or (if negative) up.
    Scroll(Scrolled, isize),
}

/// Does what the mouse asks for, as far as something of that kind is open.
pub(super) fn point(state: &mut State, pointing: Pointing) -> Vec<Effect> {
    state.remark = None;
    match &state.mode {
        Mode::Browse => on_panes(state, pointing),
        Mode::Help(_) | Mode::Command(_) => match pointing {
            Pointing::Click(_) => state.press(Key::Char(' ')),
            Pointing::DoubleClick(_) | Pointing::Drag(_) | Pointing::Scroll(..) => NOTHING,
        },
        // A question is answered, and a line is typed, by keys.
        Mode::Question(_) => NOTHING,
        Mode::Prompt(prompt, _) if !prompt.is_list() => NOTHING,
        Mode::Prompt(..)
        | Mode::Networks(_)
        | Mode::Devices(_)
        | Mode::Recipes(_)
        | Mode::Settings(_)
        | Mode::Marks(_)
        | Mode::Runs(_) => in_list(state, pointing),
    }
}

fn on_panes(state: &mut State, pointing: Pointing) -> Vec<Effect> {
    match pointing {
        Pointing::Click(at)
        | Pointing::Drag(at @ (PointedAt::Step(_) | PointedAt::Pixel(..) | PointedAt::Scatter(..))) => {
            click(state, at)
        }
        Pointing::DoubleClick(at) => {
            let effects = click(state, at);
            match at {
                PointedAt::Channel(_) | PointedAt::Draft(_) => actions::start(state),
                PointedAt::Pane(_)
                | PointedAt::Layer(_)
                | PointedAt::Step(_)
                | PointedAt::Pixel(..)
                | PointedAt::Scatter(..)
                | PointedAt::Line(_)
                | PointedAt::Overlay => effects,
            }
        }
        Pointing::Drag(_) => NOTHING,
        Pointing::Scroll(scrolled, notches) => scroll(state, scrolled, notches),
    }
}

fn click(state: &mut State, at: PointedAt) -> Vec<Effect> {
    let last = state.channels().saturating_sub(1);
    match at {
        PointedAt::Pane(pane) => state.pane = pane,
        PointedAt::Layer(index) => {
            state.pane = Pane::Layers;
            return actions::set_layer(state, index);
        }
        PointedAt::Channel(channel) => (state.pane, state.channel) = (Pane::Channels, channel.min(last)),
        PointedAt::Draft(channel) => state.channel = channel.min(last),
        PointedAt::Step(step) => return look_back::seek(state, step),
        PointedAt::Pixel(column, row) => look_closer::put_pixel(state, (column, row)),
        PointedAt::Scatter(across, down) => lab::put_point(state, [across, down]),
        PointedAt::Line(_) | PointedAt::Overlay => {}
    }
    NOTHING
}

fn scroll(state: &mut State, scrolled: Scrolled, notches: isize) -> Vec<Effect> {
    match scrolled {
        Scrolled::Layers => return actions::set_layer(state, state.layer.saturating_add_signed(notches)),
        Scrolled::Channels(by) => {
            let by = notches.saturating_mul(isize::try_from(by).unwrap_or(isize::MAX));
            let last = state.channels().saturating_sub(1);
            state.channel = state.channel.saturating_add_signed(by).min(last);
        }
        Scrolled::Picture if matches!(state.shown, Shown::Panes | Shown::Picture) => {
            return look_closer::zoom_by(state, -notches);
        }
        Scrolled::Picture | Scrolled::Lines => {}
    }
    NOTHING
}

/// Moves the cursor of the list that is open, or takes what it is on.
fn in_list(state: &mut State, pointing: Pointing) -> Vec<Effect> {
    match pointing {
        Pointing::Click(PointedAt::Line(line)) => {
            state.go_to_line(line);
            NOTHING
        }
        Pointing::DoubleClick(PointedAt::Line(line)) => {
            state.go_to_line(line);
            state.do_in_list("list-choose", Key::Enter)
        }
        Pointing::Scroll(Scrolled::Lines, notches) => {
            let (command, key) = if notches < 0 { ("list-up", Key::Up) } else { ("list-down", Key::Down) };
            (0..notches.unsigned_abs()).flat_map(|_| state.do_in_list(command, key)).collect()
        }
        Pointing::Click(_) | Pointing::DoubleClick(_) | Pointing::Drag(_) | Pointing::Scroll(..) => NOTHING,
    }
}

/// Gives panes other sizes.
pub(super) fn resize(state: &mut State, sizes: PaneSizes) -> Vec<Effect> {
    if state.sizes == sizes {
        return NOTHING;
    }
    state.sizes = sizes;
    vec![Effect::Terminal(TerminalAction::Redraw)]
}

impl State {
    /// Does what a command does in the list that is open, or what a key does where the list belongs to a line.
    fn do_in_list(&mut self, command: &str, key: Key) -> Vec<Effect> {
        match self.mode {
            Mode::Prompt(..) => self.press(key),
            Mode::Networks(_)
            | Mode::Devices(_)
            | Mode::Recipes(_)
            | Mode::Settings(_)
            | Mode::Marks(_)
            | Mode::Runs(_)
            | Mode::Browse
            | Mode::Help(_)
            | Mode::Question(_)
            | Mode::Command(_) => self.act_in_list(command),
        }
    }

    /// Puts the cursor of the list that is open on a line.
    fn go_to_line(&mut self, line: usize) {
        match &mut self.mode {
            Mode::Prompt(..) => self.hit = line,
            Mode::Networks(cursor)
            | Mode::Devices(cursor)
            | Mode::Recipes(cursor)
            | Mode::Settings(cursor)
            | Mode::Marks(cursor)
            | Mode::Runs(cursor) => *cursor = line,
            Mode::Browse | Mode::Help(_) | Mode::Question(_) | Mode::Command(_) => {}
        }
    }
}
