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
    let mut left = ALWAYS_ALLOWED_BYTES.max(file.len().saturating_mul(MAX_EXPANSION));
    message(file, whole, 0, &mut left)
}

fn message(mut bytes: &[u8], kind: Kind, depth: usize, left: &mut usize) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("its messages are nested more than {MAX_DEPTH} deep"));
    }
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let number = tag >> 3;
        let length = match tag & 7 {
            0 => {
                varint(&mut bytes)?;
                spend(left, 8)?;
                continue;
            }
            1 => 8,
            2 => usize::try_from(varint(&mut bytes)?).map_err(|_| cut())?,
            5 => 4,
            other => return Err(format!("a field of it has the unknown wire type {other}")),
        };
        let (field, rest) = bytes.split_at_checked(length).ok_or_else(cut)?;
        bytes = rest;
        if tag & 7 != 2 {
            continue;
        }
        spend(left, if kind.is_integers(number) { length.saturating_mul(8) } else { FIELD_BYTES })?;
        match kind.field(number) {
            Kind::Leaf => {}
            inner => message(field, inner, depth + 1, left)?,
        }
    }
    Ok(())
}

fn spend(left: &mut usize, bytes: usize) -> Result<(), String> {
    *left = left.checked_sub(bytes).ok_or("it holds more small parts than a network of its size has")?;
    Ok(())
}

fn cut() -> String {
    "it ends early".into()
}

/// Takes a number of variable length off the front.
fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or_else(cut)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("a number of it is too long".into())
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
            (&[0_u8; 64][..], ""),
            (&[0x3a, 9, 0x0a, 0], "it ends early"),
            (&[0xff; 12], "too long"),
            (&[0x0b], "wire type 3"),
        ] {
            let found = skim(file, Kind::Model);
            assert!(
                words.is_empty() || found.as_ref().is_err_and(|error| error.contains(words)),
                "{found:?}"
            );
        }
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
