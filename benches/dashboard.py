#!/usr/bin/env python3
"""How the dashboard behaves on slow lines: the time from a key to the screen, and the bytes a second that it sends.

The program runs in a pseudo-terminal. Between it and the terminal is a line of so many bytes a second behind a buffer of
256 kB, with 80 ms of way there and back: the terminal replies to a request for its status 80 ms after the request has come
through the line. A key's time begins when the key reaches the program, and ends when the new channel's number has left the
line; the way itself, 40 ms in each direction, would come on top of it. What comes through the line is only noted with its time
and drawn when all keys were pressed: drawing takes longer than the line does, on the same processors.

With --mosaic it measures instead how long a page of drafts takes, with no run in progress: until the first is there, until
all have taken 16 steps, until all are done, and from the store when the program is started again.

Needs `pip install pyte==0.8.2`, and from the repository's root:
    cargo build --release && python3 benches/dashboard.py
    python3 benches/dashboard.py --mosaic minivgg:block5_conv2 vgg16-trunk:block5_conv3
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

# What a terminal does not draw as text: strings (APC, DCS, OSC), and questions and modes that pyte prints.
STRING_BEGIN = re.compile(rb"\x1b[_P\]^X]")
STRING_END = re.compile(rb"\x1b\\|\x07")
UNKNOWN = re.compile(rb"\x1b\[[>?=][0-9;]*[a-zA-Z$]|\x1b\[(?:5n|16t|c)")
UNFINISHED = re.compile(rb"\x1b(?:\[[0-9;?>=]*)?\Z")

QUESTIONS = {b"\x1b[5n": b"\x1b[0n", b"\x1b[16t": b"\x1b[6;16;8t", b"\x1b[c": b"\x1b[?62;22c"}


class Drawing:
    """The screen as far as it has been drawn. Drawing takes longer than the line does, so it is done apart from it."""

    def __init__(self):
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.held, self.in_string, self.drawn = b"", False, 0

    def draw(self, part):
        data, text = self.held + part, b""
        while data:
            found = (STRING_END if self.in_string else STRING_BEGIN).search(data)
            if not self.in_string:
                text += data[: found.start()] if found else data
            if not found:
                break
            data, self.in_string = data[found.end() :], not self.in_string
        else:
            data = b""
        if self.in_string:
            self.held = data[-1:] if data.endswith(b"\x1b") else b""
        else:
            begun = UNFINISHED.search(text)
            self.held = text[begun.start() :] if begun else b""
            text = text[: begun.start()] if begun else text
        self.stream.feed(UNKNOWN.sub(b"", text))

    def text(self):
        return "\n".join(self.screen.display)

    def header(self, pattern):
        """What the pattern finds in the lines that have changed since the last call."""
        columns = range(COLUMNS)
        dirty, self.screen.dirty = sorted(self.screen.dirty), set()
        lines = ("".join(self.screen.buffer[row][column].data for column in columns) for row in dirty)
        return next((found for found in map(pattern.search, lines) if found), None)


class Line:
    """The program, and the line to its terminal. What has passed the line is noted with its time, and not drawn meanwhile."""

    def __init__(self, command, rate, name):
        self.rate, self.name = rate, name
        self.drawing = Drawing()
        self.arrived = []
        self.waiting, self.due = collections.deque(), collections.deque()
        self.buffered, self.sent = 0, 0
        self.lock = threading.Condition()
        self.tail = b""
        self.ended = False
        self.drained_at = time.monotonic()
        pid, self.master = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            for name in ("TMUX", "NO_COLOR"):
                os.environ.pop(name, None)
            os.execvp(command[0], command)
        self.pid = pid
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, COLUMNS * 8, ROWS * 16))
        for target in (self.fill, self.drain, self.reply):
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
        """Lets so many bytes a second through."""
        step = max(1, int(self.rate * 0.002))
        while not self.ended:
            with self.lock:
                self.lock.wait_for(lambda: self.waiting or self.ended, timeout=1)
                if not self.waiting:
                    continue
                data = self.waiting.popleft()
            for at in range(0, len(data), step):
                part = data[at : at + step]
                self.drained_at = max(self.drained_at, time.monotonic() - 0.002) + len(part) / self.rate
                time.sleep(max(0.0, self.drained_at - time.monotonic()))
                self.take(part)
            with self.lock:
                self.buffered -= len(data)
                self.lock.notify_all()

    def take(self, part):
        """Notes what has come through, and when the terminal replies to what it asks."""
        now = time.monotonic()
        self.arrived.append((now, part))
        self.sent += len(part)
        data = self.tail + part
        for question, reply in QUESTIONS.items():
            # One that lies in the tail alone was answered before.
            for _ in range(data.count(question) - self.tail.count(question)):
                self.due.append((now + ROUND_TRIP, reply))
        self.tail = data[-4:]

    def reply(self):
        """Sends the terminal's replies when their time has come."""
        while not self.ended:
            if self.due and self.due[0][0] <= time.monotonic():
                self.type(self.due.popleft()[1])
            else:
                time.sleep(0.001)

    def type(self, data):
        try:
            os.write(self.master, data)
        except OSError:
            pass

    def text(self):
        """The screen with all that has come."""
        for _, part in self.arrived[self.drawing.drawn :]:
            self.drawing.draw(part)
            self.drawing.drawn += 1
        return self.drawing.text()

    def shown(self, pattern):
        """For each change of what the pattern finds from here on, its time and the number that it found."""
        pattern, shown = re.compile(pattern), []
        for at, part in self.arrived[self.drawing.drawn :]:
            self.drawing.draw(part)
            self.drawing.drawn += 1
            found = self.drawing.header(pattern)
            if found and (not shown or shown[-1][1] != int(found[1])):
                shown.append((at, int(found[1])))
        return shown

    def wait(self, pattern, limit):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            found = re.search(pattern, self.text())
            if found:
                return found
            time.sleep(0.01)
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
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = os.path.join(folder, "state")
        runs = os.path.join(folder, "runs")
        command = [binary, "--image-protocol", protocol, "--runs", runs, "--layer", "block4_conv2", "--channel", "0"]
        line = Line(command, rate, f"{protocol} at {rate}")
        line.wait(r"step +[1-9]", 60)
        for _ in range(4):
            line.type(b"+" * 200)  # so that the run does not end meanwhile
            time.sleep(1)
        before, begun = line.sent, time.monotonic()
        time.sleep(6)
        bytes_per_second = (line.sent - before) / (time.monotonic() - begun)
        line.text()
        pressed = []
        for count in range(keys):
            pressed.append(time.monotonic())
            line.type(b"\x1b[C")
            time.sleep(0.5 + 0.137 * (count % 5))
        time.sleep(2)
        line.close()
        shown = line.shown(r"channel +(\d+) of ")
    times = []
    for number, at in enumerate(pressed, 1):
        # A key whose number was passed over is shown with the next one.
        first = next((time for time, channel in shown if channel >= number), None)
        if first is None:
            raise SystemExit(f"{line.name}: channel {number} never came:\n{line.text()}")
        times.append(1000 * (first - at))
    return times, bytes_per_second


def drafts(text):
    """The drafts on the page, and the steps of each that is there."""
    page = re.search(r"(\d+) of (\d+) drafts done", text)
    if not page:
        return 0, []
    going = [int(steps) for steps in re.findall(r"(\d+)/64", text)]
    dead = len(re.findall(r"\d dead", text))
    return int(page[2]), going + [64] * max(int(page[1]), dead)


def until(line, begun, is_so, limit):
    """The seconds from `begun` until the page is as `is_so` wants it."""
    while time.monotonic() < begun + limit:
        if is_so(*drafts(line.text())):
            return time.monotonic() - begun
        time.sleep(0.02)
    raise SystemExit(f"{line.name}: not within {limit} s:\n{line.text()}")


def measure_mosaic(binary, network, layer):
    """The seconds until the first draft of a page, until all can be recognised, until all are done, and from the store."""
    ready = lambda least: lambda page, steps: page > 0 and sum(one >= least for one in steps) >= page
    with tempfile.TemporaryDirectory() as folder:
        # The weights stay where they are; drafts and runs are those of this measurement.
        weights = os.path.join(os.environ.get("TREPANG_CACHE", os.path.expanduser("~/.cache/trepang")), "weights")
        if os.path.isdir(weights):
            os.symlink(os.path.abspath(weights), os.path.join(folder, "weights"))
        os.environ["TREPANG_CACHE"] = folder
        command = [binary, "--image-protocol", "halfblocks", "--runs", os.path.join(folder, "runs")]
        command += ["--network", network, "--layer", layer, "--channel", "0", "--steps", "1"]
        times = []
        for conditions in [[ready_any, ready(16), ready(64)], [ready(64)]]:
            line = Line(command, 5_000_000, f"{network} {layer}")
            line.wait("finished", 120)
            begun = time.monotonic()
            line.type(b"M")
            times += [until(line, begun, condition, 600) for condition in conditions]
            page = drafts(line.text())[0]
            line.close()
    return page, times


def ready_any(page, steps):
    return page > 0 and len(steps) > 0 and max(steps) > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default="target/release/trepang")
    parser.add_argument("--keys", type=int, default=60)
    parser.add_argument("--protocols", nargs="+", default=["halfblocks", "kitty", "sixel"])
    parser.add_argument("--rates", type=int, nargs="+", default=[5_000_000, 200_000, 30_000])
    parser.add_argument("--mosaic", nargs="+", metavar="NETWORK:LAYER", help="measure pages of drafts instead")
    arguments = parser.parse_args()
    if arguments.mosaic:
        cache = os.environ.get("TREPANG_CACHE")
        print("network:layer              drafts   seconds: first  16 steps  done  from the store")
        for place in arguments.mosaic:
            page, times = measure_mosaic(os.path.abspath(arguments.binary), *place.split(":"))
            if cache is not None:
                os.environ["TREPANG_CACHE"] = cache
            else:
                os.environ.pop("TREPANG_CACHE", None)
            print(f"{place:<26} {page:>6} {times[0]:>16.2f} {times[1]:>9.1f} {times[2]:>5.1f} {times[3]:>11.2f}", flush=True)
        return
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
