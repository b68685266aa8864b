//! The names of layers: those of the modules that a file was exported from, wherever the exporter keeps them. A module's
//! name means that module's output, also if the module is a block of others. A ReLU has its module's name and what is
//! before it `NAME:pre`, as everywhere here.

mod modules;

use std::collections::{BTreeMap, HashMap, HashSet};

use trepang_api::Op;

use super::graph::Graph;
use super::ir::{LayerOp, Layers};
use super::lower::{CutNode, Lowering};
use super::value::GraphValue;
use crate::readers::printable;
use modules::{NodeModule, modules_of};

/// Longer names are no names.
const MAX_BYTES: usize = 200;

/// The names of layers and of what is no layer any more.
#[derive(Debug)]
pub(super) struct LayerNames {
    /// The name of each layer.
    pub own: Vec<String>,
    /// Other names of layers.
    pub aliases: Vec<(String, usize)>,
    /// Names that somebody may ask for, each with the reason why there is no such layer.
    pub lost: Vec<(String, String)>,
}

impl LayerNames {
    /// Names all layers.
    pub(super) fn of(lowering: &Lowering, producer: &str) -> Self {
        let (graph, layers) = (lowering.graph, &lowering.layers);
        let modules = modules_of(&graph.nodes, producer);
        let tree = ModuleTree::of(&modules, &lowering.made);
        let mut naming = FreeNames {
            taken: HashSet::from(["input".to_owned(), "input_order".to_owned()]),
            counts: HashMap::new(),
        };
        let mut own = naming.layers(lowering, &modules, &tree);
        let mut names = Self { own: Vec::new(), aliases: Vec::new(), lost: Vec::new() };
        for (at, before) in pre_layers(layers) {
            let pre = format!("{}:pre", own[at]);
            if naming.taken.insert(pre.clone()) {
                names.aliases.push((std::mem::replace(&mut own[before], pre), before));
            }
        }
        names.own = own;
        let mut others = Others { names: &mut names, taken: naming.taken, lowering };
        for (module, &node) in &tree.last {
            others.note(module, node);
        }
        others.calls(graph, &tree);
        others.folded(&modules);
        others.of_nodes(graph);
        names
    }
}

/// ReLUs and other curves, each with the layer before it, if that is not before another already.
fn pre_layers(layers: &Layers) -> Vec<(usize, usize)> {
    let mut seen = HashSet::new();
    let mut pairs = Vec::new();
    for (at, layer) in layers.0.iter().enumerate().filter(|(at, _)| layers.is_there(*at)) {
        let is_relu =
            |at: usize| matches!(layers.0[at].op, LayerOp::Plain(Op::Relu | Op::Relu6 | Op::Unary(_)));
        if let (true, &[before]) = (is_relu(at), layer.inputs.as_slice())
            && before > 0
            && !is_relu(before)
            && seen.insert(before)
        {
            pairs.push((at, before));
        }
    }
    pairs
}

/// The modules of a file, each with the last node that belongs to it or to a module in it.
struct ModuleTree<'a> {
    last: BTreeMap<&'a str, usize>,
    /// The nodes that belong to a module itself.
    direct: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> ModuleTree<'a> {
    fn of(modules: &'a [NodeModule], made: &[Option<GraphValue>]) -> Self {
        let (mut last, mut direct) = (BTreeMap::new(), BTreeMap::<&str, Vec<usize>>::new());
        for (at, module) in modules.iter().enumerate() {
            let (Some(path), Some(_)) = (&module.path, made.get(at).and_then(Option::as_ref)) else {
                continue;
            };
            direct.entry(path).or_default().push(at);
            for (end, _) in path.match_indices('.').chain([(path.len(), "")]).filter(|(end, _)| *end > 0) {
                last.insert(&path[..end], at);
            }
        }
        Self { last, direct }
    }

    fn has_children(&self, path: &str) -> bool {
        let inside = format!("{path}.");
        self.last.range(&*inside..).next().is_some_and(|(name, _)| name.starts_with(&inside))
    }
}

/// The names that are taken, and how many layers of each kind have no module.
struct FreeNames {
    taken: HashSet<String>,
    counts: HashMap<&'static str, usize>,
}

impl FreeNames {
    fn layers(&mut self, lowering: &Lowering, modules: &[NodeModule], tree: &ModuleTree) -> Vec<String> {
        let (graph, layers) = (lowering.graph, &lowering.layers);
        let mut own = Vec::with_capacity(layers.0.len());
        for (at, layer) in layers.0.iter().enumerate() {
            let name = match layer.origin {
                _ if !layers.is_there(at) => String::new(),
                None if at == 0 => "input".into(),
                None => self.free("pixels".into()),
                Some(node) => {
                    let of_module = modules[node].path.as_deref().and_then(|path| {
                        let kind = graph.nodes[node].op_type.to_lowercase();
                        in_module(graph, tree, path, (node, &kind))
                    });
                    let own_kind = kind(&layer.op);
                    let name = match of_module {
                        // A norm and what its output is multiplied by are one node: its name is the output's.
                        Some(name) if lowering.is_step(node, at) => format!("{name}.{own_kind}"),
                        Some(name) => name,
                        None => self.counted(own_kind),
                    };
                    self.free(name)
                }
            };
            own.push(name);
        }
        own
    }

    /// The next name of a kind: `conv1`, `conv2`.
    fn counted(&mut self, kind: &'static str) -> String {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        format!("{kind}{count}")
    }

    /// The name, or if it is taken with a number behind it.
    fn free(&mut self, name: String) -> String {
        let name = printable(name);
        let mut free = name.clone();
        let mut number = 1;
        while !self.taken.insert(free.clone()) {
            number += 1;
            free = format!("{name}.{number}");
        }
        free
    }
}

/// The name of a node's layer in its module: the module's, if the layer is its output. None for a node of no module.
fn in_module(graph: &Graph, tree: &ModuleTree, path: &str, (node, kind): (usize, &str)) -> Option<String> {
    if path.is_empty() || path.len() > MAX_BYTES {
        return None;
    }
    let direct = tree.direct.get(path)?;
    let op = |at: usize| &graph.nodes[at].op_type;
    let is_called_again = !tree.has_children(path) && direct.iter().all(|&at| op(at) == op(node));
    if is_called_again {
        // A module without others in it that is called several times, as ReLUs are. The last call ends a block.
        let call = direct.iter().position(|&at| at == node)?;
        let block = path.rsplit_once('.').map(|(block, _)| block);
        let ends = block.is_some_and(|block| tree.last.get(block) == Some(&node));
        return Some(match block {
            Some(block) if ends && (call > 0 || is_numbered_call(graph, tree, path, node)) => block.into(),
            _ if call == 0 => path.into(),
            _ => format!("{path}_{call}"),
        });
    }
    Some(if tree.last.get(path) == Some(&node) { path.into() } else { format!("{path}.{kind}") })
}

/// Whether a path is that of a later call, `relu_1`, of a module that is called under its own name too.
fn is_numbered_call(graph: &Graph, tree: &ModuleTree, path: &str, node: usize) -> bool {
    let Some((module, number)) = path.rsplit_once('_') else { return false };
    let op = |at: &usize| &graph.nodes[*at].op_type;
    let first = tree.direct.get(module).and_then(|calls| calls.first());
    number.parse::<u32>().is_ok() && first.is_some_and(|first| op(first) == op(&node))
}

fn kind(op: &LayerOp) -> &'static str {
    match op {
        LayerOp::Image => "input",
        LayerOp::Conv(_) | LayerOp::Pad(_) | LayerOp::Affine { .. } => "conv",
        LayerOp::Linear(_) => "linear",
        LayerOp::Plain(op) => op.kind(),
    }
}

/// Gives layers their other names, and notes the names of those that are gone.
struct Others<'a, 'g> {
    names: &'a mut LayerNames,
    taken: HashSet<String>,
    lowering: &'a Lowering<'g>,
}

impl Others<'_, '_> {
    /// Notes `name` for the output of a node.
    fn note(&mut self, name: &str, node: usize) {
        let name = printable(name);
        if name.is_empty() || name.len() > MAX_BYTES || self.taken.contains(&name) {
            return;
        }
        let layers = &self.lowering.layers;
        match self.lowering.made.get(node).and_then(Option::as_ref) {
            Some(GraphValue::Act(act)) if act.at == 0 => {}
            Some(GraphValue::Act(act)) if layers.is_there(act.at) => {
                self.names.aliases.push((name.clone(), act.at));
            }
            Some(GraphValue::Act(act)) => {
                let reason = merged(&self.names.own[layers.now(act.at)], self.lowering, act.at);
                self.names.lost.push((name.clone(), reason));
            }
            Some(GraphValue::Cut(cut)) => {
                let reason = self.behind(&self.lowering.cuts[*cut]);
                self.names.lost.push((name.clone(), reason));
            }
            Some(GraphValue::Const(_) | GraphValue::Image(_) | GraphValue::Unfilled(_)) | None => return,
        }
        self.taken.insert(name);
    }

    fn behind(&self, cut: &CutNode) -> String {
        let last = self.names.own.iter().rfind(|name| !name.is_empty());
        let last = last.map_or_else(String::new, |name| format!("; the last layer is \"{name}\""));
        format!("is not available: {}{last}", cut.reason)
    }

    /// Notes the later calls of modules, `relu_1`, as the one before the present exporter has them.
    fn calls(&mut self, graph: &Graph, tree: &ModuleTree) {
        let op = |at: usize| &graph.nodes[at].op_type;
        for (path, calls) in &tree.direct {
            let is_one_module = calls.iter().all(|&at| op(at) == op(calls[0]));
            if is_one_module && !path.is_empty() && !tree.has_children(path) {
                for (call, &node) in calls.iter().enumerate().skip(1) {
                    self.note(&format!("{path}_{call}"), node);
                }
            }
        }
    }

    /// Notes the convolutions into which the exporter folded what follows them.
    fn folded(&mut self, modules: &[NodeModule]) {
        for (node, module) in modules.iter().enumerate() {
            let (Some(folded), Some(path)) = (&module.folded, &module.path) else { continue };
            if self.taken.contains(folded) {
                continue;
            }
            let there = self.lowering.made.get(node).and_then(Option::as_ref);
            if let Some(GraphValue::Act(act)) = there {
                let own = &self.names.own[self.lowering.layers.now(act.at)];
                let name = if self.names.aliases.iter().any(|(alias, _)| alias == path) { path } else { own };
                self.names.lost.push((folded.clone(), with_norm(name)));
                self.taken.insert(folded.clone());
            }
        }
    }

    /// Notes the names of nodes and of their first outputs, as viewers of such files show them, and their positions.
    fn of_nodes(&mut self, graph: &Graph) {
        for (at, node) in graph.nodes.iter().enumerate() {
            self.note(&node.name, at);
            if let Some(output) = node.output.first() {
                self.note(output, at);
            }
            self.note(&format!("#{at}"), at);
        }
    }
}

/// The reason why a layer that was merged into another is gone.
fn merged(own: &str, lowering: &Lowering, at: usize) -> String {
    let layers = &lowering.layers;
    match layers.0[at].op {
        LayerOp::Pad(_) => format!("is the padding of \"{own}\" and no layer of its own"),
        LayerOp::Plain(_) => format!("is a part of \"{own}\" and no layer of its own"),
        LayerOp::Image | LayerOp::Conv(_) | LayerOp::Linear(_) | LayerOp::Affine { .. } => with_norm(own),
    }
}

fn with_norm(name: &str) -> String {
    format!(
        "has no output of its own: its batch norm is folded into it, and \"{name}\" is the output of both"
    )
}
