//! The real binary in a pseudo-terminal: what a user sees, presses and is left with.

mod attach;
mod config;
mod emulator;
mod ended;
mod endings;
mod frame;
mod keys;
mod lab;
mod leaving;
mod left_off;
mod mosaic;
mod mouse;
mod pictures;
mod prompts;
mod saved_runs;
mod show;
mod sizes;
mod surroundings;
mod terminal;

use emulator::Answers;
use ended::Ended;
use frame::Frame;
use terminal::{Setup, Terminal};

/// The dashboard in a usual window, with a run that has taken some steps and its picture on the screen.
fn running() -> Terminal {
    running_in(Setup::new(100, 30))
}

fn running_in(setup: Setup) -> Terminal {
    let mut terminal = setup.start();
    terminal.wait_until("a picture of a run in progress", |frame| {
        frame.picture_colours() > 16 && frame.step().is_some_and(|(step, _)| step > 1)
    });
    terminal
}

/// Makes the run so long that it does not end meanwhile.
fn prolong(terminal: &mut Terminal) {
    terminal.send(&"+".repeat(200));
    terminal.wait_until("6528 steps", |frame| frame.step().is_some_and(|(_, steps)| steps == 128 + 200 * 32));
}

/// The steps taken, once there is a run.
fn step(frame: &Frame) -> usize {
    frame.step().map_or(0, |(step, _)| step)
}
