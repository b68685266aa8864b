"""How long a page of a layer's channels takes: `trepang render` of 64 channels as thumbnails against the same in PyTorch.

Times are wall times: loading, all steps, 64 PNG files and the score of each (the channel's mean over 32 random views of the picture
as it is saved) for both. PyTorch's scores are timed by themselves too, since most programs print none: the last column is the ratio
without them, though Trepang's are in it. PyTorch runs Lucid's recipe (tests/golden/compare_lucid.py) on `--batch` images at once with one draw of the
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

VIEWS = 32
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


def robust(stack, picture, channel, draw):
    """The mean over views of a picture of 8 bits, eight at once as Trepang has them."""
    image = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        views = torch.cat([compare_lucid.transform(image, draw) for _ in range(VIEWS)])
        means = [F.relu(compare_lucid.before_relu(stack, some))[:, channel].mean((1, 2)) for some in views.split(8)]
        return torch.cat(means).mean().item()


def with_torch(args, network, weights, layer):
    begun, scoring = time.perf_counter(), 0.0
    stack = compare_lucid.layers(readable.prepare(network, weights, args.size), layer)
    for first in range(0, args.channels, args.batch):
        channels = torch.arange(first, min(first + args.batch, args.channels))
        for channel, picture in zip(channels, draw_batch(stack, channels, args.size, args.steps)):
            Image.fromarray(picture).save(args.out / f"torch-{channel}.png")
            scored = time.perf_counter()
            robust(stack, picture, channel, np.random.default_rng(0))
            scoring += time.perf_counter() - scored
    return time.perf_counter() - begun, scoring


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
    print("| network, layer | Trepang, images/s | PyTorch, images/s | time, ratio | against PyTorch without scores |")
    print("|---|---|---|---|---|")
    for network, layer in JOBS:
        weights = args.minivgg if network == "minivgg" else args.weights
        ours, theirs, steps = [], [], []
        for _ in range(args.rounds):
            ours.append(with_trepang(args, network, layer))
            whole, scoring = with_torch(args, network, weights, layer)
            theirs.append(whole)
            steps.append(whole - scoring)
        rates = [f"{args.channels / statistics.median(times):.2f}" for times in (ours, theirs)]
        ratios = [spread([a / b for a, b in zip(ours, other)]) for other in (theirs, steps)]
        print("| " + " | ".join([f"{network} {layer}", *rates, *ratios]) + " |", flush=True)


def spread(ratios):
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()
