//! The reference backend passes its own suite: the oracle's derivatives are right, not only consistent.

use trepang_api::{Reference, conformance, find_device};

#[test]
fn the_reference_is_conformant() {
    let cpu = find_device(&Reference, "cpu").unwrap();
    assert_eq!(conformance::failures(&Reference, &cpu), Vec::<String>::new());
    assert!(conformance::frontiers_give_equal_bits(&Reference, &cpu).unwrap().passes());
}
