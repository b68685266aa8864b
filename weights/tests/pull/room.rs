//! Tests of targets that cannot be written.

use std::fs;
use std::path::Path;

use trepang_weights::pull::NoProgress;

use crate::harness::{Bench, bytes, remote, unknown};
use crate::server::Server;

/// Environment variables that pass the folder and the address to the process with a file size limit.
const FOLDER: &str = "TREPANG_TEST_FOLDER";
const URL: &str = "TREPANG_TEST_URL";

/// Runs this test again in a process whose files are limited to 64 KiB (or 32 KiB, depending on the shell's unit), and pulls
/// 100 KB there: a write fails in the middle, as on a full disk.
#[cfg(unix)]
#[test]
fn on_a_full_disk_the_received_bytes_are_kept() {
    use std::process::Command;
    let file = bytes(100_000);
    if let (Ok(folder), Ok(url)) = (std::env::var(FOLDER), std::env::var(URL)) {
        let target = Path::new(&folder).join("vgg.h5");
        let options = Bench::new().options;
        let result = trepang_weights::pull::fetch(&remote(url, &file), &target, &options, &mut NoProgress);
        let error = result.unwrap_err().to_string();
        assert!(error.starts_with("there is no room to write"), "{error}");
        assert!(error.contains("make room and run the same command again"), "{error}");
        return;
    }
    let server = Server::of(file.clone());
    let mut bench = Bench::with_old();
    // An ignored SIGXFSZ is inherited, and the write fails instead of killing.
    let script =
        "trap '' XFSZ; ulimit -f 64; exec \"$0\" --exact room::on_a_full_disk_the_received_bytes_are_kept";
    let here = std::env::current_exe().unwrap();
    let limited = Command::new("sh")
        .args(["-c", script])
        .arg(here)
        .env(FOLDER, bench.folder.path())
        .env(URL, server.url())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&limited.stdout).into_owned();
    assert!(limited.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(fs::read(bench.target()).unwrap(), b"old");
    let left = fs::metadata(bench.part()).unwrap().len();
    assert!(left == 32 << 10 || left == 64 << 10, "{left}");
    let fetched = bench.fetch(&remote(server.url(), &file)).unwrap();
    assert_eq!((fetched.resumed, server.starts()[1]), (left, Some(left as usize)));
    bench.has_only(&file);
}

#[test]
fn a_folder_is_not_a_target() {
    let server = Server::of(bytes(10));
    let mut bench = Bench::new();
    fs::create_dir(bench.target()).unwrap();
    bench.fails(&unknown(server.url()), "vgg.h5: it exists and is not a regular file");
    assert!(server.asked().is_empty());
    assert_eq!(bench.names(), ["vgg.h5"]);
}

#[test]
fn a_file_in_place_of_the_folder_is_an_error() {
    let mut bench = Bench::with_old();
    let file = bytes(10);
    let server = Server::of(file.clone());
    let below = bench.target().join("below/vgg.h5");
    let error =
        trepang_weights::pull::fetch(&remote(server.url(), &file), &below, &bench.options, &mut bench.events);
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with("cannot make the folder "), "{error}");
    bench.has_only(b"old");
}
