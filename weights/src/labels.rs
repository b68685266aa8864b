//! The class labels of networks: WordNet ids and names, by logit; for a head of the user's, names from a file or numbers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::file_bytes::FileBytes;
use crate::readers::printable;
use crate::{Error, Result};

/// The longest file of names that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// A class of a classifier: its WordNet id and its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The WordNet id, such as `n02321529`; empty if it is not known.
    pub wnid: String,
    /// The names of the class, separated by commas, such as `sea cucumber, holothurian`.
    pub name: String,
}

/// The table of the 1000 ImageNet classes. `imagenet/README.md` says where it comes from.
const IMAGENET: &str = include_str!("../imagenet/labels.tsv");

/// The classes of a network's logits, in their order.
#[derive(Debug, Clone, Default)]
pub struct Labels(Vec<Label>);

impl Labels {
    /// The 1000 classes of ImageNet, in the order of every network that was trained on them.
    pub fn imagenet() -> Result<Self> {
        Self::parse(IMAGENET)
    }

    /// Parses lines of index, WNID and name, separated by tabs. Fails for a line that is out of order or incomplete.
    pub fn parse(table: &str) -> Result<Self> {
        let parse = |(index, text): (usize, &str)| {
            let mut fields = text.splitn(3, '\t');
            match (fields.next().and_then(|f| f.parse::<usize>().ok()), fields.next(), fields.next()) {
                (Some(found), Some(wnid), Some(name)) if found == index => {
                    Ok(Label { wnid: wnid.into(), name: name.into() })
                }
                _ => Err(Error::Labels { line: index }),
            }
        };
        table.lines().enumerate().map(parse).collect::<Result<_>>().map(Self)
    }

    /// Classes that are known by their numbers only.
    pub fn numbers(count: usize) -> Self {
        Self((0..count).map(|class| Label { wnid: String::new(), name: class.to_string() }).collect())
    }

    /// So many classes, of which the first are named by the lines of a text, and the others by their numbers.
    pub(crate) fn beginning_with(names: &str, count: usize) -> Self {
        let mut labels = Self::numbers(count);
        for (label, name) in
            labels.0.iter_mut().zip(names.lines()).filter(|(_, name)| !name.trim().is_empty())
        {
            label.name = printable(name.trim());
        }
        labels
    }

    /// Reads names from a file: one a line, a JSON list of names, or a JSON dictionary between names and indices in either
    /// direction, such as Keras's. Fails for a file that is none of these.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |reason: String| Error::LabelsFile { path: path.into(), reason };
        let failed = |error: std::io::Error| wrong(format!("it cannot be read: {error}"));
        if fs::metadata(path).map_err(failed)?.len() > MAX_BYTES {
            return Err(wrong(format!("it is longer than {MAX_BYTES} bytes")));
        }
        let bytes = FileBytes::read(path).map_err(failed)?;
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| wrong("it is not UTF-8 text".into()))?;
        Self::from_text(text.trim_start_matches('\u{feff}')).map_err(wrong)
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let names: Vec<LabelText> = if text.trim_start().starts_with(['[', '{']) {
            let parsed: LabelsJson = serde_json::from_str(text)
                .map_err(|_| "its JSON is neither a list of names nor a dictionary of names and indices")?;
            parsed.in_order()?
        } else {
            text.trim_end().lines().map(|line| LabelText::Name(line.trim().into())).collect()
        };
        if let Some(empty) = names.iter().position(|label| label.name().is_empty()) {
            return Err(format!("the name of class {empty}, counted from 0, is empty"));
        }
        let label = |label: LabelText| Label { wnid: label.wnid(), name: printable(label.name()) };
        Ok(Self(names.into_iter().map(label).collect()))
    }

    /// The label of the logit at index `class`.
    pub fn get(&self, class: usize) -> Option<&Label> {
        self.0.get(class)
    }

    /// The number of classes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The names of all classes, in the order of the logits.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|label| label.name.clone()).collect()
    }

    /// True for a network without a classifier.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The index of the class that `text` names by index, WNID or one of its names. Case is ignored and `_` stands for a
    /// space.
    pub fn find(&self, text: &str) -> Option<usize> {
        if let Ok(index) = text.parse::<usize>() {
            return (index < self.0.len()).then_some(index);
        }
        let wanted = text.replace('_', " ").to_lowercase();
        self.0.iter().position(|label| {
            label.wnid == wanted || label.name.split(", ").any(|lemma| lemma.to_lowercase() == wanted)
        })
    }
}

/// A class in a file of labels: its name, or as Keras writes it, its WordNet id and its name.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum LabelText {
    Name(String),
    Pair([String; 2]),
}

impl LabelText {
    fn name(&self) -> &str {
        match self {
            Self::Name(name) | Self::Pair([_, name]) => name,
        }
    }

    fn wnid(&self) -> String {
        match self {
            Self::Name(_) => String::new(),
            Self::Pair([wnid, _]) => printable(wnid),
        }
    }
}

/// The forms that labels have in JSON.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum LabelsJson {
    List(Vec<LabelText>),
    /// Names by index, as Keras's `imagenet_class_index.json`.
    ByIndex(BTreeMap<String, LabelText>),
    /// Indices by name, as torchvision's `class_to_idx`.
    ByName(BTreeMap<String, usize>),
}

impl LabelsJson {
    /// The names in the order of their indices. Fails if an index is missing or stands twice.
    fn in_order(self) -> Result<Vec<LabelText>, String> {
        let mut pairs: Vec<(usize, LabelText)> = match self {
            Self::List(names) => return Ok(names),
            Self::ByIndex(names) => {
                let pair = |(index, name): (String, LabelText)| match index.parse() {
                    Ok(index) => Ok((index, name)),
                    Err(_) => Err(format!("{} is no index", printable(index))),
                };
                names.into_iter().map(pair).collect::<Result<_, String>>()?
            }
            Self::ByName(indices) => {
                indices.into_iter().map(|(name, index)| (index, LabelText::Name(name))).collect()
            }
        };
        pairs.sort_by_key(|(index, _)| *index);
        match pairs.iter().enumerate().find(|(at, (index, _))| at != index) {
            Some((at, _)) => Err(format!("its indices do not count from 0: {at} is missing or stands twice")),
            None => Ok(pairs.into_iter().map(|(_, name)| name).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(text: &str) -> Result<Vec<String>, String> {
        Labels::from_text(text).map(|labels| labels.names())
    }

    #[test]
    fn names_are_read_from_lines_and_from_json() {
        let expected = Ok(vec!["cat".to_owned(), "guide dog".to_owned()]);
        for text in [
            "cat\nguide dog\n",
            "cat\r\nguide dog\r\n\r\n",
            "[\"cat\", \"guide dog\"]",
            "{\"0\": [\"n02121808\", \"cat\"], \"1\": [\"n02109150\", \"guide dog\"]}",
            "{\"1\": \"guide dog\", \"0\": \"cat\"}",
            "{\"guide dog\": 1, \"cat\": 0}",
        ] {
            assert_eq!(names_in(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_names_says_why() {
        for (text, part) in [
            ("cat\n\ndog", "the name of class 1"),
            ("[1, 2]", "neither a list"),
            ("{\"cat\": 0, \"dog\": 2}", "1 is missing or stands twice"),
            ("[\"cat\"", "neither a list"),
        ] {
            assert!(names_in(text).unwrap_err().contains(part), "{text}");
        }
        assert_eq!(names_in("a\u{1b}[2Jb").unwrap(), ["a\\u{1b}[2Jb"], "a name cannot control the terminal");
    }

    #[test]
    fn classes_without_names_are_found_by_their_numbers() {
        let labels = Labels::numbers(3);
        assert_eq!((labels.names(), labels.find("2")), (vec!["0".into(), "1".into(), "2".into()], Some(2)));
    }

    #[test]
    fn classes_behind_the_named_ones_have_numbers() {
        let labels = Labels::beginning_with("dummy\nkit fox\r\n", 4);
        assert_eq!(labels.names(), ["dummy", "kit fox", "2", "3"]);
        assert_eq!((labels.find("kit fox"), Labels::beginning_with("a\nb", 1).len()), (Some(1), 1));
    }

    #[test]
    fn a_class_is_found_by_index_wnid_or_lemma() {
        let labels = Labels::parse("0\tn01\tgoldfish, Carassius auratus\n1\tn02\tsea cucumber\n").unwrap();
        for text in ["1", "n02", "sea_cucumber", "Sea Cucumber"] {
            assert_eq!(labels.find(text), Some(1), "{text}");
        }
        assert_eq!(labels.find("carassius auratus"), Some(0));
        assert_eq!(labels.find("2"), None);
    }

    #[test]
    fn imagenets_classes_are_where_every_framework_has_them() {
        let labels = Labels::imagenet().unwrap();
        let wnids: Vec<&str> =
            (0..labels.len()).map(|class| labels.get(class).unwrap().wnid.as_str()).collect();
        assert!(wnids.len() == 1000 && wnids.is_sorted());
        for (class, text) in [(0, "tench"), (110, "flatworm"), (329, "sea cucumber"), (999, "toilet tissue")]
        {
            assert_eq!(labels.find(text), Some(class), "{text}");
        }
    }

    #[test]
    fn names_are_read_from_regular_files_only() {
        let error = Labels::read(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(error.contains("regular file"), "{error}");
    }

    #[test]
    fn a_table_out_of_order_is_an_error() {
        assert!(Labels::parse("1\tn01\tgoldfish\n").is_err());
    }
}
