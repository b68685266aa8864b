//! Arithmetic on constants, number by number, with numpy's broadcasting. Truth values are the integers 0 and 1.

use super::super::proto::NodeProto;
use super::super::tensor::{OnnxTensor, TensorNumbers};
use super::allowed;

/// A function of two integers, which may overflow, and the same of two floats.
type Binary = (fn(i64, i64) -> Option<i64>, fn(f32, f32) -> f32);

pub(super) fn evaluate(node: &NodeProto, inputs: &[Option<&OnnxTensor>]) -> Result<OnnxTensor, String> {
    let input = |at: usize| inputs.get(at).copied().flatten().ok_or_else(|| format!("lacks its input {at}"));
    let op = node.op_type.as_str();
    if let Some(function) = binary_of(op) {
        let (a, b) = (input(0)?, input(1)?);
        return inputs[2..]
            .iter()
            .flatten()
            .try_fold(binary(a, b, function)?, |a, b| binary(&a, b, function));
    }
    if let Some(function) = float_of(op) {
        let numbers = input(0)?.floats().into_iter().map(function).collect();
        return Ok(OnnxTensor { shape: input(0)?.shape.clone(), numbers: TensorNumbers::Floats(numbers) });
    }
    match op {
        "Cast" => cast(input(0)?, node.int("to").unwrap_or(1)),
        "CastLike" => {
            let is_float = matches!(input(1)?.numbers, TensorNumbers::Floats(_));
            cast(input(0)?, if is_float { 1 } else { 7 })
        }
        "Neg" | "Abs" | "Not" | "Floor" | "Ceil" => unary(op, input(0)?),
        "Where" => select(input(0)?, input(1)?, input(2)?),
        _ => Err("is none of the operations known here".into()),
    }
}

fn truth(is: bool) -> i64 {
    i64::from(is)
}

fn float_truth(is: bool) -> f32 {
    f32::from(u8::from(is))
}

fn binary_of(op: &str) -> Option<Binary> {
    Some(match op {
        "Add" => (i64::checked_add, |a, b| a + b),
        "Sub" => (i64::checked_sub, |a, b| a - b),
        "Mul" => (i64::checked_mul, |a, b| a * b),
        "Div" => (i64::checked_div, |a, b| a / b),
        "Mod" => (i64::checked_rem_euclid, f32::rem_euclid),
        "Min" => (|a, b| Some(a.min(b)), f32::min),
        "Max" => (|a, b| Some(a.max(b)), f32::max),
        "Pow" => (|a, b| a.checked_pow(u32::try_from(b).ok()?), f32::powf),
        "Equal" => (|a, b| Some(truth(a == b)), |a, b| float_truth(a == b)),
        "Less" => (|a, b| Some(truth(a < b)), |a, b| float_truth(a < b)),
        "Greater" => (|a, b| Some(truth(a > b)), |a, b| float_truth(a > b)),
        "And" => (|a, b| Some(truth(a != 0 && b != 0)), |a, b| float_truth(a != 0.0 && b != 0.0)),
        "Or" => (|a, b| Some(truth(a != 0 || b != 0)), |a, b| float_truth(a != 0.0 || b != 0.0)),
        _ => return None,
    })
}

fn float_of(op: &str) -> Option<fn(f32) -> f32> {
    Some(match op {
        "Sqrt" => f32::sqrt,
        "Reciprocal" => f32::recip,
        "Exp" => f32::exp,
        "Log" => f32::ln,
        _ => return None,
    })
}

fn unary(op: &str, input: &OnnxTensor) -> Result<OnnxTensor, String> {
    let numbers = match &input.numbers {
        TensorNumbers::Floats(numbers) => TensorNumbers::Floats(
            numbers
                .iter()
                .map(|&x| match op {
                    "Neg" => -x,
                    "Abs" => x.abs(),
                    "Floor" => x.floor(),
                    "Ceil" => x.ceil(),
                    _ => float_truth(x == 0.0),
                })
                .collect(),
        ),
        TensorNumbers::Ints(numbers) => {
            let each = |&x: &i64| match op {
                "Neg" => x.checked_neg(),
                "Abs" => x.checked_abs(),
                "Floor" | "Ceil" => Some(x),
                _ => Some(truth(x == 0)),
            };
            let all: Option<Vec<i64>> = numbers.iter().map(each).collect();
            TensorNumbers::Ints(all.ok_or("overflows")?)
        }
    };
    Ok(OnnxTensor { shape: input.shape.clone(), numbers })
}

/// Converts numbers to the type with this code: integers and truth values, or floats.
fn cast(input: &OnnxTensor, to: i64) -> Result<OnnxTensor, String> {
    let numbers = match (to, &input.numbers) {
        (1 | 10 | 11 | 16, _) => TensorNumbers::Floats(input.floats()),
        (9, TensorNumbers::Ints(numbers)) => {
            TensorNumbers::Ints(numbers.iter().map(|&x| truth(x != 0)).collect())
        }
        (9, TensorNumbers::Floats(numbers)) => {
            TensorNumbers::Ints(numbers.iter().map(|&x| truth(x != 0.0)).collect())
        }
        (6 | 7, TensorNumbers::Ints(_)) => input.numbers.clone(),
        (6 | 7, TensorNumbers::Floats(numbers)) => {
            TensorNumbers::Ints(numbers.iter().map(|&x| x as i64).collect())
        }
        _ => return Err(format!("casts to the type {to}")),
    };
    Ok(OnnxTensor { shape: input.shape.clone(), numbers })
}

/// The shape that two shapes are broadcast to.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, String> {
    let rank = a.len().max(b.len());
    let side = |shape: &[usize], at: usize| (at + shape.len()).checked_sub(rank).map_or(1, |own| shape[own]);
    (0..rank)
        .map(|at| match (side(a, at), side(b, at)) {
            (a, b) if a == b || b == 1 => Ok(a),
            (1, b) => Ok(b),
            _ => Err(format!("combines the shapes {a:?} and {b:?}")),
        })
        .collect()
}

/// The positions in a tensor of `shape` of the numbers of the shape that it is broadcast to.
pub(super) fn positions(shape: &[usize], to: &[usize]) -> Result<Vec<usize>, String> {
    let total = allowed(to)?;
    let mut positions = Vec::with_capacity(total);
    let mut strides = vec![0; to.len()];
    let (mut stride, behind) = (1, to.len() - shape.len());
    for at in (0..shape.len()).rev() {
        strides[behind + at] = if shape[at] == 1 { 0 } else { stride };
        stride *= shape[at];
    }
    for flat in 0..total {
        let (mut rest, mut position) = (flat, 0);
        for (side, stride) in to.iter().zip(&strides).rev() {
            position += rest % side * stride;
            rest /= side;
        }
        positions.push(position);
    }
    Ok(positions)
}

fn binary(a: &OnnxTensor, b: &OnnxTensor, (ints, floats): Binary) -> Result<OnnxTensor, String> {
    let shape = broadcast(&a.shape, &b.shape)?;
    let (at_a, at_b) = (positions(&a.shape, &shape)?, positions(&b.shape, &shape)?);
    let numbers = if let (TensorNumbers::Ints(a), TensorNumbers::Ints(b)) = (&a.numbers, &b.numbers) {
        let all: Option<Vec<i64>> = at_a.iter().zip(&at_b).map(|(&i, &j)| ints(a[i], b[j])).collect();
        TensorNumbers::Ints(all.ok_or("overflows")?)
    } else {
        let (a, b) = (a.floats(), b.floats());
        TensorNumbers::Floats(at_a.iter().zip(&at_b).map(|(&i, &j)| floats(a[i], b[j])).collect())
    };
    Ok(OnnxTensor { shape, numbers })
}

fn select(which: &OnnxTensor, yes: &OnnxTensor, no: &OnnxTensor) -> Result<OnnxTensor, String> {
    let shape = broadcast(&broadcast(&which.shape, &yes.shape)?, &no.shape)?;
    let is: Vec<bool> = {
        let floats = which.floats();
        positions(&which.shape, &shape)?.into_iter().map(|at| floats[at] != 0.0).collect()
    };
    let (at_yes, at_no) = (positions(&yes.shape, &shape)?, positions(&no.shape, &shape)?);
    let numbers = if let (TensorNumbers::Ints(yes), TensorNumbers::Ints(no)) = (&yes.numbers, &no.numbers) {
        let pick = |(at, &is): (usize, &bool)| if is { yes[at_yes[at]] } else { no[at_no[at]] };
        TensorNumbers::Ints(is.iter().enumerate().map(pick).collect())
    } else {
        let (yes, no) = (yes.floats(), no.floats());
        let pick = |(at, &is): (usize, &bool)| if is { yes[at_yes[at]] } else { no[at_no[at]] };
        TensorNumbers::Floats(is.iter().enumerate().map(pick).collect())
    };
    Ok(OnnxTensor { shape, numbers })
}
