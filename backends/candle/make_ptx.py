"""Makes src/own/kernels.ptx of kernels.cu: PTX for compute capability 7.0 and later, which the driver compiles for its card.

Needs no GPU and no CUDA, but the compiler's library:
    pip install nvidia-cuda-nvrtc-cu12==12.0.140
Run from the repository's root, when kernels.cu has changed:
    python3 backends/candle/make_ptx.py           # --check only compares
PTX of CUDA 12.0 is taken by drivers from 525 on.
"""

import ctypes
import importlib.util
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "src/own"
OPTIONS = [b"--gpu-architecture=compute_70", b"--fmad=false"]


def library():
    where = importlib.util.find_spec("nvidia.cuda_nvrtc").submodule_search_locations[0]
    return ctypes.CDLL(str(Path(where) / "lib/libnvrtc.so.12"))


def compiled(source):
    nvrtc, program, size = library(), ctypes.c_void_p(), ctypes.c_size_t()
    options = (ctypes.c_char_p * len(OPTIONS))(*OPTIONS)
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, b"kernels.cu", 0, None, None)
    failed = nvrtc.nvrtcCompileProgram(program, len(OPTIONS), options)
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    if failed:
        sys.exit(log.value.decode())
    nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size))
    ptx = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetPTX(program, ptx)
    return ptx.value.decode()


def main():
    made, file = compiled((FOLDER / "kernels.cu").read_bytes()), FOLDER / "kernels.ptx"
    if sys.argv[1:] != ["--check"]:
        file.write_text(made)
    elif made != file.read_text():
        sys.exit(f"{file} was not made of kernels.cu as it is: run backends/candle/make_ptx.py")


if __name__ == "__main__":
    main()
