//! The networks Trepang knows, one short file a family. Data only: where their weights come from is the
//! `weights` crate's business.

mod alexnet;
mod clip;
mod convnext;
mod densenet;
mod efficientnet;
mod googlenet;
mod inception;
mod inception_v1;
mod minivgg;
mod mobilenet;
mod regnet;
mod resnet;
mod resnet_torchvision;
mod shufflenet;
mod squeezenet;
mod torchvision_blocks;
mod vgg;
mod vgg_torchvision;

use crate::{LayerId, NetworkBuilder, Op};

pub use alexnet::alexnet;
pub use clip::{clip_rn50, clip_rn50x4};
pub use convnext::convnext_tiny;
pub use densenet::densenet121;
pub use efficientnet::efficientnet_lite0;
pub use googlenet::googlenet;
pub use inception::inception_v3;
pub use inception_v1::inception_v1;
pub use minivgg::minivgg;
pub use mobilenet::{efficientnet_b0, mobilenet_v2, mobilenet_v3_large};
pub use regnet::regnet_y_400mf;
pub use resnet::{Strides, resnet50};
pub use resnet_torchvision::{resnet18, resnet34, resnet101, resnet152, resnext50_32x4d, wide_resnet50_2};
pub use shufflenet::shufflenet_v2_x1_0;
pub use squeezenet::squeezenet1_1;
pub use vgg::{vgg16, vgg19};
pub use vgg_torchvision::{vgg11, vgg13, vgg16_bn, vgg19_bn};

/// The classifier of every network here but VGG: the mean over all positions, then a fully connected layer, whose
/// `predictions` are logits.
fn average_and_predict(b: &mut NetworkBuilder, channels: usize, from: LayerId) {
    let average = b.add("avg_pool", Op::GlobalAverage, &[from]);
    b.linear("predictions", channels, 1000, average);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Network, Preprocess, Result};

    /// torchvision's count less one number for each channel that is normalized: of batch norm's two, one bias stays.
    #[test]
    fn the_parameters_are_torchvisions_with_norms_folded() {
        let count = |of: fn(Preprocess, bool) -> Result<Network>| {
            of(Preprocess::imagenet(), true).unwrap().parameters()
        };
        assert_eq!(count(alexnet), 61_100_840);
        assert_eq!(count(googlenet), 6_624_904 - 7_280);
        assert_eq!(count(mobilenet_v2), 3_504_872 - 17_056);
        assert_eq!(count(mobilenet_v3_large), 5_483_032 - 12_200);
        assert_eq!(count(efficientnet_b0), 5_288_548 - 21_008);
        assert_eq!(count(regnet_y_400mf), 4_344_144 - 13_576);
        assert_eq!(count(shufflenet_v2_x1_0), 2_278_604 - 8_090);
        assert_eq!(count(squeezenet1_1), 1_235_496);
    }

    #[test]
    fn blocks_and_modules_have_torchvisions_names() {
        let same = |network: &Network, [a, b]: [&str; 2]| {
            assert_eq!(network.layer(a).unwrap(), network.layer(b).unwrap(), "{a}");
        };
        let b0 = efficientnet_b0(Preprocess::imagenet(), false).unwrap();
        same(&b0, ["features.0.1", "features.0:pre"]);
        same(&b0, ["features.5", "features.5.2"]);
        same(&b0, ["features.5.0.block.3", "features.5.0"]);
        same(&b0, ["features.5.1.block.3.1", "features.5.1.block.3"]);
        let v2 = mobilenet_v2(Preprocess::imagenet(), false).unwrap();
        same(&v2, ["features.14.conv.3", "features.14"]);
        assert_ne!(v2.layer("features.15.conv.3").unwrap(), v2.layer("features.15").unwrap());
        let regnet = regnet_y_400mf(Preprocess::imagenet(), false).unwrap();
        same(&regnet, ["trunk_output.block2", "trunk_output.block2.block2-2.activation"]);
    }
}
