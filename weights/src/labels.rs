//! The class labels of networks: WordNet ids and names, by logit.

use crate::{Error, Result};

/// A class of a classifier: its WordNet id and its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The WordNet id, such as `n02321529`.
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_table_out_of_order_is_an_error() {
        assert!(Labels::parse("1\tn01\tgoldfish\n").is_err());
    }
}
