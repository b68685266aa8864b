//! Reads the constants of a frozen graph of TensorFlow 1, alone or in the zip archive in which `inception_v1` is published. The
//! graph is not followed: `inception_v1` is the only network whose weights come so, and `fit` recognises it by the names and shapes of
//! its constants.

mod proto;

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use prost::Message;
use trepang_api::Array;

use super::contents::Contents;
use super::numbers::ByteOrder;
use super::pytorch::Archive;
use crate::file_bytes::FileBytes;
use crate::skim::{self, Kind};
use crate::source::LABELS_KEY;
use crate::{FileFormat, Result, TensorInfo, TensorSource};
use proto::{GraphDef, NodeDef, TensorDef};

/// The constants of TensorFlow's local response norm in `inception_v1`, by attribute.
const NORM: [(&str, f64); 4] = [("depth_radius", 5.0), ("bias", 2.0), ("alpha", 1e-4), ("beta", 0.5)];

/// The same where a node does not say them.
const DEFAULT_NORM: [f64; 4] = [5.0, 1.0, 1.0, 0.5];

/// The largest file of labels that is kept, in bytes.
const MAX_LABELS_BYTES: u64 = 1 << 20;

/// The types of numbers by their codes in `types.proto`. Those whose names are no floats' are refused when they are read.
const TYPES: [(i32, &str, usize); 11] = [
    (1, "F32", 4),
    (2, "F64", 8),
    (3, "I32", 4),
    (4, "U8", 1),
    (6, "I8", 1),
    (9, "I64", 8),
    (11, "QINT8", 1),
    (12, "QUINT8", 1),
    (13, "QINT32", 4),
    (14, "BF16", 2),
    (19, "F16", 2),
];

/// The constants of a graph.
#[derive(Debug)]
struct GraphFile {
    contents: Contents,
    constants: Vec<TensorDef>,
}

/// Opens a graph.
pub(super) fn open(file: FileBytes, path: &Path) -> Result<Box<dyn TensorSource>> {
    let len = file.len();
    read(Bytes::from_owner(file), len, Contents::new(FileFormat::GraphDef, path))
}

/// The graph among the files of an archive.
pub(super) fn in_archive(archive: &Archive) -> Option<String> {
    let graphs = archive.names().filter(|name| Path::new(name).extension().is_some_and(|end| end == "pb"));
    graphs.min().map(str::to_owned)
}

/// Opens the graph called `name` in an archive, with the names of its classes if they are beside it.
pub(super) fn open_archive(archive: &Archive, name: &str, path: &Path) -> Result<Box<dyn TensorSource>> {
    let mut contents = Contents::new(FileFormat::GraphDef, path);
    let labels = archive.names().find(|name| name.ends_with("label_strings.txt")).map(str::to_owned);
    let labels = labels.filter(|name| archive.size(name).is_some_and(|size| size <= MAX_LABELS_BYTES));
    if let Some(labels) = labels {
        let labels = archive.whole(&labels).map_err(|reason| contents.damaged(reason))?;
        contents.metadata.insert(LABELS_KEY.into(), String::from_utf8_lossy(&labels).into_owned());
    }
    let graph = archive.whole(name).map_err(|reason| contents.damaged(reason))?.into_owned();
    let len = graph.len();
    read(Bytes::from(graph), len, contents)
}

fn read(graph: Bytes, len: usize, mut contents: Contents) -> Result<Box<dyn TensorSource>> {
    skim::skim(&graph, Kind::GraphDef).map_err(|reason| contents.damaged(reason))?;
    let graph = GraphDef::decode(graph).map_err(|error| contents.damaged(error))?;
    let mut constants = Vec::new();
    for node in graph.node {
        check_norm(&node).map_err(|reason| contents.unusable(reason))?;
        let Some((info, tensor)) = constant(node).map_err(|reason| contents.unusable(reason))? else {
            continue;
        };
        contents.tensors.push(info);
        constants.push(tensor);
    }
    if constants.is_empty() {
        let reason = "it holds no constants; freeze the graph, so that its variables become constants";
        return Err(contents.unusable(reason));
    }
    contents.check(len)?;
    Ok(Box::new(GraphFile { contents, constants }))
}

/// The constant that a node is, if it is one of numbers. Fails for one whose bytes are not as many as its shape says.
fn constant(node: NodeDef) -> Result<Option<(TensorInfo, TensorDef)>, String> {
    let NodeDef { name, op, attr } = node;
    if op != "Const" {
        return Ok(None);
    }
    let value = attr.into_iter().find(|attr| attr.key == "value").and_then(|attr| attr.value);
    let Some(tensor) = value.and_then(|value| value.tensor) else { return Ok(None) };
    let Some((_, dtype, bytes)) = TYPES.into_iter().find(|(code, ..)| *code == tensor.dtype) else {
        return Ok(None);
    };
    let sides = tensor.tensor_shape.iter().flat_map(|shape| &shape.dim);
    let shape: Option<Vec<usize>> = sides.map(|dim| usize::try_from(dim.size).ok()).collect();
    let shape = shape.ok_or_else(|| format!("constant \"{name}\" has a side that is less than 0"))?;
    let count = shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side));
    let has = tensor.tensor_content.len();
    let is_float = ["F32", "F64", "BF16", "F16"].contains(&dtype);
    // A few numbers may stand for many: the last one for all that follow.
    let is_filled = dtype == "F32" && has == 0 && !tensor.float_val.is_empty();
    let fits = match count {
        Some(count) if is_filled => tensor.float_val.len() <= count,
        Some(count) => count.checked_mul(bytes) == Some(has),
        None => false,
    };
    if is_float && !fits {
        return Err(format!(
            "constant \"{name}\" has the shape {shape:?}, which does not take the {has} bytes that are there"
        ));
    }
    let layer = name.strip_suffix("_w").or_else(|| name.strip_suffix("_b")).map(str::to_owned);
    Ok(Some((TensorInfo { name, layer, shape, dtype: dtype.into() }, tensor)))
}

/// Fails for a local response norm with other numbers than those of `inception_v1`.
fn check_norm(node: &NodeDef) -> Result<(), String> {
    if node.op != "LRN" {
        return Ok(());
    }
    let number = |(key, default): (&str, f64)| {
        let value = node.attr.iter().find(|attr| attr.key == key).and_then(|attr| attr.value.as_ref());
        let number = value.and_then(|value| value.f.map(f64::from).or(value.i.map(|i| i as f64)));
        number.unwrap_or(default)
    };
    let found = NORM.map(|(key, _)| key).into_iter().zip(DEFAULT_NORM).map(number);
    let differs = |(found, (_, expected)): (f64, (&str, f64))| (found - expected).abs() > 1e-6 * expected;
    if !found.clone().zip(NORM).any(differs) {
        return Ok(());
    }
    let named = NORM.iter().zip(found).map(|((key, _), number)| format!("{key} {}", number as f32));
    Err(format!(
        "its local response norm \"{}\" has {}, and that of inception_v1 has {}",
        node.name,
        named.collect::<Vec<_>>().join(", "),
        NORM.map(|(_, number)| number.to_string()).join(", ")
    ))
}

impl TensorSource for GraphFile {
    fn format(&self) -> FileFormat {
        self.contents.format
    }

    fn path(&self) -> &Path {
        &self.contents.path
    }

    fn tensors(&self) -> &[TensorInfo] {
        &self.contents.tensors
    }

    fn read(&self, index: usize) -> Result<Array> {
        let (info, constant) = (&self.contents.tensors[index], &self.constants[index]);
        let (Some(last), true) = (constant.float_val.last(), constant.tensor_content.is_empty()) else {
            return self.contents.array(index, &constant.tensor_content, ByteOrder::Little);
        };
        let mut numbers = constant.float_val.clone();
        numbers.resize(info.shape.iter().product(), *last);
        Ok(Array::new(&*info.shape, numbers)?)
    }

    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.contents.metadata
    }
}
