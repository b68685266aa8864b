//! The dashboard's loop: keys in, snapshots in, frames out. It draws only what changed: keys at once,
//! numbers at most [`NUMBERS`] apart, pictures as often as the link to the terminal bears.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ratatui::crossterm::event::{self, Event};
use ratatui::layout::{Rect, Size};
use signal_hook::consts::SIGTSTP;

use super::{
    Encoded, Encoder, Graphics, Protocol, Request, Screen, Theme, View, channels_in_a_row, input, is_full,
    picture_room, render,
};
use crate::app::{Command, Message, State, Status};
use crate::engine::Picture;
use crate::worker::Worker;

/// Between two frames that only bring new numbers.
const NUMBERS: Duration = Duration::from_millis(100);

/// Between two pictures at least, and at most.
const PICTURES: [Duration; 2] = [Duration::from_millis(150), Duration::from_secs(2)];

/// A picture may keep the link busy for one part in this many.
const SHARE: u32 = 4;

/// How long to wait for a key before looking for news.
const WAIT: Duration = Duration::from_millis(20);

/// How long to look for events that are there (keys, and the resize that has no other sign). crossterm looks
/// busily, and not at all in no time.
const GLANCE: Duration = Duration::from_micros(50);

/// How long to wait for another event of the same burst.
const BURST: Duration = Duration::from_millis(1);

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The user quit.
    Quit,
    /// A signal asked to stop, or the terminal has gone.
    Signal,
}

/// Runs the dashboard until the user quits, a signal comes (its number appears in `signal`; a terminal that has
/// gone counts as one) or something breaks.
pub fn run(state: &mut State, worker: &Worker, screen: &mut Screen, signal: &AtomicUsize) -> Result<Ending> {
    let mut desk = Desk::new(screen)?;
    desk.draw(state)?;
    loop {
        if !input::wait(WAIT) {
            return Ok(Ending::Signal);
        }
        let quit = match desk.screen.is_asking() {
            true => desk.listen(state, worker)?,
            false => event::poll(GLANCE)? && desk.take_events(state, worker)?,
        };
        if quit {
            return Ok(Ending::Quit);
        }
        if signal.load(Ordering::Relaxed) != 0 {
            return Ok(Ending::Signal);
        }
        if desk.stopped.swap(false, Ordering::Relaxed) {
            desk.suspend(state, worker)?;
        }
        desk.take_snapshot(state, worker)?;
        desk.take_picture(state)?;
        desk.request_picture(state);
        desk.draw(state)?;
    }
}

/// What the loop knows besides the state.
struct Desk<'a> {
    screen: &'a mut Screen,
    encoder: Encoder,
    area: Rect,
    theme: Theme,
    /// What is on the screen.
    shown: Option<Encoded>,
    /// What was last asked of the encoder.
    asked: Option<Asked>,
    asked_at: Instant,
    /// How long pictures have to be apart, as the link's speed has it.
    apart: Duration,
    /// Something must be drawn now.
    urgent: bool,
    /// Something may be drawn when the time has come.
    stale: bool,
    drawn_at: Instant,
    link: Link,
    /// Has somebody asked to suspend from outside, as Ctrl-Z does inside?
    stopped: Arc<AtomicBool>,
}

/// A picture request in all that makes it differ from another.
#[derive(Clone, PartialEq)]
struct Asked {
    picture: Arc<Picture>,
    cells: Size,
    graphics: Graphics,
    live: bool,
}

/// Bytes a second to the terminal.
struct Link {
    since: Instant,
    written: u64,
    rate: f64,
}

impl<'a> Desk<'a> {
    fn new(screen: &'a mut Screen) -> Result<Self> {
        let now = Instant::now();
        let stopped = Arc::<AtomicBool>::default();
        signal_hook::flag::register(SIGTSTP, Arc::clone(&stopped)).context("cannot listen for signals")?;
        Ok(Self {
            area: screen.area()?,
            encoder: Encoder::spawn()?,
            theme: Theme::from_environment(),
            shown: None,
            asked: None,
            asked_at: now,
            apart: Duration::ZERO,
            urgent: true,
            stale: false,
            drawn_at: now,
            link: Link { since: now, written: 0, rate: 0.0 },
            screen,
            stopped,
        })
    }

    /// Takes what is typed while the terminal is still being asked what it can show. True to quit.
    fn listen(&mut self, state: &mut State, worker: &Worker) -> Result<bool> {
        for key in self.screen.listen() {
            self.urgent = true;
            if self.press(state, worker, key)? {
                return Ok(true);
            }
        }
        // Nobody else hears of a new size meanwhile.
        if !self.screen.is_asking() || self.screen.area()? != self.area {
            self.redraw()?;
        }
        Ok(false)
    }

    /// Takes all events that are there, so that a storm of them costs one frame. True to quit.
    fn take_events(&mut self, state: &mut State, worker: &Worker) -> Result<bool> {
        let mut anew = false;
        let mut filter = input::Filter::default();
        loop {
            match event::read()? {
                Event::Key(event) => {
                    if let Some(key) = filter.key(event)
                        && self.press(state, worker, key)?
                    {
                        return Ok(true);
                    }
                }
                Event::Resize(..) => anew = true,
                // tmux loses pictures that are sent to a hidden window.
                Event::FocusGained => anew |= self.screen.graphics().protocol != Protocol::Halfblocks,
                _ => {}
            }
            self.urgent = true;
            if !event::poll(BURST)? {
                break;
            }
        }
        if anew {
            self.redraw()?;
        }
        Ok(false)
    }

    fn press(&mut self, state: &mut State, worker: &Worker, key: crate::app::Key) -> Result<bool> {
        (state.row, state.full) = (channels_in_a_row(self.area), is_full(self.area));
        let overlaid = state.mode.is_overlay();
        for command in state.update(Message::Key(key)) {
            match command {
                Command::Quit => return Ok(true),
                Command::Redraw => self.redraw()?,
                Command::NextProtocol => {
                    let next = self.screen.graphics().protocol.next();
                    self.show_by(next)?;
                    state.remark = Some(format!("pictures are now shown by {}", next.name()));
                }
                Command::Suspend => self.suspend(state, worker)?,
                command => worker.send(command),
            }
        }
        // What the terminal painted over the cells does not go away by drawing cells.
        if overlaid != state.mode.is_overlay() && self.screen.graphics().protocol.paints_over_cells() {
            self.redraw()?;
        }
        Ok(false)
    }

    fn suspend(&mut self, state: &State, worker: &Worker) -> Result<()> {
        let running = state.snapshot.status == Status::Running;
        if running {
            worker.send(Command::Pause);
        }
        self.screen.suspend()?;
        if running {
            worker.send(Command::Resume);
        }
        self.redraw()
    }

    /// Draws everything anew, pictures too.
    fn redraw(&mut self) -> Result<()> {
        self.area = self.screen.area()?;
        self.screen.redraw();
        (self.asked, self.apart, self.urgent) = (None, Duration::ZERO, true);
        Ok(())
    }

    fn take_snapshot(&mut self, state: &mut State, worker: &Worker) -> Result<()> {
        let snapshot = worker.news()?;
        if snapshot.version == state.snapshot.version {
            return Ok(());
        }
        let run = |snapshot: &crate::app::Snapshot| snapshot.run.as_ref().map(|run| run.number);
        if run(&snapshot) != run(&state.snapshot) || snapshot.status != state.snapshot.status {
            (self.urgent, self.apart) = (true, Duration::ZERO);
        }
        state.update(Message::Snapshot(snapshot));
        self.stale = true;
        Ok(())
    }

    fn take_picture(&mut self, state: &mut State) -> Result<()> {
        match self.encoder.take() {
            None => {}
            Some(Ok(done)) => (self.shown, self.urgent) = (done, true),
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

    fn show_by(&mut self, protocol: Protocol) -> Result<()> {
        self.screen.show_by(protocol)?;
        self.shown = None;
        self.redraw()
    }

    /// Asks for a new picture if it would differ from the last and the link had time for that one.
    fn request_picture(&mut self, state: &State) {
        let Some(run) = &state.snapshot.run else { return };
        let graphics = self.screen.graphics();
        let asked = Asked {
            picture: Arc::clone(&run.picture),
            cells: graphics.square(picture_room(self.area, state.zoomed).as_size()),
            graphics,
            live: state.snapshot.status == Status::Running,
        };
        if self.asked.as_ref() == Some(&asked) || self.asked_at.elapsed() < self.apart {
            return;
        }
        (self.asked, self.asked_at, self.apart) = (Some(asked.clone()), Instant::now(), PICTURES[0]);
        let Asked { picture, cells, graphics, live } = asked;
        let kitty_id = self.screen.next_kitty_id();
        self.encoder.request(Request { picture, cells, graphics, live, kitty_id });
    }

    fn draw(&mut self, state: &State) -> Result<()> {
        let due = self.stale && self.drawn_at.elapsed() >= NUMBERS;
        if !(self.urgent || due) {
            return Ok(());
        }
        let link = self.link.describe(self.screen);
        let view = View { picture: self.shown.as_ref(), link: Some(link), theme: self.theme };
        let took = self.screen.draw(|frame| render(frame, state, &view))?;
        self.apart = (took * SHARE).clamp(self.apart.min(PICTURES[1]), PICTURES[1]);
        (self.urgent, self.stale, self.drawn_at) = (false, false, Instant::now());
        Ok(())
    }
}

impl Link {
    /// How pictures are shown, and the kilobytes a second of the last second or so.
    fn describe(&mut self, screen: &Screen) -> (&'static str, f64) {
        let seconds = self.since.elapsed().as_secs_f64();
        if seconds >= 1.0 {
            self.rate = (screen.written() - self.written) as f64 / seconds;
            (self.since, self.written) = (Instant::now(), screen.written());
        }
        (screen.graphics().protocol.name(), self.rate / 1000.0)
    }
}
