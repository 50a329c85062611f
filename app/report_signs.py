"""Words and signs upon a map of a report: names that cover neither each other nor a site, the scale, the north."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from app import i18n, study_kind_words
from app.i18n import t
from layers.style import LIGHT

if TYPE_CHECKING:
    from app.report_map import Frame
    from planning.reporting import Ground

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]
STEPS_M = (50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10_000, 20_000, 25_000)
EDGE, BOTTOM = 8.0, 60.0
"""So near to the edge of a picture no word stands; at the bottom are its scale and its north."""
ALONG = (0.5, 0.3, 0.7, 0.15, 0.85)
"""Where along a street its name is tried."""


def around(places: Floats, radius: float) -> list[Box]:
    """Return what signs of so much radius take, at places of a picture."""
    return [(float(x) - radius, float(y) - radius, float(x) + radius, float(y) + radius) for x, y in places]


def named_places(
    ground: Ground, frame: Frame, most: int, sign: float, *, taken: Sequence[Box] = (), avoided: Sequence[Box] = ()
) -> str:
    """Return names of places that lie neither upon each other nor upon what is taken; close maps name their streets.

    Parameters
    ----------
    avoided
        What a name lies upon only where it has no other place.
    """
    full: list[Box] = list(taken)
    made: list[str] = []
    for text, plain, places in _candidates(ground, frame):
        if len(made) >= most:
            break
        size = plain * sign
        half, tall = sum(size * (1.0 if ord(letter) > 0x2E80 else 0.52) for letter in text) / 2, size * 0.7
        boxes = [(x - half - 6, y - tall - 4, x + half + 6, y + tall + 4) for x, y in places]
        free = [at for at, box in enumerate(boxes) if _free(box, full, frame.wide, frame.high)]
        if free:
            at = next((at for at in free if _free(boxes[at], avoided, frame.wide, frame.high)), free[0])
            full.append(boxes[at])
            made.append(_name(text, *places[at], size))
    return "".join(made)


def _free(box: Box, full: Sequence[Box], wide: float, high: float) -> bool:
    """Return whether a word stands inside the picture and upon nothing."""
    if box[0] < EDGE or box[2] > wide - EDGE or box[1] < EDGE or box[3] > high - BOTTOM:
        return False
    return not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in full)


def _name(text: str, x: float, y: float, size: float) -> str:
    halo, words = LIGHT.halo, escape(text)
    common = f'x="{x:.1f}" y="{y + size * 0.35:.1f}" text-anchor="middle" font-size="{size:g}" font-weight="600"'
    return (
        f'<text {common} fill="{halo}" stroke="{halo}" stroke-width="5" stroke-linejoin="round">{words}</text>'
        f'<text {common} fill="{LIGHT.text}">{words}</text>'
    )


def _candidates(ground: Ground, frame: Frame) -> Iterable[tuple[str, float, list[tuple[float, float]]]]:
    """Return names, how large they are, and where each could stand, the best first."""
    sizes = {"city": 26.0, "town": 23.0, "village": 18.0, "suburb": 19.0}
    if not frame.close:
        for kind, name, name_zh, point in ground.places:
            if frame.box.contains(point):
                ((x, y),) = frame.xy(shapely.get_coordinates(point))
                at = [(float(x), float(y) + by) for by in (-18.0, 24.0, -34.0, 40.0)]
                yield i18n.either(name, name_zh), sizes.get(kind, 18.0), at
        return
    lines: dict[str, list[Any]] = {}
    for _, name, name_zh, line in ground.streets:
        inside = shapely.intersection(line, frame.box) if name else shapely.LineString()
        if inside.length > 0:  # one that only touches the picture has no place for its name
            lines.setdefault(i18n.either(name, name_zh), []).append(inside)
    for text, parts in sorted(lines.items(), key=lambda each: (-sum(part.length for part in each[1]), each[0])):
        longest = _one(max(parts, key=lambda part: float(part.length)))
        points = shapely.line_interpolate_point(longest, ALONG, normalized=True)
        yield text, 20.0, [(float(x), float(y)) for x, y in frame.xy(shapely.get_coordinates(points))]


def _one(line: Any) -> Any:
    return max(shapely.get_parts(line), key=lambda part: float(part.length))


def scale_bar(frame: Frame, sign: float) -> str:
    """Return the scale of a map, at its lower left."""
    metres = max((step for step in STEPS_M if step * frame.scale <= 240 * sign), default=STEPS_M[0])
    long, size = metres * frame.scale, 18 * sign
    x, y = 24.0, frame.high - 26
    words = study_kind_words.distance(metres)
    return (
        f'<rect x="{x - 12:g}" y="{y - size - 14:.1f}" width="{long + 24:.1f}" height="{size + 28:g}"'
        f' fill="{LIGHT.surface}" fill-opacity="0.85"/><path d="M{x:g} {y - 6:.1f}v6h{long:.1f}v-6" fill="none"'
        f' stroke="{LIGHT.text}" stroke-width="{2 * sign:g}"/><text x="{x + long / 2:.1f}" y="{y - 9:.1f}"'
        f' text-anchor="middle" font-size="{size:g}" fill="{LIGHT.text}">{escape(words)}</text>'
    )


def north_arrow(frame: Frame, sign: float) -> str:
    """Return the arrow to the north, at the lower right."""
    drawn = (
        f'<rect x="-22" y="-10" width="44" height="66" fill="{LIGHT.surface}" fill-opacity="0.85"/>'
        f'<path d="M0 -4l9 28l-9 -6l-9 6z" fill="{LIGHT.text}"/>'
        f'<text x="0" y="46" text-anchor="middle" font-size="20" font-weight="600" fill="{LIGHT.text}">'
        f"{escape(t('N'))}</text>"
    )
    x, y = frame.wide - 8 - 24 * sign, frame.high - 8 - 58 * sign
    return f'<g transform="translate({x:.1f} {y:.1f}) scale({sign:g})">{drawn}</g>'
