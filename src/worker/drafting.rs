//! What the worker does with drafts: it opens sheets for those who look, takes steps, keeps the drafts and publishes them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trepang_api::{Model, Network};

use super::drafts::Drafts;
use super::error::{Error, Result};
use super::pictures::{read_pictures, start_picture};
use super::protocol::{DraftPage, Outcome, Status};
use super::sheet::Sheet;
use super::viewer::ViewerId;
use super::worker_loop::WorkerLoop;
use crate::engine::{AskedSize, Objective, PictureSize, Plan, nearest_size};
use crate::memory;
use crate::runs::describe;
use crate::sweep;

/// The interval at which the states of drafts are kept while they go on.
const KEEP_STATES_EVERY: Duration = Duration::from_secs(10);

/// The interval at which drafts that go on are published.
const PUBLISH_EVERY: Duration = Duration::from_millis(200);

impl WorkerLoop {
    /// Notes what a viewer looks at, and makes a sheet for it if there is none.
    pub(super) fn look_at_drafts(&mut self, viewer: ViewerId, page: Option<&DraftPage>) -> Outcome {
        let opened = page.map_or(Ok(()), |page| self.open_sheet(page));
        let before = self.drafts.sheets.len();
        let looked = self.drafts.look(viewer, page.filter(|_| opened.is_ok()));
        if self.drafts.sheets.len() < before {
            // While a run goes on, there is no rest in which this would be done.
            memory::give_back();
        }
        self.note_kept(looked);
        self.publish_drafts();
        match opened {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::Refused(format!("there are no drafts: {}", error.chain())),
        }
    }

    fn open_sheet(&mut self, page: &DraftPage) -> Result<()> {
        if self.drafts.sheets.iter().any(|sheet| sheet.series == page.series) {
            return Ok(());
        }
        let series = page.series.clone();
        let network = &self.setup.network;
        let (settings, size) = (series.settings.clone(), series.settings.size);
        let first = Objective::channel(&series.layer, 0);
        let mut plan: Plan = settings.plan(&first).map_err(|reason| Error::Load(reason.into()))?;
        let pictures = read_pictures(&mut plan)?;
        let shape = match (size, start_picture(&plan, &pictures)) {
            (AskedSize::Longer(_), Some(picture)) => picture.size(),
            _ => plan.size,
        };
        plan.size = smallest_size(network, shape, size.without_shape().longer());
        let known = (network, &self.setup.provenance);
        let sheet = Sheet::new(series, (plan, pictures), known, self.drafts.store.as_ref())?;
        self.drafts.sheets.push(sheet);
        Ok(())
    }

    /// Whether drafts can be made better for someone who looks at them.
    pub(super) fn is_draft_due(&self) -> bool {
        self.drafts.is_due(false)
    }

    /// Whether drafts can be made better for someone who has them beside something else, and nothing else is to be done.
    pub(super) fn is_patient_draft_due(&self) -> bool {
        self.snapshot.status != Status::Running && self.drafts.is_due(true)
    }

    /// Takes one step of some drafts. Only a panic, after which the model cannot be trusted, is an error.
    pub(super) fn step_drafts(&mut self, model: &mut dyn Model) -> Result<()> {
        let (batch, network) = (self.drafts.batch, &self.setup.network);
        let Drafts { sheets, store, kept_states_at, .. } = &mut self.drafts;
        let idle = !sheets.iter().any(|sheet| sheet.is_due(false));
        let Some(sheet) = sheets.iter_mut().find(|sheet| sheet.is_due(idle)) else { return Ok(()) };
        let begun = Instant::now();
        let (stepped, message) = sheet.step((batch, idle), (model, network), store.as_ref())?;
        let took = begun.elapsed();
        let one = sheet.memory(model);
        let ended = sheet.has_ended_stage();
        let mut kept = Ok(());
        if let (true, Some(store)) = (ended, store) {
            kept = sheet.keep(store);
            if kept_states_at.elapsed() > KEEP_STATES_EVERY {
                kept = kept.and(sheet.keep_states(store)).and(store.shrink().map(drop));
                *kept_states_at = Instant::now();
            }
        }
        self.drafts.owed = self.drafts.owed.saturating_sub(took);
        self.drafts.adapt(took, stepped, self.models.memory().zip(one));
        self.note_kept(kept);
        if let Some(message) = message {
            self.snapshot.notice = Some(message.into());
        }
        if ended || self.drafts.published_at.elapsed() >= PUBLISH_EVERY {
            self.publish_drafts();
        }
        Ok(())
    }

    /// Publishes the drafts as they are.
    fn publish_drafts(&mut self) {
        self.drafts.published_at = Instant::now();
        self.snapshot.sheets = self.drafts.sheets.iter().map(Sheet::view).collect::<Vec<_>>().into();
        self.republish();
    }

    /// Keeps all drafts, and forgets them: the worker ends, or what computes them changes. Viewers ask anew.
    pub(super) fn put_drafts_away(&mut self) {
        let mut settled = Ok(());
        for sheet in &mut self.drafts.sheets {
            settled = settled.and(sheet.settle(self.drafts.store.as_ref()));
        }
        if let Some(store) = &self.drafts.store {
            settled = settled.and(store.shrink().map(drop));
        }
        self.drafts.sheets.clear();
        self.snapshot.sheets = Arc::default();
        self.note_kept(settled);
    }

    /// Says once that drafts cannot be kept. They are shown all the same.
    fn note_kept(&mut self, kept: sweep::Result<()>) {
        if let Err(error) = kept
            && !std::mem::replace(&mut self.drafts.told, true)
        {
            let text = describe(&error);
            self.snapshot.notice = Some(format!("drafts are not kept: {text}").into());
        }
    }
}

/// The smallest size near a shape that the network takes and whose longer side has so many pixels or more, up to the network's own.
fn smallest_size(network: &Network, shape: PictureSize, longer: usize) -> PictureSize {
    let native = network.input().native;
    let fits = |size: PictureSize| network.check_sides(size.height, size.width).is_ok();
    let near = |longer| nearest_size(shape, longer, fits);
    (longer..native).map(near).find(|size| fits(*size)).unwrap_or_else(|| near(longer.max(native)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use trepang_api::networks::minivgg;

    #[test]
    fn drafts_have_the_pictures_shape_and_a_size_of_the_networks() {
        let network = minivgg().unwrap();
        let size = |width, height| PictureSize { width, height };
        assert_eq!(smallest_size(&network, 16.into(), 16), 32.into());
        assert_eq!(smallest_size(&network, 64.into(), 64), 64.into());
        assert_eq!(smallest_size(&network, 64.into(), 100), 100.into(), "what is refused says why");
        assert_eq!(smallest_size(&network, size(480, 320), 64), size(64, 48));
        assert_eq!(smallest_size(&network, size(320, 480), 40), size(32, 48));
    }
}
