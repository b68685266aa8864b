//! Tests of servers that send an error or a redirect, respond late, or do not respond.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::harness::{Bench, bytes, remote, unknown};
use crate::server::{Reply, Server};

/// Pulls from a server that responds with each status of `first` and then with the file. Checks whether the pull succeeds,
/// and that an event or the error contains `phrase`.
#[track_caller]
fn check(first: &'static [u16], retried: bool, phrase: &str) {
    let file = bytes(10_000);
    let served = file.clone();
    let server = Server::new(move |request, n| {
        Some(match first.get(n) {
            Some(status) => Reply::new(*status, b"no"),
            None => Reply::file(request, &served, "\"v1\""),
        })
    });
    let mut bench = Bench::with_old();
    if retried {
        bench.fetch(&remote(server.url(), &file)).unwrap();
        assert_eq!(bench.events.count("Again"), first.len());
        assert!(bench.events.0.iter().any(|line| line.contains(phrase)), "{:?}", bench.events);
        bench.has_only(&file);
    } else {
        bench.fails(&remote(server.url(), &file), phrase);
        bench.has_only(b"old");
    }
}

#[test]
fn temporary_failures_are_retried() {
    check(&[500, 503, 502, 504, 408], true, "the server answers 503");
    check(&[429], true, "the server answers 429");
    check(&[500; 6], false, "the server answers 500, 6 times in a row; check the network");
}

#[test]
fn permanent_failures_are_not_retried() {
    check(
        &[404],
        false,
        "vgg.h5 is not there (the server answers 404); look for the file by hand and import",
    );
    check(&[410], false, "(the server answers 410)");
    check(&[403], false, "the server refuses to give http://127.0.0.1:");
    check(&[401], false, "(it answers 401); fetch the file by hand");
    check(&[418], false, "(it answers 418)");
    check(&[206], false, "(it answers 206)"); // a partial response to a request for the whole file
}

#[test]
fn a_server_may_say_how_long_to_wait_within_bounds() {
    for (asked, waited) in [("0", "0ns"), ("3600", "20ms"), ("tomorrow", "1ms")] {
        let file = bytes(1000);
        let served = file.clone();
        let server = Server::new(move |request, n| {
            Some(match n {
                0 => Reply::new(429, b"").header("Retry-After", asked),
                _ => Reply::file(request, &served, "\"v1\""),
            })
        });
        let mut bench = Bench::new();
        bench.fetch(&remote(server.url(), &file)).unwrap();
        let wanted = format!("wait: {waited}");
        assert!(bench.events.0.iter().any(|line| line.contains(&wanted)), "{:?}", bench.events);
    }
}

#[test]
fn redirects_are_followed_and_the_range_goes_with_them() {
    let file = bytes(10_000);
    let served = file.clone();
    let server = Server::new(move |request, n| {
        Some(match request.path.as_str() {
            "/models/vgg.h5" => Reply::new(307, b"over there").header("Location", "../models/b?c=d"),
            _ if n < 2 => Reply::file(request, &served, "\"v1\"").cut(4000),
            _ => Reply::file(request, &served, "\"v1\""),
        })
    });
    let mut bench = Bench::new();
    let fetched = bench.fetch(&remote(server.url(), &file)).unwrap();
    assert_eq!(server.starts(), [None, None, Some(4000), Some(4000)]);
    assert_eq!(server.asked()[1].path, "/models/../models/b?c=d");
    assert_eq!(fetched.source, server.url());
    bench.has_only(&file);
}

#[test]
fn redirects_in_a_loop_or_to_no_address_are_refused() {
    for (location, phrase) in [
        ("/models/vgg.h5", "leads to more than 10 other addresses"),
        ("ftp://host/file", "leads to ftp://host/file, which is no web address"),
        ("", "leads to nowhere"),
    ] {
        let server = Server::new(move |_, _| Some(Reply::new(302, b"").header("Location", location)));
        let mut bench = Bench::with_old();
        bench.fails(&unknown(server.url()), phrase);
        bench.has_only(b"old");
    }
}

#[test]
fn a_server_that_sends_nothing_is_abandoned() {
    let file = bytes(10_000);
    let served = file.clone();
    let server = Server::new(move |request, n| {
        let whole = Reply::file(request, &served, "\"v1\"");
        Some(match n {
            0 => Reply::silent(),
            1 => whole.cut(4000).hang(),
            _ => whole,
        })
    });
    let mut bench = Bench::new();
    bench.options.stall = Duration::from_millis(200);
    bench.fetch(&remote(server.url(), &file)).unwrap();
    assert_eq!(server.starts(), [None, None, Some(4000)]);
    let silence = "the server sent nothing for 0.2 s";
    assert_eq!(bench.events.0.iter().filter(|line| line.contains(silence)).count(), 2, "{:?}", bench.events);
    bench.has_only(&file);
}

#[test]
fn a_slow_server_is_waited_for() {
    let file = bytes(10_000);
    let served = file.clone();
    let server = Server::new(move |request, _| {
        Some(Reply::file(request, &served, "\"v1\"").pause(Duration::from_millis(350)))
    });
    let mut bench = Bench::new();
    bench.fetch(&remote(server.url(), &file)).unwrap();
    assert_eq!((server.asked().len(), bench.events.count("Again")), (1, 0));
}

#[test]
fn without_any_answer_few_retries_are_made() {
    let server = Server::new(|_, _| None);
    let mut bench = Bench::with_old();
    bench.fails(&unknown(server.url()), "3 times in a row; check the network");
    bench.has_only(b"old");

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let begun = Instant::now();
    bench.fails(&unknown(format!("http://{closed}/vgg.h5")), "cannot fetch http://127.0.0.1:");
    assert!(begun.elapsed() < Duration::from_secs(5));
    bench.has_only(b"old");
}

#[test]
fn invalid_addresses_are_refused() {
    for url in ["", "vgg.h5", "file:///etc/passwd", "http://", "http://a b/c"] {
        Bench::new().fails(&unknown(url.into()), "is no address to fetch from");
    }
}

#[test]
fn compression_is_not_requested() {
    let file = bytes(1000);
    let server = Server::of(file.clone());
    Bench::new().fetch(&remote(server.url(), &file)).unwrap();
    let asked = server.asked();
    assert_eq!(asked[0].header("accept-encoding"), Some("identity"));
    assert!(asked[0].header("user-agent").unwrap().starts_with("trepang/"));
}
