//! A single neuron is computed on the part of the image that it sees: what comes out must be what the whole image gives.

use trepang::engine::Objective;
use trepang_api::conformance::PulledBack;
use trepang_api::{Array, ReluGradient};
use trepang_weights::minivgg;

use crate::library::{apart, image, noise_picture, on_default};

/// Other sizes take other kernels, whose rounding differs by some 1e-6 of the largest number.
const TOLERANCE: f64 = 1e-5;

fn neuron(layer: &str, [channel, y, x]: [usize; 3]) -> Objective {
    Objective::Neuron { layer: layer.into(), channel, y, x }
}

/// The value and d/d(image) with the whole image given to the model.
fn on_the_whole(layer: &str, at: [usize; 3], picture: &Array) -> (f64, Array) {
    let trained = minivgg().unwrap();
    let layers = [trained.network.layer(layer).unwrap()];
    let mut value = 0.0;
    let gradient = on_default(&trained).pull_back(picture, &layers, ReluGradient::True, &mut |activations| {
        let (_, shape) = activations[0].dims4()?;
        let number = (at[0] * shape.height + at[1]) * shape.width + at[2];
        value = f64::from(activations[0].data()[number]);
        let mut cotangent = Array::zeros(activations[0].shape());
        cotangent.data_mut()[number] = 1.0;
        Ok(vec![cotangent])
    });
    (value, gradient.unwrap())
}

#[test]
fn a_neuron_has_the_value_and_gradient_of_the_whole_image() {
    let trained = minivgg().unwrap();
    let mut model = on_default(&trained);
    let picture = image(&noise_picture(7, 64));
    for (layer, at) in [
        ("block1_conv1:pre", [3, 0, 0]),
        ("block2_conv1:pre", [5, 31, 16]),
        ("block3_conv1:pre", [7, 8, 15]),
        ("block3_conv2:pre", [2, 5, 9]),
        ("block4_conv1:pre", [0, 0, 7]),
        ("block5_conv2:pre", [9, 2, 2]),
    ] {
        let bound = neuron(layer, at).bind(&trained.network, 64).unwrap();
        let (value, gradient) = bound.pull_back(&picture, model.as_mut()).unwrap();
        let (expected, whole) = on_the_whole(layer, at, &picture);
        assert!(apart(value, expected) <= TOLERANCE, "{layer} {at:?}: {value} for {expected}");
        assert!(apart(bound.evaluate(&picture, model.as_mut()).unwrap(), expected) <= TOLERANCE);
        let layer = trained.network.layer(layer).unwrap();
        let pulled_back = PulledBack { network: &trained.network, layer, images: &picture };
        let apart = pulled_back.apart(&gradient, &whole, TOLERANCE, model.as_mut()).unwrap();
        assert!(apart.worst <= TOLERANCE, "{at:?}: {apart:?}");
    }
}

#[test]
fn two_neurons_share_the_part_that_holds_both() {
    let trained = minivgg().unwrap();
    let mut model = on_default(&trained);
    let picture = image(&noise_picture(8, 64));
    let [a, b] = [[3, 6, 6], [4, 9, 6]].map(|at| neuron("block3_conv1:pre", at));
    let parts = [&a, &b].map(|o| o.bind(&trained.network, 64).unwrap().pull_back(&picture, model.as_mut()));
    let [(va, ga), (vb, gb)] = parts.map(Result::unwrap);
    let both = (a - 0.5 * b).bind(&trained.network, 64).unwrap();
    let (value, gradient) = both.pull_back(&picture, model.as_mut()).unwrap();
    assert!(apart(value, va - 0.5 * vb) <= TOLERANCE);
    let sum = ga.data().iter().zip(gb.data()).map(|(a, b)| a - 0.5 * b).collect();
    let sum = Array::new(ga.shape(), sum).unwrap();
    let layer = trained.network.layer("block3_conv1:pre").unwrap();
    let pulled_back = PulledBack { network: &trained.network, layer, images: &picture };
    let apart = pulled_back.apart(&gradient, &sum, TOLERANCE, model.as_mut()).unwrap();
    assert!(apart.worst <= TOLERANCE, "{apart:?}");
}
