//! PyTorch's stream of before version 1.6: pickles one after the other, and then the bytes of the storages.

use std::collections::HashMap;
use std::ops::Range;

use super::Fault;
use super::machine::{self, Pickle};
use super::tree::PickleValue;

/// The number of pickles before the object: magic number, protocol, system.
const PICKLES_BEFORE: usize = 3;

/// The bytes in which a storage's length is written before it.
const LENGTH_BYTES: usize = 8;

/// Reads a stream: the pickled object, and the range of bytes of each storage by its key.
pub(super) fn read(file: &[u8]) -> Result<(Pickle<'_>, HashMap<String, Range<usize>>), Fault> {
    let mut at = 0;
    for _ in 0..PICKLES_BEFORE {
        at += machine::read(&file[at..])?.len;
    }
    let object = machine::read(&file[at..])?;
    at += object.len;
    let keys = machine::read(&file[at..])?;
    at += keys.len;
    let sizes: HashMap<&str, usize> = object
        .tree
        .storages()
        .map(|storage| (&*storage.key, storage.dtype.map_or(1, |dtype| dtype.bytes)))
        .collect();
    let mut ranges = HashMap::new();
    for &key in keys.tree.list(keys.root) {
        let PickleValue::Text(key) = key else { return Err(Fault::Broken("a storage has no name".into())) };
        let size =
            sizes.get(key).ok_or_else(|| Fault::Broken(format!("it does not use its storage \"{key}\"")))?;
        let range = storage(file, at, *size).ok_or(Fault::CutShort)?;
        at = range.end;
        ranges.insert(key.to_owned(), range);
    }
    Ok((object, ranges))
}

/// The range of the storage whose length in numbers is written at byte `at`; none if the file ends before it does.
fn storage(file: &[u8], at: usize, size: usize) -> Option<Range<usize>> {
    let start = at.checked_add(LENGTH_BYTES)?;
    let len = u64::from_le_bytes(file.get(at..start)?.try_into().ok()?);
    let end = start.checked_add(usize::try_from(len).ok()?.checked_mul(size)?)?;
    (end <= file.len()).then_some(start..end)
}
