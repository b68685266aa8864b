"""Draws the gallery: docs/gallery.md and its pictures, every recipe side by side on channels of several layers.

Needs Pillow and the release binary (cargo build --release). Run from the repository's root:

    python3 docs/gallery.py                  # minivgg, at 96 px: minutes
    python3 docs/gallery.py vgg16-trunk      # at 224 px, after `trepang pull vgg16-trunk`: half an hour
    python3 docs/gallery.py strip            # docs/gallery-strip.jpg, cut from the gallery of minivgg: no time

Each run replaces its network's pictures and numbers and leaves the other's.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

BINARY = "target/release/trepang"
PAGE = Path("docs/gallery.md")
PHOTO = "tests/golden/picture-224.png"
RECIPES = ["lucid", "maco", "pixel", "original"]
NETWORKS = {
    "minivgg": (96, {"block2_conv1": [5, 20], "block3_conv2": [80, 21], "block4_conv2": [20, 1], "block5_conv2": [30, 145]}),
    "vgg16-trunk": (224, {"block2_conv2": [20], "block3_conv3": [40], "block4_conv3": [20], "block5_conv3": [4]}),
}
FROM_PICTURE = {"minivgg": ("block4_conv2", 20), "vgg16-trunk": ("block4_conv3", 20)}
CELL, MARGIN, CAPTION, HEAD = 192, 8, 18, 20
STRIP = [0, 2, 3, 5, 6, 7]  # the rows of minivgg that the README shows, by the first recipe
BACK, INK = (24, 24, 24), (220, 220, 220)


def render(network, words, folder):
    """What `render` says of every picture."""
    command = [BINARY, "render", "--network", network, *map(str, words), "--runs", folder + "/runs", "--json"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == "done"]


def sheet(heads, rows, place):
    """rows: (name, [(picture, caption) or None])"""
    width = MARGIN + 120 + len(heads) * (CELL + MARGIN)
    image = Image.new("RGB", (width, HEAD + len(rows) * (CELL + CAPTION + MARGIN)), BACK)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    for column, head in enumerate(heads):
        draw.text((MARGIN + 120 + column * (CELL + MARGIN), 3), head, fill=INK, font=font)
    for row, (name, cells) in enumerate(rows):
        y = HEAD + row * (CELL + CAPTION + MARGIN)
        draw.text((MARGIN, y + CELL // 2), name, fill=INK, font=font)
        for column, cell in enumerate(cells):
            x = MARGIN + 120 + column * (CELL + MARGIN)
            if cell is None:
                draw.text((x, y + CELL // 2), "no way up", fill=INK, font=font)
                continue
            picture, caption = cell
            image.paste(Image.open(picture).convert("RGB").resize((CELL, CELL), Image.LANCZOS), (x, y))
            draw.text((x, y + CELL + 1), caption, fill=INK, font=font)
    image.save(place, quality=88, optimize=True)


def numbers(done):
    return f"{done['activation_saved']:.1f}, robust {done['activation_robust']:.1f}"


def channels(network, folder):
    """The table of channels by recipes, and its numbers as lines of the page."""
    size, layers = NETWORKS[network]
    found = {}
    for recipe in RECIPES:
        for layer, numbers_ in layers.items():
            # One by one: a dead channel of `original` must not cost the others.
            for channel in numbers_:
                words = ["--layer", layer, "--channel", channel, "--recipe", recipe, "-o", f"{folder}/{recipe}-{layer}-{channel}.png"]
                words += ["--size", 2 * size if recipe == "maco" else size]
                try:
                    found[recipe, layer, channel] = render(network, words, folder)[0]
                except subprocess.CalledProcessError:
                    found[recipe, layer, channel] = None
    keys = [(layer, channel) for layer, all_ in layers.items() for channel in all_]
    cell = lambda done: done and (done["output"], numbers(done))
    rows = [(f"{layer}\n{channel}", [cell(found[recipe, layer, channel]) for recipe in RECIPES]) for layer, channel in keys]
    sheet(RECIPES, rows, f"docs/gallery-{network}.jpg")
    text = ["| layer | channel | " + " | ".join(RECIPES) + " |", "|---|---|" + "---|" * len(RECIPES)]
    for layer, channel in keys:
        told = [found[recipe, layer, channel] for recipe in RECIPES]
        text.append(f"| `{layer}` | {channel} | " + " | ".join(numbers(done) if done else "dead" for done in told) + " |")
    return text


def from_picture(network, folder):
    """The three recipes that begin with a picture."""
    layer, channel = FROM_PICTURE[network]
    size = NETWORKS[network][0]
    cells = [(PHOTO, "the picture they begin with")]
    for recipe in ["dream", "caricature", "accentuate"]:
        words = ["--layer", layer, "--recipe", recipe, "--init", PHOTO, "--size", size, "-o", f"{folder}/{recipe}.png"]
        done = render(network, words + (["--channel", channel] if recipe == "accentuate" else []), folder)[0]
        cells.append((done["output"], numbers(done)))
    sheet(["", "dream", "caricature", "accentuate"], [(f"{layer}\n({channel})", cells)], f"docs/gallery-{network}-picture.jpg")


def strip():
    gallery = Image.open("docs/gallery-minivgg.jpg")
    image = Image.new("RGB", (len(STRIP) * (CELL + MARGIN) - MARGIN, CELL), BACK)
    for column, row in enumerate(STRIP):
        x, y = MARGIN + 120, HEAD + row * (CELL + CAPTION + MARGIN)
        image.paste(gallery.crop((x, y, x + CELL, y + CELL)), (column * (CELL + MARGIN), 0))
    image.save("docs/gallery-strip.jpg", quality=88, optimize=True)


def section(network):
    with tempfile.TemporaryDirectory() as folder:
        table = channels(network, folder)
        from_picture(network, folder)
    return [
        f"## {network}",
        "",
        f"![Channels of {network} by recipe](gallery-{network}.jpg)",
        "",
        *table,
        "",
        "Activation of the clean 8-bit file, and its mean over 32 transforms of it; `maco` at twice the size.",
        "",
        f"![A picture changed by the three recipes that begin with one](gallery-{network}-picture.jpg)",
        "",
    ]


def main():
    network = sys.argv[1] if len(sys.argv) > 1 else "minivgg"
    if network == "strip":
        return strip()
    head = ["# Gallery", "", "`docs/gallery.py` draws this page and says how. The channels are examples, chosen by eye; the seed is 0 throughout.", ""]
    old = PAGE.read_text().split("## ")[1:] if PAGE.exists() else []
    kept = {part.split("\n", 1)[0]: "## " + part for part in old}
    kept[network] = "\n".join(section(network)) + "\n"
    PAGE.write_text("\n".join(head) + "\n" + "".join(kept[name] for name in NETWORKS if name in kept))


if __name__ == "__main__":
    main()
