//! Tests of obtaining a set, from the published file to Trepang's own folder. The file of the embedded network is the
//! published file.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use trepang_weights::cache::Environment;
use trepang_weights::pull::{Event, PullOptions, PullProgress};
use trepang_weights::{
    Architecture, Dialect, Error, FileFormat, PublishedAt, PullOutcome, PullRequest, Set, Store, Watcher,
    obtain, recognise,
};

use crate::harness::{Bench, at_once, sha256};
use crate::server::{Reply, Server};

const REQUEST: PullRequest = PullRequest { from: None, offline: false, verify: false };

/// Records the notes that a user would see.
#[derive(Debug, Default)]
struct NoteRecorder(Vec<String>);

impl PullProgress for NoteRecorder {
    fn event(&mut self, event: Event<'_>) {
        if let Event::Waiting { holder } = event {
            self.0.push(format!("waiting for {holder}"));
        }
    }
}

impl Watcher for NoteRecorder {
    fn note(&mut self, text: &str) {
        self.0.push(text.into());
    }

    fn converting(&mut self, _: usize, _: usize) {}
}

/// A folder with a store and the caches of other programs, and a set that a server publishes.
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
    // The text of a set is static, as in the catalog.
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let set = Set {
        name: "small",
        architecture: Architecture::Minivgg,
        dialect: Dialect::Trepang,
        classifier: true,
        place: PublishedAt::Web(leak(format!("{}/", server.origin))),
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

    fn obtain(&self, request: &PullRequest) -> (Result<PullOutcome, Error>, Vec<String>) {
        let mut notes = NoteRecorder::default();
        let options: &PullOptions = &self.bench.options;
        let outcome = obtain(&self.set, request, (&self.store(), &self.environment), options, &mut notes);
        (outcome, notes.0)
    }

    /// Writes a file into the cache of Keras.
    fn in_keras(&self, bytes: &[u8]) -> PathBuf {
        let path = self.bench.folder.path().join("home/.keras/models/small.safetensors");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

#[test]
fn a_downloaded_set_is_converted_and_kept() {
    let scene = scene();
    let (store, set) = (scene.store(), &scene.set);
    let (outcome, notes) = scene.obtain(&REQUEST);
    assert_eq!((outcome.unwrap(), notes.len()), (PullOutcome::Fetched, 0));
    let (source, fit) = store.open(set).unwrap();
    assert_eq!((source.format(), fit.architecture), (FileFormat::Safetensors, Architecture::Minivgg));
    assert_eq!(source.metadata()["source_sha256"], sha256(&scene.file));
    assert_eq!(source.metadata()["source"], format!("{}/small.safetensors", scene.server.origin));
    assert!(recognise(source.as_ref()).is_some());
    assert_eq!(
        fs::read_dir(store.folder().join("downloads")).unwrap().count(),
        0,
        "the download was deleted"
    );
    assert_eq!(scene.obtain(&REQUEST).0.unwrap(), PullOutcome::AlreadyHere);
    assert_eq!(scene.obtain(&PullRequest { verify: true, ..REQUEST }).0.unwrap(), PullOutcome::AlreadyHere);
}

#[test]
fn verify_pulls_a_damaged_set_again() {
    let scene = scene();
    scene.obtain(&REQUEST).0.unwrap();
    let path = scene.store().path(&scene.set);
    let mut damaged = fs::read(&path).unwrap();
    damaged[1_000_000] ^= 1;
    fs::write(&path, damaged).unwrap();
    let (outcome, notes) = scene.obtain(&PullRequest { verify: true, ..REQUEST });
    assert_eq!(outcome.unwrap(), PullOutcome::Fetched);
    assert!(notes[0].contains("is damaged (its bytes are not those that were written)"), "{notes:?}");
    scene.store().verify(&scene.set, &PullOptions::default(), &mut NoteRecorder::default()).unwrap();
}

#[test]
fn a_truncated_set_is_pulled_again() {
    let scene = scene();
    scene.obtain(&REQUEST).0.unwrap();
    let path = scene.store().path(&scene.set);
    fs::write(&path, &fs::read(&path).unwrap()[..5000]).unwrap();
    let error = scene.store().open(&scene.set).unwrap_err().to_string();
    assert!(error.contains("`trepang pull small` fetches it again"), "{error}");
    let (outcome, notes) = scene.obtain(&REQUEST);
    assert_eq!((outcome.unwrap(), notes.len()), (PullOutcome::Fetched, 1), "{notes:?}");
}

#[test]
fn a_stop_while_converting_keeps_the_download_and_no_draft() {
    let scene = scene();
    scene.bench.options.stop.store(2, std::sync::atomic::Ordering::Relaxed);
    let file = scene.in_keras(&scene.file);
    assert!(scene.obtain(&REQUEST).0.unwrap_err().to_string().contains("run the same command again"));
    assert!(!scene.store().has(&scene.set) && file.exists());
    scene.bench.options.stop.store(0, std::sync::atomic::Ordering::Relaxed);
    let downloads = scene.store().folder().join("downloads");
    fs::remove_file(file).unwrap();
    fs::create_dir_all(&downloads).unwrap();
    fs::write(downloads.join("small-small.safetensors"), &scene.file).unwrap();
    assert_eq!(scene.obtain(&REQUEST).0.unwrap(), PullOutcome::Fetched);
    assert_eq!(scene.server.asked().len(), 0, "what was there is not fetched again");
    let left: Vec<_> =
        fs::read_dir(scene.store().folder()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "the set, its checksum and the empty folder of downloads: {left:?}");
}

#[test]
fn a_file_in_another_programs_cache_is_imported() {
    let scene = scene();
    let path = scene.in_keras(&scene.file);
    assert_eq!(
        scene.obtain(&PullRequest { offline: true, ..REQUEST }).0.unwrap(),
        PullOutcome::FoundInCache(path.clone())
    );
    assert!(fs::read(&path).unwrap() == scene.file, "it is left as it was");
}

#[test]
fn a_broken_file_in_another_cache_is_reported_and_kept() {
    let scene = scene();
    let short = &scene.file[..1000];
    let path = scene.in_keras(short);
    let (outcome, notes) = scene.obtain(&REQUEST);
    assert_eq!(outcome.unwrap(), PullOutcome::Fetched);
    assert!(notes[0].contains("it was cut short"), "{notes:?}");
    let mut wrong = scene.file.clone();
    wrong[2_000_000] ^= 1;
    scene.in_keras(&wrong);
    fs::remove_file(scene.store().path(&scene.set)).unwrap();
    let (outcome, notes) = scene.obtain(&REQUEST);
    assert_eq!(outcome.unwrap(), PullOutcome::Fetched);
    assert!(notes[0].contains("was left alone"), "{notes:?}");
    assert!(fs::read(&path).unwrap() == wrong, "it is left as it was");
}

#[test]
fn only_the_published_file_is_imported() {
    let scene = scene();
    let path = scene.bench.folder.path().join("by-hand");
    let request = PullRequest { from: Some(&path), offline: true, verify: false };
    fs::write(&path, &scene.file[1..]).unwrap();
    let error = scene.obtain(&request).0.unwrap_err().to_string();
    assert!(error.contains("bytes long") && !scene.store().has(&scene.set), "{error}");
    assert!(error.contains("pass it with --weights"), "{error}");
    fs::write(&path, &scene.file).unwrap();
    assert_eq!(scene.obtain(&request).0.unwrap(), PullOutcome::Imported);
}

/// Gets the set in so many threads at once, and returns what each one told.
fn obtain_at_once(scene: &Scene, count: usize, request: &PullRequest) -> Vec<(PullOutcome, Vec<String>)> {
    let ends = at_once(count, || scene.obtain(request));
    ends.into_iter().map(|(outcome, notes)| (outcome.unwrap(), notes)).collect()
}

#[test]
fn of_several_pulls_at_once_one_downloads_and_the_others_wait() {
    let scene = scene();
    let ends = obtain_at_once(&scene, 5, &REQUEST);
    assert_eq!(ends.iter().filter(|(outcome, _)| *outcome == PullOutcome::Fetched).count(), 1, "{ends:?}");
    assert_eq!(
        ends.iter().filter(|(outcome, _)| *outcome == PullOutcome::AlreadyHere).count(),
        4,
        "{ends:?}"
    );
    assert_eq!(scene.server.asked().len(), 1);
    let waited = |notes: &[String]| notes.iter().any(|note| note.starts_with("waiting for "));
    assert!(ends.iter().any(|(_, notes)| waited(notes)), "{ends:?}");
    scene.store().verify(&scene.set, &PullOptions::default(), &mut NoteRecorder::default()).unwrap();
}

#[test]
fn several_imports_at_once_all_end_well() {
    let scene = scene();
    let path = scene.bench.folder.path().join("by-hand");
    fs::write(&path, &scene.file).unwrap();
    let request = PullRequest { from: Some(&path), offline: true, verify: false };
    let ends = obtain_at_once(&scene, 4, &request);
    assert!(ends.iter().any(|(outcome, _)| *outcome == PullOutcome::Imported), "{ends:?}");
    scene.store().verify(&scene.set, &PullOptions::default(), &mut NoteRecorder::default()).unwrap();
    assert_eq!(scene.obtain(&request).0.unwrap(), PullOutcome::Imported, "alone, it imports again");
}

#[test]
fn offline_an_absent_set_names_its_address() {
    let error = scene().obtain(&PullRequest { offline: true, ..REQUEST }).0.unwrap_err().to_string();
    assert!(
        error.contains("trepang pull small --from FILE") && error.contains("/small.safetensors"),
        "{error}"
    );
}
