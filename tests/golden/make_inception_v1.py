"""Writes what TensorFlow makes of InceptionV1, the network of Lucid, with made-up weights, at full and at small size.

File written, beside this script:

- inception_v1.safetensors  at 224 and at 64 pixels
      inception_v1.SIZE.logits             f32 [1008]  full size only: softmax2_pre_activation
      inception_v1.SIZE.LAYER.sample       f32 [64]    of the activation [C, H, W] of this layer
      inception_v1.SIZE.LAYER.moments      f32 [3]     mean, standard deviation (population), largest
      inception_v1.SIZE.gradient.sample    f32 [256]   of d(mean of mixed4c:447) / d(RGB in 0..1), [3, H, W]
      inception_v1.SIZE.gradient.moments   f32 [3]     mean, standard deviation, largest magnitude
  and in its metadata the versions

The graph is written down here after the published one (tensorflow_inception_graph.pb in inception5h.zip, which is not at hand):
its names of operations and constants, TensorFlow's own padding SAME, and local response norm with depth_radius 5, bias 2, alpha
1e-4 and beta 0.5. Weights and pictures come from golden.py's generator: constants tensorflow/NAME, kernels uniform of scale
sqrt(6 / fan-in), biases of 0.1; pictures image/SIZE, samples sample/inception_v1/SIZE/LAYER. The input is RGB of 0..255 minus 117.

With a path as its argument, the script writes the graph at that path too, with these weights and without auxiliary classifiers,
for trials with `trepang render --network inception_v1 --weights PATH`.

Run, from anywhere (half a minute, 1 GB of memory, no GPU):

    pip install tensorflow-cpu==2.21.0 numpy==2.4.6 safetensors==0.8.0
    python make_inception_v1.py

Written with Python 3.11.7 and the versions above, on an x86-64 CPU.
"""

import sys

import numpy as np
import tensorflow as tf

from golden import picture, record, tensor, write

NAME = "inception_v1"
SIZES = (224, 64)
LAYERS = (
    "conv2d0_pre_relu",
    "localresponsenorm0",
    "maxpool1",
    "mixed3b",
    "mixed4a_pre_relu",
    "mixed4b_pool",
    "mixed4d_5x5_bottleneck",
    "mixed5b",
)
GRADIENT = ("mixed4c", 447)

# Input channels; 1x1; 3x3 bottleneck and 3x3; 5x5 bottleneck and 5x5; behind the pooling.
MODULES = {
    "mixed3a": (192, 64, 96, 128, 16, 32, 32),
    "mixed3b": (256, 128, 128, 192, 32, 96, 64),
    "mixed4a": (480, 192, 96, 204, 16, 48, 64),
    "mixed4b": (508, 160, 112, 224, 24, 64, 64),
    "mixed4c": (512, 128, 128, 256, 24, 64, 64),
    "mixed4d": (512, 112, 144, 288, 32, 64, 64),
    "mixed4e": (528, 256, 160, 320, 32, 128, 128),
    "mixed5a": (832, 256, 160, 320, 48, 128, 128),
    "mixed5b": (832, 384, 192, 384, 48, 128, 128),
}

tf1 = tf.compat.v1


def constant(name, shape, scale):
    return tf1.constant(tensor(f"tensorflow/{name}", shape, scale, 0), name=name)


def conv(name, x, kernel, inputs, outputs, step=1):
    w = constant(f"{name}_w", (kernel, kernel, inputs, outputs), np.sqrt(6 / (kernel * kernel * inputs)))
    b = constant(f"{name}_b", (outputs,), 0.1)
    x = tf1.nn.conv2d(x, w, strides=[1, step, step, 1], padding="SAME", name=f"{name}_pre_relu/conv")
    x = tf1.nn.bias_add(x, b, name=f"{name}_pre_relu")
    return tf1.nn.relu(x, name=name)


def pool(name, x, step):
    return tf1.nn.max_pool2d(x, [1, 3, 3, 1], [1, step, step, 1], "SAME", name=name)


def norm(name, x):
    return tf1.nn.lrn(x, depth_radius=5, bias=2.0, alpha=1e-4, beta=0.5, name=name)


def mixed(name, x):
    inputs, one, narrow3, three, narrow5, five, last = MODULES[name]
    branches = [
        conv(f"{name}_1x1", x, 1, inputs, one),
        conv(f"{name}_3x3", conv(f"{name}_3x3_bottleneck", x, 1, inputs, narrow3), 3, narrow3, three),
        conv(f"{name}_5x5", conv(f"{name}_5x5_bottleneck", x, 1, inputs, narrow5), 5, narrow5, five),
        conv(f"{name}_pool_reduce", pool(f"{name}_pool", x, 1), 1, inputs, last),
    ]
    graph = tf1.get_default_graph()
    kinds = ("1x1", "3x3", "5x5", "pool_reduce")
    # Lucid adds this one.
    tf1.concat([graph.get_tensor_by_name(f"{name}_{kind}_pre_relu:0") for kind in kinds], 3, name=f"{name}_pre_relu")
    return tf1.concat(branches, 3, name=name)


def build(x):
    x = norm("localresponsenorm0", pool("maxpool0", conv("conv2d0", x, 7, 3, 64, 2), 2))
    x = conv("conv2d2", conv("conv2d1", x, 1, 64, 64), 3, 64, 192)
    x = pool("maxpool1", norm("localresponsenorm1", x), 2)
    for name in MODULES:
        if name in ("mixed4a", "mixed5a"):
            x = pool({"mixed4a": "maxpool4", "mixed5a": "maxpool10"}[name], x, 2)
        x = mixed(name, x)
    return x


def measure(tensors, size):
    with tf.Graph().as_default() as graph, tf1.Session() as session:
        rgb = tf1.placeholder(tf.float32, (1, size, size, 3), name="rgb")
        x = build(tf.identity(rgb * 255 - 117, name="input"))
        layer, channel = GRADIENT
        wanted = [graph.get_tensor_by_name(f"{name}:0") for name in LAYERS]
        loss = tf1.reduce_mean(graph.get_tensor_by_name(f"{layer}:0")[0, :, :, channel])
        wanted.append(tf1.gradients(loss, rgb)[0])
        if size == SIZES[0]:
            x = tf1.nn.avg_pool2d(x, [1, 7, 7, 1], [1, 1, 1, 1], "VALID", name="avgpool0")
            w = constant("softmax2_w", (1024, 1008), np.sqrt(6 / 1024))
            x = tf1.matmul(tf1.reshape(x, (-1, 1024)), w)
            wanted.append(tf1.nn.bias_add(x, constant("softmax2_b", (1008,), 0.1), name="softmax2_pre_activation"))
        found = session.run(wanted, {rgb: picture(f"image/{size}", size)[None].astype(np.float32) / 255})
        if size == SIZES[0] and len(sys.argv) > 1:
            with open(sys.argv[1], "wb") as file:
                file.write(graph.as_graph_def().SerializeToString())
    print(f"{NAME} at {size}")
    for name, array in zip((*LAYERS, "gradient"), found):
        record(tensors, NAME, size, name, array[0].transpose(2, 0, 1))
    if size == SIZES[0]:
        tensors[f"{NAME}.{size}.logits"] = found[-1][0]


def main():
    tensors = {}
    for size in SIZES:
        measure(tensors, size)
    write(f"{NAME}.safetensors", tensors, {"tensorflow": tf.__version__, "numpy": np.__version__})


if __name__ == "__main__":
    main()
