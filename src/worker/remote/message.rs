//! The messages on a socket. Snapshots are sent without the parts that the viewer has already: the drafts of a layer take
//! some megabytes, and 30 snapshots come in a second.

use std::io::{BufRead, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::worker::error::{Error, Result};
use crate::worker::protocol::{DraftSeries, DraftSheet, DraftView, NetworkView, Reply, Settings, Snapshot};

/// The longest message that is read, in bytes: the drafts of a layer with thousands of channels are shorter.
const MAX_MESSAGE_BYTES: u64 = 256 << 20;

/// Says which program speaks; the first line of each connection. Everything after it is of this version's own form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hail {
    pub(super) trepang: String,
}

/// Everything that a viewer shows before the first snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Greeting {
    /// The network that the worker began with.
    pub network: NetworkView,
    /// The settings of the ascents that are started there.
    pub settings: Settings,
    /// The folder of the store that its drafts are kept in; none if they are not kept.
    pub store: Option<PathBuf>,
}

/// A message from the worker to a viewer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ViewerMessage {
    Greeting(Box<Greeting>),
    Reply(Reply),
    Snapshot(Box<SnapshotUpdate>),
}

/// A snapshot as it differs from the one before.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SnapshotUpdate {
    /// The snapshot; its sheets are left out, and its network, examinations and classes where they are the same as before.
    snapshot: Snapshot,
    same_network: bool,
    same_examinations: bool,
    same_classes: bool,
    sheets: Vec<SheetUpdate>,
}

/// The drafts of a layer as they differ from those before.
#[derive(Debug, Serialize, Deserialize)]
struct SheetUpdate {
    series: DraftSeries,
    /// All channels that there is a draft of.
    channels: Vec<usize>,
    /// The drafts that are new, or have come further.
    changed: Vec<DraftView>,
}

impl SnapshotUpdate {
    /// The way from one snapshot to a later one.
    pub(super) fn between(before: &Snapshot, after: &Snapshot) -> Self {
        let same_network = are_same(before.network.as_ref(), after.network.as_ref());
        let same_classes = are_same(before.class_search.as_ref(), after.class_search.as_ref());
        let sheets = after.sheets.iter().map(|sheet| SheetUpdate::between(before, sheet)).collect();
        let mut snapshot = Snapshot { sheets: Arc::default(), ..after.clone() };
        if same_network {
            snapshot.network = None;
        }
        let same_examinations = Arc::ptr_eq(&before.examinations, &after.examinations);
        if same_examinations {
            snapshot.examinations = Arc::default();
        }
        if same_classes {
            snapshot.class_search = None;
        }
        Self { snapshot, same_network, same_examinations, same_classes, sheets }
    }

    /// The later snapshot, from the one before.
    pub(super) fn apply(self, before: &Snapshot) -> Snapshot {
        let Self { mut snapshot, same_network, same_examinations, same_classes, sheets } = self;
        if same_network {
            snapshot.network.clone_from(&before.network);
        }
        if same_examinations {
            snapshot.examinations = Arc::clone(&before.examinations);
        }
        if same_classes {
            snapshot.class_search.clone_from(&before.class_search);
        }
        snapshot.sheets = sheets.into_iter().map(|sheet| sheet.apply(before)).collect();
        snapshot
    }
}

/// Whether both are there as one shared value, or neither is.
fn are_same<T>(before: Option<&Arc<T>>, after: Option<&Arc<T>>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => Arc::ptr_eq(before, after),
        (None, None) => true,
        (None, Some(_)) | (Some(_), None) => false,
    }
}

impl SheetUpdate {
    fn between(before: &Snapshot, sheet: &DraftSheet) -> Self {
        let known = sheet_of(before, &sheet.series);
        let is_known = |draft: &&DraftView| {
            let of_channel = known.iter().find(|other| other.channel == draft.channel);
            of_channel.is_some_and(|other| {
                (other.step, other.dead) == (draft.step, draft.dead)
                    && Arc::ptr_eq(&other.picture, &draft.picture)
            })
        };
        Self {
            series: sheet.series.clone(),
            channels: sheet.drafts.iter().map(|draft| draft.channel).collect(),
            changed: sheet.drafts.iter().filter(|draft| !is_known(draft)).cloned().collect(),
        }
    }

    fn apply(self, before: &Snapshot) -> DraftSheet {
        let Self { series, channels, changed } = self;
        let known = sheet_of(before, &series);
        let draft = |channel: usize| {
            let of_channel =
                |drafts: &[DraftView]| drafts.iter().find(|draft| draft.channel == channel).cloned();
            of_channel(&changed).or_else(|| of_channel(known))
        };
        let drafts = channels.into_iter().filter_map(draft).collect();
        DraftSheet { series, drafts }
    }
}

/// The drafts of a series in a snapshot.
fn sheet_of<'a>(snapshot: &'a Snapshot, series: &DraftSeries) -> &'a [DraftView] {
    snapshot.sheets.iter().find(|sheet| sheet.series == *series).map_or(&[], |sheet| &sheet.drafts)
}

/// Writes a message as a line.
pub(super) fn write(mut to: impl Write, message: &impl Serialize) -> Result<()> {
    let mut line = serde_json::to_vec(message).map_err(|error| Error::Line(error.into()))?;
    line.push(b'\n');
    to.write_all(&line).map_err(|error| Error::Line(error.into()))
}

/// Reads the next line's message; none when the other side has gone.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl BufRead) -> Result<Option<T>> {
    let mut line = Vec::new();
    let read = from.take(MAX_MESSAGE_BYTES).read_until(b'\n', &mut line);
    read.map_err(|error| Error::Line(error.into()))?;
    if line.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&line).map(Some).map_err(|error| Error::Line(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Picture, Recipe};

    fn draft(channel: usize, step: usize) -> DraftView {
        let picture = Arc::new(Picture { width: 1, height: 1, rgb: vec![channel as u8, step as u8, 0] });
        DraftView { channel, step, loss: Some(0.1), dead: false, picture }
    }

    fn snapshot(version: u64, drafts: Vec<DraftView>) -> Snapshot {
        let settings = Settings::of(Recipe::named("lucid").unwrap(), 64);
        let series = DraftSeries { layer: "a".into(), settings };
        Snapshot { version, sheets: [DraftSheet { series, drafts }].into(), ..Snapshot::default() }
    }

    #[test]
    fn only_drafts_that_changed_are_sent_and_all_arrive() {
        let kept = draft(1, 8);
        let before = snapshot(1, vec![kept.clone(), draft(2, 8)]);
        let after = snapshot(2, vec![kept, draft(2, 16), draft(3, 8)]);
        let update = SnapshotUpdate::between(&before, &after);
        let sent: Vec<usize> = update.sheets[0].changed.iter().map(|draft| draft.channel).collect();
        assert_eq!(sent, [2, 3]);

        let mut line = Vec::new();
        write(&mut line, &ViewerMessage::Snapshot(Box::new(update))).unwrap();
        let Some(ViewerMessage::Snapshot(update)) = read(&mut &line[..]).unwrap() else {
            panic!("no snapshot")
        };
        assert_eq!(update.apply(&before), after);
        let whole = SnapshotUpdate::between(&Snapshot::default(), &after);
        assert_eq!(whole.apply(&Snapshot::default()), after);
    }

    #[test]
    fn what_is_no_message_is_an_error_and_the_end_is_none() {
        assert!(read::<Hail>(&mut &b"GET / HTTP/1.1\n"[..]).is_err());
        assert!(read::<Hail>(&mut &b""[..]).unwrap().is_none());
    }
}
