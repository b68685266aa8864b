//! Weights out of names: a whole network of any size without a file, the same numbers in every language. With them
//! frameworks can be compared on a network that nobody has pulled. Not for looking at: such a network sees nothing.

use std::collections::BTreeMap;
use std::path::Path;

use trepang_api::Array;

use crate::{
    Architecture, Dialect, Format, Labels, Origin, Result, Source, TensorInfo, Trained, first_look, fit,
    tensors_of,
};

/// The name of such weights.
const NAME: &str = "made-up";

/// The 64-bit FNV-1a hash of a name.
fn key(name: &str) -> u64 {
    name.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// splitmix64's numbers for a name, without end.
pub fn words(name: &str) -> impl Iterator<Item = u64> {
    let key = key(name);
    (1..).map(move |i: u64| {
        let mut z = key.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

/// Numbers within `scale` of `offset`.
fn uniform(name: &str, len: usize, scale: f32, offset: f32) -> Vec<f32> {
    let unit = |z: u64| (z >> 40) as f32 * f32::from_bits(0x3400_0000) - 1.0; // 2^-23
    words(name).take(len).map(|z| offset + scale * unit(z)).collect()
}

/// A weights file that is not there: every tensor of a network in one version, made up from its name.
#[derive(Debug)]
pub struct MadeUp {
    architecture: Architecture,
    dialect: Dialect,
    /// What the names of the numbers begin with.
    prefix: &'static str,
    tensors: Vec<TensorInfo>,
    metadata: BTreeMap<String, String>,
}

/// The prefix of weights on which an ascent is well conditioned: kernels whose numbers are positive on the mean, so that
/// rounding lets few ReLUs and max pools fall the other way.
const SEED: &str = "seed";

impl MadeUp {
    /// Weights for `architecture` as `dialect` keeps them, without or with the classifier.
    pub fn new(architecture: Architecture, dialect: Dialect, classifier: bool) -> Result<Self> {
        let tensors = tensors_of(architecture, dialect, classifier)?;
        Ok(Self { architecture, dialect, prefix: dialect.name(), tensors, metadata: BTreeMap::new() })
    }

    /// Keras's VGG19 without its classifier, and with kernels whose mean is positive.
    pub fn for_the_seed() -> Result<Self> {
        Ok(Self { prefix: SEED, ..Self::new(Architecture::Vgg19, Dialect::Keras, false)? })
    }

    /// The network with these weights, which take the way that a real file takes.
    pub fn load(&self) -> Result<Trained> {
        let fit = fit(self.architecture, self)?;
        Ok(Trained {
            name: format!("{}-{NAME}", self.architecture),
            weights: fit.weights(self, &mut |_, _| true)?,
            network: fit.network,
            labels: Labels::default(),
            first_look: first_look(self.architecture),
            origin: Origin::MadeUp,
        })
    }

    /// The scale and the offset of a tensor, by what it is.
    fn range(&self, tensor: &TensorInfo) -> (f32, f32) {
        let (shape, name) = (&tensor.shape, tensor.name.as_str());
        if shape.len() > 1 {
            let all: usize = shape.iter().product();
            let outputs = if self.dialect == Dialect::Keras { shape[shape.len() - 1] } else { shape[0] };
            let fan_in = (all / outputs) as f64;
            return match self.prefix {
                SEED => ((1.0 / fan_in).sqrt() as f32, (1.1 / fan_in) as f32),
                _ => ((6.0 / fan_in).sqrt() as f32, 0.0),
            };
        }
        let is_gamma = name.ends_with("/gamma") || (name.ends_with(".weight") && shape.len() == 1);
        match name {
            _ if is_gamma && self.architecture == Architecture::Resnet50 => (0.1, 0.5),
            _ if is_gamma => (0.1, 1.0),
            _ if name.ends_with("variance") || name.ends_with("running_var") => (0.3, 1.0),
            _ => (0.1, 0.0),
        }
    }
}

impl Source for MadeUp {
    fn format(&self) -> Format {
        match self.dialect {
            Dialect::Keras => Format::KerasLegacy,
            _ => Format::PytorchZip,
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
