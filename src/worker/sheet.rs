//! The drafts of one layer: which of them takes a step next, what is known of each, and what is kept in the store.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trepang_api::{Model, Network};

use super::error::{Error, Result};
use super::protocol::{DRAFT_STEPS, DraftPage, DraftSeries, DraftSheet, DraftView, READABLE_STEPS};
use super::viewer::ViewerId;
use crate::engine::{self, Ascent, AscentState, Objective, Pictures, Plan, step_together};
use crate::panics::catch;
use crate::runs::{self, Origin, Parts, Provenance, describe};
use crate::sweep::{self, Draft, UNIT_CHANNELS, Unit, UnitStore};

/// The steps of drafts, stage by stage: of the channels that are looked at, or of those beside them.
const STAGES: [(DraftGroup, usize); 5] = [
    (DraftGroup::LookedAt, 8),
    (DraftGroup::LookedAt, READABLE_STEPS),
    (DraftGroup::LookedAt, 32),
    (DraftGroup::Beside, READABLE_STEPS),
    (DraftGroup::LookedAt, DRAFT_STEPS),
];

/// The channels of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DraftGroup {
    /// The channels on the pages of viewers.
    LookedAt,
    /// The channels of the pages before and after them.
    Beside,
}

/// The drafts of one layer by the same settings, for all who look at them.
pub(super) struct Sheet {
    pub(super) series: DraftSeries,
    /// The first channel and the number of channels that each viewer looks at, and whether it is patient.
    pub(super) pages: BTreeMap<ViewerId, (usize, usize, bool)>,
    /// The number of channels of the layer.
    channels: usize,
    /// A draft's plan but for its channel.
    plan: Plan,
    pictures: Pictures,
    provenance: Provenance,
    known: BTreeMap<usize, Draft>,
    /// The ascents that steps are taken of. Those of channels that nobody looks at any more are let go.
    going: BTreeMap<usize, Ascent>,
    /// The units whose states were read.
    read: BTreeSet<usize>,
    /// The channels whose picture is not kept yet.
    unkept: BTreeSet<usize>,
    /// The channels whose state is not kept yet.
    unkept_states: BTreeSet<usize>,
    /// The channels that cannot go on.
    failed: BTreeSet<usize>,
    /// Bytes that one draft takes in a step, once that was asked for.
    memory: OnceCell<Option<u64>>,
}

impl Sheet {
    /// The sheet of a series, with what the store has of it. Fails where the plan does not fit the network, or raises no
    /// channel.
    pub(super) fn new(
        series: DraftSeries,
        (plan, pictures): (Plan, Pictures),
        (network, provenance): (&Network, &Provenance),
        store: Option<&UnitStore>,
    ) -> Result<Self> {
        let channels = channels(network, &plan)?;
        // Where one channel does not fit, none does.
        Ascent::new(plan.clone(), network, &pictures).map_err(runs::Error::from)?;
        let mut sheet = Self {
            series,
            pages: BTreeMap::new(),
            channels,
            plan,
            pictures,
            provenance: provenance.clone(),
            known: BTreeMap::new(),
            going: BTreeMap::new(),
            read: BTreeSet::new(),
            unkept: BTreeSet::new(),
            unkept_states: BTreeSet::new(),
            failed: BTreeSet::new(),
            memory: OnceCell::new(),
        };
        for first in (0..channels).step_by(UNIT_CHANNELS) {
            if let (Some(store), Some(unit)) = (store, sheet.unit(first)) {
                sheet.known.extend(store.drafts(&unit).range(..channels).map(|(c, d)| (*c, d.clone())));
            }
        }
        Ok(sheet)
    }

    fn plan_of(&self, channel: usize) -> Plan {
        let layer = self.series.layer.as_str();
        Plan { objective: Objective::channel(layer, channel), ..self.plan.clone() }
    }

    fn unit(&self, channel: usize) -> Option<Unit> {
        Unit::of(&self.plan_of(channel), &self.provenance).map(|(unit, _)| unit)
    }

    /// Notes the channels that a viewer looks at.
    pub(super) fn look(&mut self, viewer: ViewerId, page: &DraftPage) {
        let first = page.first.min(self.channels.saturating_sub(1));
        self.pages.insert(viewer, (first, page.count.min(self.channels - first), page.patient));
    }

    /// Keeps all that is not kept yet, and lets the ascents of channels go that are neither looked at nor beside those.
    pub(super) fn settle(&mut self, store: Option<&UnitStore>) -> sweep::Result<()> {
        let kept = store.map_or(Ok(()), |store| self.keep(store).and(self.keep_states(store)));
        let wanted = self.wanted();
        self.going.retain(|channel, _| wanted.contains(channel));
        // Their states may be read again.
        self.read.clear();
        kept
    }

    /// The channels that are looked at, and those beside them.
    fn wanted(&self) -> BTreeSet<usize> {
        let groups = [DraftGroup::LookedAt, DraftGroup::Beside].into_iter();
        groups.flat_map(|group| self.group(group, true)).collect()
    }

    /// The channels of a group, in the order in which they are drawn; of the pages of patient viewers only if the worker is `idle`.
    fn group(&self, group: DraftGroup, idle: bool) -> Vec<usize> {
        let pages = self.pages.values().filter(|(_, _, patient)| idle || !patient);
        let range = |from: usize, to: usize| from.min(self.channels)..to.min(self.channels);
        let ranges = pages.map(|&(first, count, patient)| match group {
            DraftGroup::LookedAt => [range(first, first + count), 0..0],
            DraftGroup::Beside if patient => [0..0, 0..0],
            DraftGroup::Beside => {
                [range(first + count, first + 2 * count), range(first.saturating_sub(count), first)]
            }
        });
        ranges.flatten().flatten().collect()
    }

    /// The channels that take the next step, at most so many; none when all drafts are as good as they get.
    fn next(&self, most: usize, idle: bool) -> Vec<usize> {
        for (group, steps) in STAGES {
            let lacks = |channel: &usize| {
                !self.failed.contains(channel)
                    && self.known.get(channel).is_none_or(|draft| draft.step < steps)
            };
            let next: Vec<usize> = self.group(group, idle).into_iter().filter(lacks).take(most).collect();
            if !next.is_empty() {
                return next;
            }
        }
        Vec::new()
    }

    /// Whether a draft can be made better; for patient viewers only if the worker is `idle`.
    pub(super) fn is_due(&self, idle: bool) -> bool {
        !self.next(1, idle).is_empty()
    }

    /// Takes one step of as many drafts as are to be computed together; returns how many. What stops a draft is its
    /// message; only a panic is an error.
    pub(super) fn step(
        &mut self,
        (most, idle): (usize, bool),
        (model, network): (&mut dyn Model, &Network),
        store: Option<&UnitStore>,
    ) -> Result<(usize, Option<String>)> {
        let next = self.next(most, idle);
        let mut message = self.begin(&next, network, store);
        let mut ascents: Vec<(usize, &mut Ascent)> =
            self.going.iter_mut().filter(|(c, _)| next.contains(c)).map(|(c, ascent)| (*c, ascent)).collect();
        let stepped: Vec<usize> = ascents.iter().map(|(channel, _)| *channel).collect();
        let mut together: Vec<&mut Ascent> = ascents.iter_mut().map(|(_, ascent)| &mut **ascent).collect();
        let steps = catch("the backend", || step_together(&mut together, model)).map_err(Error::from)?;
        for (channel, step) in stepped.iter().zip(steps) {
            self.show(*channel);
            let Err(error) = step else {
                self.unkept.insert(*channel);
                self.unkept_states.insert(*channel);
                continue;
            };
            self.failed.insert(*channel);
            if matches!(error, engine::Error::Dead { .. }) {
                self.known.entry(*channel).and_modify(|draft| draft.dead = true);
            } else {
                message = Some(about_draft(*channel, &error));
            }
        }
        Ok((stepped.len(), message))
    }

    /// Shows the draft that an ascent has come to, unless there is one of more steps, whose state was not kept.
    fn show(&mut self, channel: usize) {
        let Some(ascent) = self.going.get(&channel) else { return };
        if self.known.get(&channel).is_none_or(|known| known.step <= ascent.step_count()) {
            self.known.insert(channel, Draft::of(ascent));
        }
    }

    /// Makes sure that these channels have an ascent: as it was kept, or from its start.
    fn begin(&mut self, channels: &[usize], network: &Network, store: Option<&UnitStore>) -> Option<String> {
        let mut message = None;
        for &channel in channels {
            let first = channel / UNIT_CHANNELS * UNIT_CHANNELS;
            if self.going.contains_key(&channel) {
                continue;
            }
            if let (Some(store), Some(unit), true) = (store, self.unit(channel), self.read.insert(first)) {
                self.take_up(network, &store.states(&unit));
            }
            if self.going.contains_key(&channel) {
                continue;
            }
            match Ascent::new(self.plan_of(channel), network, &self.pictures) {
                Ok(ascent) => {
                    self.going.insert(channel, ascent);
                }
                Err(error) => {
                    self.failed.insert(channel);
                    message = Some(about_draft(channel, &error));
                }
            }
        }
        message
    }

    /// Takes up those kept ascents of wanted channels that go on with the same bits: of the same plan, computed by the same.
    fn take_up(&mut self, network: &Network, states: &BTreeMap<usize, (Origin, AscentState)>) {
        let wanted = self.wanted();
        for (&channel, (origin, state)) in states {
            let plan = self.plan_of(channel);
            let is_same = origin.plan == plan && origin.provenance == self.provenance;
            if !is_same || self.going.contains_key(&channel) || !wanted.contains(&channel) {
                continue;
            }
            if let Ok(ascent) = Ascent::resume(plan, network, state.clone(), &self.pictures) {
                self.going.insert(channel, ascent);
            }
        }
    }

    /// Bytes that one more draft takes in a step, if that is known. Asked of the model once: it may plan a step for it.
    pub(super) fn memory(&self, model: &dyn Model) -> Option<u64> {
        let of_one = || self.going.values().next().and_then(|ascent| ascent.memory(model).ok());
        *self.memory.get_or_init(of_one)
    }

    /// Whether a stage has just ended for some drafts, so that they are worth keeping.
    pub(super) fn has_ended_stage(&self) -> bool {
        let ended = |channel: &usize| STAGES.iter().any(|(_, steps)| self.step_of(*channel) == Some(*steps));
        self.unkept.iter().any(ended)
    }

    fn step_of(&self, channel: usize) -> Option<usize> {
        self.going.get(&channel).map(Ascent::step_count)
    }

    /// Keeps the pictures that changed since they were last kept.
    pub(super) fn keep(&mut self, store: &UnitStore) -> sweep::Result<()> {
        let parts = Parts::new(self.provenance.clone());
        let unkept = std::mem::take(&mut self.unkept);
        for (unit, ascents) in self.by_unit(&unkept) {
            store.keep(&unit, &ascents, &parts)?;
        }
        Ok(())
    }

    /// Keeps the states that changed since they were last kept. They are larger than the pictures.
    pub(super) fn keep_states(&mut self, store: &UnitStore) -> sweep::Result<()> {
        let parts = Parts::new(self.provenance.clone());
        let unkept = std::mem::take(&mut self.unkept_states);
        for (unit, ascents) in self.by_unit(&unkept) {
            store.keep_states(&unit, &ascents, &parts)?;
        }
        Ok(())
    }

    /// The ascents of these channels, unit by unit.
    fn by_unit(&self, channels: &BTreeSet<usize>) -> Vec<(Unit, Vec<(usize, &Ascent)>)> {
        let mut units: BTreeMap<usize, Vec<(usize, &Ascent)>> = BTreeMap::new();
        for channel in channels {
            if let Some(ascent) = self.going.get(channel) {
                units.entry(channel / UNIT_CHANNELS).or_default().push((*channel, ascent));
            }
        }
        let of = |ascents: &[(usize, &Ascent)]| self.unit(ascents.first()?.0);
        units.into_values().filter_map(|ascents| Some((of(&ascents)?, ascents))).collect()
    }

    /// Whether the draft of a channel has taken all the steps that it can, and nothing has woken it.
    pub(super) fn is_dead(&self, channel: usize) -> bool {
        let ended = |step| step >= DRAFT_STEPS || self.failed.contains(&channel);
        self.known.get(&channel).is_some_and(|draft| draft.dead && ended(draft.step))
    }

    pub(super) fn view(&self) -> DraftSheet {
        let view = |(&channel, draft): (&usize, &Draft)| DraftView {
            channel,
            step: draft.step,
            loss: draft.loss,
            // At first the gradient of many a channel is zero.
            dead: draft.dead && (draft.step >= READABLE_STEPS || self.failed.contains(&channel)),
            picture: Arc::clone(&draft.picture),
        };
        DraftSheet { series: self.series.clone(), drafts: self.known.iter().map(view).collect() }
    }
}

/// A sentence on what stopped the draft of a channel.
fn about_draft(channel: usize, error: &engine::Error) -> String {
    format!("the draft of channel {channel}: {}", describe(error))
}

/// The number of channels of the layer that a plan reads. Fails where there is no such layer.
fn channels(network: &Network, plan: &Plan) -> Result<usize> {
    let Objective::Channel { layer, .. } = &plan.objective else {
        return Err(Error::NoDrafts { recipe: plan.recipe.name.clone() });
    };
    let id = network.layer(layer)?;
    Ok(network.shape(plan.size.height, plan.size.width, id)?.channels)
}
