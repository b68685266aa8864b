//! Networks from ONNX files, against what PyTorch computes of the same: small ones of each family, as both exporters write
//! them. `make_onnx.py` beside the fixtures makes them.

use std::path::PathBuf;

use trepang_api::{ActivationCurve, Array, Backend, Op, Preprocess, Reference, ReluGradient};
use trepang_weights::{
    Error, FileChoices, InputFormat, OnnxModel, Purpose, Store, open, read_safetensors, trained_with,
};

use crate::fixture;

/// The largest difference of an activation, relative to the largest number of the layer: sums in another order.
const ACTIVATION_TOLERANCE: f32 = 1e-4;

/// The same of a gradient.
const GRADIENT_TOLERANCE: f32 = 1e-3;

/// Every fixture's channels take values that were never in 0..1: the map to them is undone before a network sees pictures.
const AS_IT_IS: &str = "0,0,0/1,1,1";

fn path(name: &str) -> PathBuf {
    fixture("onnx").join(name)
}

fn read(name: &str) -> OnnxModel {
    OnnxModel::read(&path(name), Some(AS_IT_IS.parse().unwrap())).unwrap()
}

fn close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
    assert!(largest > 0.0, "{what} is all zeros");
    let difference = found.iter().zip(expected).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(difference <= tolerance * largest, "{what}: {} of the largest", difference / largest);
}

/// Compares a network with PyTorch's tensors. `layers` are those of the fixture, the last but one with its gradient.
fn agrees(family: &str, layers: &[&str]) {
    written_by(family, &["new", "old"], layers);
}

fn written_by(family: &str, exporters: &[&str], layers: &[&str]) {
    let bytes = std::fs::read(path(&format!("{family}.safetensors"))).unwrap();
    let golden = read_safetensors(&bytes, &path(family)).unwrap();
    for exporter in exporters {
        let model = read(&format!("{family}-{exporter}.onnx"));
        assert_eq!(model.cut, [], "{family}-{exporter}");
        let network = &model.network;
        let device = &Reference.devices()[0];
        let mut loaded = Reference.load(network, &model.weights, device).unwrap();
        let image = golden.get("input").unwrap();
        let ids: Vec<_> = layers.iter().map(|layer| network.layer(layer).unwrap()).collect();
        let found = loaded.activations(image, &ids).unwrap();
        for (layer, found) in layers.iter().zip(&found) {
            let expected = golden.get(layer).unwrap();
            close(
                found.data(),
                expected.data(),
                ACTIVATION_TOLERANCE,
                &format!("{family}-{exporter} {layer}"),
            );
        }
        let at = &ids[ids.len() - 2..ids.len() - 1];
        let gradient = loaded.pull_back(image, at, ReluGradient::True, &mut |acts| {
            let (_, shape) = acts[0].dims4()?;
            let cells = shape.height * shape.width;
            let mut cotangent = Array::zeros(acts[0].shape());
            cotangent.data_mut()[3 * cells..][..cells].fill(1.0 / cells as f32);
            Ok(vec![cotangent])
        });
        let expected = golden.get("gradient").unwrap();
        close(gradient.unwrap().data(), expected.data(), GRADIENT_TOLERANCE, &format!("{family}-{exporter}"));
    }
}

#[test]
fn a_residual_network_agrees_with_pytorch() {
    agrees("resnet", &["maxpool", "layer1.0", "layer2.0.downsample.1", "layer2.1", "layer3", "fc"]);
}

#[test]
fn a_network_that_reads_positions_agrees() {
    let layers =
        ["features.3", "features.5", "features.6", "features.12", "features", "classifier.1", "classifier"];
    agrees("vgg", &layers);
}

#[test]
fn pooling_that_rounds_up_agrees() {
    let layers =
        ["features.2", "features.3.squeeze", "features.3", "features.5", "classifier.1", "classifier.3"];
    agrees("squeezenet", &layers);
}

#[test]
fn depthwise_convolutions_agree() {
    let layers = [
        "features.0",
        "features.2.conv.0",
        "features.3",
        "features.3.conv.1.2",
        "features.5",
        "classifier.1",
    ];
    agrees("mobilenet", &layers);
}

#[test]
fn batch_norms_before_relus_agree() {
    let norm = "features.denseblock1.denselayer1.norm1";
    let layers = [
        "features.pool0",
        norm,
        "features.denseblock1",
        "features.transition1",
        "features.norm5",
        "classifier",
    ];
    agrees("densenet", &layers);
}

#[test]
fn preprocessing_in_the_graph_agrees() {
    let layers =
        ["maxpool1", "inception3a.branch1", "inception3a", "inception4a.branch2", "inception4a", "fc"];
    agrees("googlenet", &layers);
}

#[test]
fn squeeze_and_excitation_with_hard_curves_agrees() {
    let gate = "features.1.block.1.scale_activation";
    agrees(
        "mobilenetv3",
        &["features.0", gate, "features.1", "features.3.block.1.2", "features.4", "classifier.3"],
    );
}

#[test]
fn what_is_written_as_several_nodes_agrees() {
    agrees("parts", &["conv1", "gelu", "conv2", "norm", "conv3"]);
    let kinds =
        |model: &OnnxModel| model.network.nodes().iter().map(|node| node.op.kind()).collect::<Vec<_>>();
    assert_eq!(kinds(&read("parts-new.onnx")), kinds(&read("parts-old.onnx")));
    assert_eq!(read("parts-old.onnx").network.nodes().len(), 7, "one node for each");
}

#[test]
fn norms_over_positions_and_weights_that_are_computed_agree() {
    agrees("norms", &["conv1", "norm1", "pool", "norm2", "gate", "conv3", "norm3"]);
    let network = read("norms-new.onnx").network;
    let groups = |name: &str| {
        let at = network.layer(name).unwrap();
        let before = network.node(at).unwrap().inputs[0];
        [at, before].map(|at| network.node(at).unwrap().op.kind())
    };
    assert!(groups("norm1").contains(&"group_norm") && groups("norm2").contains(&"group_norm"));
}

#[test]
fn what_is_enlarged_and_cut_off_agrees() {
    agrees("sizes", &["conv1", "conv3", "straight", "near", "pool", "conv4", "conv5"]);
    // What was made smaller by four must come out even before it is made larger.
    let sizes = read("sizes-new.onnx").network.input();
    assert_eq!((sizes.native, sizes.multiple), (32, 4));
}

#[test]
fn squeeze_and_excitation_with_silu_agrees() {
    let layers = [
        "features.0.1",
        "features.1.0.block.1",
        "features.2.0",
        "features.2.1.block.0.2",
        "features.3",
        "classifier.1",
    ];
    agrees("efficientnet", &layers);
}

#[test]
fn squeeze_and_excitation_between_groups_agrees() {
    let gate = "trunk_output.block1.block1-0.f.se.scale_activation";
    let grouped = "trunk_output.block2.block2-1.f.b";
    agrees("regnet", &["stem", gate, "trunk_output.block1", grouped, "trunk_output", "fc"]);
}

#[test]
fn layer_norms_and_gelu_agree() {
    let layers =
        ["features.0", "features.1.0.block.0", "features.1.0", "features.2.0", "features.3", "classifier.2"];
    agrees("convnext", &layers);
}

#[test]
fn shuffled_channels_agree() {
    agrees("shufflenet", &["maxpool", "stage2.0.branch2", "stage2.0", "stage2.1", "conv5", "fc"]);
}

#[test]
fn curves_and_picked_channels_agree() {
    agrees("curves", &["first.1", "first.3", "first", "second.1", "second.3", "second.5"]);
}

#[test]
fn local_response_norm_agrees() {
    written_by("lrn", &["caffe"], &["conv1", "norm1", "conv2"]);
}

#[test]
fn x_times_its_sigmoid_is_one_layer() {
    for exporter in ["new", "old"] {
        let network = read(&format!("efficientnet-{exporter}.onnx")).network;
        let silu = network.layer("features.0.2").unwrap();
        assert_eq!(network.node(silu).unwrap().op, Op::Unary(ActivationCurve::Silu));
        assert_eq!(network.pre(silu), Some(network.layer("features.0.1").unwrap()));
        let kinds: Vec<_> = network.nodes().iter().map(|node| node.op.kind()).collect();
        let gates = kinds.iter().filter(|&&kind| kind == "sigmoid").count();
        assert_eq!(gates, 3, "one for each squeeze-and-excitation: {kinds:?}");
    }
}

#[test]
fn a_folded_convolution_names_its_batch_norm() {
    for exporter in ["new", "old"] {
        let network = read(&format!("resnet-{exporter}.onnx")).network;
        assert_eq!(network.layer("bn1").unwrap(), network.layer("relu:pre").unwrap());
        let error = network.layer("conv1").unwrap_err().to_string();
        assert!(error.ends_with("is folded into it, and \"bn1\" is the output of both"), "{error}");
        let block = network.layer("layer1.0").unwrap();
        assert_eq!(network.node(block).unwrap().name, "layer1.0");
        assert_eq!(network.layer("layer1.0.relu_1").unwrap(), block);
        assert_eq!(network.layer("layer1.0.add").unwrap(), network.pre(block).unwrap());
        assert_eq!(network.node(network.pre(block).unwrap()).unwrap().op, Op::Add);
        assert!(network.layer("layer9").unwrap_err().to_string().contains("has no layer"));
    }
}

#[test]
fn a_gray_network_sees_the_mean_and_is_cut_behind() {
    for exporter in ["new", "old"] {
        let path = path(&format!("gray-{exporter}.onnx"));
        let model = OnnxModel::read(&path, None).unwrap();
        let network = &model.network;
        assert_eq!(model.found.as_ref().unwrap().input.to_string(), "255");
        assert!(network.is_gray() && model.cut.len() == 1, "{:?}", model.cut);
        assert!(model.cut[0].reason.contains("(Sin) is none of the operations known here"));
        let bytes = std::fs::read(fixture("onnx/gray.safetensors")).unwrap();
        let golden = read_safetensors(&bytes, &path).unwrap();
        let levels = golden.get("input").unwrap().data();
        let rgb: Vec<f32> = (0..3).flat_map(|_| levels.iter().map(|level| level / 255.0)).collect();
        let image = Array::new([1, 3, 32, 32], rgb).unwrap();
        let mut loaded = Reference.load(network, &model.weights, &Reference.devices()[0]).unwrap();
        let layers = ["conv1", "conv2", "conv3"];
        let ids: Vec<_> = layers.iter().map(|layer| network.layer(layer).unwrap()).collect();
        for (layer, found) in layers.iter().zip(loaded.activations(&image, &ids).unwrap()) {
            close(found.data(), golden.get(layer).unwrap().data(), ACTIVATION_TOLERANCE, layer);
        }
    }
}

#[test]
fn weights_beside_the_file_and_of_half_precision_are_read() {
    let whole = read("resnet-new.onnx");
    let beside = read("beside.onnx");
    for (name, tensor) in whole.weights.iter() {
        assert_eq!(beside.weights.get(name).unwrap().data(), tensor.data(), "{name}");
    }
    assert_ne!(whole.sha256, beside.sha256);
    let half = read("half.onnx");
    assert_eq!(half.network.layers().count(), whole.network.layers().count());
    // The exporter folded the batch norm before it rounded: ten bits.
    let kernel = |model: &OnnxModel| model.weights.get("fc.weight").unwrap().clone();
    close(kernel(&half).data(), kernel(&whole).data(), 1e-3, "fc.weight");
}

#[test]
fn weights_that_were_left_behind_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("m.onnx");
    std::fs::copy(path("beside.onnx"), &copy).unwrap();
    let error = OnnxModel::read(&copy, None).unwrap_err().to_string();
    let words = "m.onnx keeps its weights in beside.onnx.data, which is not beside it; copy both, or export with \
                 external_data=False";
    assert!(error.ends_with(words), "{error}");
    std::fs::write(folder.path().join("beside.onnx.data"), [0; 100]).unwrap();
    let error = OnnxModel::read(&copy, None).unwrap_err().to_string();
    assert!(error.contains("the two files do not belong together"), "{error}");
}

/// The same network as `--network FILE` loads it.
fn trained(
    name: &str,
    choices: &FileChoices,
    purpose: Purpose,
) -> trepang_weights::Result<trepang_weights::Trained> {
    let store = Store::new(tempfile::tempdir().unwrap().path());
    trained_with(&path(name).display().to_string(), None, choices, &store, purpose)
}

#[test]
fn preprocessing_is_never_guessed_in_silence() {
    let error = trained("resnet-new.onnx", &FileChoices::default(), Purpose::Features).unwrap_err();
    assert!(matches!(error, Error::UnknownInput { .. }) && error.is_usage(), "{error}");
    let input: InputFormat = "torch".parse().unwrap();
    let choices = FileChoices { input: Some(input), ..FileChoices::default() };
    let given = trained("resnet-new.onnx", &choices, Purpose::Classes).unwrap();
    assert_eq!((given.name.as_str(), given.labels.len()), ("resnet-new.onnx", 5));
    assert_eq!(given.network.preprocess(), &Preprocess::imagenet());
    let found = trained("googlenet-old.onnx", &FileChoices::default(), Purpose::Features).unwrap();
    assert!(found.taken.remarks[0].contains("what PyTorch's networks see; --input says otherwise"));
    // Twice normalized: by ImageNet's numbers, and back to -1..1 by the graph.
    for scale in found.network.preprocess().scale {
        assert!((scale - 2.0).abs() < 1e-5, "{scale}");
    }
    let choices = FileChoices { labels: Some(fixture("onnx/none.txt")), ..choices };
    assert!(trained("resnet-new.onnx", &choices, Purpose::Classes).is_err());
}

#[test]
fn a_network_is_no_weights_file_and_the_reverse() {
    let error = open(&path("resnet-new.onnx")).unwrap_err().to_string();
    assert!(error.contains("holds a network of its own: pass it with --network"), "{error}");
    let weights = fixture("module.pth");
    let store = Store::new(tempfile::tempdir().unwrap().path());
    let choices = FileChoices::default();
    let name = weights.display().to_string();
    let error = trained_with(&name, None, &choices, &store, Purpose::Features).unwrap_err().to_string();
    assert!(error.contains("torch.onnx.export(model"), "{error}");
}

/// How often each file is damaged. The fuzz target does the same without end.
const DAMAGES: u32 = 60;

#[test]
fn damaged_files_end_in_a_sentence_or_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("m.onnx");
    let mut state = 1_u32;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 4) as usize % below
    };
    for name in ["squeezenet-new.onnx", "gray-old.onnx", "vgg-old.onnx"] {
        let whole = std::fs::read(path(name)).unwrap();
        for _ in 0..DAMAGES {
            let mut bytes = whole.clone();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                match random(4) {
                    0 => bytes[at] ^= 1 << random(8),
                    1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random(5)],
                    2 => bytes.truncate(at.max(1)),
                    _ => bytes[at] = bytes[random(bytes.len())],
                }
            }
            std::fs::write(&copy, bytes).unwrap();
            if let Err(error) = OnnxModel::read(&copy, Some(AS_IT_IS.parse().unwrap())) {
                let sentence = error.to_string();
                assert!(!sentence.contains(char::is_control), "{sentence:?}");
            }
        }
    }
}
