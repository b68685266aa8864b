//! Batch norm of constants: networks whose weights are standardized compute them from others in the graph.

use super::super::proto::NodeProto;
use super::super::tensor::{OnnxTensor, TensorNumbers};

/// Normalizes a constant along its second side, by the numbers given, or by its own where it is in training mode.
pub(super) fn batch_norm(node: &NodeProto, inputs: &[Option<&OnnxTensor>]) -> Result<OnnxTensor, String> {
    let input = |at: usize| inputs.get(at).copied().flatten().ok_or_else(|| format!("lacks its input {at}"));
    let x = input(0)?;
    let &[_, channels, ..] = x.shape.as_slice() else {
        return Err("normalizes a constant of one side".into());
    };
    let each: usize = x.shape[2..].iter().product();
    let numbers = x.floats();
    let channel = |at: usize| at / each.max(1) % channels.max(1);
    let (mean, variance) = if node.int("training_mode") == Some(1) {
        moments(&numbers, channels, channel)
    } else {
        let given =
            |at| -> Result<Vec<f64>, String> { Ok(input(at)?.floats().into_iter().map(f64::from).collect()) };
        (given(3)?, given(4)?)
    };
    let (gamma, beta) = (input(1)?.floats(), input(2)?.floats());
    if [gamma.len(), beta.len(), mean.len(), variance.len()].iter().any(|&count| count != channels) {
        return Err("has numbers for different counts of channels".into());
    }
    let epsilon = f64::from(node.float("epsilon").unwrap_or(1e-5));
    let factor: Vec<f64> = gamma
        .iter()
        .zip(&variance)
        .map(|(&gamma, variance)| f64::from(gamma) / (variance + epsilon).sqrt())
        .collect();
    let map = |(at, x): (usize, f32)| {
        let c = channel(at);
        ((f64::from(x) - mean[c]) * factor[c] + f64::from(beta[c])) as f32
    };
    let numbers = numbers.into_iter().enumerate().map(map).collect();
    Ok(OnnxTensor { shape: x.shape.clone(), numbers: TensorNumbers::Floats(numbers) })
}

/// The mean and the variance of each channel.
fn moments(numbers: &[f32], channels: usize, channel: impl Fn(usize) -> usize) -> (Vec<f64>, Vec<f64>) {
    let count = (numbers.len() / channels.max(1)).max(1) as f64;
    let sums = |of: &dyn Fn(usize, f64) -> f64| {
        let mut sums = vec![0.0; channels];
        for (at, &number) in numbers.iter().enumerate() {
            sums[channel(at)] += of(channel(at), f64::from(number)) / count;
        }
        sums
    };
    let mean = sums(&|_, number| number);
    let variance = sums(&|channel, number| (number - mean[channel]).powi(2));
    (mean, variance)
}

#[cfg(test)]
mod tests {
    use super::super::super::proto::AttributeProto;
    use super::*;

    fn floats(shape: &[usize], numbers: &[f32]) -> OnnxTensor {
        OnnxTensor { shape: shape.to_vec(), numbers: TensorNumbers::Floats(numbers.to_vec()) }
    }

    #[test]
    fn a_constant_is_normalized_along_its_second_side() {
        let attribute = |name: &str, f: f32, i: i64| AttributeProto {
            name: name.into(),
            f,
            i,
            ..AttributeProto::default()
        };
        let x = floats(&[1, 2, 2], &[1.0, 3.0, 10.0, 14.0]);
        let (gamma, beta) = (floats(&[2], &[2.0, 1.0]), floats(&[2], &[0.0, 1.0]));
        let (mean, variance) = (floats(&[2], &[2.0, 12.0]), floats(&[2], &[1.0, 4.0]));
        let inputs = [&x, &gamma, &beta, &mean, &variance].map(Some);
        let expected = TensorNumbers::Floats(vec![-2.0, 2.0, 0.0, 2.0]);
        let mut node = NodeProto { attribute: vec![attribute("epsilon", 0.0, 0)], ..NodeProto::default() };
        assert_eq!(batch_norm(&node, &inputs).unwrap().numbers, expected);
        // Of its own numbers the same mean and variance follow.
        node.attribute.push(attribute("training_mode", 0.0, 1));
        assert_eq!(batch_norm(&node, &[Some(&x), Some(&gamma), Some(&beta)]).unwrap().numbers, expected);
        assert!(batch_norm(&node, &[Some(&gamma)]).is_err());
    }
}
