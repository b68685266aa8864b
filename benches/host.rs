//! What a step costs outside of the network: `cargo bench --bench host`. Raises channels of VGG19's last convolution at
//! 224 px and of the built-in network's at 64 px with the recipes `lucid` and `pixel`, some at once, on the default backend with
//! made-up weights, and prints how a step's time divides. Not for the network itself: that is `trepang bench`.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use trepang::backends::BACKENDS;
use trepang::bench::{TimedModel, Workload, load};
use trepang::engine::{Ascent, Moments, Param, Pictures, Plan, Recipe, Start, step_together};
use trepang_api::{ComputePool, Model, Network};

const STEPS: usize = 12;

/// A network and a layer, the pictures' side in pixels, and how many channels are raised at once.
struct Case {
    network: &'static str,
    layer: &'static str,
    size: usize,
    counts: &'static [usize],
}

const CASES: [Case; 2] = [
    Case { network: "vgg19", layer: "block5_conv4", size: 224, counts: &[1, 8] },
    Case { network: "minivgg", layer: "block5_conv2", size: 64, counts: &[1, 8, 64] },
];

fn main() -> Result<()> {
    let threads = std::thread::available_parallelism()?.get();
    let backend = BACKENDS[0].name;
    println!("{backend} on {threads} threads, medians of {STEPS} steps, in ms");
    for case in &CASES {
        let (network, layer) = (case.network.into(), Some(case.layer.into()));
        let workload = Workload {
            network,
            layer,
            size: Some(case.size.into()),
            batch: 1,
            threads,
            random_weights: true,
        };
        let (network, mut model) = load(backend, &workload)?;
        let mut timed = TimedModel::new(model.as_mut());
        println!("{} {}, {} px", case.network, case.layer, case.size);
        for name in ["lucid", "pixel"] {
            for &count in case.counts {
                split(&network, &mut timed, case, (name, count))?;
            }
        }
    }
    Ok(())
}

/// Ascents of the first channels of a case's layer.
fn ascents(network: &Network, case: &Case, (recipe, count): (&Recipe, usize)) -> Result<Vec<Ascent>> {
    let ascent = |channel| {
        let objective = format!("channel({}, {channel})", case.layer).parse()?;
        let (start, references, changes) = (Start::Noise, BTreeMap::new(), Vec::new());
        let plan = Plan {
            objective,
            recipe: recipe.clone(),
            size: case.size.into(),
            seed: 0,
            start,
            steps: STEPS + 1,
            references,
            changes,
            lengths: Vec::new(),
        };
        Ok(Ascent::new(plan, network, &Pictures::new())?)
    };
    (0..count).map(ascent).collect()
}

/// Prints how a step of `count` channels divides.
fn split(network: &Network, timed: &mut TimedModel, case: &Case, (name, count): (&str, usize)) -> Result<()> {
    let recipe = Recipe::named(name).context("there is no such recipe")?;
    let mut ascents = ascents(network, case, (&recipe, count))?;
    let mut rows = Vec::new();
    for step in 0..=STEPS {
        (timed.network, timed.objective) = (Duration::ZERO, Duration::ZERO);
        let begun = Instant::now();
        let mut group: Vec<&mut Ascent> = ascents.iter_mut().collect();
        step_together(&mut group, timed).into_iter().collect::<Result<Vec<_>, _>>()?;
        let whole = begun.elapsed();
        // The first sets the backend up.
        if step > 0 {
            rows.push([whole, timed.network, timed.objective, whole.saturating_sub(timed.network)]);
        }
    }
    let [whole, inside, objective, outside] =
        [0, 1, 2, 3].map(|column| median(rows.iter().map(|row| row[column])));
    let [image, back, optimizer] =
        parts(network, &recipe, &ascents[0], &*timed.pool()).map(|part| part * count as f64);
    println!(
        "{name}, {count} at once: {whole:.1} a step, network {inside:.1}; outside {outside:.1} = {:.1} % of the network: \
         image {image:.1}, its adjoint {back:.1}, optimizer {optimizer:.1}, objective {objective:.1}, transforms and the \
         rest {:.1}",
        100.0 * outside / inside,
        outside - image - back - optimizer - objective,
    );
    Ok(())
}

/// Parameters to image, image's gradient to parameters' and an optimizer's step, of one image, by themselves.
fn parts(network: &Network, recipe: &Recipe, ascent: &Ascent, pool: &dyn ComputePool) -> [f64; 3] {
    let param = Param::new(recipe.param.clone(), network.preprocess().clone(), ascent.plan().size, 1);
    let (x, backdrop) = (&ascent.state().x, param.backdrop(0, 1));
    let image = param.image(x, &backdrop, pool);
    let gradient = param.pull_back(x, &backdrop, &image, &image, 0.0, pool);
    let (mut moved, mut moments): (Vec<f32>, Moments) = (x.data().to_vec(), ascent.state().moments.clone());
    [
        time(|| param.image(x, &backdrop, pool)),
        time(|| param.pull_back(x, &backdrop, &image, &image, 0.0, pool)),
        time(|| recipe.optimizer.step(0.0, &mut moments, &mut moved, gradient.data())),
    ]
}

fn time<T>(mut part: impl FnMut() -> T) -> f64 {
    let one = |_| {
        let begun = Instant::now();
        black_box(part());
        begun.elapsed()
    };
    median((0..STEPS).map(one))
}

/// In milliseconds.
fn median(times: impl Iterator<Item = Duration>) -> f64 {
    let times: Vec<f64> = times.map(|time| time.as_secs_f64()).collect();
    1e3 * trepang::bench::median(&times)
}
