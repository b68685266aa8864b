"""Writes optimizers.json: where PyTorch's optimizers go, of which Trepang has SGD with momentum, Adam and NAdam.

    python3 -m pip install torch==2.13.0 && python3 tests/golden/make_optimizers.py

Four numbers follow gradients that do not depend on them, sin(1.3 step + 0.7 i) * 10^(i - 2): of all sizes, changing sign.
PyTorch descends, so it is given their negatives. In float64, so that what is left is Trepang's own rounding.
"""

import json
import math
from pathlib import Path

import torch

STEPS = 12
RATE = 0.05


def gradient(step):
    return [math.sin(1.3 * step + 0.7 * i) * 10.0 ** (i - 2) for i in range(4)]


def follow(make):
    x = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimizer = make([x])
    path = []
    for step in range(1, STEPS + 1):
        x.grad = -torch.tensor(gradient(step), dtype=torch.float64)
        optimizer.step()
        path.append(x.detach().tolist())
    return path


paths = {
    "sgd": follow(lambda x: torch.optim.SGD(x, lr=RATE, momentum=0.9)),
    "adam": follow(lambda x: torch.optim.Adam(x, lr=RATE)),
    "nadam": follow(lambda x: torch.optim.NAdam(x, lr=RATE)),
}
gradients = [gradient(step) for step in range(1, STEPS + 1)]
text = json.dumps({"rate": RATE, "gradients": gradients, "paths": paths})
Path(__file__).with_name("optimizers.json").write_text(text + "\n")
