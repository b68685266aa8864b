//! What pictures of channels are taken for, of runs and of kept pictures, and whether the worker is to look at the latter: while
//! a class is typed after `/`.

use super::find::class_of;
use super::prompt::Prompt;
use super::state::{Effect, Mode, State};
use crate::engine::Objective;
use crate::worker::protocol::{Action, Snapshot};

impl State {
    /// The classes that pictures of channels were taken for, each with layer and channel. A channel can have several.
    pub(super) fn judgements(&self) -> impl Iterator<Item = (&str, usize, &str)> {
        let runs = self.judged.of_runs.iter();
        let runs = runs.map(|((layer, channel), label)| (&**layer, *channel, &**label));
        let kept = self.snapshot.class_search.iter().flat_map(|search| &search.found);
        runs.chain(kept.map(|found| (&*found.layer, found.channel, &*found.label)))
    }

    /// The class that a picture of a channel was taken for, if one was judged: the one that is looked for, if a class is typed.
    pub fn taken_for(&self, (layer, pre, channel): (usize, bool, usize), typed: &str) -> Option<&str> {
        let name = &self.layers.get(layer)?.name;
        let name = if pre { format!("{name}:pre") } else { name.clone() };
        let class = class_of(typed).unwrap_or_default();
        let of_channel = |(of, number, label): &(&str, usize, &str)| {
            (*of, *number) == (&*name, channel) && label.to_lowercase().contains(&class)
        };
        self.judgements().find(of_channel).map(|(_, _, label)| label)
    }

    /// Says, if a class is looked for, how many channels were found, and in what.
    pub fn class_search_told(&self, typed: &str) -> Option<String> {
        let class = class_of(typed)?;
        let count = self.channels_taken_for(&class).len();
        let Some(search) = &self.snapshot.class_search else {
            return Some(format!("{count} found in this session's runs"));
        };
        let (looked_at, pictures) = (search.looked_at, search.pictures);
        Some(match &search.classifier {
            None => format!("no network classifies here: {}, then c on one", self.keys.shown("networks")),
            Some(name) if looked_at < pictures => {
                format!("{count} found: {name} has looked at {looked_at} of {pictures} pictures")
            }
            Some(name) => format!("{count} found in {pictures} pictures of runs and drafts, by {name}"),
        })
    }

    /// Notes what the picture of the run in a snapshot is taken for: by the network's own classifier, or else by another.
    pub(super) fn note_judgement(&mut self, snapshot: &Snapshot) {
        let (Some(run), Some(predictions)) = (&snapshot.run, &snapshot.predictions) else { return };
        let guess = predictions.classifications.iter().find_map(|one| one.guesses.first());
        if let (Some(guess), Objective::Channel { layer, channel }) = (guess, run.objective()) {
            self.judged.of_runs.insert((layer.clone(), *channel), guess.label.clone());
        }
    }

    /// Asks that kept pictures be looked at while a class is looked for.
    pub(super) fn ask_for_classes(&mut self) -> Vec<Effect> {
        let wanted = match &self.mode {
            Mode::Prompt(Prompt::Find, line) => class_of(line.text()).is_some(),
            Mode::Browse
            | Mode::Prompt(..)
            | Mode::Help(_)
            | Mode::Networks(_)
            | Mode::Devices(_)
            | Mode::Recipes(_)
            | Mode::Settings(_)
            | Mode::Marks(_)
            | Mode::Runs(_)
            | Mode::Question(_)
            | Mode::Command(_) => false,
        };
        if wanted == self.judged.asked {
            return Vec::new();
        }
        self.judged.asked = wanted;
        vec![Effect::Ask(Action::FindClasses(wanted))]
    }
}
