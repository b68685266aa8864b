//! The dashboard's state and what keys do to it: pure. `State::update` takes a message and returns commands;
//! nothing here draws, reads a clock, starts a thread or knows a terminal's or a framework's types.

// A new variant of an enum of ours must be thought of wherever the enum is matched.
#![warn(clippy::wildcard_enum_match_arm)]

mod actions;
mod curve;
mod devices;
mod keys;
mod list;
mod networks;
mod predictions;
mod snapshot;
mod state;
mod steer;

pub use curve::Curve;
pub use devices::DeviceEntry;
pub use keys::{BINDINGS, Binding, Key};
pub use networks::{NetworkEntry, Subject, Supply};
pub use predictions::{Guess, Predictions, Verdict};
pub use snapshot::{Failure, RunView, Snapshot, Status};
pub use state::{Command, LayerInfo, Message, Mode, NetworkInfo, Pane, Settings, State};
pub use steer::recipes;
