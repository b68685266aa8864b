//! Pseudo-random weights that are computed from the names of the tensors: the same numbers in every programming language,
//! without a file. Frameworks can be compared with them on a network that has not been pulled. Pictures of such a network
//! show nothing.

use std::collections::BTreeMap;
use std::path::Path;

use trepang_api::Array;

use crate::{
    Architecture, Dialect, FileFormat, Labels, Result, Taken, TensorInfo, TensorSource, Trained,
    WeightsOrigin, first_look, fit, tensors_of,
};

/// The name that errors and tables give these weights.
const NAME: &str = "made-up";

/// The 64-bit FNV-1a hash of a name.
fn key(name: &str) -> u64 {
    name.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// An endless sequence of random numbers for a name: splitmix64, seeded with the name's hash.
pub fn words(name: &str) -> impl Iterator<Item = u64> {
    let key = key(name);
    (1..).map(move |i: u64| {
        let mut z = key.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

/// `len` random numbers between `offset - scale` and `offset + scale`.
fn uniform(name: &str, len: usize, scale: f32, offset: f32) -> Vec<f32> {
    let unit = |z: u64| (z >> 40) as f32 * f32::from_bits(0x3400_0000) - 1.0; // 2^-23
    words(name).take(len).map(|z| offset + scale * unit(z)).collect()
}

/// Stands for a weights file: it has every tensor of one version of a network, with numbers computed from the tensor's
/// name.
#[derive(Debug)]
pub struct MadeUp {
    architecture: Architecture,
    dialect: Dialect,
    /// The prefix of the names from which the numbers are computed.
    prefix: &'static str,
    tensors: Vec<TensorInfo>,
    metadata: BTreeMap<String, String>,
}

/// The prefix of weights on which an ascent is well conditioned: the numbers of a kernel have a positive mean, so that
/// rounding changes the decision of few ReLUs and max pools.
const POSITIVE_MEAN_PREFIX: &str = "seed";

impl MadeUp {
    /// Weights for `architecture` in the layout of `dialect`, with or without the classifier.
    pub fn new(architecture: Architecture, dialect: Dialect, classifier: bool) -> Result<Self> {
        let tensors = tensors_of(architecture, dialect, classifier)?;
        Ok(Self { architecture, dialect, prefix: dialect.name(), tensors, metadata: BTreeMap::new() })
    }

    /// Weights for Keras's VGG19 without its classifier, with kernels whose mean is positive. Golden files of
    /// ascents were made with them.
    pub fn for_the_seed() -> Result<Self> {
        Ok(Self { prefix: POSITIVE_MEAN_PREFIX, ..Self::new(Architecture::Vgg19, Dialect::Keras, false)? })
    }

    /// Loads the network with these weights through the same conversion that a real file takes.
    pub fn load(&self) -> Result<Trained> {
        let fit = fit(self.architecture, self)?;
        Ok(Trained {
            name: format!("{}-{NAME}", self.architecture),
            weights: fit.weights(self, &mut |_, _| true)?,
            network: fit.network,
            labels: Labels::default(),
            first_look: (first_look(self.architecture).0.into(), first_look(self.architecture).1),
            origin: WeightsOrigin::MadeUp,
            taken: Taken::default(),
        })
    }

    /// The scale and the offset of a tensor's numbers, by its role: kernel, gamma, variance or any other vector.
    fn range(&self, tensor: &TensorInfo) -> (f32, f32) {
        let (shape, name) = (&tensor.shape, tensor.name.as_str());
        if name.ends_with("layer_scale") {
            return (0.1, 0.5);
        }
        if shape.len() > 1 {
            let all: usize = shape.iter().product();
            let is_last = matches!(self.dialect, Dialect::Keras | Dialect::Tensorflow);
            let outputs = if is_last { shape[shape.len() - 1] } else { shape[0] };
            let fan_in = (all / outputs) as f64;
            return match self.prefix {
                POSITIVE_MEAN_PREFIX => ((1.0 / fan_in).sqrt() as f32, (1.1 / fan_in) as f32),
                _ => ((6.0 / fan_in).sqrt() as f32, 0.0),
            };
        }
        let is_gamma = name.ends_with("/gamma") || (name.ends_with(".weight") && shape.len() == 1);
        match name {
            _ if is_gamma => (0.1, gamma_offset(self.architecture)),
            _ if name.ends_with("variance") || name.ends_with("running_var") => (0.3, 1.0),
            _ => (0.1, 0.0),
        }
    }
}

/// The mean of a batch norm's gammas. In residual networks it is small, since activations grow from block to block.
fn gamma_offset(architecture: Architecture) -> f32 {
    match architecture {
        Architecture::Resnet18
        | Architecture::Resnet34
        | Architecture::Resnet50
        | Architecture::Resnet101
        | Architecture::Resnet152
        | Architecture::WideResnet50
        | Architecture::Resnext50
        | Architecture::MobilenetV2
        | Architecture::MobilenetV3Large
        | Architecture::EfficientnetB0
        | Architecture::RegnetY400mf
        | Architecture::ClipRn50
        | Architecture::ClipRn50x4 => 0.5,
        Architecture::Minivgg
        | Architecture::Vgg11
        | Architecture::Vgg13
        | Architecture::Vgg16
        | Architecture::Vgg16Bn
        | Architecture::Vgg19
        | Architecture::Vgg19Bn
        | Architecture::InceptionV1
        | Architecture::InceptionV3
        | Architecture::EfficientnetLite0
        | Architecture::Alexnet
        | Architecture::Googlenet
        | Architecture::ShufflenetV2
        | Architecture::Squeezenet11
        | Architecture::Densenet121
        | Architecture::ConvnextTiny => 1.0,
    }
}

impl TensorSource for MadeUp {
    fn format(&self) -> FileFormat {
        match self.dialect {
            Dialect::Keras => FileFormat::KerasLegacy,
            Dialect::Tensorflow => FileFormat::GraphDef,
            Dialect::Trepang | Dialect::Torchvision | Dialect::Timm | Dialect::Lite | Dialect::Clip => {
                FileFormat::PytorchZip
            }
        }
    }

    fn path(&self) -> &Path {
        Path::new(NAME)
    }

    fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    fn read(&self, index: usize) -> Result<Array> {
        let tensor = &self.tensors[index];
        let (scale, offset) = self.range(tensor);
        let name = format!("{}/{}", self.prefix, tensor.name);
        Ok(Array::new(&*tensor.shape, uniform(&name, tensor.shape.iter().product(), scale, offset))?)
    }

    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }
}
