//! The inputs of a graph: which of them is the picture, in which order its sides come, and how large it is.

use std::collections::HashMap;

use super::super::graph::Graph;
use super::super::proto::{TensorTypeProto, ValueInfoProto};
use super::super::tensor::{is_float, is_quantized};
use super::super::value::{Axis, GraphValue, ImageMap, NCHW};
use super::Frame;
use crate::readers::printable;

/// The side of the picture where the file leaves it open.
const OPEN_SIDE: usize = 224;

/// The largest side of a picture, as everywhere here.
const LARGEST_SIDE: usize = 4096;

/// The order of TensorFlow and Keras.
const NHWC: [Axis; 4] = [Axis::N, Axis::H, Axis::W, Axis::C];

/// The values that come in, by their names, and the sides of the picture. Fails, with a clause, if there is no picture of
/// one or three channels.
pub(super) fn open(graph: &Graph) -> Result<(Frame, HashMap<&str, GraphValue>), String> {
    let is_picture = |input: &&ValueInfoProto| sides(input).is_some_and(|sides| sides.len() == 4);
    let picture = graph.inputs.iter().find(is_picture);
    let Some((picture, sides)) = picture.and_then(|input| Some((input, sides(input)?))) else {
        let inputs: Vec<String> = graph.inputs.iter().take(4).map(shown).collect();
        return Err(format!(
            "it takes no picture [N, 3, H, W], but {}",
            if inputs.is_empty() { "nothing".into() } else { inputs.join(", ") }
        ));
    };
    let is_channels = |side: Option<usize>| matches!(side, Some(1 | 3));
    let (axes, channels) = match (sides[1], sides[3]) {
        (side, _) if is_channels(side) => (NCHW, side),
        (_, side) if is_channels(side) => (NHWC, side),
        (None, _) => (NCHW, Some(3)),
        (Some(_), _) => {
            return Err(format!("it takes {}; pictures have 3 channels (1 is made gray)", shown(picture)));
        }
    };
    let side = |axis| axes.iter().position(|&found| found == axis).and_then(|at| sides[at]);
    let length = |axis| match side(axis) {
        Some(length) if length <= LARGEST_SIDE => Ok(length),
        None => Ok(side(Axis::H).or(side(Axis::W)).unwrap_or(OPEN_SIDE)),
        Some(length) => Err(format!("it takes pictures of {length} pixels, more than {LARGEST_SIDE}")),
    };
    let frame = Frame {
        batch: side(Axis::N).unwrap_or(1),
        height: length(Axis::H)?,
        width: length(Axis::W)?,
        is_bytes: tensor_of(picture).is_some_and(|tensor| is_quantized(tensor.elem_type)),
    };
    let mut values = HashMap::new();
    for input in &graph.inputs {
        let value = if input.name == picture.name {
            GraphValue::Image(ImageMap::new(axes.to_vec(), channels.unwrap_or(3)))
        } else {
            GraphValue::Unfilled(input.name.clone())
        };
        values.insert(input.name.as_str(), value);
    }
    Ok((frame, values))
}

/// The sides of an input of floats or of bytes, those that are open as none; none for an input without a shape.
fn sides(input: &ValueInfoProto) -> Option<Vec<Option<usize>>> {
    let tensor = tensor_of(input)?;
    let is_pixels = is_float(tensor.elem_type) || is_quantized(tensor.elem_type);
    let side =
        |value: Option<i64>| value.and_then(|side| usize::try_from(side).ok()).filter(|&side| side > 0);
    let shape = tensor.shape.as_ref()?;
    is_pixels.then(|| shape.dim.iter().map(|dim| side(dim.dim_value)).collect())
}

fn tensor_of(input: &ValueInfoProto) -> Option<&TensorTypeProto> {
    input.r#type.as_ref()?.tensor_type.as_ref()
}

/// An input in words: its name and its sides.
fn shown(input: &ValueInfoProto) -> String {
    let sides = sides(input).unwrap_or_default();
    let side = |(at, side): (usize, &Option<usize>)| match side {
        Some(side) => side.to_string(),
        None => ["N", "C", "H", "W"].get(at).map_or_else(|| "?".into(), |&letter| letter.into()),
    };
    let sides: Vec<String> = sides.iter().enumerate().map(side).collect();
    format!("\"{}\" [{}]", printable(&input.name), sides.join(", "))
}
