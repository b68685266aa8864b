//! `inception_v1`, the network of Lucid, against TensorFlow: `tests/golden/make_inception_v1.py` wrote the published graph down again and
//! ran it with weights made up from their names.

use std::sync::LazyLock;

use trepang::engine::{Ascent, Objective, Pictures, Plan, Recipe};
use trepang_api::Weights;
use trepang_weights::{Architecture, Dialect, MadeUp, Trained};

use crate::golden::{Case, read};
use crate::library::{default_backend, fast_backends, on_cpu};
use crate::made_up::picture;

/// Of a gradient's root mean square, once the near-ties are accounted for.
const SMALL_SIZE_TOLERANCE: f64 = 1e-4;

/// The same at full size, without an account of near-ties: as for the networks in `networks`.
const FULL_SIZE_TOLERANCE: f64 = 6e-2;

static GOLDEN: LazyLock<Weights> = LazyLock::new(|| read("inception_v1.safetensors"));

/// The layers that the script looked at.
const LAYERS: [&str; 8] = [
    "conv2d0_pre_relu",
    "localresponsenorm0",
    "maxpool1",
    "mixed3b",
    "mixed4a_pre_relu",
    "mixed4b_pool",
    "mixed4d_5x5_bottleneck",
    "mixed5b",
];

const GRADIENT: (&str, usize) = ("mixed4c", 447);

fn load(classifier: bool) -> Trained {
    MadeUp::new(Architecture::InceptionV1, Dialect::Tensorflow, classifier).unwrap().load().unwrap()
}

#[test]
fn inception_v1_has_tensorflows_gradient_at_a_small_size() {
    let (trained, picture) = (load(false), picture("image/64", 64));
    let mut jumps = on_cpu(default_backend(2).as_ref(), &trained);
    for backend in fast_backends(2) {
        let Trained { network, weights, .. } = trained.clone();
        let name = ("inception_v1".to_owned(), 64);
        let mut case = Case::new(&GOLDEN, name, (network, weights), backend.as_ref());
        case.check_activations(&picture, &LAYERS);
        case.check_gradient_but_for_near_ties(&picture, GRADIENT, SMALL_SIZE_TOLERANCE, jumps.as_mut());
    }
}

#[test]
fn inception_v1_computes_what_tensorflow_computes() {
    let (trained, picture) = (load(true), picture("image/224", 224));
    for backend in fast_backends(2) {
        let Trained { network, weights, .. } = trained.clone();
        let name = ("inception_v1".to_owned(), 224);
        let mut case = Case::new(&GOLDEN, name, (network, weights), backend.as_ref());
        case.check_activations(&picture, &LAYERS);
        case.check_gradient(&picture, GRADIENT, FULL_SIZE_TOLERANCE);
    }
}

/// The units that are best known of this network, by their channels in Lucid's words: car, wheel, window. With made-up weights
/// they show nothing.
#[test]
fn lucids_recipe_raises_lucids_best_known_channels() {
    let trained = load(false);
    let mut model = on_cpu(default_backend(2).as_ref(), &trained);
    for unit in ["mixed4c:447", "mixed4b:373", "mixed4b:237"] {
        let objective: Objective = unit.parse().unwrap();
        let plan = Plan { steps: 6, ..Plan::new(objective, Recipe::named("lucid").unwrap(), 64) };
        let mut ascent = Ascent::new(plan, &trained.network, &Pictures::default()).unwrap();
        let losses: Vec<f64> = (0..6).map(|_| ascent.step(model.as_mut()).unwrap().loss).collect();
        assert!(losses[5] > losses[0] && losses.iter().all(|loss| loss.is_finite()), "{unit}: {losses:?}");
    }
}
