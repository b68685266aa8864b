"""Writes pictures/: one small picture in kinds of files that the tests' own encoders do not write, with what Pillow reads
of each.

    python3 -m pip install pillow==13.0.0 && python3 tests/golden/make_pictures.py
"""

import io
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent / "pictures"
SIZE = (48, 32)

picture = Image.new("RGB", SIZE)
picture.putdata([(5 * x, 7 * y, 255 - 2 * x - 3 * y) for y in range(SIZE[1]) for x in range(SIZE[0])])
HERE.mkdir(exist_ok=True)


def save(name, image, **options):
    image.save(HERE / name, **options)
    Image.open(HERE / name).convert("RGB").save(HERE / (name + ".png"))


save("progressive.jpg", picture, quality=90, progressive=True)
save("cmyk.jpg", picture.convert("CMYK"), quality=90)
save("gray.jpg", picture.convert("L"), quality=90)
save("lossy.webp", picture, quality=80)
save("group4.tiff", picture.convert("1"), compression="group4")
save("moving.gif", picture, save_all=True, append_images=[picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)])

# Adobe's YCCK: Pillow writes four components as they are, so they are turned into YCCK before, and the mark says so after.
ink = picture.convert("CMYK").split()
black = Image.eval(ink[0], lambda level: level // 4)
red, green, blue = (Image.eval(band, lambda level: 3 * level // 4) for band in ink[:3])
luma = Image.merge("RGB", (red, green, blue)).convert("YCbCr").split()
stored = [Image.eval(band, lambda level: 255 - level) for band in luma] + [black]
buffer = io.BytesIO()
Image.merge("CMYK", stored).save(buffer, "JPEG", quality=95)
data = bytearray(buffer.getvalue())
data[data.index(b"Adobe") + 11] = 2
(HERE / "ycck.jpg").write_bytes(data)
Image.open(HERE / "ycck.jpg").convert("RGB").save(HERE / "ycck.jpg.png")

# Without what Pillow reads: for the tests of cut files. Sides that no unit of 16 pixels divides, with restart markers.
odd = picture.crop((0, 0, 37, 29))
odd.save(HERE / "restarts.jpg", quality=60, restart_marker_blocks=2)
odd.save(HERE / "progressive-restarts.jpg", quality=60, progressive=True, restart_marker_blocks=2)
