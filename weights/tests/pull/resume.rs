//! Tests of resuming a download, and of the cases in which it must start again.

use std::fs;

use trepang_weights::pull::Digest;

use crate::harness::{Bench, bytes, md5, remote, unknown};
use crate::server::{Reply, Request, Server};

/// The number of bytes that the first, interrupted download leaves.
const LEFT: usize = 30_000;

/// Leaves a part of the file, then pulls again from a server that answers with `second`. Returns the starts of all
/// ranges that were asked for.
#[track_caller]
fn check(
    first: impl Fn(&Request, &[u8]) -> Reply + Send + 'static,
    second: impl Fn(&Request, &[u8]) -> Reply + Send + 'static,
) -> (Vec<Option<usize>>, u64) {
    let file = bytes(100_000);
    let served = file.clone();
    let server = Server::new(move |request, n| {
        Some(if n == 0 { first(request, &served).cut(LEFT) } else { second(request, &served) })
    });
    let mut bench = Bench::with_old();
    bench.options.retries = 0;
    bench.fails(&remote(server.url(), &file), "the connection ended early");
    assert_eq!(fs::read(bench.target()).unwrap(), b"old");
    bench.options.retries = 5;
    let fetched = bench.fetch(&remote(server.url(), &file)).unwrap();
    bench.has_only(&file);
    assert_eq!(fetched.source, server.url());
    (server.starts(), fetched.resumed)
}

fn good(request: &Request, file: &[u8]) -> Reply {
    Reply::file(request, file, "\"v1\"")
}

fn dated(request: &Request, file: &[u8]) -> Reply {
    let date = "Tue, 01 Sep 2026 10:00:00 GMT";
    Reply::file(request, file, date).header("ETag", "").header("Last-Modified", date)
}

#[test]
fn a_download_goes_on_where_it_stopped() {
    for server in [good, dated] {
        assert_eq!(check(server, server), (vec![None, Some(LEFT)], LEFT as u64));
    }
}

#[test]
fn without_an_entity_tag_a_download_starts_again() {
    let anonymous = |request: &Request, file: &[u8]| good(request, file).header("ETag", "");
    assert_eq!(check(anonymous, good), (vec![None, None], 0));
    let weak = |request: &Request, file: &[u8]| Reply::file(request, file, "W/\"v1\"");
    assert_eq!(check(weak, good), (vec![None, None], 0));
}

#[test]
fn a_server_that_ignores_ranges_sends_the_whole_file() {
    let whole = |_: &Request, file: &[u8]| Reply::new(200, file).header("ETag", "\"v1\"");
    assert_eq!(check(good, whole), (vec![None, Some(LEFT)], 0));
}

#[test]
fn a_file_that_has_changed_is_fetched_anew() {
    let changed = |request: &Request, file: &[u8]| Reply::file(request, file, "\"v2\"");
    assert_eq!(check(good, changed), (vec![None, Some(LEFT)], 0));
    // The same if the server ignores `If-Range`.
    let careless = |request: &Request, file: &[u8]| {
        let tag = request.header("if-range").unwrap_or("\"v2\"").to_owned();
        Reply::file(request, file, &tag).header("ETag", "\"v2\"")
    };
    assert_eq!(check(good, careless), (vec![None, Some(LEFT), None], 0));
}

#[test]
fn a_range_that_was_not_asked_for_is_not_taken() {
    for wrong in ["bytes 29999-99999/100000", "bytes 30000-99999/100001", "bytes */*", "nonsense", ""] {
        let confused = move |request: &Request, file: &[u8]| match request.start() {
            Some(_) => good(request, file).header("Content-Range", wrong),
            None => good(request, file),
        };
        assert_eq!(check(good, confused), (vec![None, Some(LEFT), None], 0), "{wrong}");
    }
}

#[test]
fn a_server_may_give_less_than_the_rest_at_a_time() {
    let stingy = |request: &Request, file: &[u8]| {
        let start = request.start().unwrap();
        let end = (start + 20_000).min(file.len());
        let range = format!("bytes {start}-{}/{}", end - 1, file.len());
        Reply::new(206, &file[start..end]).header("Content-Range", range).header("ETag", "\"v1\"")
    };
    let starts = vec![None, Some(30_000), Some(50_000), Some(70_000), Some(90_000)];
    assert_eq!(check(good, stingy), (starts, LEFT as u64));
}

#[test]
fn a_range_past_the_end_means_a_whole_file_or_a_new_start() {
    let past = |request: &Request, file: &[u8]| match request.start() {
        Some(_) => Reply::new(416, b"").header("Content-Range", "bytes */20000"),
        None => good(request, file),
    };
    assert_eq!(check(good, past), (vec![None, Some(LEFT), None], 0));
    // The same if only the server knows the size of the file.
    let file = bytes(100_000);
    let served = file.clone();
    let server = Server::new(move |request, n| {
        Some(if n == 0 { good(request, &served).cut(LEFT) } else { past(request, &served) })
    });
    let mut bench = Bench::new();
    bench.fetch(&unknown(server.url())).unwrap();
    bench.has_only(&file);

    // The whole file was received, and the program was killed before it could rename the file.
    let file = bytes(1000);
    let server = Server::of(file.clone());
    let mut bench = Bench::new();
    fs::write(bench.part(), &file).unwrap();
    let info = format!("trepang part 1\naddress {}\nvalidator \"v1\"\ntotal 1000\nend\n", server.url());
    fs::write(bench.folder.path().join("vgg.h5.part.info"), info).unwrap();
    let fetched = bench.fetch(&remote(server.url(), &file)).unwrap();
    assert_eq!((server.starts(), fetched.resumed), (vec![Some(1000)], 1000));
    bench.has_only(&file);
}

#[test]
fn a_part_that_is_not_of_this_file_is_not_used() {
    let file = bytes(1000);
    let server = Server::of(file.clone());
    let url = server.url();
    let record = format!("trepang part 1\naddress {url}\nvalidator \"v1\"\ntotal 1000\nend\n");
    for record in [
        String::new(),
        record.replace("1000", "999"),
        record.replace("vgg.h5", "other.h5"),
        record.replace("part 1", "part 2"),
        record.replace("end\n", ""),
    ] {
        let mut bench = Bench::new();
        fs::write(bench.part(), &file[..500]).unwrap();
        fs::write(bench.folder.path().join("vgg.h5.part.info"), &record).unwrap();
        assert_eq!(bench.fetch(&remote(url.clone(), &file)).unwrap().resumed, 0, "{record}");
        bench.has_only(&file);
    }
    assert!(server.starts().iter().all(Option::is_none));
}

#[test]
fn a_damaged_part_is_downloaded_again() {
    let file = bytes(100_000);
    let served = file.clone();
    let server = Server::new(move |request, n| {
        Some(if n == 0 { good(request, &served).cut(LEFT) } else { good(request, &served) })
    });
    let mut bench = Bench::new();
    bench.options.retries = 0;
    bench.fails(&remote(server.url(), &file), "goes on from there");
    let mut part = fs::read(bench.part()).unwrap();
    part[100] ^= 1;
    fs::write(bench.part(), part).unwrap();
    bench.fetch(&remote(server.url(), &file)).unwrap();
    assert_eq!(server.starts(), [None, Some(LEFT), None]);
    assert_eq!(bench.events.count("Restarting"), 1);
    bench.has_only(&file);
}

#[test]
fn a_connection_that_drops_again_and_again_is_resumed() {
    let file = bytes(500_000);
    for seed in 0..6_u64 {
        let (served, mut state) = (file.clone(), seed);
        let server = Server::new(move |request, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let cut = (state >> 33) as usize % 60_000;
            // Some connections end before the server sends anything.
            (!cut.is_multiple_of(5)).then(|| good(request, &served).cut(cut))
        });
        let mut bench = Bench::with_old();
        let all = Digest::Md5(md5(&file));
        let mut remote = remote(server.url(), &file);
        remote.digest = all;
        let fetched = bench.fetch(&remote).unwrap();
        assert!(server.asked().len() > 5, "{seed}");
        assert_eq!(fetched.verified.md5, Some(md5(&file)));
        bench.has_only(&file);
    }
}

#[test]
fn without_a_known_hash_the_servers_length_is_checked() {
    let file = bytes(100_000);
    let served = file.clone();
    let server = Server::new(move |request, n| {
        let whole = Reply::file(request, &served, "\"v1\"");
        Some(if n == 0 { whole.cut(LEFT) } else { whole })
    });
    let mut bench = Bench::new();
    let fetched = bench.fetch(&unknown(server.url())).unwrap();
    assert_eq!((fetched.verified.size, server.starts()), (100_000, vec![None, Some(LEFT)]));
    bench.has_only(&file);
}
