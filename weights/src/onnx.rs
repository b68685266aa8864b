//! ONNX files: a network of the user's own with its weights, whatever exported it. `proto` decodes, `graph` puts
//! nodes into order, `lower` turns them into layers (`ir`), `simplify` merges what the backends have no operation for,
//! `names` finds the modules, `pixels` the preprocessing, and `emit` writes the network down.

mod emit;
mod evaluate;
mod external;
mod fuse;
mod graph;
mod ir;
mod lower;
mod names;
mod pixels;
mod proto;
mod simplify;
mod tensor;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use prost::Message;
use sha2::{Digest, Sha256};
use trepang_api::{Network, Weights};

use crate::hex::hex;
use crate::readers::{self, damaged, is_onnx_bytes, printable};
use crate::skim::{self, Kind};
use crate::{Error, FileFormat, InputFormat, Result};

use external::DataFiles;
use graph::Graph;
use lower::Lowering;
use names::LayerNames;
pub use pixels::FoundInput;
use pixels::combine;
use proto::ModelProto;

/// The newest version of ONNX's operations that was tried.
const NEWEST_OPSET: i64 = 28;

/// The oldest version of ONNX's operations that is read.
const OLDEST_OPSET: i64 = 7;

/// The preprocessing of a network that is only described: its layers do not depend on it.
const ANY_INPUT: InputFormat = InputFormat { scale: crate::InputScale::Unit, bgr: false };

/// A part of a file that cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutOff {
    /// The node at which it begins and the reason, as a sentence without its full stop.
    pub reason: String,
    /// The number of nodes that depend on it, with itself.
    pub nodes: usize,
}

/// An ONNX file as a network.
#[derive(Debug)]
pub struct OnnxModel {
    /// The path of the file.
    pub path: PathBuf,
    /// The network, named by its path, with the preprocessing that was given or found, or else with any.
    pub network: Network,
    /// The tensors that the network's operations read.
    pub weights: Weights,
    /// The height and the width that the file itself was made for.
    pub sides: [usize; 2],
    /// The preprocessing that the file itself says.
    pub found: Option<FoundInput>,
    /// The parts that cannot be computed.
    pub cut: Vec<CutOff>,
    /// The program that wrote the file, with its version.
    pub producer: String,
    /// The version of ONNX's operations.
    pub opset: i64,
    /// The texts that the file carries.
    pub metadata: BTreeMap<String, String>,
    /// The SHA-256 of the file, and then of the files with its weights by their names, as `cat` joins them.
    pub sha256: String,
}

impl OnnxModel {
    /// Reads a file, and the files with its weights beside it. `input` is what its input takes, as the user says; without
    /// it, the file's own word counts. Fails for a file that is damaged, quantized, in training mode or without a picture,
    /// and for one of which no layer can be computed.
    pub fn read(path: &Path, input: Option<InputFormat>) -> Result<Self> {
        let (model, hash) = decode(path)?;
        let unusable = |reason: String| unusable(path, reason);
        let first = model.graph.as_ref().ok_or_else(|| unusable("it has no graph".into()))?;
        let files = DataFiles::read(path, first)?;
        let sha256 = hex(&files.all().fold(hash, Sha256::chain_update).finalize());
        let entry = |entry: &proto::EntryProto| (entry.key.clone(), entry.value.clone());
        let metadata: BTreeMap<String, String> = model.metadata_props.iter().map(entry).collect();
        let producer = model.producer_name.clone();
        let version = format!("{producer} {}", model.producer_version);
        let mut graph = Graph::new(model, files).map_err(unusable)?;
        fuse::fuse(&mut graph);
        if let Some(what) = graph.quantized() {
            return Err(unusable(format!("it is quantized ({what}); export the float model")));
        }
        if graph.opset < OLDEST_OPSET {
            return Err(unusable(format!(
                "its operations are of opset {}; export it with 7 or later",
                graph.opset
            )));
        }
        let mut lowering = Lowering::of(&graph, input.is_some()).map_err(unusable)?;
        simplify::simplify(&mut lowering.layers);
        let cut: Vec<CutOff> = cut_off(&lowering);
        let Some(channels) = lowering.image.clone().filter(|_| lowering.layers.0.len() > 1) else {
            let reason = cut.first().map_or("nothing reads its picture".into(), |cut| cut.reason.clone());
            return Err(unusable(format!("no layer of it can be computed: {reason}")));
        };
        let is_bytes = lowering.frame.is_bytes;
        let found = if lowering.is_reset {
            None
        } else {
            pixels::find(&channels, is_bytes, &metadata).map_err(unusable)?
        };
        let known = input.or(found.as_ref().map(|found| found.input));
        let door = combine(&channels, known.unwrap_or(ANY_INPUT)).map_err(unusable)?;
        let names = LayerNames::of(&lowering, &producer);
        let (opset, frame) = (graph.opset, lowering.frame);
        let shown = printable(path.display());
        let (network, weights) = emit::emit(lowering, names, (&shown, &door))?;
        weights
            .check(&network)
            .map_err(|source| Error::InFile { path: path.into(), source: Box::new(source) })?;
        let path = path.into();
        let producer = printable(version.trim());
        let sides = [frame.height, frame.width];
        Ok(Self { path, network, weights, sides, found, cut, producer, opset, metadata, sha256 })
    }

    /// Whether the version of ONNX's operations is newer than those that were tried.
    pub fn is_newer(&self) -> bool {
        self.opset > NEWEST_OPSET
    }
}

/// Whether the file at `path` begins as ONNX files do.
pub fn is_onnx(path: &Path) -> bool {
    use std::io::Read;
    let mut head = Vec::new();
    let file = std::fs::metadata(path).is_ok_and(|about| about.is_file()).then(|| std::fs::File::open(path));
    let Some(Ok(file)) = file else { return false };
    file.take(64).read_to_end(&mut head).is_ok() && is_onnx_bytes(&head)
}

/// Decodes a file. Returns its hash so far, for the files with its weights to be added.
fn decode(path: &Path) -> Result<(ModelProto, Sha256)> {
    let file = readers::read(path)?;
    let hash = Sha256::new().chain_update(&*file);
    let broken = |reason: String| damaged(path, FileFormat::Onnx, reason);
    skim::skim(&file, Kind::Model).map_err(broken)?;
    let model = ModelProto::decode(Bytes::from_owner(file)).map_err(|error| broken(error.to_string()))?;
    match &model.graph {
        Some(graph) if !graph.node.is_empty() => Ok((model, hash)),
        _ => Err(broken("it has no graph with nodes".into())),
    }
}

/// The parts that cannot be computed, those that cost the most first.
fn cut_off(lowering: &Lowering) -> Vec<CutOff> {
    let mut cut: Vec<CutOff> =
        lowering.cuts.iter().map(|cut| CutOff { reason: cut.reason.clone(), nodes: cut.nodes }).collect();
    cut.sort_by_key(|cut| std::cmp::Reverse(cut.nodes));
    cut
}

pub(crate) fn unusable(path: &Path, reason: String) -> Error {
    Error::Unusable { path: path.into(), format: FileFormat::Onnx, reason }
}
