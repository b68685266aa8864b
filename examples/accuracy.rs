//! Measures a network's top-1 and top-5 accuracy on a folder of pictures: the figure of its model card.
//!
//! `cargo run --release --example accuracy -- FOLDER [NETWORK]`. FOLDER holds `classes.tsv` (index, WNID, label)
//! and, for each class, a folder named by its WNID with pictures of the network's own size.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use trepang::config::args::ComputeArgs;
use trepang::config::{find_place, find_weights};
use trepang::engine::Picture;
use trepang::runs::read_picture;
use trepang_api::Array;
use trepang_weights::{Labels, Purpose};

/// Pictures a call: enough for every core, little memory.
const BATCH: usize = 32;

/// How many pictures had their class among the highest one and the highest five logits.
#[derive(Debug, Default)]
struct Score {
    pictures: usize,
    top1: usize,
    top5: usize,
}

impl Score {
    fn add(&mut self, logits: &[f32], class: usize) {
        let above = logits.iter().filter(|&&logit| logit > logits[class]).count();
        self.pictures += 1;
        self.top1 += usize::from(above < 1);
        self.top5 += usize::from(above < 5);
    }
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let folder = PathBuf::from(args.next().context("usage: accuracy FOLDER [NETWORK]")?);
    let name = args.next().unwrap_or_else(|| "minivgg".into());
    let score = measure(&name, &folder)?;
    let percent = |count: usize| 100.0 * count as f64 / score.pictures as f64;
    println!(
        "{name}: top-1 {:.1} %, top-5 {:.1} % of {} pictures",
        percent(score.top1),
        percent(score.top5),
        score.pictures
    );
    Ok(())
}

fn measure(name: &str, folder: &Path) -> Result<Score> {
    let trained = find_weights(name, None, Purpose::Classes)?;
    let size = trained.network.input().native;
    let logits = trained.network.logits().context("the network has no classifier")?;
    let (backend, device) = find_place(&ComputeArgs::default())?;
    let mut model = backend.load(&trained.network, &trained.weights, &device)?;
    let mut score = Score::default();
    for batch in pictures(folder, &trained.labels)?.chunks(BATCH) {
        let activations = model.activations(&images(batch, size)?, &[logits])?;
        for (n, (_, class)) in batch.iter().enumerate() {
            score.add(activations[0].item(n), *class);
        }
    }
    ensure!(score.pictures > 0, "there are no pictures in {}", folder.display());
    Ok(score)
}

/// Every picture with its class; the folder's table must be that of the network's labels.
fn pictures(folder: &Path, labels: &Labels) -> Result<Vec<(PathBuf, usize)>> {
    let table = folder.join("classes.tsv");
    let classes = fs::read_to_string(&table).with_context(|| format!("cannot read {}", table.display()))?;
    let mut pictures = Vec::new();
    for (class, line) in classes.lines().enumerate() {
        let wnid = line.split('\t').nth(1).with_context(|| format!("line {class} has no WNID"))?;
        let expected = labels.get(class).map(|label| label.wnid.as_str());
        ensure!(expected == Some(wnid), "class {class} is {wnid} here and {expected:?} in the network");
        let entries = fs::read_dir(folder.join(wnid)).with_context(|| format!("no folder for {wnid}"))?;
        for entry in entries {
            pictures.push((entry?.path(), class));
        }
    }
    Ok(pictures)
}

/// `[N, 3, size, size]`, RGB in 0..1.
fn images(batch: &[(PathBuf, usize)], size: usize) -> Result<Array> {
    let mut values = Vec::with_capacity(batch.len() * 3 * size * size);
    for (path, _) in batch {
        let Picture { width, height, rgb } = read_picture(path)?;
        ensure!((width, height) == (size, size), "{} is {width}x{height}", path.display());
        for channel in 0..3 {
            values.extend(rgb.iter().skip(channel).step_by(3).map(|&byte| f32::from(byte) / 255.0));
        }
    }
    Ok(Array::new([batch.len(), 3, size, size], values)?)
}
