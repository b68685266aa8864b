//! Tests of networks that went through `nn.Sequential(*list(model.children())[:-1])`, in whose files positions stand for the
//! names of modules.

use std::collections::BTreeMap;
use std::path::Path;

use trepang_api::Array;
use trepang_weights::{
    Architecture, Dialect, FileFormat, Head, Result, TensorInfo, TensorSource, fit, nearest, sets, tensors_of,
};

use crate::fits::listed;
use crate::heads::tensor;

/// What torchvision's `named_children()` gives, in order.
fn children(architecture: Architecture) -> Vec<&'static str> {
    let list = match architecture {
        Architecture::InceptionV3 => {
            "Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3 maxpool1 Conv2d_3b_1x1 Conv2d_4a_3x3 maxpool2 Mixed_5b \
             Mixed_5c Mixed_5d Mixed_6a Mixed_6b Mixed_6c Mixed_6d Mixed_6e Mixed_7a Mixed_7b Mixed_7c avgpool \
             dropout fc"
        }
        Architecture::Googlenet => {
            "conv1 maxpool1 conv2 conv3 maxpool2 inception3a inception3b maxpool3 inception4a inception4b inception4c \
             inception4d inception4e maxpool4 inception5a inception5b avgpool dropout fc"
        }
        Architecture::MobilenetV2 | Architecture::Squeezenet11 | Architecture::Densenet121 => {
            "features classifier"
        }
        Architecture::RegnetY400mf => "stem trunk_output avgpool fc",
        Architecture::ShufflenetV2 => "conv1 maxpool stage2 stage3 stage4 conv5 fc",
        Architecture::Alexnet
        | Architecture::MobilenetV3Large
        | Architecture::EfficientnetB0
        | Architecture::ConvnextTiny => "features avgpool classifier",
        _ if architecture.name().starts_with("vgg") => "features avgpool classifier",
        _ => "conv1 bn1 relu maxpool layer1 layer2 layer3 layer4 avgpool fc",
    };
    list.split_whitespace().collect()
}

/// The architectures of torchvision.
fn torchvisions() -> impl Iterator<Item = Architecture> {
    Architecture::ALL.into_iter().filter(|network| network.dialects().contains(&Dialect::Torchvision))
}

/// A file whose numbers depend on torchvision's names alone, whatever names it shows.
#[derive(Debug)]
struct Renamed {
    shown: Vec<TensorInfo>,
    own: Vec<TensorInfo>,
    metadata: BTreeMap<String, String>,
}

impl TensorSource for Renamed {
    fn format(&self) -> FileFormat {
        FileFormat::PytorchZip
    }

    fn path(&self) -> &Path {
        Path::new("renamed")
    }

    fn tensors(&self) -> &[TensorInfo] {
        &self.shown
    }

    fn read(&self, index: usize) -> Result<Array> {
        let own = &self.own[index];
        let mark = own.name.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
        let value = 1.0 + (mark % 1000) as f32 / 1000.0;
        Ok(Array::new(own.shape.clone(), vec![value; own.shape.iter().product()])?)
    }

    fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }
}

fn own(architecture: Architecture, classifier: bool) -> Renamed {
    let own = tensors_of(architecture, Dialect::Torchvision, classifier).unwrap();
    Renamed { shown: own.clone(), own, metadata: BTreeMap::new() }
}

/// The same with positions for names, after a prefix.
fn numbered(architecture: Architecture, classifier: bool, prefix: &str) -> Renamed {
    let mut file = own(architecture, classifier);
    let children = children(architecture);
    for tensor in &mut file.shown {
        let (module, rest) = tensor.name.split_once('.').unwrap();
        let at = children.iter().position(|child| *child == module).unwrap();
        tensor.name = format!("{prefix}{at}.{rest}");
    }
    file
}

#[test]
fn positions_stand_for_torchvisions_names() {
    for architecture in torchvisions() {
        for (classifier, prefix) in [(true, ""), (false, "3.module.")] {
            let file = numbered(architecture, classifier, prefix);
            let found = sets(&file).unwrap();
            let what = format!("{architecture} {prefix}");
            assert_eq!(found.len(), 1, "{what}: {found:?}");
            assert_eq!((found[0].architecture, found[0].dialect), (architecture, Dialect::Torchvision));
            assert_eq!(found[0].head, if classifier { Head::Own } else { Head::Missing }, "{what}");
            assert!(found[0].unused.is_empty(), "{what}");
        }
    }
}

#[test]
fn each_position_reads_the_tensor_of_its_module() {
    for architecture in [Architecture::Resnet18, Architecture::InceptionV3] {
        let weights =
            |file: &Renamed| fit(architecture, file).unwrap().weights(file, &mut |_, _| true).unwrap();
        let (named, numbered) =
            (weights(&own(architecture, true)), weights(&numbered(architecture, true, "")));
        assert!(named.iter().eq(numbered.iter()), "{architecture}");
    }
}

#[test]
fn a_sequential_with_other_positions_is_not_taken() {
    let check = |change: fn(&str) -> String| {
        let mut file = numbered(Architecture::Resnet50, false, "");
        for tensor in &mut file.shown {
            let (at, rest) = tensor.name.split_once('.').unwrap();
            tensor.name = format!("{}.{rest}", change(at));
        }
        assert!(sets(&file).unwrap().is_empty());
        nearest(&file).unwrap()
    };
    // Without the max pooling, every block is one place further ahead and sees larger pictures.
    let said =
        check(|at| at.parse().map_or(at.into(), |at: usize| (if at > 3 { at - 1 } else { at }).to_string()));
    assert!(said.contains("has no place in it"), "{said}");
    let said = check(|at| if at == "7" { "8".into() } else { at.into() });
    assert!(said.starts_with("resnet50, but tensor \"7.0.downsample.0.weight\" is missing"), "{said}");
    let mut file = numbered(Architecture::Resnet50, false, "");
    file.shown.push(tensor("2.weight", &[64]));
    file.own.push(tensor("2.weight", &[64]));
    assert!(sets(&file).unwrap().is_empty(), "a PReLU for a ReLU");
}

#[test]
fn heads_behind_a_sequential_are_judged_as_others() {
    let with = |name: &str, shape: &[usize]| {
        let mut file = numbered(Architecture::Resnet50, false, "0.");
        file.shown.push(tensor(name, shape));
        listed(FileFormat::PytorchZip, file.shown)
    };
    let fit_of = |name, shape: &[usize]| fit(Architecture::Resnet50, &with(name, shape)).unwrap();
    assert_eq!(fit_of("2.weight", &[10, 2048]).classes(), Some(10));
    assert_eq!(fit_of("head.weight", &[3, 2048]).classes(), Some(3));
    assert_eq!(fit_of("2.weight", &[10, 2048 * 49]).head, Head::Other(vec!["2.weight".into()]));
}
