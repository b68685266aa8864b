//! Which networks there are, and in whose versions: a network trained by Keras's authors and one by
//! torchvision's differ in their names, their preprocessing and a few details. Not here: where a file keeps the
//! numbers (`layout`).

use std::fmt;

use trepang_api::networks::{Strides, efficientnet_lite0, inception_v3, minivgg, resnet50, vgg16, vgg19};
use trepang_api::{Network, Preprocess};

use crate::Result;

/// A network's structure, whoever trained it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// The embedded one.
    Minivgg,
    /// VGG with 13 convolutions.
    Vgg16,
    /// VGG with 16 convolutions.
    Vgg19,
    /// A residual network with 50 layers.
    Resnet50,
    /// Inception, third version.
    InceptionV3,
    /// EfficientNet without squeeze-and-excite.
    EfficientnetLite0,
}

/// Whose weights: this decides the preprocessing, the details in which frameworks differ, and the names in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Trepang's own training.
    Trepang,
    /// `keras.applications`; for VGG these are Oxford's Caffe weights.
    Keras,
    /// torchvision's training.
    Torchvision,
    /// torchvision's training as the timm library names it.
    Timm,
    /// The published EfficientNet-Lite, as PyTorch packages name it.
    Lite,
}

impl Architecture {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Minivgg, Self::Vgg16, Self::Vgg19, Self::Resnet50, Self::InceptionV3, Self::EfficientnetLite0];

    /// The network's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minivgg => "minivgg",
            Self::Vgg16 => "vgg16",
            Self::Vgg19 => "vgg19",
            Self::Resnet50 => "resnet50",
            Self::InceptionV3 => "inception_v3",
            Self::EfficientnetLite0 => "efficientnet_lite0",
        }
    }

    /// Whose versions of it can be read.
    pub fn dialects(self) -> &'static [Dialect] {
        match self {
            Self::Minivgg => &[Dialect::Trepang],
            Self::Vgg16 | Self::Vgg19 => &[Dialect::Keras, Dialect::Torchvision, Dialect::Timm],
            Self::Resnet50 | Self::InceptionV3 => &[Dialect::Keras, Dialect::Torchvision],
            Self::EfficientnetLite0 => &[Dialect::Lite],
        }
    }

    /// What is done to the image before `dialect`'s version of it sees it, in words.
    pub fn preprocessing(self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Self::InceptionV3, _) => "RGB of 0..255 / 127.5 - 1",
            (_, Dialect::Keras) => "BGR of 0..255 minus 103.939, 116.779, 123.68 (Caffe's)",
            (_, Dialect::Lite) => "RGB of 0..255, (x - 127) / 128",
            _ => "RGB of 0..1 minus 0.485, 0.456, 0.406, over 0.229, 0.224, 0.225",
        }
    }

    /// The network in one of its [`dialects`](Self::dialects), without or with its classifier.
    pub fn network(self, dialect: Dialect, classifier: bool) -> Result<Network> {
        let keras = dialect == Dialect::Keras;
        let preprocess = if keras { Preprocess::caffe() } else { Preprocess::imagenet() };
        Ok(match self {
            Self::Minivgg => minivgg()?,
            Self::Vgg16 => vgg16(preprocess, classifier)?,
            Self::Vgg19 => vgg19(preprocess, classifier)?,
            Self::Resnet50 => {
                resnet50(preprocess, if keras { Strides::First } else { Strides::Middle }, classifier)?
            }
            // torchvision maps its own preprocessing back to Keras's inside the network.
            Self::InceptionV3 => inception_v3(Preprocess::minus_one_to_one(), !keras, classifier)?,
            Self::EfficientnetLite0 => efficientnet_lite0(Preprocess::lite(), classifier)?,
        })
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Trepang, Self::Keras, Self::Torchvision, Self::Timm, Self::Lite];

    /// As it is written into files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trepang => "trepang",
            Self::Keras => "keras",
            Self::Torchvision => "torchvision",
            Self::Timm => "timm",
            Self::Lite => "efficientnet-lite",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
