//! Hands the commit to the program, for `--version`, where it is built from a git checkout. Only files are read, so that it
//! runs without git, and nothing is said where there is no checkout, as in a crate from a registry.

use std::fs;
use std::path::{Path, PathBuf};

/// The digits of the commit that are shown.
const DIGITS: usize = 12;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    if let Some(commit) = git_folder(&root.join(".git")).and_then(|git| commit(&git)) {
        println!("cargo:rustc-env=TREPANG_COMMIT={}", &commit[..DIGITS]);
    }
}

/// The folder of a checkout's own state. Of a worktree, `.git` is a file that names it.
fn git_folder(git: &Path) -> Option<PathBuf> {
    if git.is_dir() {
        return Some(git.into());
    }
    let text = read(git)?;
    Some(git.parent()?.join(text.strip_prefix("gitdir:")?.trim()))
}

/// The commit that is checked out.
fn commit(git: &Path) -> Option<String> {
    let head = read(&git.join("HEAD"))?;
    let commit = match head.strip_prefix("ref:") {
        None => head,
        Some(name) => {
            // Branches are shared by all worktrees.
            let shared = read(&git.join("commondir")).map_or(git.to_owned(), |folder| git.join(folder));
            branch(&shared, name.trim())?
        }
    };
    (commit.len() >= DIGITS && commit.bytes().all(|b| b.is_ascii_hexdigit())).then_some(commit)
}

/// The commit of a branch: in a file of its own, or packed with others.
fn branch(git: &Path, name: &str) -> Option<String> {
    let own = git.join(name);
    if let Some(commit) = read(&own) {
        return Some(commit);
    }
    // The next commit makes the file.
    watch(own.parent()?);
    let packed = read(&git.join("packed-refs"))?;
    packed.lines().find_map(|line| Some(line.strip_suffix(name)?.strip_suffix(' ')?.to_owned()))
}

/// The text of a file, and a build whenever that changes. A file that is not there would have this run every time.
fn read(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    watch(path);
    Some(text.trim().to_owned())
}

fn watch(path: &Path) {
    if path.exists() {
        println!("cargo:rerun-if-changed={}", path.display());
    }
}
