//! Stamps the crate with what decides the layout of everything that crosses the border between the program and a
//! plug-in: the compiler and its flags, and the sources of the crates that both are built from.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let mut hasher = DefaultHasher::new();
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Command::new(rustc).arg("-vV").output()?.stdout.hash(&mut hasher);
    for variable in ["TARGET", "CARGO_ENCODED_RUSTFLAGS", "CARGO_CFG_PANIC"] {
        env::var_os(variable).hash(&mut hasher);
    }
    let mut files = Vec::new();
    for folder in ["../api/src", "src"] {
        println!("cargo::rerun-if-changed={folder}");
        collect(Path::new(folder), &mut files)?;
    }
    files.sort();
    for file in files {
        fs::read(file)?.hash(&mut hasher);
    }
    println!("cargo::rustc-env=TREPANG_BUILD={:016x}", hasher.finish());
    Ok(())
}

fn collect(place: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !place.is_dir() {
        files.push(place.into());
        return Ok(());
    }
    fs::read_dir(place)?.try_for_each(|entry| collect(&entry?.path(), files))
}
