//! Does `trepang lab index` keep up with the network, and does its memory stay the same however many pictures there are? `cargo bench
//! --bench index` indexes 1,000 and 20,000 pictures of 64 x 64 by the built-in minivgg, and compares its rate between the two with
//! that of forward passes alone. `cargo bench --bench index -- NETWORK LAYER` takes another network, with fewer pictures.
//!
//! Pictures are 64 PNGs of noise, each linked many times: noise is the slowest to decode.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use image::RgbImage;
use trepang::backends::BACKENDS;
use trepang_api::{Array, find_device};
use trepang_weights::cache::Environment;
use trepang_weights::{FileChoices, Purpose, Store, Trained, trained_with, words};

/// Pictures of the two runs: of the built-in network, and of any other.
const OWN: [usize; 2] = [1_000, 20_000];
const OTHERS: [usize; 2] = [100, 500];

/// Pictures that differ.
const DIFFERENT: usize = 64;

/// Pictures of a forward pass: those of the index's batches on a CPU.
const BATCH: usize = 8;

/// The longest measurement of forward passes, and how often memory is read.
const MEASURED: Duration = Duration::from_secs(10);
const READ_EVERY: Duration = Duration::from_millis(20);

fn main() -> Result<()> {
    let mut given = env::args().skip(1).filter(|word| !word.starts_with("--"));
    let (network, layer) = (given.next(), given.next());
    let counts = if network.is_some() { OTHERS } else { OWN };
    let network = network.unwrap_or_else(|| "minivgg".into());
    let layer = layer.unwrap_or_else(|| "block5_conv2".into());
    let trained = load(&network)?;
    let side = trained.network.input().native;
    let folder = env::temp_dir().join(format!("trepang-index-bench-{}", std::process::id()));
    let measured = measure(&folder, &trained, (&network, &layer), side, counts);
    fs::remove_dir_all(&folder).ok();
    let [(first, first_memory), (second, second_memory)] = measured?;
    let rate = (counts[1] - counts[0]) as f64 / (second - first);
    let forward = forward_rate(&trained, &layer, side)?;
    println!("{network}, {layer}, {side} px, batches of {BATCH}");
    println!("forward passes alone: {forward:.1} a second");
    println!("lab index: {rate:.1} a second, {:.2} of that", rate / forward);
    println!(
        "peak memory: {first_memory:.0} MB with {} pictures, {second_memory:.0} MB with {}",
        counts[0], counts[1]
    );
    Ok(())
}

fn load(network: &str) -> Result<Trained> {
    let store = Store::of(&Environment::of_process());
    match trained_with(network, None, &FileChoices::default(), &store, Purpose::Classes) {
        Ok(trained) => Ok(trained),
        Err(_) => Ok(trained_with(network, None, &FileChoices::default(), &store, Purpose::Features)?),
    }
}

/// Seconds and peak megabytes of an index of each number of pictures.
fn measure(
    folder: &Path,
    trained: &Trained,
    (network, layer): (&str, &str),
    side: usize,
    counts: [usize; 2],
) -> Result<[(f64, f64); 2]> {
    let mut found = [(0.0, 0.0); 2];
    for (count, found) in counts.into_iter().zip(&mut found) {
        let pictures = folder.join(count.to_string());
        fs::create_dir_all(&pictures)?;
        for n in 0..count {
            let (first, place) =
                (pictures.join(format!("{:05}.png", n % DIFFERENT)), pictures.join(format!("{n:05}.png")));
            if n < DIFFERENT { noise(n, side)?.save(&place)? } else { fs::hard_link(first, place)? }
        }
        let begun = Instant::now();
        let memory = index(&pictures, &folder.join(format!("index-{count}")), (network, layer))?;
        *found = (begun.elapsed().as_secs_f64(), memory);
    }
    ensure!(found[1].0 > found[0].0, "more pictures of {} took less time", trained.name);
    Ok(found)
}

fn noise(n: usize, side: usize) -> Result<RgbImage> {
    let bytes = words(&format!("index/{n}")).take(3 * side * side).map(|word| (word >> 56) as u8).collect();
    RgbImage::from_raw(side as u32, side as u32, bytes).context("noise has the wrong size")
}

/// Makes an index, and returns the peak memory of the process in megabytes.
fn index(pictures: &Path, out: &Path, (network, layer): (&str, &str)) -> Result<f64> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trepang"));
    command.args(["lab", "index", "--json", "--network", network, "--layer", layer]);
    let mut child = command.arg("--out").arg(out).arg(pictures).stdout(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    loop {
        if let Some(ended) = child.try_wait()? {
            ensure!(ended.success(), "trepang lab index failed");
            return Ok(peak);
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().unwrap_or_default();
        peak = peak.max(kilobytes * 1024.0 / 1e6);
        sleep(READ_EVERY);
    }
}

/// Pictures a second of forward passes to the layer and to the logits.
fn forward_rate(trained: &Trained, layer: &str, side: usize) -> Result<f64> {
    let backend = BACKENDS[0].open(std::thread::available_parallelism()?.get())?;
    let mut model =
        backend.load(&trained.network, &trained.weights, &find_device(backend.as_ref(), "cpu")?)?;
    let numbers = words("picture").take(BATCH * 3 * side * side).map(|z| (z >> 40) as f32 / (1 << 24) as f32);
    let pictures = Array::new([BATCH, 3, side, side], numbers.collect())?;
    let at: Vec<_> = [trained.network.layer(layer)?].into_iter().chain(trained.network.logits()).collect();
    model.activations(&pictures, &at)?;
    let (begun, mut passes) = (Instant::now(), 0);
    while begun.elapsed() < MEASURED {
        model.activations(&pictures, &at)?;
        passes += 1;
    }
    Ok((passes * BATCH) as f64 / begun.elapsed().as_secs_f64())
}
