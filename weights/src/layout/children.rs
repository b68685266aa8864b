//! The positions of the modules of torchvision's networks, which stand for their names after
//! `nn.Sequential(*network.children())`. Modules without tensors count too, so a `Sequential` that lacks one of them, such as
//! a pooling layer, has other positions.

use crate::Architecture;

/// VGG, and the networks that are put together as it is.
const FEATURES: [&str; 3] = ["features", "avgpool", "classifier"];

const RESNET: [&str; 10] =
    ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "fc"];

const SHUFFLENET: [&str; 7] = ["conv1", "maxpool", "stage2", "stage3", "stage4", "conv5", "fc"];

/// Without the auxiliary classifiers, which published weights are loaded without.
const GOOGLENET: [&str; 19] = [
    "conv1",
    "maxpool1",
    "conv2",
    "conv3",
    "maxpool2",
    "inception3a",
    "inception3b",
    "maxpool3",
    "inception4a",
    "inception4b",
    "inception4c",
    "inception4d",
    "inception4e",
    "maxpool4",
    "inception5a",
    "inception5b",
    "avgpool",
    "dropout",
    "fc",
];

/// Without the auxiliary classifier, behind which a `Sequential` could not go on.
const INCEPTION: [&str; 21] = [
    "Conv2d_1a_3x3",
    "Conv2d_2a_3x3",
    "Conv2d_2b_3x3",
    "maxpool1",
    "Conv2d_3b_1x1",
    "Conv2d_4a_3x3",
    "maxpool2",
    "Mixed_5b",
    "Mixed_5c",
    "Mixed_5d",
    "Mixed_6a",
    "Mixed_6b",
    "Mixed_6c",
    "Mixed_6d",
    "Mixed_6e",
    "Mixed_7a",
    "Mixed_7b",
    "Mixed_7c",
    "avgpool",
    "dropout",
    "fc",
];

/// Replaces the module that a name of a tensor begins with by its position.
pub(super) fn number(architecture: Architecture, name: &mut String) {
    let modules: &[&str] = match architecture {
        Architecture::Vgg11
        | Architecture::Vgg13
        | Architecture::Vgg16
        | Architecture::Vgg16Bn
        | Architecture::Vgg19
        | Architecture::Vgg19Bn
        | Architecture::Alexnet
        | Architecture::MobilenetV3Large
        | Architecture::EfficientnetB0
        | Architecture::ConvnextTiny => &FEATURES,
        Architecture::InceptionV3 => &INCEPTION,
        Architecture::Resnet18
        | Architecture::Resnet34
        | Architecture::Resnet50
        | Architecture::Resnet101
        | Architecture::Resnet152
        | Architecture::WideResnet50
        | Architecture::Resnext50 => &RESNET,
        Architecture::MobilenetV2 | Architecture::Squeezenet11 | Architecture::Densenet121 => {
            &["features", "classifier"]
        }
        Architecture::RegnetY400mf => &["stem", "trunk_output", "avgpool", "fc"],
        Architecture::ShufflenetV2 => &SHUFFLENET,
        Architecture::Googlenet => &GOOGLENET,
        Architecture::Minivgg
        | Architecture::InceptionV1
        | Architecture::EfficientnetLite0
        | Architecture::ClipRn50
        | Architecture::ClipRn50x4 => return,
    };
    if let Some((module, rest)) = name.split_once('.')
        && let Some(at) = modules.iter().position(|own| *own == module)
    {
        *name = format!("{at}.{rest}");
    }
}
