"""Writes what torchvision makes of the networks that only it has, with made-up weights, at full and at small size.

File written, beside this script:

- torchvision.safetensors  for each network below, at 224 and at 64 pixels; resnet18-gray at 64
      NETWORK.SIZE.logits             f32 [1000]  full size only
      NETWORK.SIZE.LAYER.sample       f32 [64]    of the activation [C, H, W] of this module
      NETWORK.SIZE.LAYER.moments      f32 [3]     mean, standard deviation (population), largest
      NETWORK.SIZE.gradient.sample    f32 [256]   of d(mean of one channel) / d(RGB in 0..1), [3, H, W]
      NETWORK.SIZE.gradient.moments   f32 [3]     mean, standard deviation, largest magnitude
  and in its metadata the versions, and as NETWORK.gradient the LAYER:CHANNEL

Weights, pictures and the places of a sample come from golden.py's generator, by the names and with the scales and
offsets of make_networks.py: pictures image/SIZE, samples sample/NETWORK/SIZE/LAYER, weights torchvision/KEY with KEY
from the state_dict. The offset of gamma is 0.5 in residual networks, 1 in the others. Preprocessing is
ImageNet's mean and deviation, and the gradient goes through it.

"resnet18-gray", at 64 pixels, is resnet18 with a first convolution that reads one channel, whose kernel is made up from
the name torchvision/gray/conv1.weight. It gets the mean of R, G and B, less the mean of the three means, over the mean of
the three deviations.

A module that a block calls more than once (`relu`) is not sampled: the hook of a module sees its last call.

Run, from anywhere (a minute, 3 GB of memory, no GPU):

    pip install torch==2.15.0 torchvision==0.29.2 numpy==2.4.6 safetensors==0.8.0
    python make_torchvision.py

Written with Python 3.11.7 and the versions above, on an x86-64 CPU.
"""

import numpy as np
import torch
import torchvision

from golden import picture, record, tensor, write

SIZES = (224, 64)

# The modules that are sampled; the gradient's module and channel.
NETWORKS = {
    "vgg11": (("features.1", "features.5", "features.10", "classifier.0"), ("features.14", 7)),
    "vgg13": (("features.3", "features.9", "features.20", "classifier.4"), ("features.18", 7)),
    "vgg16_bn": (("features.1", "features.13", "features.41", "classifier.0"), ("features.32", 7)),
    "vgg19_bn": (("features.4", "features.26", "features.50", "classifier.4"), ("features.38", 7)),
    "resnet18": (("bn1", "maxpool", "layer1.0.bn1", "layer2.0.downsample", "layer4.1"), ("layer3.1", 11)),
    "resnet34": (("maxpool", "layer2.3.bn2", "layer4.2"), ("layer3.5", 11)),
    "resnet101": (("maxpool", "layer2.3.bn3", "layer4.2"), ("layer3.22", 11)),
    "resnet152": (("maxpool", "layer2.7.bn3", "layer4.2"), ("layer3.35", 11)),
    "wide_resnet50_2": (("layer1.0.bn1", "layer2.3", "layer4.2"), ("layer3.5", 11)),
    "resnext50_32x4d": (("layer1.0.bn2", "layer2.0.bn2", "layer4.2"), ("layer3.5", 11)),
    "alexnet": (
        ("features.2", "features.7", "classifier.1"),
        ("features.9", 7),
    ),
    "googlenet": (
        ("maxpool1", "inception3a.branch2", "inception4c", "inception5b"),
        ("inception4b", 11),
    ),
    "mobilenet_v2": (
        ("features.0", "features.2.conv.0", "features.3", "features.14.conv.3", "features.18"),
        ("features.10", 11),
    ),
    "mobilenet_v3_large": (
        ("features.1", "features.4.block.2", "features.7", "features.13.block.0.1", "features.16"),
        ("features.11", 11),
    ),
    "efficientnet_b0": (
        ("features.0", "features.1.0.block.1", "features.3", "features.5.1.block.0.1", "features.8"),
        ("features.4", 11),
    ),
    "regnet_y_400mf": (
        ("stem", "trunk_output.block1.block1-0.f.se", "trunk_output.block2", "trunk_output.block3.block3-0.proj", "trunk_output"),
        ("trunk_output.block2.block2-2", 11),
    ),
    "shufflenet_v2_x1_0": (
        ("maxpool", "stage2.0.branch1", "stage2.3", "stage3.4.branch2", "conv5"),
        ("stage3", 11),
    ),
    "squeezenet1_1": (
        ("features.2", "features.3.squeeze", "features.6", "features.12", "classifier.1"),
        ("features.9", 11),
    ),
    "densenet121": (
        (
            "features.norm0",
            "features.denseblock1.denselayer2.norm1",
            "features.denseblock2",
            "features.transition2",
            "features.norm5",
        ),
        ("features.denseblock3", 611),
    ),
    "convnext_tiny": (
        ("features.0", "features.1.0.block.0", "features.2", "features.5.4", "features.7"),
        ("features.5", 11),
    ),
}

# Gammas around 1, not 1/2: activations do not grow from block to block there.
LEVEL = ("vgg", "googlenet", "shufflenet", "squeezenet", "densenet", "convnext")

KINDS = {"bias": (0.1, 0), "running_mean": (0.1, 0), "running_var": (0.3, 1), "layer_scale": (0.1, 0.5)}

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def made_up(network, name, shape):
    """The made-up tensor of this name in the state_dict."""
    kind = name.rpartition(".")[2]
    if kind != "weight":
        return tensor(f"torchvision/{name}", shape, *KINDS[kind])
    if len(shape) == 1:
        return tensor(f"torchvision/{name}", shape, 0.1, 1 if network.startswith(LEVEL) else 0.5)
    return tensor(f"torchvision/{name}", shape, np.sqrt(6 / np.prod(shape[1:])), 0)


def load(network):
    options = dict(init_weights=False) if network.startswith("vgg") else {}
    if network == "googlenet":
        # As its published weights ask for: the preprocessing of the others becomes -1..1.
        options = dict(init_weights=False, aux_logits=False, transform_input=True)
    model = getattr(torchvision.models, network)(weights=None, **options).eval()
    for name, value in model.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            value.copy_(torch.from_numpy(made_up(network, name, tuple(value.shape))))
    return model.requires_grad_(False)


def load_gray():
    """resnet18 for gray pictures."""
    model = load("resnet18")
    kernel = tensor("torchvision/gray/conv1.weight", (64, 1, 7, 7), np.sqrt(6 / 49), 0)
    model.conv1.weight = torch.nn.Parameter(torch.from_numpy(kernel), requires_grad=False)
    return model


def preprocess(network, rgb):
    if network.endswith("-gray"):
        return (rgb.mean(1, keepdim=True) / 255 - MEAN.mean()) / STD.mean()
    return (rgb / 255 - MEAN) / STD


def measure(tensors, network, model, size):
    layers, (deepest, channel) = NETWORKS[network.removesuffix("-gray")]
    seen = {}
    hooks = [
        model.get_submodule(name).register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: out.clone()}))
        for name in {*layers, deepest}
    ]
    rgb = torch.from_numpy(picture(f"image/{size}", size)).permute(2, 0, 1).float()[None].requires_grad_(True)
    logits = model(preprocess(network, rgb))[0].detach().numpy()
    seen[deepest][0, channel].mean().backward()
    for hook in hooks:
        hook.remove()
    print(f"{network} at {size}")
    for name in layers:
        # VGG pools adaptively before its classifier, which the networks here have at full size only.
        if size == SIZES[0] or not name.startswith("classifier"):
            record(tensors, network, size, name, seen[name][0].detach().numpy())
    record(tensors, network, size, "gradient", rgb.grad[0].numpy() * np.float32(255))
    if size == SIZES[0]:
        tensors[f"{network}.{size}.logits"] = logits
        print(f"  logits             {logits.min():.5g} to {logits.max():.5g}")


def main():
    torch.set_num_threads(1)
    tensors = {}
    metadata = {module.__name__: module.__version__.partition("+")[0] for module in (torch, torchvision, np)}
    for network, (_, (layer, channel)) in NETWORKS.items():
        model = load(network)
        for size in SIZES:
            measure(tensors, network, model, size)
        metadata[f"{network}.gradient"] = f"{layer}:{channel}"
    measure(tensors, "resnet18-gray", load_gray(), SIZES[1])
    write("torchvision.safetensors", tensors, metadata)


if __name__ == "__main__":
    main()
