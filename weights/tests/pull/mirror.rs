//! Tests of downloads from a mirror.

use std::fs;

use crate::harness::{Bench, bytes, remote};
use crate::server::{Reply, Server};

/// A server that has the file at `path` only.
fn only(path: &'static str, file: Vec<u8>) -> Server {
    Server::new(move |request, _| {
        if request.path == path {
            Some(Reply::file(request, &file, "\"v1\""))
        } else {
            Some(Reply::new(404, b""))
        }
    })
}

#[test]
fn a_mirror_has_the_whole_path_or_the_bare_name() {
    let file = bytes(1000);
    for (path, asked) in [("/ml/models/vgg.h5", 1), ("/ml/vgg.h5", 2)] {
        let server = only(path, file.clone());
        let mut bench = Bench::new();
        bench.options.mirror = Some(format!("{}/ml/", server.origin));
        let fetched = bench.fetch(&remote("https://host.invalid/models/vgg.h5".into(), &file)).unwrap();
        assert_eq!((server.asked().len(), fetched.source), (asked, format!("{}{path}", server.origin)));
        bench.has_only(&file);
    }
}

#[test]
fn a_mirror_without_the_file_is_an_error() {
    let server = only("/elsewhere", Vec::new());
    let mut bench = Bench::with_old();
    bench.options.mirror = Some(server.origin.clone());
    let remote = remote("https://host.invalid/models/vgg.h5".into(), &bytes(1000));
    bench.fails(&remote, &format!("{}/vgg.h5 is not there", server.origin));
    bench.has_only(b"old");
    bench.options.mirror = Some("mirror.invalid".into());
    bench.fails(&remote, "mirror.invalid is no address to fetch from");
}

#[test]
fn a_password_in_an_address_is_used_and_never_written_down() {
    let file = bytes(100_000);
    let served = file.clone();
    let server = Server::new(move |request, n| {
        let whole = Reply::file(request, &served, "\"v1\"");
        Some(if n == 0 { whole.cut(50_000) } else { whole })
    });
    let mut bench = Bench::new();
    bench.options.retries = 0;
    bench.options.mirror = Some(server.origin.replace("//", "//user:secret@"));
    let remote = remote("https://host.invalid/vgg.h5".into(), &file);
    bench.fails(&remote, "the 50000 bytes that have come are kept in");
    let mut seen = format!("{:?}", bench.events);
    for entry in fs::read_dir(bench.part().parent().unwrap()).unwrap() {
        seen.push_str(&String::from_utf8_lossy(&fs::read(entry.unwrap().path()).unwrap()));
    }
    let fetched = bench.fetch(&remote).unwrap();
    seen.push_str(&fetched.source);
    assert!(seen.contains("***@") && !seen.contains("secret"), "a password is in what is kept or shown");
}

#[test]
fn a_mirror_that_fails_does_not_delete_received_bytes() {
    let file = bytes(100_000);
    let served = file.clone();
    let server = Server::new(move |request, n| {
        let whole = Reply::file(request, &served, "\"v1\"");
        Some(if n == 0 { whole.cut(50_000) } else { whole })
    });
    let mut bench = Bench::new();
    bench.options.retries = 0;
    bench.fails(&remote(server.url(), &file), "the 50000 bytes that have come are kept in");
    let mirror = Server::new(|_, _| Some(Reply::new(403, b"")));
    bench.options.mirror = Some(mirror.origin.clone());
    bench.fails(&remote(server.url(), &file), "the server refuses");
    assert_eq!(fs::read(bench.part()).unwrap().len(), 50_000);
    bench.options.mirror = None;
    assert_eq!(bench.fetch(&remote(server.url(), &file)).unwrap().resumed, 50_000);
    bench.has_only(&file);
}
