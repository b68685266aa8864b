//! Scans a pickle for the globals that it would import, before anything reads it. It is not an unpickler: opcodes are
//! skipped and no value is built. Python's `Lib/pickletools.py` lists the opcodes.

use std::collections::HashMap;

use super::allowed_globals::is_allowed_global;

/// The largest accepted pickle in bytes. A `state_dict` with thousands of tensors takes a tenth of this, and unpickling
/// can take a hundred times its length in memory.
pub(super) const MAX_PICKLE_BYTES: usize = 2 << 20;

/// The result of scanning a pickle that imports only permitted globals.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The length of the pickle in bytes; other data may follow it.
    pub(super) len: usize,
    /// Every string in the pickle, with its position in the order of first appearance.
    pub(super) texts: HashMap<String, usize>,
}

/// Why a pickle is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It imports this global, which weights do not need.
    Imports(String),
    /// It is cut short or is not a pickle; the text is the reason.
    Broken(String),
}

/// Scans the pickle at the start of `bytes`. Fails at the first global that weights do not need.
pub(super) fn scan(bytes: &[u8]) -> Result<Scan, Refusal> {
    let mut scanner = Scanner { bytes: &bytes[..bytes.len().min(MAX_PICKLE_BYTES)], ..Scanner::default() };
    loop {
        let at = scanner.at;
        let opcode = *scanner.take(1)?.first().ok_or_else(cut_short)?;
        match opcode {
            b'.' => return Ok(Scan { len: scanner.at, texts: scanner.texts }),
            b'c' | b'i' => scanner.global()?,
            0x93 => scanner.stack_global()?,
            0x82..=0x84 => return Err(Refusal::Imports("an extension that only its writer knows".into())),
            _ => scanner.step(opcode, at)?,
        }
    }
}

fn cut_short() -> Refusal {
    Refusal::Broken("its pickle is cut short".into())
}

/// The state of a scan: the position, and what is known of the unpickler's stack and memo.
#[derive(Default)]
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    texts: HashMap<String, usize>,
    /// The strings that are certainly on top of the stack.
    top: Vec<&'a [u8]>,
    /// The strings in the memo, by index.
    memo: HashMap<usize, &'a [u8]>,
    /// The number of memo entries so far, from which `MEMOIZE` takes its index.
    memoized: usize,
}

impl<'a> Scanner<'a> {
    /// Consumes the next `count` bytes.
    fn take(&mut self, count: usize) -> Result<&'a [u8], Refusal> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| {
            if self.bytes.len() == MAX_PICKLE_BYTES {
                Refusal::Broken("its pickle is longer than any that describes weights".into())
            } else {
                cut_short()
            }
        })?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// Consumes a little-endian number of `width` bytes.
    fn number(&mut self, width: usize) -> Result<usize, Refusal> {
        let bytes = self.take(width)?;
        let number = bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        usize::try_from(number).map_err(|_| cut_short())
    }

    /// Consumes a length of `width` bytes and then that many bytes.
    fn counted(&mut self, width: usize) -> Result<&'a [u8], Refusal> {
        let count = self.number(width)?;
        self.take(count)
    }

    /// Consumes the bytes up to the end of the line.
    fn line(&mut self) -> Result<&'a [u8], Refusal> {
        let rest = &self.bytes[self.at..];
        let len = rest.iter().position(|byte| *byte == b'\n').ok_or_else(cut_short)?;
        self.at += len + 1;
        Ok(&rest[..len])
    }

    /// Handles `GLOBAL` and `INST`, which are followed by two lines: module and name.
    fn global(&mut self) -> Result<(), Refusal> {
        let (module, name) = (self.line()?, self.line()?);
        self.top.clear();
        check_global(module, name)
    }

    /// Handles `STACK_GLOBAL`, which takes module and name from the stack.
    fn stack_global(&mut self) -> Result<(), Refusal> {
        let names = match self.top[..] {
            [.., module, name] => check_global(module, name),
            _ => Err(Refusal::Imports("something whose name it hides".into())),
        };
        self.top.clear();
        names
    }

    /// Handles every other opcode; it started at byte `at`.
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

    /// Skips opcodes after which the top of the stack is unknown.
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

    /// Stores the top of the stack in the memo. If the top is not a string, the entry is removed.
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

/// Fails if weights do not need the global.
fn check_global(module: &[u8], name: &[u8]) -> Result<(), Refusal> {
    let (module, name) = (String::from_utf8_lossy(module), String::from_utf8_lossy(name));
    if is_allowed_global(&module, &name) { Ok(()) } else { Err(Refusal::Imports(format!("{module}.{name}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_asks(pickle: &[u8], call: &str) {
        assert_eq!(scan(pickle).unwrap_err(), Refusal::Imports(call.into()));
    }

    fn check_broken(pickle: &[u8], reason: &str) {
        assert_eq!(scan(pickle).unwrap_err(), Refusal::Broken(reason.into()));
    }

    #[test]
    fn every_way_to_import_is_seen() {
        check_asks(b"\x80\x02cposix\nsystem\n.", "posix.system");
        check_asks(b"(S'ls'\nios\nsystem\n.", "os.system");
        check_asks(b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93.", "os.system");
        check_asks(b"\x80\x02X\x02\0\0\0osq\x05X\x06\0\0\0systemq\x06Nh\x05h\x06\x93.", "os.system");
        check_asks(b"\x80\x04\x8c\x05torch\x8c\x09os.system\x93.", "torch.os.system");
        check_asks(b"\x80\x04\x8c\x02os\x8c\x06system0\x93.", "something whose name it hides");
        check_asks(b"\x80\x02\x82\x01.", "an extension that only its writer knows");
    }

    #[test]
    fn a_number_in_the_memo_replaces_a_string() {
        // memo 0 becomes "os", then the number 1
        check_asks(b"\x80\x02U\x02osq\0K\x01q\0Nh\0U\x06system\x93.", "something whose name it hides");
    }

    #[test]
    fn strings_keep_their_order_and_later_bytes_are_ignored() {
        let scan = scan(b"\x80\x02}(U\x01bK\x01U\x01aK\x02U\x01bK\x03u.more").unwrap();
        assert_eq!(scan.len, 21);
        assert_eq!(scan.texts, HashMap::from([("b".into(), 0), ("a".into(), 1)]));
    }

    #[test]
    fn bytes_that_are_not_a_pickle_are_refused() {
        check_broken(b"", "its pickle is cut short");
        check_broken(b"\x80\x02X\xff\xff\xff\xffos", "its pickle is cut short");
        check_broken(b"\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xffos", "its pickle is cut short");
        check_broken(b"\x80\x02~", "its pickle has the unknown opcode 0x7e at byte 2");
        check_broken(
            &vec![b'N'; MAX_PICKLE_BYTES + 1],
            "its pickle is longer than any that describes weights",
        );
    }
}
