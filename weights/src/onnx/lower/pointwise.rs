//! What is done to each number by itself: ReLUs, sums of activations, batch norms, and other maps of each channel by two
//! numbers. On the picture itself, such a map becomes part of the preprocessing.

use std::rc::Rc;

use trepang_api::Op;

use super::super::ir::LayerOp;
use super::super::tensor::OnnxTensor;
use super::super::value::{Act, Axis, GraphValue, ImageMap, per_channel};
use super::{Lowering, NotLowered, Reading, unfilled};
use crate::readers::printable;

impl Lowering<'_> {
    pub(super) fn pointwise(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        match node.op() {
            "Relu" => self.plain(node, Op::Relu),
            "Clip" => self.clip(node),
            "BatchNormalization" => self.batch_norm(node),
            "Neg" => Ok(vec![self.map(node, node.input(0)?, &[-1.0], &[0.0])?]),
            "Sum" if node.inputs.len() == 1 => Ok(vec![node.input(0)?.clone()]),
            _ => self.arithmetic(node),
        }
    }

    /// An operation of one input that keeps its shape.
    pub(super) fn plain(&mut self, node: &Reading, op: Op) -> Result<Vec<GraphValue>, NotLowered> {
        let act = self.act(node.input(0)?)?;
        let at = self.layers.add(LayerOp::Plain(op), &[act.at], Some(node.at))?;
        Ok(vec![GraphValue::Act(Act { at, ..act })])
    }

    fn clip(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let bound = |attribute, at, open: f32| -> Result<f32, NotLowered> {
            let given = node.constant(at)?.and_then(|tensor| tensor.floats().first().copied());
            Ok(given.or(node.node.float(attribute)).unwrap_or(open))
        };
        let (low, high) = (bound("min", 1, f32::MIN)?, bound("max", 2, f32::MAX)?);
        match (low, high) {
            (0.0, 6.0) => self.plain(node, Op::Relu6),
            (0.0, f32::MAX..) => self.plain(node, Op::Relu),
            (..=f32::MIN, f32::MAX..) => Ok(vec![node.input(0)?.clone()]),
            _ => Err(format!("cuts off below {low} and above {high}: only 0 and 6 are known").into()),
        }
    }

    fn batch_norm(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        let is = |name, bad| node.node.int(name) == Some(bad);
        if is("training_mode", 1) || (self.graph.opset < 7 && !is("is_test", 1)) {
            return Err(NotLowered::Refuse("is in training mode: call model.eval() before exporting".into()));
        }
        if is("spatial", 0) {
            return Err(NotLowered::Refuse(
                "normalizes each position by itself (spatial=0): export it anew".into(),
            ));
        }
        let numbers = |at| -> Result<Vec<f32>, NotLowered> {
            Ok(node.weights(at)?.ok_or_else(|| format!("lacks its input {at}"))?.floats())
        };
        let (gamma, beta, mean, variance) = (numbers(1)?, numbers(2)?, numbers(3)?, numbers(4)?);
        let channels = gamma.len();
        if [&beta, &mean, &variance].iter().any(|numbers| numbers.len() != channels) {
            return Err("has numbers for different counts of channels".into());
        }
        let is_second = match node.input(0)? {
            GraphValue::Act(act) => act.axes.get(1) == Some(&Axis::C) && act.channels_last.is_none(),
            GraphValue::Image(map) => map.axes.get(1) == Some(&Axis::C),
            GraphValue::Const(_) | GraphValue::Unfilled(_) | GraphValue::Cut(_) => false,
        };
        if !is_second {
            return Err("normalizes another side than the channels".into());
        }
        let epsilon = f64::from(node.node.float("epsilon").unwrap_or(1e-5));
        let scale: Vec<f64> = gamma
            .iter()
            .zip(&variance)
            .map(|(&gamma, &variance)| f64::from(gamma) / (f64::from(variance) + epsilon).sqrt())
            .collect();
        let shift: Vec<f64> =
            (0..channels).map(|c| f64::from(beta[c]) - f64::from(mean[c]) * scale[c]).collect();
        Ok(vec![self.map(node, node.input(0)?, &scale, &shift)?])
    }

    /// A value with each channel times a number, plus a number; one number is for all channels.
    fn map(
        &mut self,
        node: &Reading,
        value: &GraphValue,
        scale: &[f64],
        shift: &[f64],
    ) -> Result<GraphValue, NotLowered> {
        let of = |numbers: &[f64], channel: usize| *numbers.get(channel).unwrap_or(&numbers[0]);
        let fits = |channels: usize| [scale, shift].iter().all(|n| n.len() == 1 || n.len() == channels);
        if let GraphValue::Image(map) = value {
            if !fits(map.channels.len()) {
                return Err("has numbers for another count of channels".into());
            }
            let mut channels = map.channels.clone();
            for (at, channel) in channels.iter_mut().enumerate() {
                channel.scale *= of(scale, at);
                channel.shift = channel.shift * of(scale, at) + of(shift, at);
            }
            return Ok(GraphValue::Image(ImageMap { axes: map.axes.clone(), channels }));
        }
        let act = self.act(value)?;
        let channels = self.layers.shape(act.at).channels;
        let is_uniform = scale.len() == 1 && shift.len() == 1;
        if !fits(channels) || (act.channels_last.is_some() && !is_uniform) {
            return Err("has numbers for another count of channels".into());
        }
        let all = |numbers: &[f64]| (0..channels).map(|c| of(numbers, c) as f32).collect();
        let op = LayerOp::Affine { scale: all(scale), shift: all(shift) };
        let at = self.layers.add(op, &[act.at], Some(node.at))?;
        Ok(GraphValue::Act(Act { at, ..act }))
    }

    /// Add, Sum, Sub, Mul and Div.
    fn arithmetic(&mut self, node: &Reading) -> Result<Vec<GraphValue>, NotLowered> {
        if node.op() != "Sum" {
            let (a, b) = (node.input(0)?, node.input(1)?);
            match (a, b) {
                (GraphValue::Const(constant), other) => {
                    return self.with_constant(node, other, constant, true);
                }
                (other, GraphValue::Const(constant)) => {
                    return self.with_constant(node, other, constant, false);
                }
                (GraphValue::Image(map), GraphValue::Unfilled(name))
                | (GraphValue::Unfilled(name), GraphValue::Image(map)) => {
                    return self.without_numbers(map, name);
                }
                _ => {}
            }
        }
        if node.op() == "Mul" {
            return self.product(node);
        }
        if !matches!(node.op(), "Add" | "Sum") {
            return Err("combines two activations, which is not known here".into());
        }
        let mut acts = Vec::with_capacity(node.inputs.len());
        for at in 0..node.inputs.len() {
            acts.push(self.act(node.input(at)?)?);
        }
        let first = acts.first().ok_or("lacks its inputs")?.clone();
        if acts.iter().any(|act| act.axes != first.axes || act.channels_last != first.channels_last) {
            return Err("adds activations in different layouts".into());
        }
        let inputs: Vec<usize> = acts.iter().map(|act| act.at).collect();
        let at = self.layers.add(LayerOp::Plain(Op::Add), &inputs, Some(node.at))?;
        Ok(vec![GraphValue::Act(Act { at, ..first })])
    }

    fn with_constant(
        &mut self,
        node: &Reading,
        value: &GraphValue,
        constant: &Rc<OnnxTensor>,
        is_first: bool,
    ) -> Result<Vec<GraphValue>, NotLowered> {
        let (axes, channels) = match value {
            GraphValue::Image(map) => (map.axes.clone(), map.channels.len()),
            GraphValue::Act(act) => (act.axes.clone(), self.layers.shape(act.at).channels),
            GraphValue::Unfilled(name) => return Err(unfilled(name)),
            GraphValue::Const(_) | GraphValue::Cut(_) => return Err("computes with no activation".into()),
        };
        let numbers = match per_channel(constant, &axes, channels) {
            // One number, whatever the sides: the picture lacks those that were gathered.
            None if constant.len() == 1 => vec![constant.floats()[0]; channels],
            None => {
                return Err(format!("combines an activation with a constant {:?}", constant.shape).into());
            }
            Some(numbers) => numbers,
        };
        let numbers: Vec<f64> = if constant.len() == 1 {
            vec![f64::from(numbers[0])]
        } else {
            numbers.into_iter().map(f64::from).collect()
        };
        let negative = || numbers.iter().map(|number| -number).collect::<Vec<_>>();
        let inverse = || numbers.iter().map(|number| 1.0 / number).collect::<Vec<_>>();
        let made = match (node.op(), is_first) {
            ("Add", _) => self.map(node, value, &[1.0], &numbers)?,
            ("Sub", false) => self.map(node, value, &[1.0], &negative())?,
            ("Sub", true) => self.map(node, value, &[-1.0], &numbers)?,
            ("Mul", _) => self.map(node, value, &numbers, &[0.0])?,
            ("Div", false) => self.map(node, value, &inverse(), &[0.0])?,
            _ => return Err("divides by an activation, which is not known here".into()),
        };
        Ok(vec![made])
    }

    /// A part of the preprocessing whose numbers the exporter left out: what the user says of the input counts in its place.
    fn without_numbers(&mut self, map: &ImageMap, name: &str) -> Result<Vec<GraphValue>, NotLowered> {
        if !self.input_given {
            return Err(NotLowered::Refuse(format!(
                "reads the input \"{}\", which has no value (a Keras exporter leaves it out): pass --input, which then says \
                 what the first layer sees",
                printable(name)
            )));
        }
        self.is_reset = true;
        Ok(vec![GraphValue::Image(ImageMap::new(map.axes.clone(), map.channels.len()))])
    }
}
