//! Files that no exporter writes, made by hand: each is refused, or cut, in one sentence.

use std::io::Write;

use prost::Message;
use tempfile::NamedTempFile;

use super::OnnxModel;
use super::proto::{
    AttributeProto, DimProto, EntryProto, FunctionProto, GraphProto, ModelProto, NodeProto, OpsetProto,
    ShapeProto, TensorProto, TensorTypeProto, TypeProto, ValueInfoProto,
};

const FLOAT: i32 = 1;
const INT8: i32 = 3;

fn input(name: &str, sides: &[i64]) -> ValueInfoProto {
    let dim = |&side: &i64| DimProto { dim_value: (side > 0).then_some(side) };
    let shape = Some(ShapeProto { dim: sides.iter().map(dim).collect() });
    let tensor_type = Some(TensorTypeProto { elem_type: FLOAT, shape });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }) }
}

fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(|&name| name.into()).collect(),
        output: vec![output.into()],
        name: format!("the {output}"),
        op_type: op.into(),
        ..NodeProto::default()
    }
}

fn constant(name: &str, dims: &[i64]) -> TensorProto {
    let len = dims.iter().product::<i64>() as usize;
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: FLOAT,
        float_data: (0..len).map(|at| 0.5 + at as f32 * 0.25).collect(),
        ..TensorProto::default()
    }
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), i, ..AttributeProto::default() }
}

fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { name: name.into(), ints: ints.to_vec(), ..AttributeProto::default() }
}

/// A network of one convolution of a cell, with what `change` makes of it.
fn model(change: impl FnOnce(&mut GraphProto)) -> ModelProto {
    let mut graph = GraphProto {
        node: vec![node("Conv", &["x", "w"], "conv"), node("Relu", &["conv"], "relu")],
        initializer: vec![constant("w", &[2, 3, 1, 1])],
        input: vec![input("x", &[1, 3, 8, 8])],
        output: vec![input("relu", &[1, 2, 8, 8])],
    };
    change(&mut graph);
    ModelProto {
        ir_version: 10,
        producer_name: "a hand".into(),
        graph: Some(graph),
        opset_import: vec![OpsetProto { domain: String::new(), version: 13 }],
        ..ModelProto::default()
    }
}

fn written(model: &ModelProto) -> NamedTempFile {
    file_of(&model.encode_to_vec())
}

fn file_of(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn read(model: &ModelProto) -> OnnxModel {
    let file = written(model);
    OnnxModel::read(file.path(), Some("unit".parse().unwrap())).unwrap()
}

fn refused(model: &ModelProto, words: &str) {
    let file = written(model);
    let error = OnnxModel::read(file.path(), None).unwrap_err().to_string();
    assert!(error.contains(words) && !error.contains('\n'), "{error}");
}

/// The names of the layers and the first reason of a cut.
fn cut(model: &ModelProto) -> (Vec<String>, String) {
    let read = read(model);
    let names = read.network.layers().map(|id| read.network.node(id).unwrap().name.clone()).collect();
    (names, read.cut.first().map(|cut| cut.reason.clone()).unwrap_or_default())
}

#[test]
fn an_unknown_operation_costs_what_depends_on_it() {
    let (names, reason) = cut(&model(|graph| {
        graph.node.push(node("Sin", &["relu"], "sine"));
        graph.node.push(node("Relu", &["sine"], "behind"));
        graph.node.push(node("Softmax", &["conv"], "beside"));
        graph.node[4].attribute = vec![int("axis", 1)];
    }));
    assert_eq!(names, ["relu1:pre", "relu1", "softmax1"]);
    assert_eq!(reason, "node \"the sine\" (Sin) is none of the operations known here");
    let read = read(&model(|graph| graph.node.push(node("Sin", &["relu"], "sine"))));
    let error = read.network.layer("sine").unwrap_err().to_string();
    assert!(
        error.contains("is not available: node \"the sine\" (Sin)")
            && error.ends_with("the last layer is \"relu1\""),
        "{error}"
    );
}

#[test]
fn operations_of_others_are_told_by_their_domain() {
    let mut fused = node("FusedConv", &["relu", "w"], "fused");
    fused.domain = "com.microsoft".into();
    let (_, reason) = cut(&model(|graph| graph.node.push(fused)));
    assert!(
        reason.contains("(com.microsoft.FusedConv)") && reason.contains("export without the optimizer"),
        "{reason}"
    );
}

#[test]
fn functions_of_the_files_own_are_told_as_such() {
    let mut call = node("Block", &["relu"], "block");
    call.domain = "my".into();
    let mut file = model(|graph| graph.node.push(call));
    file.functions.push(FunctionProto { name: "Block".into(), domain: "my".into() });
    let (_, reason) = cut(&file);
    assert!(
        reason.contains(
            "(my.Block) is a function of the file's own: onnx.inliner.inline_local_functions(model)"
        ),
        "{reason}"
    );
}

#[test]
fn a_product_of_two_activations_is_cut() {
    let (_, reason) = cut(&model(|graph| graph.node.push(node("MatMul", &["relu", "conv"], "product"))));
    assert!(reason.contains("(MatMul) multiplies two activations"), "{reason}");
}

#[test]
fn an_error_function_that_is_no_gelu_is_cut() {
    let number = |name: &str, number: f32| TensorProto { float_data: vec![number], ..constant(name, &[]) };
    let gelu = |shift: f32, out: &str| {
        model(|graph| {
            graph.initializer.extend([
                number("root", 0.5_f32.sqrt()),
                number("one", shift),
                number("half", 0.5),
            ]);
            graph.node.push(node("Mul", &["relu", "root"], "scaled"));
            graph.node.push(node("Erf", &["scaled"], "erf"));
            graph.node.push(node("Add", &["one", "erf"], "sum"));
            graph.node.push(node("Mul", &["sum", "half"], "halved"));
            graph.node.push(node("Mul", &["halved", "relu"], "gelu"));
            graph.output.push(input(out, &[1, 2, 8, 8]));
        })
    };
    let whole = cut(&gelu(1.0, "gelu"));
    assert_eq!(
        (whole.0.len(), whole.1.as_str()),
        (3, ""),
        "a convolution, its ReLU and one GELU: {:?}",
        whole.0
    );
    assert!(cut(&gelu(1.5, "gelu")).1.contains("(Erf)"));
    assert!(cut(&gelu(1.0, "sum")).1.contains("(Erf)"), "another node reads what is inside");
}

#[test]
fn hard_curves_in_parts_are_one_layer() {
    let number = |name: &str, number: f32| TensorProto { float_data: vec![number], ..constant(name, &[]) };
    let hard = |most: f32, is_keras: bool| {
        model(|graph| {
            graph.initializer.extend([number("three", 3.0), number("low", 0.0), number("six", most)]);
            graph.initializer.push(number("sixth", 1.0 / 6.0));
            graph.node.push(node("Add", &["conv", "three"], "moved"));
            graph.node.push(node("Clip", &["moved", "low", "six"], "cut"));
            if is_keras {
                graph.node.push(node("Mul", &["cut", "sixth"], "gate"));
                graph.node.push(node("Mul", &["conv", "gate"], "hard"));
            } else {
                graph.node.push(node("Mul", &["cut", "conv"], "product"));
                graph.node.push(node("Div", &["product", "six"], "hard"));
            }
        })
    };
    for is_keras in [true, false] {
        let read = read(&hard(6.0, is_keras));
        let hard = read.network.layer("hard").unwrap();
        assert_eq!(read.network.node(hard).unwrap().op.kind(), "hard_swish");
    }
    let (_, reason) = cut(&hard(5.0, true));
    assert!(reason.contains("(Clip) cuts off below 0 and above 5"), "{reason}");
}

#[test]
fn quantized_files_are_refused() {
    let quantized = model(|graph| graph.node.push(node("QuantizeLinear", &["relu", "w"], "q")));
    refused(&quantized, "it is quantized (node \"the q\" (QuantizeLinear)); export the float model");
    let weights = model(|graph| {
        graph.initializer[0].data_type = INT8;
        graph.initializer[0].int32_data = vec![1; 6];
    });
    refused(&weights, "it is quantized (tensor \"w\")");
}

#[test]
fn numbers_that_are_none_are_told_by_the_files_own_names() {
    let odd = model(|graph| graph.initializer[0].float_data[4] = f32::NAN);
    refused(
        &odd,
        "is an ONNX file that Trepang cannot use: node \"the conv\" (Conv) reads \"w\", whose number 4 is NaN",
    );
}

#[test]
fn oblong_pictures_keep_their_sides() {
    let read = read(&model(|graph| graph.input[0] = input("x", &[1, 3, 6, 9])));
    assert_eq!((read.sides, read.network.input().native), ([6, 9], 9));
}

#[test]
fn training_mode_is_refused() {
    let norm = |attribute: AttributeProto| {
        model(|graph| {
            for name in ["scale", "b", "mean", "var"] {
                graph.initializer.push(constant(name, &[2]));
            }
            let mut norm = node("BatchNormalization", &["conv", "scale", "b", "mean", "var"], "norm");
            norm.attribute.push(attribute);
            graph.node.push(norm);
        })
    };
    refused(&norm(int("training_mode", 1)), "is in training mode: call model.eval() before exporting");
    refused(&norm(int("spatial", 0)), "(spatial=0)");
    assert!(cut(&norm(int("training_mode", 0))).1.is_empty());
}

#[test]
fn a_picture_has_one_or_three_channels() {
    let two = model(|graph| graph.input[0] = input("x", &[1, 2, 8, 8]));
    refused(&two, "it takes \"x\" [1, 2, 8, 8]; pictures have 3 channels (1 is made gray)");
    let five = model(|graph| graph.input[0] = input("x", &[0, 5, 8, 8]));
    refused(&five, "it takes \"x\" [N, 5, 8, 8]; pictures have 3 channels (1 is made gray)");
    let text = model(|graph| graph.input[0] = input("x", &[1, 77]));
    refused(&text, "it takes no picture [N, 3, H, W], but \"x\" [1, 77]");
}

#[test]
fn an_input_without_numbers_asks_for_the_flag() {
    let keras = model(|graph| {
        graph.node.insert(0, node("Sub", &["x", "normalization/Sub/y"], "centred"));
        graph.node[1].input[0] = "centred".into();
        graph.input.push(input("normalization/Sub/y", &[1, 3, 1, 1]));
    });
    refused(
        &keras,
        "reads the input \"normalization/Sub/y\", which has no value (a Keras exporter leaves it out)",
    );
    let (names, reason) = cut(&keras);
    assert_eq!((names.len(), reason.as_str()), (2, ""), "with --input it is whole");
}

#[test]
fn weights_outside_the_folder_are_refused() {
    let entry = |key: &str, value: &str| EntryProto { key: key.into(), value: value.into() };
    let outside = model(|graph| {
        graph.initializer[0].data_location = 1;
        graph.initializer[0].float_data.clear();
        graph.initializer[0].external_data = vec![entry("location", "../w.data")];
    });
    refused(&outside, "its weights point to \"../w.data\", outside the model's folder: refused");
}

#[test]
fn absurd_graphs_are_refused_in_a_sentence() {
    refused(&model(|graph| graph.node[0].input[0] = "relu".into()), "in a circle");
    refused(&model(|graph| graph.node[1].output[0] = "conv".into()), "two of its values are called \"conv\"");
    refused(&model(|graph| graph.initializer[0].dims = vec![1 << 40, 1 << 40]), "tensor \"w\" has 6 numbers");
    refused(
        &model(|graph| graph.node[0].attribute = vec![ints("pads", &[1 << 40, 0, 0, 0])]),
        "has the size",
    );
    refused(&model(|graph| graph.input[0] = input("x", &[1, 3, 1 << 40, 8])), "more than 4096");
    let mut old = model(|_| {});
    old.opset_import[0].version = 5;
    refused(&old, "opset 5; export it with 7 or later");
    let twice = |graph: &mut GraphProto| graph.initializer.push(constant("w", &[2, 3, 1, 1]));
    refused(&model(twice), "two of its constants are called \"w\"");
}

#[test]
fn newer_operations_are_read_and_told() {
    let of = |version: i64| {
        let mut file = model(|_| {});
        file.opset_import[0].version = version;
        read(&file).is_newer()
    };
    assert_eq!([7, 13, 28, 29].map(of), [false, false, false, true]);
}

#[test]
fn a_size_between_the_steps_is_told_with_the_next() {
    // Padding at the end alone is right at every second size only.
    let lattice = read(&model(|graph| {
        graph.input[0] = input("x", &[1, 3, 31, 31]);
        graph.node[0].attribute = vec![ints("strides", &[2, 2]), ints("pads", &[0, 0, 1, 1])];
    }));
    let sizes = lattice.network.input();
    let error = sizes.check(30).unwrap_err();
    assert!(error.contains("or a multiple of 2 more"), "{error}");
    assert_eq!((sizes.native, sizes.check(33), sizes.check(29)), (31, Ok(()), Ok(())));
}

#[test]
fn damaged_files_are_told_as_such() {
    let whole = model(|_| {}).encode_to_vec();
    for bytes in [&whole[..whole.len() - 3], &[0; 4096][..], &[][..]] {
        let file = file_of(bytes);
        let error = OnnxModel::read(file.path(), None).unwrap_err().to_string();
        assert!(error.contains("is not a whole ONNX file"), "{error}");
    }
}

#[test]
fn channels_last_and_blue_first_are_put_in_order() {
    // A network of TensorFlow's order that flips the channels itself and takes 0..255.
    let turned = model(|graph| {
        let mut transpose = node("Transpose", &["x"], "turned");
        transpose.attribute.push(ints("perm", &[0, 3, 1, 2]));
        let mut flip = node("Gather", &["turned", "order"], "flipped");
        flip.attribute.push(int("axis", 1));
        let order = TensorProto {
            dims: vec![3],
            data_type: 7,
            int64_data: vec![2, 1, 0],
            name: "order".into(),
            ..constant("", &[0])
        };
        let scale = TensorProto { float_data: vec![1.0 / 255.0], ..constant("scale", &[]) };
        graph.initializer.extend([order, scale]);
        graph.node.splice(0..0, [transpose, flip, node("Mul", &["flipped", "scale"], "scaled")]);
        graph.node[3].input[0] = "scaled".into();
        graph.input[0] = input("x", &[0, 8, 8, 3]);
    });
    let file = written(&turned);
    let read = OnnxModel::read(file.path(), None).unwrap();
    assert_eq!(read.found.unwrap().input.to_string(), "255");
    let preprocess = read.network.preprocess();
    assert!(preprocess.trained_on_bgr && (preprocess.scale[0] - 1.0).abs() < 1e-6);
    let kernel = read.weights.get("relu1.weight").unwrap();
    assert_eq!(kernel.data(), [1.0, 0.75, 0.5, 1.75, 1.5, 1.25], "its rows take red first");
}
