"""How long an ONNX file takes to load, compared with ONNX Runtime's session on the same file, in turns.

    pip install onnxruntime
    cargo build --release
    python3 benches/onnx_loading.py model.onnx          # --rounds 7, --trepang target/release/trepang

Trepang's time is that of a whole process, `trepang info` of the file: it is read, hashed, and made a network with its weights. ONNX
Runtime's is `InferenceSession(file)` alone, without the start of Python.
"""

import argparse
import pathlib
import statistics
import subprocess
import time


def timed(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--trepang", default="target/release/trepang")
    arguments = parser.parse_args()
    import onnxruntime

    info = [arguments.trepang, "info", str(arguments.file), "--input", "torch"]
    works = {
        "trepang": lambda: subprocess.run(info, check=True, stdout=subprocess.DEVNULL),
        "onnxruntime": lambda: onnxruntime.InferenceSession(str(arguments.file), providers=["CPUExecutionProvider"]),
    }
    for work in works.values():
        work()  # the file is in memory then
    rounds = [{name: timed(work) for name, work in works.items()} for _ in range(arguments.rounds)]
    for name in works:
        print(f"{name}: {1000 * statistics.median(each[name] for each in rounds):.0f} ms, the median of {len(rounds)}")
    ratios = sorted(each["trepang"] / each["onnxruntime"] for each in rounds)
    print(f"ratio: {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
