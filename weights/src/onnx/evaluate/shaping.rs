//! Constants in other shapes: gathered, sliced, joined, turned, and reduced.

use super::super::graph::Graph;
use super::super::proto::NodeProto;
use super::super::tensor::{OnnxTensor, TensorNumbers, count};
use super::elementwise::{broadcast, positions};
use super::{allowed, sides};

pub(super) fn evaluate(
    graph: &Graph,
    node: &NodeProto,
    inputs: &[Option<&OnnxTensor>],
) -> Result<OnnxTensor, String> {
    let input = inputs.first().copied().flatten().ok_or("lacks its input")?;
    let ints = |at: usize| inputs.get(at).copied().flatten().and_then(OnnxTensor::as_ints);
    let axes = node.ints("axes").or_else(|| ints(1));
    match node.op_type.as_str() {
        "Gather" => gather(input, inputs.get(1).copied().flatten(), node.int("axis").unwrap_or(0)),
        "Slice" => slice(graph, node, input, inputs),
        "Concat" => concat(node.int("axis").unwrap_or(1), inputs),
        "Squeeze" => reshaped(input, squeezed(&input.shape, axes)?),
        "Unsqueeze" => reshaped(input, unsqueezed(&input.shape, axes.ok_or("has no axes")?)?),
        "Reshape" => {
            let to = node.ints("shape").or_else(|| ints(1)).ok_or("has no shape")?;
            reshaped(input, resolved(&input.shape, to, node.int("allowzero") == Some(1))?)
        }
        "Flatten" => {
            let axis = axis(node.int("axis").unwrap_or(1), input.shape.len() + 1)?;
            let (before, after) = input.shape.split_at(axis);
            reshaped(input, vec![before.iter().product(), after.iter().product()])
        }
        "Transpose" => transpose(input, node.ints("perm")),
        "Expand" => {
            let shape = broadcast(&input.shape, &sides(ints(1).ok_or("has no shape")?)?)?;
            let at = positions(&input.shape, &shape)?;
            Ok(picked(input, shape, &at))
        }
        _ => reduce(node, input, axes),
    }
}

/// An axis counted from the end if it is negative.
pub(in super::super) fn axis(axis: i64, rank: usize) -> Result<usize, String> {
    let from_end = if axis < 0 { axis.checked_add(rank as i64).unwrap_or(-1) } else { axis };
    let found = usize::try_from(from_end).ok().filter(|&found| found < rank);
    found.ok_or_else(|| format!("has the axis {axis} for {rank} sides"))
}

/// The part of a shape that the attributes of Shape name.
pub(in super::super) fn part_of_shape(node: &NodeProto, shape: &[i64]) -> Result<OnnxTensor, String> {
    let rank = shape.len() as i64;
    let place = |place: i64| (if place < 0 { place.saturating_add(rank) } else { place }).clamp(0, rank);
    let start = place(node.int("start").unwrap_or(0)) as usize;
    let end = place(node.int("end").unwrap_or(rank)) as usize;
    shape.get(start..end).map(|part| OnnxTensor::ints(part.to_vec())).ok_or_else(|| "has no shape".into())
}

/// The sides of `shape` without those at `axes`, or without every 1. Fails where a side is longer.
pub(in super::super) fn squeezed(shape: &[usize], axes: Option<&[i64]>) -> Result<Vec<usize>, String> {
    let gone: Vec<usize> = match axes {
        Some(axes) => axes.iter().map(|&at| axis(at, shape.len())).collect::<Result<_, _>>()?,
        None => (0..shape.len()).filter(|&at| shape[at] == 1).collect(),
    };
    if gone.iter().any(|&at| shape[at] != 1) {
        return Err("squeezes a side that is longer than 1".into());
    }
    Ok((0..shape.len()).filter(|at| !gone.contains(at)).map(|at| shape[at]).collect())
}

/// The places of new sides in the longer shape, in order.
pub(in super::super) fn new_places(rank: usize, axes: &[i64]) -> Result<Vec<usize>, String> {
    let all = rank + axes.len();
    let mut places: Vec<usize> = axes.iter().map(|&at| axis(at, all)).collect::<Result<_, _>>()?;
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err("has an axis twice".into());
    }
    Ok(places)
}

fn unsqueezed(shape: &[usize], axes: &[i64]) -> Result<Vec<usize>, String> {
    let mut longer = shape.to_vec();
    for place in new_places(shape.len(), axes)? {
        longer.insert(place, 1);
    }
    Ok(longer)
}

/// The shape that Reshape's numbers mean: 0 copies a side, and -1 is what is left.
pub(in super::super) fn resolved(
    from: &[usize],
    to: &[i64],
    zero_is_zero: bool,
) -> Result<Vec<usize>, String> {
    let total = count(from).ok_or("is too large")?;
    let mut sides = Vec::with_capacity(to.len());
    for (at, &side) in to.iter().enumerate() {
        sides.push(match side {
            -1 => 1,
            0 if !zero_is_zero => *from.get(at).ok_or("copies a side that is not there")?,
            side => usize::try_from(side).map_err(|_| "has a negative side")?,
        });
    }
    if let Some(open) = to.iter().position(|&side| side == -1) {
        sides[open] = total.checked_div(count(&sides).ok_or("is too large")?).unwrap_or(0);
    }
    if count(&sides) == Some(total) { Ok(sides) } else { Err(format!("makes {to:?} of {from:?}")) }
}

fn reshaped(input: &OnnxTensor, shape: Vec<usize>) -> Result<OnnxTensor, String> {
    if count(&shape) != Some(input.len()) {
        return Err(format!("makes {shape:?} of {:?}", input.shape));
    }
    Ok(OnnxTensor { shape, numbers: input.numbers.clone() })
}

/// The numbers at these positions, in a new shape.
fn picked(input: &OnnxTensor, shape: Vec<usize>, at: &[usize]) -> OnnxTensor {
    let numbers = match &input.numbers {
        TensorNumbers::Floats(numbers) => TensorNumbers::Floats(at.iter().map(|&at| numbers[at]).collect()),
        TensorNumbers::Ints(numbers) => TensorNumbers::Ints(at.iter().map(|&at| numbers[at]).collect()),
    };
    OnnxTensor { shape, numbers }
}

/// Positions along one side, for every place before and after it.
fn along(shape: &[usize], side: usize, at: &[usize]) -> Result<Vec<usize>, String> {
    let outer = count(&shape[..side]).ok_or("is too large")?;
    let inner = count(&shape[side + 1..]).ok_or("is too large")?;
    allowed(&[outer, at.len(), inner])?;
    let place = |outer: usize, at: usize| (outer * shape[side] + at) * inner;
    let run = |start: usize| start..start + inner;
    Ok((0..outer).flat_map(|o| at.iter().flat_map(move |&at| run(place(o, at)))).collect())
}

fn gather(input: &OnnxTensor, indices: Option<&OnnxTensor>, at: i64) -> Result<OnnxTensor, String> {
    let side = axis(at, input.shape.len())?;
    let indices = indices.ok_or("has no indices")?;
    let ints = indices.as_ints().ok_or("has indices that are no integers")?;
    let at: Vec<usize> = ints.iter().map(|&at| axis(at, input.shape[side])).collect::<Result<_, _>>()?;
    let mut shape = input.shape[..side].to_vec();
    shape.extend(&indices.shape);
    shape.extend(&input.shape[side + 1..]);
    Ok(picked(input, shape, &along(&input.shape, side, &at)?))
}

/// The positions that a slice takes of a side of this length.
pub(in super::super) fn sliced(length: usize, [start, end, step]: [i64; 3]) -> Result<Vec<usize>, String> {
    let length = length as i64;
    let place = |place: i64, low: i64, high: i64| {
        (if place < 0 { place.saturating_add(length) } else { place }).clamp(low, high)
    };
    let (mut at, end) = match step {
        0 => return Err("has the step 0".into()),
        1.. => (place(start, 0, length), place(end, 0, length)),
        _ => (place(start, -1, length - 1), place(end, -1, length - 1)),
    };
    let mut taken = Vec::new();
    while (step > 0 && at < end) || (step < 0 && at > end) {
        taken.push(at as usize);
        at = at.saturating_add(step);
    }
    Ok(taken)
}

/// The sides that a Slice takes a part of, each with its start, end and step.
pub(in super::super) fn slices(
    node: &NodeProto,
    opset: i64,
    rank: usize,
    ints: &dyn Fn(usize) -> Option<Vec<i64>>,
) -> Result<Vec<(usize, [i64; 3])>, String> {
    let attribute = |name| node.ints(name).map(<[i64]>::to_vec);
    let (starts, ends, axes, steps) = if opset < 10 {
        (attribute("starts"), attribute("ends"), attribute("axes"), None)
    } else {
        (ints(1), ints(2), ints(3), ints(4))
    };
    let (starts, ends) = (starts.ok_or("has no starts")?, ends.ok_or("has no ends")?);
    let all = || (0..starts.len() as i64).collect();
    let (axes, steps) = (axes.unwrap_or_else(all), steps.unwrap_or_else(|| vec![1; starts.len()]));
    if [ends.len(), axes.len(), steps.len()].iter().any(|&len| len != starts.len()) {
        return Err("has starts and ends that do not belong together".into());
    }
    let part = |at: usize| Ok((axis(axes[at], rank)?, [starts[at], ends[at], steps[at]]));
    (0..starts.len()).map(part).collect()
}

fn slice(
    graph: &Graph,
    node: &NodeProto,
    input: &OnnxTensor,
    inputs: &[Option<&OnnxTensor>],
) -> Result<OnnxTensor, String> {
    let ints =
        |at: usize| inputs.get(at).copied().flatten().and_then(OnnxTensor::as_ints).map(<[i64]>::to_vec);
    let mut part = input.clone();
    for (side, range) in slices(node, graph.opset, input.shape.len(), &ints)? {
        let at = sliced(part.shape[side], range)?;
        let mut shape = part.shape.clone();
        shape[side] = at.len();
        part = picked(&part, shape, &along(&part.shape, side, &at)?);
    }
    Ok(part)
}

fn concat(at: i64, inputs: &[Option<&OnnxTensor>]) -> Result<OnnxTensor, String> {
    let parts: Vec<&OnnxTensor> = inputs.iter().copied().flatten().collect();
    let first = *parts.first().ok_or("lacks its inputs")?;
    let side = axis(at, first.shape.len())?;
    let fits = |part: &&&OnnxTensor| {
        part.shape.len() == first.shape.len()
            && (0..first.shape.len()).all(|at| at == side || part.shape[at] == first.shape[at])
    };
    if parts.iter().filter(fits).count() != parts.len() {
        return Err("joins shapes that do not fit".into());
    }
    let mut shape = first.shape.clone();
    shape[side] = parts.iter().map(|part| part.shape[side]).sum();
    let total = allowed(&shape)?;
    let outer: usize = shape[..side].iter().product();
    let are_ints = parts.iter().all(|part| part.as_ints().is_some());
    let rows = |len: usize| len.checked_div(outer).unwrap_or(0);
    let numbers = if are_ints {
        let mut joined = Vec::with_capacity(total);
        for row in 0..outer {
            for part in parts.iter().filter_map(|part| part.as_ints()) {
                joined.extend(&part[row * rows(part.len())..][..rows(part.len())]);
            }
        }
        TensorNumbers::Ints(joined)
    } else {
        let parts: Vec<Vec<f32>> = parts.iter().map(|part| part.floats()).collect();
        let mut joined = Vec::with_capacity(total);
        for row in 0..outer {
            for part in &parts {
                joined.extend(&part[row * rows(part.len())..][..rows(part.len())]);
            }
        }
        TensorNumbers::Floats(joined)
    };
    Ok(OnnxTensor { shape, numbers })
}

/// The order of the sides after a Transpose.
pub(in super::super) fn permutation(perm: Option<&[i64]>, rank: usize) -> Result<Vec<usize>, String> {
    let order: Vec<usize> = match perm {
        Some(perm) => perm.iter().map(|&at| axis(at, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).rev().collect(),
    };
    if (0..rank).all(|at| order.contains(&at)) && order.len() == rank {
        Ok(order)
    } else {
        Err("has an order of sides that is none".into())
    }
}

fn transpose(input: &OnnxTensor, perm: Option<&[i64]>) -> Result<OnnxTensor, String> {
    let order = permutation(perm, input.shape.len())?;
    let shape: Vec<usize> = order.iter().map(|&at| input.shape[at]).collect();
    let mut strides = vec![1; input.shape.len()];
    for at in (1..strides.len()).rev() {
        strides[at - 1] = strides[at] * input.shape[at];
    }
    let mut at = Vec::with_capacity(allowed(&shape)?);
    for flat in 0..input.len() {
        let (mut rest, mut position) = (flat, 0);
        for (&from, side) in order.iter().zip(&shape).rev() {
            position += rest % side * strides[from];
            rest /= side;
        }
        at.push(position);
    }
    Ok(picked(input, shape, &at))
}

/// The product, sum or mean over some sides, or over all.
fn reduce(node: &NodeProto, input: &OnnxTensor, axes: Option<&[i64]>) -> Result<OnnxTensor, String> {
    let rank = input.shape.len();
    let over: Vec<usize> = match axes {
        Some(axes) if !axes.is_empty() => axes.iter().map(|&at| axis(at, rank)).collect::<Result<_, _>>()?,
        _ => (0..rank).collect(),
    };
    let kept: Vec<usize> = (0..rank).map(|at| if over.contains(&at) { 1 } else { input.shape[at] }).collect();
    let places = positions(&kept, &input.shape)?;
    let is_product = node.op_type == "ReduceProd";
    let mut sums = vec![f64::from(u8::from(is_product)); count(&kept).ok_or("is too large")?];
    for (number, &place) in input.floats().into_iter().zip(&places) {
        let number = f64::from(number);
        if is_product { sums[place] *= number } else { sums[place] += number }
    }
    if node.op_type == "ReduceMean" {
        let each = (input.len() / sums.len().max(1)).max(1) as f64;
        for sum in &mut sums {
            *sum /= each;
        }
    }
    let numbers = match input.numbers {
        TensorNumbers::Ints(_) => TensorNumbers::Ints(sums.iter().map(|&sum| sum as i64).collect()),
        TensorNumbers::Floats(_) => TensorNumbers::Floats(sums.iter().map(|&sum| sum as f32).collect()),
    };
    let keeps = node.int("keepdims").unwrap_or(1) != 0;
    let shape = if keeps {
        kept
    } else {
        (0..rank).filter(|at| !over.contains(at)).map(|at| input.shape[at]).collect()
    };
    Ok(OnnxTensor { shape, numbers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_numpys() {
        assert_eq!(sliced(5, [1, i64::MAX, 1]).unwrap(), [1, 2, 3, 4]);
        assert_eq!(sliced(5, [-2, 5, 1]).unwrap(), [3, 4]);
        assert_eq!(sliced(3, [-1, i64::MIN, -1]).unwrap(), [2, 1, 0]);
        assert!(sliced(3, [0, 3, 0]).is_err());
    }

    #[test]
    fn reshapes_copy_sides_and_find_the_open_one() {
        assert_eq!(resolved(&[2, 3, 4], &[0, -1], false).unwrap(), [2, 12]);
        assert_eq!(resolved(&[1, 6], &[1, 2, 3], false).unwrap(), [1, 2, 3]);
        assert!(resolved(&[2, 3], &[0, 3], true).is_err());
        assert!(resolved(&[2, 3], &[4, -1], false).is_err());
        assert!(resolved(&[2, 3], &[-2, 3], false).is_err());
    }

    #[test]
    fn a_transposed_matrix_is_read_by_columns() {
        let matrix = OnnxTensor { shape: vec![2, 3], numbers: TensorNumbers::Ints((0..6).collect()) };
        let turned = transpose(&matrix, None).unwrap();
        assert_eq!((turned.shape, turned.numbers), (vec![3, 2], TensorNumbers::Ints(vec![0, 3, 1, 4, 2, 5])));
    }
}
