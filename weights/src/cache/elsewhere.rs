//! Searches the caches of other programs for a file, by name and size. It never writes there. A file that is found must
//! still be verified by its hash.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::Environment;

/// Describes the file that is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheQuery<'a> {
    /// The names of the file in the caches of Keras and PyTorch.
    pub names: &'a [&'a str],
    /// The repository on the hub, `ORG/NAME`, and the file's path in it.
    pub hub: Option<(&'a str, &'a str)>,
    /// The size of the file in bytes, if it is known.
    pub size: Option<u64>,
}

/// The program that a cache belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Keras, below `$KERAS_HOME` or `~/.keras`.
    Keras,
    /// PyTorch, below `$TORCH_HOME` or the cache folder.
    Torch,
    /// The Hugging Face hub's own client, below `$HF_HUB_CACHE` or the cache folder.
    Hub,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keras => "Keras",
            Self::Torch => "PyTorch",
            Self::Hub => "the hub",
        })
    }
}

/// The result of comparing a file's size with the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeCheck {
    /// The size is right or unknown. The hash must still be compared.
    Candidate,
    /// The file is too short; the usual cause is an interrupted download.
    Short {
        /// The file's size in bytes.
        found: u64,
        /// The expected size in bytes.
        expected: u64,
    },
    /// The file is too long, so it is another file of the same name.
    Other {
        /// The file's size in bytes.
        found: u64,
        /// The expected size in bytes.
        expected: u64,
    },
}

/// A file with the wanted name in another program's cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedFile {
    /// The file's path.
    pub path: PathBuf,
    /// The program whose cache holds the file.
    pub owner: Owner,
    /// Whether the file's size is the expected one.
    pub size_check: SizeCheck,
}

impl fmt::Display for CachedFile {
    /// Writes a sentence for the user, who may have to delete another program's broken file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, owner) = (self.path.display(), self.owner);
        match self.size_check {
            SizeCheck::Candidate => write!(f, "{path} is in the cache of {owner}"),
            SizeCheck::Short { found, expected } => write!(
                f,
                "{path}, in the cache of {owner}, has {found} of {expected} bytes: it was cut short, and {owner} \
                 will fail on it too until it is deleted"
            ),
            SizeCheck::Other { found, expected } => write!(
                f,
                "{path}, in the cache of {owner}, has {found} bytes where {expected} were expected: it is another \
                 file of the same name, and was left alone"
            ),
        }
    }
}

/// Finds every file of the wanted name in the caches of Keras, PyTorch and the hub. Files of the right size come first.
pub fn find_cached_files(environment: &Environment, wanted: &CacheQuery<'_>) -> Vec<CachedFile> {
    let mut places = Vec::new();
    for name in wanted.names {
        places.extend(keras(environment).into_iter().map(|folder| (folder.join(name), Owner::Keras)));
        places.extend(torch(environment).into_iter().map(|folder| (folder.join(name), Owner::Torch)));
    }
    if let Some((repo, file)) = wanted.hub {
        let folders = hub(environment);
        let files = folders.iter().flat_map(|folder| snapshots(folder, repo)).map(|folder| folder.join(file));
        places.extend(files.map(|path| (path, Owner::Hub)));
    }
    let mut seen = BTreeSet::new();
    let mut found: Vec<_> = places
        .into_iter()
        .filter_map(|(path, owner)| look(path, owner, wanted.size))
        .filter(|found| seen.insert(fs::canonicalize(&found.path).unwrap_or_else(|_| found.path.clone())))
        .collect();
    found.sort_by_key(|found| found.size_check != SizeCheck::Candidate);
    found
}

fn look(path: PathBuf, owner: Owner, size: Option<u64>) -> Option<CachedFile> {
    let found = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?.len();
    let size_check = match size {
        Some(expected) if found < expected => SizeCheck::Short { found, expected },
        Some(expected) if found > expected => SizeCheck::Other { found, expected },
        _ => SizeCheck::Candidate,
    };
    Some(CachedFile { path, owner, size_check })
}

/// Keras's folders: `$KERAS_HOME` replaces `~/.keras`, and Keras falls back to the temporary folder where it cannot write
/// to the home folder.
fn keras(environment: &Environment) -> Vec<PathBuf> {
    let home = || Some(environment.home()?.join(".keras"));
    let main = environment.folder("KERAS_HOME").or_else(home);
    let folders = [main, Some(environment.temporary.join(".keras"))];
    folders.into_iter().flatten().map(|folder| folder.join("models")).collect()
}

/// The folders of `torch.hub` today, before PyTorch 1.6 and before PyTorch 1.0.
fn torch(environment: &Environment) -> Vec<PathBuf> {
    let cache = || Some(environment.xdg_caches()?.join("torch"));
    let home = environment.folder("TORCH_HOME").or_else(cache);
    let below = |path: &str| home.as_ref().map(|home| home.join(path));
    let before = || Some(environment.home()?.join(".torch/models"));
    let folders =
        [below("hub/checkpoints"), below("checkpoints"), environment.folder("TORCH_MODEL_ZOO"), before()];
    folders.into_iter().flatten().collect()
}

/// The hub's folder. The variables are tried in the order that the hub's own client uses.
fn hub(environment: &Environment) -> Vec<PathBuf> {
    let named =
        ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"].into_iter().find_map(|name| environment.folder(name));
    let below = || Some(environment.folder("HF_HOME")?.join("hub"));
    let usual = || Some(environment.xdg_caches()?.join("huggingface/hub"));
    named.or_else(below).or_else(usual).into_iter().collect()
}

/// The folders of a repository's revisions, in the order of their names.
fn snapshots(hub: &Path, repo: &str) -> Vec<PathBuf> {
    let folder = hub.join(format!("models--{}", repo.replace('/', "--"))).join("snapshots");
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut folders: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes files below a folder, then searches for `vgg.h5` and `ORG/vgg`'s `model.safetensors` of 5 bytes.
    #[track_caller]
    fn check(files: &[(&str, &str)], variables: &[(&str, &str)], expected: &[(&str, SizeCheck)]) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let variables = variables.iter().map(|(name, path)| (*name, root.path().join(path).into_os_string()));
        let environment = Environment::new(variables, root.path().join("tmp"));
        let wanted =
            CacheQuery { names: &["vgg.h5"], hub: Some(("ORG/vgg", "model.safetensors")), size: Some(5) };
        let found = find_cached_files(&environment, &wanted);
        let found: Vec<_> = found
            .iter()
            .map(|found| (found.path.strip_prefix(root.path()).unwrap().to_str().unwrap(), found.size_check))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_known_cache_folder_is_searched() {
        let home = [("HOME", "home")];
        for place in [
            "home/.keras/models/vgg.h5",
            "tmp/.keras/models/vgg.h5",
            "home/.cache/torch/hub/checkpoints/vgg.h5",
            "home/.cache/torch/checkpoints/vgg.h5",
            "home/.torch/models/vgg.h5",
            "home/.cache/huggingface/hub/models--ORG--vgg/snapshots/abc/model.safetensors",
        ] {
            check(&[(place, "whole")], &home, &[(place, SizeCheck::Candidate)]);
        }
    }

    #[test]
    fn environment_variables_move_the_cache_folders() {
        for (name, place) in [
            ("KERAS_HOME", "moved/models/vgg.h5"),
            ("TORCH_HOME", "moved/hub/checkpoints/vgg.h5"),
            ("TORCH_MODEL_ZOO", "moved/vgg.h5"),
            ("XDG_CACHE_HOME", "moved/torch/hub/checkpoints/vgg.h5"),
            ("XDG_CACHE_HOME", "moved/huggingface/hub/models--ORG--vgg/snapshots/abc/model.safetensors"),
            ("HF_HOME", "moved/hub/models--ORG--vgg/snapshots/abc/model.safetensors"),
            ("HF_HUB_CACHE", "moved/models--ORG--vgg/snapshots/abc/model.safetensors"),
        ] {
            check(
                &[(place, "whole")],
                &[("HOME", "home"), (name, "moved")],
                &[(place, SizeCheck::Candidate)],
            );
        }
        let old = "home/.keras/models/vgg.h5";
        check(&[(old, "whole")], &[("HOME", "home"), ("KERAS_HOME", "moved")], &[]);
    }

    #[test]
    fn files_of_a_wrong_size_come_after_the_candidates() {
        let (keras, torch) = ("home/.keras/models/vgg.h5", "home/.torch/models/vgg.h5");
        let (short, other) =
            (SizeCheck::Short { found: 3, expected: 5 }, SizeCheck::Other { found: 6, expected: 5 });
        check(
            &[(keras, "cut"), (torch, "whole")],
            &[("HOME", "home")],
            &[(torch, SizeCheck::Candidate), (keras, short)],
        );
        check(&[(keras, "longer")], &[("HOME", "home")], &[(keras, other)]);
        let note = CachedFile { path: keras.into(), owner: Owner::Keras, size_check: short }.to_string();
        assert!(note.contains("has 3 of 5 bytes: it was cut short"), "{note}");
    }

    #[test]
    fn without_a_home_only_the_temporary_folder_is_searched() {
        check(&[("home/.keras/models/vgg.h5", "whole")], &[], &[]);
    }

    #[cfg(unix)]
    #[test]
    fn a_blob_is_found_once_and_a_broken_link_is_skipped() {
        let root = tempfile::tempdir().unwrap();
        let repo = root.path().join("models--ORG--vgg");
        for revision in ["a", "b", "c"] {
            fs::create_dir_all(repo.join("snapshots").join(revision)).unwrap();
            let blob = if revision == "c" { "../../blobs/gone" } else { "../../blobs/one" };
            let link = repo.join("snapshots").join(revision).join("model.safetensors");
            std::os::unix::fs::symlink(blob, link).unwrap();
        }
        fs::create_dir_all(repo.join("blobs")).unwrap();
        fs::write(repo.join("blobs/one"), "whole").unwrap();
        let environment = Environment::new([("HF_HUB_CACHE", root.path().into())], "/nowhere");
        let wanted = CacheQuery { names: &[], hub: Some(("ORG/vgg", "model.safetensors")), size: None };
        let found = find_cached_files(&environment, &wanted);
        assert_eq!(found.len(), 1);
        assert!(found[0].path.ends_with("snapshots/a/model.safetensors"));
    }
}
