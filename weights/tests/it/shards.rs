//! Tests of weights in several files, which an index names.

use std::fs;
use std::io::Write;
use std::path::Path;

use tempfile::TempDir;
use trepang_weights::FileFormat;

use crate::refusal;

/// A safetensors file with one tensor of two numbers.
fn shard(name: &str, first: f32) -> Vec<u8> {
    let header = format!("{{\"{name}\":{{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}}}");
    let numbers = [first, first + 0.5].map(f32::to_le_bytes).concat();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &numbers].concat()
}

const INDEX: &str = r#"{"metadata": {"total_size": 16}, "weight_map": {
    "z.weight": "net-00001-of-00002.safetensors", "a.weight": "net-00002-of-00002.safetensors"}}"#;

/// A folder with two shards and the index `text`.
fn folder(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("net-00001-of-00002.safetensors", &shard("z.weight", 1.0));
    write("net-00002-of-00002.safetensors", &shard("a.weight", 2.0));
    write("net.safetensors.index.json", text.as_bytes());
    folder
}

fn index(folder: &Path) -> std::path::PathBuf {
    folder.join("net.safetensors.index.json")
}

#[test]
fn an_index_opens_all_its_files_as_one() {
    let folder = folder(INDEX);
    let source = trepang_weights::open(&index(folder.path())).unwrap();
    assert_eq!(source.format(), FileFormat::Safetensors);
    assert_eq!(source.path(), index(folder.path()));
    let names: Vec<&str> = source.tensors().iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names, ["z.weight", "a.weight"]);
    assert_eq!(source.read(1).unwrap().data(), [2.0, 2.5]);
}

#[test]
fn a_missing_file_of_an_index_is_named() {
    let folder = folder(INDEX);
    fs::remove_file(folder.path().join("net-00002-of-00002.safetensors")).unwrap();
    let error = refusal(&index(folder.path()));
    assert!(error.contains("needs net-00002-of-00002.safetensors, which is not beside it"), "{error}");
}

#[test]
fn a_wrong_index_is_refused() {
    let check = |text: &str, phrase: &str| {
        let folder = folder(text);
        let error = refusal(&index(folder.path()));
        assert!(error.contains(phrase), "{error}");
    };
    check(
        &INDEX.replace("a.weight", "b.weight"),
        "net-00002-of-00002.safetensors lacks the tensor \"b.weight\"",
    );
    check(
        &INDEX.replace("net-00002", "../net-00002"),
        "names the file \"../net-00002-of-00002.safetensors\" elsewhere",
    );
    check(r#"{"weight_map": {"a": "net.safetensors.index.json"}}"#, "it begins with JSON");
    check(r#"{"weight_map": {}}"#, "it holds no tensor");
    check(r#"{"weights": 1}"#, "it begins with JSON");
}

#[test]
fn a_file_of_several_says_which_one_it_is() {
    let folder = folder(INDEX);
    let source = trepang_weights::open(&folder.path().join("net-00001-of-00002.safetensors")).unwrap();
    assert_eq!(source.metadata()["shard"], "1 of 2: open net.safetensors.index.json for all of them");
}

#[test]
fn the_hash_of_an_index_is_that_of_all_its_files() {
    let folder = folder(INDEX);
    let files =
        ["net.safetensors.index.json", "net-00001-of-00002.safetensors", "net-00002-of-00002.safetensors"];
    let all: Vec<u8> = files.iter().flat_map(|name| fs::read(folder.path().join(name)).unwrap()).collect();
    let (_, sha256) = trepang_weights::open_hashed(&index(folder.path())).unwrap();
    assert_eq!(sha256, trepang_weights::sha256(&all));
}

#[test]
fn files_rewritten_in_place_change_nothing_that_was_opened() {
    let folder = folder(INDEX);
    let path = folder.path().join("net-00002-of-00002.safetensors");
    let (one, sha256) = trepang_weights::open_hashed(&path).unwrap();
    let all = trepang_weights::open(&index(folder.path())).unwrap();
    let before = fs::read(&path).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    (&file).write_all(&shard("a.weight", 7.0)).unwrap();
    assert_eq!(one.read(0).unwrap().data(), [2.0, 2.5]);
    // A map of a file that was cut short ends the process.
    file.set_len(0).unwrap();
    assert_eq!(all.read(1).unwrap().data(), [2.0, 2.5]);
    assert_eq!(sha256, trepang_weights::sha256(&before));
}
