//! candle passes the whole suite, alone and with every core.

use trepang_api::{conformance, find_device};
use trepang_candle::CandleBackend;

#[test]
fn candle_is_conformant() {
    for threads in [1, 2, 3] {
        let backend = CandleBackend::new(threads).unwrap();
        let cpu = find_device(&backend, "cpu").unwrap();
        assert_eq!(conformance::failures(&backend, &cpu), Vec::<String>::new(), "{threads} threads");
    }
}
