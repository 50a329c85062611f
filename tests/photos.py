"""Photos for tests, drawn: a street with a face and a plate that the detectors find; nothing is fetched."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from incidents.evidence import Box
from incidents.evidence_find import find
from incidents.evidence_model import Prepared
from incidents.service.evidence import prepare

FACE = Box(60, 80, 80, 100, "face")
PLATE = Box(330, 275, 140, 44, "plate")
INK = (20, 60, 160)


def street(seed: int = 0, size: tuple[int, int] = (640, 480), text: str = "KF63 BZA") -> Image.Image:
    """Return a picture of a street: noise, a road, a car with a plate, somebody's face."""
    image = _street(seed, text, (640, 480))
    return image if image.size == size else image.resize(size)


def _street(seed: int, text: str, size: tuple[int, int]) -> Image.Image:
    rng = np.random.default_rng(seed)
    ground = np.clip(rng.normal(140, 10, (size[1] // 16, size[0] // 16, 3)), 0, 255).astype(np.uint8)
    image = Image.fromarray(ground).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    draw.rectangle([0, 320, size[0], size[1]], fill=(92, 92, 96))
    draw.rectangle([255, 190, 560, 345], fill=(150, 40, 40))
    draw.rectangle([PLATE.x, PLATE.y, PLATE.x + PLATE.width, PLATE.y + PLATE.height], fill=INK, outline="white")
    middle = (PLATE.x + PLATE.width / 2, PLATE.y + PLATE.height / 2)
    draw.text(middle, text, fill="white", font_size=26, anchor="mm", stroke_width=1)
    face(draw, FACE.x, FACE.y, FACE.width)
    return image


def face(draw: ImageDraw.ImageDraw, x: float, y: float, s: float) -> None:
    """Draw what a detector takes for a face."""
    draw.ellipse([x, y, x + s, y + 1.25 * s], fill=(224, 184, 155))
    draw.rectangle([x + 0.1 * s, y, x + 0.9 * s, y + 0.22 * s], fill=(50, 35, 25))
    for eye in (0.28, 0.72):
        draw.ellipse([x + (eye - 0.12) * s, y + 0.42 * s, x + (eye + 0.12) * s, y + 0.56 * s], fill=(90, 60, 50))
        draw.rectangle([x + (eye - 0.14) * s, y + 0.36 * s, x + (eye + 0.14) * s, y + 0.41 * s], fill=(50, 35, 25))
    nose = [(x + 0.5 * s, y + 0.5 * s), (x + 0.42 * s, y + 0.8 * s), (x + 0.58 * s, y + 0.8 * s)]
    draw.polygon(nose, fill=(235, 195, 168))
    draw.rectangle([x + 0.3 * s, y + 0.92 * s, x + 0.7 * s, y + 1.0 * s], fill=(150, 70, 70))


def as_bytes(image: Image.Image, form: str = "JPEG", **more: object) -> bytes:
    out = BytesIO()
    image.save(out, form, **more)
    return out.getvalue()


@cache
def prepared(seed: int = 0) -> Prepared:
    """Return a checked photo; the same seed gives the same one."""
    return prepare(as_bytes(street(seed)))


__all__ = ["FACE", "PLATE", "as_bytes", "face", "find", "prepared", "street"]
