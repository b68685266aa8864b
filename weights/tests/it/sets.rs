//! Tests of finding networks under any prefix, of choosing among several sets of weights in a file, and of the message
//! where nothing fits. No numbers are read.

use trepang_weights::{
    Architecture, Dialect, FileFormat, Fit, Head, TensorInfo, fit, fit_set, nearest, picked, sets, tensors_of,
};

use crate::fits::{TensorList, listed};
use crate::heads::tensor;

/// The tensors of a ResNet50 as torchvision names them, each after `prefix`.
fn resnet(prefix: &str, classifier: bool) -> Vec<TensorInfo> {
    let tensors = tensors_of(Architecture::Resnet50, Dialect::Torchvision, classifier).unwrap();
    let prefixed = |t: TensorInfo| TensorInfo { name: format!("{prefix}{}", t.name), ..t };
    tensors.into_iter().map(prefixed).collect()
}

fn file(parts: impl IntoIterator<Item = Vec<TensorInfo>>) -> TensorList {
    listed(FileFormat::PytorchZip, parts.into_iter().flatten().collect())
}

fn keys(file: &TensorList) -> Vec<String> {
    sets(file).unwrap().iter().map(|fit| fit.key().to_owned()).collect()
}

#[test]
fn chains_of_any_prefixes_are_found() {
    let chains = [
        ("module.", "module"),
        ("_orig_mod.module.", "_orig_mod.module"),
        ("a.b.c.", "a.b.c"),
        ("encoder.q.net.0.", "encoder.q.net.0"),
        ("Ω.2 x.conv1.", "Ω.2 x.conv1"),
        ("layer1.", "layer1"),
    ];
    for (prefix, key) in chains {
        let fit = fit(Architecture::Resnet50, &file([resnet(prefix, true)])).unwrap();
        assert_eq!((fit.key(), fit.classifier), (key, true));
    }
    let long = "x".repeat(80) + ".";
    assert!(fit(Architecture::Resnet50, &file([resnet(&long.repeat(5), true)])).unwrap().classifier);
}

#[test]
fn every_version_is_found_after_three_unknown_prefixes() {
    for architecture in Architecture::ALL {
        for &dialect in architecture.dialects().iter().filter(|&&dialect| dialect != Dialect::Keras) {
            let tensors = tensors_of(architecture, dialect, true).unwrap();
            let prefixed = |t: TensorInfo| TensorInfo { name: format!("p.q1._r.{}", t.name), ..t };
            let file = file([tensors.into_iter().map(prefixed).collect()]);
            let fit = fit(architecture, &file).unwrap();
            let has_classes = architecture.network(dialect, true).unwrap().logits().is_some();
            let head = if has_classes { Head::Own } else { Head::Missing };
            assert_eq!((fit.key(), &fit.head, fit.dialect), ("p.q1._r", &head, dialect), "{architecture}");
        }
    }
}

#[test]
fn features_alone_need_not_be_called_features() {
    let tensors = tensors_of(Architecture::Vgg19, Dialect::Torchvision, false).unwrap();
    for prefix in ["", "net."] {
        let renamed = tensors.iter().cloned().map(|t| {
            let name = t.name.replace("features.", prefix);
            TensorInfo { name, ..t }
        });
        let fit = fit(Architecture::Vgg19, &file([renamed.collect()])).unwrap();
        assert_eq!((fit.dialect, fit.head), (Dialect::Torchvision, Head::Missing));
    }
}

#[test]
fn averages_and_longer_paths_are_second_choices() {
    let choices = |prefixes: &[&str]| keys(&file(prefixes.iter().map(|prefix| resnet(prefix, true))));
    assert_eq!(choices(&["ema.", "model."]), ["model", "ema"]);
    assert_eq!(choices(&["model_ema.", "state_dict.module."]), ["state_dict.module", "model_ema"]);
    assert_eq!(choices(&["teacher.net.", "student.net.x."]), ["student.net.x", "teacher.net"]);
    assert_eq!(choices(&["b.x.", "c.", "a.", ""]), [".", "c", "a", "b.x"], "of equal ones, the file's first");
}

#[test]
fn a_set_is_picked_by_its_key_or_by_a_part_that_only_it_has() {
    let file = file([resnet("ema.module.", true), resnet("model.module.", true), resnet("swa.", true)]);
    let pick = |name| fit_set(Architecture::Resnet50, &file, Some(name)).map(|fit| fit.key().to_owned());
    for (name, key) in [("ema.module", "ema.module"), ("ema", "ema.module"), ("swa", "swa")] {
        assert_eq!(pick(name).unwrap(), key);
    }
    for name in ["module", "mod", "other", ""] {
        let error = pick(name).unwrap_err();
        assert!(error.is_usage());
        assert!(error.to_string().ends_with("--pick takes one of: model.module, swa, ema.module"), "{error}");
    }
}

/// The checkpoints of robust networks, which hold the network a second time inside of their attacker.
#[test]
fn a_robust_network_is_the_one_outside_of_its_attacker() {
    let attacker = resnet("model.module.attacker.model.", true);
    let normalizer = ["model.module.normalizer.new_mean", "model.module.attacker.normalizer.new_mean"];
    let normalizers = normalizer.map(|name| tensor(name, &[3, 1, 1])).to_vec();
    let file = file([normalizers, attacker, resnet("model.module.model.", true)]);
    assert_eq!(keys(&file), ["model.module.model", "model.module.attacker.model"]);
    let fit = fit(Architecture::Resnet50, &file).unwrap();
    assert_eq!((fit.dialect, fit.head), (Dialect::Torchvision, Head::Own));
}

#[test]
fn each_set_has_the_head_that_is_nearest_to_it() {
    let head = |name: &str, classes| vec![tensor(name, &[classes, 2048])];
    let trunks = || [resnet("student.net.", false), resnet("teacher.net.", false)];
    let parts = trunks().into_iter().chain([head("student.head.weight", 3), head("teacher.fc.weight", 4)]);
    let classes = |fits: Vec<Fit>| fits.iter().map(Fit::classes).collect::<Vec<_>>();
    assert_eq!(classes(sets(&file(parts)).unwrap()), [Some(3), Some(4)]);
    let only_one = trunks().into_iter().chain([head("teacher.fc.weight", 4)]);
    assert_eq!(classes(sets(&file(only_one)).unwrap()), [None, Some(4)]);
    let beside = [resnet("backbone.", false), head("head.weight", 5)];
    assert_eq!(classes(sets(&file(beside)).unwrap()), [Some(5)]);
}

#[test]
fn where_nothing_fits_the_first_differences_are_told_both_ways() {
    let mut tensors = resnet("net.", true);
    for tensor in &mut tensors {
        tensor.name = tensor.name.replace("layer4.2.bn3", "layer4.2.norm");
    }
    let file = listed(FileFormat::PytorchZip, tensors);
    let error = fit(Architecture::Resnet50, &file).unwrap_err().to_string();
    for part in [
        "\"layer4.2.bn3.weight\" is missing",
        "(and 2 more)",
        "\"net.layer4.2.norm.weight\" has no place in it, with shape [2048]",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let error = fit(Architecture::Vgg16, &file).unwrap_err().to_string();
    assert!(error.contains("nearer is resnet50, but tensor \"layer4.2.bn3.weight\" is missing"), "{error}");
    assert!(nearest(&file).unwrap().starts_with("resnet50, but tensor"));
    let unknown = listed(FileFormat::PytorchZip, vec![tensor("a.weight", &[3, 4])]);
    assert_eq!(nearest(&unknown), None);
    let error = fit(Architecture::Resnet50, &unknown).unwrap_err().to_string();
    assert!(error.contains("the file also holds \"a.weight\", with shape [3, 4]"), "{error}");
}

#[test]
fn keras_layers_may_be_in_a_model_of_any_name() {
    let tensors = tensors_of(Architecture::Resnet50, Dialect::Keras, false).unwrap();
    let nested = |t: TensorInfo| {
        let layer = t.layer.map(|layer| format!("my model/{layer}"));
        TensorInfo { name: format!("my model/{}", t.name), layer, ..t }
    };
    let mut tensors: Vec<TensorInfo> = tensors.into_iter().map(nested).collect();
    let head = [tensor("dense_4/kernel", &[2048, 6]), tensor("dense_4/bias", &[6])];
    tensors.extend(head);
    let fit = fit(Architecture::Resnet50, &listed(FileFormat::KerasLegacy, tensors)).unwrap();
    assert_eq!((fit.key(), fit.classes()), ("my model", Some(6)));
}

#[test]
fn modules_around_a_part_of_a_network_are_passed_over() {
    let wrap = |architecture, around: &str, wrapper: &str| {
        let tensors = tensors_of(architecture, Dialect::Torchvision, true).unwrap();
        let wrapped = |t: TensorInfo| {
            let name = t.name.replace(around, &format!("{around}{wrapper}"));
            TensorInfo { name: format!("net.{name}"), ..t }
        };
        file([tensors.into_iter().map(wrapped).collect()])
    };
    for (architecture, around, wrapper) in [
        (Architecture::Resnet50, "layer1.", "module."),
        (Architecture::Resnet50, "conv1.", "x.y."),
        (Architecture::Vgg16, "features.", "module._orig_mod."),
        (Architecture::Vgg16Bn, "features.", "Ω."),
    ] {
        let file = wrap(architecture, around, wrapper);
        let fit = fit(architecture, &file).unwrap();
        assert_eq!((fit.key(), &fit.head), ("net", &Head::Own), "{architecture} {wrapper}");
        assert!(fit.unused.is_empty(), "{:?}", fit.unused);
    }
    let mut twice = wrap(Architecture::Resnet50, "layer1.", "module.");
    twice.tensors.push(tensor("net.layer1.lora.0.conv1.weight", &[64, 64, 1, 1]));
    assert!(fit(Architecture::Resnet50, &twice).is_err(), "two tensors for one place");
}

/// The tensors of a network of Keras's in a model at this path of the file; the whole file is the empty path.
fn keras(architecture: Architecture, model: &str) -> Vec<TensorInfo> {
    let inside = |t: TensorInfo| {
        let layer = t.layer.map(|layer| format!("{model}{layer}"));
        TensorInfo { name: format!("{model}{}", t.name), layer, ..t }
    };
    tensors_of(architecture, Dialect::Keras, false).unwrap().into_iter().map(inside).collect()
}

#[test]
fn keras_models_side_by_side_are_sets_of_their_own() {
    let parts =
        [(Architecture::Resnet50, "left/"), (Architecture::Resnet50, "right/"), (Architecture::Vgg16, "v/")];
    let mut tensors: Vec<TensorInfo> =
        parts.iter().flat_map(|(network, model)| keras(*network, model)).collect();
    tensors.extend([tensor("verdict/kernel", &[4608, 7]), tensor("verdict/bias", &[7])]);
    let file = listed(FileFormat::KerasLegacy, tensors);
    assert_eq!(keys(&file), ["left", "right", "v"]);
    for name in ["left", "right"] {
        assert_eq!(fit_set(Architecture::Resnet50, &file, Some(name)).unwrap().key(), name);
    }
    let fit = fit(Architecture::Vgg16, &file).unwrap();
    assert_eq!((fit.key(), &*fit.unused.join(" ")), ("v", "verdict/kernel verdict/bias"));
}

#[test]
fn networks_in_one_keras_model_are_told_apart() {
    let mut tensors = [keras(Architecture::Resnet50, ""), keras(Architecture::Vgg16, "")].concat();
    tensors.extend([tensor("out/kernel", &[2560, 5]), tensor("out/bias", &[5])]);
    let file = listed(FileFormat::KerasLegacy, tensors);
    let found = sets(&file).unwrap();
    assert_eq!(keys(&file), [".", "."]);
    for (name, at) in [("resnet50", 0), ("vgg16", 1)] {
        assert_eq!(picked(&found, Some(name)), Some(at), "the network's name tells equal keys apart");
        assert_eq!(found[at].unused, ["out/kernel", "out/bias"], "the other network is no head");
    }
    assert_eq!(picked(&found, Some("vgg19")), None);
    let fit = fit(Architecture::Vgg16, &file).unwrap();
    assert_eq!(fit.head, Head::Other(vec!["out/kernel".into(), "out/bias".into()]));
}
