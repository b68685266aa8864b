//! Without a home folder: nothing is written into the working folder, and what needs a place says which.

use std::fs;

use crate::binary::{Home, Outcome};
use crate::library::{with_tensor, write_weights};

const LINE: &str = "render --layer block1_conv1 --channel 4 --size 32 --steps 2";

/// Runs it without a home, in the folder of `home`.
fn homeless(home: &Home, line: &str) -> Outcome {
    let mut command = home.command(line);
    command.env_remove("HOME").env_remove("XDG_DATA_HOME").output().expect("the binary was built").into()
}

fn names(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.path("")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn runs_have_no_place_without_a_home() {
    let home = Home::new();
    for line in [&format!("{LINE} -o a.png"), "runs", "--layer block1_conv1"] {
        let outcome = homeless(&home, line);
        let sentence = outcome.refusal(2);
        assert!(sentence.contains("XDG_DATA_HOME") && sentence.contains("--runs"), "{line}: {sentence}");
    }
    assert!(names(&home).is_empty(), "{:?}", names(&home));
    assert_eq!(homeless(&home, &format!("{LINE} -o a.png --runs mine")).code, Some(0));
    assert_eq!(names(&home), ["a.png", "mine"]);
}

#[test]
fn weights_have_no_place_without_a_home() {
    let home = Home::new();
    let outcome = homeless(&home, "pull vgg16 --offline");
    assert!(outcome.refusal(2).contains("TREPANG_CACHE"), "{outcome:?}");
    let absent = homeless(&home, "predict --network vgg16 a.png");
    assert!(absent.refusal(1).contains("trepang pull vgg16"), "{absent:?}");
    assert_eq!(homeless(&home, "pull --list --json").code, Some(0));
    assert!(names(&home).is_empty(), "{:?}", names(&home));
    write_weights(&home.path("own.safetensors"), &with_tensor("block1_conv1.bias", |_| {}).weights);
    let told = homeless(&home, "info own.safetensors --input tf");
    assert_eq!(told.stderr, "trepang: --input is not remembered: there is no home folder to keep it in\n");
    assert_eq!((told.code, names(&home)), (Some(0), vec!["own.safetensors".to_owned()]));
}
