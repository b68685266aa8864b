//! The embedded network is the one of its model card, and a weights file that cannot be used says why.

use std::path::Path;

use trepang_api::Array;
use trepang_weights::{MINIVGG_CARD, Purpose, Result, Store, Trained, minivgg, sha256, trained};

use crate::library::{repository, with_tensor, write_weights};

#[test]
fn the_embedded_network_is_the_file_of_the_model_card() {
    let file = std::fs::read(repository("weights/minivgg/minivgg.safetensors")).unwrap();
    let hash = minivgg().unwrap().sha256();
    assert_eq!(sha256(&file), hash);
    assert!(MINIVGG_CARD.contains(&format!("`{hash}`")), "the card names another file than {hash}");
}

#[test]
fn every_logit_has_a_label() {
    let trained = minivgg().unwrap();
    let last = trained.network.layers().last().unwrap();
    assert_eq!(trained.network.shape(64, 64, last).unwrap().channels, trained.labels.len());
    let sea_cucumber = trained.labels.get(31).unwrap();
    assert_eq!(sea_cucumber.name.split(", ").next(), Some("sea cucumber"));
    assert_eq!(trained.labels.find("sea cucumber"), Some(31));
    assert_eq!(trained.labels.find(&sea_cucumber.wnid), Some(31));
}

/// The embedded network with the weights of a file.
fn with_file(path: &Path) -> Result<Trained> {
    trained("minivgg", Some(path), &Store::new("no-such-folder"), Purpose::Classes)
}

#[test]
fn a_file_with_the_same_numbers_in_f32_is_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.safetensors");
    let embedded = minivgg().unwrap();
    write_weights(&path, &embedded.weights);
    let read = with_file(&path).unwrap();
    assert!(read.weights.iter().eq(embedded.weights.iter()));
    assert_ne!(read.sha256(), embedded.sha256(), "the hash is the file's");
}

#[test]
fn a_file_that_cannot_be_used_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.safetensors");
    check(&path, "cannot read the weights file");
    std::fs::write(&path, "PK not safetensors at all").unwrap();
    check(&path, "is no weights file that can be read");
    let nan = with_tensor("block3_conv1.bias", |bias| bias.data_mut()[7] = f32::NAN);
    write_weights(&path, &nan.weights);
    check(&path, "tensor \"block3_conv1.bias\" holds NaN at position 7");
    let misshapen = with_tensor("predictions.bias", |bias| *bias = Array::zeros([65]));
    write_weights(&path, &misshapen.weights);
    check(&path, "tensor \"predictions.bias\" has shape [65] where [64] is needed");
    let mut missing = minivgg().unwrap().weights;
    missing.remove("block2_conv1.weight");
    write_weights(&path, &missing);
    check(&path, "tensor \"block2_conv1.weight\" is missing among the file's 17");
}

fn check(path: &Path, part: &str) {
    let error = with_file(path).unwrap_err().to_string();
    assert!(error.contains(part) && !error.contains('\n'), "{error}");
}
