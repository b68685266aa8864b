//! Whole networks against Keras and torchvision: `tests/golden/make_networks.py` ran them with weights made up from
//! their names, at full size; the same weights go through the readers' conversion here.

use std::sync::LazyLock;

use trepang_api::{Array, Backend, LayerId, Network, Reference, Weights, find_device};
use trepang_weights::{Architecture, Dialect, read_safetensors};

use crate::library::{image, repository};
use crate::made_up::{MadeUp, picture, sample};

/// Of the sample's standard deviation. The frameworks are within 1.4e-5 of the same networks in `f64`; sums here
/// run in another order, over up to 25,088 terms.
const ACTIVATION_TOLERANCE: f64 = 1e-4;

/// The root mean square of the differences, over that of the gradient. Rounding lets another number win a max pool
/// or a ReLU here and there: up to 1.3e-2 was seen between correct runs. A wrong axis, factor or padding is far
/// above it.
const GRADIENT_TOLERANCE: f64 = 3e-2;

static GOLDEN: LazyLock<Weights> = LazyLock::new(|| {
    let path = repository("tests/golden/networks.safetensors");
    read_safetensors(&std::fs::read(&path).unwrap(), &path).unwrap()
});

/// The layers that the script looked at, and the channel whose mean it differentiated.
fn looked_at(architecture: Architecture) -> (&'static [&'static str], &'static str, usize) {
    match architecture {
        Architecture::Vgg16 => (&["block1_conv2", "block3_conv1", "block5_conv3", "fc1"], "block4_conv2", 7),
        Architecture::Vgg19 => (&["block1_conv2", "block3_conv1", "block5_conv4", "fc1"], "block5_conv4", 11),
        Architecture::Resnet50 => {
            (&["pool1_pool", "conv3_block4_out", "conv5_block3_out"], "conv4_block6_out", 11)
        }
        Architecture::InceptionV3 => (&["mixed0", "mixed3", "mixed7", "mixed10"], "mixed7", 33),
        other => panic!("the script has no {other}"),
    }
}

/// A network with its made-up weights on a backend, and the name the script gave it.
struct Case {
    set: String,
    size: usize,
    architecture: Architecture,
    network: Network,
    model: Box<dyn trepang_api::Model>,
}

fn case(backend: &dyn Backend, architecture: Architecture, dialect: Dialect, size: usize) -> Case {
    let native = size >= 224;
    let (network, weights) = MadeUp::new(architecture, dialect, native).load();
    let model = backend.load(&network, &weights, &find_device(backend, "cpu").unwrap()).unwrap();
    let suffix = if dialect == Dialect::Torchvision { "-torchvision" } else { "" };
    Case { set: format!("{architecture}{suffix}"), size, architecture, network, model }
}

impl Case {
    fn golden(&self, layer: &str, part: &str) -> &'static [f32] {
        let name = format!("{}.{}.{layer}{part}", self.set, self.size);
        GOLDEN.get(&name).unwrap_or_else(|| panic!("the golden file has no {name}")).data()
    }

    /// The values at the places the script looked at.
    fn sample(&self, layer: &str, array: &Array) -> Vec<f32> {
        let name = format!("sample/{}/{}/{layer}", self.set, self.size);
        sample(&name, array.data(), self.golden(layer, ".sample").len())
    }

    fn check_activations(&mut self) {
        let (layers, ..) = looked_at(self.architecture);
        let layers: Vec<&str> = layers.iter().copied().filter(|&l| self.network.layer(l).is_ok()).collect();
        let mut at: Vec<LayerId> = layers.iter().map(|layer| self.network.layer(layer).unwrap()).collect();
        at.extend(self.network.layer("predictions").ok());
        let images = image(&picture(&format!("image/{}", self.size), self.size));
        let found = self.model.activations(&images, &at).unwrap();
        for (layer, found) in layers.iter().zip(&found) {
            self.close(layer, &self.sample(layer, found), self.golden(layer, ".sample"));
            self.close_moments(layer, found.data());
        }
        if let Some(logits) = found.get(layers.len()) {
            self.close("logits", logits.data(), self.golden("logits", ""));
        }
    }

    fn close(&self, layer: &str, found: &[f32], expected: &[f32]) {
        let (_, deviation, _) = moments(expected);
        for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
            let apart = f64::from((found - expected).abs()) / deviation;
            assert!(apart <= ACTIVATION_TOLERANCE, "{} {layer} at {at}: {found} for {expected}", self.set);
        }
    }

    /// Mean, deviation and largest of the whole activation, not only of the sample.
    fn close_moments(&self, layer: &str, found: &[f32]) {
        let expected = self.golden(layer, ".moments");
        let (mean, deviation, largest) = moments(found);
        for (found, &expected) in [mean, deviation, largest].into_iter().zip(expected) {
            let apart = (found - f64::from(expected)).abs() / f64::from(self.golden(layer, ".moments")[1]);
            assert!(apart <= ACTIVATION_TOLERANCE, "{} {layer}: {found} for {expected}", self.set);
        }
    }

    fn check_gradient(&mut self) {
        let (_, layer, channel) = looked_at(self.architecture);
        let at = [self.network.layer(layer).unwrap()];
        let images = image(&picture(&format!("image/{}", self.size), self.size));
        let mean_of_channel = &mut |activations: &[Array]| {
            let (_, shape) = activations[0].dims4()?;
            let area = shape.height * shape.width;
            let mut cotangent = Array::zeros(activations[0].shape());
            cotangent.data_mut()[channel * area..][..area].fill(1.0 / area as f32);
            Ok(vec![cotangent])
        };
        let gradient = self.model.pull_back(&images, &at, mean_of_channel).unwrap();
        let found = self.sample("gradient", &gradient);
        let expected = self.golden("gradient", ".sample");
        let square = |v: f32| f64::from(v).powi(2);
        let apart: f64 = found.iter().zip(expected).map(|(f, e)| square(f - e)).sum();
        let apart = (apart / expected.iter().map(|&e| square(e)).sum::<f64>()).sqrt();
        assert!(apart <= GRADIENT_TOLERANCE, "{} {}: the gradient is {apart:.1e} off", self.set, self.size);
    }
}

/// Mean, standard deviation, largest.
fn moments(values: &[f32]) -> (f64, f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
    let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt(), values.iter().copied().fold(f32::MIN, f32::max).into())
}

fn check_at_full_size(architecture: Architecture, dialect: Dialect) {
    let size = if architecture == Architecture::InceptionV3 { 299 } else { 224 };
    let backends = trepang::backends::backends(2).unwrap();
    let mut case = case(backends[0].as_ref(), architecture, dialect, size);
    case.check_activations();
    case.check_gradient();
}

#[test]
fn vgg16_computes_what_keras_and_torchvision_compute() {
    check_at_full_size(Architecture::Vgg16, Dialect::Keras);
    check_at_full_size(Architecture::Vgg16, Dialect::Torchvision);
}

#[test]
fn vgg19_computes_what_keras_and_torchvision_compute() {
    check_at_full_size(Architecture::Vgg19, Dialect::Keras);
    check_at_full_size(Architecture::Vgg19, Dialect::Torchvision);
}

#[test]
fn resnet50_computes_what_keras_and_torchvision_compute() {
    check_at_full_size(Architecture::Resnet50, Dialect::Keras);
    check_at_full_size(Architecture::Resnet50, Dialect::Torchvision);
}

#[test]
fn inception_v3_computes_what_keras_and_torchvision_compute() {
    check_at_full_size(Architecture::InceptionV3, Dialect::Keras);
    check_at_full_size(Architecture::InceptionV3, Dialect::Torchvision);
}

/// On a thread for each network: naive loops take long.
#[test]
fn the_reference_computes_the_same_at_a_small_size() {
    let small = [
        (Architecture::Vgg19, Dialect::Keras, 64),
        (Architecture::Vgg16, Dialect::Torchvision, 64),
        (Architecture::Resnet50, Dialect::Keras, 64),
        (Architecture::Resnet50, Dialect::Torchvision, 64),
        (Architecture::InceptionV3, Dialect::Keras, 96),
        (Architecture::InceptionV3, Dialect::Torchvision, 96),
    ];
    let check = |architecture, dialect, size| {
        let mut case = case(&Reference, architecture, dialect, size);
        case.check_activations();
        case.check_gradient();
    };
    std::thread::scope(|scope| {
        for (architecture, dialect, size) in small {
            scope.spawn(move || check(architecture, dialect, size));
        }
    });
}
