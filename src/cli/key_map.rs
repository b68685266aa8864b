//! The keys of the dashboard with the changes of the user's configuration.

use anyhow::Result;

use crate::config::{ConfigFile, KeyLine};
use crate::dashboard::{KeyChange, KeyMap};

/// The keys in use. Fails, with the line of the file, for a command or a key that there is not, and for two commands of one key.
pub(super) fn key_map(file: &ConfigFile) -> Result<KeyMap> {
    let change = |KeyLine { command, keys, line }: &KeyLine| KeyChange {
        command: command.clone(),
        keys: keys.clone(),
        line: *line,
    };
    let changes: Vec<KeyChange> = file.keys.iter().map(change).collect();
    Ok(KeyMap::with(&changes).map_err(|wrong| file.wrong(wrong.line, &wrong.reason))?)
}
