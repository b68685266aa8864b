//! Runs that start behind the images: which values a run needs to go on after a layer, and whether those given suffice.

use super::{LayerId, Network};
use crate::{Array, Error, Result, Shape};

impl Network {
    /// The values that a run needs to go on once `layer` and all nodes before it have run, in the network's order: those
    /// that later nodes read, and the layer itself. In a plain network that is the layer alone; inside a residual block it
    /// is the shortcut too, and inside an inception block what its other branches read or have computed.
    pub fn frontier(&self, layer: LayerId) -> Result<Vec<LayerId>> {
        self.node(layer)?;
        let later = &self.nodes[layer.0 + 1..];
        let is_read = |id: &LayerId| later.iter().any(|node| node.inputs.contains(id));
        Ok((0..=layer.0).map(LayerId).filter(|id| *id == layer || is_read(id)).collect())
    }

    /// The number of reads of each node's output in a run from the values in `start` up to the deepest layer in `at`, as
    /// [`needed`](Self::needed) counts them. Nothing before a value that is given is read on its account.
    pub fn needed_from(&self, start: &[LayerId], at: &[LayerId]) -> Vec<usize> {
        let Some(deepest) = at.iter().max() else { return Vec::new() };
        let mut readers = vec![0; deepest.0 + 1];
        for id in at {
            readers[id.0] += 1;
        }
        for index in (1..readers.len()).rev() {
            if readers[index] > 0 && !start.contains(&LayerId(index)) {
                for input in &self.nodes[index].inputs {
                    readers[input.0] += 1;
                }
            }
        }
        readers
    }

    /// Fails for values that a run to the layers in `at` cannot start from: where they are no batch of one size, do not fit
    /// each other or the network, or do not suffice; then those that are missing are named.
    pub fn check_start(&self, start: &[(LayerId, Array)], at: &[LayerId]) -> Result<()> {
        let given = self.given(start)?;
        self.shapes_from(&given, at).map(drop)
    }

    /// The shapes of the nodes of a run from values of these shapes up to the deepest layer in `at`, by their index; none
    /// for a node that such a run does not need. Fails where a shape does not fit or the values do not suffice.
    pub fn shapes_from(&self, start: &[(LayerId, Shape)], at: &[LayerId]) -> Result<Vec<Option<Shape>>> {
        let fault = |reason| Error::Start { network: self.name.clone(), reason };
        let ids: Vec<LayerId> = start.iter().map(|(id, _)| *id).collect();
        for id in ids.iter().chain(at) {
            self.node(*id)?;
        }
        let readers = self.needed_from(&ids, at);
        let mut shapes: Vec<Option<Shape>> = vec![None; readers.len()];
        for index in (0..readers.len()).filter(|&index| readers[index] > 0) {
            let node = &self.nodes[index];
            if let Some((_, shape)) = start.iter().find(|(id, _)| id.0 == index) {
                shapes[index] = Some(*shape);
                continue;
            }
            let inputs: Option<Vec<Shape>> = node.inputs.iter().map(|input| shapes[input.0]).collect();
            let Some(inputs) = inputs.filter(|inputs| !inputs.is_empty()) else { continue };
            let shape = node.op.output_shape(&inputs).and_then(|shape| {
                if shape.is_empty() { Err("nothing would be left".into()) } else { Ok(shape) }
            });
            shapes[index] = Some(shape.map_err(|reason| fault(format!("at \"{}\", {reason}", node.name)))?);
        }
        match self.missing(&ids, at, &readers, &shapes) {
            missing if missing.is_empty() => Ok(shapes),
            missing => Err(fault(format!(
                "the values of {} do not suffice; those of {} are missing",
                self.quoted(&ids),
                self.quoted(&missing)
            ))),
        }
    }

    /// The layers of the values that are given, and their shapes. Fails unless they are a batch of one size.
    fn given(&self, start: &[(LayerId, Array)]) -> Result<Vec<(LayerId, Shape)>> {
        let fault = |reason| Error::Start { network: self.name.clone(), reason };
        let mut given: Vec<(LayerId, Shape)> = Vec::new();
        let mut batch = None;
        for (id, values) in start {
            let name = &self.node(*id)?.name;
            let (n, shape) = values.dims4()?;
            if n == 0 || shape.is_empty() {
                return Err(fault(format!("the values of \"{name}\" are empty")));
            }
            if given.iter().any(|(other, _)| other == id) {
                return Err(fault(format!("\"{name}\" is given twice")));
            }
            let expected = *batch.get_or_insert(n);
            if n != expected {
                return Err(Error::ShapeMismatch {
                    what: format!("the values of \"{name}\""),
                    expected: shape.batch(expected).to_vec(),
                    found: values.shape().to_vec(),
                });
            }
            given.push((*id, shape));
        }
        if given.is_empty() { Err(fault("no values are given".into())) } else { Ok(given) }
    }

    /// The values that have to be given too: those that have no shape and are read behind the deepest one given, or asked
    /// for before it.
    fn missing(
        &self,
        start: &[LayerId],
        at: &[LayerId],
        readers: &[usize],
        shapes: &[Option<Shape>],
    ) -> Vec<LayerId> {
        let deepest = start.iter().max().map_or(0, |id| id.0);
        let later = (deepest + 1..readers.len()).filter(|&index| readers[index] > 0);
        let read = later.flat_map(|index| self.nodes[index].inputs.iter().copied());
        let mut missing: Vec<LayerId> = read.chain(at.iter().copied()).collect();
        missing.retain(|id| id.0 <= deepest && shapes[id.0].is_none());
        missing.sort();
        missing.dedup();
        missing
    }

    /// The names of nodes, in quotes and joined by "and".
    fn quoted(&self, ids: &[LayerId]) -> String {
        let names: Vec<String> = ids.iter().map(|id| format!("\"{}\"", self.nodes[id.0].name)).collect();
        names.join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use crate::{Array, InputSize, LayerId, Network, NetworkBuilder, Op, Preprocess};

    /// Two residual blocks: `a`, `a:sum`, `b`, `b:sum`.
    fn residual() -> Network {
        let size = InputSize { native: 4, min: 1, multiple: 1 };
        let mut b = NetworkBuilder::new("residual", size, Preprocess::minus_one_to_one());
        let mut from = b.input();
        for name in ["a", "b"] {
            let branch = b.conv_relu(name, [3, 3], 3, from);
            from = b.add(format!("{name}:sum"), Op::Add, &[branch, from]);
        }
        b.finish().unwrap()
    }

    fn names<'a>(network: &'a Network, ids: &[LayerId]) -> Vec<&'a str> {
        ids.iter().map(|id| network.node(*id).unwrap().name.as_str()).collect()
    }

    #[test]
    fn a_frontier_in_a_residual_block_has_the_shortcut_too() {
        let network = residual();
        for (layer, expected) in [
            ("a:pre", &["input", "a:pre"][..]),
            ("a", &["input", "a"]),
            ("a:sum", &["a:sum"]),
            ("b", &["a:sum", "b"]),
            ("b:sum", &["b:sum"]),
        ] {
            let frontier = network.frontier(network.layer(layer).unwrap()).unwrap();
            assert_eq!(names(&network, &frontier), expected, "{layer}");
        }
    }

    #[test]
    fn a_start_that_does_not_suffice_names_what_is_missing() {
        let network = residual();
        let id = |name| network.layer(name).unwrap();
        let refusal = |start: &[(LayerId, [usize; 4])], at| {
            let start: Vec<_> = start.iter().map(|(id, shape)| (*id, Array::zeros(*shape))).collect();
            network.check_start(&start, &[at]).unwrap_err().to_string()
        };
        let grid = [2, 3, 4, 4];
        let told = "residual cannot run from there: the values of \"b\" do not suffice; those of \"a:sum\" are missing";
        assert_eq!(refusal(&[(id("b"), grid)], id("b:sum")), told);
        assert!(refusal(&[(id("b"), grid)], id("a")).ends_with("those of \"a\" are missing"));
        assert!(refusal(&[], id("a")).ends_with("no values are given"));
        assert!(refusal(&[(id("a"), grid); 2], id("a")).ends_with("\"a\" is given twice"));
        assert!(refusal(&[(id("a:sum"), [0, 3, 4, 4])], id("b")).ends_with("are empty"));
        assert!(refusal(&[(id("a:sum"), [2, 5, 4, 4])], id("b")).contains("at \"b:pre\""));
        let uneven = [(id("a:sum"), grid), (id("b"), [1, 3, 4, 4])];
        assert!(refusal(&uneven, id("b:sum")).contains("expected [2, 3, 4, 4] and was given [1, 3, 4, 4]"));
    }
}
