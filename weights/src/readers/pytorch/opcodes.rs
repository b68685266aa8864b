//! Splits a pickle into its opcodes. It knows how long each one is and what it carries, and not what it means: that is in
//! `machine`. Python's `Lib/pickletools.py` lists the opcodes of all protocols.

use super::Fault;

/// An opcode with what follows it in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode<'a> {
    /// Changes nothing that a reader must know, such as the protocol's number.
    Nothing,
    Stop,
    Mark,
    Pop,
    PopMark,
    Dup,
    /// Pushes a value that describes no tensor: a float, `None`, bytes.
    Plain,
    Int(i64),
    Text(&'a str),
    Fill(Filling),
    Put(usize),
    Memoize,
    Get(usize),
    Call(Calling<'a>),
}

/// An opcode that makes or fills a list or dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filling {
    EmptyList,
    EmptyDict,
    /// A list, tuple or set of what lies above the mark.
    List,
    /// A dictionary of what lies above the mark.
    Dict,
    /// A tuple of this many values from the top of the stack.
    Tuple(usize),
    Append,
    Appends,
    SetItem,
    SetItems,
}

/// An opcode that names a class or function, or calls one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calling<'a> {
    Global(&'a str, &'a str),
    StackGlobal,
    /// Calls a function with a tuple of arguments.
    Reduce,
    /// Makes an object of a class with a tuple of arguments.
    NewObject,
    /// The same with keyword arguments.
    NewObjectWithKeywords,
    /// Calls the class below the arguments, down to the mark.
    Object,
    /// Calls the class with the arguments above the mark.
    Instance(&'a str, &'a str),
    Build,
    PersistentId,
}

/// The position in a pickle.
#[derive(Debug)]
pub(super) struct Opcodes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Opcodes<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The number of bytes that were read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Reads the next opcode.
    pub(super) fn next(&mut self) -> Result<Opcode<'a>, Fault> {
        let at = self.at;
        Ok(match self.take(1)?[0] {
            b'.' => Opcode::Stop,
            b'(' => Opcode::Mark,
            b'0' => Opcode::Pop,
            b'1' => Opcode::PopMark,
            b'2' => Opcode::Dup,
            b']' | 0x8f | b')' => Opcode::Fill(Filling::EmptyList),
            b'}' => Opcode::Fill(Filling::EmptyDict),
            b'l' | b't' | 0x91 => Opcode::Fill(Filling::List),
            b'd' => Opcode::Fill(Filling::Dict),
            count @ 0x85..=0x87 => Opcode::Fill(Filling::Tuple(usize::from(count - 0x84))),
            b'a' => Opcode::Fill(Filling::Append),
            b'e' | 0x90 => Opcode::Fill(Filling::Appends),
            b's' => Opcode::Fill(Filling::SetItem),
            b'u' => Opcode::Fill(Filling::SetItems),
            0x94 => Opcode::Memoize,
            0x93 => Opcode::Call(Calling::StackGlobal),
            b'R' => Opcode::Call(Calling::Reduce),
            0x81 => Opcode::Call(Calling::NewObject),
            0x92 => Opcode::Call(Calling::NewObjectWithKeywords),
            b'o' => Opcode::Call(Calling::Object),
            b'b' => Opcode::Call(Calling::Build),
            b'Q' => Opcode::Call(Calling::PersistentId),
            code => return self.with_argument(code, at),
        })
    }

    /// Reads what follows the opcode `code`, which stands at byte `at`.
    fn with_argument(&mut self, code: u8, at: usize) -> Result<Opcode<'a>, Fault> {
        Ok(match code {
            b'q' => Opcode::Put(self.number(1)?),
            b'r' => Opcode::Put(self.number(4)?),
            b'p' => Opcode::Put(self.numbered_line()?),
            b'h' => Opcode::Get(self.number(1)?),
            b'j' => Opcode::Get(self.number(4)?),
            b'g' => Opcode::Get(self.numbered_line()?),
            b'c' => Opcode::Call(Calling::Global(self.name()?, self.name()?)),
            b'i' => Opcode::Call(Calling::Instance(self.name()?, self.name()?)),
            b'K' => Opcode::Int(self.signed(1, false)?),
            b'M' => Opcode::Int(self.signed(2, false)?),
            b'J' => Opcode::Int(self.signed(4, true)?),
            0x8a => self.long()?,
            b'I' | b'L' => self.decimal()?,
            b'X' | b'T' => text(self.counted(4)?),
            b'U' | 0x8c => text(self.counted(1)?),
            0x8d => text(self.counted(8)?),
            b'V' | b'S' => self.quoted()?,
            0x80 => self.skip(1, Opcode::Nothing)?,
            0x95 => self.skip(8, Opcode::Nothing)?,
            0x98 => Opcode::Nothing,
            b'G' => self.skip(8, Opcode::Plain)?,
            b'N' | 0x88 | 0x89 | 0x97 => Opcode::Plain,
            0x82 => self.skip(1, Opcode::Plain)?, // a class by a number that only its writer knows
            0x83 => self.skip(2, Opcode::Plain)?,
            0x84 => self.skip(4, Opcode::Plain)?,
            b'C' => self.counted(1).map(|_| Opcode::Plain)?,
            b'B' | 0x8b => self.counted(4).map(|_| Opcode::Plain)?,
            0x8e | 0x96 => self.counted(8).map(|_| Opcode::Plain)?,
            b'F' | b'P' => self.line().map(|_| Opcode::Plain)?,
            _ => {
                return Err(Fault::Broken(format!(
                    "its pickle has the unknown opcode {code:#04x} at byte {at}"
                )));
            }
        })
    }

    /// Consumes the next `count` bytes.
    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len()).ok_or(Fault::CutShort)?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn skip(&mut self, count: usize, opcode: Opcode<'a>) -> Result<Opcode<'a>, Fault> {
        self.take(count).map(|_| opcode)
    }

    /// Consumes a little-endian number of `width` bytes.
    fn number(&mut self, width: usize) -> Result<usize, Fault> {
        let number =
            self.take(width)?.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        usize::try_from(number).map_err(|_| Fault::CutShort)
    }

    /// Consumes a length of `width` bytes and then that many bytes.
    fn counted(&mut self, width: usize) -> Result<&'a [u8], Fault> {
        let count = self.number(width)?;
        self.take(count)
    }

    /// Consumes a number of at most eight bytes in two's complement, if `signed`.
    fn signed(&mut self, width: usize, signed: bool) -> Result<i64, Fault> {
        let bytes = self.take(width)?;
        let negative = signed && bytes.last().is_some_and(|last| last & 0x80 != 0);
        let start = if negative { -1_i64 } else { 0 };
        Ok(bytes.iter().rev().fold(start, |number, byte| number << 8 | i64::from(*byte)))
    }

    /// A number of any length; one that 64 bits do not hold is no shape and no position.
    fn long(&mut self) -> Result<Opcode<'a>, Fault> {
        let width = self.number(1)?;
        if width > 8 { self.skip(width, Opcode::Plain) } else { Ok(Opcode::Int(self.signed(width, true)?)) }
    }

    /// Consumes the bytes up to the end of the line.
    fn line(&mut self) -> Result<&'a [u8], Fault> {
        let rest = &self.bytes[self.at..];
        let len = rest.iter().position(|byte| *byte == b'\n').ok_or(Fault::CutShort)?;
        self.at += len + 1;
        Ok(&rest[..len])
    }

    fn name(&mut self) -> Result<&'a str, Fault> {
        let line = self.line()?;
        str::from_utf8(line).map_err(|_| Fault::Broken("its pickle names a class that is not text".into()))
    }

    fn numbered_line(&mut self) -> Result<usize, Fault> {
        let number = str::from_utf8(self.line()?).ok().and_then(|line| line.parse().ok());
        number.ok_or_else(|| Fault::Broken("its pickle has a line that is no number".into()))
    }

    /// The numbers of protocol 0; `01` and `00` are its truth values.
    fn decimal(&mut self) -> Result<Opcode<'a>, Fault> {
        let line = str::from_utf8(self.line()?).unwrap_or_default();
        Ok(line.trim_end_matches('L').parse().map_or(Opcode::Plain, Opcode::Int))
    }

    /// The texts of protocol 0. One with an escape sequence is passed over: no writer escapes the name of a tensor or class.
    fn quoted(&mut self) -> Result<Opcode<'a>, Fault> {
        let line = self.line()?;
        let inner = match line {
            [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => inner,
            line => line,
        };
        Ok(if inner.contains(&b'\\') { Opcode::Plain } else { text(inner) })
    }
}

/// Text, or a value that is passed over if the bytes are not UTF-8, as Python 2 wrote bytes.
fn text(bytes: &[u8]) -> Opcode<'_> {
    str::from_utf8(bytes).map_or(Opcode::Plain, Opcode::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], opcode: Opcode<'_>) {
        let mut opcodes = Opcodes::new(bytes);
        assert_eq!(opcodes.next(), Ok(opcode), "{bytes:?}");
        assert_eq!(opcodes.position(), bytes.len(), "{bytes:?}");
    }

    #[test]
    fn numbers_of_every_width_and_protocol() {
        check(b"K\xff", Opcode::Int(255));
        check(b"M\x00\x02", Opcode::Int(512));
        check(b"J\xfe\xff\xff\xff", Opcode::Int(-2));
        check(b"\x8a\x00", Opcode::Int(0));
        check(b"\x8a\x01\x80", Opcode::Int(-128));
        check(b"\x8a\x05\x00\x00\x00\x00\x01", Opcode::Int(1 << 32));
        check(b"\x8a\x09123456789", Opcode::Plain);
        check(b"L12L\n", Opcode::Int(12));
        check(b"I01\n", Opcode::Int(1));
    }

    #[test]
    fn texts_of_every_protocol() {
        check(b"X\x02\0\0\0ab", Opcode::Text("ab"));
        check(b"\x8d\x02\0\0\0\0\0\0\0ab", Opcode::Text("ab"));
        check(b"S'ab'\n", Opcode::Text("ab"));
        check(b"Vab\n", Opcode::Text("ab"));
        check(b"V\\u0061b\n", Opcode::Plain);
        check(b"U\x01\xff", Opcode::Plain);
    }

    #[test]
    fn a_pickle_that_ends_early_is_cut_short() {
        for bytes in [&b""[..], b"K", b"X\x02\0\0\0a", b"cos\n", b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff"] {
            assert_eq!(Opcodes::new(bytes).next(), Err(Fault::CutShort), "{bytes:?}");
        }
        let unknown = Fault::Broken("its pickle has the unknown opcode 0xff at byte 0".into());
        assert_eq!(Opcodes::new(b"\xff").next(), Err(unknown));
    }
}
