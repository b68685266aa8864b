//! Variants of a network: another preprocessing, another number of classes, or no class logits. The structure before
//! them stays.

use super::Network;
use crate::{Op, Preprocess};

impl Network {
    /// The same network with another map from RGB in 0..1 to its input space.
    #[must_use]
    pub fn with_preprocess(mut self, preprocess: Preprocess) -> Self {
        self.nodes[0].op = Op::Preprocess(preprocess);
        self
    }

    /// The same network with this number of class logits. A network without class logits stays as it is.
    #[must_use]
    pub fn with_classes(mut self, classes: usize) -> Self {
        if let Some(logits) = self.logits()
            && let Op::Linear(linear) = &mut self.nodes[logits.index()].op
        {
            linear.outputs = classes;
        }
        self
    }

    /// The network up to the layer before its class logits. A network without class logits stays as it is.
    #[must_use]
    pub fn without_logits(mut self) -> Self {
        if let Some(logits) = self.logits() {
            self.nodes.truncate(logits.index());
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
        assert_eq!((trunk.logits(), trunk.nodes().len()), (None, network.nodes().len() - 1));
    }
}
