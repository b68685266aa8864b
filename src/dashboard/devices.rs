//! The list of backends and devices: what there is to compute with, and what keys do while it is open.

use super::actions::{NOTHING, no_room};
use super::list;
use super::state::{Effect, Mode, State};
use crate::worker::protocol::{Action, DeviceEntry};

/// Opens the list on the device that computes now, and has it made anew.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    if !state.full {
        return no_room(state, "the list of devices");
    }
    let current = state.snapshot.devices.iter().position(|entry| state.computes_on(entry));
    state.mode = Mode::Devices(current.unwrap_or_default());
    vec![Effect::Ask(Action::ListDevices)]
}

/// A command while the list is open and `cursor` is on one of its lines.
pub(super) fn act(state: &mut State, cursor: usize, command: &str) -> Vec<Effect> {
    let len = state.snapshot.devices.len();
    match command {
        "list-choose" => choose(state, cursor),
        _ => list::act(state, command, (cursor, len), Mode::Devices),
    }
}

fn choose(state: &mut State, cursor: usize) -> Vec<Effect> {
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
        return NOTHING; // the remark says so
    }
    state.mode = Mode::Browse;
    if current {
        state.remark = Some(format!("{backend} on {device} is in use already"));
        return NOTHING;
    }
    state.switching = Some((format!("{backend} on {device}"), state.asked + 1));
    vec![Effect::Ask(Action::SwitchDevice { backend, device })]
}

impl State {
    /// Whether this device computes now.
    pub fn computes_on(&self, entry: &DeviceEntry) -> bool {
        let device = entry.device.as_ref().ok().map(|(device, _)| device);
        self.network.backend == entry.backend && device == Some(&self.network.device)
    }
}
