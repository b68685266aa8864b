#!/usr/bin/env bash
# Everything that has to be tried and measured on a GPU, in parts of ten minutes at most, those of most worth first. Each part writes
# its rows as soon as it has them, to OUT/PART.txt, so that a machine that goes away takes only the part in progress.
#
#   benches/gpu.sh                    # all parts on cuda:0, with every backend of this build that has it
#   benches/gpu.sh --part network     # one of them: suite bits network recipe launches parity
#   benches/gpu.sh --dry-run          # the same steps on the CPU with a small network: tries the script, measures nothing
#
# Needs nvcc on the PATH to build (--no-build takes target/release/trepang as it is); for `network`, `recipe` and `launches`
# a Python with torch, numpy, pillow and safetensors; for `launches` also nsys, of NVIDIA's Nsight Systems.
# `--features tch` of a build with libtorch for CUDA adds the backend tch: FEATURES=cuda,tch benches/gpu.sh
set -euo pipefail
cd "$(dirname "$0")/.."

parts=(suite bits network recipe launches parity)
part='' out=target/gpu device=cuda:0 dry='' build=yes
while (($#)); do
    case $1 in
        --part) part=$2; shift ;;
        --out) out=$2; shift ;;
        --device) device=$2; shift ;;
        --dry-run) dry=--dry-run device=cpu build='' ;;
        --no-build) build='' ;;
        *) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift
done
if [[ -n $part && " ${parts[*]} " != *" $part "* ]]; then
    echo "gpu.sh: there is no part \"$part\"; there are: ${parts[*]}" >&2
    exit 2
fi
mkdir -p "$out"
trepang=${TREPANG:-target/release/trepang}
[[ -z $build ]] || cargo build --release --features "${FEATURES:-cuda}"

# The backends that have the device, one a line.
backends() {
    "$trepang" devices --json | python3 -c '
import json, sys
listed = json.load(sys.stdin)
print(*[d["backend"] for d in listed if d["device"] == sys.argv[1] and d["works"] and d["backend"] != "reference"], sep="\n")
' "$device"
}

if [[ -z $(backends) ]]; then
    echo "gpu.sh: no backend of $trepang has $device, or none works there: see $trepang devices" >&2
    exit 1
fi

# What the suite says of each operation on each device, and one small network.
part_suite() {
    "$trepang" devices
    [[ -n $dry ]] || "$trepang" parity --network minivgg
}

# The same picture twice, bit by bit, on each backend; a kernel that adds in any order would show here.
part_bits() {
    local folder backend
    folder=$(mktemp -d)
    for backend in $(backends); do
        for time in 1 2; do
            "$trepang" render --network minivgg --layer block5_conv2 --channel 30 --steps "$([[ -n $dry ]] && echo 4 || echo 32)" \
                --backend "$backend" --device "$device" --runs "$folder/runs" -o "$folder/$time.png" --quiet
        done
        cmp "$folder/1.png" "$folder/2.png" && echo "$backend on $device: equal bits"
    done
    rm -rf "$folder"
}

measure() {
    python3 benches/gpu.py "$1" --trepang "$trepang" --device "$device" --backends "$(backends | paste -sd,)" $dry
}
part_network() { measure network; }
part_recipe() { measure recipe; }
part_launches() { measure launches; }

# Every network, against the CPU's backends.
part_parity() {
    if [[ -n $dry ]]; then "$trepang" parity --network minivgg; else "$trepang" parity; fi
}

export -f backends measure "${parts[@]/#/part_}"
export trepang device dry
failed=()
for name in ${part:-"${parts[@]}"}; do
    printf '\n== %s\n' "$name"
    # A part that fails or takes too long does not keep the others from running.
    timeout 600 bash -euo pipefail -c "part_$name" 2>&1 | tee "$out/$name.txt" || failed+=("$name")
done
printf '\nrows are in %s\n' "$out"
if ((${#failed[@]})); then
    echo "gpu.sh: not finished: ${failed[*]}" >&2
    exit 1
fi
