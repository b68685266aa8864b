//! Networks for gray pictures: files whose first convolution reads one channel.

use std::path::Path;
use std::sync::LazyLock;

use trepang::engine::{Ascent, Objective, Picture, Pictures, Plan, RECIPES, Recipe, Start};
use trepang::runs::read_picture;
use trepang_api::{Array, Weights};
use trepang_weights::{
    Architecture, Dialect, MadeUp, Purpose, Store, TensorSource, Trained, minivgg, trained, words,
};

use crate::binary::Home;
use crate::golden::{Case, read};
use crate::library::{default_backend, fast_backends, noise_picture, on_cpu, write_weights};
use crate::made_up::picture;

/// As for the networks in `torchvision`.
const GRADIENT_TOLERANCE: f64 = 1e-4;

static GOLDEN: LazyLock<Weights> = LazyLock::new(|| read("torchvision.safetensors"));

/// The embedded network's weights, with a first kernel that reads one channel: the sum of those for R, G and B.
fn gray_minivgg() -> Weights {
    let mut weights = minivgg().unwrap().weights;
    let rgb = weights.remove("block1_conv1.weight").unwrap();
    let sum =
        |kernel: &[f32]| (0..9).map(|at| kernel[at] + kernel[9 + at] + kernel[18 + at]).collect::<Vec<_>>();
    let gray = rgb.data().chunks_exact(27).flat_map(sum).collect();
    weights.insert("block1_conv1.weight", Array::new([rgb.shape()[0], 1, 3, 3], gray).unwrap());
    weights
}

fn load(network: &str, file: &Path) -> Trained {
    trained(network, Some(file), &Store::new(file.with_extension("store")), Purpose::Features).unwrap()
}

/// The weights with which the script ran "resnet18-gray", without the classifier.
fn write_gray_resnet18(file: &Path) {
    let source = MadeUp::new(Architecture::Resnet18, Dialect::Torchvision, false).unwrap();
    let mut weights = Weights::default();
    for (at, tensor) in source.tensors().iter().enumerate() {
        weights.insert(tensor.name.clone(), source.read(at).unwrap());
    }
    let scale = (6.0_f64 / 49.0).sqrt() as f32;
    let unit = |z: u64| (z >> 40) as f32 / (1 << 23) as f32 - 1.0;
    let kernel = words("torchvision/gray/conv1.weight").take(64 * 49).map(|z| scale * unit(z)).collect();
    weights.insert("conv1.weight", Array::new([64, 1, 7, 7], kernel).unwrap());
    write_weights(file, &weights);
}

fn is_gray(picture: &Picture) -> bool {
    picture.rgb.chunks_exact(3).all(|rgb| rgb[0] == rgb[1] && rgb[1] == rgb[2])
}

#[test]
fn the_mean_of_the_colours_goes_in_as_in_torchvision() {
    let home = Home::new();
    let file = home.path("gray.safetensors");
    write_gray_resnet18(&file);
    let loaded = load("resnet18", &file);
    assert!(loaded.network.is_gray());
    let (seen, layers) = (picture("image/64", 64), ["bn1", "maxpool", "layer1.0.bn1", "layer2.0.downsample"]);
    let mut jumps = on_cpu(default_backend(2).as_ref(), &loaded);
    for backend in fast_backends(2) {
        let Trained { network, weights, .. } = loaded.clone();
        let name = ("resnet18-gray".to_owned(), 64);
        let mut case = Case::new(&GOLDEN, name, (network, weights), backend.as_ref());
        case.check_activations(&seen, &layers);
        case.check_gradient_but_for_near_ties(&seen, ("layer3.1", 11), GRADIENT_TOLERANCE, jumps.as_mut());
    }
}

#[test]
fn every_recipe_starts_and_stays_gray() {
    let home = Home::new();
    let file = home.path("gray.safetensors");
    write_weights(&file, &gray_minivgg());
    let loaded = load("minivgg", &file);
    let mut model = on_cpu(default_backend(2).as_ref(), &loaded);
    for recipe in RECIPES {
        let recipe = Recipe::named(recipe).unwrap();
        let (objective, start) = match recipe.name.as_str() {
            "caricature" => ("caricature(block2_conv1, \"photo\")".parse().unwrap(), Start::Noise),
            _ => (Objective::channel("block2_conv1", 4), Start::Noise),
        };
        let plan = Plan { steps: 3, seed: 5, start, ..Plan::new(objective, recipe, 64) };
        let pictures = Pictures::from([("photo".to_owned(), noise_picture(2, 64))]);
        let name = plan.recipe.name.clone();
        assert!(is_gray(&Ascent::start_picture(&plan, &loaded.network, &pictures).unwrap()), "{name}");
        let mut ascent = Ascent::new(plan, &loaded.network, &pictures).unwrap();
        let before = ascent.picture();
        for _ in 0..3 {
            ascent.step(model.as_mut()).unwrap();
            assert!(is_gray(&ascent.picture()), "{name}");
        }
        assert!(ascent.picture() != before, "{name}");
    }
}

#[test]
fn an_ascent_on_a_gray_network_rises() {
    let home = Home::new();
    let file = home.path("gray.safetensors");
    write_weights(&file, &gray_minivgg());
    let loaded = load("minivgg", &file);
    let mut model = on_cpu(default_backend(2).as_ref(), &loaded);
    let recipe = Recipe::named("lucid").unwrap();
    let plan = Plan { steps: 12, ..Plan::new(Objective::channel("block2_conv1", 4), recipe, 64) };
    let mut ascent = Ascent::new(plan, &loaded.network, &Pictures::new()).unwrap();
    let losses: Vec<f64> = (0..12).map(|_| ascent.step(model.as_mut()).unwrap().loss).collect();
    assert!(losses[11] > 2.0 * losses[0].max(0.0), "{losses:?}");
}

#[test]
fn a_picture_of_a_gray_network_is_saved_gray() {
    let home = Home::new();
    write_weights(&home.path("gray.safetensors"), &gray_minivgg());
    let line =
        "render --weights gray.safetensors --layer block2_conv1 --channel 4 --size 32 --steps 2 -o a.png";
    let outcome = home.run(line);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(is_gray(&read_picture(&home.path("a.png")).unwrap()));
}
