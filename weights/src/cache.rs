//! The folders of this machine that hold weights files: Trepang's own, and the caches of Keras, PyTorch and the Hugging
//! Face hub, which are only read. Downloading is in `pull`.

mod elsewhere;
mod exposed;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

pub use elsewhere::{CacheQuery, CachedFile, Owner, SizeCheck, find_cached_files};
pub(crate) use exposed::is_exposed;

/// The environment variables that name these folders or configure the hub.
const VARIABLES: [&str; 13] = [
    "HOME",
    "USERPROFILE",
    "LOCALAPPDATA",
    "XDG_CACHE_HOME",
    "TREPANG_CACHE",
    "KERAS_HOME",
    "TORCH_HOME",
    "TORCH_MODEL_ZOO",
    "HF_ENDPOINT",
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "HF_HOME",
    "HF_HUB_OFFLINE",
];

/// A copy of the environment variables that name folders or configure the hub, so that tests can pass their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, OsString>,
    temporary: PathBuf,
    /// The folder in which a relative `TREPANG_CACHE` lies.
    current: PathBuf,
}

impl Environment {
    /// Copies the variables of this process.
    pub fn of_process() -> Self {
        let variable = |name: &str| Some((name.to_owned(), std::env::var_os(name)?));
        Self {
            variables: VARIABLES.into_iter().filter_map(variable).collect(),
            temporary: std::env::temp_dir(),
            // Without it, a relative path stays relative, which is the same folder.
            current: std::env::current_dir().unwrap_or_default(),
        }
    }

    /// An environment that consists of `variables` only; `temporary` stands for the system's temporary folder, and the
    /// current folder is not known.
    pub fn new<'a>(
        variables: impl IntoIterator<Item = (&'a str, OsString)>,
        temporary: impl Into<PathBuf>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { variables, temporary: temporary.into(), current: PathBuf::new() }
    }

    /// The same environment in another current folder.
    #[must_use]
    pub fn in_folder(self, current: impl Into<PathBuf>) -> Self {
        Self { current: current.into(), ..self }
    }

    /// The folder of Trepang's own weights: `weights` in `$TREPANG_CACHE`, or else in `trepang` in the user's cache folder;
    /// none without a home folder. A relative `$TREPANG_CACHE` begins at the current folder. The folder need not exist.
    pub fn weights_folder(&self) -> Option<PathBuf> {
        Some(self.own_cache()?.join("weights"))
    }

    /// The folder of pictures that can be computed again, `pictures` beside the weights; none without a home folder.
    pub fn pictures_folder(&self) -> Option<PathBuf> {
        Some(self.own_cache()?.join("pictures"))
    }

    /// Trepang's own folder for what can be had again.
    fn own_cache(&self) -> Option<PathBuf> {
        let own = self.relative_cache().or_else(|| self.folder("TREPANG_CACHE"));
        let caches = || self.folder("XDG_CACHE_HOME").or_else(|| self.system_caches());
        own.or_else(|| Some(caches()?.join("trepang")))
    }

    /// A sentence about a `$TREPANG_CACHE` that is a relative path, which names another folder in each current folder.
    pub fn cache_remark(&self) -> Option<String> {
        let folder = self.relative_cache()?;
        Some(format!("TREPANG_CACHE is a relative path, which means {} here", folder.display()))
    }

    /// The absolute path of a `$TREPANG_CACHE` that is relative; a leading `~` means the home folder and is not relative.
    fn relative_cache(&self) -> Option<PathBuf> {
        let path = PathBuf::from(self.variables.get("TREPANG_CACHE")?);
        let relative = path.is_relative() && !path.starts_with("~") && !path.as_os_str().is_empty();
        // The dots of `./cache` and of `cache/.` are dropped.
        relative.then(|| self.current.join(&path).components().collect())
    }

    /// The address of the hub that the user prefers, `$HF_ENDPOINT`.
    pub fn hub_endpoint(&self) -> Option<&str> {
        self.variables.get("HF_ENDPOINT")?.to_str().filter(|endpoint| !endpoint.is_empty())
    }

    /// Whether `$HF_HUB_OFFLINE` forbids network access to the hub.
    pub fn hub_offline(&self) -> bool {
        let value = self.variables.get("HF_HUB_OFFLINE").and_then(|value| value.to_str()).unwrap_or_default();
        ["1", "on", "yes", "true"].contains(&value.to_ascii_lowercase().as_str())
    }

    /// The user's home folder, if a variable names an absolute path.
    fn home(&self) -> Option<PathBuf> {
        let home = |name| self.variables.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        home("HOME").or_else(|| home("USERPROFILE"))
    }

    /// The cache folder that is usual on this operating system; on macOS, `XDG_CACHE_HOME` is not used here.
    fn system_caches(&self) -> Option<PathBuf> {
        if cfg!(target_os = "macos") {
            return Some(self.home()?.join("Library/Caches"));
        }
        let windows = if cfg!(windows) { self.folder("LOCALAPPDATA") } else { None };
        windows.or_else(|| self.xdg_caches())
    }

    /// The cache folder that Python programs use on every operating system.
    fn xdg_caches(&self) -> Option<PathBuf> {
        self.folder("XDG_CACHE_HOME").or_else(|| Some(self.home()?.join(".cache")))
    }

    /// The folder that a variable names, if it is set to an absolute path; a leading `~` means the home folder.
    fn folder(&self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.variables.get(name)?);
        let path = match path.strip_prefix("~") {
            Ok(rest) => self.home()?.join(rest),
            Err(_) => path,
        };
        Some(path).filter(|path| path.is_absolute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: &str) {
        let variables = variables.iter().map(|(name, value)| (*name, OsString::from(value)));
        assert_eq!(Environment::new(variables, "/tmp").weights_folder(), Some(PathBuf::from(expected)));
    }

    #[cfg(unix)]
    #[test]
    fn trepangs_own_folder_is_where_the_user_says() {
        let caches = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
        check(&[("HOME", "/h")], &format!("/h/{caches}/trepang/weights"));
        check(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")], "/x/trepang/weights");
        check(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x"), ("TREPANG_CACHE", "/t")], "/t/weights");
        check(&[("HOME", "/h"), ("TREPANG_CACHE", "~/t")], "/h/t/weights");
        check(&[("HOME", "/h"), ("XDG_CACHE_HOME", "relative")], &format!("/h/{caches}/trepang/weights"));
        check(&[("HOME", "/h"), ("TREPANG_CACHE", "")], &format!("/h/{caches}/trepang/weights"));
        assert_eq!(Environment::new([], "/tmp").weights_folder(), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_relative_cache_begins_at_the_current_folder_and_is_said() {
        let of = |cache: &str| {
            let variables =
                [("HOME", "/h"), ("TREPANG_CACHE", cache)].map(|(name, value)| (name, value.into()));
            Environment::new(variables, "/tmp").in_folder("/models")
        };
        for (cache, folder) in [
            ("cache", "/models/cache"),
            ("./a/b/", "/models/a/b"),
            ("../c", "/models/../c"),
            (".", "/models"),
        ] {
            assert_eq!(of(cache).weights_folder(), Some(PathBuf::from(folder).join("weights")), "{cache}");
            let remark = of(cache).cache_remark().unwrap();
            assert!(remark.ends_with(&format!("which means {folder} here")), "{remark}");
        }
        for cache in ["/t", "~/t", ""] {
            assert_eq!(of(cache).cache_remark(), None, "{cache}");
        }
    }

    #[test]
    fn the_hubs_variables_are_read() {
        let of = |name, value: &str| Environment::new([(name, value.into())], "/tmp");
        assert_eq!(of("HF_ENDPOINT", "http://m").hub_endpoint(), Some("http://m"));
        assert_eq!(of("HF_ENDPOINT", "").hub_endpoint(), None);
        assert!(of("HF_HUB_OFFLINE", "True").hub_offline());
        assert!(!of("HF_HUB_OFFLINE", "0").hub_offline());
    }
}
