"""Writes what Captum makes of the channels of a layer: attributions, integrated gradients and ablations of a margin.

File written, beside this script:

- lab.safetensors  for each case below
      CASE.margin       f32 [1]
      CASE.attribution  f32 [C]   InputXGradient on the tail, summed over positions
      CASE.integrated   f32 [C]   IntegratedGradients on the tail from zero, 50 Gauss-Legendre nodes, summed likewise
      CASE.ablation     f32 [C]   FeatureAblation on the tail, each channel one feature, to zero
      CASE.joint        f32 [2]   the same, with the 3 and the 5 channels of the largest attribution as one feature
  and in its metadata the versions, and as CASE the class and its rival (or "logsumexp")

The tail is the network from the layer on, as a module of its own; what passes the layer by in a shortcut stays that of the
picture. The margin is the class's logit less the rival's, or its log-softmax. The class is the picture's first, the rival
its second; in the last case they are classes 3 and 0.

The cases, all on pictures of golden.py's generator (image/SIZE):

- minivgg.block5_conv2, minivgg.block4_conv1, minivgg.logsumexp (block5_conv2): the embedded network, 64 pixels
- hidden: two hidden layers behind a max pool, as in VGG, 8 pixels: conv 3 > 8, ReLU, conv 8 > 16, ReLU, 2x2 max pool,
  flatten, 256 > 64, ReLU, 64 > 48, ReLU, 48 > 10; the layer is the second convolution's ReLU
- residual: a block with a shortcut, 8 pixels: conv 3 > 8, ReLU, then conv 8 > 8, ReLU (the layer) plus the first ReLU,
  ReLU, conv 8 > 12, ReLU, global average, 12 > 10
- vgg16.features.29: torchvision's vgg16 with the weights of make_torchvision.py, 224 pixels

All convolutions of the small networks are 3x3 with one pixel of padding. Their tensors are golden.py's, by the names
lab/NETWORK/LAYER.weight and .bias, with scale sqrt(6 / fan in) and offset 0, and scale 0.1; LAYER is conv1, conv2, conv3,
fc1, fc2, fc3. The input is RGB in 0..1. The small networks and the tails of the others are run in f64.

Run, from anywhere (2 minutes, 4 GB of memory, no GPU):

    pip install torch==2.15.0 torchvision==0.29.2 captum==0.9.0 numpy==2.4.6 safetensors==0.8.0
    python make_lab.py

Written with Python 3.11.7 and the versions above, on an x86-64 CPU.
"""

import captum
import numpy as np
import torch
from captum.attr import FeatureAblation, InputXGradient, IntegratedGradients
from safetensors.torch import load_file
from torch import nn

from golden import HERE, picture, tensor, write
from make_torchvision import MEAN, STD, load

CLASSES = 10


def image(size):
    """[1, 3, H, W] in 0..1, f64."""
    return torch.from_numpy(picture(f"image/{size}", size)).permute(2, 0, 1)[None].double() / 255


def filled(network, name, module):
    """A module with made-up weights, in f64."""
    shape = tuple(module.weight.shape)
    scale = np.sqrt(6 / np.prod(shape[1:]))
    module.weight.data = torch.from_numpy(tensor(f"lab/{network}/{name}.weight", shape, scale, 0)).double()
    module.bias.data = torch.from_numpy(tensor(f"lab/{network}/{name}.bias", shape[:1], 0.1, 0)).double()
    return module.requires_grad_(False)


def conv(network, name, inputs, outputs):
    return filled(network, name, nn.Conv2d(inputs, outputs, 3, padding=1))


def linear(network, name, inputs, outputs):
    return filled(network, name, nn.Linear(inputs, outputs))


def hidden():
    n = "hidden"
    trunk = nn.Sequential(conv(n, "conv1", 3, 8), nn.ReLU(), conv(n, "conv2", 8, 16), nn.ReLU())
    tail = nn.Sequential(
        nn.MaxPool2d(2), nn.Flatten(), linear(n, "fc1", 256, 64), nn.ReLU(), linear(n, "fc2", 64, 48), nn.ReLU(),
        linear(n, "fc3", 48, CLASSES),
    )
    return trunk(image(8)), tail


class Residual(nn.Module):
    """The tail behind a branch; the shortcut is that of the picture."""

    def __init__(self, shortcut):
        super().__init__()
        self.shortcut = shortcut
        self.conv3 = conv("residual", "conv3", 8, 12)
        self.fc1 = linear("residual", "fc1", 12, CLASSES)

    def forward(self, branch):
        x = torch.relu(torch.relu(branch + self.shortcut))
        return self.fc1(torch.relu(self.conv3(x)).mean((2, 3)))


def residual():
    first = torch.relu(conv("residual", "conv1", 3, 8)(image(8)))
    return torch.relu(conv("residual", "conv2", 8, 8)(first)), Residual(first)


def minivgg(layer):
    weights = load_file(HERE.parent.parent / "weights" / "minivgg" / "minivgg.safetensors")
    names = [name for name in weights if name.endswith(".weight") and name.startswith("block")]
    modules, block = [], 1
    for name in sorted(name.removesuffix(".weight") for name in names):
        if int(name[5]) != block:
            modules.append((f"pool{block}", nn.MaxPool2d(2)))
            block = int(name[5])
        kernel = weights[name + ".weight"]
        module = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1).double().requires_grad_(False)
        module.weight.data, module.bias.data = kernel.double(), weights[name + ".bias"].double()
        modules += [(name + ":pre", module), (name, nn.ReLU())]
    head = nn.Linear(256, 64).double().requires_grad_(False)
    head.weight.data, head.bias.data = weights["predictions.weight"].double(), weights["predictions.bias"].double()
    end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), head]
    at = 1 + [name for name, _ in modules].index(layer)
    parts = [module for _, module in modules]
    x = (image(64) - MEAN.double()) / STD.double()
    return nn.Sequential(*parts[:at])(x), nn.Sequential(*parts[at:], *end)


def vgg16(layer):
    model = load("vgg16")
    x = (image(224) - MEAN.double()) / STD.double()
    activation = model.features[: layer + 1](x.float()).double()
    tail = nn.Sequential(*model.features[layer + 1 :], nn.Flatten(), model.classifier).double()
    return activation, tail


def measure(tensors, metadata, name, activation, tail, classes=None, against=None):
    with torch.no_grad():
        logits = tail(activation)[0]
    order = logits.argsort(descending=True).tolist()
    number, rival = classes or (order[0], against or order[1])

    def margin(x):
        z = tail(x)
        return z.log_softmax(1)[:, number] if rival == "logsumexp" else z[:, number] - z[:, rival]

    channels = activation.shape[1]
    summed = lambda found: found[0].sum((1, 2)).detach().numpy()
    attribution = summed(InputXGradient(margin).attribute(activation.clone().requires_grad_()))
    integrated = summed(IntegratedGradients(margin).attribute(activation, n_steps=50, method="gausslegendre"))
    mask = torch.arange(channels).view(1, -1, 1, 1)
    ablate = lambda mask: FeatureAblation(margin).attribute(
        activation, feature_mask=mask.expand(activation.shape), perturbations_per_eval=16
    )[0, :, 0, 0]
    ablation = ablate(mask).detach().numpy()
    joint = []
    for top in (3, 5):
        first = torch.from_numpy(np.argsort(-attribution)[:top].copy())
        together = mask.clone()
        together[0, first] = int(first[0])
        _, together = together.unique(return_inverse=True)
        joint.append(float(ablate(together)[first[0]]))
    value = float(margin(activation)[0])
    values = dict(
        margin=[value], attribution=attribution, integrated=integrated, ablation=ablation, joint=joint
    )
    for part, numbers in values.items():
        tensors[f"{name}.{part}"] = np.asarray(numbers, np.float32)
    metadata[name] = f"{number} {rival}"
    apart = np.abs(attribution - integrated).max() / np.abs(attribution).max()
    print(f"{name}: {number} over {rival}: margin {value:.4f}, sum {attribution.sum():.4f}, IG differs by {apart:.3f}")


def main():
    torch.set_grad_enabled(True)
    tensors, metadata = {}, dict(torch=torch.__version__, captum=captum.__version__, numpy=np.__version__)
    measure(tensors, metadata, "minivgg.block5_conv2", *minivgg("block5_conv2"))
    measure(tensors, metadata, "minivgg.block4_conv1", *minivgg("block4_conv1"))
    measure(tensors, metadata, "minivgg.logsumexp", *minivgg("block5_conv2"), against="logsumexp")
    measure(tensors, metadata, "hidden", *hidden())
    measure(tensors, metadata, "residual", *residual(), classes=(3, 0))
    measure(tensors, metadata, "vgg16.features.29", *vgg16(29))
    write("lab.safetensors", tensors, metadata)


if __name__ == "__main__":
    main()
