"""Exports convolutional networks of PyTorch, timm and Keras as ONNX files, with weights of noise, loads each with Trepang, and
writes into docs/networks.md which of them load whole, which are cut off where, and what those would need.

    pip install torch torchvision timm onnx onnxscript
    python docs/networks.py target/release/trepang                     # all of PyTorch's and timm's: an hour on two cores
    python docs/networks.py target/release/trepang resnet18 lcnet_050  # only these; fails if the table says better of one

Keras's are exported by another Python, since TensorFlow and PyTorch do not agree on versions: with `pip install tensorflow
tf2onnx onnx`, `--keras PYTHON` runs them with it. `--keep DIR` keeps the files, and takes those that are there.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

PAGE = pathlib.Path(__file__).parent / "networks.md"
BEGIN, END = "<!-- docs/networks.py writes from here -->", "<!-- to here -->"

TORCHVISION = """alexnet vgg11 vgg16_bn resnet18 resnet50 resnext50_32x4d wide_resnet50_2 squeezenet1_0 squeezenet1_1 googlenet
    inception_v3 densenet121 mobilenet_v2 mnasnet1_0 regnet_x_400mf mobilenet_v3_small mobilenet_v3_large efficientnet_b0
    efficientnet_v2_s regnet_y_400mf shufflenet_v2_x1_0 convnext_tiny""".split()
TIMM = """lcnet_050 mobilenetv3_small_100 mobilenetv4_conv_small hardcorenas_a ghostnet_100 fbnetc_100 fbnetv3_b mnasnet_100
    semnasnet_075 spnasnet_100 tinynet_e tf_efficientnet_lite0 tf_efficientnet_b0 tf_efficientnetv2_b0 mixnet_s rexnet_100
    regnetx_002 regnety_002 repvgg_a0 mobileone_s0 gernet_s resnet26d seresnet50 resnetrs50 ecaresnet50d resnest14d skresnet18
    res2net50_26w_4s tresnet_m cspresnet50 cspdarknet53 darknet53 dla34 selecsls42b hrnet_w18_small dpn68 densenet121
    legacy_xception xception41 inception_v4 inception_resnet_v2 resnetv2_50 resnetv2_50x1_bit resnet50_gn eca_nfnet_l0
    nf_resnet50 nasnetalarge pnasnet5large resnet50_clip_gap starnet_s1 ese_vovnet19b_dw convnext_atto""".split()
KERAS = """ResNet50 ResNet50V2 MobileNet MobileNetV2 MobileNetV3Small DenseNet121 InceptionV3 Xception InceptionResNetV2
    EfficientNetB0 EfficientNetV2B0 ConvNeXtTiny NASNetMobile""".split()


def torch_network(name, where):
    import torch

    torch.manual_seed(5)
    if where == "timm":
        import timm

        return timm.create_model(name, pretrained=False).eval(), timm.create_model
    import torchvision

    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return torchvision.models.get_model(name, weights=None, **extra).eval(), None


def export_torch(name, where, paths):
    """Writes a file for each exporter. Numbers that a fresh network leaves at 0 and 1 are changed, or exporters leave them out."""
    import torch

    net, _ = torch_network(name, where)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.01 * torch.randn_like(parameter)
    size = 299 if "ception" in name else 224
    if where == "timm":
        size = net.default_cfg["input_size"][1]
    for exporter, path in paths.items():
        if not path.exists():
            kept = {"external_data": False} if exporter == "new" else {}
            torch.onnx.export(
                net, (torch.zeros(1, 3, size, size),), path, dynamo=exporter == "new", verbose=False, **kept
            )


EXPORT_KERAS = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
name, path = sys.argv[1:]
keras.utils.set_random_seed(5)
net = getattr(keras.applications, name)(weights=None)
net(keras.ops.zeros((1, *[side or 224 for side in net.input_shape[1:]])))
net.export(path, format="onnx", verbose=False)
"""


def export_keras(name, python, path):
    if not path.exists():
        done = subprocess.run([python, "-c", EXPORT_KERAS, name, str(path)], capture_output=True, text=True)
        if done.returncode != 0 or not path.exists():
            raise RuntimeError((done.stderr.strip().splitlines() or ["it wrote no file"])[-1])


def behind(path, cut):
    """Whether a convolution of a file depends on one of the nodes that are cut off."""
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    lost = set()
    for node in graph.node:
        own = node.name or (node.output[0] if node.output else "")
        if own in cut or any(name in lost for name in node.input):
            lost.update(node.output)
            if node.op_type == "Conv":
                return True
    return False


def loaded(trepang, path):
    """Whether a file loads whole, up to its last convolution, or in part; and the reasons."""
    done = subprocess.run([trepang, "info", str(path), "--input", "torch", "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr.strip() or "no reason").splitlines()[-1]
        return "refused", [re.split("cannot use: |computed: ", said)[-1]]
    about = json.loads(done.stdout)
    reasons = [part["reason"] for part in about["cut"]]
    if not reasons:
        return "whole", []
    cut = {match.group(1) for reason in reasons if (match := re.match(r'node "([^"]*)"', reason))}
    return ("cut" if behind(path, cut) else "trunk"), reasons


def short(reasons):
    """The reasons without the nodes' names, each once."""
    seen = {}
    for reason in reasons:
        match = re.match(r'node "[^"]*" \((.*?)\) (.*)', reason)
        words = f"{match.group(1)} {match.group(2)}" if match else reason
        seen[re.sub(r"\[[^\]]*\]|-?\d+(\.\d+)?", "..", words)] = None
    return "; ".join(list(seen)[:3])


WORDS = {"whole": "whole", "trunk": "whole up to the last convolution", "cut": "cut", "refused": "refused"}
ORDER = ["refused", "cut", "trunk", "whole"]


def row(name, results):
    """A row of the table: the worst of a network's files, and why."""
    worst = min(results, key=lambda result: ORDER.index(result[0]))
    return worst[0], f"| {name} | {WORDS[worst[0]]} | {short(worst[1])} |"


def families(chosen, keras):
    every = [("torchvision", TORCHVISION), ("timm", TIMM)] + ([("Keras", KERAS)] if keras else [])
    for where, names in every:
        for name in names:
            if not chosen or name in chosen:
                yield where, name


def examine(arguments, where, name, folder):
    # torchvision's by both exporters of PyTorch, timm's by the present one.
    suffixes = {"Keras": ["keras"], "timm": ["new"], "torchvision": ["new", "old"]}[where]
    paths = {suffix: folder / f"{where}-{name}-{suffix}.onnx" for suffix in suffixes}
    try:
        if where == "Keras":
            export_keras(name, arguments.keras, paths["keras"])
        else:
            export_torch(name, where, paths)
    except Exception as error:  # an exporter that fails is a row of the table as well
        first = (str(error).strip().splitlines() or ["no reason"])[0]
        return [("refused", [f"its exporter fails: {first[:80]}"])]
    results = [loaded(arguments.trepang, path) for path in paths.values() if path.exists()]
    if not arguments.keep:
        for path in paths.values():
            path.unlink(missing_ok=True)
    return results


def tables(rows):
    """The text between the marks: a sum for each source, and the networks that do not load whole."""
    lines = []
    for where in dict.fromkeys(where for where, _ in rows):
        of = {name: value for (source, name), value in rows.items() if source == where}
        good = [name for name, (state, _) in of.items() if state in ("whole", "trunk")]
        lines += ["", f"**{where}**: {len(good)} of {len(of)} whole up to the last convolution: {', '.join(good)}.", ""]
        rest = [text for state, text in of.values() if state != "whole"]
        if rest:
            lines += ["| network | loads | the first that is missing |", "|---|---|---|", *rest]
    return "\n".join([BEGIN, *lines, "", END])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trepang")
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--keras", metavar="PYTHON", help="a Python that has TensorFlow and tf2onnx")
    parser.add_argument("--keep", metavar="DIR", type=pathlib.Path, help="where files stay")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    rows, failed = {}, []
    page = PAGE.read_text()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or pathlib.Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for where, name in families(arguments.networks, arguments.keras):
            rows[where, name] = state, text = row(name, examine(arguments, where, name, folder))
            print(text, flush=True)
            good = re.search(rf"^\*\*{where}\*\*: (.*)$", page, re.MULTILINE)
            if good and re.search(rf"\b{name}\b", good.group(1)) and state not in ("whole", "trunk"):
                failed.append(name)
    if not arguments.networks:
        head, tail = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(head + tables(rows) + tail)
    if failed:
        sys.exit(f"the table says that these load up to their last convolution: {', '.join(failed)}")


if __name__ == "__main__":
    main()
