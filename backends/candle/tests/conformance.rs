//! The backend passes the whole suite on the CPU, with operations of ours and with candle's own alone, as on a Metal GPU. On
//! CUDA the same operations run, with kernels that `own/kernel_tests.rs` compares: without a GPU there is no other proof of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use trepang_api::{conformance, find_device};
use trepang_candle::CandleBackend;

fn check(backend: &CandleBackend) {
    let cpu = find_device(backend, "cpu").unwrap();
    assert_eq!(conformance::failures(backend, &cpu), Vec::<String>::new(), "{backend:?}");
    assert!(conformance::frontiers_give_equal_bits(backend, &cpu).unwrap().passes());
}

#[test]
fn candle_is_conformant_on_the_cpu() {
    for threads in [1, 2] {
        check(&CandleBackend::new(threads).unwrap());
    }
}

#[test]
fn candle_s_own_operations_are_conformant() {
    check(&CandleBackend::new(2).unwrap().without_own_operations());
}
