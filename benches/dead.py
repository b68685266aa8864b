"""What wakes channels that a short ascent leaves at exactly 0, and whether photographs do.

`trepang render` raises the first channels of each layer at 64 px with 48 steps. Those that it calls dead are raised again in other ways:
from other seeds, from a larger start, with more steps, at a larger size, before the ReLU, and before and after it at once. A channel
counts as awake if it is above 0 somewhere on the picture as it is saved, computed by PyTorch. With `--photographs FOLDER`, each dead
channel is looked for in photographs too, whose middle square is brought to the size of the pictures: one that no photograph wakes
either is dead for all that is known.

Needs the release binary, `trepang pull vgg16-trunk`, and in the Python that runs this:
    pip install torch==2.13.0 numpy==2.4.6 pillow==13.0.0 safetensors==0.8.0
Run from the repository's root:
    python3 benches/dead.py --weights ~/.cache/trepang/weights/vgg16-trunk.safetensors --photographs FOLDER
"""

import json
import subprocess
import sys
from pathlib import Path

sys.path[:0] = ["tests/golden", "benches"]
import compare_lucid
import numpy as np
import readable
import torch
from PIL import Image

LAYERS = ["block2_conv2", "block3_conv3"]

# For each way its name, how the layer is written, and further flags.
WAYS = [
    *((f"seed {seed}", "{}", ["--seed", str(seed)]) for seed in (1, 2, 3)),
    *((f"start of {sd}", "{}", ["--set", f"param.sd={sd}"]) for sd in (0.1, 0.3, 1)),
    ("256 steps", "{}", ["--steps", "256"]),
    ("128 px, 128 steps", "{}", ["--size", "128", "--steps", "128"]),
    ("before the ReLU", "{}:pre", []),
    ("before the ReLU, 256 steps", "{}:pre", ["--steps", "256"]),
]


def render(args, layer, channels, folder, more):
    """What Trepang says of each channel, by its number."""
    words = ["render", "--network", "vgg16-trunk", "--layer", layer, "--channel", ",".join(map(str, channels)), "--json"]
    words += ["--size", args.size, "--steps", args.steps, *more, "--runs", args.out / "runs", "-o", folder]
    taken = {}
    for flag in ("--size", "--steps"):
        while words.count(flag) > 1:
            at = words.index(flag)
            del words[at : at + 2]
    shown = subprocess.run([args.trepang, *map(str, words)], check=True, capture_output=True, text=True)
    for event in map(json.loads, shown.stdout.splitlines()):
        if event["event"] == "done":
            taken[event["channel"]] = event
    return taken


def highest(stack, rgb):
    """The highest value of each channel before the ReLU, on a picture in 0..1."""
    with torch.no_grad():
        return compare_lucid.before_relu(stack, rgb)[0].amax((1, 2))


def picture(path, size=None):
    image = Image.open(path).convert("RGB")
    if size:
        side = min(image.size)
        left, top = ((length - side) // 2 for length in image.size)
        image = image.crop((left, top, left + side, top + side)).resize((size, size), Image.BICUBIC)
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None] / 255


def awake(stack, event):
    """The channels' own heights on the pictures as they were saved."""
    return {channel: highest(stack, picture(one["output"]))[channel].item() for channel, one in event.items()}


def main():
    parser = readable.flags(__doc__, "target/dead")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=48)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--most", type=int, default=400, help="photographs that are looked at, spread evenly")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    weights = readable.prepare("vgg16-trunk", args.weights, args.size)
    for layer in LAYERS:
        stack = compare_lucid.layers(weights, layer)
        first = render(args, layer, range(args.channels), args.out / layer, [])
        heights = awake(stack, first)
        dead = [channel for channel, event in first.items() if event["dead"]]
        silent = [channel for channel, height in heights.items() if height <= 0]
        print(f"{layer}: {len(dead)} of {args.channels} are dead by Trepang, {len(silent)} of the pictures are silent by PyTorch")
        print(f"  dead: {dead}")
        left = set(dead)
        for name, form, more in WAYS:
            if not dead:
                break
            folder = args.out / f"{layer}-{name.replace(' ', '-').replace(',', '')}"
            done = render(args, form.format(layer), dead, folder, more)
            woken = [channel for channel, height in awake(stack, done).items() if height > 0]
            left -= set(woken)
            print(f"  {name}: {len(woken)} of {len(dead)} wake {woken}", flush=True)
        print(f"  by none of these: {sorted(left)}")
        if args.photographs:
            report_photographs(args, stack, layer, dead)


def report_photographs(args, stack, layer, dead):
    """Which photographs wake dead channels, and whether an ascent from the one that does most keeps them awake."""
    paths = [path for path in args.photographs.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png")]
    paths = sorted(paths)[:: max(1, len(paths) // args.most)]
    heights = torch.stack([highest(stack, picture(path, args.size)) for path in paths])
    seen = (heights > 0).sum(0)
    counts = ", ".join(f"{channel}: {int(seen[channel])}" for channel in dead if seen[channel])
    print(f"  of {len(paths)} photographs, so many wake (none wakes the others): {counts or 'none'}")
    for channel in (channel for channel in dead if seen[channel]):
        photograph = paths[int(heights[:, channel].argmax())]
        output = args.out / f"{layer}-{channel}-from-a-photograph.png"
        event = render(args, layer, [channel], output, ["--init", photograph])[channel]
        print(f"  {channel} from the photograph that wakes it most: {event['activation_robust']:.3g} over 32 views", flush=True)


if __name__ == "__main__":
    main()
