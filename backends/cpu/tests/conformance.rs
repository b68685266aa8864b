//! The backend `cpu` passes the whole suite: alone and with every core, with every kind of vector that this machine has
//! and every way to compute a convolution.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use trepang_api::{conformance, find_device};
use trepang_cpu::{Algorithm, CpuBackend, CpuOptions, Level};

fn check(threads: usize, options: CpuOptions) {
    let backend = CpuBackend::new(threads, options).unwrap();
    let cpu = find_device(&backend, "cpu").unwrap();
    let failures = conformance::failures(&backend, &cpu);
    assert_eq!(failures, Vec::<String>::new(), "{threads} threads, {options:?}");
    assert!(conformance::frontiers_give_equal_bits(&backend, &cpu).unwrap().passes());
}

#[test]
fn cpu_is_conformant_with_any_number_of_threads() {
    for threads in [1, 2, 3] {
        check(threads, CpuOptions::default());
    }
}

#[test]
fn every_path_of_the_kernels_is_conformant() {
    for level in Level::available() {
        for algorithm in [Algorithm::Fastest, Algorithm::Winograd, Algorithm::Direct] {
            check(2, CpuOptions { level, algorithm });
        }
    }
}
