//! Is there a channel that the default recipe leaves gray, or whose numbers fail? `cargo bench --bench channels -- NETWORK
//! [STEPS]` draws 64 channels of layers chosen by chance, at the network's own size: those of a set of weights that was
//! pulled, or of an architecture with made-up weights. Ends with an error if one is gray or fails. With the recipe's
//! own 256 steps that takes an hour or so on two cores.

use anyhow::{Context, Result, bail, ensure};
use trepang::bench::grids;
use trepang::config::find_entry;
use trepang::engine::{Ascent, Pictures, Plan, RECIPES, Recipe, Start};
use trepang::parity::Subject;
use trepang_api::{LayerId, find_device};
use trepang_weights::{MadeUp, Trained, architecture, find_set};

const CHANNELS: usize = 64;
/// A picture whose bytes deviate less than this from their mean is gray to the eye; the start's deviate by about 1.
const GRAY: f64 = 8.0;
const BACKEND: &str = if cfg!(feature = "candle") { "candle" } else { "reference" };

fn main() -> Result<()> {
    // cargo adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let Some(name) = words.first() else {
        println!("name a network: cargo bench --bench channels -- resnet50");
        return Ok(());
    };
    let recipe = Recipe::named(RECIPES[0]).context("there is no default recipe")?;
    let steps = words.get(1).map_or(Ok(recipe.steps), |steps| steps.parse())?;
    let trained = load(name)?;
    let network = &trained.network;
    let backend = find_entry(BACKEND)?.open(std::thread::available_parallelism()?.get())?;
    let mut model = backend.load(network, &trained.weights, &find_device(backend.as_ref(), "cpu")?)?;
    let size = network.input().native;
    let layers: Vec<LayerId> = grids(network, size).collect();
    ensure!(!layers.is_empty(), "{name} has no layer to climb");
    let (mut state, mut bad) = (1_u32, 0);
    for count in 1..=CHANNELS {
        let layer = layers[below(&mut state, layers.len())];
        let channel = below(&mut state, network.shape(size, size, layer)?.channels);
        let text = format!("channel({}, {channel})", network.node(layer)?.name);
        let (start, references, changes) = (Start::Noise, [].into(), Vec::new());
        let objective = text.parse()?;
        let plan =
            Plan { objective, recipe: recipe.clone(), size, seed: 0, start, steps, references, changes };
        let mut ascent = Ascent::new(plan, network, &Pictures::new())?;
        let failed = (0..steps).find_map(|_| ascent.step(model.as_mut()).err());
        let spread = deviation(&ascent.picture().rgb);
        let verdict = match failed {
            Some(error) => error.to_string(),
            None if spread < GRAY => "gray".into(),
            None => "a picture".into(),
        };
        bad += usize::from(verdict != "a picture");
        println!(
            "{count:>2} {text}: {verdict}, bytes deviate by {spread:.1}, {} dead steps",
            ascent.state().dead_steps
        );
    }
    if bad > 0 {
        bail!("{bad} of {CHANNELS} channels of {name} have no picture after {steps} steps");
    }
    println!("{CHANNELS} channels of {name}, {steps} steps: a picture of each");
    Ok(())
}

fn load(name: &str) -> Result<Trained> {
    if find_set(name).is_ok_and(|set| set.architecture.name() != name) {
        return Subject::named(name, None)?.load();
    }
    let architecture = architecture(name)?;
    Ok(MadeUp::new(architecture, architecture.dialects()[0], false)?.load()?)
}

/// A number below `count`, by chance (Numerical Recipes' generator).
fn below(state: &mut u32, count: usize) -> usize {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 8) as usize % count
}

fn deviation(bytes: &[u8]) -> f64 {
    let count = bytes.len() as f64;
    let mean = bytes.iter().map(|&byte| f64::from(byte)).sum::<f64>() / count;
    (bytes.iter().map(|&byte| (f64::from(byte) - mean).powi(2)).sum::<f64>() / count).sqrt()
}
