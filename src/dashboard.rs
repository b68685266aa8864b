//! The dashboard's state and what keys do to it: pure. `State::update` takes a message and returns effects;
//! nothing here draws, reads a clock, starts a thread or knows a terminal's or a framework's types.

// A new variant of an enum of ours must be thought of wherever the enum is matched.
#![deny(clippy::wildcard_enum_match_arm)]

mod actions;
mod answers;
mod closer;
mod commands;
mod complete;
mod devices;
mod find;
mod fork;
mod key;
mod key_map;
mod key_name;
mod key_scope;
mod key_table;
mod leaving;
mod line_editor;
mod list;
mod list_keys;
mod look_back;
mod look_closer;
mod marking;
mod marks;
mod mosaic;
mod networks;
mod page;
mod palette;
mod pane_sizes;
mod pointing;
mod prompt;
mod question;
mod resizing;
mod run_pictures;
mod saved_runs;
mod scrub;
mod setting;
mod settings;
mod state;
mod steer;
mod thumbnails;
mod typing;
mod update;

pub use closer::{ChannelBars, Closer, PictureWindow};
pub use find::Hit;
pub use key::Key;
pub use key_map::{BoundCommand, KeyChange, KeyMap, WrongKey};
pub use key_scope::KeyScope;
pub use key_table::{BINDINGS, Binding};
pub use leaving::Leaving;
pub use line_editor::LineEditor;
pub use list_keys::LIST_BINDINGS;
pub use marks::{Mark, Marks};
pub use page::Mosaic;
pub use pane_sizes::PaneSizes;
pub use pointing::{PointedAt, Pointing, Scrolled};
pub use prompt::Prompt;
pub use question::OpenQuestion;
pub use run_pictures::RunPictures;
pub use scrub::Scrub;
pub use setting::Setting;
pub use state::{Effect, Mode, Pane, Shown, State, TerminalAction};
pub use steer::recipes;
pub use update::Message;
