//! What a Keras file says of its model besides the weights: the layers before the network, which make its input of a picture,
//! and those behind its last features. The layers in between are known by their tensors.

use serde_json::Value;
use trepang_api::excerpt;

use crate::{InputFormat, InputScale};

/// The account that a Keras file gives of its model.
#[derive(Debug, Clone, PartialEq)]
pub struct KerasModel {
    /// The layers before the first convolution.
    pub input: ModelInput,
    /// The reason why the head computes something else than classes by a softmax of one linear layer's outputs on the means
    /// of the features, as a clause; none if it does not.
    pub other_head: Option<String>,
}

/// The effect of a model's first layers on a picture.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelInput {
    /// They change nothing.
    Unchanged,
    /// They scale and shift its levels; the layers by their names.
    Scaled(InputFormat, String),
    /// One of them does something that is not computed: the layer by its class and name.
    Other(String),
}

/// The classes of layers that a network's own trunk is made of, and that may stand behind its last convolution.
const TRUNK: [&str; 9] = [
    "InputLayer",
    "BatchNormalization",
    "Activation",
    "ReLU",
    "Add",
    "Concatenate",
    "MaxPooling2D",
    "AveragePooling2D",
    "ZeroPadding2D",
];

/// The classes that convolve, or pad for a convolution: the first of them begins the network.
const CONVOLUTIONS: [&str; 4] = ["Conv2D", "DepthwiseConv2D", "SeparableConv2D", "ZeroPadding2D"];

/// Beginnings of the names of classes that change nothing where a network is not trained.
const IDENTITIES: [&str; 9] = [
    "InputLayer",
    "Random",
    "Dropout",
    "SpatialDropout",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "ActivityRegularization",
    "Identity",
];

/// The share by which numbers may differ that say the same scale: 1/255 is written with 7 digits or with 17.
const SAME: f32 = 1e-5;

/// A layer as the file describes it.
#[derive(Debug)]
struct ConfigLayer<'a> {
    class: &'a str,
    config: &'a Value,
}

impl KerasModel {
    /// Reads the configuration of a model, JSON in any version of Keras. None if it describes none.
    pub(crate) fn of_json(text: &[u8]) -> Option<Self> {
        let model: Value = serde_json::from_slice(text).ok()?;
        let mut layers = Vec::new();
        collect(&model, &mut layers);
        let is_convolution = |layer: &ConfigLayer<'_>| CONVOLUTIONS.contains(&layer.class);
        let first = layers.iter().position(is_convolution)?;
        let last = layers.iter().rposition(is_convolution)?;
        Some(Self { input: input(&layers[..first]), other_head: other_head(&layers[last + 1..]) })
    }
}

/// Adds the layers of a model, and those of models in it, in their order.
fn collect<'a>(model: &'a Value, layers: &mut Vec<ConfigLayer<'a>>) {
    let config = &model["config"];
    // Early versions write the layers of a sequence without anything around them.
    match config["layers"].as_array().or_else(|| config.as_array()) {
        Some(inner) => inner.iter().for_each(|layer| collect(layer, layers)),
        None => layers.push(ConfigLayer { class: model["class_name"].as_str().unwrap_or_default(), config }),
    }
}

impl ConfigLayer<'_> {
    fn is_identity(&self) -> bool {
        IDENTITIES.iter().any(|class| self.class.starts_with(class))
    }

    /// The layer in words: its class, and its name if it has one.
    fn in_words(&self) -> String {
        let class = excerpt(self.class);
        match self.config["name"].as_str() {
            Some(name) => format!("{class} \"{}\"", excerpt(name)),
            None => class.into_owned(),
        }
    }

    /// The name of its activation; `linear` where there is none.
    fn activation(&self) -> String {
        let found = &self.config["activation"];
        let inner = [found, &found["config"], &found["class_name"]].into_iter().find_map(Value::as_str);
        inner.unwrap_or(if found.is_null() { "linear" } else { "unknown" }).to_lowercase()
    }
}

/// The effect of these layers on the levels of a picture.
fn input(layers: &[ConfigLayer<'_>]) -> ModelInput {
    let (mut scale, mut shift, mut names) = ([1.0; 3], [0.0; 3], Vec::new());
    for layer in layers.iter().filter(|layer| !layer.is_identity()) {
        let Some((by, plus)) = affine(layer) else { return ModelInput::Other(layer.in_words()) };
        for channel in 0..3 {
            scale[channel] *= by[channel];
            shift[channel] = shift[channel] * by[channel] + plus[channel];
        }
        names.push(layer.in_words());
    }
    match (input_format(scale, shift), names.join(", ")) {
        (_, names) if names.is_empty() => ModelInput::Unchanged,
        (Some(format), names) => ModelInput::Scaled(format, names),
        (None, names) => ModelInput::Other(names),
    }
}

/// The factor and the summand of each channel; none for a layer that does something else, and for one whose numbers are
/// among the weights.
fn affine(layer: &ConfigLayer<'_>) -> Option<([f64; 3], [f64; 3])> {
    let numbers = |key: &str| three(&layer.config[key]);
    match layer.class {
        "Rescaling" => Some((numbers("scale")?, numbers("offset")?)),
        "Normalization" if layer.config["invert"] != true => {
            let (mean, variance) = (numbers("mean")?, numbers("variance")?);
            // Keras's own lower bound of the deviation.
            let factor = variance.map(|variance| 1.0 / variance.sqrt().max(1e-7));
            Some((factor, [0, 1, 2].map(|channel| -mean[channel] * factor[channel])))
        }
        _ => None,
    }
}

/// One number for all channels, or one for each, in as many lists as there may be.
fn three(value: &Value) -> Option<[f64; 3]> {
    match value {
        Value::Array(values) => match &values[..] {
            [inner] => three(inner),
            [a, b, c] => Some([a.as_f64()?, b.as_f64()?, c.as_f64()?]),
            _ => None,
        },
        number => number.as_f64().map(|number| [number; 3]),
    }
}

/// The input that says the same as `scale * x + shift` of levels x in 0..255, as `--input` takes it.
fn input_format(scale: [f64; 3], shift: [f64; 3]) -> Option<InputFormat> {
    let std = scale.map(|scale| (1.0 / (255.0 * scale)) as f32);
    let mean = [0, 1, 2].map(|channel| (-shift[channel] / (255.0 * scale[channel])) as f32);
    let known = [InputScale::Torch, InputScale::Tf, InputScale::Clip, InputScale::Unit, InputScale::Levels];
    let given = InputScale::Normalized { mean, std };
    let of = |scale| InputFormat { scale, bgr: false };
    let wanted = of(given).preprocess();
    let is_near = |a: [f32; 3], b: [f32; 3]| {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() <= SAME * a.abs().max(b.abs()).max(1.0))
    };
    let same = known.into_iter().find(|scale| {
        let own = of(*scale).preprocess();
        is_near(own.scale, wanted.scale) && is_near(own.shift, wanted.shift)
    });
    let found = of(same.unwrap_or(given));
    // What is kept in a manifest is read again.
    found.to_string().parse::<InputFormat>().ok().filter(|read| *read == found)
}

/// The first reason why these layers, behind the last convolution, are another head.
fn other_head(layers: &[ConfigLayer<'_>]) -> Option<String> {
    let begin = layers.iter().position(|layer| !TRUNK.contains(&layer.class)).unwrap_or(layers.len());
    // VGG's trunk ends with one pooling; the others end without.
    if let Some(second) = layers[..begin].iter().filter(|layer| layer.class == "MaxPooling2D").nth(1) {
        return Some(format!("{} pools its features once more", second.in_words()));
    }
    let last_linear = layers.iter().rposition(|layer| layer.class == "Dense");
    layers.iter().enumerate().skip(begin).find_map(|(at, layer)| {
        let words = layer.in_words();
        let activation = match layer.class {
            "Dense" | "Activation" => layer.activation(),
            "Softmax" => "softmax".into(),
            // Batch norm has tensors, which make the head another one already.
            "GlobalAveragePooling2D" | "AveragePooling2D" | "Flatten" | "BatchNormalization" => return None,
            "GlobalMaxPooling2D" | "MaxPooling2D" => {
                return Some(format!("{words} takes the maxima of the last features, and not their means"));
            }
            _ if layer.is_identity() => return None,
            _ => return Some(format!("{words} is not computed")),
        };
        // The layers before the last linear one are VGG's own, or more than one, which is another head already.
        let is_known = match last_linear {
            Some(last) if at < last => activation == "linear" || activation == "relu",
            // Of one class the sigmoid is computed.
            Some(last) if layers[last].config["units"] == 1 => {
                activation == "linear" || activation == "sigmoid"
            }
            Some(_) => activation == "linear" || activation == "softmax",
            None => false,
        };
        (!is_known).then(|| format!("{words} has the activation {}", excerpt(&activation)))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A model of these layers around a network of one convolution with pooling, the network a model of its own or not.
    fn model(before: &[Value], behind: &[Value], is_nested: bool) -> KerasModel {
        let layer = |class: &str| json!({ "class_name": class, "config": { "name": "own" } });
        let own = vec![layer("InputLayer"), layer("Conv2D"), layer("MaxPooling2D")];
        let own = if is_nested {
            vec![json!({ "class_name": "Functional", "config": { "name": "net", "layers": own } })]
        } else {
            own
        };
        let layers = [before, &own, behind].concat();
        let config = json!({ "class_name": "Functional", "config": { "layers": layers } });
        KerasModel::of_json(config.to_string().as_bytes()).unwrap()
    }

    fn layer(class: &str, config: Value) -> Value {
        let mut config = config;
        config["name"] = json!("here");
        json!({ "class_name": class, "config": config })
    }

    fn dense(activation: &Value) -> Value {
        layer("Dense", json!({ "activation": activation }))
    }

    #[test]
    fn layers_before_the_network_are_its_preprocessing() {
        for (layers, input) in [
            (vec![layer("Rescaling", json!({ "scale": 1.0 / 127.5, "offset": -1 }))], "tf"),
            (vec![layer("Rescaling", json!({ "scale": 0.003_921_569, "offset": 0.0 }))], "unit"),
            (vec![layer("Rescaling", json!({ "scale": 1.0, "offset": 0.0 }))], "255"),
            (
                vec![
                    layer("RandomFlip", json!({})),
                    layer("Rescaling", json!({ "scale": 1.0 / 255.0, "offset": 0.0 })),
                    layer(
                        "Normalization",
                        json!({ "mean": [0.485, 0.456, 0.406], "variance": [0.052_441, 0.050_176, 0.050_625] }),
                    ),
                ],
                "torch",
            ),
            (
                vec![layer("Normalization", json!({ "mean": [[[[102.0, 51.0, 0.0]]]], "variance": 650.25 }))],
                "0.4,0.2,0/0.1,0.1,0.1",
            ),
        ] {
            for is_nested in [false, true] {
                let ModelInput::Scaled(found, names) = model(&layers, &[], is_nested).input else {
                    panic!("{input}")
                };
                assert_eq!(found.to_string().replace("-0,", "0,").replace(",-0/", ",0/"), input);
                assert!(names.contains("\"here\""), "{names}");
            }
        }
        assert_eq!(model(&[layer("RandomZoom", json!({}))], &[], true).input, ModelInput::Unchanged);
        for other in [
            layer("Lambda", json!({})),
            layer("Normalization", json!({ "mean": null, "variance": null })),
            layer("Rescaling", json!({ "scale": -1.0, "offset": 0.0 })),
            layer("Resizing", json!({ "height": 224 })),
        ] {
            let found = model(std::slice::from_ref(&other), &[], false).input;
            assert!(matches!(&found, ModelInput::Other(words) if words.ends_with("\"here\"")), "{found:?}");
        }
    }

    #[test]
    fn another_head_is_told_by_its_layers() {
        let pool = |class: &str| layer(class, json!({}));
        let mean = || pool("GlobalAveragePooling2D");
        for head in [
            vec![],
            vec![mean(), layer("Dropout", json!({})), dense(&json!("softmax"))],
            vec![pool("Flatten"), dense(&json!("relu")), dense(&json!("relu")), dense(&json!("softmax"))],
            vec![mean(), dense(&json!(null)), layer("Activation", json!({ "activation": "softmax" }))],
            vec![mean(), dense(&json!("linear")), pool("Softmax")],
            vec![mean(), layer("Dense", json!({ "units": 1, "activation": "sigmoid" }))],
        ] {
            assert_eq!(model(&[], &head, true).other_head, None, "{head:?}");
        }
        for (head, part) in [
            (
                vec![pool("GlobalMaxPooling2D"), dense(&json!("softmax"))],
                "GlobalMaxPooling2D \"here\" takes the maxima",
            ),
            (vec![pool("MaxPooling2D"), pool("Flatten"), dense(&json!("softmax"))], "once more"),
            (vec![mean(), dense(&json!("sigmoid"))], "Dense \"here\" has the activation sigmoid"),
            (
                vec![mean(), layer("Dense", json!({ "units": 1, "activation": "softmax" }))],
                "activation softmax",
            ),
            (vec![mean(), dense(&json!({ "config": "sigmoid" }))], "activation sigmoid"),
            (vec![mean(), dense(&json!(null)), layer("Activation", json!({ "activation": "tanh" }))], "tanh"),
            (
                vec![mean(), layer("UnitNormalization", json!({})), dense(&json!("softmax"))],
                "is not computed",
            ),
            (vec![mean(), dense(&json!("softmax")), layer("Rescaling", json!({}))], "Rescaling"),
        ] {
            let found = model(&[], &head, false).other_head.unwrap_or_default();
            assert!(found.contains(part), "{found}");
        }
    }

    #[test]
    fn what_describes_no_network_says_nothing() {
        for text in ["", "{}", "[]", "{\"class_name\": \"Sequential\", \"config\": []}", "nonsense"] {
            assert_eq!(KerasModel::of_json(text.as_bytes()), None);
        }
    }
}
