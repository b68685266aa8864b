//! What a pickle describes, as a tree without any Python object: texts, numbers, lists, dictionaries, tensors, and objects
//! that are passed over. Values share parts, since a pickle refers back to what it has built.

use std::rc::Rc;

use super::stored::{StoredTensor, TorchStorage};

/// A value of a pickle. Lists, dictionaries and the like are nodes of the [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum PickleValue<'a> {
    /// A value that describes no tensor: a float, `None`, bytes.
    Plain,
    Int(i64),
    Text(&'a str),
    /// A node, by its position in the tree.
    Node(usize),
}

/// A value with parts.
#[derive(Debug)]
pub(super) enum PickleNode<'a> {
    /// A list, tuple or set.
    List(Vec<PickleValue<'a>>),
    /// The entries of a dictionary in the order in which they were set; a key may stand there twice, and the last one holds.
    Dict(Vec<(PickleValue<'a>, PickleValue<'a>)>),
    /// A class or function, by its name.
    Global(Rc<Global<'a>>),
    /// A function of which some arguments are given: the function.
    Partial(PickleValue<'a>),
    Storage(Box<TorchStorage>),
    Tensor(Box<StoredTensor>),
    Object(Box<Object<'a>>),
}

/// The name of a class or function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Global<'a> {
    pub(super) module: &'a str,
    /// The name in the module, with dots for what belongs to a class.
    pub(super) name: String,
    /// Whether calling it does harm.
    pub(super) harmful: bool,
}

/// An object that some class or function would make.
#[derive(Debug)]
pub(super) struct Object<'a> {
    /// The class or function, if it is known by name.
    pub(super) class: Option<Rc<Global<'a>>>,
    pub(super) arguments: PickleValue<'a>,
    /// The entries that were set in it as in a dictionary.
    pub(super) entries: Vec<(PickleValue<'a>, PickleValue<'a>)>,
    /// The items that were appended to it as to a list.
    pub(super) items: Vec<PickleValue<'a>>,
    /// Its attributes, most often a dictionary.
    pub(super) state: PickleValue<'a>,
}

/// The nodes of a pickle.
#[derive(Debug, Default)]
pub(super) struct Tree<'a> {
    nodes: Vec<PickleNode<'a>>,
}

impl<'a> Tree<'a> {
    pub(super) fn add(&mut self, node: PickleNode<'a>) -> PickleValue<'a> {
        self.nodes.push(node);
        PickleValue::Node(self.nodes.len() - 1)
    }

    pub(super) fn node(&self, value: PickleValue<'a>) -> Option<&PickleNode<'a>> {
        if let PickleValue::Node(at) = value { self.nodes.get(at) } else { None }
    }

    pub(super) fn node_mut(&mut self, value: PickleValue<'a>) -> Option<&mut PickleNode<'a>> {
        if let PickleValue::Node(at) = value { self.nodes.get_mut(at) } else { None }
    }

    /// The values of a list, tuple or set; none for anything else.
    pub(super) fn list(&self, value: PickleValue<'a>) -> &[PickleValue<'a>] {
        if let Some(PickleNode::List(values)) = self.node(value) { values } else { &[] }
    }

    /// The entries of a dictionary, or of an object that has some; none for anything else.
    pub(super) fn entries(&self, value: PickleValue<'a>) -> &[(PickleValue<'a>, PickleValue<'a>)] {
        match self.node(value) {
            Some(PickleNode::Dict(entries)) => entries,
            Some(PickleNode::Object(object)) => &object.entries,
            _ => &[],
        }
    }

    /// The value of the key `key`, as it was last set.
    pub(super) fn get(&self, value: PickleValue<'a>, key: &str) -> Option<PickleValue<'a>> {
        let named = |(name, _): &&(PickleValue<'a>, PickleValue<'a>)| *name == PickleValue::Text(key);
        self.entries(value).iter().rev().find(named).map(|(_, value)| *value)
    }

    pub(super) fn global(&self, value: PickleValue<'a>) -> Option<&Rc<Global<'a>>> {
        if let Some(PickleNode::Global(global)) = self.node(value) { Some(global) } else { None }
    }

    pub(super) fn tensor(&self, value: PickleValue<'a>) -> Option<&StoredTensor> {
        if let Some(PickleNode::Tensor(tensor)) = self.node(value) { Some(tensor) } else { None }
    }

    /// The storages that the pickle refers to, in the order in which it does.
    pub(super) fn storages(&self) -> impl Iterator<Item = &TorchStorage> {
        self.nodes
            .iter()
            .filter_map(|node| if let PickleNode::Storage(storage) = node { Some(&**storage) } else { None })
    }

    /// Every value that is directly part of `value`.
    pub(super) fn parts(&self, value: PickleValue<'a>) -> Vec<PickleValue<'a>> {
        let pairs = |entries: &[(PickleValue<'a>, PickleValue<'a>)]| {
            entries.iter().flat_map(|&(k, v)| [k, v]).collect::<Vec<_>>()
        };
        match self.node(value) {
            Some(PickleNode::List(values)) => values.clone(),
            Some(PickleNode::Dict(entries)) => pairs(entries),
            Some(PickleNode::Partial(function)) => vec![*function],
            Some(PickleNode::Object(object)) => {
                let mut parts = pairs(&object.entries);
                parts.extend(&object.items);
                parts.extend([object.arguments, object.state]);
                parts
            }
            Some(PickleNode::Global(_) | PickleNode::Storage(_) | PickleNode::Tensor(_)) | None => Vec::new(),
        }
    }
}
