"""How long a readable picture takes: `trepang render` against 256 steps of Lucid's recipe in plain PyTorch.

Times are wall times of whole programs with one channel each: loading, all steps and the score for Trepang; loading and all
steps for PyTorch (tests/golden/compare_lucid.py). A picture counts as readable if its `activation_robust` is at least 0.97
of that of PyTorch's picture. Both compute in f32 on all cores, in turns.

Needs the release binary, `trepang pull vgg16-trunk`, and in the Python that runs this:
    pip install torch==2.13.0 numpy==2.4.6 pillow==13.0.0 safetensors==0.8.0
Run from the repository's root:
    python3 benches/readable.py --weights ~/.cache/trepang/weights/vgg16-trunk.safetensors
It measures 16 channels of vgg16-trunk at 128 and 224 px and 8 of minivgg at 64 px, which takes hours on two cores. `--sizes` and
`--channels N` (the first N of each layer) measure less. Results are kept in `--out`, so that a second run goes on.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, "tests/golden")
import compare_lucid
import torch
from PIL import Image
from safetensors.torch import load_file

READABLE = 0.97
STEPS = 256
MINIVGG = {"block3_conv2": [3, 40], "block4_conv2": [20, 77, 130], "block5_conv2": [4, 100, 200]}
MINIVGG_BLOCKS = [1, 1, 2, 2, 2]
# What torchvision subtracts and divides by, over RGB in 0..1, as factors of 255 rgb - mean.
IMAGENET = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])


def prepare(network, weights, size):
    """Sets the program of compare_lucid.py up for a network and a size; its weights."""
    compare_lucid.SIZE = size
    tensors = {name: tensor.float() for name, tensor in load_file(weights).items()}
    if network == "minivgg":
        mean, deviation = (torch.tensor(values)[:, None, None] for values in IMAGENET)
        compare_lucid.BLOCKS, compare_lucid.MEAN = MINIVGG_BLOCKS, mean
        # before_relu() gives the first kernel 255 rgb - mean.
        tensors["block1_conv1.weight"] = tensors["block1_conv1.weight"] / deviation
    return tensors


def with_torch(network, weights, size, layer, channel, picture):
    begun = time.perf_counter()
    image = compare_lucid.draw_channel(prepare(network, weights, size), layer, channel, STEPS, 0, "cpu")
    Image.fromarray(image).save(picture)
    return time.perf_counter() - begun


def with_trepang(args, network, size, layer, channel, *more):
    words = ["--network", network, "--layer", layer, "--channel", channel, "--size", size, "--json", *more]
    words += ["--runs", args.out / "runs", "-o", args.out / "trepang.png"]
    begun = time.perf_counter()
    shown = subprocess.run([args.trepang, "render", *map(str, words)], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - begun
    return seconds, [json.loads(line) for line in shown.stdout.splitlines()][-1]


def measure(args, network, weights, size, layer, channel):
    """Both, one after the other, and what Trepang says of PyTorch's picture."""
    kept = args.out / f"{network}-{size}-{layer}-{channel}.json"
    if kept.exists():
        return json.loads(kept.read_text())
    picture = args.out / f"{network}-{size}-{layer}-{channel}-torch.png"
    of_torch = with_torch(network, weights, size, layer, channel, picture)
    seconds, done = with_trepang(args, network, size, layer, channel)
    _, other = with_trepang(args, network, size, layer, channel, "--recipe", "pixel", "--steps", 1, "--init", picture)
    row = {"layer": layer, "channel": channel, "steps": done["steps"], "seconds": seconds, "torch_seconds": of_torch}
    row |= {"robust": done["activation_robust"], "torch_robust": other["activation_start_robust"]}
    row |= {"saturated": done["saturated"]}
    kept.write_text(json.dumps(row))
    return row


def report(network, size, rows):
    times = [row["seconds"] / row["torch_seconds"] for row in rows]
    values = [row["robust"] / row["torch_robust"] for row in rows]
    seconds, others = (statistics.median(row[key] for row in rows) for key in ("seconds", "torch_seconds"))
    print(
        f"| {network} | {size} | {len(rows)} | {rows[0]['steps']} | {seconds:.1f} s | {others:.1f} s | "
        f"{statistics.median(times):.3f} ({min(times):.3f} to {max(times):.3f}) | "
        f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f}) | "
        f"{sum(value >= READABLE for value in values)} |",
        flush=True,
    )


def flags(description, out):
    """The flags of every comparison with PyTorch; results go to `out` unless told otherwise."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="of vgg16-trunk, as `trepang pull` keeps them")
    parser.add_argument("--minivgg", type=Path, default=Path("weights/minivgg/minivgg.safetensors"))
    parser.add_argument("--out", type=Path, default=Path(out))
    parser.add_argument("--trepang", type=Path, default=Path("target/release/trepang"))
    return parser


def main():
    parser = flags(__doc__, "target/readable")
    parser.add_argument("--sizes", default="128,224", help="of vgg16-trunk; minivgg has 64")
    parser.add_argument("--channels", type=int, default=99, help="of each layer")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    print("| network | px | channels | steps | Trepang | PyTorch | time, ratio | robust, ratio | readable |")
    print("|---|---|---|---|---|---|---|---|---|")
    jobs = [("vgg16-trunk", args.weights, int(size), compare_lucid.CHANNELS) for size in args.sizes.split(",")]
    for network, weights, size, layers in [*jobs, ("minivgg", args.minivgg, 64, MINIVGG)]:
        chosen = [(layer, channel) for layer, all_ in layers.items() for channel in all_[: args.channels]]
        report(network, size, [measure(args, network, weights, size, *one) for one in chosen])


if __name__ == "__main__":
    main()
