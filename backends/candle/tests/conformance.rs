//! candle passes the whole suite: alone and with every core, with every kind of vector that this machine has and every
//! way to compute a convolution; and so do the operations that a GPU would run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use trepang_api::{Backend, conformance, find_device};
use trepang_candle::{Algorithm, CandleBackend, Level, Options};

fn check(backend: &dyn Backend) {
    let cpu = find_device(backend, "cpu").unwrap();
    let failures = conformance::failures(backend, &cpu);
    assert_eq!(failures, Vec::<String>::new(), "{}, {}", cpu.description, backend.threads());
}

#[test]
fn candle_is_conformant() {
    for threads in [1, 2, 3] {
        check(&CandleBackend::new(threads).unwrap());
    }
}

#[test]
fn every_path_of_the_kernels_is_conformant() {
    for level in Level::available() {
        for algorithm in [Algorithm::Fastest, Algorithm::Winograd, Algorithm::Direct] {
            println!("{level}, {algorithm:?}");
            check(&CandleBackend::with_kernels(2, Options { level, algorithm }).unwrap());
        }
    }
}

#[test]
fn the_operations_of_gpus_are_conformant_on_the_cpu() {
    check(&CandleBackend::as_on_a_gpu(2).unwrap());
}
