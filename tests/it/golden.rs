//! A network on a backend, held against what another framework computed: samples of its activations, their moments, and
//! of a gradient, in a file that a script of `tests/golden` wrote. Not here: which networks, and with which weights.

use std::path::Path;

use trepang::engine::Picture;
use trepang_api::conformance::{MAX_DECISIONS, NEAR_TIE, Residual, near_ties};
use trepang_api::{Array, Backend, LayerId, Model, Network, ReluGradient, Weights, find_device};
use trepang_weights::read_safetensors;

use crate::library::{image, repository};
use crate::made_up::sample;

/// Of the sample's standard deviation. The frameworks are within 1.4e-5 of the same networks in `f64`; sums here
/// run in another order, over up to 25,088 terms.
const ACTIVATION_TOLERANCE: f64 = 1e-4;

/// What a script wrote.
pub(crate) fn read(file: &str) -> Weights {
    let path = repository("tests/golden").join(file);
    read_safetensors(&std::fs::read(&path).unwrap(), Path::new(file)).unwrap()
}

/// A network with its weights on a backend, and the name that the script gave both.
pub(crate) struct Case {
    golden: &'static Weights,
    set: String,
    size: usize,
    network: Network,
    model: Box<dyn Model>,
}

impl Case {
    pub(crate) fn new(
        golden: &'static Weights,
        (set, size): (String, usize),
        (network, weights): (Network, Weights),
        backend: &dyn Backend,
    ) -> Self {
        let cpu = find_device(backend, "cpu").unwrap();
        let model = backend.load(&network, &weights, &cpu).unwrap();
        Self { golden, set, size, network, model }
    }

    fn golden(&self, layer: &str, part: &str) -> &'static [f32] {
        let name = format!("{}.{}.{layer}{part}", self.set, self.size);
        self.golden.get(&name).unwrap_or_else(|| panic!("the golden file has no {name}")).data()
    }

    /// The values at the places the script looked at.
    fn sample(&self, layer: &str, array: &Array) -> Vec<f32> {
        let name = format!("sample/{}/{}/{layer}", self.set, self.size);
        sample(&name, array.data(), self.golden(layer, ".sample").len())
    }

    /// Those of the layers that the network has, and its logits if it has a classifier.
    pub(crate) fn check_activations(&mut self, picture: &Picture, layers: &[&str]) {
        let layers: Vec<&str> = layers.iter().copied().filter(|&l| self.network.layer(l).is_ok()).collect();
        let mut at: Vec<LayerId> = layers.iter().map(|layer| self.network.layer(layer).unwrap()).collect();
        at.extend(self.network.logits());
        let found = self.model.activations(&image(picture), &at).unwrap();
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

    /// d(mean of a channel)/d(RGB), where the script looked at it.
    fn gradient(&mut self, picture: &Picture, layer: LayerId, channel: usize) -> Vec<f32> {
        let mean_of_channel = &mut |activations: &[Array]| {
            let (_, shape) = activations[0].dims4()?;
            let area = shape.height * shape.width;
            let mut cotangent = Array::zeros(activations[0].shape());
            cotangent.data_mut()[channel * area..][..area].fill(1.0 / area as f32);
            Ok(vec![cotangent])
        };
        let gradient =
            self.model.pull_back(&image(picture), &[layer], ReluGradient::True, mean_of_channel).unwrap();
        self.sample("gradient", &gradient)
    }

    /// The gradient of a channel's mean: the root mean square of the differences at the places looked at, over that of
    /// the gradient there.
    pub(crate) fn check_gradient(
        &mut self,
        picture: &Picture,
        (layer, channel): (&str, usize),
        tolerance: f64,
    ) {
        let layer = self.network.layer(layer).unwrap();
        let found = self.gradient(picture, layer, channel);
        let expected = self.golden("gradient", ".sample");
        let apart = length(Residual::new(&found, expected).rest()) / length(expected);
        assert!(apart <= tolerance, "{} {}: the gradient is {apart:.1e} off", self.set, self.size);
    }

    /// The same without what the nearest ties explain. `jumps` is the network on a fast backend, which is asked for the
    /// gradient of each.
    pub(crate) fn check_gradient_but_for_near_ties(
        &mut self,
        picture: &Picture,
        (layer, channel): (&str, usize),
        tolerance: f64,
        jumps: &mut dyn Model,
    ) {
        let apart = self.apart_but_for_near_ties(picture, (layer, channel), tolerance, jumps);
        assert!(apart <= tolerance, "{} {}: the gradient is {apart:.1e} off", self.set, self.size);
    }

    pub(crate) fn apart_but_for_near_ties(
        &mut self,
        picture: &Picture,
        (layer, channel): (&str, usize),
        tolerance: f64,
        jumps: &mut dyn Model,
    ) -> f64 {
        let layer = self.network.layer(layer).unwrap();
        let found = self.gradient(picture, layer, channel);
        let expected = self.golden("gradient", ".sample");
        let mut residual = Residual::new(&found, expected);
        let apart = |residual: &Residual| length(residual.rest()) / length(expected);
        if apart(&residual) <= tolerance {
            return apart(&residual);
        }
        let picture = image(picture);
        let near = near_ties(&self.network, layer, &picture, self.model.as_mut(), NEAR_TIE).unwrap();
        for tie in near.iter().take(MAX_DECISIONS) {
            let jump = tie.pull_back(&picture, jumps).unwrap();
            residual.remove(self.sample("gradient", &jump));
            if apart(&residual) <= tolerance {
                break;
            }
        }
        apart(&residual)
    }
}

/// The root of the sum of squares.
fn length(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

/// Mean, standard deviation, largest.
fn moments(values: &[f32]) -> (f64, f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
    let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt(), values.iter().copied().fold(f32::MIN, f32::max).into())
}
