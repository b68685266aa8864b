//! Draws the dashboard, and owns its terminal and its encoded pictures. It draws from [`State`] and what has been sent of
//! the picture, and never uses a tensor.

mod ascii;
mod background;
mod bars;
mod blocks;
mod capabilities;
mod channels;
mod closer;
mod color_depth;
mod command;
mod comparison;
mod decoder;
mod delivery;
mod devices;
mod encoded;
mod encoder;
mod event_loop;
pub(crate) mod fatal;
mod graphics;
mod header;
mod help;
mod hits;
mod input;
mod keyline;
mod keys;
mod kitty;
mod kitty_sender;
mod lab;
mod lab_scatter;
mod layers;
mod link;
mod list;
mod loss;
mod marks;
mod mosaic;
mod mouse;
mod networks;
mod panes;
mod parts;
mod paste;
mod picture;
mod placement;
mod pointer;
mod predictions;
mod probe;
mod recipes;
mod run;
mod saved_runs;
mod scene;
mod screen_picture;
mod settings;
mod sized;
mod small;
mod spots;
mod stderr_log;
mod string_kind;
mod strip;
mod surroundings;
mod terminal;
mod theme;
mod tiles;
mod wanted;

use std::cell::RefCell;
use std::ops::Range;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType};
use trepang_api::is_control;

pub use blocks::{BlockShape, block_lines};
pub use color_depth::ColorDepth;
pub use delivery::ShownPicture;
pub use encoded::{Encoded, PictureRequest, encode};
pub use encoder::Encoder;
pub use event_loop::{Ending, run};
pub use graphics::{Graphics, Protocol};
pub use lab::LabLayout;
pub use mosaic::MosaicGrid;
pub use mouse::{MouseAction, MouseEvent};
pub use panes::Panes;
pub use placement::kitty_at_cursor;
pub use pointer::{DraggedPanes, Pointer};
pub use probe::{ask_for_kitty, replay};
pub use sized::drawn;
pub use spots::{FirstLines, Spots};
pub use surroundings::is_dumb;
pub use terminal::{Screen, ScreenOptions};
pub use theme::{Background, Theme, ThemeName};
pub use tiles::sixel;

use self::panes::{curve_height, lists_width};
use self::spots::{PaneBorder, Spot};
use crate::dashboard::{ChannelBars, Mode, PaneSizes, PointedAt, Scrolled, Shown, State};

/// The smallest screen that shows all panes, columns and rows.
pub const MIN_FULL_SCREEN: (u16, u16) = (72, 20);

/// The input of drawing besides the state.
#[derive(Debug, Default)]
pub struct View<'a> {
    /// As much of the picture as this terminal has been sent.
    pub picture: Option<&'a ShownPicture>,
    /// The name of the image protocol, and the kB a second that are written to the terminal.
    pub link: Option<(&'static str, f64)>,
    /// The colours of the dashboard.
    pub theme: Theme,
    /// Whether only ASCII may be drawn.
    pub ascii: bool,
    /// The places of drafts, while the mosaic is shown.
    pub grid: Option<MosaicGrid>,
    /// The places of drafts in the strip beside the picture.
    pub strip: Option<MosaicGrid>,
    /// The places of the lab's parts, while that is shown.
    pub lab: Option<LabLayout>,
    /// The places of pictures beside the list of saved runs.
    pub thumbnails: Option<MosaicGrid>,
    /// As much of the second picture as this terminal has been sent: that of the list of runs, or else that of the strip.
    pub beside: Option<&'a ShownPicture>,
    /// The first lines that lists begin with as long as the cursor is among what is shown then; others keep it in their middle.
    pub first_lines: FirstLines,
    /// Everything that the mouse can be used on, noted where it is drawn.
    pub spots: RefCell<Spots>,
}

impl View<'_> {
    fn put(&self, area: Rect, spot: Spot) {
        self.spots.borrow_mut().put(area, spot);
    }

    fn put_lines(&self, area: Rect, indices: Range<usize>, thing: fn(usize) -> PointedAt) {
        self.spots.borrow_mut().put_lines(area, indices, thing);
    }

    fn scroll(&self, area: Rect, scrolled: Scrolled) {
        self.spots.borrow_mut().scroll(area, scrolled);
    }

    /// The first visible line of the list that is open over the panes.
    fn first_of_open(&self, cursor: usize, len: usize, height: usize) -> usize {
        let first = list::first_visible(self.first_lines.open, cursor, len, height);
        self.spots.borrow_mut().first_lines_mut().open = Some(first);
        first
    }

    /// Notes an overlay: nothing under it can be used with the mouse meanwhile.
    fn cover(&self, area: Rect, spot: Option<Spot>) {
        self.spots.borrow_mut().cover();
        if let Some(spot) = spot {
            self.put(area, spot);
        }
    }

    /// Notes a list that lies over the panes, with the lines of it that are drawn.
    fn cover_with_lines(&self, area: Rect, inner: Rect, indices: Range<usize>) {
        self.cover(area, None);
        self.scroll(area, Scrolled::Lines);
        self.put_lines(inner, indices, PointedAt::Line);
    }
}

/// The chosen sizes as far as a screen of this size follows them.
fn fitted_sizes(area: Rect, sizes: PaneSizes, graphics: Graphics) -> PaneSizes {
    let own = PaneSizes::default();
    let more = |chosen: u16, own: u16| chosen as i16 - own as i16;
    PaneSizes {
        lists: more(lists_width(area, sizes), lists_width(area, own)),
        curve: more(curve_height(area, sizes), curve_height(area, own)),
        strip: strip::fitted(area, sizes, graphics),
    }
}

/// Whether the screen has room for all panes, and so for the help over them.
pub fn is_full(area: Rect) -> bool {
    area.width >= MIN_FULL_SCREEN.0 && area.height >= MIN_FULL_SCREEN.1
}

/// The cells that the picture may fill on a screen of this size.
pub fn picture_room(area: Rect, state: &State, strip: Option<&MosaicGrid>) -> Rect {
    let zoomed = state.shown == Shown::Picture;
    if is_full(area) {
        Panes::of(area, zoomed, state.sizes).with_strip(strip).picture_inner()
    } else {
        small::picture_room(area, zoomed)
    }
}

/// The places of the pictures that stand in a grid: drafts, or marked pictures side by side; none while no grid is shown, or where
/// there is no room for pictures.
pub fn shown_grid(area: Rect, state: &State, graphics: &Graphics) -> Option<MosaicGrid> {
    match state.shown {
        Shown::Mosaic => mosaic_grid(area, state, graphics),
        Shown::Beside => {
            let count = state.marks.beside().len();
            small::has_picture(area).then(|| comparison::grid(area, count, *graphics))
        }
        Shown::Lab => lab_layout(area, state, *graphics)?.pictures,
        Shown::Panes | Shown::Picture => None,
    }
}

/// The places of the lab's parts, if that is shown.
pub fn lab_layout(area: Rect, state: &State, graphics: Graphics) -> Option<LabLayout> {
    (state.shown == Shown::Lab).then(|| LabLayout::of(area, state, graphics))
}

/// The places of drafts in the strip beside the picture, where there is one.
pub fn strip_grid(area: Rect, state: &State, graphics: Graphics) -> Option<MosaicGrid> {
    strip::grid(area, state, graphics)
}

/// The places of pictures beside the list of saved runs, if that is open and has room for them.
pub fn thumbnail_grid(area: Rect, state: &State, graphics: Graphics) -> Option<MosaicGrid> {
    saved_runs::grid(area, state, graphics)
}

/// The places of drafts on a screen of this size, whether the mosaic is shown or not; none if there is no room for pictures.
pub fn mosaic_grid(area: Rect, state: &State, graphics: &Graphics) -> Option<MosaicGrid> {
    small::has_picture(area).then(|| MosaicGrid::of(area, state.mosaic.enlarged, graphics))
}

/// Draws the dashboard on the whole frame.
pub fn render(frame: &mut Frame, state: &State, view: &View) {
    let area = frame.area();
    match &view.grid {
        _ if state.shown == Shown::Lab => {
            if let Some(layout) = &view.lab {
                lab::render(frame, state, view, area, layout);
            }
        }
        Some(grid) => render_mosaic(frame, state, view, area, grid),
        None if is_full(area) => render_panes(frame, state, view, area),
        None => small::render(frame, state, view, area),
    }
    mask_controls(frame.buffer_mut());
    if view.ascii {
        ascii::reduce(frame.buffer_mut());
    }
}

/// Replaces what could control the terminal: names and messages may come from files.
fn mask_controls(buffer: &mut Buffer) {
    for cell in buffer.content.iter_mut().filter(|cell| cell.symbol().contains(is_control)) {
        cell.set_symbol("?");
    }
}

/// Draws the mosaic, with the last two lines and what lies over the panes.
fn render_mosaic(frame: &mut Frame, state: &State, view: &View, area: Rect, grid: &MosaicGrid) {
    if state.shown == Shown::Beside {
        comparison::render(frame, state, view, grid);
    } else {
        mosaic::render(frame, state, view, grid);
    }
    last_lines(frame, state, view, area);
}

/// Draws all panes, on a screen that has room for them.
fn render_panes(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let zoomed = state.shown == Shown::Picture;
    let mut panes = Panes::of(area, zoomed, state.sizes).with_strip(view.strip.as_ref());
    if state.predicting {
        panes = panes.with_predictions();
    }
    header::render(frame, state, view, panes.header);
    picture::render(frame, state, view, panes.picture);
    if !zoomed {
        layers::render(frame, state, view, panes.layers);
        channels::render(frame, state, view, panes.channels);
        if let Some(grid) = view.strip.as_ref().filter(|_| !panes.strip.is_empty()) {
            strip::render(frame, state, view, panes.strip, grid);
        }
        run::render(frame, state, view, panes.run);
        match state.closer.bars {
            ChannelBars::Hidden => loss::render(frame, state, view, panes.loss),
            ChannelBars::Sorted | ChannelBars::InOrder => bars::render(frame, state, view, panes.loss),
        }
        if !panes.predictions.is_empty() {
            predictions::render(frame, state, view, panes.predictions);
        }
        put_borders(view, &panes);
    }
    last_lines(frame, state, view, area);
}

/// Notes the borders that can be dragged: each is two cells wide, of the panes at its sides.
fn put_borders(view: &View, panes: &Panes) {
    let Panes { layers, channels, picture, strip, run, .. } = *panes;
    let lists = layers.union(channels);
    let border = |area, border| view.put(area, Spot::Border(border));
    let beside = if strip.is_empty() { run } else { strip };
    border(Rect { x: beside.x - 1, width: 2, ..picture }, PaneBorder::Strip);
    let right = Rect { width: run.right() - picture.x, ..picture };
    border(Rect { y: picture.bottom() - 1, height: 2, ..right }, PaneBorder::Curve);
    border(Rect { x: lists.right() - 1, width: 2, ..lists }, PaneBorder::Lists);
}

/// Draws the message and the keys, and what is open over the rest of the screen, if there is room for that.
fn last_lines(frame: &mut Frame, state: &State, view: &View, area: Rect) {
    let one = Constraint::Length(1);
    let [above, message, keys] = Layout::vertical([Constraint::Fill(1), one, one]).areas(area);
    keyline::message(frame, state, view, message);
    keyline::keys(frame, state, view, keys);
    hits::render(frame, state, view, above);
    saved_runs::render(frame, state, view, above);
    marks::render(frame, state, view, above);
    if !is_full(area) {
        return;
    }
    match &state.mode {
        Mode::Help(page) => help::render(frame, view, &state.keys, area, *page),
        Mode::Networks(cursor) => networks::render(frame, state, view, above, *cursor),
        Mode::Devices(cursor) => devices::render(frame, state, view, above, *cursor),
        Mode::Recipes(cursor) => recipes::render(frame, state, view, above, *cursor),
        Mode::Settings(cursor) => settings::render(frame, state, view, above, *cursor),
        Mode::Command(words) => command::render(frame, view, above, words),
        Mode::Browse | Mode::Prompt(..) | Mode::Runs(_) | Mode::Marks(_) | Mode::Question(_) => {}
    }
}

/// The number of channels in a row of the channel pane, on a screen of this size.
pub fn channels_in_a_row(area: Rect, sizes: PaneSizes) -> usize {
    channels::in_a_row(Panes::of(area, false, sizes).channels)
}

/// The border of a pane with its title, brighter if the arrow keys work in it.
fn pane(title: &str, theme: &Theme, focused: bool) -> Block<'static> {
    let border = if focused { theme.accent } else { theme.dim };
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(border)
        .title(Line::styled(format!(" {title} "), if focused { theme.accent } else { Style::default() }))
}
