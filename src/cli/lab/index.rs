//! `trepang lab index`: what every channel of some layers makes of every picture of a data set, kept in files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use trepang_api::{Array, DeviceKind, LayerId, Model};
use trepang_weights::{Purpose, Trained, sha256};

use super::decoding::{Decoded, Decoding};
use crate::cli::output;
use crate::cli::signals::note_signals;
use crate::config::args::IndexArgs;
use crate::config::{Compute, Usage, find_layer, runs_folder};
use crate::lab::{
    Against, ChannelNumbers, DataLabel, DataPicture, DataSet, Error, IndexManifest, IndexWriter,
    IndexedLayer, Margin, RowLabel, Tail, best_rival, gradient_times_activation,
};
use crate::runs::PictureReading;
use crate::worker::picture_array;

/// Pictures of a batch. They decide bits on backends whose sums depend on what shares a batch, so they are the same on every
/// machine.
const BATCH: usize = 8;
const GPU_BATCH: usize = 32;

/// The index is saved that often, unless saving takes more than a twentieth of the time.
const SAVE_EVERY: Duration = Duration::from_millis(200);
const SAVING_SHARE: u32 = 20;

/// Labels that are named where the network does not have them.
const NAMED: usize = 3;

/// The answer, for `--json`.
#[derive(Serialize)]
struct Indexed<'a> {
    index: String,
    network: &'a str,
    layers: Vec<String>,
    pictures: usize,
    skipped: usize,
    resumed_at: usize,
    without_class: usize,
}

/// A network that pictures are run through.
struct Runner<'a> {
    trained: &'a Trained,
    model: Box<dyn Model>,
    layers: Vec<(LayerId, IndexedLayer)>,
    logits: Option<LayerId>,
}

pub(super) fn run(args: &IndexArgs) -> Result<()> {
    let words = || "interrupted; what was saved of the index is kept, and the same command goes on".into();
    let stop = note_signals(Box::new(words));
    let compute = Compute::open(&args.compute, Purpose::Features)?;
    let layers = layers(args, &compute.trained)?;
    let data = Arc::new(DataSet::open(&args.data, args.picture_labels.as_deref())?);
    let labels = row_labels(&data, &compute.trained)?;
    let folder = index_folder(args.out.as_deref())?;
    let layers = with_kept(layers, IndexManifest::read(&folder)?.as_ref());
    let batch = if compute.device.kind == DeviceKind::Cpu { BATCH } else { GPU_BATCH };
    let manifest = manifest(args, &compute, &data);
    let mut writer = IndexWriter::open(&folder, manifest, &layers, batch)?;
    for path in writer.damaged() {
        output::remark(format_args!("{} is damaged; its pictures are run again", path.display()));
    }
    let resumed_at = writer.next();
    if resumed_at < data.pictures.len() {
        let runner = Runner::open(&compute, &writer)?;
        fill(args, (&folder, batch, &stop), &data, &labels, runner, &mut writer)?;
    }
    if let Some((file, reason)) = writer.first_skipped()
        && writer.skipped() == data.pictures.len()
    {
        bail!("none of the {} pictures can be used: {}", data.pictures.len(), about(file, reason));
    }
    report(args, &folder, (&compute.trained, &layers), (&data, &labels), (&writer, resumed_at))
}

/// The layers that the flags name, each once.
fn layers(args: &IndexArgs, trained: &Trained) -> Result<Vec<IndexedLayer>> {
    let network = &trained.network;
    let side = network.input().native;
    let mut layers: Vec<IndexedLayer> = Vec::new();
    for name in args.layer.iter().filter(|name| !name.is_empty()) {
        let id = find_layer(network, name)?;
        let shape = network.shape(side, side, id)?;
        let name = &network.nodes()[id.index()].name;
        let new = IndexedLayer::new(name, [shape.channels, shape.height, shape.width]);
        let new = IndexedLayer { full: args.kept.full, relevance: args.kept.relevance, ..new };
        if layers.iter().all(|layer| layer.folder != new.folder) {
            layers.push(new);
        }
        let head = network.logits().filter(|head| id <= *head);
        if args.kept.relevance && head.is_none() {
            let network = &trained.name;
            return Err(Usage(format!(
                "--relevance asks what {name} carries of a class's margin, and no class of {network} comes of it; leave it out"
            ))
            .into());
        }
    }
    if layers.is_empty() {
        return Err(Usage("--layer names no layer".into()).into());
    }
    Ok(layers)
}

/// The layers with the columns that the index has of them already, besides those of the flags. What new columns take is said.
fn with_kept(layers: Vec<IndexedLayer>, before: Option<&IndexManifest>) -> Vec<IndexedLayer> {
    let kept = |layer: IndexedLayer| {
        let Some(known) = before.and_then(|before| before.layer(&layer.layer)) else { return layer };
        if layer.full && !known.full || layer.relevance && !known.relevance {
            output::remark(format_args!(
                "{} gets columns that the index does not have: its pictures are run again",
                layer.layer
            ));
        }
        let (full, relevance) = (layer.full || known.full, layer.relevance || known.relevance);
        IndexedLayer { full, relevance, ..layer }
    };
    layers.into_iter().map(kept).collect()
}

/// The folder of the index: the one that is named, or `lab` beside the runs.
pub(super) fn index_folder(given: Option<&Path>) -> Result<PathBuf> {
    match given {
        Some(folder) => Ok(folder.into()),
        None => Ok(runs_folder(None)?.with_file_name("lab")),
    }
}

fn manifest(args: &IndexArgs, compute: &Compute, data: &DataSet) -> IndexManifest {
    let provenance = &compute.provenance;
    // Later commands are called from other folders.
    let place = args.data.canonicalize().unwrap_or_else(|_| args.data.clone()).display().to_string();
    let mut manifest = IndexManifest::new(&compute.trained.name, provenance.weights_sha256.clone(), place);
    manifest.input = provenance.input.clone().unwrap_or_default();
    manifest.size = compute.network().input().native;
    manifest.upright = args.upright;
    manifest.pictures = data.pictures.len();
    manifest.pictures_sha256 = sha256(data.listing().as_bytes());
    manifest
}

/// The meaning of each label of the data set. There are fewer labels than pictures, and finding a class takes a while.
type RowLabels = BTreeMap<DataLabel, RowLabel>;

/// The meanings of all labels, before any picture is run. Fails for a number that is no class of the network.
fn row_labels(data: &DataSet, trained: &Trained) -> Result<RowLabels> {
    let (mut unknown, mut labels) = (BTreeSet::new(), RowLabels::new());
    for picture in &data.pictures {
        let Some(label) = picture.label.as_ref().filter(|label| !labels.contains_key(*label)) else {
            continue;
        };
        let class = class_of(label, trained);
        if class.is_none() {
            if let DataLabel::Index(index) = label {
                let (network, classes) = (&trained.name, trained.labels.len());
                return Err(Usage(format!(
                    "{} is labelled {index}, and {network} has {classes} classes; label pictures by WordNet ids or names",
                    picture.file
                ))
                .into());
            }
            unknown.insert(label.text());
        }
        let known = class.and_then(|class| trained.labels.get(class)).map(|label| label.wnid.clone());
        let wnid = match label {
            DataLabel::Wnid(wnid) => Some(wnid.clone()),
            DataLabel::Index(_) | DataLabel::Name(_) => known.filter(|wnid| !wnid.is_empty()),
        };
        labels.insert(label.clone(), RowLabel { label: Some(label.text()), wnid, class, predicted: None });
    }
    if !unknown.is_empty() && !trained.labels.is_empty() {
        let named = unknown.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = if unknown.len() > NAMED {
            format!(" and {} more", unknown.len() - NAMED)
        } else {
            String::new()
        };
        output::remark(format_args!(
            "{} has no class {named}{more}: these pictures keep their labels and have no class",
            trained.name
        ));
    }
    Ok(labels)
}

/// The labels of a picture; none where the data set has none.
fn row_label(picture: &DataPicture, labels: &RowLabels) -> RowLabel {
    picture.label.as_ref().and_then(|label| labels.get(label)).cloned().unwrap_or_default()
}

/// The class of the network that a label means.
fn class_of(label: &DataLabel, trained: &Trained) -> Option<usize> {
    match label {
        DataLabel::Wnid(wnid) => trained.labels.find(wnid),
        DataLabel::Index(index) => (*index < trained.labels.len()).then_some(*index),
        // A folder called 7 is a name, and no index.
        DataLabel::Name(name) if name.parse::<usize>().is_ok() => {
            trained.labels.names().iter().position(|class| class == name)
        }
        DataLabel::Name(name) => trained.labels.find(name),
    }
}

/// Runs the pictures that are not in the index yet.
fn fill(
    args: &IndexArgs,
    (folder, batch, stop): (&Path, usize, &AtomicUsize),
    data: &Arc<DataSet>,
    labels: &RowLabels,
    mut runner: Runner,
    writer: &mut IndexWriter,
) -> Result<()> {
    let bar = progress(args, data.pictures.len(), writer.next());
    let reading = PictureReading { as_stored: !args.upright, ..PictureReading::default() };
    let native = runner.trained.network.input().native;
    let decoding = Decoding { data: Arc::clone(data), from: writer.next(), batch, native, reading };
    let (mut saved, mut pause) = (Instant::now(), SAVE_EVERY);
    for pictures in decoding.start()? {
        if stopped(stop) {
            break;
        }
        runner.add(data, labels, &pictures, writer)?;
        bar.set_position(writer.next() as u64);
        if saved.elapsed() >= pause {
            let begun = Instant::now();
            writer.save()?;
            pause = SAVE_EVERY.max(begun.elapsed() * SAVING_SHARE);
            saved = Instant::now();
        }
    }
    writer.save()?;
    bar.finish_and_clear();
    let (next, all) = (writer.next(), data.pictures.len());
    if next < all {
        if !stopped(stop) {
            bail!("the thread that decodes pictures ended after {next} of {all}");
        }
        return Err(anyhow!(
            "interrupted after {next} of {all} pictures, which are kept in {}; the same command goes on",
            folder.display()
        ));
    }
    Ok(())
}

fn stopped(stop: &AtomicUsize) -> bool {
    stop.load(Ordering::Relaxed) != 0
}

fn progress(args: &IndexArgs, pictures: usize, next: usize) -> ProgressBar {
    // On a pipe, indicatif draws nothing of its own accord.
    let target = if args.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(pictures as u64), target);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} pictures, {per_sec}, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_position(next as u64);
    bar.reset_eta();
    bar
}

impl<'a> Runner<'a> {
    fn open(compute: &'a Compute, writer: &IndexWriter) -> Result<Self> {
        let network = compute.network();
        let layers = writer.layers().map(|layer| Ok((find_layer(network, &layer.layer)?, layer.clone())));
        let layers = layers.collect::<Result<Vec<_>>>()?;
        Ok(Self { trained: &compute.trained, model: compute.model()?, layers, logits: network.logits() })
    }

    /// Runs a batch and adds its pictures.
    fn add(
        &mut self,
        data: &DataSet,
        labels: &RowLabels,
        batch: &[Decoded],
        writer: &mut IndexWriter,
    ) -> Result<()> {
        let arrays = batch.iter().flatten().map(picture_array).collect::<Result<Vec<Array>, _>>()?;
        let found = if arrays.is_empty() { Vec::new() } else { self.activations(&arrays)? };
        let mut n = 0;
        for decoded in batch {
            let picture = &data.pictures[writer.next()];
            let (file, label) = (&picture.file, &row_label(picture, labels));
            let numbers = decoded.clone().and_then(|_| {
                n += 1;
                self.numbers(&found, n - 1, label, &arrays[n - 1]).map_err(|error| error.to_string())
            });
            match numbers {
                Ok((predicted, numbers)) => {
                    writer.add(file, &RowLabel { predicted, ..label.clone() }, numbers)?;
                }
                Err(reason) => writer.skip(file, &reason)?,
            }
        }
        Ok(())
    }

    /// The activations of the layers, and the logits if the network has any, of pictures at once.
    fn activations(&mut self, pictures: &[Array]) -> Result<Vec<Array>> {
        let [_, sides @ ..] = pictures[0].shape() else { bail!("a picture without sides") };
        let shape = [&[pictures.len()], sides].concat();
        let data = pictures.iter().flat_map(Array::data).copied().collect();
        let at: Vec<LayerId> = self.layers.iter().map(|(id, _)| *id).chain(self.logits).collect();
        Ok(self.model.activations(&Array::new(shape, data)?, &at)?)
    }

    /// The class that picture `n` of a batch is seen as, and its numbers in each layer.
    fn numbers(
        &mut self,
        found: &[Array],
        n: usize,
        label: &RowLabel,
        picture: &Array,
    ) -> Result<(Option<usize>, Vec<ChannelNumbers>), Error> {
        let network = &self.trained.name;
        let logits = self.logits.and_then(|_| found.last()).map(|logits| logits.item(n));
        let mut all = Vec::with_capacity(self.layers.len());
        for ((id, layer), activation) in self.layers.iter().zip(found) {
            let mut numbers = ChannelNumbers::of(activation, n, network)?;
            if layer.full {
                numbers.activation = Some(activation.item(n).to_vec());
            }
            let rival = logits.and_then(|logits| best_rival(label.class?, logits));
            if let (true, Some(class), Some(rival)) = (layer.relevance, label.class, rival) {
                let margin = Margin { class, against: Against::Class(rival) };
                let mut tail = Tail::new(self.model.as_mut(), &self.trained.network, picture, *id)?;
                let parts = gradient_times_activation(&mut tail, margin)?;
                numbers.relevance = Some(parts.into_iter().map(|part| part as f32).collect());
            }
            all.push(numbers);
        }
        Ok((logits.and_then(|logits| best_rival(logits.len(), logits)), all))
    }
}

/// A reason with the name of its file.
fn about(file: &str, reason: &str) -> String {
    if reason.contains(file) { reason.into() } else { format!("{file}: {reason}") }
}

fn report(
    args: &IndexArgs,
    folder: &Path,
    (trained, layers): (&Trained, &[IndexedLayer]),
    (data, labels): (&DataSet, &RowLabels),
    (writer, resumed_at): (&IndexWriter, usize),
) -> Result<()> {
    let is_without = |picture: &&DataPicture| row_label(picture, labels).class.is_none();
    let without_class = data.pictures.iter().filter(is_without).count();
    let names: Vec<String> = layers.iter().map(|layer| layer.layer.clone()).collect();
    let (pictures, skipped) = (data.pictures.len() - writer.skipped(), writer.skipped());
    if args.json {
        return output::json(&Indexed {
            index: folder.display().to_string(),
            network: &trained.name,
            layers: names,
            pictures,
            skipped,
            resumed_at,
            without_class,
        });
    }
    let (network, names) = (&trained.name, names.join(", "));
    output::line(format_args!("{pictures} pictures by {names} of {network}, in {}", folder.display()))?;
    if skipped > 0 {
        output::remark(format_args!(
            "{skipped} pictures were skipped: {}/skipped.csv says why",
            folder.display()
        ));
    }
    let unmatched = data.unmatched;
    if unmatched > 0 {
        output::remark(format_args!("{unmatched} lines of the labels name none of these pictures"));
    }
    if data.unlabelled() > 0 {
        output::remark(format_args!("{} pictures have no label", data.unlabelled()));
    }
    Ok(())
}
