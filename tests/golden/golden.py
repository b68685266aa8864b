"""What the golden files of whole networks have in common: numbers out of names, samples, and the file itself.

Everything deterministic here comes from one generator, a few lines in any language:

    key(name)   the 64-bit FNV-1a hash of the name's UTF-8 bytes
    z_i         splitmix64's finaliser of key + (i + 1) * 0x9E3779B97F4A7C15, modulo 2^64, for i = 0, 1, ...
    s_i         f32(z_i >> 40) / 2^24 * 2 - 1, in [-1, 1), exact in f32

- a tensor     f32(offset) + f32(scale) * s_i, both operations rounded to f32, i counting row-major
- a picture    u8 [size, size, 3], RGB: z_i >> 56
- a sample     of an array of n values: those at z_i mod n, i below the sample's length
"""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save

HERE = Path(__file__).resolve().parent

FNV_BASIS = 0xCBF29CE484222325
FNV_PRIME = 0x100000001B3
GOLDEN_GAMMA = 0x9E3779B97F4A7C15
CHUNK = 1 << 22

ACTIVATION_SAMPLE = 64
GRADIENT_SAMPLE = 256


def key(name):
    value = FNV_BASIS
    for byte in name.encode():
        value = (value ^ byte) * FNV_PRIME % 2**64
    return value


def words(name, count, start=0):
    """z_start .. z_(start + count - 1) of this name."""
    z = np.arange(start + 1, start + count + 1, dtype=np.uint64)
    z = z * np.uint64(GOLDEN_GAMMA) + np.uint64(key(name))
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def tensor(name, shape, scale, offset):
    values = np.empty(np.prod(shape, dtype=int), np.float32)
    for start in range(0, len(values), CHUNK):
        part = values[start : start + CHUNK]
        part[:] = (words(name, len(part), start) >> np.uint64(40)).astype(np.float32)
        part *= np.float32(2.0**-23)
        part -= np.float32(1)
        part *= np.float32(scale)
        part += np.float32(offset)
    return values.reshape(shape)


def picture(name, size):
    return (words(name, size * size * 3) >> np.uint64(56)).astype(np.uint8).reshape(size, size, 3)


def sample(name, array, length):
    flat = np.asarray(array, np.float32).ravel()
    return flat[words(name, length) % np.uint64(flat.size)]


def record(tensors, network, size, layer, array):
    """Adds the sample and the moments of one activation, [C, H, W] or [C]; or of "gradient", [3, H, W]."""
    is_gradient = layer == "gradient"
    assert np.isfinite(array).all() and array.std() > 0, f"{network} {size} {layer} is dead or exploded"
    length = GRADIENT_SAMPLE if is_gradient else ACTIVATION_SAMPLE
    largest = np.abs(array).max() if is_gradient else array.max()
    moments = [array.mean(dtype=np.float64), array.std(dtype=np.float64), largest]
    tensors[f"{network}.{size}.{layer}.sample"] = sample(f"sample/{network}/{size}/{layer}", array, length)
    tensors[f"{network}.{size}.{layer}.moments"] = np.array(moments, np.float32)
    zeros = np.mean(array == 0)
    print(
        f"  {layer:18} mean {moments[0]:<12.5g} std {moments[1]:<12.5g} max {largest:<12.5g} zeros {zeros:.1%}"
    )


def write(name, tensors, metadata):
    """A safetensors file whose bytes are the same in every run: save() leaves the metadata's order to chance."""
    blob = save(tensors, metadata)
    end = 8 + int.from_bytes(blob[:8], "little")
    header = json.loads(blob[8:end])
    header["__metadata__"] = dict(sorted(metadata.items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    (HERE / name).write_bytes(len(text).to_bytes(8, "little") + text + blob[end:])
