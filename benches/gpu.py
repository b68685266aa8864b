"""The measurements of benches/gpu.sh: Trepang's backends on a GPU against PyTorch, in turns, as rows of a table.

Run by benches/gpu.sh, which says what is needed. `network` is forward and back to the image, VGG19 to block5_conv4 at 224 px, with
random weights, for 1, 8 and 32 images at once; `recipe` is the whole of `lucid` on the same network, with what the host does;
`launches` counts the kernels of a step by nsys. PyTorch is measured in each of SETTINGS, since what its users get by default is TF32:
compare with its fastest and with its default. `--dry-run` goes the same way on the CPU with little to compute.
"""

import argparse
import contextlib
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = ["tests/golden", "benches"]
try:
    import torch
except ImportError:
    torch = None

ROUNDS, LAYER, CHANNEL = 5, "block5_conv4", 4
BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512))
# Name: TF32 in convolutions and products, cudnn.benchmark, channels_last, a CUDA graph of the step.
SETTINGS = {
    f"{precision}{name}": (precision == "tf32", *flags)
    for precision in ("f32", "tf32")
    for name, flags in {
        "": (False, False, False),
        ", benchmark": (True, False, False),
        ", channels_last": (True, True, False),
        ", CUDA graph": (True, False, True),
    }.items()
}


class Step:
    """A step of VGG19 with random weights in PyTorch: the mean of a channel of every image, and its gradient."""

    def __init__(self, args, count, setting):
        self.graph, self.device = None, args.torch_device
        tf32, benchmark, last, graph = SETTINGS[setting]
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.benchmark = benchmark
        torch.manual_seed(0)
        layers, channels = [], 3
        for convs, width in BLOCKS:
            for _ in range(convs):
                layers += [torch.nn.Conv2d(channels, width, 3, padding=1), torch.nn.ReLU(inplace=True)]
                channels = width
            layers.append(torch.nn.MaxPool2d(2))
        form = torch.channels_last if last else torch.contiguous_format
        self.network = torch.nn.Sequential(*layers[:-1]).to(self.device, memory_format=form).requires_grad_(False)
        self.images = torch.rand(count, 3, args.size, args.size, device=self.device).to(memory_format=form)
        self.images.requires_grad_(True)
        for _ in range(3):
            self.run()
        self.wait()
        if graph:
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.run()

    def run(self):
        loss = self.network(self.images)[:, CHANNEL].mean()
        return torch.autograd.grad(loss, self.images)[0]

    def wait(self):
        if self.device != "cpu":
            torch.cuda.synchronize(self.device)

    def seconds(self, steps):
        """Of one step, without what it takes to hand the images over: Trepang's are on the host, which its time includes."""
        begun = time.perf_counter()
        for _ in range(steps):
            self.graph.replay() if self.graph else self.run()
        self.wait()
        return (time.perf_counter() - begun) / steps


def bench(args, backend, count):
    """Seconds of a step by `trepang bench`, the median of its rounds, and the precision."""
    words = ["--network", args.network, "--layer", args.layer, "--random-weights", "--size", args.size, "--batch", count]
    words += ["--backend", backend, "--rounds", args.rounds, "--json"]
    shown = subprocess.run([args.trepang, "bench", *map(str, words)], check=True, capture_output=True, text=True)
    side = json.loads(shown.stdout.splitlines()[-1])["a"]
    return side["seconds_median"], side["precision"]


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def ms(seconds):
    return f"{1000 * seconds:.2f}"


def settings(args):
    """Those that can be measured here."""
    if torch is None:
        print("PyTorch is not installed: its rows are left out", flush=True)
        return []
    return [name for name, (*_, graph) in SETTINGS.items() if args.torch_device != "cpu" or not graph]


def network(args):
    names = settings(args)
    row("images", "what", "ms a step", "images/s")
    for count in args.counts:
        for backend in args.backends:
            seconds, precision = bench(args, backend, count)
            row(count, f"{backend}, {precision}", ms(seconds), f"{count / seconds:.1f}")
        for name in names:
            with contextlib.suppress(torch.cuda.OutOfMemoryError):
                step = Step(args, count, name)
                seconds = statistics.median(step.seconds(args.steps) for _ in range(args.rounds))
                row(count, f"PyTorch {torch.__version__}, {name}", ms(seconds), f"{count / seconds:.1f}")
                del step


def render(args, backend, count, folder):
    """Seconds of a step of `trepang render`, with what the host does, from one report to the next."""
    words = ["--network", args.network, "--layer", args.layer, "--channel", f"0..{count}", "--size", args.size]
    words += ["--steps", args.steps, "--backend", backend, "--device", args.device, "--json", "--runs", f"{folder}/runs"]
    times = []
    with subprocess.Popen([args.trepang, "render", *map(str, words), "-o", f"{folder}/out/"], stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            if json.loads(line)["event"] == "step":
                times.append(time.perf_counter())
    # The first step sets the backend up. All pictures of a batch report their step at once.
    return (times[-1] - times[count - 1]) / (len(times) / count - 1)


def recipe(args):
    """Lucid's recipe as benches/layer.py has it in PyTorch, with one draw of the transforms for all, as Trepang has it."""
    names = settings(args)
    try:
        import compare_lucid
        import layer
    except ImportError as error:
        print(f"{error}: PyTorch's rows are left out", flush=True)
        names = []
    row("images", "what", "ms a step", "images/s")
    with tempfile.TemporaryDirectory() as folder:
        for count in args.counts:
            for backend in args.backends:
                seconds = render(args, backend, count, folder)
                row(count, f"{backend}, lucid", ms(seconds), f"{count / seconds:.1f}")
            for name in names:
                tf32, benchmark, last, graph = SETTINGS[name]
                if last or graph:
                    continue  # the program's own form is what its users have
                torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
                torch.backends.cudnn.benchmark = benchmark
                torch.set_default_device(args.torch_device)
                compare_lucid.MEAN = compare_lucid.MEAN.to(args.torch_device)
                compare_lucid.COLOURS = compare_lucid.COLOURS.to(args.torch_device)
                stack = vgg19_stack()
                layer.draw_batch(stack, torch.arange(count), args.size, 1)
                begun = time.perf_counter()
                layer.draw_batch(stack, torch.arange(count), args.size, args.steps)
                seconds = (time.perf_counter() - begun) / args.steps
                row(count, f"PyTorch {torch.__version__}, {name}", ms(seconds), f"{count / seconds:.1f}")


def vgg19_stack():
    """VGG19 as compare_lucid.py has its layers, with random weights."""
    torch.manual_seed(0)
    stack, channels = [], 3
    for block, (convs, width) in enumerate(BLOCKS):
        for conv in range(convs):
            kernel = torch.nn.init.kaiming_normal_(torch.empty(width, channels, 3, 3))
            stack.append((kernel, torch.zeros(width), conv == 0 and block > 0))
            channels = width
    return stack


def launches(args):
    """Kernels a step, of two runs of different length, so that what is not a step is not counted."""
    if not shutil.which("nsys"):
        print("nsys is not installed: launches are not counted", flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        for backend in args.backends:
            words = ["render", "--network", args.network, "--layer", args.layer, "--channel", "0", "--size", args.size]
            words += ["--recipe", "pixel", "--backend", backend, "--device", args.device, "--quiet", "--runs", f"{folder}/runs"]
            counts = [kernels([args.trepang, *words, "--steps", steps, "-o", f"{folder}/a.png"], folder) for steps in (10, 60)]
            row(backend, "launches a step", (counts[1] - counts[0]) / 50)


def kernels(command, folder):
    report = Path(folder) / "report"
    profile = ["nsys", "profile", "--trace=cuda", "--force-overwrite=true", "-o", report]
    subprocess.run([*map(str, profile), *map(str, command)], check=True, capture_output=True)
    stats = ["nsys", "stats", "--report", "cuda_gpu_kern_sum", "--format", "csv", "--force-export=true", f"{report}.nsys-rep"]
    shown = subprocess.run(stats, check=True, capture_output=True, text=True).stdout
    lines = [line.split(",") for line in shown.splitlines() if re.match(r"^[0-9.]+,", line)]
    return sum(int(line[2]) for line in lines)  # the column `Instances`


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["network", "recipe", "launches"])
    parser.add_argument("--trepang", default="target/release/trepang")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--backends", default="candle", help="with commas between them")
    parser.add_argument("--dry-run", action="store_true")
    args = parser.parse_args()
    args.backends, args.torch_device = args.backends.split(","), args.device
    args.network, args.layer, args.size, args.counts = "vgg19", LAYER, 224, [1, 8, 32]
    args.rounds, args.steps = ROUNDS, 20
    if args.dry_run:
        args.network, args.layer, args.size, args.counts = "minivgg", "block5_conv2", 32, [1, 2]
        args.rounds, args.steps = 1, 2
    if torch is not None and args.torch_device != "cpu":
        print(f"{torch.cuda.get_device_name(args.torch_device)}, PyTorch {torch.__version__}", flush=True)
    {"network": network, "recipe": recipe, "launches": launches}[args.part](args)


if __name__ == "__main__":
    main()
