//! The user's `config.toml`: the defaults of flags, and the keys of the dashboard. Whatever is wrong in it is one sentence
//! with the line.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Result;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use trepang_api::{did_you_mean, excerpt, excerpt_of_message};

use super::Usage;
use super::field::ConfigField;
use crate::runs::read_regular;

/// The longest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The table of the keys.
const KEYS: &str = "keys";

/// A value with the line of the file that sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The value as the flag takes it.
    pub text: String,
    /// The line, counted from 1.
    pub line: usize,
}

/// The keys that the user gives to a command; which commands and keys there are is the dashboard's to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLine {
    /// The name of the command.
    pub command: String,
    /// The names of its keys.
    pub keys: Vec<String>,
    /// The line, counted from 1.
    pub line: usize,
}

/// The user's configuration. Without a file, everything in it is empty.
#[derive(Debug, Clone, Default)]
pub struct ConfigFile {
    /// The path of the file, whether it is there or not; none without a home folder.
    pub path: Option<PathBuf>,
    /// Whether there is such a file.
    pub is_there: bool,
    values: BTreeMap<ConfigField, Located>,
    /// The keys that are not those of the key table.
    pub keys: Vec<KeyLine>,
}

impl ConfigFile {
    /// The path of the file of this process's user.
    pub fn path_of_user() -> Option<PathBuf> {
        let folder =
            |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
        Some(config?.join("trepang/config.toml"))
    }

    /// Reads the user's file. Fails for one that cannot be read, and for the first wrong thing in it.
    pub fn of_user() -> Result<Self> {
        let Some(path) = Self::path_of_user() else { return Ok(Self::default()) };
        let bytes = match read_regular(&path, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { path: Some(path), ..Self::default() });
            }
            Err(error) => return Err(Usage(format!("cannot read {}: {error}", path.display())).into()),
        };
        let wrong = |(line, reason): (usize, String)| {
            Usage(format!("{}, line {line}: {}", path.display(), excerpt_of_message(&reason)))
        };
        let text = str::from_utf8(&bytes)
            .map_err(|error| wrong((line_of(&bytes, error.valid_up_to()), "it is not UTF-8 text".into())))?;
        let (values, keys) = read(text).map_err(wrong)?;
        Ok(Self { path: Some(path), is_there: true, values, keys })
    }

    /// The sentence on something wrong in a line of the file.
    pub fn wrong(&self, line: usize, reason: &str) -> Usage {
        let path = self.path.as_deref().unwrap_or("config.toml".as_ref());
        Usage(format!("{}, line {line}: {}", path.display(), excerpt_of_message(reason)))
    }

    /// The value of a field, if the file sets it.
    pub fn value(&self, field: ConfigField) -> Option<&Located> {
        self.values.get(&field)
    }

    /// The value of a field in the flag's type. What is in the file was checked when it was read.
    pub(super) fn parsed<T: FromStr>(&self, field: ConfigField) -> Option<T> {
        self.value(field)?.text.parse().ok()
    }
}

/// The fields and the keys of a file.
type FileContent = (BTreeMap<ConfigField, Located>, Vec<KeyLine>);

/// The line of a byte, counted from 1.
fn line_of(bytes: &[u8], at: usize) -> usize {
    bytes[..at.min(bytes.len())].split(|byte| *byte == b'\n').count()
}

/// The fields and the keys of a file's text, or the line and the reason of the first thing that is wrong.
fn read(text: &str) -> Result<FileContent, (usize, String)> {
    let line_of = |at: usize| line_of(text.as_bytes(), at);
    let table = DeTable::parse(text).map_err(|error| {
        let line = line_of(error.span().map_or(text.len(), |span| span.start));
        (line, error.message().trim().replace('\n', ", "))
    })?;
    let mut entries: Vec<_> = table.get_ref().iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    let (mut values, mut keys) = (BTreeMap::new(), Vec::new());
    for (name, value) in entries {
        let (line, name) = (line_of(name.span().start), name.get_ref());
        let at = |reason: String| (line, reason);
        if name == KEYS {
            let DeValue::Table(table) = value.get_ref() else {
                return Err(at(
                    "keys is a table: a line [keys], and under it lines such as queue = \"Q\"".into()
                ));
            };
            keys = key_lines(table, &line_of)?;
            continue;
        }
        let field = ConfigField::ALL.into_iter().find(|field| field.name() == name);
        let field = field.ok_or_else(|| at(unknown(name)))?;
        let text = field.check(value.get_ref()).map_err(at)?;
        values.insert(field, Located { text, line });
    }
    Ok((values, keys))
}

fn unknown(name: &str) -> String {
    let known = ConfigField::ALL.map(ConfigField::name).into_iter().chain([KEYS]);
    let question = did_you_mean(name, known);
    let question = question.unwrap_or_else(|| "`trepang config --print` lists the fields".into());
    format!("there is no field \"{}\"; {question}", excerpt(name))
}

/// The commands of the table of keys, in the order of their lines.
fn key_lines(table: &DeTable, line_of: &dyn Fn(usize) -> usize) -> Result<Vec<KeyLine>, (usize, String)> {
    let mut lines = Vec::new();
    for (command, value) in table {
        let line = line_of(command.span().start);
        let keys = names(value).ok_or_else(|| {
            let command = excerpt(command.get_ref());
            (
                line,
                format!(
                    "the keys of {command} are a text such as \"x\", or a list such as [\"x\", \"ctrl-x\"]"
                ),
            )
        })?;
        lines.push(KeyLine { command: command.get_ref().clone().into_owned(), keys, line });
    }
    lines.sort_by_key(|line| line.line);
    Ok(lines)
}

fn names(value: &Spanned<DeValue>) -> Option<Vec<String>> {
    match value.get_ref() {
        DeValue::String(name) => Some(vec![name.clone().into_owned()]),
        DeValue::Array(names) => {
            names.iter().map(|name| name.get_ref().as_str().map(str::to_owned)).collect()
        }
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_told_with_its_line() {
        for (text, line, part) in [
            ("size = 64\nnetwrok = \"minivgg\"", 2, "did you mean \"network\""),
            ("\n\nsize = \"64\"", 3, "size is a whole number, such as 224"),
            ("size = 0", 1, "from 1 to"),
            ("size = -3", 1, "from 1 to"),
            ("steps = 99999999999", 1, "from 1 to"),
            ("threads = 2000", 1, "from 1 to 1024"),
            ("network = 3", 1, "text in quotes, such as \"vgg16-trunk\""),
            ("network = \"vgg61\"", 1, "vgg61"),
            ("recipe = \"lucis\"", 1, "did you mean lucid"),
            ("backend = \"gpu\"", 1, "there is no backend \"gpu\""),
            ("device = \"gpu\"", 1, "device is cpu, cuda"),
            ("runs = \"here\"", 1, "from the root or from ~/ on"),
            ("image-protocol = \"png\"", 1, "one of auto, kitty"),
            ("mouse = \"false\"", 1, "mouse is true or false, without quotes"),
            ("size = 64\nsize = 65", 2, "duplicate key"),
            ("size = ", 1, ""),
            ("keys = 3", 1, "keys is a table"),
            ("[keys]\nqueue = 3", 2, "the keys of queue are a text"),
            ("[keys]\n\nqueue = [\"a\", 3]", 3, "the keys of queue are a text"),
            ("[other]\nx = 1", 1, "there is no field \"other\""),
        ] {
            let (at, reason) = read(text).unwrap_err();
            assert!(at == line && reason.contains(part), "{text:?}: line {at}: {reason}");
        }
    }

    #[test]
    fn values_and_keys_have_their_lines() {
        let text = "# mine\nsize = 96\nruns = \"/data/runs\"\n\n[keys]\nqueue = \"Q\"\nstart = [\"enter\", \"ctrl-s\"]\nundo = []\n";
        let (values, keys) = read(text).unwrap();
        assert_eq!(values[&ConfigField::Size], Located { text: "96".into(), line: 2 });
        assert_eq!(values[&ConfigField::Runs].line, 3);
        let line =
            |index: usize| (keys[index].command.as_str(), keys[index].keys.join(" "), keys[index].line);
        assert_eq!(line(0), ("queue", "Q".into(), 6));
        assert_eq!(line(1), ("start", "enter ctrl-s".into(), 7));
        assert_eq!(line(2), ("undo", String::new(), 8));
    }
}
