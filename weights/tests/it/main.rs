//! The readers of weights files against files that were written by others. Fixtures and the scripts that wrote them
//! are in `tests/fixtures`; tests of one function are beside it in `src`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod damage;
mod fits;
mod formats;
mod refusals;

use std::path::{Path, PathBuf};

use trepang_weights::Source;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn open(name: &str) -> Box<dyn Source> {
    trepang_weights::open(&fixture(name)).unwrap()
}

/// What `open` says about a file that it does not open, without the folder.
fn refusal(path: &Path) -> String {
    let error = trepang_weights::open(path).unwrap_err().to_string();
    error.replace(&format!("{}/", path.parent().unwrap().display()), "")
}
