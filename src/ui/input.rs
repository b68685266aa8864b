//! Waits for input, and converts terminal events to the dashboard's keys.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::dashboard::Key;

/// Waits until input can be read or `limit` is over. Returns false if the other end of the terminal has hung up; SIGHUP
/// usually reports that first, but it can be ignored (`nohup`).
///
/// crossterm's own wait is not used, because its last millisecond is a busy loop, which would take 5 % of a core from the
/// computation.
pub(super) fn wait(limit: Duration) -> bool {
    let stdin = rustix::stdio::stdin();
    let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
    let limit = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: i64::from(limit.subsec_nanos()) };
    // An interruption (a resize or a signal) also ends the wait, and the caller handles it.
    poll(&mut watched, Some(&limit)).is_err()
        || !watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

/// Whether input can be read now.
pub(super) fn is_readable() -> bool {
    let stdin = rustix::stdio::stdin();
    let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut watched, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
        && watched[0].revents().contains(PollFlags::IN)
}

/// Removes late answers of a slow terminal from the keys: kitty's answer to the probe arrives as Alt-_, its text and Alt-\.
#[derive(Debug, Default)]
pub(super) struct Filter {
    answer: bool,
}

impl Filter {
    /// The key, or `None` if it is part of an answer.
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

/// Converts an event to a key; `None` for other keys and for releases.
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
