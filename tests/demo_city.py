"""A small made-up town as an OpenStreetMap file, and the demo city made from it; nothing is fetched."""

from __future__ import annotations

import datetime as dt
from itertools import count, product
from pathlib import Path
from xml.sax.saxutils import quoteattr

from app.demo.cities import DemoCity
from app.demo.load import DemoCounts, load_demo
from app.demo.office import StreetOffice
from core.clock import now
from core.identity import system_actor
from core.progress import Silent
from geodata import db

WEST, SOUTH = -1.30, 50.69
STEP_LON, STEP_LAT = 0.00142, 0.0009  # 100 m each
STREETS = 13
PARK = (5, 5)
WEST_EAST = (
    "Harbour Road", "Mill Lane", "Church Street", "High Street", "Market Street", "Station Road", "Elm Grove",
    "Queens Road", "Orchard Way", "Hill Street", "Castle Road", "Chapel Lane", "North Parade",
)  # fmt: skip
TREES = (
    "Ash", "Beech", "Cedar", "Damson", "Elder", "Fir", "Gorse", "Hazel", "Iris", "Juniper", "Larch", "Maple", "Oak",
)  # fmt: skip
SOUTH_NORTH = tuple(f"{tree} Avenue" for tree in TREES)

TINY_TOWN = DemoCity(
    name="tiny-town",
    title_en="Tiny Town",
    title_zh="小镇",
    clip=(WEST - 0.01, SOUTH - 0.01, WEST + 0.03, SOUTH + 0.02),
    people=6_000,
    opens=(WEST + 6 * STEP_LON, SOUTH + 6 * STEP_LAT, 15),
    focus=("Westside",),
    offices=(
        StreetOffice("West Street Office", "西街道办事处", WEST, SOUTH),
        StreetOffice("East Street Office", "东街道办事处", WEST + STREETS * STEP_LON, SOUTH),
    ),
    incidents=1_500,
    workers=12,
    names_zh={"Westside": "西城", "Eastside": "东城"},
)


def load_tiny_town(folder: Path, *, until: dt.datetime | None = None, **more: int) -> DemoCounts:
    """Load the town into the database that `geodata.db` points at, in one transaction."""
    path = write_osm(folder / "tiny-town.osm")
    actor = system_actor(label="test")
    with db.transaction(actor) as session:
        return load_demo(session, actor, TINY_TOWN, path, until=until or now(), progress=Silent(), **more)


def write_osm(path: Path) -> Path:
    """Write the town: two communities, 26 named streets, homes, shops, a school, a park, a brook."""
    town = _Osm()
    _streets(town)
    _buildings(town)
    _landmarks(town)
    _boundaries(town)
    path.write_text("\n".join(['<osm version="0.6">', *town.nodes, *town.ways, *town.relations, "</osm>"]))
    return path


class _Osm:
    """Elements of an OpenStreetMap file; places count in steps of 100 m from the south-western corner."""

    def __init__(self) -> None:
        self._ids = count(1)
        self.nodes: list[str] = []
        self.ways: list[str] = []
        self.relations: list[str] = []

    def node(self, column: float, row: float, **tags: str) -> int:
        identity = next(self._ids)
        lon, lat = WEST + column * STEP_LON, SOUTH + row * STEP_LAT
        attributes = f'id="{identity}" version="1" lat="{lat:.7f}" lon="{lon:.7f}"'
        self.nodes.append(f"<node {attributes}>{_tags(tags)}</node>")
        return identity

    def way(self, refs: list[int], **tags: str) -> int:
        identity = next(self._ids)
        inside = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        self.ways.append(f'<way id="{identity}" version="1">{inside}{_tags(tags)}</way>')
        return identity

    def square(self, west: float, south: float, width: float, height: float, **tags: str) -> int:
        corners = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
        refs = [self.node(west + right, south + up) for right, up in corners]
        return self.way([*refs, refs[0]], **tags)

    def boundary(self, ring: int, **tags: str) -> None:
        member = f'<member type="way" ref="{ring}" role="outer"/>'
        tags = {"type": "boundary", "boundary": "administrative", **tags}
        self.relations.append(f'<relation id="{next(self._ids)}" version="1">{member}{_tags(tags)}</relation>')


def _streets(town: _Osm) -> None:
    crossing = {(column, row): town.node(column, row) for column in range(STREETS) for row in range(STREETS)}
    for row, name in enumerate(WEST_EAST):
        kind = "secondary" if row == 6 else "residential"
        town.way([crossing[column, row] for column in range(STREETS)], highway=kind, name=name)
    for column, name in enumerate(SOUTH_NORTH):
        town.way([crossing[column, row] for row in range(STREETS)], highway="residential", name=name)


def _buildings(town: _Osm) -> None:
    for column, row in product(range(STREETS - 1), repeat=2):
        if (column, row) == PARK:
            continue
        for part in (0.1, 0.4, 0.7):
            town.square(column + part, row + 0.1, 0.15, 0.3, building="house")
        if 4 <= column <= 7 and 4 <= row <= 7:
            town.node(column + 0.5, row + 0.95, shop="convenience", name=f"Corner Shop {column}{row}")


def _landmarks(town: _Osm) -> None:
    town.square(PARK[0] + 0.05, PARK[1] + 0.05, 0.9, 0.9, leisure="park", name="Town Park")
    town.square(2.2, 9.45, 0.5, 0.4, amenity="school", name="Tiny Town School")
    town.node(6.5, 6.2, amenity="library", name="Tiny Town Library")
    town.node(6, 6, place="town", name="Tiny Town", population="6000")
    town.way([town.node(8.5, row) for row in range(STREETS)], waterway="stream", name="Lukely Brook")


def _boundaries(town: _Osm) -> None:
    for name, west, east, level in (
        ("Tiny Town", -0.5, STREETS - 0.5, "8"),
        ("Westside", -0.5, 6.5, "10"),
        ("Eastside", 6.5, STREETS - 0.5, "10"),
    ):
        town.boundary(town.square(west, -0.5, east - west, STREETS), admin_level=level, name=name)


def _tags(tags: dict[str, str]) -> str:
    return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items())
