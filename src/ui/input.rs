//! Terminal events to the dashboard's own keys, and whether there is a terminal at all.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::app::Key;

/// Waits until there is something to read or the time is over; false when the other end of the terminal has hung
/// up. Usually SIGHUP says so first, but that can be ignored (`nohup`).
///
/// crossterm's own wait is not used for this: its last millisecond is a busy loop, one part in twenty of a core
/// that the ascent wants.
pub(super) fn wait(limit: Duration) -> bool {
    let stdin = rustix::stdio::stdin();
    let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
    let limit = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: i64::from(limit.subsec_nanos()) };
    // An interruption (a resize, a signal) is news as well, and the caller looks for it.
    poll(&mut watched, Some(&limit)).is_err()
        || !watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

/// Is there something to read now?
pub(super) fn is_readable() -> bool {
    let stdin = rustix::stdio::stdin();
    let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut watched, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
        && watched[0].revents().contains(PollFlags::IN)
}

/// Tells keys from what a slow terminal says when nobody waits for it any more: kitty's answer to the question
/// what it can do arrives as Alt-_, its text and Alt-\.
#[derive(Debug, Default)]
pub(super) struct Filter {
    answer: bool,
}

impl Filter {
    /// The key, unless it is part of an answer.
    pub(super) fn key(&mut self, event: KeyEvent) -> Option<Key> {
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        match event.code {
            KeyCode::Char('_') if alt => self.answer = true,
            KeyCode::Char('\\') if alt => self.answer = false,
            _ if self.answer => {}
            _ => return key(event),
        }
        None
    }
}

/// The key, if it is one the dashboard knows; none for releases.
fn key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    Some(match event.code {
        KeyCode::Char(c) if event.modifiers.contains(KeyModifiers::CONTROL) => {
            Key::Ctrl(c.to_ascii_lowercase())
        }
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}
