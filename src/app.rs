//! The dashboard's state and the actions of its keys. `State::update` takes a message and returns commands for others. This code
//! is pure: it does not draw, read a clock, start a thread or use types of the terminal or of an ML framework.

mod actions;
mod curve;
mod devices;
mod entries;
mod key;
mod key_table;
mod list;
mod networks;
mod predictions;
mod snapshot;
mod state;
mod steer;
mod update;

pub use curve::Curve;
pub use entries::{DeviceEntry, LayerInfo, LoadedNetwork, NetworkEntry, NetworkInfo, Supply};
pub use key::Key;
pub use key_table::{BINDINGS, Binding};
pub use predictions::{Classification, Guess, Predictions};
pub use snapshot::{RunView, Snapshot, Status, UnsavedRun};
pub use state::{Command, Mode, Pane, Settings, State};
pub use steer::recipes;
pub use update::Message;
