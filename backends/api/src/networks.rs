//! The networks Trepang knows, one short file a family. Data only: where their weights come from is the
//! `weights` crate's business.

mod efficientnet;
mod inception;
mod minivgg;
mod resnet;
mod resnet_torchvision;
mod vgg;
mod vgg_torchvision;

use crate::{LayerId, NetworkBuilder, Op};

pub use efficientnet::efficientnet_lite0;
pub use inception::inception_v3;
pub use minivgg::minivgg;
pub use resnet::{Strides, resnet50};
pub use resnet_torchvision::{resnet18, resnet34, resnet101, resnet152, resnext50_32x4d, wide_resnet50_2};
pub use vgg::{vgg16, vgg19};
pub use vgg_torchvision::{vgg11, vgg13, vgg16_bn, vgg19_bn};

/// The classifier of every network here but VGG: the mean over all positions, then a fully connected layer, whose
/// `predictions` are logits.
fn average_and_predict(b: &mut NetworkBuilder, channels: usize, from: LayerId) {
    let average = b.add("avg_pool", Op::GlobalAverage, &[from]);
    b.linear("predictions", channels, 1000, average);
}
