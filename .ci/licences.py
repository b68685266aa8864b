"""Checks the licence and the source of every crate that is built, against the lists in deny.toml.

A small part of `cargo deny check licenses sources`, for each landing: it needs nothing built. `.ci/full` runs the
whole. Run from anywhere: python3 .ci/licences.py
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def is_allowed(expression, allowed):
    """An SPDX expression (`/` is its old `OR`): every operand becomes True or False, and Python does the rest."""
    tokens = re.findall(r"\(|\)|[^\s()]+(?: WITH [^\s()]+)?", expression.replace("/", " OR "))
    words = {"OR": "or", "AND": "and", "(": "(", ")": ")"}
    return eval(" ".join(words.get(token, str(token in allowed)) for token in tokens))


def main():
    rules = tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    packages = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)["packages"]
    exceptions = {rule["crate"]: rule["allow"] for rule in rules["exceptions"]}
    wrong = []
    for package in packages:
        name, licence, source = package["name"], package["license"], package["source"]
        if not is_allowed(licence or "none", {*rules["allow"], *exceptions.get(name, [])}):
            wrong.append(f"{name} is under {licence or 'no known licence'}, which deny.toml does not allow")
        if source not in (None, REGISTRY):
            wrong.append(f"{name} comes from {source}")
    if len(packages) < 100:
        wrong.append(f"cargo knows only {len(packages)} crates")
    print("\n".join(wrong) or f"the licences of {len(packages)} crates are allowed")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
