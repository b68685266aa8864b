//! Tests of what is behind a network's last features: other numbers of classes, other names, other heads. The trunk
//! before them loads in any case. No numbers are read.

use trepang_weights::{Architecture, Dialect, FileFormat, Fit, Head, TensorInfo, fit, recognise, tensors_of};

use crate::fits::{TensorList, listed};

pub(crate) fn tensor(name: &str, shape: &[usize]) -> TensorInfo {
    let layer = name.rsplit_once('/').map(|(layer, _)| layer.into());
    TensorInfo { name: name.into(), layer, shape: shape.to_vec(), dtype: "F32".into() }
}

/// The tensors of a network up to its last features, and the number of features.
fn headless(architecture: Architecture, dialect: Dialect) -> (Vec<TensorInfo>, usize) {
    let mut tensors = tensors_of(architecture, dialect, true).unwrap();
    let bias = tensors.pop().unwrap();
    let kernel = tensors.pop().unwrap();
    let features = kernel.shape.iter().product::<usize>() / bias.shape[0];
    (tensors, features)
}

fn format_of(dialect: Dialect) -> FileFormat {
    match dialect {
        Dialect::Keras => FileFormat::KerasLegacy,
        Dialect::Tensorflow => FileFormat::GraphDef,
        _ => FileFormat::PytorchZip,
    }
}

fn with_head(architecture: Architecture, dialect: Dialect, head: &[(&str, Vec<usize>)]) -> Fit {
    let (mut tensors, _) = headless(architecture, dialect);
    tensors.extend(head.iter().map(|(name, shape)| tensor(name, shape)));
    fit(architecture, &listed(format_of(dialect), tensors)).unwrap()
}

/// Every version of every network that has classes.
fn versions() -> impl Iterator<Item = (Architecture, Dialect)> {
    let of = |architecture: Architecture| architecture.dialects().iter().map(move |&d| (architecture, d));
    let has_classes = |(architecture, dialect): &(Architecture, Dialect)| {
        architecture.network(*dialect, true).unwrap().logits().is_some()
    };
    Architecture::ALL.into_iter().flat_map(of).filter(has_classes)
}

#[test]
fn a_linear_layer_under_any_name_has_its_own_classes() {
    for (architecture, dialect) in versions() {
        let (_, features) = headless(architecture, dialect);
        for (classes, name) in [(2, "head"), (10, "x.y.7"), (365, "last_linear"), (1, "Ω")] {
            let keras = matches!(dialect, Dialect::Keras | Dialect::Tensorflow);
            let (kernel, shape) = if keras {
                (format!("{name}/kernel"), vec![features, classes])
            } else {
                (format!("{name}.weight"), vec![classes, features])
            };
            let bias = kernel.replace("/kernel", "/bias").replace(".weight", ".bias");
            for head in [&[(&*kernel, shape.clone()), (&*bias, vec![classes])][..], &[(&*kernel, shape)]] {
                let fit = with_head(architecture, dialect, head);
                let expected = Head::Linear { name: kernel.clone(), classes };
                assert_eq!((fit.head, fit.classifier), (expected, true), "{architecture} {dialect}");
                let logits = fit.network.logits().unwrap();
                let size = fit.network.input().native;
                assert_eq!(fit.network.shape(size, size, logits).unwrap().channels, classes);
                assert!(fit.unused.is_empty());
            }
        }
    }
}

#[test]
fn the_networks_own_head_may_have_other_classes() {
    let head = [("fc.weight", vec![37, 2048]), ("fc.bias", vec![37])];
    let fit = with_head(Architecture::Resnet50, Dialect::Torchvision, &head);
    assert_eq!(fit.head, Head::Linear { name: "fc.weight".into(), classes: 37 });
    let head = [("classifier.6.weight", vec![5, 4096]), ("classifier.6.bias", vec![5])];
    assert!(with_head(Architecture::Vgg16, Dialect::Torchvision, &head).classifier);
}

#[test]
fn what_is_no_linear_layer_on_the_features_is_left_out() {
    let others: [&[(&str, Vec<usize>)]; 5] = [
        &[
            ("fc.0.weight", vec![256, 2048]),
            ("fc.0.bias", vec![256]),
            ("fc.3.weight", vec![2, 256]),
            ("fc.3.bias", vec![2]),
        ],
        &[("fc.weight", vec![9, 2048, 1, 1]), ("fc.bias", vec![9])],
        &[("head.weight", vec![9, 512]), ("head.bias", vec![9])],
        &[("a.weight", vec![9, 2048]), ("b.bias", vec![9])],
        &[("a.weight", vec![9, 2048]), ("a.bias", vec![8])],
    ];
    for head in others {
        let fit = with_head(Architecture::Resnet50, Dialect::Torchvision, head);
        let names: Vec<String> = head.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!((&fit.head, fit.classifier), (&Head::Other(names.clone()), false));
        assert_eq!(fit.unused, names);
        assert!(fit.network.layer("conv5_block3_out").is_ok() && fit.network.logits().is_none());
    }
    // A network keeps the fully connected layers that are right.
    let head = [("classifier.6.0.weight", vec![9, 4096, 1]), ("classifier.6.0.bias", vec![9])];
    let fit = with_head(Architecture::Vgg19, Dialect::Torchvision, &head);
    assert!(fit.network.layer("fc2").is_ok() && !fit.classifier);
}

#[test]
fn a_linear_layer_on_vggs_features_has_its_own_classes() {
    for (architecture, dialect) in
        versions().filter(|(architecture, _)| architecture.name().starts_with("vgg"))
    {
        let keras = dialect == Dialect::Keras;
        let is_trunks = |tensor: &TensorInfo| {
            !["classifier.", "fc1", "fc2", "predictions", "pre_logits", "head."]
                .iter()
                .any(|name| tensor.name.contains(name))
        };
        let trunk: Vec<TensorInfo> =
            tensors_of(architecture, dialect, true).unwrap().into_iter().filter(is_trunks).collect();
        for (inputs, on_means) in [(512, true), (512 * 7 * 7, false)] {
            let (kernel, bias) = if keras { ("top/kernel", "top/bias") } else { ("top.weight", "top.bias") };
            let shape = if keras { [inputs, 3] } else { [3, inputs] };
            let tensors = [trunk.clone(), vec![tensor(kernel, &shape), tensor(bias, &[3])]].concat();
            let fit = fit(architecture, &listed(format_of(dialect), tensors)).unwrap();
            let expected = Head::Linear { name: kernel.into(), classes: 3 };
            assert_eq!(
                (&fit.head, fit.is_on_means(), fit.classes()),
                (&expected, on_means, Some(3)),
                "{architecture} {dialect}"
            );
            let logits = fit.network.logits().unwrap();
            assert_eq!(fit.network.shape(224, 224, logits).unwrap().channels, 3);
            assert!(fit.unused.is_empty(), "{:?}", fit.unused);
        }
        let other =
            [trunk, vec![tensor(if keras { "top/kernel" } else { "top.weight" }, &[3, 100])]].concat();
        let fit = fit(architecture, &listed(format_of(dialect), other)).unwrap();
        assert!(matches!(fit.head, Head::Other(_)), "{:?}", fit.head);
    }
}

#[test]
fn two_layers_one_under_the_own_name_are_another_head() {
    let head = [("fc.weight", vec![128, 2048]), ("fc.bias", vec![128]), ("last.weight", vec![2, 128])];
    let fit = with_head(Architecture::Resnet50, Dialect::Torchvision, &head);
    assert!(matches!(fit.head, Head::Other(_)), "{:?}", fit.head);
}

#[test]
fn a_head_on_the_networks_own_classes_is_another_head() {
    for architecture in [Architecture::Resnet18, Architecture::Resnet50, Architecture::Vgg16] {
        for (prefix, name) in [("backbone.", "classifier"), ("0.", "1"), ("model.encoder.", "model.head")] {
            let own = tensors_of(architecture, Dialect::Torchvision, true).unwrap();
            let mut tensors: Vec<TensorInfo> =
                own.iter().map(|one| tensor(&format!("{prefix}{}", one.name), &one.shape)).collect();
            let kernel = format!("{name}.weight");
            tensors.push(tensor(&kernel, &[10, 1000]));
            tensors.push(tensor(&format!("{name}.bias"), &[10]));
            let fit = fit(architecture, &listed(FileFormat::PytorchZip, tensors)).unwrap();
            let Head::Other(names) = &fit.head else { panic!("{architecture} {prefix}: {:?}", fit.head) };
            assert!(names.contains(&kernel) && !fit.classifier, "{names:?}");
        }
    }
}

#[test]
fn a_head_on_a_linear_layer_of_any_size_is_another_head() {
    for (prefix, outer) in [("backbone.", "classifier.weight"), ("model.encoder.", "model.margin.weight")] {
        let (trunk, features) = headless(Architecture::Resnet50, Dialect::Torchvision);
        let mut tensors: Vec<TensorInfo> =
            trunk.iter().map(|one| tensor(&format!("{prefix}{}", one.name), &one.shape)).collect();
        // An embedding of 128 numbers, under the name of the network's own classes.
        tensors.push(tensor(&format!("{prefix}fc.weight"), &[128, features]));
        tensors.push(tensor(&format!("{prefix}fc.bias"), &[128]));
        let fit_with = |inputs: usize| {
            let tensors = [&tensors[..], &[tensor(outer, &[10, inputs])]].concat();
            fit(Architecture::Resnet50, &listed(FileFormat::PytorchZip, tensors)).unwrap()
        };
        let behind = fit_with(128);
        assert_eq!((behind.head, behind.classifier), (Head::Other(vec![outer.into()]), false), "{prefix}");
        let beside = fit_with(64);
        assert!(matches!(beside.head, Head::Linear { classes: 128, .. }), "{prefix}: {:?}", beside.head);
    }
}

#[test]
fn what_stands_between_the_layers_of_a_trunk_is_no_head() {
    let check = |architecture, dialect, name: &str| {
        let (mut tensors, features) = headless(architecture, dialect);
        tensors.push(tensor(name, &[2, features]));
        let error = fit(architecture, &listed(format_of(dialect), tensors)).unwrap_err().to_string();
        assert!(error.contains(&format!("tensor \"{name}\" has no place in it")), "{error}");
    };
    check(Architecture::Resnet50, Dialect::Torchvision, "layer3.2.se.fc1.weight");
    check(Architecture::Resnet50, Dialect::Torchvision, "conv1.bias");
    check(Architecture::Resnet50, Dialect::Keras, "conv4_block7_1_conv/kernel");
    check(Architecture::Vgg16, Dialect::Torchvision, "features.3.weight");
    check(Architecture::EfficientnetLite0, Dialect::Lite, "_blocks.3._se_reduce.weight");
}

#[test]
fn a_fault_of_the_networks_own_head_is_told_as_such() {
    let head = [("fc.weight", vec![1000, 2048]), ("fc.bias", vec![999])];
    let fit = with_head(Architecture::Resnet50, Dialect::Torchvision, &head);
    let fault = "tensor \"fc.bias\" has shape [999] where [1000] is needed";
    assert_eq!((fit.head, fit.classifier), (Head::Broken(fault.into()), false));
}

#[test]
fn what_only_training_needs_is_no_head() {
    let (mut tensors, features) = headless(Architecture::Resnet50, Dialect::Torchvision);
    for tensor in &mut tensors {
        tensor.name = format!("state_dict.{}", tensor.name);
    }
    tensors.push(tensor("state_dict.fc.weight", &[4, features]));
    tensors.push(tensor("optimizer.state.0.exp_avg", &[4, features]));
    tensors.push(tensor("n_averaged", &[]));
    tensors.push(TensorInfo { dtype: "I64".into(), ..tensor("queue_ptr", &[1]) });
    let file: TensorList = listed(FileFormat::PytorchZip, tensors);
    let fit = recognise(&file).unwrap();
    assert_eq!(
        (&fit.head, fit.key()),
        (&Head::Linear { name: "state_dict.fc.weight".into(), classes: 4 }, "state_dict")
    );
}
