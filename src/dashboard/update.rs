//! The dashboard's update function: it takes a message, changes the state and returns effects for others.

use std::sync::Arc;

use super::key::Key;
use super::key_scope::KeyScope;
use super::pane_sizes::PaneSizes;
use super::pointing::{self, Pointing};
use super::prompt::Prompt;
use super::setting::Setting;
use super::state::{Effect, Mode, Shown, State};
use super::{answers, commands, devices, lab, list, marking, networks, saved_runs, settings, steer, typing};
use crate::engine::Objective;
use crate::worker::protocol::{Action, Outcome, SavedRunAction, Snapshot};

/// An event that the dashboard reacts to.
#[derive(Debug, Clone)]
pub enum Message {
    /// A key was pressed.
    Key(Key),
    /// A text was pasted.
    Paste(String),
    /// The mouse was used.
    Pointing(Pointing),
    /// Borders of panes were dragged: panes are to be so much larger than by themselves.
    Resize(PaneSizes),
    /// The worker answered the oldest request that had no reply yet.
    Reply(Outcome),
    /// The worker published a snapshot.
    Snapshot(Arc<Snapshot>),
    /// The screen has room for so many columns and rows of drafts in the mosaic.
    Page(usize, usize),
    /// The screen has room for so many drafts in the strip beside the picture.
    Strip(usize),
    /// The list of saved runs has room for so many pictures beside it.
    RunPictures(usize),
}

impl State {
    /// Handles a message: changes the state and returns effects for the worker and the terminal.
    pub fn update(&mut self, message: Message) -> Vec<Effect> {
        let mut effects = Vec::new();
        match message {
            Message::Snapshot(snapshot) => self.receive(snapshot),
            Message::Reply(outcome) => effects = self.take_reply(outcome),
            Message::Key(key) => effects = self.press(key),
            Message::Paste(text) => self.paste(&text),
            Message::Pointing(pointing) => effects = pointing::point(self, pointing),
            Message::Resize(sizes) => effects = pointing::resize(self, sizes),
            Message::Page(columns, rows) => self.mosaic.page = (columns, rows),
            Message::Strip(drafts) => self.mosaic.strip = drafts,
            Message::RunPictures(rows) => self.run_pictures.rows = rows,
        }
        effects.extend(self.ask_for_drafts());
        effects.extend(self.ask_to_examine());
        effects.extend(self.ask_the_lab());
        effects.extend(self.ask_for_thumbnails());
        effects.extend(self.ask_for_classes());
        self.note_starts(&effects);
        self.asked += effects.iter().filter(|effect| matches!(effect, Effect::Ask(_))).count();
        effects
    }

    /// Notes whether what goes on from here was started by hand.
    fn note_starts(&mut self, effects: &[Effect]) {
        for effect in effects {
            let Effect::Ask(action) = effect else { continue };
            let opens = matches!(action, Action::OfSavedRun(SavedRunAction::Open { goes_on: true, .. }));
            if opens || matches!(action, Action::Start(_) | Action::StartInShape(_) | Action::Queue(Some(_)))
            {
                self.leaving.note(true);
            } else if matches!(action, Action::SwitchNetwork { .. }) {
                self.leaving.note(false);
            }
        }
    }

    /// Counts a reply, which ends the wait for a network or a device, and says why a request was refused.
    fn take_reply(&mut self, outcome: Outcome) -> Vec<Effect> {
        self.answered += 1;
        if self.switching.as_ref().is_some_and(|(_, request)| self.answered >= *request) {
            (self.switching, self.remark) = (None, None);
        }
        if self.stopping.is_some_and(|request| self.answered >= request) {
            self.stopping = None;
        }
        if matches!(outcome, Outcome::Refused(_)) {
            self.sought = None;
        }
        match outcome {
            Outcome::Done => {}
            // The notice says it to all viewers already.
            Outcome::Refused(reason) if self.snapshot.notice.as_deref() == Some(&*reason) => {}
            Outcome::Refused(reason) => self.remark = Some(reason),
            Outcome::Completed { path, choices } => self.take_completion(&path, &choices),
            Outcome::Growth { run, pictures } => self.take_growth(run, pictures),
            Outcome::Thumbnails(thumbnails) => self.run_pictures.take(thumbnails),
            Outcome::Command(words) => return self.show_command(words),
        }
        Vec::new()
    }

    /// Copies a command, and shows it: not every terminal takes what is copied.
    fn show_command(&mut self, words: Vec<String>) -> Vec<Effect> {
        let text = words.join(" ");
        if self.full && self.mode == Mode::Browse {
            self.mode = Mode::Command(words);
        } else {
            self.remark = Some(text.clone());
        }
        vec![Effect::Copy(text)]
    }

    /// Takes a path that was completed, unless another was typed or given up meanwhile.
    fn take_completion(&mut self, path: &str, choices: &[String]) {
        let Mode::Prompt(Prompt::Setting(Setting::Start) | Prompt::Export, line) = &mut self.mode else {
            return;
        };
        let typed = line.parts().0;
        if path.starts_with(typed) || typed.starts_with("~/") {
            line.complete(0, path);
            self.remark = (!choices.is_empty()).then(|| choices.join("  "));
        }
    }

    /// Replaces the snapshot, and updates what depends on it.
    fn receive(&mut self, snapshot: Arc<Snapshot>) {
        if let Some(network) = &snapshot.network
            && self.snapshot.network.as_ref().is_none_or(|before| !Arc::ptr_eq(before, network))
        {
            self.show_network(network);
        }
        if let Some(run) = &snapshot.run
            && let (Some(loss), Objective::Channel { layer, channel }) = (run.loss, run.objective())
        {
            self.maximised.insert((layer.clone(), *channel), loss);
        }
        if snapshot.run.as_ref().map(|run| run.number) != self.snapshot.run.as_ref().map(|run| run.number) {
            self.scrub = None;
        }
        self.follow_queue(&snapshot);
        self.note_judgement(&snapshot);
        self.snapshot = snapshot;
    }

    /// Moves the cursor on with the queue, if it is on the channel that ran until now.
    fn follow_queue(&mut self, snapshot: &Snapshot) {
        let target = |snapshot: &Snapshot| {
            let Objective::Channel { layer, channel } = snapshot.run.as_ref()?.objective() else {
                return None;
            };
            Some((layer.clone(), *channel))
        };
        let (before, now) = (target(&self.snapshot), target(snapshot));
        let here = (self.layer_name(), self.channel);
        if (snapshot.queue.is_some() || self.snapshot.queue.is_some())
            && before.is_some_and(|before| before == here)
            && let Some((layer, channel)) = now
            && layer == here.0
        {
            self.channel = channel.min(self.channels().saturating_sub(1));
        }
    }

    /// Handles a key according to the mode.
    pub(super) fn press(&mut self, key: Key) -> Vec<Effect> {
        self.remark = None;
        let key = match (key, &self.mode) {
            (key, Mode::Prompt(..)) => key,
            // Only a line of text tells a letter with Alt from the letter.
            (Key::Alt(letter), _) => Key::Char(letter),
            (key, _) => key,
        };
        match (&self.mode, self.keys.lookup(key)) {
            // It asks nothing.
            (_, Some(_)) if key == Key::Ctrl('c') && self.keys.runs(key, "quit") => vec![Effect::Quit],
            (_, Some(binding)) if key == Key::Ctrl('c') => commands::perform(self, binding.name),
            (Mode::Prompt(..), _) => typing::press(self, key),
            (Mode::Runs(_) | Mode::Marks(_), _) => self.press_in_list(key),
            (Mode::Question(question), _) => answers::press(self, question.clone(), key),
            (Mode::Recipes(_) | Mode::Networks(_) | Mode::Devices(_) | Mode::Settings(_), _) if self.full => {
                self.press_in_list(key)
            }
            (&Mode::Help(page), _) if self.full => {
                let turns = matches!(key, Key::Char(' ') | Key::Down | Key::PageDown | Key::Right)
                    || self.keys.runs(key, "help");
                let further = turns && page + 1 < self.help_pages;
                self.mode = if further { Mode::Help(page + 1) } else { Mode::Browse };
                Vec::new()
            }
            (Mode::Command(_), _) if self.full => {
                self.mode = Mode::Browse;
                Vec::new()
            }
            // The screen became too small to show what is open, so the key acts as while browsing.
            (
                Mode::Help(_)
                | Mode::Networks(_)
                | Mode::Devices(_)
                | Mode::Recipes(_)
                | Mode::Settings(_)
                | Mode::Command(_),
                binding,
            ) => {
                self.mode = Mode::Browse;
                binding.map(|binding| commands::perform(self, binding.name)).unwrap_or_default()
            }
            (Mode::Browse, Some(binding)) => commands::perform(self, binding.name),
            (Mode::Browse, None) if key == Key::Escape && self.closer.pixel.is_some() => {
                self.closer.pixel = None;
                Vec::new()
            }
            (Mode::Browse, None) if self.shown == Shown::Lab => lab::press(self, key),
            (Mode::Browse, None) => Vec::new(),
        }
    }

    /// The list that is open: the keys that count there, and the command that opens it.
    fn list_scope(&self) -> Option<(KeyScope, &'static str)> {
        Some(match self.mode {
            Mode::Recipes(_) => (KeyScope::Recipes, "recipe"),
            Mode::Settings(_) => (KeyScope::Lists, "settings"),
            Mode::Networks(_) => (KeyScope::Networks, "networks"),
            Mode::Devices(_) => (KeyScope::Lists, "devices"),
            Mode::Runs(_) => (KeyScope::Runs, "runs"),
            Mode::Marks(_) => (KeyScope::Marks, "marks"),
            Mode::Browse | Mode::Prompt(..) | Mode::Help(_) | Mode::Question(_) | Mode::Command(_) => {
                return None;
            }
        })
    }

    /// Handles a key while a list is open. The keys that move while browsing move there too, and the keys that quit and that opened
    /// the list close it, unless the list has a use of its own for them; others with Ctrl do the same as while browsing.
    fn press_in_list(&mut self, key: Key) -> Vec<Effect> {
        let Some((scope, opener)) = self.list_scope() else { return Vec::new() };
        if let Some(binding) = self.keys.lookup_in(scope, key) {
            return self.act_in_list(binding.name);
        }
        match self.keys.lookup(key).map_or("", |binding| binding.name) {
            "up" | "left" => self.act_in_list("list-up"),
            "down" | "right" => self.act_in_list("list-down"),
            "quit" => list::close(self),
            command if command == opener => list::close(self),
            command if matches!(key, Key::Ctrl(_)) => commands::perform(self, command),
            _ => Vec::new(),
        }
    }

    /// Does what a command does in the list that is open.
    pub(super) fn act_in_list(&mut self, command: &str) -> Vec<Effect> {
        match self.mode {
            Mode::Recipes(cursor) => steer::act(self, cursor, command),
            Mode::Settings(cursor) => settings::act(self, cursor, command),
            Mode::Networks(cursor) => networks::act(self, cursor, command),
            Mode::Devices(cursor) => devices::act(self, cursor, command),
            Mode::Runs(cursor) => saved_runs::act(self, cursor, command),
            Mode::Marks(cursor) => marking::act(self, cursor, command),
            Mode::Browse | Mode::Prompt(..) | Mode::Help(_) | Mode::Question(_) | Mode::Command(_) => {
                Vec::new()
            }
        }
    }

    /// Goes to the channel of the layer under the cursor that was typed.
    pub(super) fn go_to_channel(&mut self, text: &str) -> Vec<Effect> {
        let last = self.channels().saturating_sub(1);
        match text.parse() {
            Ok(channel) if channel <= last => self.channel = channel,
            _ if text.is_empty() => {}
            _ => self.remark = Some(format!("no channel {text}: the last is {last}")),
        }
        self.mode = Mode::Browse;
        Vec::new()
    }
}
