//! Walks over the bytes of an ONNX file, or of a graph of TensorFlow's, before they are decoded, so that decoding takes bounded memory: a message of two bytes
//! becomes a structure of hundreds, and a number of one byte takes eight. Meaning is left to the decoder.

/// The memory that the decoder may take for a file, whatever its size.
const ALWAYS_ALLOWED_BYTES: usize = 64 << 20;

/// Above that, the decoder may take this many times the bytes of the file.
const MAX_EXPANSION: usize = 4;

/// The memory that a decoded text or message takes, generously.
const FIELD_BYTES: usize = 256;

/// The deepest nesting: of graphs in attributes of nodes.
const MAX_DEPTH: usize = 32;

/// The messages that hold messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The whole of an ONNX file.
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Value,
    Type,
    TensorType,
    Shape,
    /// The whole of a file of TensorFlow's.
    GraphDef,
    NodeDef,
    /// An attribute of a node under its name.
    NamedAttr,
    AttrValue,
    TensorDef,
    ShapeDef,
    /// A message that only holds texts and numbers, or a text.
    Leaf,
}

impl Kind {
    /// The kind of a field, by its number.
    fn field(self, number: u64) -> Self {
        match (self, number) {
            (Self::Model, 7) | (Self::Attribute, 6) => Self::Graph,
            (Self::Graph, 1) => Self::Node,
            (Self::Graph | Self::Attribute, 5) => Self::Tensor,
            (Self::Graph, 11 | 12) => Self::Value,
            (Self::Value, 2) => Self::Type,
            (Self::Type, 1) => Self::TensorType,
            (Self::TensorType, 2) => Self::Shape,
            (Self::Node, 5) => Self::Attribute,
            (Self::GraphDef, 1) => Self::NodeDef,
            (Self::NodeDef, 5) => Self::NamedAttr,
            (Self::NamedAttr, 2) => Self::AttrValue,
            (Self::AttrValue, 8) => Self::TensorDef,
            (Self::TensorDef, 2) => Self::ShapeDef,
            (
                Self::Model
                | Self::Graph
                | Self::Node
                | Self::Attribute
                | Self::Tensor
                | Self::Value
                | Self::Type
                | Self::TensorType
                | Self::Shape
                | Self::GraphDef
                | Self::NodeDef
                | Self::NamedAttr
                | Self::AttrValue
                | Self::TensorDef
                | Self::ShapeDef
                | Self::Leaf,
                _,
            ) => Self::Leaf,
        }
    }

    /// Whether a field is a list of integers, which may take a byte each.
    fn is_integers(self, number: u64) -> bool {
        matches!((self, number), (Self::Attribute, 8) | (Self::Tensor, 1 | 5 | 7))
    }
}

/// Fails, with a clause, for bytes that are no messages, that are nested too deep, or that would take too much memory. `whole` is
/// the message that the file is.
pub(crate) fn skim(file: &[u8], whole: Kind) -> Result<(), String> {
    let left = ALWAYS_ALLOWED_BYTES.max(file.len().saturating_mul(MAX_EXPANSION));
    SkimWalk { left, is_whole: true }.message(file, whole, 0)
}

/// The same for the first bytes of a file, of which the rest has not been read.
pub(crate) fn skim_start(head: &[u8], whole: Kind) -> Result<(), String> {
    SkimWalk { left: usize::MAX, is_whole: false }.message(head, whole, 0)
}

/// A walk over messages in messages.
#[derive(Debug)]
struct SkimWalk {
    /// The memory that the decoder may still take.
    left: usize,
    /// Whether the bytes are all of the file, so that a part that ends early is a fault.
    is_whole: bool,
}

impl SkimWalk {
    fn message(&mut self, mut bytes: &[u8], kind: Kind, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("its messages are nested more than {MAX_DEPTH} deep"));
        }
        while !bytes.is_empty() {
            let (number, length) = match field(&mut bytes) {
                Ok(FieldHead { length: None, .. }) => {
                    self.spend(8)?;
                    continue;
                }
                Ok(FieldHead { number, length: Some(length) }) => (number, length),
                Err(SkimFault::EndsEarly) if !self.is_whole => return Ok(()),
                Err(fault) => return Err(fault.words()),
            };
            let inner = kind.field(number);
            let Some((field, rest)) = bytes.split_at_checked(length) else {
                return match inner {
                    _ if self.is_whole => Err(SkimFault::EndsEarly.words()),
                    Kind::Leaf => Ok(()),
                    inner => self.message(bytes, inner, depth + 1),
                };
            };
            bytes = rest;
            self.spend(if kind.is_integers(number) { length.saturating_mul(8) } else { FIELD_BYTES })?;
            match inner {
                Kind::Leaf => {}
                inner => self.message(field, inner, depth + 1)?,
            }
        }
        Ok(())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), String> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or("it holds more small parts than a network of its size has")?;
        Ok(())
    }
}

/// The number of a field and, if it is a text or a message, how many bytes it has.
#[derive(Debug, Clone, Copy)]
struct FieldHead {
    number: u64,
    length: Option<usize>,
}

/// A fault of bytes that should be messages.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SkimFault {
    EndsEarly,
    /// Another one, as a clause.
    Other(String),
}

impl SkimFault {
    fn words(self) -> String {
        match self {
            Self::EndsEarly => "it ends early".into(),
            Self::Other(words) => words,
        }
    }
}

/// Takes the head of a field off the front, and all of a field that is a number.
fn field(bytes: &mut &[u8]) -> Result<FieldHead, SkimFault> {
    let tag = varint(bytes)?;
    let number = tag >> 3;
    if number == 0 {
        return Err(SkimFault::Other("a field of it has the number 0".into()));
    }
    let fixed = match tag & 7 {
        0 => {
            varint(bytes)?;
            0
        }
        1 => 8,
        2 => {
            let length = usize::try_from(varint(bytes)?).map_err(|_| SkimFault::EndsEarly)?;
            return Ok(FieldHead { number, length: Some(length) });
        }
        5 => 4,
        other => return Err(SkimFault::Other(format!("a field of it has the unknown wire type {other}"))),
    };
    *bytes = bytes.get(fixed..).ok_or(SkimFault::EndsEarly)?;
    Ok(FieldHead { number, length: None })
}

/// Takes a number of variable length off the front.
fn varint(bytes: &mut &[u8]) -> Result<u64, SkimFault> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(SkimFault::EndsEarly)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(SkimFault::Other("a number of it is too long".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_parts_may_not_add_up_to_much_memory() {
        // A graph (field 7) of empty nodes (field 1), two bytes each.
        let nodes: Vec<u8> = [0x0a, 0].repeat(1 << 19);
        let mut file = vec![0x3a];
        let mut length = nodes.len();
        while length >= 0x80 {
            file.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        file.push(length as u8);
        file.extend(nodes);
        assert!(skim(&file, Kind::Model).unwrap_err().contains("small parts"));
        assert!(skim(&[0x3a, 2, 0x0a, 0], Kind::Model).is_ok());
    }

    #[test]
    fn zeros_cut_files_and_endless_numbers_are_refused() {
        for (file, words) in [
            (&[0_u8; 64][..], "the number 0"),
            (&[0x3a, 9, 0x0a, 0], "it ends early"),
            (&[0xff; 12], "too long"),
            (&[0x0b], "wire type 3"),
        ] {
            let found = skim(file, Kind::Model);
            assert!(found.as_ref().is_err_and(|error| error.contains(words)), "{found:?}");
        }
    }

    #[test]
    fn the_start_of_a_file_is_judged_without_its_end() {
        // A graph of a megabyte of which a node has begun, and the same with zeros where the node should be.
        let graph = |inner: &[u8]| [&[0x08, 0x0a, 0x3a, 0x80, 0x80, 0x40][..], inner].concat();
        assert_eq!(skim_start(&graph(&[0x0a, 0x30, 0x0a, 1, b'x']), Kind::Model), Ok(()));
        let error = skim_start(&graph(&[0; 64]), Kind::Model).unwrap_err();
        assert!(error.contains("the number 0"), "{error}");
    }

    #[test]
    fn graphs_in_graphs_end_somewhere() {
        let mut graph = Vec::new();
        for _ in 0..40 {
            for tag in [0x32, 0x2a, 0x0a] {
                let mut outer = vec![tag];
                let mut length = graph.len();
                while length >= 0x80 {
                    outer.push((length & 0x7f) as u8 | 0x80);
                    length >>= 7;
                }
                outer.push(length as u8);
                outer.append(&mut graph);
                graph = outer;
            }
        }
        let mut file = vec![0x3a, (graph.len() & 0x7f) as u8 | 0x80, (graph.len() >> 7) as u8];
        file.extend(graph);
        assert!(skim(&file, Kind::Model).unwrap_err().contains("nested"));
    }
}
