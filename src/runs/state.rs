//! The state of an ascent as one safetensors file: the tensors, and the origin and the losses in its header,
//! so that the file alone is enough to go on.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use flate2::Crc;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use trepang_api::Array;

use super::atomic::{write_own, write_own_quickly};
use super::error::{BoxedError, Error, Result};
use super::manifest::Origin;
use super::origin_text;
use super::regular::{open_regular, read_regular};
use crate::engine::{AscentState, Moments};

/// The largest state that is read, in bytes: 256 images of 1024 pixels with Adam's moments take 9.7 GB, and no machine
/// would have room for more.
const MAX_STATE_BYTES: u64 = 16 << 30;

/// The longest header that is read, in bytes: that of safetensors itself.
const MAX_HEADER_BYTES: u64 = 100 << 20;

/// The header's entry with the checksum. States of earlier versions have none.
const CHECKSUM: &str = "crc32";

/// Saves the state of an ascent, as `Ascent::resume` needs it, with what it belongs to.
pub(super) fn write(path: &Path, origin: &Origin, state: &AscentState) -> Result<()> {
    write_own(path, &encoded(path, origin, state)?)
}

/// The same without waiting until it is on the disk.
pub(super) fn write_quickly(path: &Path, origin: &Origin, state: &AscentState) -> Result<()> {
    write_own_quickly(path, &encoded(path, origin, state)?)
}

fn encoded(path: &Path, origin: &Origin, state: &AscentState) -> Result<Vec<u8>> {
    encode(origin, state).map_err(|source| Error::Encode { path: path.into(), source })
}

/// The file of a state.
pub fn encode(origin: &Origin, state: &AscentState) -> Result<Vec<u8>, BoxedError> {
    let f32s = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let losses: Vec<u8> = state.losses.iter().flat_map(|v| v.to_le_bytes()).collect();
    let tensors = [
        ("x", Dtype::F32, state.x.shape().to_vec(), f32s(state.x.data())),
        ("first", Dtype::F32, vec![state.moments.first.len()], f32s(&state.moments.first)),
        ("second", Dtype::F32, vec![state.moments.second.len()], f32s(&state.moments.second)),
        ("losses", Dtype::F64, vec![state.losses.len()], losses),
    ];
    let base = state.base.as_ref().map(|base| ("base", Dtype::F32, base.shape().to_vec(), f32s(base.data())));
    let tensors: Vec<_> = tensors.into_iter().chain(base).collect();
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| Ok((*name, TensorView::new(*dtype, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    let mut header = HashMap::from([
        ("origin".to_owned(), serde_json::to_string(origin)?),
        ("dead_steps".to_owned(), state.dead_steps.to_string()),
        ("age".to_owned(), state.moments.age.to_string()),
    ]);
    let sum = checksum(&header, tensors.iter().map(|(_, _, _, bytes)| &bytes[..]));
    header.insert(CHECKSUM.into(), sum);
    Ok(safetensors::serialize(views, Some(header))?)
}

/// The CRC-32 of everything in a file, in hexadecimal: of the header's texts, and of the tensors in the order in which they
/// are written first.
fn checksum<'a>(header: &HashMap<String, String>, tensors: impl Iterator<Item = &'a [u8]>) -> String {
    let mut crc = Crc::new();
    for key in ["origin", "dead_steps", "age"] {
        crc.update(header.get(key).map_or(&[], |text| text.as_bytes()));
    }
    tensors.for_each(|bytes| crc.update(bytes));
    format!("{:08x}", crc.sum())
}

/// Fails for a file that is not as long as its header says, before the rest of it is read.
fn check_length(path: &Path) -> Result<(), BoxedError> {
    let mut file = open_regular(path)?;
    let (length, mut size) = (file.metadata()?.len(), [0; 8]);
    file.read_exact(&mut size)?;
    let size = u64::from_le_bytes(size);
    if size > MAX_HEADER_BYTES.min(length) {
        return Err("its header is longer than any that is written".into());
    }
    let mut header = Vec::new();
    file.take(size).read_to_end(&mut header)?;
    let header: serde_json::Map<String, Value> = serde_json::from_slice(&header)?;
    let ends = header.values().filter_map(|entry| entry["data_offsets"][1].as_u64());
    let told = ends.max().unwrap_or(0).checked_add(size + 8);
    if told == Some(length) { Ok(()) } else { Err("it is not as long as its header says".into()) }
}

/// Reads a saved state, and what it belongs to.
pub(super) fn read(path: &Path) -> Result<(Origin, AscentState)> {
    check_length(path).map_err(|source| Error::DamagedState { path: path.into(), source })?;
    let bytes = read_regular(path, MAX_STATE_BYTES)
        .map_err(|source| Error::ReadState { path: path.into(), source })?;
    let damaged = |source| Error::DamagedState { path: path.into(), source };
    let (text, state) = parse(&bytes).map_err(damaged)?;
    let origin = origin_text::parse(text.as_bytes());
    Ok((origin.map_err(|fault| Error::UnusableText { path: path.into(), fault })?, state))
}

/// The state of a file's bytes, and what it belongs to. Fails where they are damaged.
pub fn decode(bytes: &[u8]) -> Result<(Origin, AscentState), BoxedError> {
    let (text, state) = parse(bytes)?;
    Ok((origin_text::parse(text.as_bytes())?, state))
}

/// The text of the origin, and the state.
fn parse(bytes: &[u8]) -> Result<(String, AscentState), BoxedError> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let header = header.metadata().as_ref().ok_or("it has no header")?;
    let file = SafeTensors::deserialize(bytes)?;
    let origin = header.get("origin").ok_or("it does not say what it belongs to")?.clone();
    if let Some(sum) = header.get(CHECKSUM) {
        let views =
            ["x", "first", "second", "losses", "base"].into_iter().filter_map(|name| file.tensor(name).ok());
        let views: Vec<_> = views.collect();
        if checksum(header, views.iter().map(TensorView::data)) != *sum {
            return Err("what it holds is not what was written".into());
        }
    }
    let x = file.tensor("x")?;
    let (first, second) = (f32s(&file.tensor("first")?)?, f32s(&file.tensor("second")?)?);
    let age = header.get("age").ok_or("it does not say how old its moments are")?.parse()?;
    let state = AscentState {
        x: Array::new(x.shape(), f32s(&x)?)?,
        moments: Moments { first, second, age },
        losses: numbers(&file.tensor("losses")?, Dtype::F64, f64::from_le_bytes)?,
        base: match file.tensor("base") {
            Ok(base) => Some(Array::new(base.shape(), f32s(&base)?)?),
            Err(_) => None,
        },
        dead_steps: header.get("dead_steps").ok_or("it does not count its dead steps")?.parse()?,
    };
    Ok((origin, state))
}

fn f32s(view: &TensorView) -> Result<Vec<f32>, BoxedError> {
    numbers(view, Dtype::F32, f32::from_le_bytes)
}

fn numbers<T, const N: usize>(
    view: &TensorView,
    dtype: Dtype,
    number: fn([u8; N]) -> T,
) -> Result<Vec<T>, BoxedError> {
    if view.dtype() != dtype {
        return Err(format!("it holds {:?} where {dtype:?} belongs", view.dtype()).into());
    }
    Ok(view.data().as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect())
}
