//! Finds a run that took the same steps before: by the name that its folder was given, and then by its manifest.

use std::fs;
use std::path::{Path, PathBuf};

use super::folder::{MANIFEST, MAX_MANIFEST_BYTES, is_run, slug};
use super::manifest::{Manifest, Origin};
use super::origin_text;
use super::regular::read_regular;

/// The finished runs in `parent` that `wanted` would make again to the bit, with their manifests, by name. A folder that was
/// given another name is not looked at, so that a start in a folder of thousands reads few files.
pub fn runs_made_before(parent: &Path, wanted: &Origin) -> Vec<(PathBuf, Manifest)> {
    let name = slug(wanted);
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_str().is_some_and(|of| is_numbered(of, &name)));
    let mut found: Vec<(PathBuf, Manifest)> = named
        .filter_map(|entry| {
            let path = entry.path();
            let bytes = read_regular(&path.join(MANIFEST), MAX_MANIFEST_BYTES).ok()?;
            let manifest: Manifest = origin_text::parse(&bytes).ok()?;
            let is_made = manifest.finished && manifest.origin.is_made_again_by(wanted) && is_run(&path);
            is_made.then_some((path, manifest))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Whether a folder has this name, or this name and a number.
fn is_numbered(folder: &str, name: &str) -> bool {
    let Some(rest) = folder.strip_prefix(name) else { return false };
    let number = rest.strip_prefix('-');
    rest.is_empty() || number.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folders_name_may_end_in_a_number() {
        for (folder, is_of_it) in
            [("a-seed1", true), ("a-seed1-2", true), ("a-seed12", false), ("a-seed1-b", false), ("b", false)]
        {
            assert_eq!(is_numbered(folder, "a-seed1"), is_of_it, "{folder}");
        }
    }
}
