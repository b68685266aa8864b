#!/usr/bin/env bash
# Compiles and links Trepang with `--features cuda` on a machine that has neither a GPU nor CUDA: the proof that this
# builds, and no more. Takes some 20 minutes on two cores and 4 GB under target/; downloads 1 GB from the Python package index.
#
# `check-cuda.sh --types` only checks the types, in two minutes and without a download: a stand-in for nvcc compiles no kernel.
#
# On a machine with a GPU none of this is needed: with nvcc on the PATH, `cargo build --release --features cuda` does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

toolkit=$PWD/target/cuda-toolkit
cuda=$toolkit/nvidia/cu13
stubs=$toolkit/stubs
say() { printf '\ncheck-cuda: %s\n' "$*"; }

if [[ ${1:-} == --types ]]; then
    say "types, with a stand-in for nvcc"
    stand_in=$(mktemp -d)
    trap 'rm -rf "$stand_in"' EXIT
    mkdir -p "$stand_in/bin" "$stand_in/include" "$stand_in/lib64"
    echo '#define CUDA_VERSION 13000' >"$stand_in/include/cuda.h"
    # cudarc reads the fourth line of the version; candle-kernels wants a file for each kernel and does not look into it.
    cat >"$stand_in/bin/nvcc" <<'NVCC'
#!/usr/bin/env bash
if [[ $* == *--version* ]]; then
    printf 'nvcc\n\n\nCuda compilation tools, release 13.0, V13.0.0\n'
    exit
fi
folder=
for ((i = 1; i <= $#; i++)); do
    next=$((i + 1))
    case ${!i} in
        -o | --output-file) : >"${!next}" ;;
        --output-directory) folder=${!next} ;;
        --output-directory=*) folder=${!i#*=} ;;
    esac
done
for argument in "$@"; do
    if [[ -n $folder && $argument == *.cu ]]; then : >"$folder/$(basename "${argument%.cu}").ptx"; fi
done
NVCC
    chmod +x "$stand_in/bin/nvcc"
    export CUDA_HOME=$stand_in CUDA_PATH=$stand_in PATH=$stand_in/bin:$PATH CUDA_COMPUTE_CAP=80
    CARGO_TARGET_DIR=$PWD/target/cuda-types cargo clippy -p trepang-candle --features cuda -- -D warnings
    exit
fi

say "CUDA 13.0 from its Python wheels"
# The compiler, then the libraries that the program is linked with. What they depend on is in this list.
wheels=(nvidia-cuda-nvcc nvidia-cuda-crt nvidia-nvvm nvidia-cuda-runtime nvidia-cuda-cccl
    nvidia-cuda-nvrtc nvidia-cublas nvidia-curand)
if [[ ! -x $cuda/bin/nvcc ]]; then
    pins=()
    for wheel in "${wheels[@]}"; do
        case $wheel in
            nvidia-cublas) pins+=("$wheel==13.1.*") ;; # cuBLAS and cuRAND count by themselves; these go with 13.0
            nvidia-curand) pins+=("$wheel==10.4.0.*") ;;
            *) pins+=("$wheel==13.0.*") ;;
        esac
    done
    rm -rf "$toolkit" "$toolkit.new"
    python3 -m pip install --quiet --no-deps --target "$toolkit.new" "${pins[@]}"
    mv "$toolkit.new" "$toolkit"
    chmod +x "$cuda"/bin/* "$cuda"/nvvm/bin/*
fi
# The linker asks for names without a version.
for library in "$cuda"/lib/lib*.so.*; do
    ln -sf "$(basename "$library")" "${library%.so.*}.so"
done
[[ -e $cuda/lib64 ]] || ln -s lib "$cuda/lib64"

export CUDA_HOME=$cuda CUDA_PATH=$cuda PATH=$cuda/bin:$PATH CUDA_COMPUTE_CAP=80
export CARGO_TARGET_DIR=$PWD/target/cuda
nvcc --version | tail -n 2

say "compiling"
cargo build -p trepang --lib --features cuda

say "a stand-in for the driver's libcuda.so.1, which only a driver brings: every function of it finds no GPU"
mkdir -p "$stubs"
find "$CARGO_TARGET_DIR/debug" \( -name '*.rlib' -o -name '*.a' \) -print0 |
    { xargs -0 nm --undefined-only 2>/dev/null || true; } | awk '$1 == "U" && $2 ~ /^cu[A-Z]/ { print $2 }' | sort -u |
    awk '{ print "int " $1 "(void) { return 100; } /* CUDA_ERROR_NO_DEVICE */" }' >"$stubs/cuda.c"
cc -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$stubs/libcuda.so.1" "$stubs/cuda.c"
ln -sf libcuda.so.1 "$stubs/libcuda.so"
printf '%s functions\n' "$(wc -l <"$stubs/cuda.c")"

say "linking"
LIBRARY_PATH=$stubs:$cuda/lib cargo build --features cuda # the C compiler's own variable: nothing is built twice

say "running: it must start, and find no GPU"
devices=$(LD_LIBRARY_PATH=$stubs:$cuda/lib "$CARGO_TARGET_DIR/debug/trepang" devices)
printf '%s\n' "$devices"
grep -q '^candle *cpu .* works ' <<<"$devices" && ! grep -q 'cuda:' <<<"$devices"
