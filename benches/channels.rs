//! Is there a channel that the default recipe leaves gray, or whose numbers fail? `cargo bench --bench channels -- NETWORK
//! [STEPS] [--random-weights]` draws 64 channels of layers chosen by chance, at the network's own size, with the weights
//! that were pulled; with made-up ones where none were, or if told so. Ends with an error if one is gray or fails. With
//! the recipe's own 256 steps that takes an hour or so on two cores.

use anyhow::{Context, Result, ensure};
use trepang::backends::BACKENDS;
use trepang::bench::{Workload, grids, load};
use trepang::engine::{Ascent, Picture, Pictures, Plan, RECIPES, Recipe, Start};
use trepang_api::{LayerId, Model, Network};

const CHANNELS: usize = 64;
/// A picture of which no colour deviates more than this from its mean, in levels of 255, is gray to the eye.
const GRAY: f64 = 8.0;

fn main() -> Result<()> {
    // cargo adds `--bench`.
    let (flags, words): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).filter(|word| word != "--bench").partition(|word| word.starts_with("--"));
    let Some(name) = words.first() else {
        println!("name a network: cargo bench --bench channels -- resnet50 --random-weights");
        return Ok(());
    };
    ensure!(flags.iter().all(|flag| flag == "--random-weights"), "the only flag is --random-weights");
    let recipe = Recipe::named(RECIPES[0]).context("there is no default recipe")?;
    let steps = words.get(1).map_or(Ok(recipe.steps), |steps| steps.parse()).context("STEPS is a number")?;
    let threads = std::thread::available_parallelism()?.get();
    let (network, random_weights) = (name.clone(), !flags.is_empty());
    let workload = Workload { network, layer: None, size: None, batch: 1, threads, random_weights };
    let (network, mut model) = load(BACKENDS[0].name, &workload)?;
    let layers: Vec<LayerId> = grids(&network, network.input().native).collect();
    ensure!(!layers.is_empty(), "{name} has no layer to maximise");
    let (mut state, mut bad) = (1_u32, 0);
    for count in 1..=CHANNELS {
        let layer = layers[below(&mut state, layers.len())];
        let (text, fault) = draw(&network, model.as_mut(), &recipe, steps, (layer, &mut state))?;
        bad += usize::from(fault.is_some());
        println!("{count:>2} {text}: {}", fault.unwrap_or_else(|| "a picture".into()));
    }
    ensure!(bad == 0, "{bad} of {CHANNELS} channels of {name} have no picture after {steps} steps");
    println!("{CHANNELS} channels of {name}, {steps} steps: a picture of each");
    Ok(())
}

/// Raises a channel of the layer, chosen by chance: what it is called with its figures, and what is wrong with it.
fn draw(
    network: &Network,
    model: &mut dyn Model,
    recipe: &Recipe,
    steps: usize,
    (layer, state): (LayerId, &mut u32),
) -> Result<(String, Option<String>)> {
    let size = network.input().native;
    let channel = below(state, network.shape(size, size, layer)?.channels);
    let text = format!("channel({}, {channel})", network.node(layer)?.name);
    let (recipe, objective, start) = (recipe.clone(), text.parse()?, Start::Noise);
    let (references, changes) = ([].into(), Vec::new());
    let plan = Plan {
        objective,
        recipe,
        size: size.into(),
        seed: 0,
        start,
        steps,
        references,
        changes,
        lengths: Vec::new(),
    };
    let mut ascent = Ascent::new(plan, network, &Pictures::new())?;
    let failed = (0..steps).find_map(|_| ascent.step(model).err());
    let spread = spread(&ascent.picture());
    let fault = match failed {
        Some(error) => Some(error.to_string()),
        None => (spread < GRAY).then(|| "gray".into()),
    };
    let dead = ascent.state().dead_steps;
    Ok((format!("{text}, a colour deviates by {spread:.1}, {dead} dead steps"), fault))
}

/// A number below `count`, by chance (Numerical Recipes' generator).
fn below(state: &mut u32, count: usize) -> usize {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 8) as usize % count
}

/// The largest of the three colours' standard deviations: a flat colour has none, whichever it is.
fn spread(picture: &Picture) -> f64 {
    let of = |colour: usize| {
        let levels = || picture.rgb.iter().skip(colour).step_by(3).map(|&level| f64::from(level));
        let count = levels().len() as f64;
        let mean = levels().sum::<f64>() / count;
        (levels().map(|level| (level - mean).powi(2)).sum::<f64>() / count).sqrt()
    };
    (0..3).map(of).fold(0.0, f64::max)
}
