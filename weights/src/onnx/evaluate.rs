//! Computes nodes of which all inputs are constants: the chains of small integers that exporters leave behind for shapes,
//! and the arithmetic on weights.

mod elementwise;
mod normal;
mod shaping;

use super::graph::Graph;
use super::proto::NodeProto;
use super::tensor::{OnnxTensor, TensorNumbers, count};

pub(super) use shaping::{axis, new_places, part_of_shape, permutation, resolved, sliced, slices};

/// The largest number of numbers that a computed constant has.
const MAX_NUMBERS: usize = 1 << 25;

/// Computes a node from its inputs, of which those left out are none. Fails, with a clause, for an operation that is not
/// known here and for inputs that do not fit.
pub(super) fn evaluate(
    graph: &Graph,
    node: &NodeProto,
    inputs: &[Option<&OnnxTensor>],
) -> Result<OnnxTensor, String> {
    let first = || inputs.first().copied().flatten().ok_or_else(|| "lacks its input".to_owned());
    match node.op_type.as_str() {
        "Constant" => constant(graph, node),
        "Identity" | "Dropout" => Ok(first()?.clone()),
        "Shape" => {
            let shape: Vec<i64> = first()?.shape.iter().map(|&side| side as i64).collect();
            shaping::part_of_shape(node, &shape)
        }
        "ConstantOfShape" => constant_of_shape(graph, node, first()?),
        "Range" => range(inputs),
        "BatchNormalization" => normal::batch_norm(node, inputs),
        "Gather" | "Slice" | "Concat" | "Unsqueeze" | "Squeeze" | "Reshape" | "Flatten" | "Transpose"
        | "Expand" | "ReduceProd" | "ReduceSum" | "ReduceMean" => shaping::evaluate(graph, node, inputs),
        _ => elementwise::evaluate(node, inputs),
    }
}

fn constant(graph: &Graph, node: &NodeProto) -> Result<OnnxTensor, String> {
    let attribute = node.attribute.first().ok_or("has no value")?;
    Ok(match attribute.name.as_str() {
        "value" => return graph.tensor(attribute.t.as_ref().ok_or("has no value")?),
        "value_float" => OnnxTensor::scalar(attribute.f),
        "value_floats" => {
            let numbers = TensorNumbers::Floats(attribute.floats.clone());
            OnnxTensor { shape: vec![attribute.floats.len()], numbers }
        }
        "value_int" => OnnxTensor { shape: Vec::new(), numbers: TensorNumbers::Ints(vec![attribute.i]) },
        "value_ints" => OnnxTensor::ints(attribute.ints.clone()),
        _ => return Err("is a constant without numbers".into()),
    })
}

fn constant_of_shape(graph: &Graph, node: &NodeProto, shape: &OnnxTensor) -> Result<OnnxTensor, String> {
    let shape = sides(shape.as_ints().ok_or("has a shape that is no integers")?)?;
    let count = allowed(&shape)?;
    let value = match node.attribute_named("value").and_then(|attribute| attribute.t.as_ref()) {
        Some(value) => graph.tensor(value)?,
        None => OnnxTensor::scalar(0.0),
    };
    let numbers = match &value.numbers {
        TensorNumbers::Floats(numbers) => {
            TensorNumbers::Floats(vec![*numbers.first().ok_or("has no value")?; count])
        }
        TensorNumbers::Ints(numbers) => {
            TensorNumbers::Ints(vec![*numbers.first().ok_or("has no value")?; count])
        }
    };
    Ok(OnnxTensor { shape, numbers })
}

fn range(inputs: &[Option<&OnnxTensor>]) -> Result<OnnxTensor, String> {
    let int = |at: usize| {
        let numbers = inputs.get(at).copied().flatten().and_then(OnnxTensor::as_ints);
        numbers.and_then(|numbers| numbers.first().copied()).ok_or("is no range of integers")
    };
    let (start, limit, step) = (int(0)?, int(1)?, int(2)?);
    let length = i128::from(limit) - i128::from(start);
    if step == 0 || length / i128::from(step) > MAX_NUMBERS as i128 {
        return Err("is a range without end".into());
    }
    let mut numbers = Vec::new();
    let mut at = start;
    while (step > 0 && at < limit) || (step < 0 && at > limit) {
        numbers.push(at);
        at = at.checked_add(step).ok_or("is a range without end")?;
    }
    Ok(OnnxTensor::ints(numbers))
}

/// Integers as the sides of a shape.
fn sides(ints: &[i64]) -> Result<Vec<usize>, String> {
    ints.iter()
        .map(|&side| usize::try_from(side).map_err(|_| format!("has a shape with the side {side}")))
        .collect()
}

/// The number of numbers of a shape. Fails for one that is too large to be computed.
fn allowed(shape: &[usize]) -> Result<usize, String> {
    let too_large = || format!("computes a constant of the shape {shape:?}, which is too large");
    count(shape).filter(|&count| count <= MAX_NUMBERS).ok_or_else(too_large)
}
