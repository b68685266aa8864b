//! Where a dashboard was left: what the next one begins with, after its flags and the user's configuration. The file is the
//! program's own, and one that cannot be used is passed over.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::runs::{self, read_regular, write_atomic};

/// The longest file that is read, in bytes.
const MAX_BYTES: u64 = 32 << 20;

/// The name of the file in this program's folder of states.
const FILE: &str = "dashboard.json";

/// The place of a dashboard's cursor, what is drawn at which size, and what was marked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOff {
    /// The network, as `--network` takes it; empty where no place was noted yet.
    pub network: String,
    /// The layer under the cursor, in the form meant.
    pub layer: String,
    /// The channel under the cursor.
    pub channel: usize,
    /// By how many sizes drafts are drawn larger than at first.
    #[serde(default)]
    pub enlarged: usize,
    /// Whether the pane of classes is hidden.
    #[serde(default)]
    pub hides_classes: bool,
    /// By how many columns the lists are wider than by themselves, by how many rows the curve is higher, and by how many drafts the
    /// strip is wider.
    #[serde(default)]
    pub panes: (i16, i16, i16),
    /// The pictures that were marked, the newest last.
    #[serde(default)]
    pub marks: Vec<KeptMark>,
}

/// A picture that was marked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMark {
    /// The words that tell it from others.
    pub label: String,
    /// The network that made it.
    pub network: String,
    /// The layer and the channel of its objective, if that is a channel.
    pub target: Option<(String, usize)>,
    /// Whether it is chosen to stand beside others.
    pub chosen: bool,
    /// The picture as a JPEG, in base64.
    pub jpeg: String,
}

impl LeftOff {
    /// The path of the file of this process's user; none without a home folder.
    pub fn path() -> Option<PathBuf> {
        let folder =
            |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        let states = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
        Some(states?.join("trepang").join(FILE))
    }

    /// The place where the user's last dashboard was left; none if there was none. Fails, with a sentence, for a file that cannot be used.
    pub fn read() -> Result<Option<Self>, String> {
        let Some(path) = Self::path() else { return Ok(None) };
        let bytes = match read_regular(&path, MAX_BYTES) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            bytes => bytes.map_err(|error| error.to_string()),
        };
        let read = bytes.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()));
        read.map(Some).map_err(|reason| {
            format!(
                "where the last dashboard was left is not known: {} cannot be used ({reason})",
                path.display()
            )
        })
    }

    /// Replaces the file, whole. Fails where it cannot be written.
    pub fn write(&self) -> runs::Result<()> {
        let Some(path) = Self::path() else { return Ok(()) };
        let failed = |source| runs::Error::Write { path: path.clone(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let text = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        write_atomic(&path, &text)
    }
}
