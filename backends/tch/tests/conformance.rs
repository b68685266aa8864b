//! libtorch passes the whole suite, alone and with every core. This crate links it, so the tests need it.

use trepang_api::{Backend, conformance};
use trepang_tch::TchBackend;

#[test]
fn libtorch_is_conformant_on_every_device() {
    for threads in [1, 2, 3] {
        let backend = TchBackend::new(threads).unwrap();
        for device in backend.devices() {
            let failures = conformance::failures(&backend, &device);
            assert_eq!(failures, Vec::<String>::new(), "{device}, {threads} threads");
        }
    }
}
