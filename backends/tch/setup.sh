#!/usr/bin/env bash
# Puts libtorch where the build looks for it: backends/tch/libtorch, which git ignores. Run again, it checks and does
# nothing more.
#
#   backends/tch/setup.sh                           libtorch for the CPU, from PyTorch's wheel on the Python package index
#   LIBTORCH_USE_PYTORCH=1 backends/tch/setup.sh    the PyTorch that python3 has (on a GPU server, with its CUDA)
#   LIBTORCH=DIR backends/tch/setup.sh              a libtorch in DIR, with DIR/include and DIR/lib
#
# Afterwards no variable is needed: .cargo/config.toml points at the folder, and the place of the libraries is written
# into what is built.
set -euo pipefail

version=2.13.0 # what tch 0.26 is made for

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
libtorch=$here/libtorch
trap 'rm -rf "$libtorch.new"' EXIT
fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

case $(uname -s) in
    Linux) library=libtorch_cpu.so ;;
    Darwin) library=libtorch_cpu.dylib ;;
    *) fail "libtorch is set up on Linux and macOS only" ;;
esac

# Fails unless the folder holds what the build needs. The second argument is what the user knows it as.
check() {
    [[ -f $1/include/torch/csrc/api/include/torch/torch.h ]] || fail "$2 has no headers of libtorch"
    [[ -f $1/lib/$library ]] || fail "$2 has no $library"
    local found
    found=$(cat "$1/build-version" 2>/dev/null || true)
    [[ ${found%%+*} == "$version" ]] || fail "$2 is libtorch '$found', and $version is needed"
}

# Puts a folder that was made beside it in its place, and has what was built with another libtorch built again.
install() {
    check "$1" "$2"
    rm -rf "$libtorch"
    mv "$1" "$libtorch"
    for profile in dev release; do
        (cd "$here/../.." && cargo clean --quiet --profile "$profile" -p torch-sys -p tch -p trepang-tch 2>/dev/null) || true
    done
    printf 'setup: libtorch %s is in %s\n' "$(cat "$libtorch/build-version")" "$libtorch"
}

# Links to a libtorch elsewhere: its includes and its libraries, its version, its name.
link() {
    local new=$libtorch.new
    rm -rf "$new"
    mkdir "$new"
    ln -s "$1" "$new/include"
    ln -s "$2" "$new/lib"
    printf '%s\n' "$3" >"$new/build-version"
    install "$new" "$4"
}

use_pytorch() {
    local found
    found=$(python3 -c 'import torch; print(torch.__version__); print(torch.__path__[0])' 2>/dev/null) ||
        fail "python3 has no PyTorch: pip install torch==$version, or run this without LIBTORCH_USE_PYTORCH"
    { read -r installed && read -r folder; } <<<"$found"
    link "$folder/include" "$folder/lib" "$installed" "the PyTorch in $folder"
}

# Takes headers and libraries out of wheels: wheel, then pairs of a folder in it and the folder it goes to.
extract() {
    python3 - "$@" <<'PYTHON'
import pathlib, shutil, sys, zipfile
wheel, *pairs = sys.argv[1:]
# What the CPU's libtorch neither is nor loads, some 600 MB of it.
unneeded = ("cuda", "nvshmem", "nvrtc", "python", "shm", "checkpoint", "nvperf", "pcsampling", "static")
with zipfile.ZipFile(wheel) as archive:
    for start, target in zip(pairs[::2], pairs[1::2]):
        for name in archive.namelist():
            if not name.startswith(start) or name.endswith("/"):
                continue
            rest = name[len(start):]
            if not start.endswith("include/") and any(word in rest.replace("libcudart", "") for word in unneeded):
                continue
            place = pathlib.Path(target, rest)
            place.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as source, open(place, "wb") as copy:
                shutil.copyfileobj(source, copy)
PYTHON
}

fetch() {
    local new=$libtorch.new tag tags=() wheels=()
    case $(uname -sm) in
        "Linux x86_64")
            for tag in manylinux2014 manylinux_2_{17..28}; do tags+=(--platform "${tag}_x86_64"); done
            # The wheel's libtorch_cpu.so was built with CUDA 13.0, whose runtime it loads even where there is no GPU.
            wheels=(
                "torch==$version --hash=sha256:796633c4cdf0fe2cdced72d8f88f22e73dbcfce83132763162f6d4bff13b820b"
                "nvidia-cuda-runtime==13.0.96 --hash=sha256:7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548"
                "nvidia-cuda-cupti==13.0.85 --hash=sha256:4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8"
            )
            ;;
        "Darwin arm64")
            for tag in {11..14}; do tags+=(--platform "macosx_${tag}_0_arm64"); done
            wheels=("torch==$version --hash=sha256:2fe228aba290d14b9f31b049be550dbd469c3fd3013d7a19705b30454da97027")
            ;;
        *) fail "there is no wheel to take libtorch from on $(uname -sm); install PyTorch $version and set LIBTORCH_USE_PYTORCH=1" ;;
    esac
    export PYTHONSAFEPATH=1 # no pip.py of the current folder is run
    rm -rf "$new"
    mkdir -p "$new/wheels"
    cd "$new" # nor by a Python from before that variable
    python3 -m pip --version >/dev/null 2>&1 || fail "python3 has no pip, which fetches libtorch"
    printf '%s\n' "${wheels[@]}" >wheels/requirements.txt
    printf 'setup: fetching libtorch %s, some 600 MB of which 500 MB are kept\n' "$version"
    # The Python that a wheel is for does not matter: only its libraries are taken.
    python3 -m pip download --quiet --no-deps --only-binary=:all: "${tags[@]}" --python-version 3.12 --require-hashes \
        --dest "$new/wheels" --requirement wheels/requirements.txt ||
        fail "pip could not fetch ${wheels[*]%% *}, or it brought files with other hashes than $here/setup.sh names"
    for wheel in "$new"/wheels/*.whl; do
        extract "$wheel" torch/include/ "$new/include" torch/lib/ "$new/lib" nvidia/cu13/lib/ "$new/lib"
    done
    rm -rf "$new/wheels"
    cd "$here"
    if [[ $(uname -s) == Linux ]]; then
        # The wheel's libtorch.so asks for CUDA's part, which is not there; and the build asks for -lgomp.
        printf 'INPUT(-ltorch_cpu)\n' >"$new/lib/libtorch.so"
        ln -s libgomp.so.1 "$new/lib/libgomp.so"
    fi
    printf '%s\n' "$version" >"$new/build-version"
    install "$new" "PyTorch's wheel"
}

given=
if [[ -n ${LIBTORCH:-} ]]; then
    given=$(cd "$LIBTORCH" 2>/dev/null && pwd) || fail "LIBTORCH is $LIBTORCH, which is no folder"
fi
if [[ -n ${LIBTORCH_USE_PYTORCH:-} ]]; then
    use_pytorch
elif [[ -n $given && ! $given -ef $libtorch ]]; then
    link "$given/include" "$given/lib" "$(cat "$given/build-version" 2>/dev/null || echo "$version")" "$given"
elif [[ -f $libtorch/lib/$library ]]; then
    check "$libtorch" "$libtorch"
    printf 'setup: libtorch %s is in %s already\n' "$(cat "$libtorch/build-version")" "$libtorch"
else
    fetch
fi
