//! The lab on 3,200 natural photographs of 64 classes, 50 each, which are no part of the repository. `TREPANG_PHOTOS` is the folder or
//! the tar file:
//!
//!     TREPANG_PHOTOS=natural-64.tar cargo test --test it lab::natural -- --ignored

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use trepang::lab::{
    Against, DataPicture, DataSet, IndexManifest, Margin, Remover, ShardFile, Tail, best_rival, deletion,
    gradient_times_activation, spearman,
};
use trepang::runs::{MAX_FILE_BYTES, PictureReading, decode_picture};
use trepang_api::{Array, Model, Network, Weights, find_device};
use trepang_weights::{Trained, minivgg, words};

use crate::binary::Home;
use crate::library::{default_backend, image, repository};

/// A layer with another convolution, a pool and a fully connected layer behind it.
const LAYER: &str = "block4_conv2";

/// Photographs of each check.
const DELETED: usize = 200;
const CONTROLLED: usize = 40;

/// The share of photographs whose curve must be below that of a random order, and the rank correlation up to which weights in a random
/// order count as another ranking.
const BETTER: f64 = 0.95;
const ALIKE: f64 = 0.2;

/// The place that `TREPANG_PHOTOS` names, seen from the repository if it is relative.
fn photographs() -> PathBuf {
    let place = std::env::var_os("TREPANG_PHOTOS").expect("TREPANG_PHOTOS names the photographs");
    repository("").join(place)
}

/// Every few of the photographs, `count` of them.
fn some(count: usize) -> Vec<DataPicture> {
    let all = DataSet::open(&photographs(), None).unwrap().pictures;
    let apart = all.len() / count;
    all.into_iter().step_by(apart.max(1)).take(count).collect()
}

fn array(picture: &DataPicture) -> Array {
    let bytes = picture.read(MAX_FILE_BYTES).unwrap();
    image(&decode_picture(Path::new(&picture.file), &bytes, PictureReading::default()).unwrap())
}

fn on_cpu(network: &Network, weights: &Weights) -> Box<dyn Model> {
    let backend = default_backend(2);
    let cpu = find_device(backend.as_ref(), "cpu").unwrap();
    backend.load(network, weights, &cpu).unwrap()
}

/// The margin of the photograph's own class over the best other.
fn margin(picture: &DataPicture, trained: &Trained, logits: &[f32]) -> Margin {
    let class = trained.labels.find(&picture.label.as_ref().unwrap().text()).unwrap();
    Margin { class, against: Against::Class(best_rival(class, logits).unwrap()) }
}

/// The channels, those of the largest numbers first.
fn falling(numbers: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| numbers[b].total_cmp(&numbers[a]));
    order
}

#[test]
#[ignore = "reads the photographs of TREPANG_PHOTOS; part of .ci/run where they are"]
fn margins_fall_faster_by_attribution_than_by_chance() {
    let trained = minivgg().unwrap();
    let layer = trained.network.layer(LAYER).unwrap();
    let mut model = on_cpu(&trained.network, &trained.weights);
    let (photographs, mut better) = (some(DELETED), 0);
    for (n, picture) in photographs.iter().enumerate() {
        let mut tail = Tail::new(model.as_mut(), &trained.network, &array(picture), layer).unwrap();
        let margin = margin(picture, &trained, tail.logits());
        let order = falling(&gradient_times_activation(&mut tail, margin).unwrap());
        let zero = Array::zeros(tail.activation().shape());
        let remover = Remover::new(&mut tail, &trained.weights, zero).unwrap();
        let found = deletion(&mut tail, margin, &[&remover], &order, n as u64).unwrap();
        let [own, chance, last] = [&found.ordered, &found.random, &found.reversed].map(|curve| curve.area);
        better += usize::from(own < chance && chance < last);
    }
    let share = better as f64 / photographs.len() as f64;
    assert!(photographs.len() == DELETED && share >= BETTER, "{share}");
}

#[test]
#[ignore = "reads the photographs of TREPANG_PHOTOS; part of .ci/run where they are"]
fn weights_in_a_random_order_rank_channels_otherwise() {
    let trained = minivgg().unwrap();
    let layer = trained.network.layer(LAYER).unwrap();
    let mut random = Weights::default();
    for (name, tensor) in trained.weights.iter() {
        let mut numbers: Vec<(u64, f32)> = words(name).zip(tensor.data().iter().copied()).collect();
        numbers.sort_by_key(|(key, _)| *key);
        let numbers = numbers.into_iter().map(|(_, number)| number).collect();
        random.insert(name, Array::new(tensor.shape(), numbers).unwrap());
    }
    let mut models = [&trained.weights, &random].map(|weights| on_cpu(&trained.network, weights));
    let photographs = some(CONTROLLED);
    let mut sum = 0.0;
    for picture in &photographs {
        let found = models.each_mut().map(|model| {
            let mut tail = Tail::new(model.as_mut(), &trained.network, &array(picture), layer).unwrap();
            let margin = margin(picture, &trained, tail.logits());
            gradient_times_activation(&mut tail, margin).unwrap()
        });
        sum += spearman(&found[0], &found[1]).unwrap_or_default() / photographs.len() as f64;
    }
    assert!(sum.abs() < ALIKE, "{sum}");
}

#[test]
#[ignore = "reads the photographs of TREPANG_PHOTOS; part of .ci/run where they are"]
fn an_index_has_a_row_for_every_photograph() {
    let home = Home::new();
    let mut command = home.command("lab index --layer block5_conv2 --out index --json");
    assert!(command.arg(photographs()).status().unwrap().success());
    let manifest = IndexManifest::read(&home.path("index")).unwrap().unwrap();
    let layer = manifest.layer("block5_conv2").unwrap();
    let mut labels: BTreeMap<String, usize> = BTreeMap::new();
    for path in manifest.shards(&home.path("index"), layer) {
        for row in ShardFile::open(&path).unwrap().labelled_rows().unwrap() {
            *labels.entry(row.label.label.unwrap()).or_default() += 1;
        }
    }
    assert!(labels.len() == 64 && labels.values().all(|count| *count == 50), "{labels:?}");
    // The seed's figure: the last rows are photographs.
    let line = "lab seed --index index --class sea_cucumber --per-class 50 --json";
    let picture = repository("tests/golden/picture-224.png");
    let found: serde_json::Value =
        serde_json::from_slice(&home.command(line).arg(picture).output().unwrap().stdout).unwrap();
    assert_eq!((&found["stars"][0]["row"], &found["pictures"][0]["row"]), (&550.into(), &500.into()));
    assert!(found["stars"][0]["class_near"].as_u64() >= Some(3), "it lies among its own class: {found}");
}
