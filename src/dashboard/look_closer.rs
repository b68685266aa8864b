//! Looking closer: the enlarged picture, the cursor on it, the activation map over it, and the bars of all channels.

use std::sync::Arc;

use super::actions::NOTHING;
use super::closer::{ChannelBars, PictureWindow};
use super::state::{Effect, Shown, State, TerminalAction};
use crate::engine::Picture;
use crate::worker::protocol::{Action, ActivationMap, Examination, ExaminedChannel, LayerActivation};

/// The steps of the cursor for a key that moves far.
const FAR: isize = 8;

/// The picture alone, larger with each further time, and the panes again. In the mosaic, drafts become larger.
pub(super) fn zoom(state: &mut State) -> Vec<Effect> {
    state.shown = match state.shown {
        Shown::Mosaic => {
            state.enlarge_drafts();
            Shown::Mosaic
        }
        Shown::Panes => Shown::Picture,
        Shown::Picture if state.closer.enlarge() => return NOTHING,
        Shown::Picture | Shown::Beside | Shown::Lab => Shown::Panes,
    };
    vec![Effect::Terminal(TerminalAction::Redraw)]
}

/// Puts a cursor into the middle of the picture, or takes it away.
pub(super) fn toggle_pixel(state: &mut State) -> Vec<Effect> {
    let Some(size) = state.size_looked_at() else { return nothing_to_look_at(state) };
    state.closer.pixel = match state.closer.pixel {
        None => Some((size.0 / 2, size.1 / 2)),
        Some(_) => None,
    };
    NOTHING
}

/// Lays the activation map of the channel under the cursor over the picture, or takes it away.
pub(super) fn toggle_map(state: &mut State) -> Vec<Effect> {
    if state.size_looked_at().is_none() {
        return nothing_to_look_at(state);
    }
    state.closer.shows_map = !state.closer.shows_map;
    NOTHING
}

/// Shows the mean activations of all channels instead of the curve: sorted, then in order, then the curve again.
pub(super) fn next_bars(state: &mut State) -> Vec<Effect> {
    if state.snapshot.run.is_none() {
        return nothing_to_look_at(state);
    }
    state.closer.bars = match state.closer.bars {
        ChannelBars::Hidden => ChannelBars::Sorted,
        ChannelBars::Sorted => ChannelBars::InOrder,
        ChannelBars::InOrder => ChannelBars::Hidden,
    };
    if state.shown != Shown::Panes {
        state.shown = Shown::Panes;
        return vec![Effect::Terminal(TerminalAction::Redraw)];
    }
    NOTHING
}

/// Puts the cursor on a pixel of the picture.
pub(super) fn put_pixel(state: &mut State, pixel: (usize, usize)) {
    if state.size_looked_at().is_some() {
        state.closer.pixel = Some(pixel);
    }
}

/// Enlarges the picture by so many sizes, or makes it smaller where they are negative: between the panes and the largest.
pub(super) fn zoom_by(state: &mut State, sizes: isize) -> Vec<Effect> {
    let before = state.shown;
    for _ in 0..sizes.unsigned_abs() {
        match (state.shown, sizes > 0) {
            (Shown::Panes, true) => state.shown = Shown::Picture,
            (Shown::Picture, true) if !state.closer.is_largest() => drop(state.closer.enlarge()),
            (Shown::Picture, false) if !state.closer.reduce() => state.shown = Shown::Panes,
            (Shown::Panes | Shown::Picture | Shown::Mosaic | Shown::Beside | Shown::Lab, _) => {}
        }
    }
    if state.shown == before { NOTHING } else { vec![Effect::Terminal(TerminalAction::Redraw)] }
}

fn nothing_to_look_at(state: &mut State) -> Vec<Effect> {
    let (start, zoom) = (state.keys.shown("start"), state.keys.shown("zoom"));
    state.remark = Some(if state.snapshot.run.is_none() {
        format!("there is no picture to look at yet: {start} starts an ascent")
    } else {
        format!("the picture of the run is not on the screen: {zoom} or {start} shows it")
    });
    NOTHING
}

/// A command while there is a cursor on the picture: true if it moved that, or took it away.
pub(super) fn moves_pixel(state: &mut State, command: &str) -> bool {
    let (Some(size), Some(_)) = (state.size_looked_at(), state.closer.pixel) else { return false };
    let by = match command {
        "up" => (0, -1),
        "down" => (0, 1),
        "left" => (-1, 0),
        "right" => (1, 0),
        "row-up" => (0, -FAR),
        "row-down" => (0, FAR),
        "page-up" => (-FAR, 0),
        "page-down" => (FAR, 0),
        "first" => (isize::MIN, isize::MIN),
        "last" => (isize::MAX, isize::MAX),
        _ => return false,
    };
    state.closer.step(size, by);
    true
}

impl State {
    /// The picture of the run as it is shown: the newest, or the one that is looked back on.
    pub fn picture_shown(&self) -> Option<&Arc<Picture>> {
        let run = self.snapshot.run.as_ref()?;
        Some(self.looked_back_on().map_or(&run.picture, |(_, picture)| picture))
    }

    /// The size of the picture of the run, if that is on the screen.
    fn size_looked_at(&self) -> Option<(usize, usize)> {
        let picture = self.picture_shown()?;
        let is_shown = matches!(self.shown, Shown::Panes | Shown::Picture);
        is_shown.then_some((picture.width, picture.height)).filter(|(width, height)| width * height > 0)
    }

    /// The pixel under the cursor on the picture, if there is one.
    pub fn pixel(&self) -> Option<(usize, usize)> {
        let (size, pixel) = (self.size_looked_at()?, self.closer.pixel?);
        Some((pixel.0.min(size.0 - 1), pixel.1.min(size.1 - 1)))
    }

    /// The part of the picture that is drawn; none where that is all of it.
    pub fn window(&self) -> Option<PictureWindow> {
        let size = self.size_looked_at()?;
        (self.closer.enlargement > 1).then(|| self.closer.window(size))
    }

    /// The measurement of the layer under the cursor on the picture of the run, once there is one.
    pub fn examination(&self) -> Option<&Examination> {
        let (asked, run) = (self.closer.asked.as_ref()?, self.snapshot.run.as_ref()?);
        self.snapshot.examinations.iter().find(|known| known.of == *asked && known.run == run.number)
    }

    /// The activations of the layer under the cursor on the picture of the run, once they are there.
    pub fn layer_activation(&self) -> Option<&LayerActivation> {
        self.examination()?.found.as_ref().ok()
    }

    /// The map of the channel under the cursor. There is none of a picture that is looked back on.
    fn map(&self) -> Option<&Arc<ActivationMap>> {
        let activation = self.layer_activation()?;
        self.looked_back_on().is_none().then_some(&activation.map)
    }

    /// The map that lies over the picture, if it is wanted and there.
    pub fn map_shown(&self) -> Option<&Arc<ActivationMap>> {
        self.map().filter(|_| self.closer.shows_map)
    }

    /// The pixel under the cursor in words: its place, its colour, and the channel's activation there.
    pub fn pixel_words(&self) -> Option<String> {
        let ((column, row), picture) = (self.pixel()?, self.picture_shown()?);
        let rgb = picture.rgb.get(3 * (row * picture.width + column)..)?.first_chunk::<3>()?;
        let share = |at: usize, whole: usize| (at as f64 + 0.5) / whole as f64;
        let place = (share(column, picture.width), share(row, picture.height));
        let here = self.map().and_then(|map| map.at(place.0, place.1));
        let here = here.map_or_else(String::new, |value| {
            format!("   {} channel {}: {value:.4} here", self.layer_name(), self.channel)
        });
        let [red, green, blue] = rgb;
        Some(format!("pixel {column}, {row}: R {red} G {green} B {blue}{here}"))
    }

    /// Asks for the layer under the cursor to be measured, where another is wanted than was last asked for.
    pub(super) fn ask_to_examine(&mut self) -> Vec<Effect> {
        let looks = match self.shown {
            Shown::Panes => {
                self.closer.shows_map
                    || self.closer.pixel.is_some()
                    || self.closer.bars != ChannelBars::Hidden
            }
            Shown::Picture => self.closer.shows_map || self.closer.pixel.is_some(),
            Shown::Mosaic | Shown::Beside | Shown::Lab => false,
        };
        let ready = self.switching.is_none() && self.snapshot.run.is_some() && self.channels() > 0;
        let wanted =
            (looks && ready).then(|| ExaminedChannel { layer: self.layer_name(), channel: self.channel });
        if wanted == self.closer.asked {
            return NOTHING;
        }
        self.closer.asked.clone_from(&wanted);
        vec![Effect::Ask(Action::Examine(wanted))]
    }
}
