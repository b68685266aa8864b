"""How long a page of a layer's channels takes: `trepang render` of 64 channels as thumbnails against the same in PyTorch.

Times are wall times: loading, all steps and 64 PNG files for both; for Trepang also the scores of all pictures, which the other
program does not compute. PyTorch runs Lucid's recipe (tests/golden/compare_lucid.py) on `--batch` images at once with one draw of the
transforms for all, as Trepang does. Both compute in f32 on all cores, in turns, `--rounds` times.

Needs the release binary, `trepang pull vgg16-trunk`, and in the Python that runs this:
    pip install torch==2.13.0 numpy==2.4.6 pillow==13.0.0 safetensors==0.8.0
Run from the repository's root:
    python3 benches/layer.py --weights ~/.cache/trepang/weights/vgg16-trunk.safetensors
"""

import statistics
import subprocess
import sys
import time

sys.path[:0] = ["tests/golden", "benches"]
import compare_lucid
import numpy as np
import readable
import torch
import torch.nn.functional as F
from PIL import Image

JOBS = [("vgg16-trunk", "block5_conv3"), ("minivgg", "block5_conv2")]


def draw_batch(stack, channels, size, steps):
    """8-bit pictures of some channels, by Lucid's recipe, as one batch."""
    fy, fx = torch.fft.fftfreq(size)[:, None], torch.fft.rfftfreq(size)[None]
    scale = size / torch.clamp(torch.sqrt(fx**2 + fy**2), min=1 / size)
    torch.manual_seed(0)
    draw = np.random.default_rng(0)
    z = (0.01 * torch.randn(len(channels), 3, size, size // 2 + 1, 2)).requires_grad_()
    optimizer = torch.optim.Adam([z], lr=0.05)

    def images():
        planes = torch.fft.irfft2(torch.view_as_complex(z) * scale, s=(size, size)) / 4
        return torch.sigmoid(torch.einsum("rc,nchw->nrhw", compare_lucid.COLOURS, planes))

    index = torch.arange(len(channels))
    for _ in range(steps):
        optimizer.zero_grad()
        out = compare_lucid.before_relu(stack, compare_lucid.transform(images(), draw))
        (-F.relu(out[index, channels]).mean((1, 2)).sum()).backward()
        optimizer.step()
    return (255 * images().detach()).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def with_torch(args, network, weights, layer):
    begun = time.perf_counter()
    stack = compare_lucid.layers(readable.prepare(network, weights, args.size), layer)
    for first in range(0, args.channels, args.batch):
        channels = torch.arange(first, min(first + args.batch, args.channels))
        for channel, picture in zip(channels, draw_batch(stack, channels, args.size, args.steps)):
            Image.fromarray(picture).save(args.out / f"torch-{channel}.png")
    return time.perf_counter() - begun


def with_trepang(args, network, layer):
    words = ["--network", network, "--layer", layer, "--channel", f"0..{args.channels}", "--size", args.size]
    words += ["--steps", args.steps, "--json", "--runs", args.out / "runs", "-o", args.out / "trepang"]
    begun = time.perf_counter()
    subprocess.run([args.trepang, "render", *map(str, words)], check=True, capture_output=True)
    return time.perf_counter() - begun


def main():
    parser = readable.flags(__doc__, "target/layer")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16, help="images at once in PyTorch")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    print("| network, layer | Trepang, images/s | PyTorch, images/s | time, ratio |\n|---|---|---|---|")
    for network, layer in JOBS:
        weights = args.minivgg if network == "minivgg" else args.weights
        rounds = []
        for _ in range(args.rounds):
            rounds.append((with_trepang(args, network, layer), with_torch(args, network, weights, layer)))
        ratios = [ours / theirs for ours, theirs in rounds]
        ours, theirs = (args.channels / statistics.median(times) for times in zip(*rounds))
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"| {network} {layer} | {ours:.2f} | {theirs:.2f} | {spread} |", flush=True)


if __name__ == "__main__":
    main()
