"""What is found of drawn faces and plates, and how long a photo takes: ``python tests/bench/bench_evidence.py``.

Real faces are not measured: no photographs of people lie in the checkout, and none are fetched.
"""

from __future__ import annotations

import platform
import random
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import PIL
from figures import SHORT
from PIL import Image, ImageDraw, ImageFilter

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from incidents.evidence import Box, blurred, clean, enlarged
from incidents.evidence_find import find
from tests.photos import as_bytes, face

PICTURES = 4 if SHORT else 16
STYLES = {
    "blue, white signs": ((20, 60, 160), "white", 3.14),
    "green, black signs": ((150, 220, 160), "black", 3.4),
    "white, black signs": ((245, 245, 245), "black", 4.6),
    "yellow, black signs": ((240, 200, 40), "black", 4.6),
}
SIZES_PX = (60, 90, 130, 200)
FACES_PX = (30, 45, 70, 120)


def plate(image: Image.Image, at: tuple[int, int], width: int, style: str, draw: random.Random) -> Box:
    """Draw a plate, turned by up to ten degrees, and return where it is."""
    ground, ink, aspect = STYLES[style]
    height, fine = int(width / aspect), 4
    made = Image.new("RGBA", (width * fine, height * fine))
    pen = ImageDraw.Draw(made)
    pen.rounded_rectangle([0, 0, width * fine - 1, height * fine - 1], height * fine // 8, fill=ground, outline=ink)
    signs = "".join(draw.choice("ABCDEFGHJKLMNPRSTUVWXYZ0123456789") for _ in range(7))
    size = height * fine * 0.75
    while pen.textlength(signs, font_size=size) > width * fine * 0.92:
        size *= 0.95
    middle = (width * fine / 2, height * fine / 2)
    pen.text(middle, signs, fill=ink, font_size=size, anchor="mm", stroke_width=int(fine * width / 120))
    made = made.resize((width, height)).rotate(draw.uniform(-10, 10), expand=True, resample=Image.Resampling.BICUBIC)
    image.paste(made, at, made)
    return Box(*at, *made.size, "plate")


def covered(wanted: Box, found: tuple[Box, ...], size: tuple[int, int]) -> bool:
    """Return whether seven tenths of what was drawn would be blurred by one box."""
    for box in found:
        left, top, right, bottom = enlarged(box, size)
        across = min(right, wanted.x + wanted.width) - max(left, wanted.x)
        along = min(bottom, wanted.y + wanted.height) - max(top, wanted.y)
        if max(0, across) * max(0, along) > 0.7 * wanted.width * wanted.height:
            return True
    return False


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def main() -> None:
    """Draw, look, count, and print a page."""
    draw = random.Random(1)
    hits: dict[tuple[str, str], list[bool]] = defaultdict(list)
    times: dict[str, list[float]] = defaultdict(list)
    extra = 0
    styles = list(STYLES)
    for number in range(PICTURES):
        noise = np.random.default_rng(number).normal(130, 12, (75, 100, 3))
        image = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).resize((1600, 1200), Image.Resampling.BICUBIC)
        pen = ImageDraw.Draw(image)
        pen.rectangle([0, 700, 1600, 1200], fill=(90, 90, 92))
        pen.rectangle([300, 500, 1200, 950], fill=tuple(draw.randrange(30, 230) for _ in range(3)))
        style, width = styles[number % 4], SIZES_PX[number // 4 % 4]
        drawn = [plate(image, (draw.randrange(320, 850), draw.randrange(520, 850)), width, style, draw)]
        size = FACES_PX[number % 4]
        at = (draw.randrange(20, 150), draw.randrange(50, 300))
        face(pen, *at, size)
        drawn.append(Box(*at, size, int(1.25 * size), "face"))
        data = as_bytes(image.filter(ImageFilter.GaussianBlur(draw.choice([0, 0.7, 1.3]))), quality=88)
        began = time.process_time()
        photo = clean(data)
        times["check and draw anew"].append(time.process_time() - began)
        began = time.process_time()
        found = find(photo.jpeg)
        times["look for faces and plates"].append(time.process_time() - began)
        began = time.process_time()
        blurred(photo.jpeg, found)
        times["blur what was found"].append(time.process_time() - began)
        there = [covered(box, found, (photo.width, photo.height)) for box in drawn]
        hits["plate, width px", f"{width:>3}"].append(there[0])
        hits["plate", style].append(there[0])
        hits["face (a drawing), width px", f"{size:>3}"].append(there[1])
        extra += len(found) - sum(there)
    _say(f"{PICTURES} pictures of 1600 × 1200; Python {platform.python_version()}, OpenCV {cv2.__version__},"
          f" Pillow {PIL.__version__}; {platform.machine()}.\n")  # fmt: skip
    _say("| What | Kind | Covered |\n|---|---|---|")
    for (what, kind), came in sorted(hits.items()):
        _say(f"| {what} | {kind.strip()} | {sum(came)} of {len(came)} |")
    _say(f"\nBoxes on nothing that was drawn: {extra / PICTURES:.1f} a picture.\n")
    _say("| Step | CPU seconds, median |\n|---|---|")
    for step, took in times.items():
        _say(f"| {step} | {statistics.median(took):.2f} |")


if __name__ == "__main__":
    main()
