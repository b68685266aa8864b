//! What exporters write as several nodes because the version of ONNX has no operation for it, put together again: GELU by the
//! error function, hard curves, and PyTorch's local response normalization. Whoever reads the graph then sees one node.

use std::collections::{HashMap, HashSet};
use std::f32::consts::FRAC_1_SQRT_2;

use super::evaluate::evaluate;
use super::graph::Graph;
use super::proto::{AttributeProto, NodeProto};
use super::tensor::OnnxTensor;

/// The relative distance of a number from the one that it is: some files hold half precision.
const NEAR: f32 = 1e-3;

/// The most nodes between the squares of a response normalization and their mean: views, and what their shapes are made of.
const MAX_VIEWS: usize = 16;

/// Several nodes, and the one that does the same.
struct FusedNodes {
    node: NodeProto,
    /// The position of the last of the nodes, whose place the new one takes.
    at: usize,
    /// The positions of the others.
    others: Vec<usize>,
}

/// Replaces what is known among the nodes of a graph.
pub(super) fn fuse(graph: &mut Graph) {
    let links = NodeLinks::of(graph);
    let found: Vec<FusedNodes> = (0..graph.nodes.len()).filter_map(|at| links.fused(at)).collect();
    let (mut gone, mut made) = (HashSet::new(), HashMap::new());
    for FusedNodes { node, at, others } in found {
        gone.extend(others);
        made.insert(at, node);
    }
    let nodes = std::mem::take(&mut graph.nodes).into_iter().enumerate();
    let kept = nodes.filter(|(at, _)| !gone.contains(at));
    graph.nodes = kept.map(|(at, node)| made.remove(&at).unwrap_or(node)).collect();
}

/// The nodes of a graph with who writes and who reads each value.
struct NodeLinks<'g> {
    graph: &'g Graph,
    writers: HashMap<&'g str, usize>,
    readers: HashMap<&'g str, Vec<usize>>,
}

impl<'g> NodeLinks<'g> {
    fn of(graph: &'g Graph) -> Self {
        let (mut writers, mut readers) = (HashMap::new(), HashMap::<&str, Vec<usize>>::new());
        for (at, node) in graph.nodes.iter().enumerate() {
            writers.extend(node.output.iter().map(|name| (name.as_str(), at)));
            for name in &node.input {
                readers.entry(name).or_default().push(at);
            }
        }
        Self { graph, writers, readers }
    }

    fn fused(&self, at: usize) -> Option<FusedNodes> {
        let fused = match &*self.graph.nodes[at].op_type {
            "Erf" => self.gelu(at)?,
            "Div" => self.response_norm(at)?,
            "Clip" => self.hard_curve(at)?,
            _ => return None,
        };
        // Nobody else may read what would be gone.
        let is_inner = |reader: &usize| *reader == fused.at || fused.others.contains(reader);
        let outputs = fused.others.iter().flat_map(|&other| &self.graph.nodes[other].output);
        let mut outputs = outputs.filter(|name| !name.is_empty());
        let is_own =
            |name: &String| !self.graph.outputs.contains(name) && self.readers_of(name).iter().all(is_inner);
        outputs.all(is_own).then_some(fused)
    }

    fn readers_of(&self, name: &str) -> &[usize] {
        self.readers.get(name).map_or(&[], Vec::as_slice)
    }

    /// The only node that reads the value of the one at `at`, if it is of this kind.
    fn reader(&self, at: usize, op: &str) -> Option<usize> {
        let &[reader] = self.readers_of(self.output(at)?) else { return None };
        self.is(reader, op).then_some(reader)
    }

    /// The node that writes a value, if it is of this kind.
    fn writer(&self, name: &str, op: &str) -> Option<usize> {
        self.writers.get(name).copied().filter(|&at| self.is(at, op))
    }

    fn is(&self, at: usize, op: &str) -> bool {
        self.graph.nodes[at].op_type == op
    }

    fn output(&self, at: usize) -> Option<&'g str> {
        self.graph.nodes[at].output.first().map(String::as_str)
    }

    /// The two inputs of a node.
    fn pair(&self, at: usize) -> Option<[&'g str; 2]> {
        let [a, b] = &self.graph.nodes[at].input[..] else { return None };
        Some([a, b])
    }

    /// The input of a node that is not `name`.
    fn other(&self, at: usize, name: &str) -> Option<&'g str> {
        let [a, b] = self.pair(at)?;
        if a == name { Some(b) } else { (b == name).then_some(a) }
    }

    /// The number of a value that is one.
    fn number(&self, name: &str) -> Option<f32> {
        let single = |tensor: &OnnxTensor| (tensor.len() == 1).then(|| tensor.floats()[0]);
        match self.writer(name, "Constant") {
            Some(at) => single(&evaluate(self.graph, &self.graph.nodes[at], &[]).ok()?),
            None => single(&*self.graph.constant(name).ok()??),
        }
    }

    fn is_near(&self, name: &str, number: f32) -> bool {
        self.number(name).is_some_and(|found| (found - number).abs() <= NEAR * number.abs())
    }

    /// The other input of a node that multiplies by this number, or divides by its inverse.
    fn times(&self, at: usize, number: f32) -> Option<&'g str> {
        let [a, b] = self.pair(at)?;
        match &*self.graph.nodes[at].op_type {
            "Mul" if self.is_near(b, number) => Some(a),
            "Mul" if self.is_near(a, number) => Some(b),
            "Div" if self.is_near(b, number.recip()) => Some(a),
            _ => None,
        }
    }

    /// `x / 2 (1 + erf(x / sqrt 2))`, in any order of the factors.
    fn gelu(&self, erf: usize) -> Option<FusedNodes> {
        let scaled = *self.writers.get(self.graph.nodes[erf].input.first()?.as_str())?;
        let x = self.times(scaled, FRAC_1_SQRT_2)?;
        let sum = self.reader(erf, "Add")?;
        if !self.is_near(self.other(sum, self.output(erf)?)?, 1.0) {
            return None;
        }
        let first = self.reader(sum, "Mul")?;
        let factor = self.other(first, self.output(sum)?)?;
        let (at, mut others) = if factor == x {
            let at = self.reader(first, "Mul")?;
            (at, self.times(at, 0.5).filter(|&of| Some(of) == self.output(first)).map(|_| vec![first])?)
        } else if self.is_near(factor, 0.5) {
            let at = self.reader(first, "Mul")?;
            (at, (self.other(at, self.output(first)?)? == x).then(|| vec![first])?)
        } else {
            let half = self.writer(factor, "Mul")?;
            (first, (self.times(half, 0.5)? == x).then(|| vec![half])?)
        };
        others.extend([erf, sum, scaled]);
        let node = NodeProto {
            op_type: "Gelu".into(),
            input: vec![x.into()],
            attribute: Vec::new(),
            ..self.graph.nodes[at].clone()
        };
        Some(FusedNodes { node, at, others })
    }

    /// `x / (bias + alpha mean(x^2))^beta`, the mean over neighbouring channels by a pool over views of five sides.
    fn response_norm(&self, at: usize) -> Option<FusedNodes> {
        let [x, power] = self.pair(at)?;
        let power = self.writer(power, "Pow")?;
        let [sum, beta] = self.pair(power)?;
        let (sum, beta) = (self.writer(sum, "Add")?, self.number(beta)?);
        let (scaled, bias) = self.with_number(sum)?;
        let scaled = self.writer(scaled, "Mul")?;
        let (mut view, alpha) = self.with_number(scaled)?;
        let (mut others, mut size) = (vec![power, sum, scaled], None);
        for _ in 0..MAX_VIEWS {
            let from = *self.writers.get(view)?;
            let node = &self.graph.nodes[from];
            others.push(from);
            match &*node.op_type {
                "Reshape" | "Squeeze" | "Unsqueeze" | "Pad" | "If" | "Equal" | "Gather" | "Shape" => {}
                "AveragePool" => match node.ints("kernel_shape")? {
                    &[channels, 1, 1] if size.is_none() => size = Some(channels),
                    _ => return None,
                },
                "Mul" if self.pair(from)? == [x; 2] => break,
                "Pow" if self.pair(from)?[0] == x && self.is_near(&node.input[1], 2.0) => break,
                _ => return None,
            }
            view = node.input.first()?;
        }
        let of = |name: &str, f: f32| AttributeProto { name: name.into(), f, ..AttributeProto::default() };
        let size = AttributeProto { name: "size".into(), i: size?, ..AttributeProto::default() };
        let node = NodeProto {
            op_type: "LRN".into(),
            input: vec![x.into()],
            attribute: vec![size, of("alpha", alpha), of("beta", beta), of("bias", bias)],
            ..self.graph.nodes[at].clone()
        };
        Some(FusedNodes { node, at, others })
    }

    /// x + 3, cut off at 0 and 6, over 6: a hard sigmoid; or times x before it is divided: hard-swish.
    fn hard_curve(&self, clip: usize) -> Option<FusedNodes> {
        let node = &self.graph.nodes[clip];
        let bound = |at: usize, name: &str| match node.input_named(at) {
            Some(input) => self.number(input),
            None => node.float(name),
        };
        let add = self.writer(node.input.first()?, "Add")?;
        let x = self.with_number(add).filter(|&(_, three)| three == 3.0)?.0;
        if (bound(1, "min"), bound(2, "max")) != (Some(0.0), Some(6.0)) {
            return None;
        }
        let (clipped, sixth) = (self.output(clip), 1.0 / 6.0);
        let &[reader] = self.readers_of(clipped?) else { return None };
        let mut others = vec![add, clip];
        let (at, op_type, numbers) = if self.times(reader, sixth) == clipped {
            (reader, "HardSigmoid", &[("alpha", 1.0 / 6.0), ("beta", 0.5)][..])
        } else if self.is(reader, "Mul") && self.other(reader, x) == clipped {
            let &[last] = self.readers_of(self.output(reader)?) else { return None };
            others.push(reader);
            (self.times(last, sixth) == self.output(reader)).then_some((last, "HardSwish", &[][..]))?
        } else {
            return None;
        };
        let attribute =
            |&(name, f): &(&str, f32)| AttributeProto { name: name.into(), f, ..AttributeProto::default() };
        let node = NodeProto {
            op_type: op_type.into(),
            input: vec![x.into()],
            attribute: numbers.iter().map(attribute).collect(),
            ..self.graph.nodes[at].clone()
        };
        Some(FusedNodes { node, at, others })
    }

    /// The input of a node that is no number, and the one that is.
    fn with_number(&self, at: usize) -> Option<(&'g str, f32)> {
        let [a, b] = self.pair(at)?;
        self.number(b).map(|number| (a, number)).or_else(|| Some((b, self.number(a)?)))
    }
}
