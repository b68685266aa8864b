//! Attributions, integrated gradients and ablations against Captum's.

use std::sync::LazyLock;

use safetensors::SafeTensors;
use trepang::lab::{Against, Margin, Remover, Tail, attribute, groups, singles};
use trepang_api::{Array, LayerId, Network, Weights, find_device};
use trepang_weights::{Architecture, Dialect, MadeUp, minivgg};

use super::small::{Small, hidden, residual};
use crate::golden::read;
use crate::library::{fast_backends, image, repository};
use crate::made_up::picture;

/// Of the largest attribution (of the largest entry, for integrated gradients and ablations): sums of `f32` products
/// against sums in `f64`.
const TOLERANCE: f64 = 1e-4;

/// The least difference of attributions and integrated gradients on a tail with two hidden layers, of the largest: a tail
/// without a kink would have none.
const TWO_MEASURES: f64 = 0.1;

static GOLDEN: LazyLock<Weights> = LazyLock::new(|| read("lab.safetensors"));

/// A network at the layer and on the picture that the script ran it with.
struct Case {
    name: &'static str,
    network: Network,
    weights: Weights,
    layer: LayerId,
    size: usize,
}

impl Case {
    fn small(name: &'static str, Small { network, weights, layer }: Small) -> Self {
        Self { name, network, weights, layer, size: 8 }
    }

    fn minivgg(name: &'static str, layer: &str) -> Self {
        let trained = minivgg().unwrap();
        let layer = trained.network.layer(layer).unwrap();
        Self { name, network: trained.network, weights: trained.weights, layer, size: 64 }
    }

    fn golden(&self, part: &str) -> Vec<f64> {
        let name = format!("{}.{part}", self.name);
        let found = GOLDEN.get(&name).unwrap_or_else(|| panic!("the golden file has no {name}"));
        found.data().iter().copied().map(f64::from).collect()
    }

    /// The class and the rival that the script chose.
    fn margin(&self) -> Margin {
        let bytes = std::fs::read(repository("tests/golden/lab.safetensors")).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let text = header.metadata().as_ref().unwrap()[self.name].clone();
        let (class, rival) = text.split_once(' ').unwrap();
        let against = rival.parse().map_or(Against::LogSumExp, Against::Class);
        Margin { class: class.parse().unwrap(), against }
    }

    fn check(&self) {
        for backend in fast_backends(2) {
            let cpu = find_device(backend.as_ref(), "cpu").unwrap();
            let mut model = backend.load(&self.network, &self.weights, &cpu).unwrap();
            let picture = image(&picture(&format!("image/{}", self.size), self.size));
            let mut tail = Tail::new(model.as_mut(), &self.network, &picture, self.layer).unwrap();
            let margin = self.margin();
            let zero = Array::zeros(tail.activation().shape());
            let remover = Remover::new(&mut tail, &self.weights, zero.clone()).unwrap();
            let found = attribute(&mut tail, margin, &zero, &remover).unwrap();
            let attribution = self.golden("attribution");
            let largest = attribution.iter().fold(0.0_f64, |most, part| most.max(part.abs()));
            assert!((found.value - self.golden("margin")[0]).abs() <= TOLERANCE * largest, "{}", self.name);
            let in_order = |number: fn(&trepang::lab::ChannelShare) -> f64| {
                let mut numbers = vec![0.0; attribution.len()];
                found.channels.iter().for_each(|channel| numbers[channel.channel] = number(channel));
                numbers
            };
            self.near("attribution", &in_order(|channel| channel.attribution));
            self.near("integrated", &in_order(|channel| channel.integrated));
            self.near("ablation", &in_order(|channel| channel.ablation));
            let effects = singles(&mut tail, margin, &[&remover]).unwrap();
            let together =
                groups(&mut tail, margin, &[&remover], (&found.order(), &effects), &[3, 5]).unwrap();
            let joint: Vec<f64> = together.iter().map(|group| group.joint).collect();
            self.near("joint", &joint);
            let sum: f64 = found.channels.iter().map(|channel| channel.attribution).sum();
            assert!((sum + found.bias - found.value).abs() <= 1e-5 * found.value.abs(), "{}", self.name);
        }
    }

    fn near(&self, part: &str, found: &[f64]) {
        let expected = self.golden(part);
        assert_eq!(found.len(), expected.len(), "{} {part}", self.name);
        let largest = expected.iter().fold(0.0_f64, |most, number| most.max(number.abs()));
        for (channel, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let apart = (found - expected).abs() / largest;
            assert!(apart <= TOLERANCE, "{} {part}, channel {channel}: {found} and {expected}", self.name);
        }
    }
}

#[test]
fn minivgg_is_split_as_captum_splits_it() {
    Case::minivgg("minivgg.block5_conv2", "block5_conv2").check();
    Case::minivgg("minivgg.block4_conv1", "block4_conv1").check();
    Case::minivgg("minivgg.logsumexp", "block5_conv2").check();
}

#[test]
fn two_hidden_layers_are_split_as_captum_splits_them() {
    let case = Case::small("hidden", hidden());
    case.check();
    let (attribution, integrated) = (case.golden("attribution"), case.golden("integrated"));
    let largest = attribution.iter().fold(0.0_f64, |most, part| most.max(part.abs()));
    let apart = attribution.iter().zip(&integrated).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart > TWO_MEASURES * largest, "the two measures are only {apart} apart");
}

#[test]
fn a_branch_is_split_with_its_shortcut_as_it_is() {
    Case::small("residual", residual()).check();
}

#[test]
#[ignore = "560 MB of made-up weights; part of .ci/full"]
fn vgg16_is_split_as_captum_splits_it() {
    let trained = MadeUp::new(Architecture::Vgg16, Dialect::Torchvision, true).unwrap().load().unwrap();
    let layer = trained.network.layer("features.29").unwrap();
    let (network, weights) = (trained.network, trained.weights);
    Case { name: "vgg16.features.29", network, weights, layer, size: 224 }.check();
}
