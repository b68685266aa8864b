"""Writes what pytorch-grad-cam makes of the positions of a layer: the maps of the lab.

File written, beside this script:

- lab_maps.safetensors   for the layers block5_conv2 and block4_conv1 of the embedded network, on golden.py's picture
  image/64 and its first class
      LAYER.METHOD.raw      f32 [H, W]    get_cam_image() of GradCAM and of HiResCAM (METHOD gradcam, hirescam)
      LAYER.METHOD.scaled   f32 [64, 64]  its scale_cam_image() of the raw map without what is below 0
  and in its metadata the class

The tail is that of make_lab.py, in f64, behind an identity whose output is the target layer.

Run, from anywhere (seconds):

    pip install torch==2.15.0 grad-cam==1.5.7 captum==0.9.0 numpy==2.4.6 safetensors==0.8.0
    python make_lab_maps.py
"""

import numpy as np
from pytorch_grad_cam import GradCAM, HiResCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from golden import write
from make_lab import minivgg

SIDE = 64


def raw_map(method, activation, tail, number):
    """The map of one layer before it is scaled."""
    found = {}

    class Kept(method):
        def get_cam_image(self, *args):
            found["raw"] = super().get_cam_image(*args)
            return found["raw"]

    model = nn.Sequential(nn.Identity(), *tail)
    with Kept(model=model, target_layers=[model[0]]) as cam:
        cam(input_tensor=activation.clone().requires_grad_(), targets=[ClassifierOutputTarget(number)])
    return found["raw"][0]


def main():
    tensors, metadata = {}, {}
    for layer in ("block5_conv2", "block4_conv1"):
        activation, tail = minivgg(layer)
        number = int(tail(activation)[0].argmax())
        metadata["class"] = str(number)
        for name, method in (("gradcam", GradCAM), ("hirescam", HiResCAM)):
            raw = raw_map(method, activation, tail, number)
            scaled = scale_cam_image(np.maximum(raw, 0)[None], (SIDE, SIDE))[0]
            tensors[f"{layer}.{name}.raw"] = raw.astype(np.float32)
            tensors[f"{layer}.{name}.scaled"] = scaled.astype(np.float32)
            print(layer, name, number, raw.shape, raw.min(), raw.max())
    write("lab_maps.safetensors", tensors, metadata)


if __name__ == "__main__":
    main()
