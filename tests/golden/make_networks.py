"""Writes what Keras and torchvision make of whole networks with made-up weights, at full and at small size.

Files written, beside this script:

- networks.safetensors  for each SET below, "vgg19" for Keras and "vgg19-torchvision" for torchvision, at each SIZE
      SET.SIZE.logits             f32 [1000]  full size only
      SET.SIZE.LAYER.sample       f32 [64]    of the activation [C, H, W] after its ReLU, by the layer's Keras name
      SET.SIZE.LAYER.moments      f32 [3]     mean, standard deviation (population), largest
      SET.SIZE.gradient.sample    f32 [256]   of d(mean of one channel) / d(RGB in 0..1), [3, H, W]
      SET.SIZE.gradient.moments   f32 [3]     mean, standard deviation, largest magnitude
      seed.losses                 f32 [10]    of the seed's own loop, below
      seed.samples                f32 [10, 256]   of x [3, H, W], BGR, after each update; sample/seed
  and in its metadata the frameworks' versions, and as SET.gradient and seed.gradient the LAYER:CHANNEL
- seed-vgg19.png        where the seed's own loop ends, saved as the seed saves it

Weights, pictures and the places of a sample come from golden.py's generator. The names of the pictures are
image/SIZE and seed-start, those of the samples sample/SET/SIZE/LAYER, and those of the weights

    keras/LAYER/kernel|bias|gamma|beta|moving_mean|moving_variance
    torchvision/KEY     with KEY from the state_dict
    seed/LAYER/kernel|bias      for the seed's own loop, likewise in Keras' layout

where InceptionV3's auto-named layers are conv2d_0 .. conv2d_93 and batch_normalization_0 .. _93, in the order of
their making. Row-major means each framework's own layout: HWIO and [in, out] in Keras, OIHW and [out, in] in torch.

    tensor                          scale                offset
    kernel, two sides or more       sqrt(6 / fan_in)     0         fan_in: all sides but the output's, multiplied
    the same, of seed/              sqrt(1 / fan_in)     1.1 / fan_in
    bias, beta, moving mean         0.1                  0
    moving variance                 0.3                  1
    gamma                           0.1                  0.5 for resnet50, 1 for inception_v3

Preprocessing: Keras' own; ImageNet's mean and deviation for torchvision, but x / 127.5 - 1 for its Inception
(transform_input off). The gradient goes through the preprocessing.

The seed's loop: x = preprocess_input(picture), then ten times g = d(mean of channel 4 of block5_conv4) / dx,
x = clip(x + 0.1 * g / std(g), -1, 1), in TensorFlow on Keras' VGG19. Losses are taken before each update. The PNG
holds uint8(255 * (x + 1) / 2), truncated, the channels as they are.

What can be compared: against the same networks in f64, no sampled activation or logit here is off by more than
1.4e-5 of its sample's standard deviation. A gradient shows every ReLU or max pool that falls the other way: it is
off by less than 5e-6 without one, else by up to 1.3e-2 (root mean square) and 0.14 (worst of 256).

The seed's loop feeds each such flip back into the picture; with the other kernels' scale and offset, correct runs
part after three steps. The offset of seed/ makes the channels agree, so that a flip moves few pixels: four other
correct runs (PyTorch in f32 and in f64, and twice in f32 with weights disturbed by 1e-7) are off by at most 4e-6 in
every loss; of the PNG's bytes 0.06 % are off by more than one level, 0.01 % by more than two, none by more than 9.
A wrong channel, RGB for BGR, or no biases: 22 to 40 % are off by more than two. The loss falls from 119 to 1.37 in
the first step, which clips the start to -1..1, then rises to 1.81; 4 to 43 % of a layer's ReLUs are off, and the
gradient's mean is 1.1 of its deviations, so the picture brightens.

Run, from anywhere (a minute, 6 GB of memory, no GPU):

    pip install tensorflow-cpu==2.21.0 keras==3.15.1 torch==2.13.0 torchvision==0.28.0 numpy==2.4.6 \
        pillow==13.0.0 safetensors==0.8.0
    python make_networks.py

Written with Python 3.11.7 and the versions above, on an x86-64 CPU.
"""

import os

os.environ.update(CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")

import torch  # before TensorFlow: the other way round, torch crashes
import torchvision
import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from golden import GRADIENT_SAMPLE, HERE, key, picture, record, sample, tensor, words, write

# Keras name of a layer: the module that ends it in torchvision. The gradient: Keras name, module, channel.
NETWORKS = {
    "vgg16": dict(
        sizes=(224, 64),
        layers={
            "block1_conv2": "features.3",
            "block3_conv1": "features.11",
            "block5_conv3": "features.29",
            "fc1": "classifier.1",
        },
        gradient=("block4_conv2", "features.20", 7),
    ),
    "vgg19": dict(
        sizes=(224, 64),
        layers={
            "block1_conv2": "features.3",
            "block3_conv1": "features.11",
            "block5_conv4": "features.35",
            "fc1": "classifier.1",
        },
        gradient=("block5_conv4", "features.35", 11),
    ),
    "resnet50": dict(
        sizes=(224, 64),
        layers={"pool1_pool": "maxpool", "conv3_block4_out": "layer2.3", "conv5_block3_out": "layer4.2"},
        gradient=("conv4_block6_out", "layer3.5", 11),
    ),
    "inception_v3": dict(
        sizes=(299, 96),
        layers={"mixed0": "Mixed_5b", "mixed3": "Mixed_6a", "mixed7": "Mixed_6e", "mixed10": "Mixed_7c"},
        gradient=("mixed7", "Mixed_6e", 33),
    ),
}
KERAS = {
    "vgg16": (keras.applications.VGG16, keras.applications.vgg16),
    "vgg19": (keras.applications.VGG19, keras.applications.vgg19),
    "resnet50": (keras.applications.ResNet50, keras.applications.resnet50),
    "inception_v3": (keras.applications.InceptionV3, keras.applications.inception_v3),
}
GAMMA_OFFSET = {"resnet50": 0.5, "inception_v3": 1.0}
SMALL_SCALE = 0.1
VARIANCE_SCALE = 0.3

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)

SEED_STEPS = 10
SEED_RATE = 0.1
SEED_CHANNEL = 4
SEED_KERNEL_OFFSET = 1.1


def weight(network, name, kind, shape, fan_in):
    """The made-up tensor of this name; kind is Keras' word for it."""
    if kind == "kernel" and name.startswith("seed/"):
        return tensor(name, shape, np.sqrt(1 / fan_in), SEED_KERNEL_OFFSET / fan_in)
    if kind == "kernel":
        return tensor(name, shape, np.sqrt(6 / fan_in), 0)
    if kind == "gamma":
        return tensor(name, shape, SMALL_SCALE, GAMMA_OFFSET[network])
    if kind == "moving_variance":
        return tensor(name, shape, VARIANCE_SCALE, 1)
    return tensor(name, shape, SMALL_SCALE, 0)


def keras_names(model):
    """Each layer's name in the generator: InceptionV3's auto-named layers count from 0, whatever was made before."""
    names = {layer.name: layer.name for layer in model.layers}
    for kind in ("conv2d", "batch_normalization"):
        suffixes = {}
        for name in names:
            stem, _, suffix = name.rpartition("_")
            if name == kind or (stem == kind and suffix.isdigit()):
                suffixes[name] = int(suffix) if stem == kind else 0
        for i, name in enumerate(sorted(suffixes, key=suffixes.get)):
            names[name] = f"{kind}_{i}"
    return names


def keras_network(network, size, top, prefix="keras"):
    build, _ = KERAS[network]
    if top:
        model = build(weights=None, classifier_activation=None)
    else:
        model = build(weights=None, include_top=False, input_shape=(size, size, 3))
    names = keras_names(model)
    for layer in model.layers:
        for variable in layer.weights:
            name = f"{prefix}/{names[layer.name]}/{variable.name}"
            shape = tuple(variable.shape)
            variable.assign(weight(network, name, variable.name, shape, np.prod(shape[:-1])))
    return model


def channels_first(x):
    """One picture's tensor from Keras, [1, H, W, C] or [1, C], as [C, H, W] or [C]."""
    return np.moveaxis(np.asarray(x)[0], -1, 0)


def measure_keras(network, model, layers, gradient, size):
    """Activations by layer, d(mean of the gradient's channel) / d(RGB in 0..1), and the model's output."""
    layer, _, channel = gradient
    _, family = KERAS[network]
    outputs = [model.get_layer(name).output for name in (*layers, layer)]
    tapped = keras.Model(model.inputs, [*outputs, model.output])
    rgb = tf.constant(picture(f"image/{size}", size)[None].astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(rgb)
        *seen, optimised, logits = tapped(family.preprocess_input(rgb), training=False)
        objective = tf.reduce_mean(optimised[0, ..., channel])
    slope = channels_first(tape.gradient(objective, rgb)) * np.float32(255)
    return dict(zip(layers, map(channels_first, seen))), slope, np.asarray(logits)[0]


def torchvision_network(network):
    options = dict(transform_input=False, aux_logits=False) if network == "inception_v3" else {}
    model = getattr(torchvision.models, network)(weights=None, **options, **no_initialisation(network)).eval()
    kinds = {"bias": "bias", "running_mean": "moving_mean", "running_var": "moving_variance"}
    for name, value in model.state_dict().items():
        suffix = name.rpartition(".")[2]
        if suffix == "num_batches_tracked":
            continue
        shape = tuple(value.shape)
        kind = kinds[suffix] if suffix != "weight" else "kernel" if len(shape) > 1 else "gamma"
        made = weight(network, f"torchvision/{name}", kind, shape, np.prod(shape[1:]))
        value.copy_(torch.from_numpy(made))
    return model.requires_grad_(False)


def no_initialisation(network):
    return {} if network == "resnet50" else dict(init_weights=False)


def measure_torchvision(network, model, layers, gradient, size):
    """As measure_keras."""
    layer, module, channel = gradient
    seen = {}
    hooks = [
        model.get_submodule(path).register_forward_hook(
            lambda _m, _i, out, name=name: seen.update({name: out})
        )
        for name, path in {**layers, layer: module}.items()
    ]
    rgb = torch.from_numpy(picture(f"image/{size}", size)).permute(2, 0, 1).float()[None].requires_grad_(True)
    logits = model(rgb / 127.5 - 1 if network == "inception_v3" else (rgb / 255 - MEAN) / STD)
    seen[layer][0, channel].mean().backward()
    for hook in hooks:
        hook.remove()
    activations = {name: seen[name][0].detach().numpy() for name in layers}
    return activations, rgb.grad[0].numpy() * np.float32(255), logits[0].detach().numpy()


def add(tensors, name, size, measured, top):
    activations, gradient, logits = measured
    print(f"{name} at {size}")
    for layer, activation in activations.items():
        record(tensors, name, size, layer, activation)
    record(tensors, name, size, "gradient", gradient)
    if top:
        tensors[f"{name}.{size}.logits"] = logits
        best = np.sort(logits)[::-1]
        print(f"  logits             {logits.min():.5g} to {best[0]:.5g}, then {best[1]:.5g}")


def add_network(tensors, network, sizes, layers, gradient):
    """Both frameworks at both sizes; the smaller one without the classifier."""
    tv = torchvision_network(network)
    for size in sizes:
        top = size == sizes[0]
        shown = {name: module for name, module in layers.items() if top or name != "fc1"}
        measured = measure_torchvision(network, tv, shown, gradient, size)
        add(tensors, f"{network}-torchvision", size, measured, top)
        model = keras_network(network, size, top)
        add(tensors, network, size, measure_keras(network, model, shown, gradient, size), top)


def seed(model):
    """The seed's own loop: its losses, a sample of x after each update, and its last x, [H, W, 3]."""
    start = picture("seed-start", 224)[None].astype(np.float32)
    x = tf.constant(keras.applications.vgg19.preprocess_input(start))
    tapped = keras.Model(model.inputs, model.get_layer("block5_conv4").output)
    losses, samples = [], []
    for _ in range(SEED_STEPS):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_mean(tapped(x, training=False)[..., SEED_CHANNEL])
        g = tape.gradient(loss, x)
        x = tf.clip_by_value(x + SEED_RATE * (g / tf.math.reduce_std(g)), -1.0, 1.0)
        losses.append(float(loss))
        samples.append(sample("sample/seed", channels_first(x), GRADIENT_SAMPLE))
    print("seed's losses", losses)
    return np.array(losses, np.float32), np.array(samples), x[0].numpy()


def main():
    torch.set_num_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    name = "keras/block1_conv1/kernel"
    print(f"{name}: key {key(name):#018x}", *map(hex, words(name, 4)))
    print(*tensor(name, (3, 3, 3, 64), np.sqrt(6 / 27), 0).ravel()[:4])

    tensors = {}
    metadata = {module.__name__: module.__version__ for module in (tf, keras, torch, torchvision, np)}
    for network, about in NETWORKS.items():
        add_network(tensors, network, **about)
        layer, _, channel = about["gradient"]
        metadata[f"{network}.gradient"] = metadata[f"{network}-torchvision.gradient"] = f"{layer}:{channel}"
    metadata["seed.gradient"] = f"block5_conv4:{SEED_CHANNEL}"
    tensors["seed.losses"], tensors["seed.samples"], x = seed(keras_network("vgg19", 224, False, "seed"))
    assert np.isfinite(x).all() and (np.diff(tensors["seed.losses"]) != 0).all()
    Image.fromarray((255 * (x + 1) / 2).astype(np.uint8)).save(HERE / "seed-vgg19.png", optimize=True)
    write("networks.safetensors", tensors, metadata)


if __name__ == "__main__":
    main()
