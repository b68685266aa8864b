//! From a published file to a set in Trepang's own folder: the embedded network's file stands for a large one.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use trepang_weights::cache::Environment;
use trepang_weights::pull::{Event, Options, Progress};
use trepang_weights::{
    Architecture, Dialect, Error, Format, How, Place, Set, Store, Watcher, Wish, obtain, recognise,
};

use crate::harness::{Bench, sha256};
use crate::server::{Reply, Server};

const WISH: Wish = Wish { from: None, offline: false, verify: false };

/// What a user was told.
#[derive(Debug, Default)]
struct Told(Vec<String>);

impl Progress for Told {
    fn event(&mut self, _: Event<'_>) {}
}

impl Watcher for Told {
    fn note(&mut self, text: &str) {
        self.0.push(text.into());
    }

    fn converting(&mut self, _: usize, _: usize) {}
}

/// A folder with a store and the caches of others, and a set that a server has.
struct Scene {
    bench: Bench,
    set: Set,
    environment: Environment,
    file: Vec<u8>,
    server: Server,
}

fn scene() -> Scene {
    let file = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("minivgg/minivgg.safetensors")).unwrap();
    let bench = Bench::new();
    let served = file.clone();
    let server = Server::new(move |request, _| match request.path.as_str() {
        "/small.safetensors" => Some(Reply::file(request, &served, "\"1\"")),
        _ => Some(Reply::new(404, b"")),
    });
    // A set lives as long as the program, as those of the catalog do.
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let set = Set {
        name: "small",
        architecture: Architecture::Minivgg,
        dialect: Dialect::Trepang,
        classifier: true,
        place: Place::Web(leak(format!("{}/", server.origin))),
        file: "small.safetensors",
        size: Some(file.len() as u64),
        megabytes: 3,
        hash: leak(format!("sha256:{}", sha256(&file))),
        licence: "as the project",
    };
    let home: OsString = bench.folder.path().join("home").into();
    let environment = Environment::new([("HOME", home)], bench.folder.path().join("tmp"));
    Scene { bench, set, environment, file, server }
}

impl Scene {
    fn store(&self) -> Store {
        Store::new(self.bench.folder.path().join("own"))
    }

    fn obtain(&self, wish: &Wish) -> (Result<How, Error>, Vec<String>) {
        let mut told = Told::default();
        let options: &Options = &self.bench.options;
        let how = obtain(&self.set, wish, (&self.store(), &self.environment), options, &mut told);
        (how, told.0)
    }

    /// A file in the cache of Keras.
    fn in_keras(&self, bytes: &[u8]) -> PathBuf {
        let path = self.bench.folder.path().join("home/.keras/models/small.safetensors");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

#[test]
fn what_is_fetched_is_converted_kept_and_found_again() {
    let scene = scene();
    let (store, set) = (scene.store(), &scene.set);
    let (how, told) = scene.obtain(&WISH);
    assert_eq!((how.unwrap(), told.len()), (How::Fetched, 0));
    let (source, fit) = store.open(set).unwrap();
    assert_eq!((source.format(), fit.architecture), (Format::Safetensors, Architecture::Minivgg));
    assert_eq!(source.metadata()["source_sha256"], sha256(&scene.file));
    assert_eq!(source.metadata()["source"], format!("{}/small.safetensors", scene.server.origin));
    assert!(recognise(source.as_ref()).is_some());
    assert_eq!(fs::read_dir(store.folder().join("downloads")).unwrap().count(), 0, "the download has served");
    assert_eq!(scene.obtain(&WISH).0.unwrap(), How::AlreadyHere);
    assert_eq!(scene.obtain(&Wish { verify: true, ..WISH }).0.unwrap(), How::AlreadyHere);
}

#[test]
fn a_damaged_set_is_found_out_and_pulled_anew() {
    let scene = scene();
    scene.obtain(&WISH).0.unwrap();
    let path = scene.store().path(&scene.set);
    let mut damaged = fs::read(&path).unwrap();
    damaged[1_000_000] ^= 1;
    fs::write(&path, damaged).unwrap();
    let (how, told) = scene.obtain(&Wish { verify: true, ..WISH });
    assert_eq!(how.unwrap(), How::Fetched);
    assert!(told[0].contains("is damaged (its bytes are not those that were written)"), "{told:?}");
    scene.store().verify(&scene.set, &Options::default(), &mut Told::default()).unwrap();
}

#[test]
fn a_set_that_was_cut_short_is_not_taken_for_one_that_is_here() {
    let scene = scene();
    scene.obtain(&WISH).0.unwrap();
    let path = scene.store().path(&scene.set);
    fs::write(&path, &fs::read(&path).unwrap()[..5000]).unwrap();
    let error = scene.store().open(&scene.set).unwrap_err().to_string();
    assert!(error.contains("`trepang pull small` fetches it again"), "{error}");
    let (how, told) = scene.obtain(&WISH);
    assert_eq!((how.unwrap(), told.len()), (How::Fetched, 1), "{told:?}");
}

#[test]
fn a_stop_while_converting_keeps_what_was_fetched_and_leaves_no_draft() {
    let scene = scene();
    scene.bench.options.stop.store(2, std::sync::atomic::Ordering::Relaxed);
    let file = scene.in_keras(&scene.file);
    assert!(scene.obtain(&WISH).0.unwrap_err().to_string().contains("run the same command again"));
    assert!(!scene.store().has(&scene.set) && file.exists());
    scene.bench.options.stop.store(0, std::sync::atomic::Ordering::Relaxed);
    let downloads = scene.store().folder().join("downloads");
    fs::remove_file(file).unwrap();
    fs::create_dir_all(&downloads).unwrap();
    fs::write(downloads.join("small-small.safetensors"), &scene.file).unwrap();
    assert_eq!(scene.obtain(&WISH).0.unwrap(), How::Fetched);
    assert_eq!(scene.server.asked().len(), 0, "what was there is not fetched again");
    let left: Vec<_> =
        fs::read_dir(scene.store().folder()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "the set, its checksum and the empty folder of downloads: {left:?}");
}

#[test]
fn another_programs_file_is_taken_over_if_it_is_the_right_one() {
    let scene = scene();
    let path = scene.in_keras(&scene.file);
    assert_eq!(scene.obtain(&Wish { offline: true, ..WISH }).0.unwrap(), How::Found(path.clone()));
    assert!(fs::read(&path).unwrap() == scene.file, "it is left as it was");
}

#[test]
fn another_programs_broken_file_is_told_of_and_left_alone() {
    let scene = scene();
    let short = &scene.file[..1000];
    let path = scene.in_keras(short);
    let (how, told) = scene.obtain(&WISH);
    assert_eq!(how.unwrap(), How::Fetched);
    assert!(told[0].contains("it was cut short"), "{told:?}");
    let mut wrong = scene.file.clone();
    wrong[2_000_000] ^= 1;
    scene.in_keras(&wrong);
    fs::remove_file(scene.store().path(&scene.set)).unwrap();
    let (how, told) = scene.obtain(&WISH);
    assert_eq!(how.unwrap(), How::Fetched);
    assert!(told[0].contains("was left alone"), "{told:?}");
    assert!(fs::read(&path).unwrap() == wrong, "it is left as it was");
}

#[test]
fn a_file_that_was_fetched_by_hand_is_imported_if_it_is_the_published_one() {
    let scene = scene();
    let path = scene.bench.folder.path().join("by-hand");
    let wish = Wish { from: Some(&path), offline: true, verify: false };
    fs::write(&path, &scene.file[1..]).unwrap();
    let error = scene.obtain(&wish).0.unwrap_err().to_string();
    assert!(error.contains("bytes long") && !scene.store().has(&scene.set), "{error}");
    assert!(error.contains("pass it with --weights"), "{error}");
    fs::write(&path, &scene.file).unwrap();
    assert_eq!(scene.obtain(&wish).0.unwrap(), How::Imported);
}

#[test]
fn without_the_network_a_set_that_is_nowhere_says_where_it_is_published() {
    let error = scene().obtain(&Wish { offline: true, ..WISH }).0.unwrap_err().to_string();
    assert!(
        error.contains("trepang pull small --from FILE") && error.contains("/small.safetensors"),
        "{error}"
    );
}
