//! The fields of the user's `config.toml`, each the default of a flag, and what can stand in them.

use std::path::PathBuf;

use clap::ValueEnum;
use toml::de::DeValue;
use trepang_weights::{find_set, network_file};

use super::args::{CharsetFlag, ImageProtocol, ThemeFlag};
use super::place::{MAX_THREADS, find_entry};
use super::recipe::find_recipe;
use crate::engine::{AskedSize, SIZE_NEEDED};

/// The most kilobytes a second that can be written for the rate cap.
const MAX_RATE: u32 = 1_000_000;

/// A field of the user's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigField {
    /// The network that is looked into.
    Network,
    /// The recipe that makes the pictures.
    Recipe,
    /// The size of pictures in pixels: the longer side, or both.
    Size,
    /// The number of steps.
    Steps,
    /// The backend that computes.
    Backend,
    /// The device that computes.
    Device,
    /// The number of compute threads.
    Threads,
    /// The folder that runs are saved in.
    Runs,
    /// The protocol that shows pictures in the terminal.
    ImageProtocol,
    /// The colours of the dashboard.
    Theme,
    /// The characters that the dashboard is drawn with.
    Charset,
    /// The most kB a second that are sent to the terminal while nobody presses a key.
    RateCap,
    /// Whether the dashboard takes the mouse.
    Mouse,
}

/// The form in which a value stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldForm {
    /// A text in quotes.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`, without quotes.
    Switch,
}

impl ConfigField {
    /// All fields, in the order in which they are printed.
    pub const ALL: [Self; 13] = [
        Self::Network,
        Self::Recipe,
        Self::Size,
        Self::Steps,
        Self::Backend,
        Self::Device,
        Self::Threads,
        Self::Runs,
        Self::ImageProtocol,
        Self::Theme,
        Self::Charset,
        Self::RateCap,
        Self::Mouse,
    ];

    /// The value as the file has it: a number, or a text in quotes.
    pub fn in_file(self, value: &str) -> String {
        let is_bare = match self.form() {
            // A size can also be a text.
            FieldForm::Number => value.parse::<u64>().is_ok(),
            FieldForm::Switch => true,
            FieldForm::Text => false,
        };
        if is_bare {
            return value.into();
        }
        toml_text(value)
    }

    /// The name of the field, which is that of its flag.
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Recipe => "recipe",
            Self::Size => "size",
            Self::Steps => "steps",
            Self::Backend => "backend",
            Self::Device => "device",
            Self::Threads => "threads",
            Self::Runs => "runs",
            Self::ImageProtocol => "image-protocol",
            Self::Theme => "theme",
            Self::Charset => "charset",
            Self::RateCap => "rate-cap",
            Self::Mouse => "mouse",
        }
    }

    /// The form of the field's value.
    fn form(self) -> FieldForm {
        match self {
            Self::Size | Self::Steps | Self::Threads | Self::RateCap => FieldForm::Number,
            Self::Mouse => FieldForm::Switch,
            Self::Network
            | Self::Recipe
            | Self::Backend
            | Self::Device
            | Self::Runs
            | Self::ImageProtocol
            | Self::Theme
            | Self::Charset => FieldForm::Text,
        }
    }

    /// The value in words where nothing is set, if it is always the same, or else a description of it.
    pub fn default(self) -> Result<&'static str, &'static str> {
        match self {
            Self::Network => Ok(super::DEFAULT_NETWORK),
            Self::Recipe => Ok(crate::engine::RECIPES[0]),
            Self::Size => Err("the network's own, or that of the start picture"),
            Self::Steps => Err("the recipe's"),
            Self::Backend => Err("the one that has the device"),
            Self::Device | Self::ImageProtocol | Self::Theme => Ok("auto"),
            Self::Charset => Ok("unicode"),
            Self::Mouse => Ok("true"),
            Self::Threads => Err("one for each core"),
            Self::Runs => Err("trepang/runs in the folder of this user's data"),
            Self::RateCap => Err("58 for pictures of characters, 290 for others"),
        }
    }

    /// The value as the flag takes it. Fails, in one clause, for one that cannot be.
    pub(super) fn check(self, value: &DeValue) -> Result<String, String> {
        let text = match (self.form(), value) {
            (FieldForm::Number, DeValue::Integer(number)) if number.radix() == 10 => {
                number.as_str().replace('_', "")
            }
            (FieldForm::Number, DeValue::String(text)) if self == Self::Size && text.contains('x') => {
                text.clone().into_owned()
            }
            (FieldForm::Number, _) => {
                return Err(format!("{} is a whole number, such as {}", self.name(), self.example()));
            }
            (FieldForm::Switch, DeValue::Boolean(on)) => on.to_string(),
            (FieldForm::Switch, _) => {
                return Err(format!("{} is true or false, without quotes", self.name()));
            }
            (FieldForm::Text, DeValue::String(text)) => text.clone().into_owned(),
            (FieldForm::Text, _) => {
                return Err(format!("{} is a text in quotes, such as {:?}", self.name(), self.example()));
            }
        };
        self.check_text(&text).map(|changed| changed.unwrap_or(text))
    }

    /// Fails for a text that cannot be; returns another text where that is what is meant.
    fn check_text(self, text: &str) -> Result<Option<String>, String> {
        match self {
            // The built-in network is no set that can be pulled.
            Self::Network if text != super::DEFAULT_NETWORK && network_file(text).is_none() => {
                find_set(text).map(|_| None).map_err(|error| error.to_string())
            }
            Self::Network | Self::Mouse => Ok(None),
            Self::Recipe => find_recipe(text, &[]).map(|_| None).map_err(|error| format!("{error:#}")),
            Self::Size => self.size(text),
            Self::Steps => self.within(text, u32::MAX),
            Self::Threads => self.within(text, MAX_THREADS as u32),
            Self::RateCap => self.within(text, MAX_RATE),
            Self::Backend => find_entry(text).map(|_| None).map_err(|error| error.to_string()),
            Self::Device => is_device(text)
                .then_some(None)
                .ok_or_else(|| format!("device is cpu, cuda, cuda:I, metal, mps or auto, not {text:?}")),
            Self::Runs => folder(text).map(Some),
            Self::ImageProtocol => self.one_of::<ImageProtocol>(text),
            Self::Theme => self.one_of::<ThemeFlag>(text),
            Self::Charset => self.one_of::<CharsetFlag>(text),
        }
    }

    /// Fails for a text that is neither a longer side nor both sides.
    fn size(self, text: &str) -> Result<Option<String>, String> {
        match text.parse() {
            Ok(AskedSize::Sides(size)) if size.shorter() > 0 => Ok(None),
            Ok(AskedSize::Sides(_)) => Err(format!("size: {SIZE_NEEDED}")),
            Err(reason) if text.contains('x') => Err(format!("size: {reason}")),
            Ok(AskedSize::Longer(_)) | Err(_) => self.within(text, u32::MAX),
        }
    }

    fn within(self, text: &str, most: u32) -> Result<Option<String>, String> {
        let number = text.parse::<u32>().ok().filter(|number| (1..=most).contains(number));
        number
            .map(|_| None)
            .ok_or_else(|| format!("{} is a whole number from 1 to {most}, not {text}", self.name()))
    }

    /// Fails for a word that is none of those that can stand there.
    fn one_of<T: ValueEnum>(self, text: &str) -> Result<Option<String>, String> {
        if T::from_str(text, false).is_ok() {
            return Ok(None);
        }
        let values = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let names: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
        Err(format!("{} is one of {}, not {text:?}", self.name(), names.join(", ")))
    }

    /// A value for messages.
    fn example(self) -> &'static str {
        match self {
            Self::Size => "224",
            Self::Steps => "128",
            Self::Threads => "4",
            Self::RateCap => "100",
            Self::Network => "vgg16-trunk",
            Self::Recipe => "lucid",
            Self::Backend => "cpu",
            Self::Runs => "~/runs",
            Self::Charset => "ascii",
            Self::Mouse => "false",
            Self::Device | Self::ImageProtocol | Self::Theme => "auto",
        }
    }
}

fn is_device(text: &str) -> bool {
    let numbered = text.split_once(':').is_some_and(|(kind, index)| {
        ["cpu", "cuda", "metal", "mps"].contains(&kind) && index.parse::<u16>().is_ok()
    });
    numbered || ["cpu", "cuda", "metal", "mps", "auto"].contains(&text)
}

/// The folder, with the home folder where `~` stands for it: from the working folder a path would mean many places.
fn folder(text: &str) -> Result<String, String> {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    let path = match text.strip_prefix("~/").zip(home()) {
        Some((rest, home)) => home.join(rest),
        None => PathBuf::from(text),
    };
    match (path.is_absolute(), path.to_str()) {
        (true, Some(path)) => Ok(path.to_owned()),
        _ => Err(format!("runs is a folder from the root or from ~/ on, not {text:?}")),
    }
}

/// A text as TOML writes it.
pub fn toml_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
