//! The process that computes: one backend, one network, steps when it is told. Asked on stdin, a line of JSON each, and
//! answering on stdout.

use std::fs;
use std::io::{self, BufRead};
use std::time::Instant;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use trepang_api::{Array, LayerId, Model, Network, ReluGradient, find_device};
use trepang_weights::{MadeUp, architecture, find_set};

use super::{Agreed, Work, gflop, grids};
use crate::config::find_entry;
use crate::parity::Subject;

/// What a worker is asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    /// So many steps up to a layer.
    Steps { layer: String, count: usize },
    /// The most memory it has had.
    Memory,
}

/// What it answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// It is ready, and this is what it will do.
    Ready(Agreed),
    /// Seconds a step.
    Seconds(f64),
    /// In 1e6 bytes.
    Memory(Option<f64>),
}

/// Answers until stdin ends. `say` prints a line.
pub fn serve(backend: &str, work: &Work, mut say: impl FnMut(String) -> Result<()>) -> Result<()> {
    let mut say = |answer: Answer| say(serde_json::to_string(&answer)?);
    let (network, mut model) = load(backend, work)?;
    let agreed = agree(&network, work)?;
    let images = images(work.batch, agreed.size);
    say(Answer::Ready(agreed))?;
    for line in io::stdin().lock().lines() {
        say(match serde_json::from_str(&line?)? {
            Ask::Steps { layer, count } => {
                Answer::Seconds(steps(model.as_mut(), network.layer(&layer)?, &images, count)?)
            }
            Ask::Memory => Answer::Memory(peak_memory()),
        })?;
    }
    Ok(())
}

/// The work's network and its model on a backend. The weights are gone when this returns: a model has copied what it needs.
pub fn load(backend: &str, work: &Work) -> Result<(Network, Box<dyn Model>)> {
    let backend = find_entry(backend)?.open(work.threads)?;
    let trained = match work.random_weights {
        true => {
            let architecture = architecture(&work.network)?;
            let dialect = find_set(&work.network).map_or(architecture.dialects()[0], |set| set.dialect);
            MadeUp::new(architecture, dialect, false)?.load()?
        }
        false => Subject::named(&work.network, None)?.load()?,
    };
    let model = backend.load(&trained.network, &trained.weights, &find_device(backend.as_ref(), "auto")?)?;
    Ok((trained.network, model))
}

fn agree(network: &Network, work: &Work) -> Result<Agreed> {
    let size = work.size.unwrap_or(network.input().native);
    network.check_size(size)?;
    let deepest = match &work.layer {
        Some(name) => network.layer(name)?,
        None => deepest_grid(network, size)?,
    };
    let needed = network.needed(&[deepest]);
    let mut layers = Vec::new();
    for id in network.layers().take_while(|&id| id <= deepest).filter(|id| needed[id.index()] > 0) {
        let name = &network.node(id)?.name;
        let before_its_relu = name.ends_with(":pre") && id != deepest;
        if !before_its_relu {
            layers.push((name.clone(), gflop(network, size, id)? * work.batch as f64));
        }
    }
    Ok(Agreed { layer: network.node(deepest)?.name.clone(), size, layers })
}

/// The deepest of [`grids`].
fn deepest_grid(network: &Network, size: usize) -> Result<LayerId> {
    match grids(network, size).last() {
        Some(id) => Ok(id),
        None => bail!("{} has no layer to climb at {size} px; name one with --layer", network.name()),
    }
}

/// Something between black and white, the same each time.
fn images(n: usize, size: usize) -> Array {
    let mut images = Array::zeros([n, 3, size, size]);
    let mut state = 1_u32;
    for pixel in images.data_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *pixel = (state >> 8) as f32 / (1 << 24) as f32;
    }
    images
}

/// Seconds a step: the mean of channel 4 (or the last, if there are fewer) of every image, and its gradient.
fn steps(model: &mut dyn Model, layer: LayerId, images: &Array, count: usize) -> Result<f64> {
    let begun = Instant::now();
    for _ in 0..count {
        model.pull_back(images, &[layer], ReluGradient::True, &mut |activations| {
            let (n, shape) = activations[0].dims4()?;
            let plane = shape.height * shape.width;
            let mut cotangent = Array::zeros(activations[0].shape());
            for image in 0..n {
                let channel = 4.min(shape.channels - 1) * plane;
                cotangent.item_mut(image)[channel..][..plane].fill(1.0 / plane as f32);
            }
            Ok(vec![cotangent])
        })?;
    }
    Ok(begun.elapsed().as_secs_f64() / count as f64)
}

/// The most memory that this process has had, as Linux tells it.
fn peak_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}
