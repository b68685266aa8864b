"""Draws docs/gallery.png: twelve channels of three layers of minivgg by the recipe `pixel`, 96 px, seed 0.

Needs Pillow, and the release binary (cargo build --release). Run from the repository's root:
    python3 docs/gallery.py
"""
import json
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

BINARY = "target/release/trepang"
CHANNELS = {
    "block3_conv2": [80, 73, 21, 9],
    "block4_conv2": [47, 20, 17, 8],
    "block5_conv2": [30, 140, 145, 78],
}
SIDE, SCALE, MARGIN, CAPTION = 96, 2, 8, 20


def render(layer, channel, folder):
    """The picture and what `render` says of it."""
    out = Path(folder) / f"{layer}-{channel}.png"
    command = [BINARY, "render", "--layer", layer, "--channel", str(channel), "--size", str(SIDE), "--json"]
    lines = subprocess.run([*command, "--runs", folder, "-o", out], check=True, capture_output=True, text=True).stdout
    return Image.open(out).convert("RGB"), json.loads(lines.splitlines()[-1])


def main():
    side = SIDE * SCALE
    columns = max(map(len, CHANNELS.values()))
    size = (columns * (side + MARGIN) + MARGIN, len(CHANNELS) * (side + CAPTION + MARGIN) + MARGIN)
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    with tempfile.TemporaryDirectory() as folder:
        for row, (layer, channels) in enumerate(CHANNELS.items()):
            for column, channel in enumerate(channels):
                picture, done = render(layer, channel, folder)
                x = MARGIN + column * (side + MARGIN)
                y = MARGIN + row * (side + CAPTION + MARGIN)
                sheet.paste(picture.resize((side, side), Image.NEAREST), (x, y))
                caption = f"{layer} {channel}: {done['activation_saved']:.1f}"
                draw.text((x, y + side + 3), caption, fill="black", font=font)
    sheet.save("docs/gallery.png", optimize=True)


if __name__ == "__main__":
    main()
