"""Measures `trepang predict` on a whole VGG19 from a warm cache against PyTorch: import, load and forward of the same.

Needs the release binary (cargo build --release) and, in the Python that runs this:
    pip install torch==2.13.0 torchvision==0.28.0 safetensors==0.8.0 pillow==13.0.0
Run from the repository's root: python3 benches/predict.py
Weights are random (574 MB, in a temporary folder): what they are does not change how long they take. Both programs
start anew for each of the rounds, in turn, and answer for the same picture; prints medians, the ratio and peak memory.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

BINARY, PICTURE, ROUNDS = "target/release/trepang", "tests/golden/picture-224.png", 9

# torchvision's index of each convolution of features, and Keras's names of all layers.
CONVS = dict(zip((0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34), (
    f"block{b}_conv{c}" for b, n in enumerate((2, 2, 4, 4, 4), 1) for c in range(1, n + 1))))
LINEARS = {0: "fc1", 3: "fc2", 6: "predictions"}

PYTORCH = """
import sys, torch, torchvision
from PIL import Image
from torchvision.transforms.functional import normalize, to_tensor
with torch.device("meta"):
    model = torchvision.models.vgg19()
model.load_state_dict(torch.load(sys.argv[1], mmap=True, weights_only=True), assign=True)
image = normalize(to_tensor(Image.open(sys.argv[2])), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
with torch.inference_mode():
    print(model.eval()(image[None]).topk(5).indices[0].tolist())
"""


def make(folder):
    """The same random weights as PyTorch saves them and as Trepang keeps what it has pulled."""
    import torch
    import torchvision
    from safetensors.torch import save_file

    torch.manual_seed(0)
    state = torchvision.models.vgg19().state_dict()
    torch.save(state, f"{folder}/vgg19.pth")
    own = {}
    for prefix, names in (("features", CONVS), ("classifier", LINEARS)):
        for index, name in names.items():
            for part in ("weight", "bias"):
                own[f"{name}.{part}"] = state[f"{prefix}.{index}.{part}"]
    os.makedirs(f"{folder}/weights")
    about = {"dialect": "torchvision", "network": "vgg19", "source_sha256": "none"}
    save_file(own, f"{folder}/weights/vgg19-torchvision.safetensors", about)


def timed(command, environment):
    begun = time.perf_counter()
    out = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return time.perf_counter() - begun, out


def main():
    with tempfile.TemporaryDirectory() as folder:
        make(folder)
        environment = {**os.environ, "TREPANG_CACHE": folder}
        ours = [BINARY, "predict", "--network", "vgg19-torchvision", "--exact", "--json", PICTURE]
        theirs = [sys.executable, "-c", PYTORCH, f"{folder}/vgg19.pth", PICTURE]
        answers = [timed(command, environment)[1] for command in (ours, theirs)]  # also warms the cache
        ranked = [entry["class"] for entry in json.loads(answers[0])["top"]]
        assert ranked == json.loads(answers[1]), f"they differ: {answers}"
        pairs = [(timed(ours, environment)[0], timed(theirs, environment)[0]) for _ in range(ROUNDS)]
        a, b = (statistics.median(times) for times in zip(*pairs))
        ratios = sorted(a / b for a, b in pairs)
        print(f"predict, vgg19 at 224 px: trepang {a:.2f} s, PyTorch {b:.2f} s")
        print(f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
        peak = subprocess.run(["/usr/bin/env", "time", "-f", "%M", *ours], capture_output=True, text=True, env=environment)
        if peak.returncode == 0:
            print(f"peak memory of trepang: {int(peak.stderr.split()[-1]) / 1000:.0f} MB")


if __name__ == "__main__":
    main()
