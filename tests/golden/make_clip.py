"""Writes what timm's trunks of OpenAI's CLIP make of pictures with made-up weights, at full and at small size.

File written, beside this script:

- clip.safetensors  for clip_rn50 at 224 and 64 pixels, and clip_rn50x4 at 288 and 64
      NETWORK.SIZE.LAYER.sample       f32 [64]    of the activation [C, H, W] of this module of timm's
      NETWORK.SIZE.LAYER.moments      f32 [3]     mean, standard deviation (population), largest
      NETWORK.SIZE.gradient.sample    f32 [256]   of d(mean of stages.2.3, channel 11) / d(RGB in 0..1), [3, H, W]
      NETWORK.SIZE.gradient.moments   f32 [3]     mean, standard deviation, largest magnitude
  and in its metadata the versions

Weights, pictures and the places of a sample come from golden.py's generator: weights clip/KEY with KEY from the state_dict, with the
scales and offsets of make_torchvision.py's residual networks; pictures image/SIZE; samples sample/NETWORK/SIZE/LAYER. Preprocessing
is CLIP's mean and deviation, and the gradient goes through it.

Run, from anywhere (half a minute, no GPU):

    pip install torch==2.15.0 timm==1.0.31 numpy==2.4.6 safetensors==0.8.0
    python make_clip.py

Written with Python 3.11.7 and the versions above, on an x86-64 CPU.
"""

import numpy as np
import timm
import torch

from golden import picture, record, tensor, write

NETWORKS = {"clip_rn50": ("resnet50_clip_gap", (224, 64)), "clip_rn50x4": ("resnet50x4_clip_gap", (288, 64))}
LAYERS = ("stem.conv1", "stem", "stages.0.0.shortcut", "stages.1.0.conv2_kxk", "stages.1.0", "stages.3")
GRADIENT = ("stages.2.3", 11)

KINDS = {"bias": (0.1, 0), "running_mean": (0.1, 0), "running_var": (0.3, 1)}
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)


def made_up(name, shape):
    kind = name.rpartition(".")[2]
    if kind != "weight":
        return tensor(f"clip/{name}", shape, *KINDS[kind])
    if len(shape) == 1:
        return tensor(f"clip/{name}", shape, 0.1, 0.5)
    return tensor(f"clip/{name}", shape, np.sqrt(6 / np.prod(shape[1:])), 0)


def load(name):
    model = timm.create_model(name, pretrained=False).eval()
    for key, value in model.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            value.copy_(torch.from_numpy(made_up(key, tuple(value.shape))))
    return model.requires_grad_(False)


def measure(tensors, network, model, size):
    layer, channel = GRADIENT
    seen = {}
    hooks = [
        model.get_submodule(name).register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: out.clone()}))
        for name in {*LAYERS, layer}
    ]
    rgb = torch.from_numpy(picture(f"image/{size}", size)).permute(2, 0, 1).float()[None].requires_grad_(True)
    model.forward_features((rgb / 255 - MEAN) / STD)
    seen[layer][0, channel].mean().backward()
    for hook in hooks:
        hook.remove()
    print(f"{network} at {size}")
    for name in LAYERS:
        record(tensors, network, size, name, seen[name][0].detach().numpy())
    record(tensors, network, size, "gradient", rgb.grad[0].numpy() * np.float32(255))


def main():
    torch.set_num_threads(1)
    tensors = {}
    for network, (name, sizes) in NETWORKS.items():
        model = load(name)
        for size in sizes:
            measure(tensors, network, model, size)
    versions = {module.__name__: module.__version__.partition("+")[0] for module in (torch, timm, np)}
    write("clip.safetensors", tensors, versions)


if __name__ == "__main__":
    main()
