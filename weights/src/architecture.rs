//! The known networks and the versions of each. A network trained by the Keras authors and one trained by the torchvision
//! authors differ in their layer names, their preprocessing and a few details. The names of the tensors in a file are
//! in `layout`.

use std::fmt;

use trepang_api::networks::{
    Strides, alexnet, clip_rn50, clip_rn50x4, convnext_tiny, densenet121, efficientnet_b0,
    efficientnet_lite0, googlenet, inception_v1, inception_v3, minivgg, mobilenet_v2, mobilenet_v3_large,
    regnet_y_400mf, resnet18, resnet34, resnet50, resnet101, resnet152, resnext50_32x4d, shufflenet_v2_x1_0,
    squeezenet1_1, vgg11, vgg13, vgg16, vgg16_bn, vgg19, vgg19_bn, wide_resnet50_2,
};
use trepang_api::{Network, Preprocess};

use crate::{InputFormat, InputScale, Result};

/// A network's structure, whoever trained it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Trepang's own small VGG, which is embedded in the program.
    Minivgg,
    /// VGG with 8 convolutions and 3 fully connected layers.
    Vgg11,
    /// VGG with 10 convolutions and 3 fully connected layers.
    Vgg13,
    /// VGG with 13 convolutions and 3 fully connected layers.
    Vgg16,
    /// The same with batch norm.
    Vgg16Bn,
    /// VGG with 16 convolutions and 3 fully connected layers.
    Vgg19,
    /// The same with batch norm.
    Vgg19Bn,
    /// A residual network with 18 layers.
    Resnet18,
    /// A residual network with 34 layers.
    Resnet34,
    /// A residual network with 50 layers.
    Resnet50,
    /// A residual network with 101 layers.
    Resnet101,
    /// A residual network with 152 layers.
    Resnet152,
    /// ResNet50 with blocks that are twice as wide inside.
    WideResnet50,
    /// A residual network with 50 layers and grouped convolutions.
    Resnext50,
    /// The first Inception network as Google trained it, which Lucid shows.
    InceptionV1,
    /// The third version of the Inception network.
    InceptionV3,
    /// EfficientNet-B0 without squeeze-and-excite, with ReLU6.
    EfficientnetLite0,
    /// `AlexNet`, of five convolutions.
    Alexnet,
    /// The first Inception network as torchvision has it, with batch norm.
    Googlenet,
    /// The second version of `MobileNet`, of inverted residuals.
    MobilenetV2,
    /// The third version of `MobileNet`, with gates and hard-swish.
    MobilenetV3Large,
    /// EfficientNet-B0, with gates and `SiLU`.
    EfficientnetB0,
    /// The `RegNet` of the family Y with 400 million multiplications.
    RegnetY400mf,
    /// The second version of `ShuffleNet`.
    ShufflenetV2,
    /// `SqueezeNet` 1.1, of fire modules.
    Squeezenet11,
    /// `DenseNet` with 121 layers, each of which reads all before it in its block.
    Densenet121,
    /// The smallest `ConvNeXt`, with layer norm and GELU.
    ConvnextTiny,
    /// The trunk of CLIP's `RN50`, up to its attention pool.
    ClipRn50,
    /// The trunk of CLIP's `RN50x4`.
    ClipRn50x4,
}

/// The training that weights come from. It decides the preprocessing, the details in which frameworks differ, and the
/// names of the tensors in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Trepang's own training.
    Trepang,
    /// `keras.applications`; for VGG these are Oxford's Caffe weights.
    Keras,
    /// torchvision's training, in torchvision's own names.
    Torchvision,
    /// torchvision's training as the timm library names it.
    Timm,
    /// The published EfficientNet-Lite, as PyTorch packages name it.
    Lite,
    /// `OpenAI`'s CLIP as the timm library names it.
    Clip,
    /// A frozen graph of TensorFlow 1, by the names of its constants.
    Tensorflow,
}

impl Architecture {
    /// Every architecture, in the order in which networks are listed.
    pub const ALL: [Self; 29] = [
        Self::Minivgg,
        Self::Vgg11,
        Self::Vgg13,
        Self::Vgg16,
        Self::Vgg16Bn,
        Self::Vgg19,
        Self::Vgg19Bn,
        Self::Resnet18,
        Self::Resnet34,
        Self::Resnet50,
        Self::Resnet101,
        Self::Resnet152,
        Self::WideResnet50,
        Self::Resnext50,
        Self::InceptionV1,
        Self::InceptionV3,
        Self::EfficientnetLite0,
        Self::Alexnet,
        Self::Googlenet,
        Self::MobilenetV2,
        Self::MobilenetV3Large,
        Self::EfficientnetB0,
        Self::RegnetY400mf,
        Self::ShufflenetV2,
        Self::Squeezenet11,
        Self::Densenet121,
        Self::ConvnextTiny,
        Self::ClipRn50,
        Self::ClipRn50x4,
    ];

    /// The name that users type, such as `vgg19`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minivgg => "minivgg",
            Self::Vgg11 => "vgg11",
            Self::Vgg13 => "vgg13",
            Self::Vgg16 => "vgg16",
            Self::Vgg16Bn => "vgg16_bn",
            Self::Vgg19 => "vgg19",
            Self::Vgg19Bn => "vgg19_bn",
            Self::Resnet18 => "resnet18",
            Self::Resnet34 => "resnet34",
            Self::Resnet50 => "resnet50",
            Self::Resnet101 => "resnet101",
            Self::Resnet152 => "resnet152",
            Self::WideResnet50 => "wide_resnet50_2",
            Self::Resnext50 => "resnext50_32x4d",
            Self::InceptionV1 => "inception_v1",
            Self::InceptionV3 => "inception_v3",
            Self::EfficientnetLite0 => "efficientnet_lite0",
            Self::Alexnet => "alexnet",
            Self::Googlenet => "googlenet",
            Self::MobilenetV2 => "mobilenet_v2",
            Self::MobilenetV3Large => "mobilenet_v3_large",
            Self::EfficientnetB0 => "efficientnet_b0",
            Self::RegnetY400mf => "regnet_y_400mf",
            Self::ShufflenetV2 => "shufflenet_v2_x1_0",
            Self::Squeezenet11 => "squeezenet1_1",
            Self::Densenet121 => "densenet121",
            Self::ConvnextTiny => "convnext_tiny",
            Self::ClipRn50 => "clip_rn50",
            Self::ClipRn50x4 => "clip_rn50x4",
        }
    }

    /// The trainings of this architecture whose files can be read; the first is the usual one.
    pub fn dialects(self) -> &'static [Dialect] {
        match self {
            Self::Minivgg => &[Dialect::Trepang],
            Self::Vgg16 | Self::Vgg19 => &[Dialect::Keras, Dialect::Torchvision, Dialect::Timm],
            Self::Resnet50 | Self::InceptionV3 => &[Dialect::Keras, Dialect::Torchvision],
            Self::Vgg11
            | Self::Vgg13
            | Self::Vgg16Bn
            | Self::Vgg19Bn
            | Self::Resnet18
            | Self::Resnet34
            | Self::Resnet101
            | Self::Resnet152
            | Self::WideResnet50
            | Self::Resnext50
            | Self::Alexnet
            | Self::Googlenet
            | Self::MobilenetV2
            | Self::MobilenetV3Large
            | Self::EfficientnetB0
            | Self::RegnetY400mf
            | Self::ShufflenetV2
            | Self::Squeezenet11
            | Self::Densenet121
            | Self::ConvnextTiny => &[Dialect::Torchvision],
            Self::ClipRn50 | Self::ClipRn50x4 => &[Dialect::Clip],
            Self::EfficientnetLite0 => &[Dialect::Lite],
            Self::InceptionV1 => &[Dialect::Tensorflow],
        }
    }

    /// Describes in words how an image is preprocessed for `dialect`'s version of this network.
    pub fn preprocessing(self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Self::InceptionV3 | Self::Googlenet, _) => "RGB of 0..255 / 127.5 - 1",
            (_, Dialect::Keras) => "BGR of 0..255 minus 103.939, 116.779, 123.68 (Caffe's)",
            (_, Dialect::Clip) => {
                "RGB of 0..1 minus 0.48145466, 0.4578275, 0.40821073, over 0.26862954, 0.26130258, 0.27577711"
            }
            (_, Dialect::Tensorflow) => "RGB of 0..255 minus 117",
            (_, Dialect::Lite) => "RGB of 0..255, (x - 127) / 128",
            _ => "RGB of 0..1 minus 0.485, 0.456, 0.406, over 0.229, 0.224, 0.225",
        }
    }

    /// Builds the network in one of its [`dialects`](Self::dialects), with or without its classifier.
    pub fn network(self, dialect: Dialect, classifier: bool) -> Result<Network> {
        let keras = dialect == Dialect::Keras;
        let preprocess = if keras { Preprocess::caffe() } else { Preprocess::imagenet() };
        Ok(match self {
            Self::Minivgg => minivgg()?,
            Self::Vgg11 => vgg11(preprocess, classifier)?,
            Self::Vgg13 => vgg13(preprocess, classifier)?,
            Self::Vgg16 => vgg16(preprocess, classifier)?,
            Self::Vgg16Bn => vgg16_bn(preprocess, classifier)?,
            Self::Vgg19 => vgg19(preprocess, classifier)?,
            Self::Vgg19Bn => vgg19_bn(preprocess, classifier)?,
            Self::Resnet50 => {
                resnet50(preprocess, if keras { Strides::First } else { Strides::Middle }, classifier)?
            }
            Self::Resnet18 => resnet18(preprocess, classifier)?,
            Self::Resnet34 => resnet34(preprocess, classifier)?,
            Self::Resnet101 => resnet101(preprocess, classifier)?,
            Self::Resnet152 => resnet152(preprocess, classifier)?,
            Self::WideResnet50 => wide_resnet50_2(preprocess, classifier)?,
            Self::Resnext50 => resnext50_32x4d(preprocess, classifier)?,
            // torchvision maps its own preprocessing back to Keras's inside the network.
            Self::InceptionV3 => inception_v3(Preprocess::minus_one_to_one(), !keras, classifier)?,
            Self::InceptionV1 => inception_v1(Preprocess::inception_v1(), classifier)?,
            Self::EfficientnetLite0 => efficientnet_lite0(Preprocess::lite(), classifier)?,
            Self::Googlenet => googlenet(Preprocess::minus_one_to_one(), classifier)?,
            Self::Alexnet => alexnet(preprocess, classifier)?,
            Self::MobilenetV2 => mobilenet_v2(preprocess, classifier)?,
            Self::MobilenetV3Large => mobilenet_v3_large(preprocess, classifier)?,
            Self::EfficientnetB0 => efficientnet_b0(preprocess, classifier)?,
            Self::RegnetY400mf => regnet_y_400mf(preprocess, classifier)?,
            Self::ShufflenetV2 => shufflenet_v2_x1_0(preprocess, classifier)?,
            Self::Squeezenet11 => squeezenet1_1(preprocess, classifier)?,
            Self::Densenet121 => densenet121(preprocess, classifier)?,
            Self::ConvnextTiny => convnext_tiny(preprocess, classifier)?,
            Self::ClipRn50 => clip_rn50(clip_input())?,
            Self::ClipRn50x4 => clip_rn50x4(clip_input())?,
        })
    }
}

/// The preprocessing of `OpenAI`'s CLIP.
fn clip_input() -> Preprocess {
    InputFormat { scale: InputScale::Clip, bgr: false }.preprocess()
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Dialect {
    /// Every dialect, in the order of the variants.
    pub const ALL: [Self; 7] =
        [Self::Trepang, Self::Keras, Self::Torchvision, Self::Timm, Self::Lite, Self::Clip, Self::Tensorflow];

    /// The name that is written into the metadata of files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trepang => "trepang",
            Self::Keras => "keras",
            Self::Torchvision => "torchvision",
            Self::Timm => "timm",
            Self::Lite => "efficientnet-lite",
            Self::Clip => "clip",
            Self::Tensorflow => "tensorflow",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
