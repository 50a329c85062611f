"""The small still map of the field page: the way to a task, or the streets of the own grid, as an SVG of 358 by 190."""

from __future__ import annotations

from collections.abc import Iterable

from dispatch.field_model import PICTURE, Way
from layers.style import LIGHT

WIDE, HIGH = PICTURE
Point = tuple[float, float]


def drawing(way: Way, *, marked: bool) -> str:
    """Return the picture; ``marked`` puts the sign of the task at its goal."""
    west, south, east, north = way.box
    fine = 1.0 if north - south < 0.012 else 0.7 if north - south < 0.06 else 0.5

    def at(point: Point) -> str:
        return f"{(point[0] - west) / (east - west) * WIDE:.1f} {(north - point[1]) / (north - south) * HIGH:.1f}"

    def path(lines: Iterable[tuple[Point, ...]], colour: str, width: float) -> str:
        drawn = "".join("M" + "L".join(at(point) for point in line) for line in lines)
        return f'<path d="{drawn}" stroke="{colour}" stroke-width="{width:.1f}"/>' if drawn else ""

    small, large = ([road for main, road in way.roads if main is wide] for wide in (False, True))
    parts = [
        path(small, LIGHT.casing, 5.2 * fine),
        path(large, LIGHT.casing, 8 * fine),
        path(small, LIGHT.road, 3.6 * fine),
        path(large, LIGHT.road, 6.2 * fine),
        path([way.line] if way.line else [], LIGHT.surface, 7),
        path([way.line] if way.line else [], LIGHT.primary, 4),
    ]
    for point, radius, fill in ((way.line[0] if way.line else None, 5, LIGHT.surface), (way.goal, 8, LIGHT.primary)):
        if point is not None and (marked or radius == 5):
            x, y = at(point).split()
            edge = LIGHT.primary if radius == 5 else LIGHT.surface
            parts.append(f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}" stroke="{edge}" stroke-width="3"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}">'
        f'<rect width="{WIDE}" height="{HIGH}" fill="{LIGHT.land}"/>'
        f'<g fill="none" stroke-linecap="round" stroke-linejoin="round">{"".join(parts)}</g></svg>'
    )
