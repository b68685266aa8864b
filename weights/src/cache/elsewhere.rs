//! Looks for a file in the caches of other programs, by name and size. Never writes there, and never trusts a name:
//! what is found still has to be verified by its hash.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::Environment;

/// What to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The names the file has where Keras and PyTorch keep files.
    pub names: &'a [&'a str],
    /// The repository on the hub, `ORG/NAME`, and the file's path in it.
    pub hub: Option<(&'a str, &'a str)>,
    /// How many bytes it has, if that is known.
    pub size: Option<u64>,
}

/// Whose cache it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Keras.
    Keras,
    /// PyTorch.
    Torch,
    /// The Hugging Face hub.
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

/// What the size of a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may be the file; its hash will tell.
    Candidate,
    /// It is too short: most often a download that was cut off.
    Short {
        /// Bytes it has.
        found: u64,
        /// Bytes it should have.
        expected: u64,
    },
    /// It is another file of the same name.
    Other {
        /// Bytes it has.
        found: u64,
        /// Bytes it should have.
        expected: u64,
    },
}

/// A file of the wanted name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// In whose cache.
    pub owner: Owner,
    /// Whether it may be the one.
    pub verdict: Verdict,
}

impl fmt::Display for Found {
    /// A sentence for the user, who may have to do something about another program's broken file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, owner) = (self.path.display(), self.owner);
        match self.verdict {
            Verdict::Candidate => write!(f, "{path} is in the cache of {owner}"),
            Verdict::Short { found, expected } => write!(
                f,
                "{path}, in the cache of {owner}, has {found} of {expected} bytes: it was cut short, and {owner} \
                 will fail on it too until it is deleted"
            ),
            Verdict::Other { found, expected } => write!(
                f,
                "{path}, in the cache of {owner}, has {found} bytes where {expected} were expected: it is another \
                 file of the same name, and was left alone"
            ),
        }
    }
}

/// Every file of the wanted name in the caches of Keras, PyTorch and the hub, those of the right size first.
pub fn find_elsewhere(environment: &Environment, wanted: &Wanted<'_>) -> Vec<Found> {
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
    found.sort_by_key(|found| found.verdict != Verdict::Candidate);
    found
}

fn look(path: PathBuf, owner: Owner, size: Option<u64>) -> Option<Found> {
    let found = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?.len();
    let verdict = match size {
        Some(expected) if found < expected => Verdict::Short { found, expected },
        Some(expected) if found > expected => Verdict::Other { found, expected },
        _ => Verdict::Candidate,
    };
    Some(Found { path, owner, verdict })
}

/// `$KERAS_HOME` takes the place of `~/.keras`; without a home that can be written to, Keras uses the temporary folder.
fn keras(environment: &Environment) -> Vec<PathBuf> {
    let home = || Some(environment.home()?.join(".keras"));
    let main = environment.folder("KERAS_HOME").or_else(home);
    let folders = [main, Some(environment.temporary.join(".keras"))];
    folders.into_iter().flatten().map(|folder| folder.join("models")).collect()
}

/// The places of torch.hub now, and before 1.6 and 1.0.
fn torch(environment: &Environment) -> Vec<PathBuf> {
    let cache = || Some(environment.xdg_caches()?.join("torch"));
    let home = environment.folder("TORCH_HOME").or_else(cache);
    let below = |path: &str| home.as_ref().map(|home| home.join(path));
    let before = || Some(environment.home()?.join(".torch/models"));
    let folders =
        [below("hub/checkpoints"), below("checkpoints"), environment.folder("TORCH_MODEL_ZOO"), before()];
    folders.into_iter().flatten().collect()
}

/// The hub's folder, by its variables in their order.
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

    /// Writes files below a folder, then looks for `vgg.h5` and `ORG/vgg`'s `model.safetensors` of 5 bytes.
    #[track_caller]
    fn check(files: &[(&str, &str)], variables: &[(&str, &str)], expected: &[(&str, Verdict)]) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let variables = variables.iter().map(|(name, path)| (*name, root.path().join(path).into_os_string()));
        let environment = Environment::new(variables, root.path().join("tmp"));
        let wanted =
            Wanted { names: &["vgg.h5"], hub: Some(("ORG/vgg", "model.safetensors")), size: Some(5) };
        let found = find_elsewhere(&environment, &wanted);
        let found: Vec<_> = found
            .iter()
            .map(|found| (found.path.strip_prefix(root.path()).unwrap().to_str().unwrap(), found.verdict))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_known_place_is_looked_at() {
        let home = [("HOME", "home")];
        for place in [
            "home/.keras/models/vgg.h5",
            "tmp/.keras/models/vgg.h5",
            "home/.cache/torch/hub/checkpoints/vgg.h5",
            "home/.cache/torch/checkpoints/vgg.h5",
            "home/.torch/models/vgg.h5",
            "home/.cache/huggingface/hub/models--ORG--vgg/snapshots/abc/model.safetensors",
        ] {
            check(&[(place, "whole")], &home, &[(place, Verdict::Candidate)]);
        }
    }

    #[test]
    fn the_variables_move_the_places() {
        for (name, place) in [
            ("KERAS_HOME", "moved/models/vgg.h5"),
            ("TORCH_HOME", "moved/hub/checkpoints/vgg.h5"),
            ("TORCH_MODEL_ZOO", "moved/vgg.h5"),
            ("XDG_CACHE_HOME", "moved/torch/hub/checkpoints/vgg.h5"),
            ("XDG_CACHE_HOME", "moved/huggingface/hub/models--ORG--vgg/snapshots/abc/model.safetensors"),
            ("HF_HOME", "moved/hub/models--ORG--vgg/snapshots/abc/model.safetensors"),
            ("HF_HUB_CACHE", "moved/models--ORG--vgg/snapshots/abc/model.safetensors"),
        ] {
            check(&[(place, "whole")], &[("HOME", "home"), (name, "moved")], &[(place, Verdict::Candidate)]);
        }
        let old = "home/.keras/models/vgg.h5";
        check(&[(old, "whole")], &[("HOME", "home"), ("KERAS_HOME", "moved")], &[]);
    }

    #[test]
    fn a_wrong_size_is_a_note_behind_the_candidates() {
        let (keras, torch) = ("home/.keras/models/vgg.h5", "home/.torch/models/vgg.h5");
        let (short, other) =
            (Verdict::Short { found: 3, expected: 5 }, Verdict::Other { found: 6, expected: 5 });
        check(
            &[(keras, "cut"), (torch, "whole")],
            &[("HOME", "home")],
            &[(torch, Verdict::Candidate), (keras, short)],
        );
        check(&[(keras, "longer")], &[("HOME", "home")], &[(keras, other)]);
        let note = Found { path: keras.into(), owner: Owner::Keras, verdict: short }.to_string();
        assert!(note.contains("has 3 of 5 bytes: it was cut short"), "{note}");
    }

    #[test]
    fn without_a_home_there_is_only_the_temporary_folder() {
        check(&[("home/.keras/models/vgg.h5", "whole")], &[], &[]);
    }

    #[cfg(unix)]
    #[test]
    fn a_blob_is_found_once_and_a_broken_link_not_at_all() {
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
        let wanted = Wanted { names: &[], hub: Some(("ORG/vgg", "model.safetensors")), size: None };
        let found = find_elsewhere(&environment, &wanted);
        assert_eq!(found.len(), 1);
        assert!(found[0].path.ends_with("snapshots/a/model.safetensors"));
    }
}
