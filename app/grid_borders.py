"""Why the borders of a grid are where they are: words, colours, the list by side, and the lines on a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import quote

import folium
import shapely

from app import i18n, widgets
from app.i18n import t, tn
from app.widgets import Cell, Column
from grids.border_model import Stretch
from layers.style import LIGHT

ROWS_SHOWN = 14
LOOKS: dict[str, tuple[str, str]] = {
    "street": (LIGHT.primary, ""),
    "railway": (LIGHT.text, "8 4"),
    "river": ("#2F76A8", ""),
    "path": ("#8A6D3B", "2 4"),
    "community": ("#7B4B94", "10 4 2 4"),
    "city": (LIGHT.text, ""),
    "hand": (LIGHT.overdue, "6 3"),
    "method": (LIGHT.closed, ""),
    "cut": (LIGHT.due_soon, "7 5"),
}
"""Colour and dashes of each reason, on every map of grids."""


def reason_words() -> dict[str, str]:
    """Return the reasons of borders in words."""
    return {
        "street": t("street"),
        "railway": t("railway"),
        "river": t("river or bank"),
        "path": t("path"),
        "community": t("community line"),
        "city": t("boundary of the city"),
        "hand": t("cut by hand"),
        "method": t("as the method draws it"),
        "cut": t("shortest cut"),
    }


def direction_words() -> dict[str, str]:
    """Return the directions in words."""
    return {
        "north": t("north"), "north-east": t("north-east"), "east": t("east"), "south-east": t("south-east"),
        "south": t("south"), "south-west": t("south-west"), "west": t("west"), "north-west": t("north-west"),
    }  # fmt: skip


def told(kind: str, name: str, method: str = "") -> str:
    """Return why a border is there: its name where it has one, else the reason; of squares the shape."""
    of_method = {
        "square": t("side of the square"),
        "hexagon": t("side of the hexagon"),
        "h3": t("side of the H3 cell"),
        "voronoi": t("halfway between two points"),
        "file": t("as the file has it"),
    }
    word = reason_words()[kind]
    if kind == "method":
        word = of_method.get(method, word)
    return t("{name} ({kind})", name=name, kind=word) if name else word


def table(found: Sequence[Stretch], *, method: str = "", address: str = "/grid-file?grid={id}") -> None:
    """Put the stretches by side; those of one side along the same line stand in one row."""
    where = direction_words()
    together: dict[tuple[str, str, str], list[Stretch]] = {}
    for each in found:
        together.setdefault((each.direction, each.kind, each.name), []).append(each)
    rows = list(together.items())
    shown = rows
    if len(rows) > ROWS_SHOWN:
        longest = sorted(rows, key=lambda row: -sum(each.length_m for each in row[1]))[:ROWS_SHOWN]
        shown = [row for row in rows if row in longest]
    widgets.table(
        [Column(t("Side")), Column(t("Runs along")), Column(t("Beyond"), wide=True), Column(t("Metres"), right=True)],
        [
            (
                where[direction],
                told(kind, name, method),
                _beyond(several, address),
                i18n.number(sum(each.length_m for each in several)),
            )
            for (direction, kind, name), several in shown
        ],
    )
    rest = len(rows) - len(shown)
    if rest:
        widgets.note(tn("and {count} shorter stretch.", "and {count} shorter stretches.", rest))


def _beyond(several: Sequence[Stretch], address: str) -> Cell:
    codes = {each.neighbour_id: each.neighbour for each in several if each.neighbour_id is not None and each.neighbour}
    if not address:
        return ", ".join(codes.values()) or "–"
    links = ", ".join(widgets.link(code, address.format(id=identity)).text for identity, code in codes.items())
    return widgets.Html(links) if links else "–"


def drawn(found: Sequence[Stretch], *, method: str = "") -> list[folium.GeoJson]:
    """Return the stretches for a map, coloured by reason; each says why where the pointer is on it, or a tap."""
    where = direction_words()
    lines = []
    for each in found:
        colour, dashes = LOOKS[each.kind]
        words = f"{where[each.direction]}: {told(each.kind, each.name, method)}"
        line = folium.GeoJson(
            shapely.geometry.mapping(each.line),
            style_function=lambda _, colour=colour, dashes=dashes: {
                "color": colour, "weight": 5, "opacity": 0.9, "dashArray": dashes or None
            },
            tooltip=folium.Tooltip(escape(words), sticky=True),
        )  # fmt: skip
        lines.append(line)
    return lines


def legend(kinds: Mapping[str, float], *, shares: bool = True) -> str:
    """Return the reasons that occur as HTML: a stroke, the word, and the share of the length where it is known."""
    words = reason_words()
    whole = sum(kinds.values()) if shares else 0.0
    parts = []
    for kind, (colour, dashes) in LOOKS.items():
        if not kinds.get(kind):
            continue
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        share = f" {i18n.number(100 * kinds[kind] / whole)} %" if whole else ""
        parts.append(
            f'<img alt="" width="26" height="8" src="data:image/svg+xml,{quote(_stroke(colour, dashed))}">'
            f" {escape(words[kind])}{share}"
        )
    return f'<p class="gk-muted">{" &emsp; ".join(parts)}</p>' if parts else ""


def _stroke(colour: str, dashed: str) -> str:
    line = f'<path d="M1 4h24" stroke="{colour}" stroke-width="3"{dashed}/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="26" height="8" viewBox="0 0 26 8">{line}</svg>'
