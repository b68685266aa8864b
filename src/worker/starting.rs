//! The worker and the beginning of a run: a new one, or the one that took the same steps before, which is opened instead.

use std::path::Path;

use super::active_run::ActiveRun;
use super::error::{Error, Result};
use super::pictures::read_in_shape;
use super::protocol::{Outcome, Status};
use super::worker_loop::{Setup, WorkerLoop};
use crate::engine::{AskedSize, Pictures, Plan, Score, least_memory};
use crate::memory::check_room;
use crate::runs::{self, IMAGE, Origin, RunFolder, Session, never_woken, render_command, runs_made_before};

/// The notice where the run that is asked for is the one on the screen.
const ON_SCREEN: &str =
    "this run is finished already, so it is not computed again; another seed makes another picture";

impl WorkerLoop {
    /// Begins a run, of the size that is asked for where that is not the plan's. One that would be equal to a finished run is not
    /// computed again: that run is opened. The run before is put away afterwards, so that the new one is on screen at once.
    pub(super) fn start(&mut self, mut plan: Plan, asked: Option<AskedSize>) -> Outcome {
        match self.begin(&mut plan, asked) {
            Ok(Some((run, status, notice))) => {
                self.show(run, status, notice);
                Outcome::Done
            }
            Ok(None) => {
                self.snapshot.notice = Some(ON_SCREEN.into());
                self.republish();
                Outcome::Done
            }
            Err(error) => {
                let refused = self.refuse(error.chain());
                self.republish();
                refused
            }
        }
    }

    /// The run of a plan with its first status and what is said of it; none if it is on the screen already.
    fn begin(
        &self,
        plan: &mut Plan,
        asked: Option<AskedSize>,
    ) -> Result<Option<(ActiveRun, Status, Option<String>)>> {
        let Setup { network, provenance, runs, .. } = &self.setup;
        let pictures = read_in_shape(plan, asked, network.input())?;
        let least = least_memory(plan, network.input());
        check_room(plan.size, least, self.models.memory())
            .map_err(|error| Error::NoRoom(error.to_string()))?;
        let number = self.run_count + 1;
        if self.is_on_screen(plan) {
            return Ok(None);
        }
        let wanted = Origin::new(plan.clone(), provenance.clone());
        for (folder, manifest) in runs_made_before(runs, &wanted) {
            // One that another process has open, or that is damaged, is made anew.
            let Ok(session) = self.reopen(&folder, &wanted, &pictures) else { continue };
            let session = session.with_growth();
            let score = manifest.activation.zip(manifest.activation_robust);
            let score = score.map(|(clean, robust)| Score { clean, robust });
            let notice = opened_notice(&session, &folder);
            let run = ActiveRun::reopened(session, pictures, number, score);
            return Ok(Some((run, Status::Finished, Some(notice))));
        }
        let session = Session::new(plan.clone(), network, &pictures, provenance.clone(), runs)?.with_growth();
        Ok(Some((ActiveRun::new(session, pictures, number), Status::Running, None)))
    }

    /// The command that makes the picture of the run again.
    pub(super) fn describe_command(&self) -> Outcome {
        let Some(run) = &self.run else { return Outcome::Refused("there is no run yet".into()) };
        let (mut origin, ascent) = (run.session.origin(), run.session.ascent());
        let stands = self.snapshot.status != Status::Running && ascent.step_count() > 0;
        if stands {
            origin.plan = origin.plan.up_to(ascent.step_count());
        }
        let saved = run.session.folder().filter(|_| stands && run.session.is_saved());
        match render_command(&origin, saved.map(|folder| folder.join(IMAGE)).as_deref()) {
            Ok(words) => Outcome::Command(words),
            Err(reason) => Outcome::Refused(reason),
        }
    }

    /// Whether a channel's run was made before, by its manifest, or is on the screen finished.
    pub(super) fn is_made(&self, mut plan: Plan, asked: AskedSize) -> bool {
        let Setup { network, provenance, runs, .. } = &self.setup;
        if read_in_shape(&mut plan, Some(asked), network.input()).is_err() {
            return false;
        }
        self.is_on_screen(&plan) || !runs_made_before(runs, &Origin::new(plan, provenance.clone())).is_empty()
    }

    /// Whether the run on the screen is finished, and the one that this plan makes.
    fn is_on_screen(&self, plan: &Plan) -> bool {
        let finished = self.snapshot.status == Status::Finished;
        finished
            && self.run.as_ref().is_some_and(|run| {
                let wanted = Origin::new(plan.clone(), self.setup.provenance.clone());
                run.session.ascent().is_finished() && run.session.origin().is_made_again_by(&wanted)
            })
    }

    /// Opens a finished run. Fails where its state is not what its manifest says.
    fn reopen(&self, folder: &Path, wanted: &Origin, pictures: &Pictures) -> runs::Result<Session> {
        let (opened, saved) = RunFolder::open_to_resume(folder)?;
        if !saved.origin.is_made_again_by(wanted) || saved.state.losses.len() != wanted.plan.steps {
            return Err(runs::Error::NoRun { path: folder.into(), found: "it is another run" });
        }
        Session::reopen((opened, saved), &self.setup.network, pictures, self.setup.provenance.clone())
    }

    /// Puts a run in the place of the one before, which is saved if it is worth it.
    pub(super) fn show(&mut self, run: ActiveRun, status: Status, notice: Option<String>) {
        self.run_count += 1;
        self.evaluating = None;
        let before = self.run.replace(run);
        self.snapshot.notice = notice.map(Into::into);
        self.snapshot.predictions = None;
        self.publish(status);
        if let Some(mut before) = before.filter(ActiveRun::is_worth_keeping) {
            let saved = before.session.save();
            self.note_saved(&before, &saved);
        }
    }
}

/// The words for a run that was opened instead of being computed.
fn opened_notice(session: &Session, folder: &Path) -> String {
    let ascent = session.ascent();
    let dead = if ascent.state().is_dead() {
        let nothing = never_woken(ascent.plan().last_objective(), ascent.step_count());
        format!("{nothing}; the picture shows nothing; ")
    } else {
        String::new()
    };
    format!("{dead}made before, so it was opened and not computed again: {}", folder.display())
}
