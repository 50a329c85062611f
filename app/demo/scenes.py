"""Street scenes as photos of a demo city: drawn, labelled as generated, the same seed the same scene (pure)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from incidents.evidence import Box

Draw = ImageDraw.ImageDraw
Colour = tuple[int, int, int]

WIDTH, HEIGHT = 800, 600
SIZE = (640, 480)
"""It is drawn in the first size and kept in the second."""
KERB, ROAD = 380, 430
LABEL = "GENERATED PICTURE"
WALLS: tuple[Colour, ...] = ((196, 178, 155), (172, 120, 100), (205, 200, 190), (150, 160, 168), (188, 160, 120))
CARS: tuple[Colour, ...] = ((150, 40, 40), (40, 70, 120), (90, 95, 100), (220, 220, 215), (40, 90, 70))


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture, and where in it a face or a plate was drawn."""

    image: Image.Image
    boxes: tuple[Box, ...]


def scene(kind: str, seed: int, *, after: bool) -> Scene:
    """Return the street of a seed with the problem of a kind of incident in it, or without it ``after``."""
    rng = np.random.default_rng([seed, 7])
    image = Image.new("RGB", (WIDTH, HEIGHT), (186, 205, 220))
    draw = ImageDraw.Draw(image)
    _houses(draw, rng)
    draw.rectangle([0, KERB, WIDTH, ROAD], fill=(176, 172, 164))
    draw.rectangle([0, ROAD, WIDTH, HEIGHT], fill=(96, 98, 102))
    draw.line([(0, ROAD), (WIDTH, ROAD)], fill=(210, 208, 202), width=6)
    for x in range(20, WIDTH, 150):
        draw.rectangle([x, 510, x + 80, 518], fill=(214, 214, 208))
    boxes: list[Box] = []
    if rng.random() < 0.6:
        boxes += _car(draw, rng, int(rng.choice([8, 24, 528])))
    if rng.random() < 0.4:
        boxes += _walker(draw, rng, int(rng.choice([300, 620, 740])))
    light = float(rng.uniform(0.86, 1.0))
    _thing(kind, draw, rng, after=after)
    if after:
        light = float(rng.uniform(0.9, 1.08))
    small = np.asarray(image.resize(SIZE, Image.Resampling.BILINEAR), dtype=np.float32)
    image = Image.fromarray(np.clip(small * light + _grain(), 0, 255).astype(np.uint8))
    ImageDraw.Draw(image).text(
        (10, SIZE[1] - 24), LABEL, fill="white", font_size=15, stroke_width=2, stroke_fill=(40, 40, 40)
    )
    part = SIZE[0] / WIDTH
    return Scene(image, tuple(_scaled(box, part) for box in boxes))


def _scaled(box: Box, part: float) -> Box:
    return Box(round(box.x * part), round(box.y * part), round(box.width * part), round(box.height * part), box.kind)


@cache
def _grain() -> NDArray[np.float32]:
    """Return the noise of a camera."""
    return np.random.default_rng(3).normal(0, 3.5, (SIZE[1], SIZE[0], 1)).astype(np.float32)


def _thing(kind: str, draw: Draw, rng: np.random.Generator, *, after: bool) -> None:
    """Draw the problem, or ``after`` the thing that stands again."""
    upright = next((name for start, name in _STANDING.items() if kind.startswith(start)), None)
    if upright is not None:
        upright(draw, fallen=not after)
    elif not after:
        _PROBLEMS.get(kind, _hole if kind.startswith("component-01") else _heap)(draw, rng)


def _pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    return colours[int(rng.integers(len(colours)))]


def _houses(draw: Draw, rng: np.random.Generator) -> None:
    x = 0
    while x < WIDTH:
        width, top = int(rng.integers(120, 240)), int(rng.integers(40, 170))
        draw.rectangle([x, top, x + width, KERB], fill=_pick(rng, WALLS))
        for row in range(top + 24, KERB - 90, 64):
            for column in range(x + 18, x + width - 34, 52):
                draw.rectangle([column, row, column + 26, row + 38], fill=(78, 94, 108), outline=(232, 230, 224))
        door = x + width // 2
        draw.rectangle([door - 18, KERB - 74, door + 18, KERB], fill=(88, 62, 48))
        x += width


def _car(draw: Draw, rng: np.random.Generator, x: int) -> list[Box]:
    colour = _pick(rng, CARS)
    draw.rounded_rectangle([x, 420, x + 250, 500], 18, fill=colour)
    draw.polygon([(x + 40, 422), (x + 80, 374), (x + 180, 374), (x + 216, 422)], fill=colour)
    draw.polygon([(x + 54, 420), (x + 86, 382), (x + 174, 382), (x + 200, 420)], fill=(110, 130, 142))
    for wheel in (x + 30, x + 178):
        draw.ellipse([wheel, 474, wheel + 46, 520], fill=(34, 34, 36))
    plate = Box(x + 92, 464, 74, 22, "plate")
    draw.rectangle([plate.x, plate.y, plate.x + plate.width, plate.y + plate.height], fill=(240, 205, 70))
    letters = "".join(chr(65 + int(number)) for number in rng.integers(0, 26, 3))
    draw.text((plate.x + 37, plate.y + 11), f"GK {letters}", fill=(20, 20, 20), font_size=17, anchor="mm")
    return [plate]


def _walker(draw: Draw, rng: np.random.Generator, x: int) -> list[Box]:
    coat = _pick(rng, CARS)
    draw.rectangle([x - 12, 396, x - 2, 440], fill=(50, 52, 60))
    draw.rectangle([x + 2, 396, x + 12, 440], fill=(50, 52, 60))
    draw.rounded_rectangle([x - 20, 322, x + 20, 400], 10, fill=coat)
    face = Box(x - 14, 286, 28, 36, "face")
    draw.ellipse([face.x, face.y, face.x + face.width, face.y + face.height], fill=(222, 184, 156))
    draw.pieslice([face.x, face.y - 2, face.x + face.width, face.y + 26], 180, 360, fill=(60, 44, 36))
    for eye in (x - 6, x + 6):
        draw.ellipse([eye - 2, 302, eye + 2, 306], fill=(50, 40, 40))
    draw.line([(x - 5, 315), (x + 5, 315)], fill=(150, 80, 74), width=2)
    return [face]


def _heap(draw: Draw, rng: np.random.Generator) -> None:
    """Draw bags and boxes on the pavement."""
    for _ in range(16):
        x, y = int(rng.normal(430, 60)), int(rng.normal(404, 18))
        size = int(rng.integers(22, 46))
        grey = int(rng.integers(30, 80))
        if rng.random() < 0.65:
            draw.ellipse([x, y - size, x + size, y], fill=(grey, grey + 6, grey + 4))
        else:
            draw.rectangle([x, y - size, x + size, y], fill=(168, 132, 88), outline=(120, 92, 60))


def _debris(draw: Draw, rng: np.random.Generator) -> None:
    """Draw a cone of rubble at the kerb."""
    draw.polygon([(330, 448), (450, 350), (570, 448)], fill=(150, 138, 122))
    for _ in range(120):
        x, y = int(rng.normal(450, 52)), int(rng.integers(366, 448))
        if abs(x - 450) < (y - 346) * 1.2:
            size, grey = int(rng.integers(3, 10)), int(rng.integers(105, 190))
            draw.rectangle([x, y, x + size, y + size], fill=(grey, grey - 10, grey - 22))


def _posters(draw: Draw, rng: np.random.Generator) -> None:
    """Draw small sheets on the walls."""
    for _ in range(14):
        x, y = int(rng.integers(200, 620)), int(rng.integers(240, 340))
        draw.rectangle([x, y, x + 34, y + 44], fill=(246, 244, 232), outline=(160, 160, 150))
        for line in range(y + 8, y + 40, 8):
            draw.line([(x + 5, line), (x + int(rng.integers(16, 29)), line)], fill=(170, 50, 44), width=3)


def _hole(draw: Draw, rng: np.random.Generator) -> None:
    """Draw a hole in the road."""
    x = int(rng.integers(330, 460))
    draw.ellipse([x, 520, x + 190, 580], fill=(70, 68, 66))
    draw.ellipse([x + 18, 530, x + 168, 574], fill=(44, 42, 40))


def _water(draw: Draw, rng: np.random.Generator) -> None:
    """Draw water over half the road."""
    x = int(rng.integers(150, 260))
    draw.ellipse([x, 440, x + 440, 580], fill=(112, 132, 146))
    draw.ellipse([x + 70, 468, x + 330, 546], fill=(136, 156, 170))


def _wreck(draw: Draw, rng: np.random.Generator) -> None:
    """Draw a car that nobody drives any more; it has no plate."""
    x = int(rng.integers(270, 380))
    draw.rounded_rectangle([x, 410, x + 250, 486], 12, fill=(124, 104, 84))
    draw.polygon([(x + 40, 412), (x + 84, 362), (x + 180, 362), (x + 216, 412)], fill=(118, 98, 80))
    for _ in range(26):
        left, top = x + int(rng.integers(6, 236)), int(rng.integers(416, 478))
        draw.ellipse([left, top, left + 16, top + 8], fill=(150, 84, 48))
    draw.ellipse([x + 30, 462, x + 76, 500], fill=(40, 38, 36))


def _shed(draw: Draw, rng: np.random.Generator) -> None:
    """Draw a shed of sheet metal in front of a house."""
    x = int(rng.integers(300, 420))
    draw.rectangle([x, 286, x + 190, 408], fill=(122, 146, 158))
    for line in range(x, x + 190, 12):
        draw.line([(line, 286), (line, 408)], fill=(98, 122, 134), width=3)
    draw.polygon([(x - 14, 288), (x + 95, 248), (x + 204, 288)], fill=(86, 104, 114))


def _goods(draw: Draw, rng: np.random.Generator) -> None:
    """Draw crates in the way."""
    for column in range(5):
        for row in range(int(rng.integers(1, 4))):
            x, y = 330 + column * 46, 420 - row * 34
            draw.rectangle([x, y - 32, x + 42, y], fill=(190, 120, 60), outline=(120, 72, 36), width=3)


def _tree(draw: Draw, *, fallen: bool) -> None:
    """Draw a street tree, standing or across the pavement."""
    if fallen:
        draw.rectangle([330, 400, 480, 418], fill=(96, 70, 48))
        draw.ellipse([450, 350, 620, 460], fill=(78, 112, 66))
        return
    draw.rectangle([436, 250, 454, 408], fill=(96, 70, 48))
    draw.ellipse([370, 150, 520, 300], fill=(84, 122, 72))


def _post(draw: Draw, *, fallen: bool) -> None:
    """Draw a lamp or a sign on its post, standing or on the ground."""
    if fallen:
        draw.line([(350, 420), (540, 396)], fill=(70, 74, 80), width=9)
        draw.ellipse([524, 372, 578, 424], fill=(200, 60, 50), outline=(240, 240, 236), width=5)
        return
    draw.line([(444, 220), (444, 412)], fill=(70, 74, 80), width=9)
    draw.ellipse([416, 176, 472, 232], fill=(200, 60, 50), outline=(240, 240, 236), width=5)


_STANDING: dict[str, Callable[..., None]] = {
    "component-04": _tree,
    "component-02": _post,
    "component-01-17": _post,
    "component-01-18": _post,
}
"""What stands again afterwards, by the beginning of the class."""
_PROBLEMS: dict[str, Callable[[Draw, np.random.Generator], None]] = {
    "event-01-01": _shed,
    "event-01-03": _debris,
    "event-01-07": _wreck,
    "event-01-11": _water,
    "event-02-01": _posters,
    "event-03-06": _hole,
    "event-04-01": _hole,
    "event-04-02": _water,
    "event-04-04": _water,
    "event-05-07": _goods,
}
"""What is drawn for a class; refuse for all others."""
