//! Reads a pickle into a [`Tree`]: a stack machine, as Python's own, but one that imports, calls and makes nothing. What
//! a call would have made is in `calls`.

use std::collections::HashMap;
use std::rc::Rc;

use super::Fault;
use super::opcodes::{Calling, Filling, Opcode, Opcodes};
use super::tree::{Global, Object, PickleNode, PickleValue, Tree};

/// The largest number of opcodes. A checkpoint with thousands of tensors and an optimizer's state takes a tenth of this.
const MAX_OPCODES: usize = 3_000_000;

/// The largest number of values that are looked at or copied again.
const MAX_COUNTED: usize = 10_000_000;

/// A pickle that was read.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    pub(super) tree: Tree<'a>,
    /// The pickled value.
    pub(super) root: PickleValue<'a>,
    /// The length of the pickle in bytes; other data may follow it.
    pub(super) len: usize,
}

/// Reads the pickle at the start of `bytes`. Fails if it is cut short, is none, or would call something that does harm.
pub(super) fn read(bytes: &[u8]) -> Result<Pickle<'_>, Fault> {
    let mut opcodes = Opcodes::new(bytes);
    let mut machine = Machine::default();
    for _ in 0..MAX_OPCODES {
        let opcode = opcodes.next()?;
        if opcode == Opcode::Stop {
            let root = machine.pop()?;
            return Ok(Pickle { tree: machine.tree, root, len: opcodes.position() });
        }
        machine.step(opcode)?;
    }
    Err(Fault::TooLong)
}

/// The state of the machine.
#[derive(Default)]
pub(super) struct Machine<'a> {
    pub(super) tree: Tree<'a>,
    stack: Vec<PickleValue<'a>>,
    /// The heights of the stack at the marks.
    marks: Vec<usize>,
    memo: HashMap<usize, PickleValue<'a>>,
    /// Whether the pickle names something that would do harm if it were called.
    pub(super) names_harm: bool,
    /// The number of values that were looked at or copied again.
    counted: usize,
}

impl<'a> Machine<'a> {
    fn step(&mut self, opcode: Opcode<'a>) -> Result<(), Fault> {
        match opcode {
            Opcode::Nothing | Opcode::Stop => {}
            Opcode::Mark => self.marks.push(self.stack.len()),
            // Python keeps a stack for each mark, and `POP` on an empty one takes the mark.
            Opcode::Pop if self.marks.last() == Some(&self.stack.len()) => _ = self.marks.pop(),
            Opcode::Pop => _ = self.pop()?,
            Opcode::PopMark => _ = self.above_mark()?,
            Opcode::Dup => self.stack.push(self.top()?),
            Opcode::Plain => self.stack.push(PickleValue::Plain),
            Opcode::Int(number) => self.stack.push(PickleValue::Int(number)),
            Opcode::Text(text) => self.stack.push(PickleValue::Text(text)),
            Opcode::Put(index) => _ = self.memo.insert(index, self.top()?),
            Opcode::Memoize => _ = self.memo.insert(self.memo.len(), self.top()?),
            Opcode::Get(index) => {
                let value = self.memo.get(&index).copied();
                self.stack.push(value.ok_or_else(|| broken("refers to a value that it has not"))?);
            }
            Opcode::Fill(filling) => self.fill(filling)?,
            Opcode::Call(calling) => self.step_call(calling)?,
        }
        Ok(())
    }

    /// The opcodes that make and fill lists and dictionaries.
    fn fill(&mut self, filling: Filling) -> Result<(), Fault> {
        match filling {
            Filling::EmptyList => self.push(PickleNode::List(Vec::new())),
            Filling::EmptyDict => self.push(PickleNode::Dict(Vec::new())),
            Filling::List => {
                let values = self.above_mark()?;
                self.push(PickleNode::List(values));
            }
            Filling::Dict => {
                let entries = pairs(&self.above_mark()?)?;
                self.push(PickleNode::Dict(entries));
            }
            Filling::Tuple(count) => {
                let values = self.pop_many(count)?;
                self.push(PickleNode::List(values));
            }
            Filling::Append => {
                let value = self.pop()?;
                self.append(&[value])?;
            }
            Filling::Appends => {
                let values = self.above_mark()?;
                self.append(&values)?;
            }
            Filling::SetItem => {
                let pair = self.pop_many(2)?;
                self.set(&pair)?;
            }
            Filling::SetItems => {
                let values = self.above_mark()?;
                self.set(&values)?;
            }
        }
        Ok(())
    }

    /// The opcodes that name a class or function, or call one.
    fn step_call(&mut self, calling: Calling<'a>) -> Result<(), Fault> {
        let value = match calling {
            Calling::Global(module, name) => self.global(module, name.into())?,
            Calling::StackGlobal => {
                let names = self.pop_many(2)?;
                let [PickleValue::Text(module), PickleValue::Text(name)] = names[..] else {
                    return Err(Fault::Harmful("something whose name it hides".into()));
                };
                self.global(module, name.into())?
            }
            Calling::Reduce | Calling::NewObject => {
                let called = self.pop_many(2)?;
                self.call(called[0], called[1])?
            }
            Calling::NewObjectWithKeywords => {
                let called = self.pop_many(3)?;
                self.call(called[0], called[1])?
            }
            Calling::Object => {
                let mut values = self.above_mark()?;
                if values.is_empty() {
                    return Err(broken("makes an object of no class"));
                }
                let class = values.remove(0);
                let arguments = self.tree.add(PickleNode::List(values));
                self.call(class, arguments)?
            }
            Calling::Instance(module, name) => {
                let values = self.above_mark()?;
                let class = self.global(module, name.into())?;
                let arguments = self.tree.add(PickleNode::List(values));
                self.call(class, arguments)?
            }
            Calling::Build => {
                let built = self.pop_many(2)?;
                self.build(built[0], built[1])?;
                built[0]
            }
            Calling::PersistentId => {
                let id = self.pop()?;
                self.persistent(id)?
            }
        };
        self.stack.push(value);
        Ok(())
    }

    fn push(&mut self, node: PickleNode<'a>) {
        let value = self.tree.add(node);
        self.stack.push(value);
    }

    fn top(&self) -> Result<PickleValue<'a>, Fault> {
        self.stack.last().copied().ok_or_else(empty)
    }

    fn pop(&mut self) -> Result<PickleValue<'a>, Fault> {
        if self.marks.last() == Some(&self.stack.len()) {
            return Err(empty());
        }
        self.stack.pop().ok_or_else(empty)
    }

    /// Takes `count` values from the stack, the deepest first.
    fn pop_many(&mut self, count: usize) -> Result<Vec<PickleValue<'a>>, Fault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let start = self.stack.len().checked_sub(count).filter(|start| *start >= floor).ok_or_else(empty)?;
        Ok(self.stack.split_off(start))
    }

    /// Takes what lies above the newest mark from the stack.
    fn above_mark(&mut self) -> Result<Vec<PickleValue<'a>>, Fault> {
        let mark = self.marks.pop().filter(|mark| *mark <= self.stack.len()).ok_or_else(empty)?;
        Ok(self.stack.split_off(mark))
    }

    fn append(&mut self, values: &[PickleValue<'a>]) -> Result<(), Fault> {
        let list = self.top()?;
        match self.tree.node_mut(list) {
            Some(PickleNode::List(items)) => items.extend(values),
            Some(PickleNode::Object(object)) => object.items.extend(values),
            Some(
                PickleNode::Dict(_)
                | PickleNode::Global(_)
                | PickleNode::Partial(_)
                | PickleNode::Storage(_)
                | PickleNode::Tensor(_),
            )
            | None => {}
        }
        Ok(())
    }

    fn set(&mut self, values: &[PickleValue<'a>]) -> Result<(), Fault> {
        let entries = pairs(values)?;
        let dict = self.top()?;
        match self.tree.node_mut(dict) {
            Some(PickleNode::Dict(known)) => known.extend(entries),
            Some(PickleNode::Object(object)) => object.entries.extend(entries),
            Some(
                PickleNode::List(_)
                | PickleNode::Global(_)
                | PickleNode::Partial(_)
                | PickleNode::Storage(_)
                | PickleNode::Tensor(_),
            )
            | None => {}
        }
        Ok(())
    }

    /// Gives an object its state.
    fn build(&mut self, value: PickleValue<'a>, state: PickleValue<'a>) -> Result<(), Fault> {
        if let Some(PickleNode::Object(object)) = self.tree.node(value) {
            let attributes = object.state;
            self.count(self.tree.entries(attributes).len())?;
            if let Some(setter) = self.tree.get(attributes, "__setstate__") {
                self.call(setter, state)?; // an object whose attribute was set to a function
            }
        }
        let function = self.tree.list(state).first().copied();
        match self.tree.node_mut(value) {
            Some(PickleNode::Object(object)) => object.state = state,
            Some(PickleNode::Partial(partial)) => *partial = function.unwrap_or(*partial),
            Some(
                PickleNode::List(_)
                | PickleNode::Dict(_)
                | PickleNode::Global(_)
                | PickleNode::Storage(_)
                | PickleNode::Tensor(_),
            )
            | None => {}
        }
        Ok(())
    }

    /// Counts values that are looked at or copied again, so that doing so over and over ends.
    pub(super) fn count(&mut self, count: usize) -> Result<(), Fault> {
        self.counted = self.counted.saturating_add(count);
        if self.counted > MAX_COUNTED { Err(Fault::TooLong) } else { Ok(()) }
    }

    /// An object that is passed over.
    pub(super) fn object(
        &mut self,
        class: Option<Rc<Global<'a>>>,
        arguments: PickleValue<'a>,
    ) -> PickleValue<'a> {
        let (entries, items) = (Vec::new(), Vec::new());
        self.tree.add(PickleNode::Object(Box::new(Object {
            class,
            arguments,
            entries,
            items,
            state: PickleValue::Plain,
        })))
    }
}

/// Keys and values in turn, as pairs.
fn pairs<'a>(values: &[PickleValue<'a>]) -> Result<Vec<(PickleValue<'a>, PickleValue<'a>)>, Fault> {
    let (pairs, rest) = values.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(broken("has a key without a value"));
    }
    Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
}

pub(super) fn broken(what: &str) -> Fault {
    Fault::Broken(format!("its pickle {what}"))
}

fn empty() -> Fault {
    broken("takes a value where there is none")
}
