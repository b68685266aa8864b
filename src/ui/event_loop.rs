//! The dashboard's loop: keys in, snapshots in, frames out. It draws only what changed: what a key changed at once, numbers
//! and pictures when the line to the terminal is free.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ratatui::layout::Rect;
use signal_hook::consts::SIGTSTP;

use super::delivery::Sequences;
use super::encoder::{Encoder, EncoderRequest, PICTURES};
use super::graphics::Protocol;
use super::lab::LabLayout;
use super::mosaic::MosaicGrid;
use super::mouse::MouseEvent;
use super::picture::place;
use super::pointer::{DraggedPanes, Pointer};
use super::screen_picture::ScreenPicture;
use super::spots::{FirstLines, Spots};
use super::strip::draft_width;
use super::surroundings::passes_pictures;
use super::terminal::{Screen, UserInput};
use super::wanted::{beside_picture, main_picture, room};
use super::{
    View, channels_in_a_row, fitted_sizes, help, input, is_full, lab_layout, mosaic_grid, render, shown_grid,
    strip_grid, thumbnail_grid,
};
use crate::dashboard::{Effect, Message, Mode, State, TerminalAction};
use crate::worker::Viewer;
use crate::worker::protocol::Snapshot;

/// The shortest time between two frames that only bring new numbers.
const NUMBERS_INTERVAL: Duration = Duration::from_millis(100);

/// The number of the main picture: the run's, or that of a grid.
const MAIN: usize = 0;

/// The longest wait for a key before looking for news.
const KEY_TIMEOUT: Duration = Duration::from_millis(20);

/// The reason for the end of the dashboard's loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The user pressed a key that quits.
    Quit,
    /// The user left, and the work is to go on without a screen.
    LeftRunning,
    /// A signal asked to stop.
    Signal,
    /// The terminal has gone.
    HangUp,
}

/// Runs the dashboard until the user quits, a signal comes (its number appears in `signal`; a terminal that has
/// gone counts as one) or something breaks.
pub fn run(state: &mut State, viewer: &Viewer, screen: &mut Screen, signal: &AtomicUsize) -> Result<Ending> {
    let mut event_loop = EventLoop::new(screen)?;
    event_loop.draw(state)?;
    loop {
        if !input::wait(KEY_TIMEOUT) {
            return Ok(Ending::HangUp);
        }
        if event_loop.listen(state, viewer)? {
            return Ok(event_loop.ending);
        }
        if signal.load(Ordering::Relaxed) != 0 {
            return Ok(Ending::Signal);
        }
        if event_loop.stopped.swap(false, Ordering::Relaxed) {
            event_loop.suspend()?;
        }
        event_loop.take_news(state, viewer)?;
        event_loop.take_pictures(state)?;
        event_loop.request_pictures(state);
        event_loop.draw(state)?;
    }
}

/// The dashboard's loop: what it knows besides the state.
struct EventLoop<'a> {
    screen: &'a mut Screen,
    encoder: Encoder,
    area: Rect,
    /// The pictures of the screen: the main one, and the one beside it.
    pictures: [ScreenPicture; PICTURES],
    /// The picture that has the first turn in the next frame.
    turn: usize,
    /// The ending that a key leads to.
    ending: Ending,
    /// Something must be drawn now.
    urgent: bool,
    /// Something may be drawn when the time has come.
    stale: bool,
    drawn_at: Instant,
    /// Whether the user was told that tmux keeps pictures back, and what to press to let them through.
    warned_of_tmux: bool,
    pointer: Pointer,
    /// Everything that the mouse can be used on, as it was drawn last.
    spots: Spots,
    /// The first lines of lists, from a click to the next key.
    first_lines: FirstLines,
    /// Set by a SIGTSTP from outside, which asks for what Ctrl-Z does inside.
    stopped: Arc<AtomicBool>,
}

impl<'a> EventLoop<'a> {
    fn new(screen: &'a mut Screen) -> Result<Self> {
        let now = Instant::now();
        let stopped = Arc::<AtomicBool>::default();
        signal_hook::flag::register(SIGTSTP, Arc::clone(&stopped)).context("cannot listen for signals")?;
        Ok(Self {
            area: screen.area()?,
            encoder: Encoder::spawn()?,
            pictures: [0, 1].map(|number| ScreenPicture::new(screen.kitty_ids(number))),
            turn: MAIN,
            ending: Ending::Quit,
            urgent: true,
            stale: false,
            drawn_at: now,
            warned_of_tmux: false,
            pointer: Pointer::default(),
            spots: Spots::default(),
            first_lines: FirstLines::default(),
            screen,
            stopped,
        })
    }

    /// Takes all that was sent, so that a storm of keys costs one frame. True to quit.
    fn listen(&mut self, state: &mut State, viewer: &Viewer) -> Result<bool> {
        let heard = self.screen.listen();
        for input in heard.inputs {
            self.first_lines = match input {
                UserInput::Mouse(event) => self.first_lines.after(event.action, &self.spots),
                UserInput::Message(_) => FirstLines::default(),
            };
            let message = match input {
                UserInput::Message(message) => Some(message),
                UserInput::Mouse(event) => self.pointed(state, event),
            };
            let Some(message) = message else { continue };
            self.urgent = true;
            if self.hear(state, viewer, message)? {
                return Ok(true);
            }
        }
        self.urgent |= heard.background;
        // tmux loses pictures that are sent to a hidden window.
        let lost = heard.focused && self.screen.graphics().protocol.is_pixels();
        if lost || heard.graphics || self.screen.area()? != self.area {
            self.redraw()?;
        }
        Ok(false)
    }

    /// The message that a use of the mouse comes to, by what was drawn last. Panes are dragged as far as the screen follows.
    fn pointed(&mut self, state: &State, event: MouseEvent) -> Option<Message> {
        let graphics = self.screen.graphics();
        let draft = draft_width(self.area, state.sizes, graphics);
        let panes = DraggedPanes { sizes: state.sizes, draft };
        match self.pointer.message(event, &self.spots, panes, Instant::now())? {
            Message::Resize(sizes) => Some(Message::Resize(fitted_sizes(self.area, sizes, graphics))),
            message => Some(message),
        }
    }

    /// Hands a key, a pasted text or a reply to the state. True to quit.
    fn hear(&mut self, state: &mut State, viewer: &Viewer, message: Message) -> Result<bool> {
        (state.row, state.full) = (channels_in_a_row(self.area, state.sizes), is_full(self.area));
        state.help_pages = help::pages(self.area.height);
        let (overlaid, sizes) = (state.mode.is_overlay(), state.sizes);
        if self.send(state, viewer, message)? {
            return Ok(true);
        }
        if state.sizes != sizes {
            // A key that no screen follows any more would have to be taken back as often as it was pressed.
            state.sizes = fitted_sizes(self.area, state.sizes, self.screen.graphics());
        }
        self.screen.lend_mouse(matches!(state.mode, Mode::Command(_)))?;
        // What the terminal painted over the cells does not go away by drawing cells.
        if overlaid != state.mode.is_overlay() && self.screen.graphics().protocol.paints_over_cells() {
            self.redraw()?;
        }
        Ok(false)
    }

    /// Hands a message to the state and carries its effects out. True to quit.
    fn send(&mut self, state: &mut State, viewer: &Viewer, message: Message) -> Result<bool> {
        for effect in state.update(message) {
            match effect {
                Effect::Quit => return Ok(true),
                Effect::LeaveRunning => {
                    self.ending = Ending::LeftRunning;
                    return Ok(true);
                }
                Effect::Ask(action) => {
                    viewer.request(action);
                }
                Effect::Copy(text) => self.screen.copy(&text)?,
                Effect::Terminal(TerminalAction::Redraw) => self.redraw()?,
                Effect::Terminal(TerminalAction::NextProtocol) => self.show_by_next(state)?,
                Effect::Terminal(TerminalAction::Suspend) => self.suspend()?,
            }
        }
        self.tell_page(state, viewer)
    }

    /// Tells the state how many drafts and pictures of runs the screen has room for. True to quit.
    fn tell_page(&mut self, state: &mut State, viewer: &Viewer) -> Result<bool> {
        let pages = |grid: MosaicGrid| (usize::from(grid.page.0), usize::from(grid.page.1));
        let page = mosaic_grid(self.area, state, &self.screen.graphics()).map(pages);
        if let Some((columns, rows)) = page.filter(|page| *page != state.mosaic.page) {
            return self.send(state, viewer, Message::Page(columns, rows));
        }
        let strip = self.strip(state).map(pages).map_or(0, |(columns, rows)| columns * rows);
        if strip != state.mosaic.strip {
            return self.send(state, viewer, Message::Strip(strip));
        }
        let rows = self.thumbnails(state).map(pages).map(|(_, rows)| rows);
        match rows.filter(|rows| *rows != state.run_pictures.rows) {
            Some(rows) => self.send(state, viewer, Message::RunPictures(rows)),
            None => Ok(false),
        }
    }

    /// Stops the process, and with it a worker of this process, until it is continued.
    fn suspend(&mut self) -> Result<()> {
        self.screen.suspend()?;
        self.redraw()
    }

    /// Draws everything anew, pictures too.
    fn redraw(&mut self) -> Result<()> {
        self.area = self.screen.area()?;
        self.screen.redraw();
        self.pictures.iter_mut().for_each(ScreenPicture::forget);
        self.urgent = true;
        Ok(())
    }

    /// Takes the replies and the newest snapshot into the state.
    fn take_news(&mut self, state: &mut State, viewer: &Viewer) -> Result<()> {
        self.tell_page(state, viewer)?;
        // Fetched first: what a request changed is in every snapshot after its reply.
        let replies = viewer.replies();
        let snapshot = viewer.latest()?;
        if snapshot.version != state.snapshot.version {
            self.take_snapshot(state, viewer, snapshot)?;
        }
        for reply in replies {
            self.hear(state, viewer, Message::Reply(reply.outcome))?;
            self.urgent = true;
        }
        Ok(())
    }

    fn take_snapshot(&mut self, state: &mut State, viewer: &Viewer, snapshot: Arc<Snapshot>) -> Result<()> {
        let run = |snapshot: &Snapshot| snapshot.run.as_ref().map(|run| run.number);
        if run(&snapshot) != run(&state.snapshot) || snapshot.status != state.snapshot.status {
            self.urgent = true;
        }
        if snapshot.run.is_none() && state.snapshot.run.is_some() {
            self.pictures[MAIN].delivery.begin(None);
            self.redraw()?;
        }
        self.stale = true;
        self.send(state, viewer, Message::Snapshot(snapshot)).map(drop)
    }

    fn take_pictures(&mut self, state: &mut State) -> Result<()> {
        for number in 0..PICTURES {
            let picture = &mut self.pictures[number];
            match self.encoder.take(number) {
                None => {}
                // What was asked for before the screen was drawn anew has another place.
                Some(Ok(_)) if picture.requested.is_none() => {}
                Some(Ok(done)) => picture.delivery.begin(done),
                // No reason to end a run: a simpler picture may do.
                Some(Err(error)) => {
                    let simpler = self.screen.graphics().protocol.simpler();
                    self.encoder = Encoder::spawn()?; // a panic ends it
                    self.show_by(simpler)?;
                    state.remark = Some(format!("{error:#}; pictures are now shown by {}", simpler.name()));
                    break;
                }
            }
        }
        Ok(())
    }

    fn show_by_next(&mut self, state: &mut State) -> Result<()> {
        let next = self.screen.graphics().protocol.next();
        if next.is_pixels() && passes_pictures() == Some(false) {
            if !std::mem::replace(&mut self.warned_of_tmux, true) {
                let key = state.keys.shown("protocol");
                state.remark = Some(format!(
                    "tmux keeps pictures back; press {key} again to let them through in this pane"
                ));
                return Ok(());
            }
            self.screen.let_pictures_through();
        }
        self.show_by(next)?;
        state.remark = Some(format!("pictures are now shown by {}", next.name()));
        Ok(())
    }

    fn show_by(&mut self, protocol: Protocol) -> Result<()> {
        self.screen.show_by(protocol)?;
        self.pictures.iter_mut().for_each(|picture| picture.delivery.begin(None));
        self.redraw()
    }

    /// The places of pictures, if a grid of them is shown.
    fn grid(&self, state: &State) -> Option<MosaicGrid> {
        shown_grid(self.area, state, &self.screen.graphics())
    }

    /// The places of drafts beside the picture, if there is a strip.
    fn strip(&self, state: &State) -> Option<MosaicGrid> {
        strip_grid(self.area, state, self.screen.graphics())
    }

    /// The places of the lab's parts, if that is shown.
    fn lab(&self, state: &State) -> Option<LabLayout> {
        lab_layout(self.area, state, self.screen.graphics())
    }

    /// The places of pictures beside the list of runs, if that is open.
    fn thumbnails(&self, state: &State) -> Option<MosaicGrid> {
        thumbnail_grid(self.area, state, self.screen.graphics())
    }

    /// Asks for new pictures where they would differ from the last, and where those are on the screen.
    fn request_pictures(&mut self, state: &State) {
        let graphics = self.screen.graphics();
        for (number, wanted) in
            [main_picture(self.area, state, graphics), beside_picture(self.area, state, graphics)]
                .into_iter()
                .enumerate()
        {
            let picture = &mut self.pictures[number];
            let Some(wanted) = wanted else {
                if number != MAIN {
                    picture.clear();
                }
                continue;
            };
            if number != MAIN {
                picture.make_way(&wanted);
            }
            if picture.is_late(&wanted) && !self.encoder.is_busy(number) {
                (picture.requested, picture.requested_at) = (Some(wanted.clone()), Some(Instant::now()));
                let piece = self.screen.link().budget();
                self.encoder.request(number, EncoderRequest { drawing: wanted, piece });
            }
        }
    }

    /// The next parts of the pictures, of about so many bytes.
    fn advance(&mut self, budget: usize, state: &State) -> Sequences {
        let (room, thumbnails) = (room(self.area, state, self.screen.graphics()), self.thumbnails(state));
        let lab = self.lab(state).map(|layout| layout.points());
        let grid = thumbnails.or_else(|| self.strip(state)).map(|grid| grid.area);
        let beside = if thumbnails.is_some() { grid } else { lab.or(grid) }.unwrap_or_default();
        let rooms = [room, beside];
        let mut sequences = Sequences::default();
        for number in [self.turn, PICTURES - 1 - self.turn] {
            let sent = sequences.before.len() + sequences.after.len();
            if self.pictures[number].delivery.is_busy() && !self.is_hidden(state, number) && sent < budget {
                let room = rooms[number];
                let origin = |cells| place(cells, room).unwrap_or(room).as_position();
                sequences.append(&self.pictures[number].delivery.advance(budget - sent, origin));
            }
        }
        self.turn = PICTURES - 1 - self.turn;
        sequences
    }

    /// Whether something lies over the place of a picture that the terminal would paint over.
    fn is_hidden(&self, state: &State, number: usize) -> bool {
        let lists_runs = number != MAIN && self.thumbnails(state).is_some();
        state.mode.is_overlay() && !lists_runs && self.screen.graphics().protocol.paints_over_cells()
    }

    /// Draws a frame, if there is a reason and the line has room for it: for a key at once and without pictures, else with
    /// as much of the picture as the line carries in a moment.
    fn draw(&mut self, state: &State) -> Result<()> {
        let now = Instant::now();
        let due = self.stale && now.saturating_duration_since(self.drawn_at) >= NUMBERS_INTERVAL;
        let waits =
            |number: usize| self.pictures[number].delivery.is_busy() && !self.is_hidden(state, number);
        let pictures = (0..PICTURES).any(waits);
        let (free, takes_keys) = (self.screen.link().is_free(now), self.screen.link().takes_keys(now));
        let mut sequences = Sequences::default();
        if self.urgent && takes_keys {
            // What is on the screen is shown as it is.
        } else if (due || pictures || self.urgent) && free {
            if pictures {
                let budget = self.screen.link().budget();
                sequences = self.advance(budget, state);
            }
        } else {
            return Ok(());
        }
        let protocol = self.screen.graphics().protocol.name();
        let rate = self.screen.link().rate(now) / 1000.0;
        let (link, grid) = (Some((protocol, rate)), self.grid(state));
        let (theme, ascii) = (self.screen.theme(), self.screen.is_ascii());
        let (strip, thumbnails) = (self.strip(state), self.thumbnails(state));
        let [picture, beside] = self.pictures.each_ref().map(|picture| picture.delivery.on_screen());
        let (lab, spots) = (self.lab(state), RefCell::default());
        let first_lines = self.first_lines;
        let view =
            View { picture, link, theme, ascii, grid, strip, lab, thumbnails, beside, first_lines, spots };
        self.screen.draw(&sequences, |frame| render(frame, state, &view))?;
        self.spots = view.spots.into_inner();
        (self.urgent, self.stale, self.drawn_at) = (false, false, now);
        Ok(())
    }
}
