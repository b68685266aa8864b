//! The folder that keeps units: `done/LAYER/KEY.zip` has the pictures, `state/KEY.zip` what ascents need to go on, and
//! `classes/KEY.json` what a classifier saw in the pictures. Files
//! are replaced whole, so several processes meet in one store; of two that write at once the last one stays. What is damaged
//! counts as absent: it can be computed again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use trepang_weights::sha256;

use super::draft::Draft;
use super::pack::{Pack, PackedChannel, read_zip, write_zip};
use super::seen_classes::{self, SeenClasses};
use super::unit::Unit;
use crate::engine::{Ascent, AscentState};
use crate::runs::{
    self, BoxedError, Origin, Parts, decode_state, encode_state, open_regular, read_regular, write_atomic,
};

/// The result of everything in `sweep`.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The bytes that a store may take, unless something else is asked for.
const DEFAULT_LIMIT: u64 = 2_000_000_000;

/// The largest file of a store that is read, in bytes: 32 pictures of 1024 pixels with Adam's moments take 1.2 GB.
const MAX_FILE_BYTES: u64 = 2 << 30;

/// The folders of a store.
pub(super) const DONE: &str = "done";
const STATE: &str = "state";
const CLASSES: &str = "classes";

/// The share of its limit that a store is made smaller to, so that it is not at its limit again at once.
const ROOM: f64 = 0.9;

/// A file of a store could not be written or taken away.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A folder could not be made, or a file not taken away.
    #[error("cannot keep pictures in {}", .path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] runs::Error),
    /// A picture or a state could not be put into its format.
    #[error("cannot keep the pictures of {layer}")]
    Encode {
        /// The layer that they are of.
        layer: String,
        /// The encoder's error.
        source: BoxedError,
    },
}

/// A folder that keeps units.
#[derive(Debug, Clone)]
pub struct UnitStore {
    folder: PathBuf,
    limit: u64,
}

/// The files that were taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cleaned {
    /// The number of files.
    pub files: usize,
    /// The number of their bytes.
    pub bytes: u64,
}

/// A file of a store.
struct StoredFile {
    path: PathBuf,
    bytes: u64,
    modified: SystemTime,
    /// Whether it is a pack, which goes after all that only saves time.
    is_pack: bool,
}

impl UnitStore {
    /// The store in a folder, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), limit: DEFAULT_LIMIT }
    }

    /// The same store with room for so many bytes.
    #[must_use]
    pub fn with_limit(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    /// The folder that the store is in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn pack_path(&self, unit: &Unit) -> PathBuf {
        let name = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        let layer: String = unit.layer.chars().take(100).map(name).collect();
        let layer = if layer.starts_with('.') { format!("-{layer}") } else { layer };
        self.folder.join(DONE).join(layer).join(format!("{}.zip", unit.key()))
    }

    fn state_path(&self, unit: &Unit) -> PathBuf {
        self.folder.join(STATE).join(format!("{}.zip", unit.key()))
    }

    /// The pictures that there are of a unit, by channel.
    pub fn drafts(&self, unit: &Unit) -> BTreeMap<usize, Draft> {
        let packed = self.pack(unit).channels;
        packed.into_iter().filter_map(|(channel, packed)| Some((channel, packed.draft().ok()?))).collect()
    }

    /// The files of pictures, in the order of their names.
    fn packs(&self) -> Vec<PathBuf> {
        let layers = entries(&self.folder.join(DONE));
        let mut packs: Vec<PathBuf> = layers.iter().flat_map(|layer| entries(layer)).collect();
        packs.sort();
        packs
    }

    /// The files of pictures, the one that was written last first.
    pub(super) fn packs_by_age(&self) -> Vec<PathBuf> {
        let packs = self.packs().into_iter().filter_map(|path| StoredFile::of(path, true));
        let mut packs: Vec<StoredFile> = packs.collect();
        packs.sort_by_key(|file| std::cmp::Reverse(file.modified));
        packs.into_iter().map(|file| file.path).collect()
    }

    /// The units whose pictures are kept, as far as they are wanted, and of how many channels of each there are some.
    pub fn units(&self, is_wanted: impl Fn(&Unit) -> bool) -> Vec<(Unit, usize)> {
        let packs = self.packs();
        let unit = |path: PathBuf| Pack::describe(open_regular(&path).ok()?).ok();
        packs.into_iter().filter_map(unit).filter(|(unit, _)| is_wanted(unit)).collect()
    }

    fn classes_path(&self, of: &str) -> PathBuf {
        self.folder.join(CLASSES).join(format!("{}.json", sha256(of.as_bytes())))
    }

    /// The classes that were seen in pictures by the classifier that `of` describes.
    pub fn classes(&self, of: &str) -> SeenClasses {
        let bytes = read_regular(&self.classes_path(of), MAX_FILE_BYTES).ok();
        bytes.and_then(|bytes| seen_classes::decode(&bytes, of).ok()).unwrap_or_default()
    }

    /// Keeps the classes that were seen in pictures by the classifier that `of` describes, in the place of those before.
    pub fn keep_classes(&self, of: &str, classes: &SeenClasses) -> Result<()> {
        let path = self.classes_path(of);
        let failed = |source| Error::Encode { layer: of.into(), source };
        write(&path, &seen_classes::encode(of, classes).map_err(failed)?)
    }

    /// The pack of a unit; an empty one where there is nothing, or nothing that can be read.
    pub fn pack(&self, unit: &Unit) -> Pack {
        let bytes = read_regular(&self.pack_path(unit), MAX_FILE_BYTES).ok();
        let pack = bytes.and_then(|bytes| Pack::decode(&bytes, unit).ok());
        pack.unwrap_or_else(|| Pack::empty(unit.clone()))
    }

    /// The states of a unit that ascents can go on from, by channel.
    pub fn states(&self, unit: &Unit) -> BTreeMap<usize, (Origin, AscentState)> {
        let bytes = read_regular(&self.state_path(unit), MAX_FILE_BYTES).ok();
        let entries = bytes.and_then(|bytes| read_zip(&bytes).ok()).unwrap_or_default();
        let state = |(name, bytes): (String, Vec<u8>)| {
            let channel = name.strip_suffix(".safetensors")?.strip_prefix("channel-")?.parse().ok()?;
            Some((channel, decode_state(&bytes).ok()?))
        };
        entries.into_iter().filter_map(state).collect()
    }

    /// Keeps the pictures of a unit's ascents as they are now, with those that there are.
    pub fn keep(&self, unit: &Unit, ascents: &[(usize, &Ascent)], parts: &Parts) -> Result<()> {
        let failed = |source| Error::Encode { layer: unit.layer.clone(), source };
        let mut pack = self.pack(unit);
        for (channel, ascent) in ascents {
            let origin = parts.origin(ascent.plan().clone(), ascent.step_count());
            pack.add(*channel, PackedChannel::of(ascent, &origin).map_err(failed)?);
        }
        write(&self.pack_path(unit), &pack.encode().map_err(failed)?)
    }

    /// Keeps the states of a unit's ascents with those that there are. One that has taken all its steps needs none.
    pub fn keep_states(&self, unit: &Unit, ascents: &[(usize, &Ascent)], parts: &Parts) -> Result<()> {
        let failed = |source| Error::Encode { layer: unit.layer.clone(), source };
        let path = self.state_path(unit);
        let before = read_regular(&path, MAX_FILE_BYTES).ok();
        let mut entries = before.and_then(|bytes| read_zip(&bytes).ok()).unwrap_or_default();
        for (channel, ascent) in ascents {
            let name = format!("channel-{channel:04}.safetensors");
            if ascent.is_finished() {
                entries.remove(&name);
            } else {
                let origin = parts.origin(ascent.plan().clone(), ascent.step_count());
                entries.insert(name, encode_state(&origin, ascent.state()).map_err(failed)?);
            }
        }
        if entries.is_empty() {
            return match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    Err(Error::Folder { path, source })
                }
                _ => Ok(()),
            };
        }
        let zip = write_zip(entries.iter().map(|(name, bytes)| (name.clone(), &**bytes))).map_err(failed)?;
        write(&path, &zip)
    }

    /// Takes the oldest files away while there are more bytes than the store has room for: states first, which only save
    /// steps, and then pictures.
    pub fn shrink(&self) -> Result<Cleaned> {
        let mut files = self.files();
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        let mut cleaned = Cleaned::default();
        if total <= self.limit {
            return Ok(cleaned);
        }
        files.sort_by_key(|file| (file.is_pack, file.modified));
        let goal = (self.limit as f64 * ROOM) as u64;
        for file in files {
            if total <= goal {
                break;
            }
            take_away(&file, &mut cleaned)?;
            total -= file.bytes;
        }
        Ok(cleaned)
    }

    /// Takes all files of the store away.
    pub fn clean(&self) -> Result<Cleaned> {
        let mut cleaned = Cleaned::default();
        self.files().iter().try_for_each(|file| take_away(file, &mut cleaned))?;
        Ok(cleaned)
    }

    /// The files of the store. A folder that cannot be read has none.
    fn files(&self) -> Vec<StoredFile> {
        let packs = self.packs().into_iter().map(|path| (path, true));
        let others = [STATE, CLASSES].into_iter().flat_map(|folder| entries(&self.folder.join(folder)));
        let others = others.map(|path| (path, false));
        packs.chain(others).filter_map(|(path, is_pack)| StoredFile::of(path, is_pack)).collect()
    }
}

impl StoredFile {
    /// A regular file that a store has written, or has begun to write; none for anything else.
    fn of(path: PathBuf, is_pack: bool) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let kinds: &[&str] = if is_pack { &["zip", "part"] } else { &["zip", "json", "part"] };
        if !Path::new(name).extension().is_some_and(|ending| kinds.iter().any(|kind| ending == *kind)) {
            return None;
        }
        let meta = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
        let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Some(Self { bytes: meta.len(), modified, is_pack, path })
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// Takes a file away, which another process may have done before.
fn take_away(file: &StoredFile, cleaned: &mut Cleaned) -> Result<()> {
    match fs::remove_file(&file.path) {
        Ok(()) => {
            cleaned.files += 1;
            cleaned.bytes += file.bytes;
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Error::Folder { path: file.path.clone(), source }),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|source| Error::Folder { path: folder.into(), source })?;
    Ok(write_atomic(path, bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Objective, Pictures, Plan, Recipe};
    use crate::runs::Provenance;
    use std::fs::File;
    use std::time::Duration;
    use trepang_api::{Reference, find_device};

    const LAYER: &str = "block1_conv1";

    /// An ascent of this channel that has taken no step, and the unit that it belongs to.
    fn begun(layer: &str, channel: usize) -> (Unit, Ascent, Parts) {
        let network = trepang_weights::minivgg().unwrap().network;
        let cpu = find_device(&Reference, "cpu").unwrap();
        let provenance = Provenance::new(("minivgg", None, String::new()), (&Reference, &cpu));
        let objective = Objective::channel(layer, channel);
        let plan = Plan::new(objective, Recipe::named("pixel").unwrap(), 32);
        let unit = Unit::of(&plan, &provenance).unwrap().0;
        (unit, Ascent::new(plan, &network, &Pictures::new()).unwrap(), Parts::new(provenance))
    }

    fn keep(store: &UnitStore, channel: usize) -> Unit {
        keep_of(store, LAYER, channel)
    }

    fn keep_of(store: &UnitStore, layer: &str, channel: usize) -> Unit {
        let (unit, ascent, parts) = begun(layer, channel);
        store.keep(&unit, &[(channel, &ascent)], &parts).unwrap();
        store.keep_states(&unit, &[(channel, &ascent)], &parts).unwrap();
        unit
    }

    #[test]
    fn channels_of_a_unit_come_together_in_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = UnitStore::new(folder.path());
        let unit = keep(&store, 3);
        assert_eq!(keep(&store, 5), unit);
        assert_eq!(store.drafts(&unit).keys().copied().collect::<Vec<_>>(), [3, 5]);
        let states = store.states(&unit);
        assert_eq!(states.keys().copied().collect::<Vec<_>>(), [3, 5]);
        assert_eq!(states[&5].1, *begun(LAYER, 5).1.state());
        assert_eq!(store.files().len(), 2);
        assert!(store.drafts(&Unit { seed: 1, ..unit }).is_empty());
    }

    #[test]
    fn a_file_of_another_unit_is_not_taken_for_this_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = UnitStore::new(folder.path());
        let unit = keep(&store, 3);
        let other = Unit { seed: 1, ..unit.clone() };
        fs::copy(store.pack_path(&unit), store.pack_path(&other)).unwrap();
        assert!(store.drafts(&other).is_empty());
    }

    #[test]
    fn states_go_before_pictures_and_the_oldest_first() {
        let folder = tempfile::tempdir().unwrap();
        let store = UnitStore::new(folder.path());
        let units = [("block1_conv1", 0), ("block2_conv1", 0), ("block2_conv1", 40)];
        let units = units.map(|(layer, channel)| keep_of(&store, layer, channel));
        let age = |path: &Path, seconds: u64| {
            let then = SystemTime::now() - Duration::from_secs(seconds);
            File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
        };
        for (unit, seconds) in units.iter().zip([10, 30, 20]) {
            age(&store.pack_path(unit), seconds + 100);
            age(&store.state_path(unit), seconds);
        }
        let there = |store: &UnitStore| {
            let of = |path: PathBuf| path.exists();
            units.clone().map(|unit| (of(store.pack_path(&unit)), of(store.state_path(&unit))))
        };
        let total = |store: &UnitStore| store.files().iter().map(|file| file.bytes).sum::<u64>();
        assert_eq!(store.shrink().unwrap(), Cleaned::default(), "there is room");
        let tight = store.clone().with_limit(total(&store) - 1);
        tight.shrink().unwrap();
        assert_eq!(there(&store), [(true, true), (true, false), (true, true)]);
        store.clone().with_limit(total(&store) / 4).shrink().unwrap();
        let left = there(&store);
        assert!(left.iter().all(|(_, state)| !state), "{left:?}");
        let all = store.files().len();
        assert_eq!(store.clean().unwrap().files, all);
        assert_eq!(there(&store), [(false, false); 3]);
    }

    #[test]
    fn only_files_of_the_store_are_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let store = UnitStore::new(folder.path());
        let unit = keep(&store, 0);
        let beside = store.pack_path(&unit).with_file_name("notes.txt");
        fs::write(&beside, "mine").unwrap();
        fs::write(folder.path().join("other.zip"), "mine").unwrap();
        store.clean().unwrap();
        assert!(beside.exists() && folder.path().join("other.zip").exists());
    }

    #[test]
    fn a_layer_with_a_strange_name_stays_in_the_folder() {
        let store = UnitStore::new("/store");
        let (unit, ..) = begun(LAYER, 0);
        for layer in ["../../etc/passwd", "/abs", ".", "..", "features.9.conv.1.2", "a:pre"] {
            let path = store.pack_path(&Unit { layer: layer.into(), ..unit.clone() });
            assert!(
                path.parent().unwrap().parent().unwrap() == Path::new("/store/done"),
                "{}",
                path.display()
            );
            assert!(!path.components().any(|part| part.as_os_str() == ".."), "{}", path.display());
        }
    }
}
