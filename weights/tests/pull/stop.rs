//! Tests of stopping a pull, and of two pulls at the same time.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use trepang_weights::pull::{Event, NoProgress, PullProgress, fetch};

use crate::harness::{Bench, at_once, bytes, remote};
use crate::server::{Reply, Server};

/// Requests a stop when the first bytes have been received.
struct Hasty(Arc<AtomicUsize>);

impl PullProgress for Hasty {
    fn event(&mut self, event: Event<'_>) {
        if matches!(event, Event::Received { .. }) {
            self.0.store(2, Ordering::SeqCst);
        }
    }
}

#[test]
fn a_stop_keeps_the_received_bytes() {
    let file = bytes(3_000_000);
    let server = Server::of(file.clone());
    let mut bench = Bench::with_old();
    let remote = remote(server.url(), &file);
    let mut hasty = Hasty(Arc::clone(&bench.options.stop));
    let error = fetch(&remote, &bench.target(), &bench.options, &mut hasty).unwrap_err().to_string();
    let left = fs::metadata(bench.part()).unwrap().len();
    assert!(left > 0 && left < 3_000_000, "{left}");
    assert!(
        error.starts_with(&format!("stopped after {left} bytes of 3000000; they are kept in")),
        "{error}"
    );
    assert_eq!(fs::read(bench.target()).unwrap(), b"old");
    assert_eq!(bench.names(), ["vgg.h5", "vgg.h5.part", "vgg.h5.part.info"]);
    bench.options.stop.store(0, Ordering::SeqCst);
    assert_eq!(bench.fetch(&remote).unwrap().resumed, left);
    bench.has_only(&file);
}

#[test]
fn a_stop_is_seen_while_the_server_sends_nothing() {
    let file = bytes(100_000);
    let mut bench = Bench::new();
    let (served, stop) = (file.clone(), Arc::clone(&bench.options.stop));
    let server = Server::new(move |request, n| {
        stop.store(n, Ordering::SeqCst);
        Some(if n == 0 { Reply::file(request, &served, "\"v1\"").cut(50_000) } else { Reply::silent() })
    });
    let begun = Instant::now();
    bench.fails(&remote(server.url(), &file), "stopped after 50000 bytes of 100000; they are kept in");
    assert!(begun.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_stop_before_the_first_byte_leaves_nothing() {
    let server = Server::of(bytes(1000));
    let mut bench = Bench::with_old();
    bench.options.stop.store(15, Ordering::SeqCst);
    bench.fails(&remote(server.url(), &bytes(1000)), "stopped after 0 bytes of 1000");
    assert!(server.asked().is_empty());
    bench.has_only(b"old");
}

#[test]
fn a_second_pull_of_the_same_file_waits_for_the_first() {
    let file = bytes(1_000_000);
    let served = file.clone();
    let server = Server::new(move |request, _| {
        Some(Reply::file(request, &served, "\"v1\"").pause(Duration::from_millis(300)))
    });
    let bench = Bench::new();
    let (target, options, remote) = (bench.target(), bench.options.clone(), remote(server.url(), &file));
    for pull in at_once(2, || fetch(&remote, &target, &options, &mut NoProgress)) {
        pull.unwrap();
    }
    bench.has_only(&file);
}

#[test]
fn a_lock_file_of_a_killed_pull_is_taken_over() {
    let file = bytes(1000);
    let server = Server::of(file.clone());
    let mut bench = Bench::new();
    fs::write(bench.folder.path().join("vgg.h5.lock"), "").unwrap();
    bench.fetch(&remote(server.url(), &file)).unwrap();
    bench.has_only(&file);
}
