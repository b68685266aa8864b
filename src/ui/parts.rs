//! Parts of what is sent to the terminal: as many as a frame has room for, and what tells one from another.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A number that tells what is sent from anything else.
pub(super) fn hash(sent: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    sent.hash(&mut hasher);
    hasher.finish()
}

/// Adds parts until there are about `budget` bytes; returns how many.
pub(super) fn push_some(text: &mut String, parts: impl Iterator<Item = String>, budget: usize) -> usize {
    let mut count = 0;
    for part in parts {
        if count > 0 && text.len() + part.len() > budget {
            break;
        }
        // Writing to a string does not fail.
        let _ = text.write_str(&part);
        count += 1;
    }
    count
}
