"""Measures a backend against the same loop in Python's PyTorch: VGG19 to block5_conv4 at 224 px, forward and back to the
image.

Needs the release binary (cargo build --release, with --features tch or cuda for what is measured) and, in the Python that
runs this:
    pip install torch==2.13.0 numpy==2.4.6 safetensors==0.8.0
Run from the repository's root:
    python3 benches/pytorch.py               # tch on the CPU
    python3 benches/pytorch.py candle cuda   # another backend on a GPU of NVIDIA's; PyTorch takes the same
Weights are random (80 MB, in a temporary folder): what they are does not change how long a step takes. Both take STEPS
steps in turn, for each of the rounds; a round's figure is the median of its steps but the first, in which a framework
sets itself up. Prints the medians of the rounds, and of their ratios. The first loss of both must be the same. On a GPU
PyTorch computes in f32 throughout, as Trepang does (no TF32).
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import torch
from safetensors.torch import save_file

BACKEND, DEVICE = sys.argv[1:] or ("tch", "cpu")
BINARY, ROUNDS, CHANNEL, SIZE = "target/release/trepang", 9, 4, 224
STEPS = 10 if DEVICE == "cpu" else 100
BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))
# Keras's "caffe" preprocessing on RGB of 0..1.
SCALE, SHIFT = 255.0, torch.tensor([-123.68, -116.779, -103.939], device=DEVICE).reshape(1, 3, 1, 1)


def make(folder):
    """Weights of one size as Trepang keeps what it has pulled, and PyTorch's layers with the same."""
    torch.manual_seed(0)
    tensors, layers, channels = {}, [], 3
    for block, (count, width) in enumerate(BLOCKS, 1):
        for index in range(1, count + 1):
            conv = torch.nn.Conv2d(channels, width, 3, padding=1).requires_grad_(False)
            torch.nn.init.kaiming_normal_(conv.weight)
            name = f"block{block}_conv{index}"
            tensors[f"{name}.weight"], tensors[f"{name}.bias"] = conv.weight, conv.bias
            layers += [conv, torch.nn.ReLU(inplace=True)]
            channels = width
        layers.append(torch.nn.MaxPool2d(2))
    os.makedirs(f"{folder}/weights")
    about = {"dialect": "keras", "network": "vgg19", "source_sha256": "none"}
    save_file(tensors, f"{folder}/weights/vgg19.safetensors", about)
    return torch.nn.Sequential(*layers[:-1]).to(DEVICE)


def trepang(folder):
    """Seconds a step, and the losses."""
    command = [BINARY, "render", "--network", "vgg19", "--layer", "block5_conv4", "--channel", str(CHANNEL)]
    command += ["--steps", str(STEPS), "--backend", BACKEND, "--device", DEVICE, "--init", "gray", "--recipe", "pixel", "--json"]
    command += ["-o", f"{folder}/out.png", "--runs", f"{folder}/runs"]
    environment = {**os.environ, "TREPANG_CACHE": folder}
    times, events = [], []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        for line in process.stdout:
            times.append(time.perf_counter())
            events.append(json.loads(line))
    assert events and events[-1]["event"] == "done", "trepang did not finish"
    return between(times[:STEPS]), [event["loss"] for event in events[:STEPS]]


def pytorch(network):
    """The recipe `pixel` from gray: x += 0.01 g / std(g), kept in 0..1."""
    x, losses, times = torch.full((1, 3, SIZE, SIZE), 0.5, device=DEVICE), [], []
    for _ in range(STEPS):
        x.requires_grad_(True)
        loss = network(x * SCALE + SHIFT)[0, CHANNEL].mean()
        (gradient,) = torch.autograd.grad(loss, x)
        losses.append(loss.item())
        x = (x.detach() + 0.01 * gradient / gradient.std(correction=0)).clamp(0, 1)
        if DEVICE != "cpu":
            torch.cuda.synchronize(DEVICE)  # or else only the queueing would be timed
        times.append(time.perf_counter())
    return between(times), losses


def between(times):
    """The median of the differences."""
    return statistics.median(later - earlier for earlier, later in zip(times, times[1:]))


def main():
    torch.backends.cudnn.allow_tf32 = False
    where = torch.cuda.get_device_name(DEVICE) if DEVICE != "cpu" else f"{torch.get_num_threads()} threads"
    print(f"PyTorch {torch.__version__}, {where}")
    with tempfile.TemporaryDirectory() as folder:
        network = make(folder)
        ours, theirs = trepang(folder)[1], pytorch(network)[1]  # also warms caches
        assert abs(ours[0] - theirs[0]) < 1e-4 * abs(theirs[0]), f"they differ: {ours} {theirs}"
        pairs = [(trepang(folder)[0], pytorch(network)[0]) for _ in range(ROUNDS)]
    a, b = (statistics.median(times) for times in zip(*pairs))
    ratios = sorted(a / b for a, b in pairs)
    print(f"vgg19 block5_conv4, {SIZE} px: {BACKEND} on {DEVICE} {1000 * a:.1f} ms a step, PyTorch {1000 * b:.1f} ms")
    print(f"ratio {statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f}), {ROUNDS} rounds of {STEPS} steps")


if __name__ == "__main__":
    main()
