//! Reads text attributes of HDF5 objects: one string or an array of strings, of fixed or variable length. `hdf5_reader` has
//! functions for this, but they fail for an empty array of numbers and do not bound the memory that many references to one
//! long string take.

use hdf5_reader::group::Group;
use hdf5_reader::messages::attribute::AttributeMessage;
use hdf5_reader::{Dataset, Datatype, RawAttribute, StringSize, VarLenKind};

use super::Reason;

/// The largest size of an attribute's text in bytes. The layer names of any network take less.
const MAX_TEXT_BYTES: usize = 16 << 20;

/// Reads an attribute of a group as strings; an empty array of any type gives none. Fails if it is not text.
pub(super) fn strings(group: &Group, name: &str) -> Result<Option<Vec<String>>, Reason> {
    let all = group.raw_attributes().map_err(|error| error.to_string())?;
    let Some(found) = all.iter().map(RawAttribute::message).find(|message| message.name == name) else {
        return Ok(None);
    };
    let broken = |reason: Reason| format!("the attribute {name} of \"{}\" {reason}", group.name());
    let count = found.dataspace.num_elements().map_err(|error| error.to_string())?;
    let strings = match (&found.datatype, count) {
        (_, 0) => Ok(Vec::new()),
        (Datatype::String { size: StringSize::Fixed(len), .. }, _) => fixed(found, *len as usize),
        (Datatype::String { .. } | Datatype::VarLen { kind: VarLenKind::String, .. }, _) => {
            variable(group, found)
        }
        _ => Err("is not text".into()),
    };
    strings.map(Some).map_err(broken)
}

/// The first string of an attribute of a group.
pub(super) fn string(group: &Group, name: &str) -> Option<String> {
    strings(group, name).ok()??.into_iter().next()
}

/// Whether Keras marked the opaque bytes of a dataset as `bfloat16`.
pub(super) fn says_bfloat16(dataset: &Dataset) -> bool {
    let attributes = dataset.attributes();
    let dtype = attributes.iter().find(|attribute| attribute.name == "dtype");
    dtype.and_then(|dtype| dtype.read_string().ok()).is_some_and(|dtype| dtype == "bfloat16")
}

fn fixed(attribute: &AttributeMessage, len: usize) -> Result<Vec<String>, Reason> {
    if len == 0 {
        return Err("has strings of no length".into());
    }
    attribute.raw_data.chunks_exact(len).map(text).collect()
}

/// Reads strings of variable length. Each is a reference: its length, the address of a heap, and its index there.
fn variable(group: &Group, attribute: &AttributeMessage) -> Result<Vec<String>, Reason> {
    let mut total = 0_usize;
    let read = |reference: &[u8]| {
        let bytes = group.resolve_vlen_reference_bytes(reference, 1).map_err(|error| error.to_string())?;
        total = total.saturating_add(bytes.len());
        if total > MAX_TEXT_BYTES { Err("is too long".into()) } else { text(&bytes) }
    };
    let reference_len = 4 + usize::from(group.offset_size()) + 4;
    attribute.raw_data.chunks_exact(reference_len).map(read).collect()
}

/// Decodes a string that is padded with zeros or spaces.
fn text(bytes: &[u8]) -> Result<String, Reason> {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = str::from_utf8(text).map_err(|_| Reason::from("is not UTF-8"))?;
    Ok(text.trim_end_matches(' ').into())
}
