#!/usr/bin/env bash
# Wrote tests/golden/candle-was-cpu: a picture, and a run one step short of it, by Trepang at commit a13e008, whose backend
# `candle` computed on the CPU with the kernels that are the backend `cpu` since. Three small steps: the picture's bytes are
# the same with every kind of vector instructions. Usage: make_candle_was_cpu.sh TREPANG, the program of that commit.
set -euo pipefail
trepang=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/candle-was-cpu"
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
flags=(--layer block2_conv1 --channel 5 --recipe pixel --seed 7 --size 32 --backend candle --device cpu --threads 1)
"$trepang" render "${flags[@]}" --steps 3 --runs "$made/three" -o picture.png
"$trepang" render "${flags[@]}" --steps 2 --runs "$made/two" -o "$made/two.png"
rm -rf run
mv "$made"/two/* run
