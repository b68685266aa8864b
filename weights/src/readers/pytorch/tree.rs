//! What a pickle describes, as a tree without any Python object: texts, numbers, lists, dictionaries, tensors, and objects
//! that are passed over. Values share parts, since a pickle refers back to what it has built.

use std::rc::Rc;

use super::stored::{Storage, StoredTensor};

/// A value of a pickle. Lists, dictionaries and the like are nodes of the [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Value<'a> {
    /// A value that describes no tensor: a float, `None`, bytes.
    Plain,
    Int(i64),
    Text(&'a str),
    /// A node, by its position in the tree.
    Node(usize),
}

/// A value with parts.
#[derive(Debug)]
pub(super) enum Node<'a> {
    /// A list, tuple or set.
    List(Vec<Value<'a>>),
    /// The entries of a dictionary in the order in which they were set; a key may stand there twice, and the last one holds.
    Dict(Vec<(Value<'a>, Value<'a>)>),
    /// A class or function, by its name.
    Global(Rc<Global<'a>>),
    /// A function of which some arguments are given: the function.
    Partial(Value<'a>),
    Storage(Box<Storage>),
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
    pub(super) arguments: Value<'a>,
    /// What was set in it as in a dictionary.
    pub(super) entries: Vec<(Value<'a>, Value<'a>)>,
    /// What was appended to it as to a list.
    pub(super) items: Vec<Value<'a>>,
    /// Its attributes, most often a dictionary.
    pub(super) state: Value<'a>,
}

/// The nodes of a pickle.
#[derive(Debug, Default)]
pub(super) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
}

impl<'a> Tree<'a> {
    pub(super) fn add(&mut self, node: Node<'a>) -> Value<'a> {
        self.nodes.push(node);
        Value::Node(self.nodes.len() - 1)
    }

    pub(super) fn node(&self, value: Value<'a>) -> Option<&Node<'a>> {
        if let Value::Node(at) = value { self.nodes.get(at) } else { None }
    }

    pub(super) fn node_mut(&mut self, value: Value<'a>) -> Option<&mut Node<'a>> {
        if let Value::Node(at) = value { self.nodes.get_mut(at) } else { None }
    }

    /// The values of a list, tuple or set; none for anything else.
    pub(super) fn list(&self, value: Value<'a>) -> &[Value<'a>] {
        if let Some(Node::List(values)) = self.node(value) { values } else { &[] }
    }

    /// The entries of a dictionary, or of an object that has some; none for anything else.
    pub(super) fn entries(&self, value: Value<'a>) -> &[(Value<'a>, Value<'a>)] {
        match self.node(value) {
            Some(Node::Dict(entries)) => entries,
            Some(Node::Object(object)) => &object.entries,
            _ => &[],
        }
    }

    /// The value of the key `key`, as it was last set.
    pub(super) fn get(&self, value: Value<'a>, key: &str) -> Option<Value<'a>> {
        let named = |(name, _): &&(Value<'a>, Value<'a>)| *name == Value::Text(key);
        self.entries(value).iter().rev().find(named).map(|(_, value)| *value)
    }

    pub(super) fn global(&self, value: Value<'a>) -> Option<&Rc<Global<'a>>> {
        if let Some(Node::Global(global)) = self.node(value) { Some(global) } else { None }
    }

    pub(super) fn tensor(&self, value: Value<'a>) -> Option<&StoredTensor> {
        if let Some(Node::Tensor(tensor)) = self.node(value) { Some(tensor) } else { None }
    }

    /// The storages that the pickle refers to, in the order in which it does.
    pub(super) fn storages(&self) -> impl Iterator<Item = &Storage> {
        self.nodes
            .iter()
            .filter_map(|node| if let Node::Storage(storage) = node { Some(&**storage) } else { None })
    }

    /// Every value that is directly part of `value`.
    pub(super) fn parts(&self, value: Value<'a>) -> Vec<Value<'a>> {
        let pairs = |entries: &[(Value<'a>, Value<'a>)]| {
            entries.iter().flat_map(|&(k, v)| [k, v]).collect::<Vec<_>>()
        };
        match self.node(value) {
            Some(Node::List(values)) => values.clone(),
            Some(Node::Dict(entries)) => pairs(entries),
            Some(Node::Partial(function)) => vec![*function],
            Some(Node::Object(object)) => {
                let mut parts = pairs(&object.entries);
                parts.extend(&object.items);
                parts.extend([object.arguments, object.state]);
                parts
            }
            Some(Node::Global(_) | Node::Storage(_) | Node::Tensor(_)) | None => Vec::new(),
        }
    }
}
