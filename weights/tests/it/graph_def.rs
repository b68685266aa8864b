//! Tests of the graphs of TensorFlow 1, of which constants are read. `make_graph_def.py` beside the fixtures makes them.

use std::io::Write;

use prost::Message;
use tempfile::NamedTempFile;
use trepang_weights::{Architecture, Error, FileFormat, fit, is_published, open, trained_with};
use trepang_weights::{FileChoices, Purpose, Store};

use crate::{fixture, refusal};

/// A node with one attribute, which holds a tensor, as TensorFlow writes it.
#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    op: String,
    #[prost(message, repeated, tag = "5")]
    attr: Vec<Attr>,
}

#[derive(Clone, PartialEq, Message)]
struct Attr {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(message, optional, tag = "8")]
    tensor: Option<Tensor>,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int32, tag = "1")]
    dtype: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<Sides>,
    #[prost(bytes = "vec", tag = "4")]
    content: Vec<u8>,
    #[prost(float, repeated, tag = "5")]
    floats: Vec<f32>,
}

#[derive(Clone, PartialEq, Message)]
struct Sides {
    #[prost(message, repeated, tag = "2")]
    dim: Vec<Side>,
}

#[derive(Clone, PartialEq, Message)]
struct Side {
    #[prost(int64, tag = "1")]
    size: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    node: Vec<Node>,
}

fn constant(name: &str, dtype: i32, sides: &[i64], content: Vec<u8>, floats: Vec<f32>) -> Node {
    let shape = Some(Sides { dim: sides.iter().map(|&size| Side { size }).collect() });
    let value = Some(Value { tensor: Some(Tensor { dtype, shape, content, floats }) });
    Node { name: name.into(), op: "Const".into(), attr: vec![Attr { key: "value".into(), value }] }
}

fn written(node: Vec<Node>) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&Graph { node }.encode_to_vec()).unwrap();
    file
}

fn refused(node: Vec<Node>, phrase: &str) {
    let sentence = refusal(written(node).path());
    assert!(sentence.contains(phrase) && !sentence.contains(char::is_control), "{sentence}");
}

#[test]
fn constants_are_read_whatever_holds_their_numbers() {
    let (alone, archived) =
        (open(&fixture("graph_def.pb")).unwrap(), open(&fixture("graph_def.zip")).unwrap());
    for source in [&alone, &archived] {
        assert_eq!(source.format(), FileFormat::GraphDef);
        let names: Vec<&str> = source.tensors().iter().map(|tensor| tensor.name.as_str()).collect();
        let expected = ["conv2d0_w", "conv2d0_b", "halves", "doubles", "avgpool0/reshape/shape"];
        assert_eq!(names, expected, "a text is no tensor");
        let kernel = source.read(0).unwrap();
        assert_eq!(kernel.shape(), [3, 3, 3, 2]);
        assert!((0_u8..).zip(kernel.data()).all(|(at, &number)| number == f32::from(at) / 8.0));
        assert_eq!(source.read(1).unwrap().data(), [0.25, 0.25], "one number stands for two");
        for at in [2, 3] {
            assert_eq!(source.read(at).unwrap().data(), [1.5, -2.0]);
        }
        assert!(matches!(source.read(4), Err(Error::Type { .. })), "integers are no weights");
    }
    assert_eq!(alone.metadata().get("labels"), None);
    assert_eq!(archived.metadata()["labels"], "dummy\nkit fox\n");
}

#[test]
fn another_graph_is_told_what_it_lacks() {
    let source = open(&fixture("graph_def.pb")).unwrap();
    let sentence = fit(Architecture::InceptionV1, source.as_ref()).unwrap_err().to_string();
    for part in [
        "does not fit inception_v1: tensor \"conv2d1_w\" is missing",
        "[3, 3, 3, 2] where [7, 7, 3, 64] is needed",
    ] {
        assert!(sentence.contains(part), "{sentence}");
    }
    let store = Store::new("nowhere");
    let choices = FileChoices::default();
    let path = fixture("graph_def.zip");
    assert!(trained_with("inception_v1", Some(&path), &choices, &store, Purpose::Features).is_err());
    assert!(!is_published(&path));
}

#[test]
fn a_graph_with_another_local_response_norm_is_refused() {
    let sentence = refusal(&fixture("graph_def_other_norm.pb"));
    let expected = "graph_def_other_norm.pb is a TensorFlow GraphDef file that Trepang cannot use: its local response norm \
                    \"localresponsenorm0\" has depth_radius 5, bias 1, alpha 0.0001, beta 0.5, and that of inception_v1 has 5, 2, \
                    0.0001, 0.5";
    assert_eq!(sentence, expected);
}

#[test]
fn what_no_constant_can_be_is_refused() {
    let bytes = |count: usize| vec![0; count];
    refused(vec![constant("a_w", 1, &[2, 3], bytes(20), vec![])], "\"a_w\" has the shape [2, 3]");
    refused(vec![constant("a_w", 1, &[2], bytes(0), vec![1.0; 3])], "\"a_w\" has the shape [2]");
    refused(vec![constant("a_w", 1, &[-2], bytes(8), vec![])], "a side that is less than 0");
    refused(vec![constant("a_w", 1, &[i64::MAX, i64::MAX], bytes(8), vec![])], "\"a_w\" has the shape");
    refused(vec![constant("a_w", 1, &[1 << 40], bytes(0), vec![1.0])], "claim more numbers");
    refused(vec![constant("a", 1, &[1], bytes(4), vec![]); 2], "two tensors named \"a\"");
    let placeholder = Node { name: "input".into(), op: "Placeholder".into(), attr: vec![] };
    refused(vec![placeholder.clone()], "it holds no constants");
    // Many nodes of no size take memory all the same.
    let empty = Node::default();
    refused([vec![placeholder], vec![empty; 400_000]].concat(), "small parts");
}
