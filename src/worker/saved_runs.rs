//! The list of the runs that were saved, for viewers, and what is done with one of them besides opening it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use trepang_api::Model;

use super::pictures::from_home;
use super::protocol::{
    GrownPicture, Outcome, RunThumbnail, SavedRunAction, SavedRunEntry, SavedRunPresence, Status,
};
use super::worker_loop::WorkerLoop;
use crate::engine::{Objective, Picture};
use crate::runs::{
    self, Growth, GrowthFrame, IMAGE, Origin, RunSummary, bring_back, check_picture_path, list_runs,
    read_origin, read_picture, run_named, small, write_picture,
};

/// The longest side of a run's picture in the list, in pixels.
const THUMBNAIL_SIDE: u32 = 64;

/// The most pictures that are read for one request, so that the next is not kept waiting.
const MAX_THUMBNAILS: usize = 32;

impl WorkerLoop {
    /// Reads the list anew.
    pub(super) fn list_runs(&mut self) -> Outcome {
        let outcome = self.read_list().map_or_else(|error| self.refuse(error.chain()), |()| Outcome::Done);
        self.republish();
        outcome
    }

    fn read_list(&mut self) -> runs::Result<()> {
        let runs = list_runs(&self.setup.runs)?.map(|listing| listing.runs).unwrap_or_default();
        self.snapshot.runs = runs.iter().map(entry).collect();
        Ok(())
    }

    /// Does something with a saved run. A refusal says why.
    pub(super) fn act_on_saved(&mut self, action: SavedRunAction, model: &mut Box<dyn Model>) -> Outcome {
        let done = match action {
            SavedRunAction::Open { name, goes_on } => return self.open_saved(&name, goes_on, model),
            SavedRunAction::Growth => return self.growth(),
            SavedRunAction::Thumbnails(names) => return self.thumbnails(names),
            SavedRunAction::Delete(name) => self.delete(&name),
            SavedRunAction::Undelete => self.undelete(),
            SavedRunAction::Export { name, path } => self.export(name.as_deref(), &path),
        };
        let outcome = match done {
            Ok(notice) => {
                self.snapshot.notice = Some(notice.into());
                Outcome::Done
            }
            Err(reason) => self.refuse(reason),
        };
        self.republish();
        outcome
    }

    /// The pictures of these runs, made small.
    fn thumbnails(&self, names: Vec<String>) -> Outcome {
        let of = |name: String| {
            let folder = run_named(&self.setup.runs, &name).ok()?;
            let picture = small(&read_picture(&folder.join(IMAGE)).ok()?, THUMBNAIL_SIDE)?;
            Some(RunThumbnail { name, picture: Arc::new(picture) })
        };
        Outcome::Thumbnails(names.into_iter().take(MAX_THUMBNAILS).filter_map(of).collect())
    }

    /// The pictures of the growth of the run on the screen.
    fn growth(&self) -> Outcome {
        let Some(run) = &self.run else { return Outcome::Refused("there is no run yet".into()) };
        let frames = run.session.growth().map_or(&[][..], Growth::frames);
        let picture =
            |frame: &GrowthFrame| GrownPicture { step: frame.step, picture: Arc::clone(&frame.picture) };
        Outcome::Growth { run: run.number, pictures: frames.iter().map(picture).collect() }
    }

    /// Moves a run to the trash. The one on the screen is let go of, unless it takes steps.
    fn delete(&mut self, name: &str) -> Result<String, String> {
        if self.is_shown(name) {
            if self.snapshot.status == Status::Running {
                return Err("this run takes steps; pause it first, then it can be deleted".into());
            }
            self.save();
            (self.run, self.evaluating, self.snapshot.predictions) = (None, None, None);
            self.snapshot.status = Status::Idle;
        }
        self.trash.put(name).map_err(|error| error.chain())?;
        self.read_list().map_err(|error| error.chain())?;
        Ok(format!("{name} is deleted; it can be brought back until the dashboard ends"))
    }

    fn undelete(&mut self) -> Result<String, String> {
        let name = self.trash.restore().map_err(|error| error.chain())?;
        let name = name.ok_or("no run was deleted since the dashboard began")?;
        self.read_list().map_err(|error| error.chain())?;
        Ok(format!("{name} is back"))
    }

    /// Brings back what a killed dashboard had deleted, and says so.
    pub(super) fn bring_back(&mut self) {
        let names = bring_back(&self.setup.runs);
        if let [first, others @ ..] = &names[..] {
            let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
            self.snapshot.notice =
                Some(format!("back from the trash of a dashboard that was killed: {first}{more}").into());
        }
    }

    /// Whether the run on the screen is kept in the folder of this name.
    pub(super) fn is_shown(&self, name: &str) -> bool {
        let folder = self.run.as_ref().and_then(|run| run.session.folder());
        folder.is_some_and(|folder| folder == self.setup.runs.join(name))
    }

    /// Writes the picture of a run, or of the one on the screen as it is, to a file that is not there yet.
    fn export(&self, name: Option<&str>, path: &str) -> Result<String, String> {
        let (name, picture, origin) = match name {
            Some(name) => self.saved_picture(name).map_err(|error| error.chain())?,
            None => self.shown_picture()?,
        };
        let mut path = from_home(path, std::env::home_dir());
        if path.is_dir() {
            path.push(format!("{name}.png"));
        }
        check_picture_path(&path).map_err(|error| error.chain())?;
        if path.exists() {
            return Err(format!("{} is there already; choose another name", path.display()));
        }
        let tells = write_picture(&path, &picture, &origin).map_err(|error| error.chain())?;
        let place = path.canonicalize().unwrap_or(path);
        let note = if tells { "" } else { "; this format cannot say how it was made" };
        Ok(format!("written to {}{note}", place.display()))
    }

    fn saved_picture(&self, name: &str) -> runs::Result<(String, Picture, Origin)> {
        let image: PathBuf = run_named(&self.setup.runs, name)?.join(IMAGE);
        Ok((name.into(), read_picture(&image)?, read_origin(&image)?))
    }

    fn shown_picture(&self) -> Result<(String, Picture, Origin), String> {
        let run = self.run.as_ref().ok_or("there is no run yet")?;
        let (mut origin, ascent) = (run.session.origin(), run.session.ascent());
        origin.plan = origin.plan.up_to(ascent.step_count());
        let name = run.session.folder().and_then(Path::file_name);
        let name = name.map_or_else(|| "picture".into(), |name| name.to_string_lossy().into_owned());
        Ok((name, ascent.picture(), origin))
    }
}

fn entry(run: &RunSummary) -> SavedRunEntry {
    let manifest = &run.manifest;
    let origin = &manifest.origin;
    let objective = origin.plan.last_objective();
    let target = if let Objective::Channel { layer, channel } = objective {
        Some((layer.clone(), *channel))
    } else {
        None
    };
    let presence = match (run.is_running, run.has_state, manifest.finished) {
        (true, _, _) => SavedRunPresence::Open,
        (false, false, _) => SavedRunPresence::Stateless,
        (false, true, true) => SavedRunPresence::Finished,
        (false, true, false) => SavedRunPresence::Stopped,
    };
    SavedRunEntry {
        name: run.name.clone(),
        network: origin.provenance.network.clone(),
        weights: origin.provenance.weights.clone(),
        objective: objective.to_string(),
        target,
        step: manifest.step,
        steps: origin.plan.steps,
        activation: manifest.activation.zip(manifest.activation_robust),
        dead: manifest.dead,
        age: run.age,
        presence,
    }
}
