//! The mosaic: the channels of a layer as a grid of drafts. What moves its cursor, and which drafts are asked for. Not here:
//! how large a draft is on this screen.

use super::actions::NOTHING;
use super::state::{Effect, Shown, State, TerminalAction};
use crate::engine::{AskedSize, Recipe, Start};
use crate::worker::protocol::{
    Action, ChannelQueue, DRAFT_STEPS, DraftPage, DraftSeries, DraftSheet, DraftView, Settings, Status,
};

/// The longer side of drafts in pixels: what a channel of VGG16's last block looks for can be seen at 64.
const DRAFT_SIZE: usize = 64;

/// The recipe of drafts where the one in use makes nothing of a channel alone.
const DRAFT_RECIPE: &str = "lucid";

impl State {
    /// The first channel of the page under the cursor.
    pub fn page_start(&self) -> usize {
        self.channel / self.mosaic.page_len() * self.mosaic.page_len()
    }

    /// The channels of the page under the cursor.
    pub fn page_channels(&self) -> std::ops::Range<usize> {
        let first = self.page_start();
        first..self.channels().min(first + self.mosaic.page_len())
    }

    /// The channels in the strip beside the picture: a page around the cursor.
    pub fn strip_channels(&self) -> std::ops::Range<usize> {
        let count = self.mosaic.strip;
        let first = self.channel - self.channel.checked_rem(count).unwrap_or_default();
        first..self.channels().min(first + count)
    }

    /// The common part of the drafts of the layer under the cursor.
    fn draft_series(&self) -> DraftSeries {
        let used = &self.settings.recipe;
        let fits = used.has_target() && !used.wants_picture();
        let recipe = if fits { Some(used.clone()) } else { Recipe::named(DRAFT_RECIPE) };
        let recipe = recipe.unwrap_or_else(|| used.clone());
        let start = if fits { self.settings.start.clone() } else { Start::Noise };
        let size = match self.settings.size {
            AskedSize::Sides(size) if !size.is_square() => AskedSize::Sides(size.scaled(DRAFT_SIZE)),
            AskedSize::Sides(size) if matches!(start, Start::Picture { .. }) => {
                AskedSize::Sides(size.scaled(DRAFT_SIZE))
            }
            AskedSize::Sides(_) | AskedSize::Longer(_) => AskedSize::Longer(DRAFT_SIZE),
        };
        let settings = Settings { recipe, size, seed: self.settings.seed, steps: DRAFT_STEPS, start };
        DraftSeries { layer: self.layer_name(), settings }
    }

    /// Draws drafts larger, and after the largest as at first.
    pub(super) fn enlarge_drafts(&mut self) {
        self.mosaic.enlarge(self.mosaic.enlarged + 1);
    }

    /// The sheet of the drafts that are looked at, once there is one.
    pub fn sheet(&self) -> Option<&DraftSheet> {
        let series = &self.mosaic.asked.as_ref()?.series;
        self.snapshot.sheets.iter().find(|sheet| sheet.series == *series && series.layer == self.layer_name())
    }

    /// The draft of a channel of the layer under the cursor, once there is one.
    pub fn draft(&self, channel: usize) -> Option<&DraftView> {
        let drafts = &self.sheet()?.drafts;
        let at = drafts.binary_search_by_key(&channel, |draft| draft.channel).ok()?;
        drafts.get(at)
    }

    /// The drafts of the layer under the cursor, in the form meant, that there are on any sheet.
    fn drafts(&self) -> impl Iterator<Item = &DraftView> {
        let layer = self.layer_name();
        let sheets = self.snapshot.sheets.iter().filter(move |sheet| sheet.series.layer == layer);
        sheets.flat_map(|sheet| &sheet.drafts)
    }

    /// The activation of a channel of the layer under the cursor: that of its last run in this session, or of its draft.
    pub fn activation(&self, channel: usize) -> Option<f64> {
        let of_run = self.maximised.get(&(self.layer_name(), channel)).copied();
        of_run.or_else(|| self.drafts().find(|draft| draft.channel == channel)?.loss)
    }

    /// The highest activation that is known in the layer under the cursor.
    pub fn highest_activation(&self) -> f64 {
        let layer = self.layer_name();
        let runs = self.maximised.iter().filter(|((of, _), _)| *of == layer).map(|(_, loss)| *loss);
        runs.chain(self.drafts().filter_map(|draft| draft.loss)).fold(f64::MIN_POSITIVE, f64::max)
    }

    /// Whether nothing has woken a channel of the layer under the cursor, as far as its draft tells.
    pub fn is_dead(&self, channel: usize) -> bool {
        self.drafts().any(|draft| draft.channel == channel && draft.dead)
    }

    /// Asks for the drafts on the screen, where they are others than those that were last asked for.
    pub(super) fn ask_for_drafts(&mut self) -> Vec<Effect> {
        let ready = self.switching.is_none() && self.channels() > 0;
        let page = match self.shown {
            Shown::Mosaic => Some((self.page_start(), self.mosaic.page_len(), false)),
            Shown::Panes if self.mosaic.strip > 0 => {
                Some((self.strip_channels().start, self.mosaic.strip, true))
            }
            Shown::Panes | Shown::Picture | Shown::Beside | Shown::Lab => None,
        };
        let page = page.filter(|_| ready);
        let wanted = page.map(|(first, count, patient)| DraftPage {
            series: self.draft_series(),
            first,
            count,
            patient,
        });
        if wanted == self.mosaic.asked {
            return NOTHING;
        }
        self.mosaic.asked.clone_from(&wanted);
        vec![Effect::Ask(Action::Draft(wanted.map(Box::new)))]
    }
}

/// Shows the mosaic, or the panes again.
pub(super) fn toggle(state: &mut State) -> Vec<Effect> {
    state.shown = match state.shown {
        Shown::Mosaic => Shown::Panes,
        Shown::Panes | Shown::Picture | Shown::Beside | Shown::Lab => Shown::Mosaic,
    };
    vec![Effect::Terminal(TerminalAction::Redraw)]
}

/// Goes on from channel to channel, or no longer: after the run in progress, or from the channel under the cursor.
pub(super) fn toggle_queue(state: &mut State) -> Vec<Effect> {
    if state.is_switching() || state.lacks_picture() {
        return NOTHING;
    }
    if state.snapshot.queue.is_some() {
        state.remark = Some("the queue ends with this channel".into());
        return vec![Effect::Ask(Action::Queue(None))];
    }
    let runs = matches!(state.snapshot.status, Status::Running | Status::Paused);
    let next = state.channel + usize::from(runs && state.is_running(state.channel));
    if next >= state.channels() {
        state.remark = Some("there is no further channel in this layer".into());
        return NOTHING;
    }
    let queue = ChannelQueue {
        layer: state.layer_name(),
        settings: state.settings.clone(),
        next,
        end: state.channels(),
    };
    let (last, key) = (queue.end - 1, state.keys.shown("queue"));
    state.remark = Some(format!("channels {next} to {last} follow one another; {key} again ends it"));
    vec![Effect::Ask(Action::Queue(Some(Box::new(queue))))]
}
