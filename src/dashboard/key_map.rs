//! The keys in use: those of the key table, with the user's changes. The help, the key line and the palette are made from
//! it.

use trepang_api::{did_you_mean, excerpt};

use super::key::Key;
use super::key_scope::KeyScope;
use super::key_table::{BINDINGS, Binding};
use super::list_keys::LIST_BINDINGS;

/// The key that quits in any case.
const ALWAYS_QUITS: Key = Key::Ctrl('c');

/// The columns that the help has for the keys of a command.
const SHOWN_WIDTH: usize = 6;

/// A change of the keys of one command, as the user wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChange {
    /// The name of the command.
    pub command: String,
    /// The names of its keys; none if it is to be run from the palette only.
    pub keys: Vec<String>,
    /// The line of the user's file.
    pub line: usize,
}

/// The reason why the user's keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongKey {
    /// The line of the user's file.
    pub line: usize,
    /// The reason in one clause.
    pub reason: String,
}

/// A command with the keys that run it.
#[derive(Debug, Clone)]
pub struct BoundCommand {
    /// The command of the key table.
    pub binding: &'static Binding,
    /// The keys that run it.
    pub keys: Vec<Key>,
    /// Its keys as the help writes them; empty if it has none.
    pub shown: String,
    /// The line of the user's file that binds it; none for the keys of the key table.
    pub line: Option<usize>,
}

/// Every command with its keys, in the order of the help; those of lists and questions are last.
#[derive(Debug, Clone)]
pub struct KeyMap(Vec<BoundCommand>);

impl Default for KeyMap {
    fn default() -> Self {
        let bound = |binding: &'static Binding| BoundCommand {
            binding,
            keys: binding.keys.to_vec(),
            shown: binding.shown.into(),
            line: None,
        };
        Self(BINDINGS.iter().chain(LIST_BINDINGS).map(bound).collect())
    }
}

impl KeyMap {
    /// The keys of the table with these changes. Fails for a command or a key that there is not, and for a key that would
    /// run two commands.
    pub fn with(changes: &[KeyChange]) -> Result<Self, WrongKey> {
        let mut map = Self::default();
        for change in changes {
            map.change(change).map_err(|reason| WrongKey { line: change.line, reason })?;
        }
        match map.clash() {
            Some(clash) => Err(clash),
            None => Ok(map),
        }
    }

    fn change(&mut self, KeyChange { command, keys, line }: &KeyChange) -> Result<(), String> {
        let names = BINDINGS.iter().chain(LIST_BINDINGS).map(|binding| binding.name);
        let Some(bound) = self.0.iter_mut().find(|bound| bound.binding.name == command) else {
            let question = did_you_mean(command, names);
            let question = question.unwrap_or_else(|| "`trepang config --print` lists them".into());
            return Err(format!("there is no command \"{}\"; {question}", excerpt(command)));
        };
        bound.keys = keys.iter().map(|name| Key::named(name)).collect::<Result<_, _>>()?;
        bound.line = Some(*line);
        bound.shown = shown(&bound.keys);
        if bound.binding.keys.contains(&ALWAYS_QUITS) {
            bound.keys.push(ALWAYS_QUITS);
        }
        Ok(())
    }

    /// The first key that two commands have, in the words of the later one's line.
    fn clash(&self) -> Option<WrongKey> {
        let keys = self.0.iter().flat_map(|bound| bound.keys.iter().map(move |key| (bound, *key)));
        let clashes = keys.filter_map(|(bound, key)| {
            let is_other = |other: &&BoundCommand| {
                other.keys.contains(&key)
                    && other.binding.name != bound.binding.name
                    && other.binding.scope.meets(bound.binding.scope)
                    && other.line <= bound.line
            };
            let (other, line) = (self.0.iter().find(is_other)?, bound.line?);
            let place = match other.line {
                Some(line) => format!("of line {line}"),
                None => "where it is the default: give that another key, or [] for none".into(),
            };
            let (key, name, other) = (key.name(), bound.binding.name, other.binding.name);
            Some(WrongKey { line, reason: format!("the key {key} runs both {name} and {other}, {place}") })
        });
        clashes.min_by_key(|clash| clash.line)
    }

    /// All commands of browsing, in the order of the help.
    pub fn all(&self) -> &[BoundCommand] {
        &self.0[..BINDINGS.len()]
    }

    /// The commands of lists and questions.
    pub fn of_lists(&self) -> &[BoundCommand] {
        &self.0[BINDINGS.len()..]
    }

    /// The command of a key while browsing, if there is one.
    pub fn lookup(&self, key: Key) -> Option<&'static Binding> {
        self.all().iter().find(|bound| bound.keys.contains(&key)).map(|bound| bound.binding)
    }

    /// The command of a key in a list or a question of this kind, if there is one.
    pub fn lookup_in(&self, scope: KeyScope, key: Key) -> Option<&'static Binding> {
        let counts = |bound: &&BoundCommand| bound.binding.scope.meets(scope) && bound.keys.contains(&key);
        self.of_lists().iter().find(counts).map(|bound| bound.binding)
    }

    /// Whether this key runs the command of this name.
    pub fn runs(&self, key: Key, command: &str) -> bool {
        self.lookup(key).is_some_and(|binding| binding.name == command)
    }

    /// A command of any kind with its keys.
    pub fn bound(&self, command: &str) -> Option<&BoundCommand> {
        self.0.iter().find(|bound| bound.binding.name == command)
    }

    /// The keys of a command as the help writes them, if it has any.
    pub fn key_of(&self, command: &str) -> Option<&str> {
        self.bound(command).map(|bound| bound.shown.as_str()).filter(|shown| !shown.is_empty())
    }

    /// The keys of a command for a sentence, or where it is found if it has none.
    pub fn shown(&self, command: &str) -> &str {
        self.key_of(command).unwrap_or("the palette")
    }

    /// The commands whose words have every word that was typed, in the order of the key table.
    pub fn commands(&self, typed: &str) -> Vec<&BoundCommand> {
        let typed = typed.to_lowercase();
        let fits = |bound: &&BoundCommand| {
            let Binding { name, about, short, .. } = bound.binding;
            let words = format!("{name} {about} {short}").to_lowercase();
            typed.split_whitespace().all(|word| words.contains(word) || bound.shown.to_lowercase() == word)
        };
        self.all().iter().filter(fits).collect()
    }
}

/// As many of the keys as the help has room for, the first in any case.
fn shown(keys: &[Key]) -> String {
    let mut text = String::new();
    for key in keys.iter().map(|key| key.shown()) {
        if text.is_empty() {
            text = key;
        } else if text.chars().count() + 1 + key.chars().count() <= SHOWN_WIDTH {
            text = format!("{text} {key}");
        }
    }
    text
}
