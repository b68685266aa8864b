#!/usr/bin/env python3
"""How the dashboard behaves on slow lines: the time from a key to the screen, and the bytes a second that it sends.

The program runs in a pseudo-terminal. Between it and the terminal is a line of so many bytes a second behind a buffer of
256 kB, with 80 ms of way there and back: the terminal replies to a request for its status 80 ms after the request has come
through the line. A key's time begins when the key reaches the program, and ends when the new channel's number has left the
line; the way itself, 40 ms in each direction, would come on top of it.

Needs `pip install pyte==0.8.2`, and from the repository's root:
    cargo build --release && python3 benches/dashboard.py
"""

import argparse
import collections
import fcntl
import os
import pty
import re
import signal
import statistics
import struct
import tempfile
import termios
import threading
import time

import pyte

BUFFER = 256 * 1024
ROUND_TRIP = 0.080
COLUMNS, ROWS = 120, 40

# What a terminal does not draw as text: strings (APC, DCS, OSC), and keyboards' and modes' settings that pyte prints.
STRING = re.compile(rb"\x1b[_P\]^X].*?(?:\x1b\\|\x07)", re.DOTALL)
BEGUN = re.compile(rb"\x1b(?:[_P\]^X][^\x07]*|\[[0-9;?>=]*)?\Z", re.DOTALL)


class Line:
    """The program, and the line to its terminal."""

    def __init__(self, command, rate, name):
        self.rate, self.name = rate, name
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.waiting = collections.deque()
        self.buffered = 0
        self.lock = threading.Condition()
        self.held = b""
        self.sent = 0
        self.ended = False
        self.watched, self.seen, self.seen_at = None, threading.Event(), 0.0
        self.drained_at = time.monotonic()
        pid, self.master = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            for name in ("TMUX", "NO_COLOR"):
                os.environ.pop(name, None)
            os.execvp(command[0], command)
        self.pid = pid
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, COLUMNS * 8, ROWS * 16))
        for target in (self.fill, self.drain):
            threading.Thread(target=target, daemon=True).start()

    def fill(self):
        """Reads what the program writes, as long as the buffer has room."""
        while not self.ended:
            with self.lock:
                self.lock.wait_for(lambda: self.buffered < BUFFER or self.ended)
            try:
                data = os.read(self.master, 4096)
            except OSError:
                data = b""
            if not data:
                self.ended = True
                return
            with self.lock:
                self.waiting.append(data)
                self.buffered += len(data)
                self.lock.notify_all()

    def drain(self):
        """Lets so many bytes a second through to the screen."""
        while not self.ended:
            with self.lock:
                self.lock.wait_for(lambda: self.waiting or self.ended, timeout=1)
                if not self.waiting:
                    continue
                data = self.waiting.popleft()
            step = max(1, int(self.rate * 0.002))
            for at in range(0, len(data), step):
                part = data[at : at + step]
                self.drained_at = max(self.drained_at, time.monotonic() - 0.002) + len(part) / self.rate
                time.sleep(max(0.0, self.drained_at - time.monotonic()))
                self.show(part)
            with self.lock:
                self.buffered -= len(data)
                self.lock.notify_all()

    def show(self, part):
        self.sent += len(part)
        data = STRING.sub(b"", self.held + part)
        begun = BEGUN.search(data)
        self.held = data[begun.start() :] if begun else b""
        for _ in range(data.count(b"\x1b[5n")):
            threading.Timer(ROUND_TRIP, self.type, args=(b"\x1b[0n",)).start()
        text = data[: begun.start()] if begun else data
        for question, reply in self.replies():
            if question in text:
                threading.Timer(ROUND_TRIP, self.type, args=(reply,)).start()
        text = re.sub(rb"\x1b\[[>?=][0-9;]*[a-zA-Z$]|\x1b\[(?:5n|16t|c)", b"", text)
        with self.lock:
            self.stream.feed(text)
        if self.watched and re.search(self.watched, self.text()):
            self.watched, self.seen_at = None, time.monotonic()
            self.seen.set()

    def press(self, keys, pattern, limit=60):
        """The milliseconds from a key to the screen that it makes."""
        self.seen.clear()
        self.watched, pressed = pattern, time.monotonic()
        self.type(keys)
        if not self.seen.wait(limit):
            raise SystemExit(f"{self.name}: no {pattern!r} within {limit} s:\n{self.text()}")
        return 1000 * (self.seen_at - pressed)

    def replies(self):
        return [(b"\x1b[16t", b"\x1b[6;16;8t"), (b"\x1b[c", b"\x1b[?62;22c")]

    def type(self, data):
        try:
            os.write(self.master, data)
        except OSError:
            pass

    def text(self):
        with self.lock:
            return "\n".join(self.screen.display)

    def wait(self, pattern, limit):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            found = re.search(pattern, self.text())
            if found:
                return found
            time.sleep(0.001)
        raise SystemExit(f"{self.name}: no {pattern!r} within {limit} s:\n{self.text()}")

    def close(self):
        self.ended = True
        try:
            os.kill(self.pid, signal.SIGTERM)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def measure(binary, protocol, rate, keys):
    """The milliseconds of each key, and the bytes a second while the run goes on."""
    with tempfile.TemporaryDirectory() as runs:
        command = [binary, "--image-protocol", protocol, "--runs", runs, "--layer", "block4_conv2", "--channel", "0"]
        line = Line(command, rate, f"{protocol} at {rate}")
        line.wait(r"step +[1-9]", 60)
        line.type(b"+" * 200)  # so that the run does not end meanwhile
        time.sleep(4)
        before, begun = line.sent, time.monotonic()
        time.sleep(6)
        bytes_per_second = (line.sent - before) / (time.monotonic() - begun)
        times = []
        for _ in range(keys):
            now = int(line.wait(r"channel +(\d+) of ", 30)[1])
            times.append(line.press(b"\x1b[C", rf"channel +{now + 1} of "))
            time.sleep(0.15 + 0.37 * (len(times) % 3))
        line.close()
    return times, bytes_per_second


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default="target/release/trepang")
    parser.add_argument("--keys", type=int, default=40)
    parser.add_argument("--protocols", nargs="+", default=["halfblocks", "kitty", "sixel"])
    parser.add_argument("--rates", type=int, nargs="+", default=[5_000_000, 200_000, 30_000])
    arguments = parser.parse_args()
    print("protocol    line kB/s   key to screen, ms: median  95th  most   sent kB/s while running")
    for protocol in arguments.protocols:
        for rate in arguments.rates:
            times, sent = measure(os.path.abspath(arguments.binary), protocol, rate, arguments.keys)
            ordered = sorted(times)
            late = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
            print(
                f"{protocol:<11} {rate / 1000:>9.0f} {statistics.median(times):>27.0f} {late:>5.0f} {ordered[-1]:>5.0f}"
                f" {sent / 1000:>12.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
