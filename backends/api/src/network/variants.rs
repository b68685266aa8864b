//! Variants of a network: another preprocessing, another number of classes, or no class logits. The structure before
//! them stays.

use super::{InputSize, LayerId, Network, Node};
use crate::{Linear, Op, Preprocess};

impl Network {
    /// The same network with another map from RGB in 0..1 to its input space.
    #[must_use]
    pub fn with_preprocess(mut self, preprocess: Preprocess) -> Self {
        self.nodes[0].op = Op::Preprocess(preprocess);
        self
    }

    /// The same network for other sizes of pictures.
    #[must_use]
    pub fn with_input(mut self, input: InputSize) -> Self {
        self.input = input;
        self
    }

    /// The layer whose kernel gives the class logits: the logits themselves if they are fully connected, or a convolution of
    /// which they are the means over positions.
    pub fn class_layer(&self) -> Option<LayerId> {
        let mut at = self.logits()?;
        loop {
            let node = &self.nodes[at.index()];
            match node.op {
                Op::Linear(_) | Op::Conv2d(_) => return Some(at),
                Op::GlobalAverage | Op::Relu => at = *node.inputs.first()?,
                _ => return None,
            }
        }
    }

    /// The same network with this number of class logits. A network without class logits stays as it is.
    #[must_use]
    pub fn with_classes(mut self, classes: usize) -> Self {
        if let Some(layer) = self.class_layer() {
            match &mut self.nodes[layer.index()].op {
                Op::Linear(linear) => linear.outputs = classes,
                Op::Conv2d(conv) => conv.outputs = classes,
                _ => {}
            }
        }
        self
    }

    /// The same network with a linear layer behind its last node, which reads the means over the positions of that node's
    /// channels, or if `is_flat` all of its numbers. `weights` is the name of the layer and of its tensors.
    #[must_use]
    pub fn with_linear(mut self, weights: &str, [inputs, outputs]: [usize; 2], is_flat: bool) -> Self {
        let last = LayerId(self.nodes.len() - 1);
        let (name, op) =
            if is_flat { ("flatten", Op::Flatten) } else { ("global_average", Op::GlobalAverage) };
        self.nodes.push(Node { name: name.into(), op, inputs: vec![last] });
        let linear = Op::Linear(Linear { weights: weights.into(), inputs, outputs });
        self.nodes.push(Node { name: weights.into(), op: linear, inputs: vec![LayerId(last.0 + 1)] });
        self
    }

    /// The network up to the layer before its class logits. A network without class logits stays as it is.
    #[must_use]
    pub fn without_logits(mut self) -> Self {
        if let Some(first) = self.class_layer().or(self.logits()) {
            self.nodes.truncate(first.index());
            self.logits = None;
            let nodes = &self.nodes;
            self.aliases.retain(|(_, layer)| nodes.iter().any(|node| node.name == *layer));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use crate::networks::minivgg;
    use crate::{Preprocess, Shape};

    #[test]
    fn classes_and_preprocessing_change_and_the_trunk_stays() {
        let network = minivgg().unwrap();
        let two = network.clone().with_classes(2).with_preprocess(Preprocess::caffe());
        assert_eq!(two.preprocess(), &Preprocess::caffe());
        let logits = two.logits().unwrap();
        assert_eq!(two.shape(64, 64, logits).unwrap(), Shape { channels: 2, height: 1, width: 1 });
        assert_eq!(network.parameters() - two.parameters(), 62 * 257);
        let trunk = two.without_logits();
        let five = trunk.clone().with_linear("five", [256, 5], false);
        assert_eq!(five.shape(64, 64, five.logits().unwrap()).unwrap().channels, 5);
        assert_eq!((trunk.logits(), trunk.nodes().len()), (None, network.nodes().len() - 1));
    }
}
