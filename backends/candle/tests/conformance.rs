//! candle passes the whole suite, alone and with every core; and so do the operations that a GPU would run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use trepang_api::{Backend, conformance, find_device};
use trepang_candle::CandleBackend;

fn check(backend: &dyn Backend) {
    let cpu = find_device(backend, "cpu").unwrap();
    assert_eq!(conformance::failures(backend, &cpu), Vec::<String>::new(), "{} threads", backend.threads());
}

#[test]
fn candle_is_conformant() {
    for threads in [1, 2, 3] {
        check(&CandleBackend::new(threads).unwrap());
    }
}

#[test]
fn the_operations_of_gpus_are_conformant_on_the_cpu() {
    check(&CandleBackend::as_on_a_gpu(2).unwrap());
}
