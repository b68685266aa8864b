//! The worker process, which measures one backend on one network. It reads requests from stdin and writes replies to stdout,
//! each as a line of JSON.

use std::fs;
use std::io::{self, BufRead};
use std::time::Instant;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use trepang_api::{Array, Backend, Device, LayerId, Model, Network, ReluGradient, find_device};
use trepang_weights::{MadeUp, architecture, find_set};

use super::whole::{WholeStep, ascents, whole_steps};
use super::{ResolvedWorkload, Workload, gflop, grids};
use crate::config::MeasuredNetwork;
use crate::config::find_entry;
use crate::engine::PictureSize;

/// A request to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum BenchRequest {
    /// Run `count` steps up to `layer`.
    Steps { layer: String, count: usize },
    /// Take `count` whole steps of ascents up to `layer`, as many at once as the batch has images.
    Whole { layer: String, count: usize },
    /// Report the peak memory.
    Memory,
}

/// A reply of a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum BenchReply {
    /// The worker is ready: the work with its defaults filled in, and the precision of what computes it.
    Ready { resolved: ResolvedWorkload, precision: String },
    /// The mean seconds a step.
    Seconds(f64),
    /// The mean of the whole steps.
    Whole(WholeStep),
    /// The peak memory in MB (1e6 bytes), if the system reports it.
    Memory(Option<f64>),
}

/// Handles requests until stdin ends. `reply` prints a line. Fails if the work cannot be done.
pub fn serve(backend: &str, workload: &Workload, mut reply: impl FnMut(String) -> Result<()>) -> Result<()> {
    let mut reply = |answer: BenchReply| reply(serde_json::to_string(&answer)?);
    let (backend, device) = open(backend, workload)?;
    let (network, mut model) = load_on(backend.as_ref(), &device, workload)?;
    let resolved = resolve(&network, workload)?;
    let size = resolved.size;
    let images = images(workload.batch, size);
    reply(BenchReply::Ready { resolved, precision: device.precision.to_string() })?;
    let mut climbing = Vec::new();
    for line in io::stdin().lock().lines() {
        reply(match serde_json::from_str(&line?)? {
            BenchRequest::Steps { layer, count } => {
                BenchReply::Seconds(steps(model.as_mut(), network.layer(&layer)?, &images, count)?)
            }
            BenchRequest::Whole { layer, count } => {
                if climbing.is_empty() {
                    climbing = ascents(&network, model.as_mut(), &layer, (size, workload.batch))?;
                }
                BenchReply::Whole(whole_steps(&mut climbing, model.as_mut(), count)?)
            }
            BenchRequest::Memory => BenchReply::Memory(peak_memory()),
        })?;
    }
    Ok(())
}

/// Loads the network of the work on a backend. The weights are freed when this returns, because a model has copied what it
/// needs.
pub fn load(backend: &str, workload: &Workload) -> Result<(Network, Box<dyn Model>)> {
    let (backend, device) = open(backend, workload)?;
    load_on(backend.as_ref(), &device, workload)
}

fn open(backend: &str, workload: &Workload) -> Result<(Box<dyn Backend>, Device)> {
    let backend = find_entry(backend)?.open(workload.threads)?;
    let device = find_device(backend.as_ref(), "auto")?;
    Ok((backend, device))
}

fn load_on(backend: &dyn Backend, device: &Device, workload: &Workload) -> Result<(Network, Box<dyn Model>)> {
    let trained = if workload.random_weights {
        let architecture = architecture(&workload.network)?;
        let dialect = find_set(&workload.network).map_or(architecture.dialects()[0], |set| set.dialect);
        MadeUp::new(architecture, dialect, false)?.load()?
    } else {
        MeasuredNetwork::named(&workload.network, None)?.load()?
    };
    let model = backend.load(&trained.network, &trained.weights, device)?;
    Ok((trained.network, model))
}

fn resolve(network: &Network, workload: &Workload) -> Result<ResolvedWorkload> {
    let size = workload.size.unwrap_or(network.input().native.into());
    network.check_sides(size.height, size.width)?;
    let deepest = match &workload.layer {
        Some(name) => network.layer(name)?,
        None => deepest_grid(network, size)?,
    };
    let needed = network.needed(&[deepest]);
    let mut layers = Vec::new();
    for id in network.layers().take_while(|&id| id <= deepest).filter(|id| needed[id.index()] > 0) {
        let name = &network.node(id)?.name;
        let before_its_relu = name.ends_with(":pre") && id != deepest;
        if !before_its_relu {
            layers.push((name.clone(), gflop(network, size, id)? * workload.batch as f64));
        }
    }
    Ok(ResolvedWorkload { layer: network.node(deepest)?.name.clone(), size, layers })
}

/// The deepest layer of [`grids`]. Fails if there is none.
fn deepest_grid(network: &Network, size: PictureSize) -> Result<LayerId> {
    match grids(network, size).last() {
        Some(id) => Ok(id),
        None => bail!("{} has no layer to maximise at {size} px; name one with --layer", network.name()),
    }
}

/// Pseudo-random images with values between 0 and 1, the same on every run.
fn images(n: usize, size: PictureSize) -> Array {
    let mut images = Array::zeros([n, 3, size.height, size.width]);
    let mut state = 1_u32;
    for pixel in images.data_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *pixel = (state >> 8) as f32 / (1 << 24) as f32;
    }
    images
}

/// The mean seconds a step. A step computes the mean of channel 4 (or of the last channel) of every image, and its gradient.
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

/// The peak memory of this process in MB (1e6 bytes), which only Linux reports.
fn peak_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}
