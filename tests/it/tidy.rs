//! Rules of the repository that a reader of the sources could check by hand: who may know whom, and where
//! threads, files and chance come from. Comments may name anything.

mod arrows;
mod counts;

use std::fs;
use std::path::{Path, PathBuf};

use crate::library::repository;

/// Longest file, in lines, tests included.
const LONGEST: usize = 450;

/// A source file: its path in the repository, and its lines.
#[derive(Debug)]
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Its code without comments and without the unit tests at its end.
    fn code(&self) -> impl Iterator<Item = &str> {
        let before_tests = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        before_tests.lines().map(|line| line.split("//").next().unwrap_or_default())
    }

    /// Does its code hold `phrase`, not as a part of longer words?
    fn mentions(&self, phrase: &str) -> bool {
        let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let whole = |line: &str, at: usize| {
            let end = at + phrase.len();
            let runs_on = word(phrase.chars().next_back()) && word(line[end..].chars().next());
            !word(line[..at].chars().next_back()) && !runs_on
        };
        self.code().any(|line| line.match_indices(phrase).any(|(at, _)| whole(line, at)))
    }
}

/// Every Rust file under the folders, or the files themselves.
fn sources(places: &[&str]) -> Vec<Source> {
    let mut files = Vec::new();
    for place in places {
        collect(&repository(place), &mut files);
    }
    files.sort();
    let root = repository("");
    let source = |file: &PathBuf| Source {
        path: file.strip_prefix(&root).unwrap().display().to_string(),
        text: fs::read_to_string(file).unwrap(),
    };
    files.iter().map(source).collect()
}

fn collect(place: &Path, files: &mut Vec<PathBuf>) {
    if place.is_dir() {
        for entry in fs::read_dir(place).unwrap() {
            collect(&entry.unwrap().path(), files);
        }
    } else if place.extension().is_some_and(|extension| extension == "rs") {
        files.push(place.into());
    }
}

const EVERYTHING: [&str; 5] = ["src", "backends", "weights", "tests", "examples"];

/// None of `phrases` in the code of the files at `places`, but for the files in `except`.
fn check(places: &[&str], except: &[&str], phrases: &[&str]) {
    let found = sources(places);
    assert!(!found.is_empty(), "{places:?} hold no source");
    for source in found.iter().filter(|source| !except.contains(&source.path.as_str())) {
        for phrase in phrases {
            assert!(!source.mentions(phrase), "{} mentions {phrase}", source.path);
        }
    }
}

#[test]
fn engine_lab_and_dashboard_know_no_terminal_and_no_framework() {
    let places =
        ["src/engine.rs", "src/engine", "src/lab.rs", "src/lab", "src/dashboard.rs", "src/dashboard"];
    let terminal = ["ratatui", "crossterm", "viuer", "indicatif"];
    let frameworks = ["candle", "candle_core", "trepang_candle", "trepang_cpu", "tch", "trepang_tch"];
    check(&places, &[], &terminal);
    check(&places, &[], &frameworks);
}

#[test]
fn engine_and_lab_have_no_clock_no_file_and_no_thread() {
    let places = ["src/engine.rs", "src/engine", "src/lab.rs", "src/lab"];
    check(&places, &[], &["std::time", "std::thread", "std::env"]);
    let may = [
        // The lab reads data sets, and keeps what it found of them.
        "src/lab/dataset.rs",
        "src/lab/dataset/pictures_of.rs",
        "src/lab/dataset/table.rs",
        "src/lab/dataset/tar_file.rs",
        "src/lab/index/manifest.rs",
        "src/lab/index/shard.rs",
        "src/lab/index/skipped.rs",
        "src/lab/index/writer.rs",
        // The errors of those.
        "src/lab/error.rs",
    ];
    check(&places, &may, &["std::fs", "std::io"]);
}

#[test]
fn the_ui_never_touches_a_tensor() {
    check(
        &["src/ui.rs", "src/ui"],
        &[],
        &["Array", "Model", "pull_back", "trepang_candle", "trepang_cpu", "trepang_weights"],
    );
}

#[test]
fn runs_and_worker_have_typed_errors() {
    check(&["src/runs.rs", "src/runs", "src/worker.rs", "src/worker"], &[], &["anyhow"]);
}

#[test]
fn the_worker_knows_neither_the_dashboard_nor_the_command_line() {
    let above =
        ["crate::dashboard", "crate::cli", "crate::config", "crate::ui", "crate::parity", "crate::bench"];
    check(&["src/worker.rs", "src/worker"], &[], &above);
}

#[test]
fn the_dashboard_knows_the_worker_by_its_protocol_only() {
    for source in sources(&["src/dashboard.rs", "src/dashboard"]) {
        let mut lines = source.code().filter(|line| line.contains("crate::worker"));
        assert!(lines.all(|line| line.contains("crate::worker::protocol")), "{}", source.path);
    }
}

#[test]
fn only_one_file_names_concrete_backends() {
    check(
        &["src", "examples"],
        &["src/backends.rs"],
        &[
            "CandleBackend",
            "CpuBackend",
            "TchBackend",
            "trepang_candle",
            "trepang_cpu",
            "trepang_plugin",
            "trepang_tch",
        ],
    );
}

#[test]
fn backends_know_the_seam_and_not_the_application() {
    check(&["backends", "weights"], &[], &["trepang::", "extern crate trepang"]);
    for (folder, expected) in [
        ("backends/api", &[][..]),
        ("backends/candle", &["trepang-api"]),
        ("backends/cpu", &["trepang-api"]),
        ("backends/plugin", &["trepang-api"]),
        ("backends/tch", &["trepang-api", "trepang-plugin"]),
        ("weights", &["trepang-api"]),
    ] {
        let mut found =
            dependencies(&fs::read_to_string(repository(&format!("{folder}/Cargo.toml"))).unwrap());
        if folder == "backends/api" {
            // rayon only behind the feature of its name.
            assert_eq!(found, ["rayon", "thiserror"]);
        }
        found.retain(|name| name.starts_with("trepang"));
        assert_eq!(found, expected, "{folder}");
    }
}

#[test]
fn weights_are_read_by_the_rooms_that_the_architecture_names() {
    let rooms = ["cli", "config", "bench", "parity", "worker", "sweep"];
    let page = fs::read_to_string(repository("ARCHITECTURE.md")).unwrap();
    assert!(page.contains("`cli`, `config`, `bench`, `parity`, `worker` and `sweep` import `weights`"));
    for source in sources(&["src"]).iter().filter(|source| source.mentions("trepang_weights")) {
        let room = source.path.split(['/', '.']).nth(1).unwrap();
        assert!(rooms.contains(&room), "{} imports trepang_weights", source.path);
    }
}

/// Of all operations no network uses the softmax, so what names it is what handles every operation.
#[test]
fn the_guide_lists_every_file_that_a_new_operation_touches() {
    let guide = fs::read_to_string(repository("backends/api/GUIDE.md")).unwrap();
    let handles = |source: &Source| {
        ["Op", "Self", "StepKind"].iter().any(|path| source.mentions(&format!("{path}::Softmax")))
    };
    let found: Vec<Source> = sources(&["src", "backends", "weights"]).into_iter().filter(handles).collect();
    assert!(found.len() > 8, "{found:?}");
    for Source { path, .. } in found {
        assert!(guide.contains(&format!("`{path}`")), "GUIDE.md does not list {path}");
    }
}

/// tch's operations come in two forms, and those without `f_` panic.
#[test]
fn libtorch_is_called_in_its_fallible_form_only() {
    let panicking = [
        ".relu()",
        ".clamp(",
        ".matmul(",
        ".narrow(",
        ".reshape(",
        ".flatten(",
        ".softmax(",
        ".contiguous()",
        ".expand(",
        ".to(",
        ".pad(",
        ".copy_data(",
        "from_slice(",
        "Tensor::cat(",
        "Tensor::ones(",
        ".linear(",
        ".alias()",
        ".shallow_clone()",
    ];
    check(&["backends/tch/src"], &[], &panicking);
}

/// The names that a manifest depends on, on every platform and in its build script, but not for its tests.
fn dependencies(manifest: &str) -> Vec<String> {
    let (mut found, mut inside) = (Vec::new(), false);
    for line in manifest.lines() {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            let (_, section) = header.rsplit_once("'.").unwrap_or(("", header));
            let (section, name) = section.split_once('.').unwrap_or((section, ""));
            inside = section == "dependencies" || section == "build-dependencies";
            found.extend(Some(name).filter(|name| inside && !name.is_empty()).map(String::from));
            inside &= name.is_empty();
        } else if inside && line.starts_with(|c: char| c.is_alphanumeric()) {
            found.extend(line.split(['.', ' ', '=']).next().map(String::from));
        }
    }
    found
}

#[test]
fn dependencies_are_found_in_every_section_of_a_manifest() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\na = \"1\" # why\nb.workspace = true\n\n[dependencies.c]\n\
        version = \"1\"\n[dev-dependencies]\nd = \"1\"\n[target.'cfg(unix)'.dependencies]\ne = \"1\"\n\
        [target.'cfg(unix)'.dev-dependencies]\nf = \"1\"\n[build-dependencies]\ng = \"1\"\n";
    assert_eq!(dependencies(manifest), ["a", "b", "c", "e", "g"]);
}

#[test]
fn threads_are_started_in_few_files() {
    let spawning = ["thread::spawn", "thread::Builder", "thread::scope"];
    // The last are a server and several pulls in tests.
    let may = [
        "src/worker.rs",
        "src/cli/signals.rs",
        // A viewer of another process, on either side of its socket.
        "src/worker/remote/serve.rs",
        "src/worker/remote/connect.rs",
        "src/ui/encoder.rs",
        "src/cli/lab/decoding.rs",
        "weights/tests/pull/server.rs",
        "weights/tests/pull/harness.rs",
    ];
    check(&["src", "backends", "weights"], &may, &spawning);
}

#[test]
fn chance_comes_from_a_seed() {
    let unseeded =
        ["thread_rng", "from_os_rng", "from_entropy", "rand::rng", "OsRng", "getrandom", "RandomState"];
    check(&["src", "backends", "weights"], &[], &unseeded);
}

#[test]
fn a_file_is_written_whole() {
    let writing =
        ["File::create", "File::options", "fs::write", "OpenOptions", "fs::copy", "serialize_to_file"];
    let may = [
        "src/runs/atomic.rs",
        // The lock of a run, an empty file.
        "src/runs/lock.rs",
        // A draft and its checksum, put in their place when they are on the disk.
        "weights/src/store.rs",
        // What has come of a download, and the lock held against a second one.
        "weights/src/pull/part.rs",
        "weights/src/pull/lock.rs",
        // Its OpenOptions are the HDF5 reader's, and only read.
        "weights/src/readers/keras.rs",
        // The terminal's log of what native libraries print to stderr only grows.
        "src/ui/stderr_log.rs",
        "src/cli/dashboard/unseen.rs",
    ];
    check(&["src", "backends", "weights/src"], &may, &writing);
}

#[test]
fn only_pull_talks_to_the_network() {
    let network = ["std::net", "TcpStream", "ureq", "reqwest", "Command::new"];
    // `bench` starts this program itself, to measure each backend in a process of its own, and `cli` does, to go on without a
    // screen. `ui` asks tmux whether pictures get through. The last asks the compiler which one it is, in a build.
    let may = [
        "weights/src/pull/http.rs",
        "weights/src/pull/watch.rs",
        "weights/src/pull/wheel.rs",
        "src/bench/process.rs",
        "src/cli/dashboard/unseen.rs",
        "src/ui/surroundings.rs",
        "backends/plugin/build.rs",
        // It asks the C compiler for the kernels of a GPU, in a test.
        "backends/candle/src/own/kernel_tests.rs",
        // They name the direction in which a local socket is shut.
        "src/worker/remote/serve.rs",
        "src/worker/remote/connect.rs",
    ];
    check(&["src", "backends", "weights/src"], &may, &network);
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    for Source { path, text } in sources(&EVERYTHING) {
        assert!(text.starts_with("//! "), "{path} does not open with what it is for");
        let lines = text.lines().count();
        assert!(lines <= LONGEST, "{path} has {lines} lines");
    }
}

#[test]
fn the_rules_find_what_they_look_for() {
    let source = |text: &str| Source { path: "x.rs".into(), text: text.into() };
    assert!(source("use tch::Tensor;").mentions("tch"));
    assert!(source("use trepang::engine;").mentions("trepang::"));
    assert!(!source("match x {}\nlet tch_like = patch;\n// tch").mentions("tch"));
    assert!(!source("fn f() {}\n#[cfg(test)]\nmod tests {\nuse tch::Tensor; }").mentions("tch"));
}
