//! The messages of TensorFlow that constants are read from, declared by hand from `graph.proto`, `node_def.proto`,
//! `attr_value.proto` and `tensor.proto`: fields that Trepang does not read are left out. No meaning here.

use bytes::Bytes;
use prost::Message;

/// A graph of operations.
#[derive(Clone, PartialEq, Message)]
pub(super) struct GraphDef {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<NodeDef>,
}

/// An operation and its attributes.
#[derive(Clone, PartialEq, Message)]
pub(super) struct NodeDef {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub op: String,
    #[prost(message, repeated, tag = "5")]
    pub attr: Vec<NamedAttr>,
}

/// An attribute under its name: an entry of a map.
#[derive(Clone, PartialEq, Message)]
pub(super) struct NamedAttr {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(message, optional, tag = "2")]
    pub value: Option<AttrValue>,
}

/// The value of an attribute, of one kind.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AttrValue {
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    #[prost(float, optional, tag = "4")]
    pub f: Option<f32>,
    #[prost(message, optional, tag = "8")]
    pub tensor: Option<TensorDef>,
}

/// Numbers: as bytes, or one after the other, where the last one stands for all that follow.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorDef {
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    #[prost(message, optional, tag = "2")]
    pub tensor_shape: Option<ShapeDef>,
    #[prost(bytes = "bytes", tag = "4")]
    pub tensor_content: Bytes,
    #[prost(float, repeated, tag = "5")]
    pub float_val: Vec<f32>,
}

/// The sides of a tensor.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ShapeDef {
    #[prost(message, repeated, tag = "2")]
    pub dim: Vec<DimDef>,
}

/// A side of a tensor.
#[derive(Clone, PartialEq, Message)]
pub(super) struct DimDef {
    #[prost(int64, tag = "1")]
    pub size: i64,
}
