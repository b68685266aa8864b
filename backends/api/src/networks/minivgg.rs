//! The embedded network: a VGG of eight 3x3 convolutions for 64 classes of Tiny ImageNet.

use crate::{InputSize, Network, NetworkBuilder, Op, Padding, Pool, Preprocess, Result};

/// Widths of the convolutions, block by block; a 2x2 max pool stands between blocks.
const BLOCKS: [&[usize]; 5] = [&[32], &[48], &[96, 96], &[160, 160], &[256, 256]];

/// Classes of the `predictions` layer.
const CLASSES: usize = 64;

/// Describes `minivgg`. Its last layer, `predictions`, holds logits: no softmax is part of the network.
pub fn minivgg() -> Result<Network> {
    let size = InputSize { native: 64, min: 32, multiple: 16 };
    let mut b = NetworkBuilder::new("minivgg", size, Preprocess::imagenet());
    let halve = Pool { kernel: [2, 2], stride: [2, 2], padding: Padding::default() };
    let (mut at, mut channels) = (b.input(), 3);
    for (block, widths) in (1..).zip(BLOCKS) {
        if block > 1 {
            at = b.add(format!("block{}_pool", block - 1), Op::MaxPool(halve), &[at]);
        }
        for (conv, &width) in (1..).zip(widths) {
            at = b.conv_relu(&format!("block{block}_conv{conv}"), [channels, width], 3, at);
            channels = width;
        }
    }
    let mean = b.add("global_average", Op::GlobalAverage, &[at]);
    b.linear("predictions", channels, CLASSES, mean);
    b.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    #[test]
    fn it_is_the_network_of_the_model_card() {
        let network = minivgg().unwrap();
        let deepest = network.layer("block5_conv2").unwrap();
        assert_eq!(network.parameters(), 1_483_760);
        assert_eq!(network.shape(64, 64, deepest).unwrap(), Shape { channels: 256, height: 4, width: 4 });
        assert_eq!(network.pre(deepest), Some(network.layer("block5_conv2:pre").unwrap()));
    }
}
