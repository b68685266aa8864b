//! Files that say what pictures are: lines of a name and a label, in the forms that they come in.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::layout::{is_picture_name, is_wnid};
use super::{DataLabel, DataPicture};
use crate::lab::error::{Error, Result};

/// The longest file of labels that is read, in bytes: 1.3 million lines of ImageNet take 50 MB.
const MAX_BYTES: u64 = 256 << 20;

/// Labels by the name that stands beside them.
#[derive(Debug)]
pub(super) struct LabelTable(HashMap<String, DataLabel>);

impl LabelTable {
    /// Reads lines of a picture's name and its label, apart by commas, tabs or blanks; more columns are ignored, and so is
    /// a heading. Fails for a file of anything else, such as one with labels and no names.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let failed = |source| Error::ReadFile { path: path.into(), source };
        let mut text = String::new();
        File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text)).map_err(failed)?;
        Self::parse(text.trim_start_matches('\u{feff}'), path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self> {
        let mut labels = HashMap::new();
        let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty());
        for (index, line) in lines {
            let [name, label] = columns(line).ok_or_else(|| no_name(path, index + 1, line))?;
            if index == 0 && !is_picture_name(&name) && label_of(&label).is_heading() {
                continue;
            }
            labels.insert(name, label_of(&label));
        }
        if labels.is_empty() {
            return Err(Error::EmptyLabels { path: path.into() });
        }
        Ok(Self(labels))
    }

    /// Labels the pictures that the table names, by path, file name, or file name without its ending. Returns how many of
    /// the table's names are no picture's.
    pub(super) fn label(&self, pictures: &mut [DataPicture]) -> usize {
        let mut used = 0;
        for picture in pictures {
            let name = picture.file.rsplit('/').next().unwrap_or_default();
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            let label = [picture.file.as_str(), name, stem].iter().find_map(|name| self.0.get(*name));
            used += usize::from(label.is_some());
            picture.label = label.cloned();
        }
        self.0.len().saturating_sub(used)
    }
}

/// The first two columns of a line.
fn columns(line: &str) -> Option<[String; 2]> {
    let separator = [',', '\t'].into_iter().find(|separator| line.contains(*separator));
    let mut columns: Box<dyn Iterator<Item = &str>> = match separator {
        Some(separator) => Box::new(line.split(separator)),
        None => Box::new(line.split_whitespace()),
    };
    let mut next = || columns.next().map(|column| column.trim().trim_matches('"').to_owned());
    let (name, label) = (next()?, next()?);
    let name = name.strip_prefix("./").unwrap_or(&name).to_owned();
    (!name.is_empty() && !label.is_empty()).then_some([name, label])
}

/// The label that a column means. Kaggle's table has boxes behind the WordNet id.
fn label_of(text: &str) -> DataLabel {
    let first = text.split_whitespace().next().unwrap_or_default();
    match text.parse() {
        _ if is_wnid(first) => DataLabel::Wnid(first.into()),
        Ok(index) => DataLabel::Index(index),
        Err(_) => DataLabel::Name(text.into()),
    }
}

impl DataLabel {
    /// Whether a first line with this in the label's place may be a heading.
    fn is_heading(&self) -> bool {
        match self {
            Self::Name(_) => true,
            Self::Wnid(_) | Self::Index(_) => false,
        }
    }
}

/// The devkit of ImageNet has a file of numbers alone, which are not the index of any network.
fn no_name(path: &Path, line: usize, text: &str) -> Error {
    let path: PathBuf = path.into();
    if text.parse::<usize>().is_ok() {
        return Error::LabelsWithoutNames { path };
    }
    Error::LabelLine { path, line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<(String, DataLabel)>> {
        let table = LabelTable::parse(text, Path::new("labels.txt"))?;
        let mut labels: Vec<(String, DataLabel)> = table.0.into_iter().collect();
        labels.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(labels)
    }

    fn one(text: &str) -> (String, DataLabel) {
        let mut labels = parse(text).unwrap();
        assert_eq!(labels.len(), 1, "{labels:?}");
        labels.remove(0)
    }

    #[test]
    fn the_usual_tables_are_read() {
        let wnid = || DataLabel::Wnid("n03444034".into());
        assert_eq!(one("val_0.JPEG\tn03444034\t0\t32\t44\t62\n"), ("val_0.JPEG".into(), wnid()));
        assert_eq!(
            one("ILSVRC2012_val_00000001.JPEG 65\n"),
            ("ILSVRC2012_val_00000001.JPEG".into(), DataLabel::Index(65))
        );
        assert_eq!(one("ImageId,PredictionString\nval_7,n03444034 1 2 3 4 n1 2\n"), ("val_7".into(), wnid()));
        assert_eq!(
            one("./a/b.png,\"sea cucumber\"\r\n\n"),
            ("a/b.png".into(), DataLabel::Name("sea cucumber".into()))
        );
        assert_eq!(one("file,label\nx.png,cat\n"), ("x.png".into(), DataLabel::Name("cat".into())));
        assert_eq!(parse("a.png,cat\nb.png,dog\n").unwrap().len(), 2, "no heading");
    }

    #[test]
    fn what_is_no_table_is_told() {
        let told = |text: &str| parse(text).unwrap_err().to_string();
        assert!(told("490\n361\n").contains("without the pictures' names"), "{}", told("490\n361\n"));
        assert!(told("a.png cat\nb.png\n").contains("line 2"));
        assert!(told("").contains("no labels"));
    }
}
