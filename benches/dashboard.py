"""Measures the dashboard from outside, in a pseudo-terminal of 120x40 cells with half-blocks.

The terminal is silent: it answers nothing. So `auto`, which asks it what it can show, is measured at its worst.

Needs the release binary (cargo build --release) and Python's standard library. Run from the repository's root:
    python3 benches/dashboard.py
Prints medians: seconds from exec to the first picture, with half-blocks chosen and with `auto`; milliseconds from a key to its effect on the screen while
an ascent runs; steps a second in the dashboard over those of `trepang render` for the same ascent, in turn; steps a
second with the pane of classes over those without it, in turn. With the name of a pulled network that has a classifier,
    python3 benches/dashboard.py efficientnet_lite0
measures only the last, with that network as a second classifier.
"""
import fcntl
import json
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

BINARY, STEPS = "target/release/trepang", 128 + 20 * 32
PICTURE = re.compile(rb"38;2;\d+;\d+;\d+")


class Dashboard:
    def __init__(self, runs, protocol="halfblocks"):
        self.begun = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.execv(BINARY, [BINARY, "--runs", runs, "--image-protocol", protocol])

    def wait(self, pattern, limit=20):
        """Seconds since the start at which the output first held `pattern`."""
        seen, end = b"", time.perf_counter() + limit
        while time.perf_counter() < end:
            if select.select([self.fd], [], [], 0.5)[0]:
                seen = seen[-4096:] + os.read(self.fd, 1 << 16)
                if re.search(pattern, seen):
                    return time.perf_counter() - self.begun
        raise SystemExit(f"{pattern!r} did not come")

    def send(self, keys):
        os.write(self.fd, keys)

    def drain(self):
        while select.select([self.fd], [], [], 0)[0]:
            os.read(self.fd, 1 << 16)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def first_picture(runs, protocol):
    dashboard = Dashboard(runs, protocol)
    seconds = dashboard.wait(PICTURE)
    dashboard.end()
    return seconds


def keys(runs, count=40):
    """Seconds from each `?` to the help on the screen."""
    dashboard, seconds = Dashboard(runs), []
    dashboard.wait(PICTURE)
    dashboard.send(b"+" * 200)
    for _ in range(count):
        time.sleep(0.07)
        dashboard.drain()
        begun = time.perf_counter()
        dashboard.send(b"?")
        dashboard.wait(b"before or after its ReLU")
        seconds.append(time.perf_counter() - begun)
        dashboard.send(b"x")  # closes the help
    dashboard.end()
    return seconds


def rates(runs):
    """Steps a second of the dashboard, from its first picture to the end of the run, and of `render`."""
    dashboard = Dashboard(runs)
    first = dashboard.wait(PICTURE)
    dashboard.send(b"+" * 20)
    in_dashboard = STEPS / (dashboard.wait(rb"finished", 120) - first)
    dashboard.end()
    command = [BINARY, "render", "--layer", "block5_conv2", "--channel", "30", "--steps", str(STEPS), "--json"]
    out = subprocess.run([*command, "--runs", runs, "-o", f"{runs}/a.png"], check=True, capture_output=True, text=True)
    return in_dashboard, 1 / json.loads(out.stdout.splitlines()[-1])["seconds_per_step"]


def line_of(name):
    """Where the list of networks has `name`: below the embedded one, all sets in their order."""
    out = subprocess.run([BINARY, "pull", "--list", "--json"], check=True, capture_output=True, text=True)
    return 1 + [entry["name"] for entry in json.loads(out.stdout)].index(name)


def rate(runs, wanted, classifier=None):
    """Steps a second of a run with the pane of classes, or without it. The classifier is there before the run begins."""
    dashboard = Dashboard(runs)
    dashboard.wait(PICTURE)
    dashboard.send(b" " if wanted else b"t ")
    dashboard.wait(b"paused")
    if classifier:
        dashboard.send(b"N\x1b[H" + b"j" * line_of(classifier) + b"c")
        time.sleep(2)
        dashboard.send(b"\x0c")  # draws everything anew: what was there already is not written again
        dashboard.wait(b"classifies the pictures too")
        dashboard.send(b"q")
        time.sleep(1)
    dashboard.drain()
    dashboard.send(b"+" * 20 + b"r")
    begun = time.perf_counter()
    seconds = dashboard.wait(rb"finished", 240) - (begun - dashboard.begun)
    dashboard.end()
    return STEPS / seconds


def compare_classified(runs, classifier=None):
    pairs = [(rate(runs, True, classifier), rate(runs, False, classifier)) for _ in range(5)]
    ratio = statistics.median(a / b for a, b in pairs)
    by = f"the network and {classifier}" if classifier else "the network"
    print(f"steps/s: classified by {by} {pairs[-1][0]:.0f}, not classified {pairs[-1][1]:.0f}, median ratio {ratio:.3f}")


def main():
    with tempfile.TemporaryDirectory() as runs:
        if sys.argv[1:]:
            return compare_classified(runs, sys.argv[1])
        for protocol in ("halfblocks", "auto"):
            seconds = statistics.median(first_picture(runs, protocol) for _ in range(9))
            print(f"exec to the first picture, {protocol}: {seconds:.3f} s")
        times = sorted(keys(runs))
        print(f"key to screen: median {1000 * statistics.median(times):.1f} ms, 95 % under {1000 * times[-3]:.1f} ms")
        pairs = [rates(runs) for _ in range(5)]
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"steps/s: dashboard {pairs[-1][0]:.0f}, render {pairs[-1][1]:.0f}, median ratio {ratio:.3f}")
        compare_classified(runs)


if __name__ == "__main__":
    main()
