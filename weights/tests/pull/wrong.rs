//! Tests of servers that send other bytes than the catalog or their headers say.

use trepang_weights::pull::{Digest, Remote};

use crate::harness::{Bench, bytes, remote, sha256, unknown};
use crate::server::{Reply, Request, Server};

/// Pulls a file of 10,000 bytes from a server that sends `reply`. Checks that the pull fails with `phrase` after `asked`
/// requests, that the old file stays, and that nothing is left beside it.
#[track_caller]
fn check(reply: impl Fn(&[u8]) -> Reply + Send + 'static, asked: usize, phrase: &str) {
    let file = bytes(10_000);
    let served = file.clone();
    let server = Server::new(move |_, _| Some(reply(&served)));
    let mut bench = Bench::with_old();
    bench.fails(&remote(server.url(), &file), phrase);
    assert_eq!(server.asked().len(), asked);
    bench.has_only(b"old");
}

#[test]
fn a_wrong_body_is_an_error_the_second_time() {
    let mut other = bytes(10_000);
    other[5000] ^= 1;
    let phrase = format!("is {} and {} was expected", sha256(&other), sha256(&bytes(10_000)));
    let reply = other.clone();
    check(move |_| Reply::new(200, &reply), 2, &phrase);
    check(move |_| Reply::new(200, &other).chunked(), 2, &phrase);
}

#[test]
fn a_wrong_body_is_retried_once() {
    let file = bytes(10_000);
    let served = file.clone();
    let server = Server::new(move |_, n| {
        let page = [b"<html>please log in".as_slice(), &served[19..]].concat();
        Some(Reply::new(200, if n == 0 { &page } else { &served }))
    });
    let mut bench = Bench::new();
    bench.fetch(&remote(server.url(), &file)).unwrap();
    assert_eq!(bench.events.count("Restarting"), 1);
    bench.has_only(&file);
}

#[test]
fn a_wrong_length_is_seen_before_a_byte_is_taken() {
    let longer = |file: &[u8]| Reply::new(200, file).header("Content-Length", 10_001);
    check(longer, 2, "is 10001 bytes long and 10000 were expected: it is another file");
    let shorter = |file: &[u8]| Reply::new(200, file).header("Content-Length", 9_999);
    check(shorter, 2, "is 9999 bytes long and 10000 were expected: it was cut short");
    check(|_| Reply::new(200, b"<html>please log in"), 2, "is 19 bytes long and 10000 were expected");
}

#[test]
fn a_body_that_is_too_long_is_abandoned() {
    check(
        |file| Reply::new(200, &file.repeat(100)).chunked().hang(),
        2,
        "10000 were expected: it is another",
    );
    check(|file| Reply::new(200, &file[..9000]).chunked(), 2, "is 9000 bytes long and 10000 were expected");
}

#[test]
fn a_wrong_content_length_is_detected() {
    let file = bytes(10_000);
    let served = file.clone();
    let server = Server::new(move |_, _| Some(Reply::new(200, &served).header("Content-Length", 10_001)));
    let mut bench = Bench::with_old();
    bench.fails(&unknown(server.url()), "the connection ended early, 6 times in a row; check the network");
    bench.has_only(b"old");

    let served = file.clone();
    let server = Server::new(move |_, _| Some(Reply::new(200, &served).header("Content-Length", 9_999)));
    let digest = Digest::Sha256Prefix(sha256(&file)[..8].into());
    bench.fails(
        &Remote { url: server.url(), size: None, most: u64::MAX, digest },
        "was expected: it is damaged",
    );
    bench.has_only(b"old");
}

#[test]
fn chunks_need_no_length() {
    let file = bytes(10_000);
    let served = file.clone();
    let server = Server::new(move |_, _| Some(Reply::new(200, &served).chunked()));
    for remote in [remote(server.url(), &file), unknown(server.url())] {
        let mut bench = Bench::with_old();
        bench.fetch(&remote).unwrap();
        bench.has_only(&file);
    }
}

#[test]
fn a_body_of_unknown_length_needs_a_known_size_or_hash() {
    let file = bytes(10_000);
    let (served, whole) = (file.clone(), file.len());
    let server = Server::new(move |_, n| {
        let reply = Reply::new(200, &served).header("Content-Length", "");
        Some(if n == 1 { reply.cut(whole / 2) } else { reply })
    });
    let mut bench = Bench::with_old();
    bench.fails(&unknown(server.url()), "cannot tell whether");
    bench.has_only(b"old");
    bench.fetch(&remote(server.url(), &file)).unwrap();
    assert_eq!(bench.events.count("Again"), 1);
    bench.has_only(&file);
}

#[test]
fn the_hubs_hash_is_checked_where_the_catalog_has_none() {
    let file = bytes(10_000);
    let hash = sha256(&file);
    let served = file.clone();
    let hub = |hash: String, served: Vec<u8>| {
        Server::new(move |request: &Request, _| {
            Some(match request.path.as_str() {
                "/models/vgg.h5" => Reply::new(302, b"")
                    .header("Location", "/cdn")
                    .header("x-linked-etag", format!("\"{hash}\""))
                    .header("x-linked-size", 10_000),
                _ => Reply::file(request, &served, "\"cdn\""),
            })
        })
    };
    let server = hub(hash.clone(), served.clone());
    let mut bench = Bench::with_old();
    bench.fetch(&unknown(server.url())).unwrap();
    bench.has_only(&file);
    let server = hub(hash.clone(), bytes(9_999));
    bench.fails(&unknown(server.url()), "is 9999 bytes long and 10000 were expected");
    let mut other = file.clone();
    other[0] ^= 1;
    let server = hub(hash.clone(), other);
    bench.fails(&unknown(server.url()), &format!("{hash} was expected"));
    bench.has_only(&file);
}

#[test]
fn a_body_without_end_is_taken_only_so_far() {
    let file = bytes(300_000);
    for framed in [true, false] {
        let served = file.clone();
        let server = Server::new(move |_, _| {
            let reply = Reply::new(200, &served);
            Some(if framed { reply } else { reply.chunked() })
        });
        let mut bench = Bench::with_old();
        bench.fails(&unknown(server.url()), "at most 100000 can be right: it is another file");
        assert_eq!(server.asked().len(), 1);
        bench.has_only(b"old");
    }
}
