//! The graph of a file: its nodes in an order in which each comes after what it reads, its constants, inputs and outputs.
//! Attributes are read here, wherever a version of the operation keeps them; what operations mean is in `lower`.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::external::DataFiles;
use super::proto::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};
use super::tensor::{self, OnnxTensor};
use crate::readers::printable;

/// The largest number of nodes.
const MAX_NODES: usize = 100_000;

/// The domains of ONNX's own operations.
const OWN_DOMAINS: [&str; 2] = ["", "ai.onnx"];

/// The graph of a file.
#[derive(Debug)]
pub(super) struct Graph {
    /// In an order in which each comes after what it reads.
    pub nodes: Vec<NodeProto>,
    pub inputs: Vec<ValueInfoProto>,
    pub outputs: Vec<String>,
    /// The version of ONNX's own operations.
    pub opset: i64,
    constants: HashMap<String, TensorProto>,
    /// The functions of the file's own, by domain and name.
    functions: HashSet<(String, String)>,
    /// Small constants are read often: shapes, axes.
    read: RefCell<HashMap<String, Rc<OnnxTensor>>>,
    files: DataFiles,
}

/// Constants of up to so many numbers are kept once they are read.
const KEPT_NUMBERS: usize = 4096;

impl Graph {
    /// Takes the graph of a file apart. Fails, with a clause, for a graph without nodes, with two values of one name, or
    /// with a circle.
    pub(super) fn new(model: ModelProto, files: DataFiles) -> Result<Self, String> {
        let opset = model.opset_import.iter().filter(|set| OWN_DOMAINS.contains(&&*set.domain));
        let opset = opset.map(|set| set.version).max().unwrap_or(1);
        let functions =
            model.functions.into_iter().map(|function| (function.domain, function.name)).collect();
        let GraphProto { node, initializer, input, output } = model.graph.ok_or("it has no graph")?;
        if node.is_empty() {
            return Err("its graph has no nodes".into());
        }
        if node.len() > MAX_NODES {
            return Err(format!("it has {} nodes, more than {MAX_NODES}", node.len()));
        }
        let mut constants = HashMap::new();
        for tensor in initializer {
            let name = tensor.name.clone();
            if constants.insert(name.clone(), tensor).is_some() {
                return Err(format!("two of its constants are called \"{}\"", printable(name)));
            }
        }
        let inputs: Vec<ValueInfoProto> =
            input.into_iter().filter(|input| !constants.contains_key(&input.name)).collect();
        let known = constants.keys().chain(inputs.iter().map(|input| &input.name)).map(String::as_str);
        let order = order(&node, known.collect())?;
        let mut slots: Vec<Option<NodeProto>> = node.into_iter().map(Some).collect();
        let nodes = order.into_iter().filter_map(|at| slots[at].take()).collect();
        let outputs = output.into_iter().map(|output| output.name).collect();
        Ok(Self { nodes, inputs, outputs, opset, constants, functions, read: RefCell::default(), files })
    }

    /// The constant called `name`, if the file has it. Fails, with a clause, for one that cannot be read.
    pub(super) fn constant(&self, name: &str) -> Result<Option<Rc<OnnxTensor>>, String> {
        if let Some(kept) = self.read.borrow().get(name) {
            return Ok(Some(Rc::clone(kept)));
        }
        let Some(stored) = self.constants.get(name) else { return Ok(None) };
        let read = Rc::new(self.tensor(stored)?);
        if read.len() <= KEPT_NUMBERS {
            self.read.borrow_mut().insert(name.into(), Rc::clone(&read));
        }
        Ok(Some(read))
    }

    /// Fails, with a clause, for a node that is none of ONNX's own operations.
    pub(super) fn check_own(&self, node: &NodeProto) -> Result<(), String> {
        if self.functions.contains(&(node.domain.clone(), node.op_type.clone())) {
            return Err(
                "is a function of the file's own: onnx.inliner.inline_local_functions(model) puts its \
                        operations in its place"
                    .into(),
            );
        }
        if OWN_DOMAINS.contains(&&*node.domain) {
            return Ok(());
        }
        Err("is no operation of ONNX's own: export without the optimizer that made it".into())
    }

    /// Reads a tensor, of an attribute for example.
    pub(super) fn tensor(&self, tensor: &TensorProto) -> Result<OnnxTensor, String> {
        tensor::read(tensor, &self.files)
    }

    /// The first operation that computes with quantized numbers, or the first quantized weights.
    pub(super) fn quantized(&self) -> Option<String> {
        let is_quantized = |node: &&NodeProto| {
            let name = node.op_type.as_str();
            name.contains("QuantizeLinear") || name.starts_with("QLinear") || name.ends_with("Integer")
        };
        let node = self.nodes.iter().find(is_quantized).map(describe);
        let is_weight =
            |tensor: &&TensorProto| tensor.dims.len() > 1 && tensor::is_quantized(tensor.data_type);
        let weights = || {
            let tensor = self.constants.values().find(is_weight)?;
            Some(format!("tensor \"{}\"", printable(&tensor.name)))
        };
        node.or_else(weights)
    }
}

/// The positions of nodes, so that each comes after what it reads, and otherwise in the order of the file.
fn order<'n>(nodes: &'n [NodeProto], mut known: HashSet<&'n str>) -> Result<Vec<usize>, String> {
    let mut writers: HashMap<&str, usize> = HashMap::new();
    for (at, node) in nodes.iter().enumerate() {
        for output in node.output.iter().filter(|output| !output.is_empty()) {
            if known.contains(&**output) || writers.insert(output, at).is_some() {
                return Err(format!("two of its values are called \"{}\"", printable(output)));
            }
        }
    }
    let (mut order, mut done) = (Vec::with_capacity(nodes.len()), vec![false; nodes.len()]);
    for first in 0..nodes.len() {
        // Without recursion: a chain can be as long as the file. With each node, the input that is looked at next.
        let (mut path, mut on_path) = (vec![(first, 0)], HashSet::from([first]));
        while let Some((at, next)) = path.last_mut() {
            let (at, unread) = (*at, nodes[*at].input.get(*next));
            *next += 1;
            match unread.map(|input| (known.contains(&**input), writers.get(&**input))) {
                Some((false, Some(&writer))) => {
                    if !on_path.insert(writer) {
                        let place = describe(&nodes[at]);
                        return Err(format!("its nodes read each other in a circle, at {place}"));
                    }
                    path.push((writer, 0));
                }
                Some(_) => {}
                None => {
                    path.pop();
                    on_path.remove(&at);
                    if !std::mem::replace(&mut done[at], true) {
                        known.extend(nodes[at].output.iter().map(String::as_str));
                        order.push(at);
                    }
                }
            }
        }
    }
    Ok(order)
}

/// A node in words: `node "/conv1/Conv" (Conv)`.
pub(super) fn describe(node: &NodeProto) -> String {
    let op = match &*node.domain {
        domain if OWN_DOMAINS.contains(&domain) => node.op_type.clone(),
        domain => format!("{domain}.{}", node.op_type),
    };
    let name = if node.name.is_empty() { node.output.first().map_or("", String::as_str) } else { &node.name };
    format!("node \"{}\" ({})", printable(name), printable(op))
}

impl NodeProto {
    pub(super) fn attribute_named(&self, name: &str) -> Option<&AttributeProto> {
        self.attribute.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn int(&self, name: &str) -> Option<i64> {
        self.attribute_named(name).map(|attribute| attribute.i)
    }

    pub(super) fn float(&self, name: &str) -> Option<f32> {
        self.attribute_named(name).map(|attribute| attribute.f)
    }

    pub(super) fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute_named(name).map(|attribute| attribute.ints.as_slice())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.attribute_named(name).and_then(|attribute| std::str::from_utf8(&attribute.s).ok())
    }

    /// The name of an input; none if it is left out.
    pub(super) fn input_named(&self, at: usize) -> Option<&str> {
        self.input.get(at).map(String::as_str).filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(input: &[&str], output: &str) -> NodeProto {
        NodeProto {
            input: input.iter().map(|&name| name.into()).collect(),
            output: vec![output.into()],
            op_type: "Relu".into(),
            ..NodeProto::default()
        }
    }

    #[test]
    fn nodes_come_after_what_they_read() {
        let nodes = [node(&["b"], "c"), node(&["x"], "a"), node(&["a", "x"], "b")];
        assert_eq!(order(&nodes, HashSet::from(["x"])).unwrap(), [1, 2, 0]);
    }

    #[test]
    fn circles_and_double_names_are_refused() {
        let circle = [node(&["b"], "a"), node(&["a"], "b")];
        assert!(order(&circle, HashSet::new()).unwrap_err().contains("circle"));
        assert!(order(&[node(&["a"], "a")], HashSet::new()).unwrap_err().contains("circle"));
        let double = [node(&["x"], "a"), node(&["x"], "a")];
        assert!(order(&double, HashSet::from(["x"])).unwrap_err().contains("called \"a\""));
        assert!(order(&[node(&["y"], "x")], HashSet::from(["x"])).unwrap_err().contains("called \"x\""));
    }

    #[test]
    fn a_long_chain_in_reverse_takes_no_stack() {
        let names: Vec<String> = (0..=50_000).map(|at| format!("v{at}")).collect();
        let nodes: Vec<NodeProto> = names.windows(2).rev().map(|pair| node(&[&pair[0]], &pair[1])).collect();
        assert_eq!(order(&nodes, HashSet::from(["v0"])).unwrap().len(), 50_000);
    }
}
