//! `skipped.csv`: the pictures that are in no shard, with the reason.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::lab::error::Result;
use crate::runs::write_atomic;

const NAME: &str = "skipped.csv";
const HEADING: &str = "picture,file,reason";

/// Pictures that were left out: their places in the data set, files and reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Skipped(Vec<(usize, String, String)>);

impl Skipped {
    /// Those before picture `end` that the file in `folder` tells of. One that cannot be understood is as good as none: the
    /// reasons are lost and no row is.
    pub(super) fn read(folder: &Path, end: usize) -> Self {
        let text = fs::read_to_string(folder.join(NAME)).unwrap_or_default();
        let records =
            records(&text).into_iter().skip(1).filter_map(|fields| match <[String; 3]>::try_from(fields) {
                Ok([picture, file, reason]) => Some((picture.parse().ok()?, file, reason)),
                Err(_) => None,
            });
        // A picture has one reason, also in a file that somebody has put together.
        let kept: HashMap<usize, (String, String)> = records
            .filter(|record| record.0 < end)
            .map(|(picture, file, reason)| (picture, (file, reason)))
            .collect();
        let mut kept: Vec<_> =
            kept.into_iter().map(|(picture, (file, reason))| (picture, file, reason)).collect();
        kept.sort();
        Self(kept)
    }

    pub(super) fn push(&mut self, picture: usize, file: &str, reason: &str) {
        self.0.push((picture, file.into(), reason.into()));
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The first reason, with its file.
    pub(super) fn first(&self) -> Option<(&str, &str)> {
        self.0.first().map(|(_, file, reason)| (file.as_str(), reason.as_str()))
    }

    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let line = |(picture, file, reason): &(usize, String, String)| {
            format!("{picture},{},{}\n", csv_field(file), csv_field(reason))
        };
        let lines: String = self.0.iter().map(line).collect();
        Ok(write_atomic(&folder.join(NAME), format!("{HEADING}\n{lines}").as_bytes())?)
    }
}

/// A field of a CSV file: in quotes where it has to be.
pub fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}

/// The fields of every record of a CSV file.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field, mut inside) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if inside && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' => inside = !inside,
            ',' if !inside => record.push(std::mem::take(&mut field)),
            '\n' if !inside => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            _ => field.push(c),
        }
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_reasons_come_back_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let mut skipped = Skipped::default();
        skipped.push(3, "a, \"b\"\nc.png", "it is no picture, or cut");
        skipped.push(7, "d.png", "too thin");
        skipped.write(folder.path()).unwrap();
        assert_eq!(Skipped::read(folder.path(), 8), skipped);
        assert_eq!(Skipped::read(folder.path(), 7).count(), 1);
        assert_eq!(Skipped::read(&folder.path().join("none"), 9).count(), 0);
    }
}
