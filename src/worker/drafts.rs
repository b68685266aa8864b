//! The drafts that viewers look at, on the worker's side: which sheets there are, and how many drafts take a step together.

use std::time::{Duration, Instant};

use super::protocol::DraftPage;
use super::sheet::Sheet;
use super::viewer::ViewerId;
use crate::sweep::{self, UnitStore};

/// The number of drafts that the first step takes together: the first ones are to be seen soon.
const FIRST_BATCH: usize = 4;

/// The most drafts that take a step together.
const LARGEST_BATCH: usize = 64;

/// The time of drafts for each part of time of a run that goes on meanwhile: drafts are what is looked at.
const SHARE: u32 = 9;

/// A step that took less lets more drafts take the next one together. On a CPU, more than that only take more memory, and let the next
/// page wait: a picture of 64 pixels costs as much in a batch of 16 as in one of 64.
const SHORT_STEP: Duration = Duration::from_millis(30);

/// A step that took longer lets fewer drafts take the next one together.
const LONG_STEP: Duration = Duration::from_millis(400);

/// The drafts of all sheets, and the pace at which they are made.
pub(super) struct Drafts {
    /// The store that drafts are kept in; none if there is no folder for it.
    pub(super) store: Option<UnitStore>,
    pub(super) sheets: Vec<Sheet>,
    /// The number of drafts that take a step together.
    pub(super) batch: usize,
    pub(super) kept_states_at: Instant,
    pub(super) published_at: Instant,
    /// The time that drafts are to have before a run in progress takes its next step.
    pub(super) owed: Duration,
    /// Whether it was said that drafts cannot be kept; once is enough.
    pub(super) told: bool,
}

impl Drafts {
    pub(super) fn new(store: Option<UnitStore>) -> Self {
        let now = Instant::now();
        Self {
            store,
            sheets: Vec::new(),
            batch: FIRST_BATCH,
            kept_states_at: now,
            published_at: now,
            owed: Duration::ZERO,
            told: false,
        }
    }

    /// Whether the draft of a channel has shown that nothing wakes it.
    pub(super) fn is_dead(&self, layer: &str, channel: usize) -> bool {
        self.sheets.iter().any(|sheet| sheet.series.layer == layer && sheet.is_dead(channel))
    }

    /// Whether a draft can be made better; for patient viewers only if the worker is `idle`.
    pub(super) fn is_due(&self, idle: bool) -> bool {
        self.sheets.iter().any(|sheet| sheet.is_due(idle))
    }

    /// Notes what a viewer looks at now. What it looked at before is kept, and let go if nobody else looks at it.
    pub(super) fn look(&mut self, viewer: ViewerId, page: Option<&DraftPage>) -> sweep::Result<()> {
        let mut settled = Ok(());
        for sheet in &mut self.sheets {
            let looked = sheet.pages.remove(&viewer).is_some();
            if let Some(page) = page.filter(|page| page.series == sheet.series) {
                sheet.look(viewer, page);
            }
            if looked {
                settled = settled.and(sheet.settle(self.store.as_ref()));
            }
        }
        self.sheets.retain(|sheet| !sheet.pages.is_empty());
        settled
    }

    /// Notes that a run took a step, so that drafts have their turn.
    pub(super) fn let_run(&mut self, took: Duration) {
        self.owed = SHARE * took;
    }

    /// Chooses how many drafts take the next step together, by how long one took and by the memory that is free.
    pub(super) fn adapt(&mut self, took: Duration, stepped: usize, memory: Option<(u64, u64)>) {
        if took > LONG_STEP {
            self.batch = (self.batch / 2).max(1);
        } else if took < SHORT_STEP && stepped == self.batch {
            self.batch = (2 * self.batch).min(LARGEST_BATCH);
        }
        if let Some((free, one)) = memory {
            let fitting = usize::try_from(free / 2 / one.max(1)).unwrap_or(LARGEST_BATCH);
            self.batch = self.batch.min(fitting).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_grows_while_steps_are_short_and_memory_lasts() {
        let mut drafts = Drafts::new(None);
        let short = Duration::from_millis(10);
        drafts.adapt(short, 4, None);
        assert_eq!(drafts.batch, 8);
        drafts.adapt(short, 5, None);
        assert_eq!(drafts.batch, 8, "five took a step: eight would tell no more");
        drafts.adapt(short, 8, Some((1000, 100)));
        assert_eq!(drafts.batch, 5, "half of the memory");
        drafts.adapt(Duration::from_secs(1), 5, None);
        assert_eq!(drafts.batch, 2);
        drafts.adapt(Duration::from_secs(1), 2, Some((10, 100)));
        assert_eq!(drafts.batch, 1);
        for _ in 0..20 {
            drafts.adapt(short, drafts.batch, None);
        }
        assert_eq!(drafts.batch, LARGEST_BATCH);
    }
}
