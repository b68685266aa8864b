//! Writes the place of libtorch into the library (and into the tests), so that no variable has to be set to run it.

use std::{env, fs};

fn main() {
    let Ok(folder) = env::var("DEP_TCH_LIBTORCH_LIB") else { return };
    println!("cargo::rerun-if-changed={folder}");
    // libtorch finds its own libraries relative to where it is, not to a link to there.
    let folder = fs::canonicalize(&folder).map_or(folder, |real| real.display().to_string());
    println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        // CUDA's part of libtorch registers itself when it is loaded; no symbol of it is named here.
        println!("cargo::rustc-link-arg=-Wl,--no-as-needed");
        println!("cargo::rustc-link-arg=-ltorch");
    }
}
