//! candle's own tensor operations pass the whole suite on the CPU. A GPU runs the same operations: without one there is no
//! other proof of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use trepang_api::{conformance, find_device};
use trepang_candle::CandleBackend;

#[test]
fn candle_is_conformant_on_the_cpu() {
    for threads in [1, 2] {
        let backend = CandleBackend::new(threads).unwrap();
        let cpu = find_device(&backend, "cpu").unwrap();
        assert_eq!(conformance::failures(&backend, &cpu), Vec::<String>::new(), "{threads} threads");
        assert!(conformance::frontiers_give_equal_bits(&backend, &cpu).unwrap().passes());
    }
}
