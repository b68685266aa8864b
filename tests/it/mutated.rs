//! Files and texts of strangers with bytes changed, taken away and put in: whatever comes, an answer in one line and no panic.

use std::fs;

use trepang::engine::{Objective, Recipe, read_recipe};
use trepang::runs::{RunFolder, read_origin, read_picture};

use crate::binary::Home;

/// Variants of each text or file.
const VARIANTS: u64 = 300;

/// Pieces that a parser may stumble over.
const PIECES: [&[u8]; 12] = [
    b"(",
    b")",
    b"\"",
    b"1e999",
    b"-1",
    b"9999999999999999999999",
    b"\0",
    b"\xff\xfe",
    b"null",
    b"[[[[[[[[",
    b"{",
    "\u{202e}".as_bytes(),
];

/// Numbers that only look random: equal in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

/// `bytes` with one to four changes.
fn variant(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut numbers = Numbers(seed);
    let mut changed = bytes.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(changed.len());
        let len = numbers.below(8.min(changed.len() - at));
        match numbers.below(5) {
            0 => changed.truncate(at),
            1 => drop(changed.drain(at..at + len)),
            2 => drop(changed.splice(at..at, PIECES[numbers.below(PIECES.len())].iter().copied())),
            3 => {
                let copy = changed[at..at + len].to_vec();
                drop(changed.splice(at..at, copy.repeat(1 + numbers.below(50))));
            }
            _ if at < changed.len() => changed[at] ^= 1 << numbers.below(8),
            _ => {}
        }
    }
    changed
}

/// The variants of a text that are text.
fn texts(text: &str) -> impl Iterator<Item = String> {
    (0..VARIANTS).filter_map(move |seed| String::from_utf8(variant(text.as_bytes(), seed)).ok())
}

#[test]
fn an_objective_with_changes_is_read_or_refused() {
    let text = "channel(block5_conv4, 4) - 0.5 * channel(block5_conv4:pre, 7) * (neuron(a, 1, 2, 3) + logit(5)) - tv(0.001)";
    for text in texts(text).chain(["(".repeat(100_000), "1+".repeat(100_000)]) {
        if let Ok(objective) = text.parse::<Objective>() {
            assert_eq!(objective.to_string().parse::<Objective>().unwrap(), objective, "{text}");
        }
    }
}

#[test]
fn a_recipe_with_changes_is_read_or_refused() {
    for name in ["lucid", "maco", "dream"] {
        for text in texts(Recipe::text(name).unwrap()) {
            if let Ok(recipe) = read_recipe(&text, &[]) {
                assert!(recipe.check().is_ok(), "what is read has been checked");
            }
        }
    }
}

#[test]
fn a_run_with_changes_is_read_or_refused() {
    let home = Home::new();
    home.json("render --layer block2_conv1 --channel 4 --size 32 --steps 2 --runs runs --json -o a.png");
    let folder = fs::read_dir(home.path("runs")).unwrap().next().unwrap().unwrap().path();
    for name in ["state.safetensors", "manifest.json"] {
        let path = folder.join(name);
        let whole = fs::read(&path).unwrap();
        for seed in 0..VARIANTS {
            fs::write(&path, variant(&whole, seed)).unwrap();
            if let Err(error) = RunFolder::open(&folder) {
                assert!(!error.chain().contains(['\n', '\u{202e}']), "{}", error.chain());
            }
        }
        fs::write(&path, whole).unwrap();
    }
    assert!(RunFolder::open(&folder).is_ok());
}

#[test]
fn a_picture_with_changes_is_read_or_refused() {
    let home = Home::new();
    home.json("render --layer block2_conv1 --channel 4 --size 32 --steps 2 --runs runs --json -o a.png");
    let (whole, path) = (home.read("a.png"), home.path("b.png"));
    for seed in 0..VARIANTS {
        fs::write(&path, variant(&whole, seed)).unwrap();
        let errors = [
            read_origin(&path).err().map(|error| error.chain()),
            read_picture(&path).err().map(|error| error.chain()),
        ];
        for error in errors.into_iter().flatten() {
            assert!(!error.contains(['\n', '\u{202e}']), "{error}");
        }
    }
}
