//! Where weights files lie on this machine: Trepang's own folder, and those of Keras, of PyTorch and of the hub.
//! Those of others are only looked into. Not for reading the files, nor for fetching them (`pull`).

mod elsewhere;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

pub use elsewhere::{Found, Owner, Verdict, Wanted, find_elsewhere};

/// The variables that say where things are.
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

/// The environment as a value: what the process was told of folders and of the hub.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<String, OsString>,
    temporary: PathBuf,
}

impl Environment {
    /// That of this process, now.
    pub fn of_process() -> Self {
        let variable = |name: &str| Some((name.to_owned(), std::env::var_os(name)?));
        Self {
            variables: VARIABLES.into_iter().filter_map(variable).collect(),
            temporary: std::env::temp_dir(),
        }
    }

    /// One of these variables only, with `temporary` for the system's temporary folder.
    pub fn new<'a>(
        variables: impl IntoIterator<Item = (&'a str, OsString)>,
        temporary: impl Into<PathBuf>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { variables, temporary: temporary.into() }
    }

    /// The folder of Trepang's own weights: `weights` in `$TREPANG_CACHE`, else in `trepang` in the user's folder for
    /// caches, else, without a home, in `trepang-cache` here. It need not exist.
    pub fn weights_folder(&self) -> PathBuf {
        let own = self.folder("TREPANG_CACHE");
        let caches = || self.folder("XDG_CACHE_HOME").or_else(|| self.system_caches());
        own.or_else(|| Some(caches()?.join("trepang")))
            .unwrap_or_else(|| PathBuf::from("trepang-cache"))
            .join("weights")
    }

    /// The address of the hub that the user prefers, `$HF_ENDPOINT`.
    pub fn hub_endpoint(&self) -> Option<&str> {
        self.variables.get("HF_ENDPOINT")?.to_str().filter(|endpoint| !endpoint.is_empty())
    }

    /// Has the user said that the hub's programs shall not use the network (`HF_HUB_OFFLINE`)?
    pub fn hub_offline(&self) -> bool {
        let value = self.variables.get("HF_HUB_OFFLINE").and_then(|value| value.to_str()).unwrap_or_default();
        ["1", "on", "yes", "true"].contains(&value.to_ascii_lowercase().as_str())
    }

    /// The user's own folder.
    fn home(&self) -> Option<PathBuf> {
        let home = |name| self.variables.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        home("HOME").or_else(|| home("USERPROFILE"))
    }

    /// Where this system has caches, without XDG's variable.
    fn system_caches(&self) -> Option<PathBuf> {
        if cfg!(target_os = "macos") {
            return Some(self.home()?.join("Library/Caches"));
        }
        let windows = if cfg!(windows) { self.folder("LOCALAPPDATA") } else { None };
        windows.or_else(|| self.xdg_caches())
    }

    /// Where Python's programs have caches, on every system.
    fn xdg_caches(&self) -> Option<PathBuf> {
        self.folder("XDG_CACHE_HOME").or_else(|| Some(self.home()?.join(".cache")))
    }

    /// The folder that a variable names, if it does; `~` is the home.
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
        assert_eq!(Environment::new(variables, "/tmp").weights_folder(), PathBuf::from(expected));
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
        check(&[], "trepang-cache/weights");
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
