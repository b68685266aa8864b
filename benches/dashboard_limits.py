#!/usr/bin/env python3
"""The limits of the dashboard that are not about slow lines: what it sends when nothing changes, what of its steps the screen costs, how
its memory grows, and how long 512 drafts take from the store.

The program runs in a pseudo-terminal of 120x40 cells, whose far end takes all that comes, draws nothing, and answers `CSI 5 n` at once.

    python3 benches/dashboard_limits.py idle steps memory
    python3 benches/dashboard_limits.py store --network vgg16-trunk --layer block5_conv3     # makes the drafts first: minutes
"""

import argparse
import fcntl
import json
import os
import pty
import random
import re
import select
import signal
import statistics
import struct
import subprocess
import tempfile
import termios
import threading
import time
from pathlib import Path

COLUMNS, ROWS = 120, 40

# Keys of everything but leaving, suspending, deleting, and what would start one run after the other.
KEYS = [b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[5~", b"\x1b[6~", b"\x1b[H", b"\x1b[F", b"\t", b"\x1b", b"\x1b"]
KEYS += [key.encode() for key in "hjklJK<>MMgp/:+-[]mcvbxzzi{}(),.0tS?N'o"]
KEYS += [b"\x1b[<0;60;10M", b"\x1b[<0;60;10m", b"\x1b[<64;60;10M", b"\x1b[<65;60;10M", b"\x1b[<0;5;8M", b"\x1b[<0;5;8m"]


class Terminal:
    """The program in a terminal that draws nothing."""

    def __init__(self, command, protocol="halfblocks"):
        self.sent, self.tail, self.ended = 0, b"", False
        pid, self.master = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            for name in ("TMUX", "NO_COLOR"):
                os.environ.pop(name, None)
            os.execvp(command[0], command + ["--image-protocol", protocol])
        self.pid = pid
        self.resize(COLUMNS, ROWS)
        threading.Thread(target=self.listen, daemon=True).start()

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, columns * 8, rows * 16))
        os.kill(self.pid, signal.SIGWINCH)

    def listen(self):
        while not self.ended:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            self.sent += len(data)
            text = self.tail + data
            self.type(b"\x1b[0n" * text.count(b"\x1b[5n"))
            # A question that was counted is not counted again.
            self.tail = b"" if text.endswith(b"\x1b[5n") else text[-3:]

    def type(self, data):
        try:
            os.write(self.master, data)
        except OSError:
            pass

    def quiet(self, seconds, limit=120):
        """Waits until nothing was sent for so long."""
        end, before, since = time.monotonic() + limit, self.sent, time.monotonic()
        while time.monotonic() - since < seconds:
            if time.monotonic() > end:
                raise SystemExit("it does not fall silent")
            time.sleep(0.05)
            if self.sent != before:
                before, since = self.sent, time.monotonic()

    def resident(self):
        """The MB of memory, the threads and the open files."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        count = lambda name: len(os.listdir(f"/proc/{self.pid}/{name}"))
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024, count("task"), count("fd")

    def close(self):
        self.ended = True
        try:
            os.kill(self.pid, signal.SIGTERM)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def command(binary, folder, *arguments):
    os.environ["XDG_STATE_HOME"] = os.path.join(folder, "state")
    return [binary, "--runs", os.path.join(folder, "runs"), *arguments]


def with_cache(folder):
    """Drafts are those of this measurement; weights stay where they are."""
    weights = os.path.join(os.environ.get("TREPANG_CACHE", os.path.expanduser("~/.cache/trepang")), "weights")
    if os.path.isdir(weights):
        os.symlink(os.path.abspath(weights), os.path.join(folder, "weights"))
    os.environ["TREPANG_CACHE"] = folder


def finished(folder, limit=300):
    """Waits until the only run of a folder is finished; returns its manifest."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        for path in Path(folder, "runs").glob("*/manifest.json"):
            try:
                manifest = json.loads(path.read_text())
            except (OSError, ValueError):
                continue
            if manifest["finished"]:
                return manifest
        time.sleep(0.01)
    raise SystemExit("no run came to its end")


def idle(binary, _):
    print("protocol     bytes in 10 s while nothing happens")
    for protocol in ("halfblocks", "kitty", "sixel"):
        with tempfile.TemporaryDirectory() as folder:
            with_cache(folder)
            terminal = Terminal(command(binary, folder, "--steps", "8"), protocol)
            finished(folder)
            terminal.quiet(3)
            before = terminal.sent
            time.sleep(10)
            print(f"{protocol:<12} {terminal.sent - before}", flush=True)
            terminal.close()


def steps(binary, arguments):
    """Whole runs of so many steps, in turns: with a screen, and in lines for a pipe."""
    taken = {"lines": [], "halfblocks": [], "kitty": []}
    for _ in range(arguments.rounds):
        for kind, times in taken.items():
            with tempfile.TemporaryDirectory() as folder:
                with_cache(folder)
                line = command(binary, folder, "--steps", str(arguments.steps))
                begun = time.monotonic()
                if kind == "lines":
                    subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=True)
                    times.append(time.monotonic() - begun)
                else:
                    terminal = Terminal(line, kind)
                    terminal.type(b"t")  # classes cost up to a twentieth, which is not the screen's
                    finished(folder)
                    times.append(time.monotonic() - begun)
                    terminal.close()
    print("shown as      seconds      steps/s  of those in lines, round by round")
    for kind, times in taken.items():
        ratios = [lines / own for lines, own in zip(taken["lines"], times)]
        print(
            f"{kind:<12} {statistics.median(times):>8.2f} {arguments.steps / statistics.median(times):>12.1f}  "
            + " ".join(f"{ratio:.3f}" for ratio in ratios)
        )


def memory(binary, arguments):
    random.seed(1)
    with tempfile.TemporaryDirectory() as folder:
        with_cache(folder)
        terminal = Terminal(command(binary, folder, "--steps", "64"))
        finished(folder)
        told = lambda what: print("{:<28} {:>7.1f} MB {:>3} threads {:>3} files".format(what, *terminal.resident()), flush=True)
        told("at first")
        for count in range(1, arguments.presses + 1):
            terminal.type(random.choice(KEYS))
            time.sleep(0.004)
            if count in (1000, 5000, 10000, arguments.presses):
                terminal.type(b"\x1b\x1b")
                time.sleep(3)
                told(f"after {count} keys")
        for count in range(500):
            terminal.resize(random.randint(20, 250), random.randint(5, 80))
            time.sleep(0.04)
        terminal.resize(COLUMNS, ROWS)
        time.sleep(3)
        told("after 500 resizes")
        # One line for each run: a new seed, as soon as the last has begun.
        runs = Path(folder, "runs")
        for count in range(200):
            terminal.type(b"\x1b")
            time.sleep(0.06)
            before = len(list(runs.iterdir()))
            terminal.type(b"r")
            end = time.monotonic() + 5
            while len(list(runs.iterdir())) == before and time.monotonic() < end:
                time.sleep(0.02)
        time.sleep(3)
        told(f"after {len(list(runs.iterdir()))} runs")
        terminal.close()


def store(binary, arguments):
    """The time from M to the last of the bytes that show a page from the store, with all drafts of the layer there."""
    with tempfile.TemporaryDirectory() as folder:
        with_cache(folder)
        line = ("--network", arguments.network, "--layer", arguments.layer, "--channel", "0", "--steps", "1")
        terminal = Terminal(command(binary, folder, *line))
        finished(folder)
        terminal.type(b"M")
        begun = time.monotonic()
        pages = arguments.channels // 28 + 1
        for page in range(pages):
            time.sleep(arguments.patience)
            terminal.type(b"\x1b[6~")
        time.sleep(2)
        terminal.close()
        print(f"drafts made in {time.monotonic() - begun:.0f} s")
        packs = list(Path(folder, "pictures", "done").glob("*/*.zip"))
        print(f"{len(packs)} packs, {sum(path.stat().st_size for path in packs) / 1e6:.1f} MB")
        times = []
        for _ in range(5):
            terminal = Terminal(command(binary, folder, *line))
            terminal.quiet(1.5)
            begun, before = time.monotonic(), terminal.sent
            terminal.type(b"M")
            while terminal.sent < before + arguments.bytes and time.monotonic() < begun + 20:
                select.select([], [], [], 0.001)
            times.append(time.monotonic() - begun)
            terminal.close()
        print("from the store, ms: " + " ".join(f"{1000 * one:.0f}" for one in times))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", nargs="+", choices=["idle", "steps", "memory", "store"])
    parser.add_argument("--binary", default="target/release/trepang")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--presses", type=int, default=20_000)
    parser.add_argument("--network", default="minivgg")
    parser.add_argument("--layer", default="block5_conv2")
    parser.add_argument("--channels", type=int, default=256)
    parser.add_argument("--patience", type=float, default=4.0, help="seconds for each page of drafts")
    parser.add_argument("--bytes", type=int, default=60_000, help="the bytes that a page of drafts has at least")
    arguments = parser.parse_args()
    cache = os.environ.get("TREPANG_CACHE")
    for what in arguments.what:
        globals()[what](os.path.abspath(arguments.binary), arguments)
        if cache is None:
            os.environ.pop("TREPANG_CACHE", None)
        else:
            os.environ["TREPANG_CACHE"] = cache


if __name__ == "__main__":
    main()
