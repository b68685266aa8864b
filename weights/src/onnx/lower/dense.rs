//! Matrix products with constants, and the softmax.

use trepang_api::{Op, Padding, Shape};

use super::super::evaluate::axis;
use super::super::ir::{Kernel, LayerOp, Matrix};
use super::super::tensor::OnnxTensor;
use super::super::value::{Act, Axis, GraphValue};
use super::{Lowering, NotLowered, Reading};

impl Lowering<'_> {
    pub(super) fn dense(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        match node.op() {
            "Gemm" => self.gemm(node),
            "MatMul" => self.matmul(node),
            _ => self.softmax(node),
        }
    }

    /// alpha * A * B + beta * C, where B may be transposed.
    fn gemm(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let act = self.act(node.input(0)?)?;
        if node.node.int("transA").unwrap_or(0) != 0 || act.axes != [Axis::N, Axis::C] {
            return Err("multiplies something else than the features of a picture".into());
        }
        let is_transposed = node.node.int("transB").unwrap_or(0) != 0;
        let alpha = node.node.float("alpha").unwrap_or(1.0);
        let beta = node.node.float("beta").unwrap_or(1.0);
        let (mut weight, [inputs, outputs]) = rows_of_outputs(node, is_transposed)?;
        for number in &mut weight {
            *number *= alpha;
        }
        let bias = match node.weights(2)? {
            None => vec![0.0; outputs],
            Some(bias) => match bias.floats().as_slice() {
                [one] => vec![beta * one; outputs],
                all if all.len() == outputs => all.iter().map(|number| beta * number).collect(),
                _ => return Err(format!("adds a constant {:?}", bias.shape).into()),
            },
        };
        self.linear(node, &act, Matrix { weight, bias, inputs, outputs })
    }

    /// A product over the channels: a fully connected layer, or a convolution of one cell.
    fn matmul(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        if matches!((node.input(0)?, node.input(1)?), (GraphValue::Act(_), GraphValue::Act(_))) {
            return Err("multiplies two activations, which is not known here".into());
        }
        let act = self.act(node.input(0)?)?;
        if act.axes.last() != Some(&Axis::C) {
            return Err("multiplies another side than the channels".into());
        }
        let (weight, [inputs, outputs]) = rows_of_outputs(node, false)?;
        let bias = vec![0.0; outputs];
        if act.axes == [Axis::N, Axis::C] {
            return self.linear(node, &act, Matrix { weight, bias, inputs, outputs });
        }
        let kernel = Kernel {
            weight,
            bias,
            inputs,
            outputs,
            window: [1, 1],
            stride: [1, 1],
            padding: Padding::default(),
            groups: 1,
        };
        let at = self.layers.add(LayerOp::Conv(kernel), &[act.at], Some(node.at))?;
        Ok(vec![GraphValue::Act(Act { at, ..act })])
    }

    fn linear(
        &mut self,
        node: &Reading,
        act: &Act,
        mut matrix: Matrix,
    ) -> Result<Vec<GraphValue>, NotLowered> {
        if let Some(shape) = act.channels_last {
            if matrix.inputs != shape.len() {
                return Err("has a matrix that does not fit its input".into());
            }
            matrix.weight = channels_first(&matrix.weight, shape);
        }
        let at = self.layers.add(LayerOp::Linear(matrix), &[act.at], Some(node.at))?;
        Ok(vec![GraphValue::Act(Act::with(at, vec![Axis::N, Axis::C]))])
    }

    fn softmax(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let act = self.act(node.input(0)?)?;
        let shape = self.layers.shape(act.at);
        let newer = self.graph.opset >= 13;
        let side = axis(node.node.int("axis").unwrap_or(if newer { -1 } else { 1 }), act.axes.len())?;
        // Before opset 13 everything from the axis on is one side.
        let is_channels = act.axes[side] == Axis::C && (newer || shape.height * shape.width == 1);
        if !is_channels || act.channels_last.is_some() {
            return Err("takes the softmax over another side than the channels".into());
        }
        let at = self.layers.add(LayerOp::Plain(Op::Softmax), &[act.at], Some(node.at))?;
        Ok(vec![GraphValue::Act(Act { at, ..act })])
    }
}

/// The constant matrix of a node as `[outputs, inputs]`, with these two numbers in the other order.
fn rows_of_outputs(node: &Reading, is_transposed: bool) -> Result<(Vec<f32>, [usize; 2]), NotLowered> {
    let matrix = node.weights(1)?.ok_or("lacks its matrix")?;
    let &[rows, columns] = matrix.shape.as_slice() else {
        return Err(format!("multiplies with a constant {:?}", matrix.shape).into());
    };
    let numbers = OnnxTensor::into_floats(matrix);
    if is_transposed {
        return Ok((numbers, [columns, rows]));
    }
    let turned = (0..columns).flat_map(|o| (0..rows).map(move |i| i * columns + o));
    Ok((turned.map(|at| numbers[at]).collect(), [rows, columns]))
}

/// Rows of weights for features that were flattened with the channels last, in the order that has them first.
fn channels_first(weight: &[f32], shape: Shape) -> Vec<f32> {
    let Shape { channels, height, width } = shape;
    let cells = height * width;
    let mut turned = Vec::with_capacity(weight.len());
    for row in weight.chunks_exact(shape.len()) {
        let at = (0..channels).flat_map(|c| (0..cells).map(move |cell| cell * channels + c));
        turned.extend(at.map(|at| row[at]));
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_turned_from_channels_last_to_first() {
        let shape = Shape { channels: 2, height: 1, width: 3 };
        let row = [0.0, 10.0, 1.0, 11.0, 2.0, 12.0];
        assert_eq!(channels_first(&row, shape), [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
    }
}
