//! Tests of the readers with files that other programs wrote. The fixtures and the scripts that wrote them are in
//! `tests/fixtures`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod archives;
mod damage;
mod fits;
mod formats;
mod graph_def;
mod heads;
mod objects;
mod onnx;
mod positions;
mod refusals;
mod sets;
mod shards;

use std::path::{Path, PathBuf};

use trepang_weights::TensorSource;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn open(name: &str) -> Box<dyn TensorSource> {
    trepang_weights::open(&fixture(name)).unwrap()
}

/// The error of `open` for a file, without the folder.
fn refusal(path: &Path) -> String {
    let error = trepang_weights::open(path).unwrap_err().to_string();
    error.replace(&format!("{}/", path.parent().unwrap().display()), "")
}
