//! `trepang info FILE.onnx`: the network that the file holds, its layers, its preprocessing and where that comes from, and
//! what cannot be computed and why.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;
use trepang_api::{LayerId, Network};
use trepang_weights::{CutOff, FoundInput, InputFormat, OnnxModel};

use super::super::output;
use super::printable;
use crate::config::InputSource;

/// The largest number of parts that cannot be computed that the text output shows.
const MAX_SHOWN_CUTS: usize = 8;

/// The description of an ONNX file, for `--json`.
#[derive(Serialize)]
struct AboutOnnx {
    path: PathBuf,
    format: &'static str,
    producer: String,
    opset: i64,
    sha256: String,
    /// The side of square pictures in pixels: the file's own, the smallest, and the distance of two.
    size: usize,
    smallest: usize,
    multiple: usize,
    /// The sides of the file's own pictures, which may be oblong.
    file_height: usize,
    file_width: usize,
    gray: bool,
    parameters: usize,
    classes: Option<usize>,
    preprocessing: Option<String>,
    preprocessing_from: Option<&'static str>,
    layers: Vec<AboutLayer>,
    cut: Vec<AboutCut>,
    metadata: BTreeMap<String, String>,
}

/// A layer, for `--json`; the shape is that at the file's own size.
#[derive(Serialize)]
struct AboutLayer {
    name: String,
    kind: &'static str,
    channels: usize,
    height: usize,
    width: usize,
}

/// A part that cannot be computed, for `--json`.
#[derive(Serialize)]
struct AboutCut {
    reason: String,
    nodes: usize,
}

/// Describes a file; `input` is what the user said of it, now or before.
pub(super) fn run(model: OnnxModel, input: Option<(InputFormat, InputSource)>, json: bool) -> Result<()> {
    let about = about(model, input)?;
    if json { output::json(&about) } else { print(&about) }
}

fn about(model: OnnxModel, input: Option<(InputFormat, InputSource)>) -> Result<AboutOnnx> {
    let network = &model.network;
    let size = network.input().native;
    let classes = network.logits().map(|id| network.shape(size, size, id)).transpose()?;
    let (preprocessing, preprocessing_from) = preprocessing(model.found.as_ref(), input).unzip();
    let cut = |cut: &CutOff| AboutCut { reason: cut.reason.clone(), nodes: cut.nodes };
    Ok(AboutOnnx {
        format: "ONNX",
        size,
        smallest: network.input().min,
        multiple: network.input().multiple,
        file_height: model.sides[0],
        file_width: model.sides[1],
        gray: network.is_gray(),
        parameters: network.parameters(),
        classes: classes.map(|shape| shape.channels),
        preprocessing,
        preprocessing_from,
        layers: layers(network)?,
        cut: model.cut.iter().map(cut).collect(),
        path: model.path,
        producer: model.producer,
        opset: model.opset,
        sha256: model.sha256,
        metadata: model.metadata,
    })
}

/// The preprocessing in words, and the source of it; none if nothing says it.
fn preprocessing(
    found: Option<&FoundInput>,
    input: Option<(InputFormat, InputSource)>,
) -> Option<(String, &'static str)> {
    match (input, found) {
        (Some((input, from)), _) => Some((
            format!("its input takes {} (--input {input})", input.description()),
            match from {
                InputSource::Given => "given",
                InputSource::Remembered
                | InputSource::Layers
                | InputSource::Published
                | InputSource::Names => "remembered",
            },
        )),
        (None, Some(FoundInput { input, because })) => {
            Some((format!("its input takes {}: it {because}", input.description()), "file"))
        }
        (None, None) => None,
    }
}

fn layers(network: &Network) -> Result<Vec<AboutLayer>> {
    let size = network.input().native;
    let Some(deepest) = network.layers().last() else { return Ok(Vec::new()) };
    // All shapes at once, since a file may have tens of thousands of nodes.
    let shapes = network.shapes(size, size, deepest)?;
    let layer = |id: LayerId| {
        let (node, shape) = (network.node(id)?, shapes[id.index()]);
        let (name, kind) = (node.name.clone(), node.op.kind());
        Ok(AboutLayer { name, kind, channels: shape.channels, height: shape.height, width: shape.width })
    };
    network.layers().map(layer).collect()
}

/// The sizes of pictures in words.
fn size(about: &AboutOnnx) -> String {
    let AboutOnnx { size, smallest, multiple, file_height, file_width, .. } = about;
    let steps = if *multiple == 1 { String::new() } else { format!(" in steps of {multiple}") };
    let own = if file_height == file_width {
        String::new()
    } else {
        format!(", the file's own being {file_width} wide and {file_height} high")
    };
    format!("{size} px{own}; {smallest} px and more{steps}")
}

fn print(about: &AboutOnnx) -> Result<()> {
    let producer = if about.producer.is_empty() { "an unnamed program" } else { &about.producer };
    output::line(format_args!("file            {}", printable(&about.path.display().to_string())))?;
    output::line(format_args!("format          ONNX, opset {}, by {producer}", about.opset))?;
    let gray = if about.gray { ", for gray pictures" } else { "" };
    let classes = about.classes.map_or("no classes".into(), |classes| format!("{classes} classes"));
    output::line(format_args!(
        "network         {} layers, {} parameters, {classes}{gray}",
        about.layers.len(),
        about.parameters
    ))?;
    output::line(format_args!("size            {}", size(about)))?;
    match &about.preprocessing {
        Some(words) => output::line(format_args!("preprocessing   {words}"))?,
        None => output::line(
            "preprocessing   the file does not say what its pixels are: pass --input torch, tf, caffe, clip, inceptionv1, unit, 255 or \
             MEAN/STD, which is remembered",
        )?,
    }
    if let Some(from @ ("given" | "remembered")) = about.preprocessing_from {
        output::line(format_args!("                {from}; --input forget drops it"))?;
    }
    if about.cut.is_empty() {
        output::line("cut off         nothing: all of it can be computed")?;
    }
    for cut in about.cut.iter().take(MAX_SHOWN_CUTS) {
        let behind =
            if cut.nodes == 1 { String::new() } else { format!(", and {} nodes behind it", cut.nodes - 1) };
        output::line(format_args!("cut off         {}{behind}", cut.reason))?;
    }
    if let Some(more @ 1..) = about.cut.len().checked_sub(MAX_SHOWN_CUTS) {
        output::line(format_args!("                and {more} more nodes, which --json lists"))?;
    }
    for AboutLayer { name, kind, channels, height, width } in &about.layers {
        output::line(format_args!("  {name:<40} {kind:<15} {channels:>5} x {height} x {width}"))?;
    }
    for (key, value) in &about.metadata {
        output::line(format_args!("{:<15} {}", printable(key), printable(value)))?;
    }
    Ok(())
}
