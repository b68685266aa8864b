//! The dashboard's loop: keys in, snapshots in, frames out. It draws only what changed: what a key changed at once, numbers
//! and pictures when the line to the terminal is free.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ratatui::layout::Rect;
use signal_hook::consts::SIGTSTP;

use super::closer::CloserScene;
use super::comparison;
use super::delivery::{Delivery, Sequences};
use super::encoder::{Encoder, EncoderRequest};
use super::graphics::Protocol;
use super::mosaic::{self, MosaicGrid};
use super::picture::place;
use super::scene::{Drawing, Scene};
use super::surroundings::passes_pictures;
use super::terminal::Screen;
use super::{
    View, channels_in_a_row, fitted_sizes, help, input, is_full, mosaic_grid, picture_room, render,
    shown_grid,
};
use crate::dashboard::{Effect, Message, Shown, State, TerminalAction};
use crate::worker::Viewer;
use crate::worker::protocol::{Snapshot, Status};

/// The shortest time between two frames that only bring new numbers.
const NUMBERS_INTERVAL: Duration = Duration::from_millis(100);

/// The shortest time between two pictures of a run that goes on.
const PICTURE_INTERVAL: Duration = Duration::from_millis(150);

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
        event_loop.take_picture(state)?;
        event_loop.request_picture(state);
        event_loop.draw(state)?;
    }
}

/// The dashboard's loop: what it knows besides the state.
struct EventLoop<'a> {
    screen: &'a mut Screen,
    encoder: Encoder,
    area: Rect,
    /// The picture that is on the screen, and the one on its way there.
    delivery: Delivery,
    /// The picture that was last requested of the encoder.
    requested: Option<Drawing>,
    requested_at: Instant,
    /// The ending that a key leads to.
    ending: Ending,
    /// Something must be drawn now.
    urgent: bool,
    /// Something may be drawn when the time has come.
    stale: bool,
    drawn_at: Instant,
    /// Whether the user was told that tmux keeps pictures back, and what to press to let them through.
    warned_of_tmux: bool,
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
            delivery: Delivery::default(),
            requested: None,
            requested_at: now,
            ending: Ending::Quit,
            urgent: true,
            stale: false,
            drawn_at: now,
            warned_of_tmux: false,
            screen,
            stopped,
        })
    }

    /// Takes all that was sent, so that a storm of keys costs one frame. True to quit.
    fn listen(&mut self, state: &mut State, viewer: &Viewer) -> Result<bool> {
        let heard = self.screen.listen();
        for message in heard.messages {
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
            state.sizes = fitted_sizes(self.area, state.sizes);
        }
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

    /// Tells the state how many drafts the screen has room for. True to quit.
    fn tell_page(&mut self, state: &mut State, viewer: &Viewer) -> Result<bool> {
        let grid = mosaic_grid(self.area, state, &self.screen.graphics());
        let page = grid.map(|grid| (usize::from(grid.page.0), usize::from(grid.page.1)));
        match page.filter(|page| *page != state.mosaic.page) {
            Some((columns, rows)) => self.send(state, viewer, Message::Page(columns, rows)),
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
        self.delivery.forget();
        (self.requested, self.urgent) = (None, true);
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
            self.delivery.begin(None);
            self.redraw()?;
        }
        self.stale = true;
        self.send(state, viewer, Message::Snapshot(snapshot)).map(drop)
    }

    fn take_picture(&mut self, state: &mut State) -> Result<()> {
        match self.encoder.take() {
            None => {}
            // What was asked for before the screen was drawn anew has another place.
            Some(Ok(_)) if self.requested.is_none() => {}
            Some(Ok(done)) => self.delivery.begin(done),
            // No reason to end a run: a simpler picture may do.
            Some(Err(error)) => {
                let simpler = self.screen.graphics().protocol.simpler();
                self.encoder = Encoder::spawn()?; // a panic ends it
                self.show_by(simpler)?;
                state.remark = Some(format!("{error:#}; pictures are now shown by {}", simpler.name()));
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
        self.delivery.begin(None);
        self.redraw()
    }

    /// The places of pictures, if a grid of them is shown.
    fn grid(&self, state: &State) -> Option<MosaicGrid> {
        shown_grid(self.area, state, &self.screen.graphics())
    }

    /// The cells that the picture may fill.
    fn room(&self, state: &State) -> Rect {
        self.grid(state).map_or_else(|| picture_room(self.area, state), |grid| grid.area)
    }

    /// The picture that is to be on the screen: the run's, or that of a grid.
    fn wanted_picture(&self, state: &State) -> Option<Drawing> {
        let graphics = self.screen.graphics();
        if let Some(grid) = self.grid(state) {
            let beside = state.shown == Shown::Beside;
            let scene = if beside { comparison::scene(state, &grid) } else { mosaic::scene(state, &grid) };
            let (cells, strip) = (grid.area.as_size(), Some(grid.draft.height));
            let live = !beside && mosaic::is_live(state);
            return Some(Drawing { scene: Scene::Grid(scene), cells, graphics, live, strip });
        }
        let picture = Arc::clone(state.picture_shown()?);
        let scene = if state.closer.is_on() {
            let (window, pixel, map) = (state.window(), state.pixel(), state.map_shown().cloned());
            Scene::Closer(CloserScene { picture, window, pixel, map })
        } else {
            Scene::Picture(picture)
        };
        let live = state.looked_back_on().is_none() && state.snapshot.status == Status::Running;
        let cells = graphics.square(self.room(state).as_size());
        Some(Drawing { scene, cells, graphics, live, strip: None })
    }

    /// Asks for a new picture if it would differ from the last, and if that is on the screen.
    fn request_picture(&mut self, state: &State) {
        let Some(wanted) = self.wanted_picture(state) else { return };
        let early = wanted.live && self.requested_at.elapsed() < PICTURE_INTERVAL && self.requested.is_some();
        if self.requested.as_ref() == Some(&wanted)
            || early
            || self.encoder.is_busy()
            || self.delivery.is_busy()
        {
            return;
        }
        (self.requested, self.requested_at) = (Some(wanted.clone()), Instant::now());
        let (kitty_id, piece) = (self.screen.next_kitty_id(), self.screen.link().budget());
        self.encoder.request(EncoderRequest { drawing: wanted, kitty_id, piece });
    }

    /// Draws a frame, if there is a reason and the line has room for it: for a key at once and without pictures, else with
    /// as much of the picture as the line carries in a moment.
    fn draw(&mut self, state: &State) -> Result<()> {
        let now = Instant::now();
        let due = self.stale && now.saturating_duration_since(self.drawn_at) >= NUMBERS_INTERVAL;
        let hidden = state.mode.is_overlay() && self.screen.graphics().protocol.paints_over_cells();
        let pictures = self.delivery.is_busy() && !hidden;
        let (free, takes_keys) = (self.screen.link().is_free(now), self.screen.link().takes_keys(now));
        let mut sequences = Sequences::default();
        if self.urgent && takes_keys {
            // What is on the screen is shown as it is.
        } else if (due || pictures || self.urgent) && free {
            if pictures {
                let (budget, room) = (self.screen.link().budget(), self.room(state));
                sequences =
                    self.delivery.advance(budget, |cells| place(cells, room).unwrap_or(room).as_position());
            }
        } else {
            return Ok(());
        }
        let protocol = self.screen.graphics().protocol.name();
        let rate = self.screen.link().rate(now) / 1000.0;
        let (link, grid) = (Some((protocol, rate)), self.grid(state));
        let (theme, ascii) = (self.screen.theme(), self.screen.is_ascii());
        let view = View { picture: self.delivery.on_screen(), link, theme, ascii, grid };
        self.screen.draw(&sequences, |frame| render(frame, state, &view))?;
        (self.urgent, self.stale, self.drawn_at) = (false, false, now);
        Ok(())
    }
}
