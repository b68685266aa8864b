"""Lucid's recipe as a plain PyTorch program, and what its pictures are worth beside those of Trepang's recipe `lucid`.

Nothing is written into the repository; the figures are in docs/lucid.md. The program draws each channel of CHANNELS on
vgg16-trunk with PyTorch's autograd: a Fourier image in decorrelated colours, lucid's transforms, Adam 0.05, with dead
ReLUs redirected as lucid has them for a step whose gradient is zero. Trepang draws the same channels with `lucid` and
with `pixel`, and evaluates all pictures: the activation of the clean 8-bit file, and its mean over 32 transforms, which are
the same for all.

Run, from the repository's root, after `cargo build --release` and `target/release/trepang pull vgg16-trunk`:

    pip install torch==2.13.0 numpy==2.4.6 pillow==13.0.0 safetensors==0.8.0
    python tests/golden/compare_lucid.py --weights ~/.cache/trepang/weights/vgg16-trunk.safetensors --out /tmp/lucid

That takes hours on two cores. What is in the folder already is not made again, so the parts (`--only torch`, `--device
cuda`) can be made one by one, and on several machines.

Differences from Trepang's own: each transform interpolates anew here, as in lucid, where Trepang composes them; and the
random numbers are PyTorch's, so single pictures differ by some 10 %, and means over channels and seeds are compared.
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
    "block3_conv3": [5, 40],
    "block4_conv3": [20, 77, 190, 300],
    "block5_conv3": [4, 40, 100, 150, 200, 250, 300, 350, 400, 450],
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
    x = 255 * rgb - MEAN.to(rgb.device)
    for index, (kernel, bias, pooled) in enumerate(stack):
        if pooled:
            x = F.max_pool2d(x, 2)
        x = F.conv2d(x, kernel, bias, padding=1)
        if index + 1 < len(stack):
            x = F.relu(x)
    return x


def transform(images, draw):
    """lucid's `standard_transforms`, then the middle SIZE pixels of what is left, gray around it: of one image, or of several by
    the same draw."""

    def crop(x, by):
        side = x.shape[-1] - by
        top, left = (int(draw.integers(0, by + 1)) for _ in range(2))
        return x[..., top : top + side, left : left + side]

    x = F.pad(images.reshape(-1, *images.shape[-3:]) - 0.5, [12] * 4)
    x = crop(x, 8)
    side = round(x.shape[-1] * draw.choice(np.arange(0.90, 1.101, 0.02)))
    x = F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)
    angle = math.radians(draw.choice(list(range(-10, 11)) + 5 * [0]))
    turn = torch.tensor([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0]])
    grid = F.affine_grid(turn.float().to(x.device).expand(len(x), 2, 3), list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    x = crop(x, 4)
    margin = x.shape[-1] - SIZE
    first = margin // 2
    return F.pad(x, [-first, first - margin] * 2) + 0.5


def draw_channel(weights, layer, channel, steps, seed, device):
    stack = layers(weights, layer)
    fy = torch.fft.fftfreq(SIZE, device=device)[:, None]
    fx = torch.fft.rfftfreq(SIZE, device=device)[None]
    scale = SIZE / torch.clamp(torch.sqrt(fx**2 + fy**2), min=1 / SIZE)
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    z = (0.01 * torch.randn(3, SIZE, SIZE // 2 + 1, 2)).to(device).requires_grad_()
    colours = COLOURS.to(device)
    optimizer = torch.optim.Adam([z], lr=0.05)

    def image():
        planes = torch.fft.irfft2(torch.view_as_complex(z) * scale, s=(SIZE, SIZE)) / 4
        return torch.sigmoid(torch.einsum("rc,chw->rhw", colours, planes))

    for _ in range(steps):
        optimizer.zero_grad()
        pre = before_relu(stack, transform(image(), draw))[0, channel]
        value = F.relu(pre).mean()
        if value.item() == 0.0:
            value = pre.mean()  # the ReLU's redirected gradient, where all of it is closed
        (-value).backward()
        optimizer.step()
    return (255 * image().detach()).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()


def draw_with_torch(args):
    """A picture of each channel and seed."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    weights = {name: tensor.to(args.device) for name, tensor in load_file(args.weights).items()}
    for seed in range(args.seeds):
        for layer, channels in CHANNELS.items():
            for channel in channels:
                picture = args.out / f"torch-{seed}" / layer / f"{channel}.png"
                if picture.exists():
                    continue
                picture.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(draw_channel(weights, layer, channel, args.steps, seed, args.device)).save(picture)


def trepang(args, *words):
    """The pictures that a run of Trepang has made, as it tells of them."""
    words = ["--network", "vgg16-trunk", *words, "--runs", args.out / "runs", "--json"]
    shown = subprocess.run([args.trepang, "render", *map(str, words)], check=True, capture_output=True, text=True)
    events = [json.loads(line) for line in shown.stdout.splitlines()]
    return [event for event in events if event["event"] == "done"]


def draw_with_trepang(args, recipe, seeds):
    """What the pictures are worth, kept in a file for each layer and seed."""
    for seed in range(seeds):
        for layer, channels in CHANNELS.items():
            kept = args.out / f"{recipe}-{seed}-{layer}.json"
            if kept.exists():
                continue
            words = ["--layer", layer, "--channel", ",".join(map(str, channels)), "--recipe", recipe, "--seed", seed]
            if recipe == "pixel":
                words += ["--steps", args.steps]
            done = trepang(args, *words, "-o", args.out / f"{recipe}-{seed}")
            values = {event["channel"]: [event["activation_saved"], event["activation_robust"]] for event in done}
            kept.write_text(json.dumps(values))


def evaluate(args):
    """What Trepang says of PyTorch's pictures: each is the start of a run."""
    for seed in range(args.seeds):
        for layer, channels in CHANNELS.items():
            kept, values = args.out / f"torch-{seed}-{layer}.json", {}
            if kept.exists():
                continue
            for channel in channels:
                picture = args.out / f"torch-{seed}" / layer / f"{channel}.png"
                words = ["--layer", layer, "--channel", channel, "--recipe", "pixel", "--steps", 1, "--init", picture]
                done = trepang(args, *words, "-o", args.out / "evaluated.png")[0]
                values[channel] = [done["activation_start"], done["activation_start_robust"]]
            kept.write_text(json.dumps(values))


def report(out):
    """The table, over all seeds that are there."""
    means = {}
    for program in ["lucid", "pixel", "torch"]:
        for layer, channels in CHANNELS.items():
            seeds = [json.loads(kept.read_text()) for kept in sorted(out.glob(f"{program}-*-{layer}.json"))]
            for channel in channels:
                means[program, layer, channel] = np.mean([seed[str(channel)] for seed in seeds], axis=0)
    keys = [(layer, channel) for layer, channels in CHANNELS.items() for channel in channels]
    print("| layer | channel | lucid | PyTorch | pixel |\n|---|---|---|---|---|")
    for key in keys:
        cells = ["{:.1f}, robust {:.1f}".format(*means[program, *key]) for program in ["lucid", "torch", "pixel"]]
        print(f"| `{key[0]}` | {key[1]} | {' | '.join(cells)} |")
    lucid, torch_, pixel = (np.array([means[program, *key] for key in keys]) for program in ["lucid", "torch", "pixel"])
    print("means, saved and robust: lucid", lucid.mean(0), "torch", torch_.mean(0), "ratio", lucid.mean(0) / torch_.mean(0))
    print("mean of the channels' ratios", (lucid / torch_).mean(0))
    print("robust: lucid above pixel in", int((lucid[:, 1] > pixel[:, 1]).sum()), "of", len(keys))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--trepang", type=Path, default="target/release/trepang")
    parser.add_argument("--device", default="cpu", help="PyTorch's")
    parser.add_argument("--steps", type=int, default=256, help="of PyTorch and pixel; lucid has its own")
    parser.add_argument("--seeds", type=int, default=3, help="of lucid and PyTorch; pixel has one")
    parser.add_argument("--only", choices=["torch", "lucid", "pixel", "evaluate", "report"])
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    parts = {
        "torch": lambda: draw_with_torch(args),
        "lucid": lambda: draw_with_trepang(args, "lucid", args.seeds),
        "pixel": lambda: draw_with_trepang(args, "pixel", 1),
        "evaluate": lambda: evaluate(args),
        "report": lambda: report(args.out),
    }
    for name, part in parts.items():
        if args.only in (None, name):
            part()


if __name__ == "__main__":
    main()
