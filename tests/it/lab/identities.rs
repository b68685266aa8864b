//! What must hold of attributions and ablations whatever the numbers are.

use trepang::lab::{
    Against, ChannelSlopes, Margin, Remover, Tail, deletion, flip_count, gradient_times_activation, rank,
    slopes,
};
use trepang_api::{Array, Model, Network, Weights};
use trepang_weights::{Architecture, Dialect, MadeUp, Trained, minivgg};

use super::small::{Small, hidden, residual};
use crate::library::{default_backend, image, on_default};
use crate::made_up::picture;

/// The shortcut by columns against running the tail anew, of the largest logit.
const SHORTCUT_TOLERANCE: f64 = 1e-5;

/// A run from a frontier against the direct run, of the largest entry.
const START_TOLERANCE: f64 = 1e-5;

/// The step of differences of a margin in a channel, and how far they may be off the slope, of the largest: within a step some
/// ReLUs open or close.
const SLOPE_STEP: f32 = 1e-3;
const SLOPE_TOLERANCE: f64 = 0.02;

fn model(network: &Network, weights: &Weights) -> Box<dyn Model> {
    let backend = default_backend(2);
    let cpu = trepang_api::find_device(backend.as_ref(), "cpu").unwrap();
    backend.load(network, weights, &cpu).unwrap()
}

/// The columns of a fully connected layer, and running the tail anew, give the same logits for single channels, for
/// several, for all and for none.
fn check_removal(network: &Network, weights: &Weights, layer: &str, size: usize) {
    let mut model = model(network, weights);
    let layer = network.layer(layer).unwrap();
    let photo = image(&picture(&format!("image/{size}"), size));
    let mut tail = Tail::new(model.as_mut(), network, &photo, layer).unwrap();
    let other = tail.activation_of(&image(&picture("other", size))).unwrap();
    let short = Remover::new(&mut tail, weights, other.clone()).unwrap();
    let long = Remover::by_rerunning(&tail, other).unwrap();
    let mut sets: Vec<Vec<usize>> = (0..tail.channels()).map(|channel| vec![channel]).collect();
    sets.extend([Vec::new(), vec![5, 1, 3], (0..tail.channels()).collect()]);
    let largest = tail.logits().iter().fold(0.0_f32, |most, logit| most.max(logit.abs()));
    let (short, long) = (short.logits(&mut tail, &sets).unwrap(), long.logits(&mut tail, &sets).unwrap());
    for ((set, short), long) in sets.iter().zip(&short).zip(&long) {
        let apart = short.iter().zip(long).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max);
        assert!(apart <= SHORTCUT_TOLERANCE * f64::from(largest), "{set:?}: {apart}");
    }
    assert_ne!(short[0], short[1], "the channels differ");
}

#[test]
fn removing_by_columns_is_running_the_tail_anew() {
    let Small { network, weights, .. } = hidden();
    for layer in ["conv2", "conv2:pre", "flatten", "fc1", "fc1:pre", "conv1"] {
        check_removal(&network, &weights, layer, 8);
    }
    let Trained { network, weights, .. } = minivgg().unwrap();
    check_removal(&network, &weights, "block5_conv2", 64);
    let Small { network, weights, .. } = residual();
    check_removal(&network, &weights, "conv2", 8);
    check_removal(&network, &weights, "conv3", 8);
}

/// minivgg ends in a global average and a fully connected layer, so a channel's attribution is its weights times its mean.
#[test]
fn behind_a_global_average_attribution_is_weight_times_mean() {
    let trained = minivgg().unwrap();
    let layer = trained.network.layer("block5_conv2").unwrap();
    let mut model = on_default(&trained);
    let photo = image(&picture("image/64", 64));
    let mut tail = Tail::new(model.as_mut(), &trained.network, &photo, layer).unwrap();
    let margin = Margin { class: 7, against: Against::Class(30) };
    let ChannelSlopes { attributions: found, weights: slopes } = slopes(&mut tail, margin).unwrap();
    let weights = trained.weights.get("predictions.weight").unwrap();
    let (channels, activation) = (tail.channels(), tail.activation());
    for (channel, found) in found.iter().enumerate() {
        let plane = activation.data()[16 * channel..][..16].iter().map(|&a| f64::from(a)).sum::<f64>() / 16.0;
        let weight = |class: usize| f64::from(weights.data()[class * channels + channel]);
        let expected = (weight(7) - weight(30)) * plane;
        assert!((found - expected).abs() < 1e-5, "{channel}: {found} and {expected}");
        let slope = slopes[channel];
        assert!((slope - (weight(7) - weight(30))).abs() < 1e-5, "{channel}: its weight is {slope}");
    }
}

/// A channel's weight is what the margin gains when the channel rises everywhere, by central differences.
#[test]
fn a_channels_weight_is_the_slope_of_the_margin_in_it() {
    let Small { network, weights, layer } = hidden();
    let mut model = model(&network, &weights);
    let photo = image(&picture("image/8", 8));
    let mut tail = Tail::new(model.as_mut(), &network, &photo, layer).unwrap();
    let margin = Margin { class: 3, against: Against::Class(5) };
    let found = slopes(&mut tail, margin).unwrap().weights;
    let largest = found.iter().fold(0.0_f64, |most, weight| most.max(weight.abs()));
    let mut moved = |by: f32| {
        let data = tail.activation().data().iter().map(|value| value + by).collect();
        let risen = Array::new(tail.activation().shape(), data).unwrap();
        let remover = Remover::by_rerunning(&tail, risen).unwrap();
        let sets: Vec<Vec<usize>> = (0..found.len()).map(|channel| vec![channel]).collect();
        let logits = remover.logits(&mut tail, &sets).unwrap();
        logits.iter().map(|logits| margin.of(logits)).collect::<Vec<_>>()
    };
    let (up, down) = (moved(SLOPE_STEP), moved(-SLOPE_STEP));
    for (channel, weight) in found.iter().enumerate() {
        let measured = (up[channel] - down[channel]) / (2.0 * f64::from(SLOPE_STEP));
        let apart = (measured - weight).abs();
        assert!(apart <= SLOPE_TOLERANCE * largest, "{channel}: {measured} and {weight}");
    }
}

#[test]
fn a_deletion_curve_ends_at_what_no_channel_carries() {
    let Small { network, weights, layer } = hidden();
    let mut model = model(&network, &weights);
    let photo = image(&picture("image/8", 8));
    let mut tail = Tail::new(model.as_mut(), &network, &photo, layer).unwrap();
    let margin = Margin { class: 3, against: Against::LogSumExp };
    let zero = Array::zeros(tail.activation().shape());
    let remover = Remover::by_rerunning(&tail, zero.clone()).unwrap();
    let parts = gradient_times_activation(&mut tail, margin).unwrap();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|&a, &b| parts[b].total_cmp(&parts[a]));
    let found = deletion(&mut tail, margin, &[&remover], &order, 1).unwrap();
    assert_eq!((found.counts.len(), found.counts[0], found.counts[10]), (11, 0, order.len()));
    let empty = remover.logits(&mut tail, &[order.clone()]).unwrap();
    for curve in [&found.ordered, &found.random, &found.reversed] {
        assert!((curve.margins[0] - margin.of(tail.logits())).abs() < 1e-9);
        assert!((curve.margins[10] - margin.of(&empty[0])).abs() < 1e-9);
    }
    let first = remover.logits(&mut tail, &[order[..found.counts[1]].to_vec()]).unwrap();
    assert!((found.ordered.margins[1] - margin.of(&first[0])).abs() < 1e-9);
    assert!(found.ordered.area < found.reversed.area, "{found:?}");
    assert_ne!(found.random, deletion(&mut tail, margin, &[&remover], &order, 2).unwrap().random);
}

#[test]
fn the_flip_count_is_the_first_prefix_that_changes_the_class() {
    let Small { network, weights, layer } = hidden();
    let mut model = model(&network, &weights);
    let photo = image(&picture("image/8", 8));
    let mut tail = Tail::new(model.as_mut(), &network, &photo, layer).unwrap();
    let zero = Array::zeros(tail.activation().shape());
    let remover = Remover::by_rerunning(&tail, zero).unwrap();
    let logits = tail.logits().to_vec();
    let class = (0..10).find(|&class| rank(class, &logits) == 1).unwrap();
    let margin = Margin { class, against: Against::LogSumExp };
    let order: Vec<usize> = (0..tail.channels()).collect();
    let found = flip_count(&mut tail, margin, &[&remover], &order).unwrap();
    let ranks: Vec<usize> = (0..=order.len())
        .map(|count| rank(class, &remover.logits(&mut tail, &[order[..count].to_vec()]).unwrap()[0]))
        .collect();
    assert_eq!(found, ranks.iter().position(|&rank| rank > 1), "{ranks:?}");
    let behind = Margin { class: (class + 1) % 10, ..margin };
    assert_eq!(flip_count(&mut tail, behind, &[&remover], &order).unwrap(), Some(0));
}

/// Every frontier of a network of each kind, on a small picture: the run from there is the direct run.
#[test]
fn runs_from_every_frontier_are_the_direct_run() {
    let made_up = |architecture, dialect| MadeUp::new(architecture, dialect, false).unwrap().load().unwrap();
    let networks = [
        (minivgg().unwrap(), 64),
        (made_up(Architecture::Resnet18, Dialect::Torchvision), 64),
        (made_up(Architecture::EfficientnetLite0, Dialect::Lite), 64),
        (made_up(Architecture::InceptionV3, Dialect::Torchvision), 96),
    ];
    for (trained, size) in networks {
        let Trained { network, weights, .. } = trained;
        let mut model = model(&network, &weights);
        let last = network.layers().last().unwrap();
        let photo = image(&picture(&format!("image/{size}"), size));
        let layers: Vec<_> = network.layers().step_by(7).collect();
        for layer in layers {
            let frontier = network.frontier(layer).unwrap();
            let mut direct = model.activations(&photo, &[&frontier[..], &[last]].concat()).unwrap();
            let expected = direct.pop().unwrap();
            let start: Vec<_> = frontier.into_iter().zip(direct).collect();
            let found = model.activations_from(&start, &[last]).unwrap().swap_remove(0);
            let apart = trepang_api::conformance::relative_difference(found.data(), expected.data());
            let name = &network.node(layer).unwrap().name;
            assert!(apart <= START_TOLERANCE, "{} from {name}: {apart}", network.name());
        }
    }
}
