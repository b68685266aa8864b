#!/usr/bin/env bash
# Wrote tests/golden/square-of-a-photograph-0.2.0.png: a picture that begins with the middle square of an oblong photograph, by
# Trepang 0.2.0 at commit 8533ebf, which made no pictures but squares. Three small steps: the picture's bytes are the same with
# every kind of vector instructions. Usage: make_square_of_a_photograph.sh TREPANG, the program of that commit.
set -euo pipefail
trepang=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")"
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
"$trepang" render --layer block2_conv1 --channel 5 --recipe pixel --seed 7 --size 32 --backend cpu --device cpu --threads 1 \
    --init picture-400x300.png --steps 3 --runs "$made" -o square-of-a-photograph-0.2.0.png
