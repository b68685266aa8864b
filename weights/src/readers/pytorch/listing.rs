//! Lists the tensors of a pickle under their full paths: the keys of all dictionaries and the positions in all lists
//! that lead to them, with dots between. A whole model that was pickled has the names of its `state_dict`.

use std::collections::{HashMap, HashSet};

use super::Fault;
use super::machine::Pickle;
use super::stored::StoredTensor;
use super::tree::{Object, PickleNode, PickleValue, Tree};

/// The largest number of values that are looked at. A checkpoint has some for each tensor.
const MAX_VISITS: usize = 2_000_000;

/// The largest number of tensors.
const MAX_TENSORS: usize = 200_000;

/// The largest number of bytes of all names together.
const MAX_NAME_BYTES: usize = 64 << 20;

/// The largest number of dictionaries, lists and modules around a tensor.
const MAX_DEPTH: usize = 200;

/// The largest number of parts of a tuple that is a key.
const MAX_TUPLE: usize = 16;

/// The largest number of keys that an error lists.
const MAX_KEYS_NAMED: usize = 10;

/// The name of a tensor that is all of a file.
const SOLE_TENSOR: &str = "tensor";

/// Lists the tensors in the order in which they were saved. Fails if there are more than any network has.
pub(super) fn tensors(pickle: &Pickle<'_>) -> Result<Vec<(String, StoredTensor)>, Fault> {
    let (found, on_path) = (Vec::new(), Vec::new());
    let mut walk = Walk { tree: &pickle.tree, found, path: String::new(), on_path, visits: 0, name_bytes: 0 };
    walk.value(pickle.root)?;
    Ok(walk.found)
}

/// Describes the outermost value of a file in words.
pub(super) fn contents(pickle: &Pickle<'_>) -> String {
    let (tree, root) = (&pickle.tree, pickle.root);
    match tree.node(root) {
        Some(PickleNode::Object(object)) if object.entries.is_empty() => match &object.class {
            Some(class) => format!("an object of the class {}.{}", class.module, class.name),
            None => "an object".into(),
        },
        Some(PickleNode::Dict(_) | PickleNode::Object(_)) => keys(tree, tree.entries(root)),
        Some(PickleNode::List(values)) => format!("a list of {}", values.len()),
        Some(
            PickleNode::Global(_) | PickleNode::Partial(_) | PickleNode::Storage(_) | PickleNode::Tensor(_),
        )
        | None => "a value that has no keys".into(),
    }
}

fn keys(tree: &Tree<'_>, entries: &[(PickleValue<'_>, PickleValue<'_>)]) -> String {
    let names: HashSet<String> = entries.iter().filter_map(|(key, _)| name_of(tree, *key)).collect();
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_unstable();
    let more = if names.len() > MAX_KEYS_NAMED { ", ..." } else { "" };
    names.truncate(MAX_KEYS_NAMED);
    if entries.is_empty() {
        "an empty dictionary".into()
    } else if names.is_empty() {
        "a dictionary whose keys are neither texts nor whole numbers nor tuples of these".into()
    } else {
        format!("the keys {}{more}", names.join(", "))
    }
}

/// A key as part of a path: a text, a number, or a tuple of these with dots between them. None for any other.
fn name_of(tree: &Tree<'_>, key: PickleValue<'_>) -> Option<String> {
    match key {
        PickleValue::Text(text) => Some(text.into()),
        PickleValue::Int(number) => Some(number.to_string()),
        PickleValue::Node(_) if (1..=MAX_TUPLE).contains(&tree.list(key).len()) => {
            let part = |part: &PickleValue<'_>| match part {
                PickleValue::Text(text) => Some((*text).to_owned()),
                PickleValue::Int(number) => Some(number.to_string()),
                PickleValue::Plain | PickleValue::Node(_) => None,
            };
            let parts: Option<Vec<String>> = tree.list(key).iter().map(part).collect();
            parts.map(|parts| parts.join("."))
        }
        PickleValue::Plain | PickleValue::Node(_) => None,
    }
}

/// The state of a walk through the tree.
struct Walk<'t, 'a> {
    tree: &'t Tree<'a>,
    found: Vec<(String, StoredTensor)>,
    /// The path to the value that is looked at.
    path: String,
    /// The nodes that lead to it; a node may contain itself.
    on_path: Vec<usize>,
    visits: usize,
    name_bytes: usize,
}

impl<'a> Walk<'_, 'a> {
    fn value(&mut self, value: PickleValue<'a>) -> Result<(), Fault> {
        let PickleValue::Node(at) = value else { return Ok(()) };
        if self.on_path.len() >= MAX_DEPTH || self.on_path.contains(&at) {
            return Ok(());
        }
        let tree = self.tree;
        let Some(node) = tree.node(value) else { return Ok(()) };
        self.on_path.push(at);
        match node {
            PickleNode::Tensor(tensor) => self.add(tensor)?,
            PickleNode::List(values) => self.list(values)?,
            PickleNode::Dict(entries) => self.dict(entries)?,
            PickleNode::Object(object) => self.object(object)?,
            PickleNode::Global(_) | PickleNode::Partial(_) | PickleNode::Storage(_) => {}
        }
        self.on_path.pop();
        Ok(())
    }

    fn add(&mut self, tensor: &StoredTensor) -> Result<(), Fault> {
        let name = if self.path.is_empty() { SOLE_TENSOR.into() } else { self.path.clone() };
        self.name_bytes += name.len();
        if self.name_bytes > MAX_NAME_BYTES || self.found.len() >= MAX_TENSORS {
            return Err(Fault::TooLong);
        }
        self.found.push((name, tensor.clone()));
        Ok(())
    }

    /// Looks at a value below the present path.
    fn below(&mut self, name: &str, value: PickleValue<'a>) -> Result<(), Fault> {
        self.visit()?;
        if !matches!(value, PickleValue::Node(_)) {
            return Ok(());
        }
        let len = self.path.len();
        if len > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        self.value(value)?;
        self.path.truncate(len);
        Ok(())
    }

    fn visit(&mut self) -> Result<(), Fault> {
        self.count(1)
    }

    fn count(&mut self, values: usize) -> Result<(), Fault> {
        self.visits = self.visits.saturating_add(values);
        if self.visits > MAX_VISITS { Err(Fault::TooLong) } else { Ok(()) }
    }

    fn list(&mut self, values: &[PickleValue<'a>]) -> Result<(), Fault> {
        for (index, &value) in values.iter().enumerate() {
            if matches!(value, PickleValue::Node(_)) {
                self.below(&index.to_string(), value)?;
            }
        }
        Ok(())
    }

    fn dict(&mut self, entries: &[(PickleValue<'a>, PickleValue<'a>)]) -> Result<(), Fault> {
        for (name, value) in self.entries(entries)? {
            self.below(&name, value)?;
        }
        Ok(())
    }

    /// The entries with a name, in the order in which they were first set, each with the value that was set last.
    fn entries(
        &mut self,
        entries: &[(PickleValue<'a>, PickleValue<'a>)],
    ) -> Result<Vec<(String, PickleValue<'a>)>, Fault> {
        let mut named: Vec<(String, PickleValue<'a>)> = Vec::new();
        let mut known: HashMap<PickleValue<'a>, usize> = HashMap::new();
        for &(key, value) in entries {
            self.visit()?;
            let (Some(name), true) =
                (name_of(self.tree, key), matches!(value, PickleValue::Node(_)) || known.contains_key(&key))
            else {
                continue;
            };
            if let Some(&at) = known.get(&key) {
                named[at].1 = value;
            } else {
                known.insert(key, named.len());
                named.push((name, value));
            }
        }
        Ok(named)
    }

    /// A module's parameters, buffers and inner modules; what other objects hold as dictionaries and lists do.
    fn object(&mut self, object: &Object<'a>) -> Result<(), Fault> {
        if let Some(state) = self.module_state(object)? {
            return self.module(state);
        }
        self.dict(&object.entries)?;
        self.list(&object.items)
    }

    /// The attributes of an object that is a `torch.nn.Module`: its state, the first part of it if there are slots too,
    /// or what a
    /// `GraphModule` is rebuilt from.
    fn module_state(&mut self, object: &Object<'a>) -> Result<Option<PickleValue<'a>>, Fault> {
        let tree = self.tree;
        let first = |list| tree.list(list).first().copied();
        let candidates = [Some(object.state), first(object.state), first(object.arguments)];
        for state in candidates.into_iter().flatten() {
            self.count(self.tree.entries(state).len())?;
            if ["_parameters", "_buffers", "_modules"].iter().all(|key| self.tree.get(state, key).is_some()) {
                return Ok(Some(state));
            }
        }
        Ok(None)
    }

    fn module(&mut self, state: PickleValue<'a>) -> Result<(), Fault> {
        let tree = self.tree;
        let attribute = |key| tree.get(state, key).unwrap_or(PickleValue::Plain);
        let temporary = tree.list(attribute("_non_persistent_buffers_set"));
        for key in ["_parameters", "_buffers", "_modules"] {
            for (name, value) in self.entries(tree.entries(attribute(key)))? {
                if key == "_buffers" {
                    self.count(temporary.len())?;
                }
                if key != "_buffers" || !temporary.contains(&PickleValue::Text(&name)) {
                    self.below(&name, value)?;
                }
            }
        }
        Ok(())
    }
}
