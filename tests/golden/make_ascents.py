"""Writes the golden ascents: what PyTorch makes of Trepang's simplest recipes on minivgg.

Files written, beside this script:

- start-64.png          64x64 RGB, uniform uint8 noise from numpy's default_rng(4), which other tests begin with
- ascents.safetensors   for each ascent NAME of ASCENTS below
      NAME.losses       f32 [STEPS]        the objective before each update, so losses[0] is the start image's
      NAME.early        f32 [3, 64, 64]    what was optimised, after EARLY updates
      NAME.x            f32 [3, 64, 64]    the same after the last update
      NAME.picture      u8  [64, 64, 3]    NAME.x as the picture a run would save
  and in its metadata under `ascents`, as JSON: NAME to layer, channel, space, optimizer, rate, steps and start

An ascent starts at golden.py's picture of the name `start`, which is ascent/NAME/K with the first K for which no ReLU and
no max pool decides anything nearer than MARGIN, as a share of its layer's largest entry, in the first EARLY gradients:
a ReLU by its input, a max pool by the lead of a window's largest entry over the next.

The objective is the spatial mean of one channel after its ReLU; it is maximised. There are two spaces:

- network   x = (rgb - mean) / std is optimised and clipped to [-1, 1], and the picture is
            uint8(255 * (x + 1) / 2), truncated: the seed's defects, kept exactly
- rgb       x = rgb is optimised and clipped to [0, 1], and the picture is round(255 * x)

and two optimizers: `normalised`, x += rate * g / std(g) with the population's standard deviation and no
epsilon, and `adam`, torch.optim.Adam with maximize. Everything is computed in f32, on one thread.

What can be compared: rounding alone can flip a ReLU or a max pool's winner, after which two correct runs part for good.
In the first EARLY gradients it cannot: correct runs differ by some 3e-7 of a layer's largest entry there. With weights
disturbed by 3e-7, 12 of 32 runs had parted after 40 updates: losses up to 1.7 % and pictures 4 to 14 grey levels apart
on average. So compare `early` and the losses up to it tightly, all losses loosely, and make `picture` from the stored `x`.

Run, from anywhere (some minutes, no GPU):

    pip install torch==2.13.0 numpy==2.4.6 pillow==13.0.0 safetensors==0.8.0
    python make_ascents.py

Written with Python 3.11.7 and the versions above, on an x86-64 CPU.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.numpy import save_file
from safetensors.torch import load_file

from golden import picture as noise_picture

HERE = Path(__file__).resolve().parent
WEIGHTS = HERE.parent.parent / "weights" / "minivgg" / "minivgg.safetensors"

SIZE = 64
STEPS = 40
EARLY = 3
MARGIN = 1e-6
SEED_RATE = 0.1
PIXEL_RATE = 0.05
ADAM_RATE = 0.05

# name, layer, channel, space, optimizer, rate
ASCENTS = [
    ("seed", "block4_conv2", 20, "network", "normalised", SEED_RATE),
    ("seed_deep", "block5_conv2", 4, "network", "normalised", SEED_RATE),
    ("pixel", "block4_conv2", 20, "rgb", "normalised", PIXEL_RATE),
    ("adam", "block4_conv2", 20, "rgb", "adam", ADAM_RATE),
]

# The convolutions, in order; a 2x2 max pool stands between two blocks.
CONVOLUTIONS = [
    "block1_conv1", "block2_conv1",
    "block3_conv1", "block3_conv2", "block4_conv1", "block4_conv2", "block5_conv1", "block5_conv2",
]  # fmt: skip

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
LIMITS = {"network": (-1.0, 1.0), "rgb": (0.0, 1.0)}


def preprocess(rgb):
    return (rgb - MEAN) / STD


def activation(weights, x, layer, nearest=None):
    """The named layer after its ReLU, for one picture x [3, H, W] in the network's own input space.

    The distance of each operation's nearest decision is appended to `nearest`, a list.
    """
    x = x.unsqueeze(0)
    for i, name in enumerate(CONVOLUTIONS):
        if i > 0 and name.split("_")[0] != CONVOLUTIONS[i - 1].split("_")[0]:
            if nearest is not None:
                nearest.append(nearest_window(x.detach()))
            x = F.max_pool2d(x, 2)
        x = F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)
        if nearest is not None:
            nearest.append((x.abs().min() / x.abs().max()).item())
        x = F.relu(x)
        if name == layer:
            return x
    raise ValueError(f"no layer {layer}")


def nearest_window(x):
    """The smallest lead of a 2x2 window's largest entry that is not zero, as a share of the largest of all."""
    windows = F.unfold(x.transpose(0, 1), 2, stride=2)
    first, second = windows.topk(2, dim=1).values.unbind(1)
    lead = (first - second)[first > 0]
    return (lead.min() / x.max()).item() if lead.numel() else 1.0


def update(x, adam, weights, layer, channel, space, optimizer, rate, nearest=None):
    """One update of x; returns the loss before it."""
    low, high = LIMITS[space]
    seen = x if space == "network" else preprocess(x)
    loss = activation(weights, seen, layer, nearest)[0, channel].mean()
    adam.zero_grad()
    loss.backward()
    with torch.no_grad():
        if optimizer == "adam":
            adam.step()
        else:
            x += rate * (x.grad / x.grad.std(correction=0))
        x.clamp_(low, high)
    return loss.item()


def begin(start, space, rate):
    x = (preprocess(start) if space == "network" else start).clone().requires_grad_(True)
    return x, torch.optim.Adam([x], lr=rate, betas=(0.9, 0.999), eps=1e-8, maximize=True)


def find_start(name, weights, *recipe):
    """The first start whose first EARLY gradients hang on no near-tie: its name, and its picture as rgb in 0..1."""
    _, _, space, _, rate = recipe
    for k in itertools.count():
        noise = noise_picture(f"ascent/{name}/{k}", SIZE)
        start = torch.from_numpy(noise).permute(2, 0, 1).contiguous().float() / 255
        x, adam = begin(start, space, rate)
        for _ in range(EARLY):
            nearest = []
            update(x, adam, weights, *recipe, nearest)
            if min(nearest) <= MARGIN:
                break
        else:
            return f"ascent/{name}/{k}", start


def ascend(weights, start, *recipe):
    """STEPS updates from start (rgb, 0..1); returns the losses, x after EARLY updates and the last x."""
    _, _, space, _, rate = recipe
    x, adam = begin(start, space, rate)
    losses = []
    for step in range(STEPS):
        losses.append(update(x, adam, weights, *recipe))
        if step + 1 == EARLY:
            early = x.detach().clone()
    return losses, early, x.detach()


def picture(x, space):
    """x [3, H, W] as the uint8 picture [H, W, 3] that a run saves."""
    x = x.permute(1, 2, 0).numpy()
    if space == "network":
        return (255 * (x + 1) / 2).astype(np.uint8)
    return np.round(255 * x).astype(np.uint8)


def main():
    torch.set_num_threads(1)
    weights = {name: tensor.float() for name, tensor in load_file(WEIGHTS).items()}
    noise = np.random.default_rng(4).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    Image.fromarray(noise).save(HERE / "start-64.png")

    tensors, recipes = {}, {}
    for name, *recipe in ASCENTS:
        layer, channel, space, optimizer, rate = recipe
        begun, start = find_start(name, weights, *recipe)
        losses, early, x = ascend(weights, start, *recipe)
        assert np.isfinite(losses).all() and losses[-1] > losses[0], name
        tensors[f"{name}.losses"] = np.array(losses, np.float32)
        tensors[f"{name}.early"] = early.contiguous().numpy()
        tensors[f"{name}.x"] = x.contiguous().numpy()
        tensors[f"{name}.picture"] = np.ascontiguousarray(picture(x, space))
        recipes[name] = dict(
            layer=layer,
            channel=channel,
            space=space,
            optimizer=optimizer,
            rate=rate,
            steps=STEPS,
            start=begun,
        )
        print(f"{name} from {begun}: {losses[0]:.4f} -> {losses[-1]:.4f} in {STEPS} steps")
    # One metadata key: with more, safetensors writes them in an order that changes from run to run.
    save_file(tensors, HERE / "ascents.safetensors", {"ascents": json.dumps(recipes)})
    (HERE / "ascents.safetensors").chmod(0o644)


if __name__ == "__main__":
    main()
