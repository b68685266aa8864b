//! What the calls in a pickle would make, without making it: tensors and dictionaries are recognised, functions that do harm
//! are refused, and everything else becomes an object that is passed over.

use std::collections::HashSet;
use std::rc::Rc;

use super::Fault;
use super::harmful;
use super::machine::{Machine, broken};
use super::stored::{Dtype, StoredTensor, TorchStorage};
use super::tree::{Global, Object, PickleNode, PickleValue};

/// The largest number of values that are looked through for a harmful function among the arguments of a call.
const MAX_SEARCHED: usize = 100_000;

/// The deepest call in the arguments of `_rebuild_from_type_v2` that is followed.
const MAX_NESTED_CALLS: usize = 8;

/// The longest name of a module, and of a class or function in it, in bytes and in dots.
const MAX_NAME_LEN: usize = 300;
const MAX_DOTS: usize = 10;

/// The longest name of a storage. PyTorch's are numbers.
const MAX_KEY_LEN: usize = 200;

/// The largest number of dimensions of a tensor; PyTorch's own limit.
const MAX_DIMENSIONS: usize = 64;

impl<'a> Machine<'a> {
    /// The class or function of this name, which is not imported.
    pub(super) fn global(&mut self, module: &'a str, name: String) -> Result<PickleValue<'a>, Fault> {
        let is_long = |name: &str| name.len() > MAX_NAME_LEN || name.matches('.').count() > MAX_DOTS;
        if is_long(module) || is_long(&name) {
            return Err(broken("names a class at too great length"));
        }
        let harmful = harmful::is_harmful(module, &name);
        self.names_harm |= harmful;
        Ok(self.tree.add(PickleNode::Global(Rc::new(Global { module, name, harmful }))))
    }

    /// The value that calling `function` with the tuple `arguments` makes. Fails if it would do harm.
    pub(super) fn call(
        &mut self,
        function: PickleValue<'a>,
        arguments: PickleValue<'a>,
    ) -> Result<PickleValue<'a>, Fault> {
        self.call_nested(function, arguments, 0)
    }

    fn call_nested(
        &mut self,
        function: PickleValue<'a>,
        arguments: PickleValue<'a>,
        depth: usize,
    ) -> Result<PickleValue<'a>, Fault> {
        let Some(global) = self.called(function)? else {
            self.keep_from_harm(arguments)?;
            return Ok(self.object(None, arguments));
        };
        refuse_harmful(Some(&global))?;
        let first = self.tree.list(arguments).first().copied().unwrap_or(PickleValue::Plain);
        if (global.module, &*global.name) == ("functools", "partial") {
            return Ok(self.tree.add(PickleNode::Partial(first)));
        }
        if self.names_harm && harmful::may_call_arguments(global.module, &global.name) {
            self.keep_from_harm(arguments)?;
        }
        match (global.module, &*global.name) {
            ("builtins" | "__builtin__", "getattr") => self.attribute(arguments),
            ("torch._utils", name) if name.starts_with("_rebuild_") => {
                self.rebuilt(&global, arguments, first)
            }
            ("torch._tensor" | "torch._utils", "_rebuild_from_type_v2" | "_rebuild_from_type")
                if depth < MAX_NESTED_CALLS =>
            {
                let inner = self.tree.list(arguments).get(2).copied().unwrap_or(PickleValue::Plain);
                self.call_nested(first, inner, depth + 1)
            }
            (_, "Parameter" | "Buffer") if self.tree.tensor(first).is_some() => Ok(first),
            ("collections", "OrderedDict") => self.dictionary(first),
            ("torch", "Size")
            | ("builtins" | "__builtin__", "list" | "tuple" | "set" | "frozenset" | "dict")
                if self.tree.node(first).is_some() =>
            {
                Ok(first)
            }
            ("copyreg" | "copy_reg", "_reconstructor" | "__newobj__" | "__newobj_ex__") => {
                let class = self.called(first)?;
                refuse_harmful(class.as_ref())?;
                let made = self.object(class, arguments);
                Ok(made)
            }
            _ => Ok(self.object(Some(global), arguments)),
        }
    }

    /// The class or function that a value stands for, if it is known by name. Fails for one that was made to fetch or
    /// call any attribute of its argument.
    fn called(&self, function: PickleValue<'a>) -> Result<Option<Rc<Global<'a>>>, Fault> {
        let mut function = function;
        for _ in 0..MAX_NESTED_CALLS {
            match self.tree.node(function) {
                Some(PickleNode::Global(global)) => return Ok(Some(Rc::clone(global))),
                Some(PickleNode::Partial(inner)) => function = *inner,
                Some(PickleNode::Object(object)) => {
                    return match &object.class {
                        Some(class) if harmful::makes_callers(class.module, &class.name) => {
                            Err(Fault::Harmful(format!("{}.{}", class.module, class.name)))
                        }
                        _ => Ok(None),
                    };
                }
                Some(
                    PickleNode::List(_)
                    | PickleNode::Dict(_)
                    | PickleNode::Storage(_)
                    | PickleNode::Tensor(_),
                )
                | None => {
                    return Ok(None);
                }
            }
        }
        Err(Fault::Harmful("something whose name it hides".into()))
    }

    /// Fails if a harmful function is among the arguments of a call, which could call it.
    fn keep_from_harm(&mut self, arguments: PickleValue<'a>) -> Result<(), Fault> {
        if !self.names_harm {
            return Ok(());
        }
        let mut waiting = vec![arguments];
        let mut seen = HashSet::new();
        while let Some(value) = waiting.pop() {
            let PickleValue::Node(at) = value else { continue };
            if seen.len() > MAX_SEARCHED {
                return Err(Fault::Harmful("something whose name it hides".into()));
            }
            if seen.insert(at) {
                refuse_harmful(self.tree.global(value))?;
                let parts = self.tree.parts(value);
                self.count(parts.len())?;
                waiting.extend(parts);
            }
        }
        Ok(())
    }

    /// `getattr(object, name)`: what belongs to a class is known by the names of both.
    fn attribute(&mut self, arguments: PickleValue<'a>) -> Result<PickleValue<'a>, Fault> {
        let &[of, PickleValue::Text(attribute), ..] = self.tree.list(arguments) else {
            return Err(Fault::Harmful("something whose name it hides".into()));
        };
        if harmful::is_inner_attribute(attribute) {
            return Err(Fault::Harmful(format!("builtins.getattr with {attribute}")));
        }
        let class = match self.tree.node(of) {
            Some(PickleNode::Global(global)) => Some(Rc::clone(global)),
            Some(PickleNode::Object(object)) => self.module_given(object).or_else(|| object.class.clone()),
            _ => None,
        };
        match class {
            Some(class) => {
                let dot = if class.name.is_empty() { "" } else { "." };
                self.global(class.module, format!("{}{dot}{attribute}", class.name))
            }
            None => Ok(self.object(None, arguments)),
        }
    }

    /// The module that an object stands for, if it was made by a function that imports one.
    fn module_given(&self, object: &Object<'a>) -> Option<Rc<Global<'a>>> {
        let class = object.class.as_ref().filter(|class| harmful::gives_module(class.module, &class.name));
        match (class, self.tree.list(object.arguments)) {
            (Some(_), &[PickleValue::Text(module), ..]) => {
                Some(Rc::new(Global { module, name: String::new(), harmful: false }))
            }
            _ => None,
        }
    }

    /// A dictionary made from a list of pairs or from another dictionary.
    fn dictionary(&mut self, from: PickleValue<'a>) -> Result<PickleValue<'a>, Fault> {
        let mut entries = self.tree.entries(from).to_vec();
        for &pair in self.tree.list(from) {
            if let [key, value] = *self.tree.list(pair) {
                entries.push((key, value));
            }
        }
        self.count(entries.len())?;
        Ok(self.tree.add(PickleNode::Dict(entries)))
    }

    /// The value that `torch._utils` rebuilds: a tensor, or something that is passed over.
    fn rebuilt(
        &mut self,
        global: &Rc<Global<'a>>,
        arguments: PickleValue<'a>,
        first: PickleValue<'a>,
    ) -> Result<PickleValue<'a>, Fault> {
        match &*global.name {
            "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3" | "_rebuild_qtensor" => {
                let tensor = self.stored_tensor(&global.name, arguments)?;
                Ok(self.tree.add(PickleNode::Tensor(Box::new(tensor))))
            }
            "_rebuild_parameter"
            | "_rebuild_parameter_with_state"
            | "_rebuild_device_tensor_from_cpu_tensor"
            | "_rebuild_parameter_v2"
                if self.tree.tensor(first).is_some() =>
            {
                Ok(first)
            }
            _ => Ok(self.object(Some(Rc::clone(global)), arguments)),
        }
    }

    /// A tensor, from a storage, an offset, a shape and strides, and in the third version the type of its numbers.
    fn stored_tensor(&self, function: &str, arguments: PickleValue<'a>) -> Result<StoredTensor, Fault> {
        let arguments = self.tree.list(arguments);
        let [storage, offset, shape, strides, ..] = *arguments else { return Err(no_tensor()) };
        let Some(PickleNode::Storage(storage)) = self.tree.node(storage) else { return Err(no_tensor()) };
        let (shape, strides) = (self.numbers(shape)?, self.numbers(strides)?);
        if shape.len() != strides.len() {
            return Err(no_tensor());
        }
        let named = arguments.get(6).and_then(|&dtype| self.tree.global(dtype));
        let named = named.filter(|_| function == "_rebuild_tensor_v3");
        let dtype = named.map_or(storage.dtype, |dtype| Dtype::named(&dtype.name));
        let dtype = dtype.ok_or_else(|| broken("has a tensor of a type that is not known"))?;
        Ok(StoredTensor { storage: (**storage).clone(), dtype, offset: number(offset)?, shape, strides })
    }

    fn numbers(&self, list: PickleValue<'a>) -> Result<Vec<usize>, Fault> {
        let list = self.tree.list(list);
        if list.len() > MAX_DIMENSIONS {
            return Err(no_tensor());
        }
        list.iter().map(|&value| number(value)).collect()
    }

    /// The value of a persistent id: in PyTorch's files a storage or, in whole models, a class with its source.
    pub(super) fn persistent(&mut self, id: PickleValue<'a>) -> Result<PickleValue<'a>, Fault> {
        match *self.tree.list(id) {
            [PickleValue::Text("module"), class, ..] => Ok(class),
            [PickleValue::Text("storage"), class, PickleValue::Text(key), _, len, ref view @ ..]
                if key.len() <= MAX_KEY_LEN =>
            {
                let class = self.tree.global(class).ok_or_else(|| broken("has a storage without a type"))?;
                let dtype = Dtype::of_storage(&class.name);
                if dtype.is_none() && !class.name.contains("UntypedStorage") {
                    return Err(Fault::Unknown(format!("its numbers are of the kind {}", class.name)));
                }
                let mut storage = TorchStorage { key: key.into(), dtype, len: number(len)?, start: 0 };
                if let Some(&[_, start, len]) = view.first().map(|&view| self.tree.list(view)) {
                    (storage.start, storage.len) = (number(start)?, number(len)?);
                }
                Ok(self.tree.add(PickleNode::Storage(Box::new(storage))))
            }
            _ => Ok(self.object(None, id)),
        }
    }
}

fn refuse_harmful(global: Option<&Rc<Global<'_>>>) -> Result<(), Fault> {
    match global {
        Some(global) if global.harmful => Err(Fault::Harmful(format!("{}.{}", global.module, global.name))),
        _ => Ok(()),
    }
}

fn number(value: PickleValue<'_>) -> Result<usize, Fault> {
    let number = if let PickleValue::Int(number) = value { usize::try_from(number).ok() } else { None };
    number.ok_or_else(no_tensor)
}

fn no_tensor() -> Fault {
    broken("describes a tensor that cannot be")
}
