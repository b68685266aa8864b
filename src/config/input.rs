//! What a network was trained to see: the flag `--input`, and what is remembered of it for each weights file, by its hash.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Result;
use serde::Serialize;
use trepang_weights::cache::Environment;
use trepang_weights::{InputFormat, file_sha256};

use super::remark::remark;
use crate::runs::write_atomic;

/// The value of `--input`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum InputFlag {
    /// The preprocessing of the network.
    Set(InputFormat),
    /// The preprocessing that is remembered of the file is dropped.
    Forget,
}

impl FromStr for InputFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "forget" => Ok(Self::Forget),
            _ => text.parse().map(Self::Set),
        }
    }
}

/// The source of a preprocessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InputSource {
    /// The weights are published ones, or say themselves which training they are from.
    Published,
    /// The first layers of the file's model compute it.
    Layers,
    /// The names in the file are those of a training.
    Names,
    /// The flag says it.
    Given,
    /// An earlier command's flag said it of the same file.
    Remembered,
}

/// The preprocessing of a weights file that the flag gives or that is remembered of it; none if the names in the file
/// decide.
pub fn find_input(file: &Path, flag: Option<InputFlag>) -> Result<Option<(InputFormat, InputSource)>> {
    match flag {
        Some(InputFlag::Set(input)) => Ok(Some((input, InputSource::Given))),
        Some(InputFlag::Forget) => {
            forget(file)?;
            Ok(None)
        }
        None => Ok(recall(file).map(|input| (input, InputSource::Remembered))),
    }
}

/// Remembers the preprocessing of a weights file. A cache that cannot be written is a remark and no error.
pub fn remember(file: &Path, input: InputFormat) -> Result<()> {
    let Some(place) = place(&file_sha256(file)?) else {
        remark("--input is not remembered: there is no home folder to keep it in");
        return Ok(());
    };
    let folder = place.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder)
        .map_err(anyhow::Error::from)
        .and_then(|()| Ok(write_atomic(&place, format!("{input}\n").as_bytes())?));
    if let Err(error) = written {
        remark(format_args!("--input is not remembered: {error:#}"));
    }
    Ok(())
}

/// The preprocessing that is remembered of a weights file. The file is read only if anything is remembered at all.
fn recall(file: &Path) -> Option<InputFormat> {
    fs::read_dir(folder()?).ok()?.next()?.ok()?;
    fs::read_to_string(place(&file_sha256(file).ok()?)?).ok()?.trim().parse().ok()
}

fn forget(file: &Path) -> Result<()> {
    let Some(place) = place(&file_sha256(file)?) else { return Ok(()) };
    match fs::remove_file(place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// The folder with a text file for each weights file, beside the pulled weights; none without a home.
fn folder() -> Option<PathBuf> {
    Some(Environment::of_process().weights_folder()?.with_file_name("inputs"))
}

fn place(sha256: &str) -> Option<PathBuf> {
    Some(folder()?.join(format!("{sha256}.txt")))
}
