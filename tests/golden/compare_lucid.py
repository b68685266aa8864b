"""The recipe `lucid` as a plain PyTorch program, and what its pictures are worth beside Trepang's.

Nothing is written into the repository; the figures are in docs/lucid.md. The program draws each channel of CHANNELS on
vgg16-trunk with PyTorch's autograd: a Fourier image in decorrelated colours, lucid's transforms, Adam 0.05, with dead
ReLUs redirected as lucid has them for a step whose gradient is zero. Then it has Trepang draw the same channels with
`lucid` and with `pixel`, and lets Trepang judge all pictures: the activation of the clean 8-bit file, and its mean over 32
transforms, which are the same for all.

Run, from the repository's root, after `cargo build --release` and `target/release/trepang pull vgg16-trunk`:

    pip install torch==2.13.0 numpy==2.4.6 pillow==13.0.0 safetensors==0.8.0
    python tests/golden/compare_lucid.py --weights ~/.cache/trepang/weights/vgg16-trunk.safetensors --out /tmp/lucid

Differences from Trepang's own: each transform interpolates anew here, as in lucid, where Trepang composes them; and the
random numbers are PyTorch's.
"""

import argparse
import json
import math
import subprocess
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file

SIZE = 224
CHANNELS = {
    "block3_conv3": [5, 40, 77, 101, 133, 160, 199, 230],
    "block4_conv3": [20, 77, 190, 300, 410],
    "block5_conv3": [4, 100, 300],
}
BLOCKS = [2, 2, 3, 3, 3]
COLOURS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
COLOURS = COLOURS / COLOURS.norm(dim=0).max()
MEAN = torch.tensor([123.68, 116.779, 103.939])[:, None, None]


def layers(weights, last):
    """(kernel, bias, pooled before?) up to and with the layer, for RGB input."""
    found = []
    for block, convs in enumerate(BLOCKS, 1):
        for conv in range(1, convs + 1):
            name = f"block{block}_conv{conv}"
            found.append((weights[f"{name}.weight"], weights[f"{name}.bias"], conv == 1 and block > 1))
            if name == last:
                return found
    raise SystemExit(f"there is no {last}")


def before_relu(stack, rgb):
    """The last layer before its ReLU, of RGB in 0..1. The stored first kernel takes RGB, less the mean, over 1."""
    x = 255 * rgb - MEAN
    for index, (kernel, bias, pooled) in enumerate(stack):
        if pooled:
            x = F.max_pool2d(x, 2)
        x = F.conv2d(x, kernel, bias, padding=1)
        if index + 1 < len(stack):
            x = F.relu(x)
    return x


def transform(image, draw):
    """lucid's `standard_transforms`, then the middle SIZE pixels of what is left, gray around it."""

    def crop(x, by):
        side = x.shape[-1] - by
        top, left = (int(draw.integers(0, by + 1)) for _ in range(2))
        return x[..., top : top + side, left : left + side]

    x = F.pad(image[None] - 0.5, [12] * 4)
    x = crop(x, 8)
    side = round(x.shape[-1] * draw.choice(np.arange(0.90, 1.101, 0.02)))
    x = F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)
    angle = math.radians(draw.choice(list(range(-10, 11)) + 5 * [0]))
    turn = torch.tensor([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0]])
    grid = F.affine_grid(turn[None].float(), list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    x = crop(x, 4)
    margin = x.shape[-1] - SIZE
    first = margin // 2
    return F.pad(x, [-first, first - margin] * 2) + 0.5


def draw_channel(weights, layer, channel, steps, seed):
    stack = layers(weights, layer)
    fy = torch.fft.fftfreq(SIZE)[:, None]
    fx = torch.fft.rfftfreq(SIZE)[None]
    scale = SIZE / torch.clamp(torch.sqrt(fx**2 + fy**2), min=1 / SIZE)
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    z = (0.01 * torch.randn(3, SIZE, SIZE // 2 + 1, 2)).requires_grad_()
    optimizer = torch.optim.Adam([z], lr=0.05)

    def image():
        planes = torch.fft.irfft2(torch.view_as_complex(z) * scale, s=(SIZE, SIZE)) / 4
        return torch.sigmoid(torch.einsum("rc,chw->rhw", COLOURS, planes))

    for _ in range(steps):
        optimizer.zero_grad()
        pre = before_relu(stack, transform(image(), draw))[0, channel]
        value = F.relu(pre).mean()
        if value.item() == 0.0:
            value = pre.mean()  # the ReLU's redirected gradient, where all of it is closed
        (-value).backward()
        optimizer.step()
    return (255 * image().detach()).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()


def trepang(*words):
    shown = subprocess.run(["target/release/trepang", *map(str, words)], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in shown.stdout.splitlines()]


def judge(out, layer, channel, picture):
    """What Trepang says of any picture: it is the start of a run."""
    words = ["--network", "vgg16-trunk", "--layer", layer, "--channel", channel, "--recipe", "pixel", "--steps", 1]
    done = trepang("render", *words, "--init", picture, "-o", out / "judged.png", "--runs", out / "runs", "--json")[-1]
    return done["activation_start"], done["activation_start_robust"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=256)
    args = parser.parse_args()
    weights = load_file(args.weights)
    args.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for layer, channels in CHANNELS.items():
        made = {}
        for recipe in ["lucid", "pixel"]:
            words = ["--network", "vgg16-trunk", "--layer", layer, "--channel", ",".join(map(str, channels))]
            words += ["--recipe", recipe, "--steps", args.steps, "-o", args.out / recipe, "--runs", args.out / "runs"]
            events = trepang("render", *words, "--json")
            made[recipe] = {event["channel"]: event for event in events if event["event"] == "done"}
        for channel in channels:
            picture = args.out / "torch" / layer / f"{channel}.png"
            picture.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(draw_channel(weights, layer, channel, args.steps, 0)).save(picture)
            ours = [made[recipe][channel] for recipe in ["lucid", "pixel"]]
            values = [(event["activation_saved"], event["activation_robust"]) for event in ours]
            rows.append((layer, channel, *values, judge(args.out, layer, channel, picture)))
            print(json.dumps(rows[-1]), flush=True)
    table = np.array([[value for pair in row[2:] for value in pair] for row in rows])
    lucid, pixel, torch_ = table[:, 0:2], table[:, 2:4], table[:, 4:6]
    print("mean of lucid / torch, saved and robust:", (lucid.mean(0) / torch_.mean(0)).tolist())
    print("robust: lucid above pixel in", int((lucid[:, 1] > pixel[:, 1]).sum()), "of", len(rows))


if __name__ == "__main__":
    main()
