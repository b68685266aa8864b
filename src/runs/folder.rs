//! The folder of one run: `manifest.json`, `losses.csv`, `image.png`, `state.safetensors`, and while steps are taken
//! `journal.safetensors`, a newer state; of a dashboard's run also `growth.jpg`.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::atomic::{write as write_atomic, write_own};
use super::error::{Error, Result};
use super::growth::GROWTH;
use super::lock::{LOCK, RunLock};
use super::manifest::{Manifest, Origin, Parts, Provenance};
use super::regular::read_regular;
use super::replaced::LOSSES_HEADER;
use super::{png, state};
use crate::engine::{Ascent, AscentState, Score};

pub(super) const MANIFEST: &str = "manifest.json";
const LOSSES: &str = "losses.csv";
/// The picture in a run's folder.
pub const IMAGE: &str = "image.png";
pub(super) const STATE: &str = "state.safetensors";
/// The largest manifest that is read, in bytes. One with a hundred changes takes about 200 kB.
pub(super) const MAX_MANIFEST_BYTES: u64 = 16 << 20;

const JOURNAL: &str = "journal.safetensors";

/// The folder a run is kept in.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
    parts: Parts,
    created: u64,
    /// Whether this process made the folder.
    fresh: bool,
    /// The lock, if this process takes steps of the run.
    lock: Option<Arc<RunLock>>,
}

/// A run as it was read from its folder.
#[derive(Debug)]
pub struct SavedRun {
    /// The plan of the run, and what computed it.
    pub origin: Origin,
    /// The state of the ascent after the last step that was saved.
    pub state: AscentState,
    /// Whether that state is newer than the rest of the folder: the process was killed between two saves.
    pub is_ahead: bool,
}

/// The default folder of runs, in the user's data folder; none without a home.
pub fn default_folder() -> Option<PathBuf> {
    let folder =
        |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")));
    Some(data?.join("trepang/runs"))
}

/// Whether the folder holds a run that can be gone on with.
pub fn is_run(folder: &Path) -> bool {
    folder.join(STATE).is_file()
}

impl RunFolder {
    /// Makes a new folder in `parent`, named after the run and numbered if the name is taken.
    pub fn create(parent: &Path, origin: &Origin) -> Result<Self> {
        let refused = |source| Error::NoFolder { parent: parent.into(), source };
        fs::create_dir_all(parent).map_err(refused)?;
        let name = slug(origin);
        for number in 1.. {
            let path = parent.join(if number == 1 { name.clone() } else { format!("{name}-{number}") });
            match fs::create_dir(&path) {
                Ok(()) => {
                    let lock = Some(Arc::new(RunLock::take(&path)?));
                    return Ok(Self { path, parts: Parts::of(origin), created: now(), fresh: true, lock });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(refused(error)),
            }
        }
        unreachable!("some number is free")
    }

    /// Opens a folder to go on with its run. Fails while another process does.
    pub fn open_to_resume(path: &Path) -> Result<(Self, SavedRun)> {
        Self::find(path)?;
        let lock = Arc::new(RunLock::take(path)?);
        let (folder, saved) = Self::open(path)?;
        Ok((Self { lock: Some(lock), ..folder }, saved))
    }

    /// Reads the run of a folder, whoever is going on with it.
    pub fn open(path: &Path) -> Result<(Self, SavedRun)> {
        Self::find(path)?;
        let newer = newer_state(path);
        let is_ahead = newer.is_some();
        let (origin, state) = match newer {
            Some(found) => found,
            None => state::read(&path.join(STATE))?,
        };
        // Without a manifest there is enough to go on with.
        let manifest = manifest_of(path);
        if let Some(part) = manifest.as_ref().and_then(|manifest| manifest.differs_from(&origin.plan, &state))
        {
            return Err(Error::TwoPlans { path: path.into(), part });
        }
        let created = manifest.map_or_else(now, |manifest| manifest.created);
        let folder = Self { path: path.into(), parts: Parts::of(&origin), created, fresh: false, lock: None };
        Ok((folder, SavedRun { origin, state, is_ahead }))
    }

    /// Fails where there is no run to go on with.
    fn find(path: &Path) -> Result<()> {
        if is_run(path) {
            return Ok(());
        }
        let found = if path.is_dir() { "there is no state to go on from" } else { "it is no folder" };
        Err(Error::NoRun { path: path.into(), found })
    }

    /// The manifest of the run as it was last saved, if it can be read.
    pub fn manifest(&self) -> Option<Manifest> {
        manifest_of(&self.path)
    }

    /// The folder's place on disk.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says what goes on with the run after `step` steps.
    pub fn go_on(&mut self, step: usize, provenance: Provenance) {
        self.parts.go_on(step, provenance);
    }

    /// The plan and the provenance of the run as it is.
    pub fn origin(&self, ascent: &Ascent) -> Origin {
        self.parts.origin(ascent.plan().clone(), ascent.step_count())
    }

    /// Whether this process made the folder.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Takes a folder away that was made for a run which then took no step. One that was there before stays.
    pub fn discard(&mut self) {
        self.lock = None;
        if self.fresh {
            // A file that cannot be removed stays: the caller returns the error that matters.
            // The lock goes too: another thread may hold it still.
            let files = [STATE, JOURNAL, LOSSES, IMAGE, GROWTH, MANIFEST, LOCK];
            let files = files.map(|name| fs::remove_file(self.path.join(name)));
            let _ = (files, fs::remove_dir(&self.path));
        }
    }

    /// Saves the run as it is.
    pub fn save(&self, ascent: &Ascent) -> Result<()> {
        self.write(ascent).map_err(|error| error.advise("--runs"))
    }

    /// Puts the state into a file of its own, without waiting until it is on the disk: after a power cut that file may be
    /// damaged, and the state that was saved is not.
    pub(super) fn keep_journal(&self, ascent: &Ascent) -> Result<()> {
        state::write_quickly(&self.path.join(JOURNAL), &self.origin(ascent), ascent.state())
    }

    /// The picture comes first: where there is little room, it is what is kept. Then the state: whatever fails after it, the run
    /// can go on.
    fn write(&self, ascent: &Ascent) -> Result<()> {
        let origin = self.origin(ascent);
        // The picture says how it was made itself, which may be with fewer steps than the run will take.
        let made = Origin { plan: origin.plan.up_to(ascent.step_count()), ..origin.clone() };
        png::write(&self.path.join(IMAGE), &ascent.picture(), &made)?;
        state::write(&self.path.join(STATE), &origin, ascent.state())?;
        // It is older now. If it cannot be removed, its time says so.
        let _ = fs::remove_file(self.path.join(JOURNAL));
        write_own(&self.path.join(LOSSES), losses_text(&ascent.state().losses).as_bytes())?;
        self.write_manifest(&self.manifest_now(origin, ascent, None))
    }

    /// Adds to the manifest what was measured on the picture that the run has now. The next save drops it.
    pub fn note_score(&self, ascent: &Ascent, score: Score) -> Result<()> {
        let manifest = self.manifest_now(self.origin(ascent), ascent, Some(score));
        self.write_manifest(&manifest).map_err(|error| error.advise("--runs"))
    }

    fn write_manifest(&self, manifest: &Manifest) -> Result<()> {
        let path = self.path.join(MANIFEST);
        let text = serde_json::to_vec_pretty(manifest)
            .map_err(|error| Error::Encode { path: path.clone(), source: error.into() })?;
        write_own(&path, &text)
    }

    fn manifest_now(&self, origin: Origin, ascent: &Ascent, score: Option<Score>) -> Manifest {
        let losses = &ascent.state().losses;
        Manifest {
            objective: origin.plan.last_objective().to_string(),
            origin,
            step: ascent.step_count(),
            loss_first: losses.first().copied(),
            loss_last: losses.last().copied(),
            dead_steps: ascent.state().dead_steps,
            saturated: ascent.picture().saturated(),
            activation: score.map(|score| score.clean),
            activation_robust: score.map(|score| score.robust),
            dead: ascent.state().is_dead() && score.as_ref().is_none_or(Score::is_zero),
            finished: ascent.is_finished(),
            created: self.created,
        }
    }
}

fn manifest_of(path: &Path) -> Option<Manifest> {
    let bytes = read_regular(&path.join(MANIFEST), MAX_MANIFEST_BYTES).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The state that was put down after the last save, by a process that was killed; none if there is none that can be used.
fn newer_state(path: &Path) -> Option<(Origin, AscentState)> {
    let time = |name: &str| fs::symlink_metadata(path.join(name)).and_then(|meta| meta.modified()).ok();
    let is_newer = time(JOURNAL)? >= time(STATE)?;
    is_newer.then(|| state::read(&path.join(JOURNAL)).ok())?
}

/// Writes the losses to a file that the user named.
pub(crate) fn write_losses(path: &Path, losses: &[f64]) -> Result<()> {
    write_atomic(path, losses_text(losses).as_bytes())
}

/// `step,loss`, one line a step, with every digit that an `f64` needs.
fn losses_text(losses: &[f64]) -> String {
    let mut text = String::from(LOSSES_HEADER);
    for (step, loss) in (1..).zip(losses) {
        let _ = writeln!(text, "{step},{loss}");
    }
    text
}

/// `minivgg-channel-block5_conv2-4-pixel-seed0`: the objective's own words, fit for a file name.
pub(super) fn slug(origin: &Origin) -> String {
    let Origin { plan, provenance, .. } = origin;
    let text = format!("{}-{}-{}-seed{}", provenance.network, plan.objective, plan.recipe.name, plan.seed);
    let mut slug = String::new();
    for c in text.chars().take(120) {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => slug.push(c),
            _ if slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
