//! Looks through a pickle for what it asks Python to import, before anything reads it. Not an unpickler: opcodes are
//! stepped over and nothing is built. Pickle's opcodes are listed in Python's `Lib/pickletools.py`.

use std::collections::HashMap;

/// A `state_dict` with thousands of tensors takes a tenth of this; a reader needs many times a pickle's length.
pub(super) const LONGEST: usize = 8 << 20;

/// What was found in a harmless pickle.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Its length in bytes: other things may follow.
    pub(super) len: usize,
    /// Every text in it, with its place in the order of first appearance.
    pub(super) texts: HashMap<String, usize>,
}

/// Why a pickle is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It imports something that weights do not need.
    Asks(String),
    /// It is cut short, or no pickle.
    Broken(String),
}

/// Steps through the pickle at the start of `bytes`. Fails at the first thing that weights do not need.
pub(super) fn scan(bytes: &[u8]) -> Result<Scan, Refusal> {
    let mut scanner = Scanner { bytes: &bytes[..bytes.len().min(LONGEST)], ..Scanner::default() };
    loop {
        let at = scanner.at;
        let opcode = *scanner.take(1)?.first().ok_or_else(cut_short)?;
        match opcode {
            b'.' => return Ok(Scan { len: scanner.at, texts: scanner.texts }),
            b'c' | b'i' => scanner.global()?,
            0x93 => scanner.stack_global()?,
            0x82..=0x84 => return Err(Refusal::Asks("an extension that only its writer knows".into())),
            _ => scanner.step(opcode, at)?,
        }
    }
}

fn cut_short() -> Refusal {
    Refusal::Broken("its pickle is cut short".into())
}

/// Where the scan is.
#[derive(Default)]
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    texts: HashMap<String, usize>,
    /// The texts pushed last, as far as they are surely on top of the stack.
    top: Vec<&'a [u8]>,
    /// The texts that were put aside, by number.
    memo: HashMap<usize, &'a [u8]>,
    /// How many things `MEMOIZE` put aside; it counts for itself.
    memoized: usize,
}

impl<'a> Scanner<'a> {
    /// The next `count` bytes.
    fn take(&mut self, count: usize) -> Result<&'a [u8], Refusal> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| match self.bytes.len() == LONGEST {
            true => Refusal::Broken("its pickle is longer than any that describes weights".into()),
            false => cut_short(),
        })?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// A number of `width` bytes, the lowest first.
    fn number(&mut self, width: usize) -> Result<usize, Refusal> {
        let bytes = self.take(width)?;
        let number = bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        usize::try_from(number).map_err(|_| cut_short())
    }

    /// As many bytes as a number of `width` bytes says.
    fn counted(&mut self, width: usize) -> Result<&'a [u8], Refusal> {
        let count = self.number(width)?;
        self.take(count)
    }

    /// The bytes up to the end of the line.
    fn line(&mut self) -> Result<&'a [u8], Refusal> {
        let rest = &self.bytes[self.at..];
        let len = rest.iter().position(|byte| *byte == b'\n').ok_or_else(cut_short)?;
        self.at += len + 1;
        Ok(&rest[..len])
    }

    /// `GLOBAL` and `INST`: two lines of text.
    fn global(&mut self) -> Result<(), Refusal> {
        let (module, name) = (self.line()?, self.line()?);
        self.top.clear();
        judge(module, name)
    }

    /// `STACK_GLOBAL`: the two texts on top of the stack.
    fn stack_global(&mut self) -> Result<(), Refusal> {
        let names = match self.top[..] {
            [.., module, name] => judge(module, name),
            _ => Err(Refusal::Asks("something whose name it hides".into())),
        };
        self.top.clear();
        names
    }

    /// Steps over every other opcode, which started `at`.
    fn step(&mut self, opcode: u8, at: usize) -> Result<(), Refusal> {
        match opcode {
            b'X' | b'T' => self.counted(4).map(|text| self.push(text)),
            b'U' | 0x8c => self.counted(1).map(|text| self.push(text)),
            0x8d => self.counted(8).map(|text| self.push(text)),
            b'V' | b'S' => self.line().map(|text| self.push(text)),
            b'q' => self.number(1).map(|index| self.put(index)),
            b'r' => self.number(4).map(|index| self.put(index)),
            b'p' => self.numbered_line().map(|index| self.put(index)),
            0x94 => {
                self.put(self.memoized);
                Ok(())
            }
            b'h' => self.number(1).map(|index| self.get(index)),
            b'j' => self.number(4).map(|index| self.get(index)),
            b'g' => self.numbered_line().map(|index| self.get(index)),
            0x80 => self.take(1).map(|_| ()), // PROTO
            0x95 => self.take(8).map(|_| ()), // FRAME
            _ => self.step_other(opcode, at),
        }
    }

    /// Opcodes after which it is no longer sure what is on top of the stack.
    fn step_other(&mut self, opcode: u8, at: usize) -> Result<(), Refusal> {
        self.top.clear();
        let stepped = match opcode {
            b'K' => self.take(1),
            b'M' => self.take(2),
            b'J' => self.take(4),
            b'G' => self.take(8),
            b'C' | 0x8a => self.counted(1),
            b'B' | 0x8b => self.counted(4),
            0x8e | 0x96 => self.counted(8),
            b'I' | b'L' | b'F' | b'P' => self.line(),
            b'(' | b'0'..=b'2' | b'N' | b'R' | b'b' | b'd' | b'l' | b't' | b's' | b'a' | b')' | b']' => {
                Ok(&[][..])
            }
            b'}' | b'e' | b'u' | b'Q' | b'o' | 0x81 | 0x85..=0x89 | 0x8f..=0x92 | 0x97 | 0x98 => Ok(&[][..]),
            _ => {
                Err(Refusal::Broken(format!("its pickle has the unknown opcode {opcode:#04x} at byte {at}")))
            }
        };
        stepped.map(|_| ())
    }

    fn push(&mut self, text: &'a [u8]) {
        self.top.push(text);
        if let Ok(text) = str::from_utf8(text)
            && !self.texts.contains_key(text)
        {
            self.texts.insert(text.into(), self.texts.len());
        }
    }

    /// Puts what is on top aside. An opcode that did not push text leaves `top` empty.
    fn put(&mut self, index: usize) {
        self.memoized += 1;
        match self.top.last() {
            Some(text) => self.memo.insert(index, text),
            None => self.memo.remove(&index),
        };
    }

    fn get(&mut self, index: usize) {
        match self.memo.get(&index) {
            Some(text) => self.top.push(text),
            None => self.top.clear(),
        }
    }

    fn numbered_line(&mut self) -> Result<usize, Refusal> {
        let line = str::from_utf8(self.line()?).ok();
        line.and_then(|line| line.parse().ok()).ok_or_else(cut_short)
    }
}

/// Is it something that weights need?
fn judge(module: &[u8], name: &[u8]) -> Result<(), Refusal> {
    let (module, name) = (String::from_utf8_lossy(module), String::from_utf8_lossy(name));
    match is_harmless(&module, &name) {
        true => Ok(()),
        false => Err(Refusal::Asks(format!("{module}.{name}"))),
    }
}

/// What a `state_dict` and the numbers saved beside it are made of.
fn is_harmless(module: &str, name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'); // no `a.b`
    plain
        && match module {
            "collections" => ["OrderedDict", "defaultdict", "Counter"].contains(&name),
            "builtins" | "__builtin__" => BUILTINS.contains(&name),
            "torch" => TORCH.contains(&name) || name.ends_with("Storage"),
            "torch.storage" => {
                ["UntypedStorage", "TypedStorage", "_UntypedStorage", "_TypedStorage"].contains(&name)
            }
            "torch._utils" => name.starts_with("_rebuild_"),
            "torch._tensor" => name == "_rebuild_from_type_v2",
            "torch.serialization" => name == "_get_layout",
            "_codecs" => name == "encode", // how Python 3 writes bytes in protocol 2
            "argparse" => name == "Namespace",
            "numpy" => ["dtype", "ndarray"].contains(&name),
            "numpy.core.multiarray" | "numpy._core.multiarray" => ["scalar", "_reconstruct"].contains(&name),
            _ => is_module_class(module, name),
        }
}

const BUILTINS: [&str; 12] = [
    "set",
    "frozenset",
    "dict",
    "list",
    "tuple",
    "int",
    "float",
    "bool",
    "str",
    "bytes",
    "bytearray",
    "complex",
];

const TORCH: [&str; 21] = [
    "Size",
    "device",
    "Tensor",
    "bool",
    "float16",
    "float32",
    "float64",
    "half",
    "float",
    "double",
    "bfloat16",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "complex64",
    "complex128",
];

/// A class of PyTorch's own modules or torchvision's, which a file has that holds a whole model.
fn is_module_class(module: &str, name: &str) -> bool {
    let class =
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    class
        && ["torch.nn.", "torchvision.models.", "torchvision.ops."]
            .iter()
            .any(|start| module.starts_with(start))
}
