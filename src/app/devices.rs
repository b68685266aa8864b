//! The list of backends and devices: how it opens, and the actions of the keys while it is open.

use super::actions::{NOTHING, no_room};
use super::entries::DeviceEntry;
use super::key::Key;
use super::list;
use super::state::{Command, Mode, State};

/// Opens the list with the cursor on the current device, and asks the worker to make the list again.
pub(super) fn open(state: &mut State) -> Vec<Command> {
    if !state.full {
        return no_room(state, "the list of devices");
    }
    let current = state.snapshot.devices.iter().position(|entry| state.computes_on(entry));
    state.mode = Mode::Devices(current.unwrap_or_default());
    vec![Command::ListDevices]
}

/// Handles a key while the list is open with the cursor on line `cursor`.
pub(super) fn press(state: &mut State, cursor: usize, key: Key) -> Vec<Command> {
    let len = state.snapshot.devices.len();
    match key {
        Key::Enter => choose(state, cursor),
        Key::Char('B') => {
            state.mode = Mode::Browse;
            NOTHING
        }
        _ => list::press(state, key, (cursor, len), Mode::Devices).unwrap_or_default(),
    }
}

fn choose(state: &mut State, cursor: usize) -> Vec<Command> {
    let Some(entry) = state.snapshot.devices.get(cursor).cloned() else { return NOTHING };
    let current = state.computes_on(&entry);
    let DeviceEntry { backend, device } = entry;
    let device = match device {
        Ok((device, _)) => device,
        Err(problem) => {
            state.remark = Some(problem);
            return NOTHING;
        }
    };
    if state.is_switching() {
        return NOTHING; // `is_switching` has set the remark
    }
    state.mode = Mode::Browse;
    if current {
        state.remark = Some(format!("{backend} on {device} is in use already"));
        return NOTHING;
    }
    state.switching = Some((format!("{backend} on {device}"), state.snapshot.switches + 1));
    vec![Command::Carry { backend, device }]
}

impl State {
    /// Whether the entry is the backend and device that compute now.
    pub fn computes_on(&self, entry: &DeviceEntry) -> bool {
        let device = entry.device.as_ref().ok().map(|(device, _)| device);
        self.network.backend == entry.backend && device == Some(&self.network.device)
    }
}
