"""A hand-made small city in OpenStreetMap's terms, for tests; as XML, as PBF, and as a server would answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import osmium

Element = dict[str, Any]
WEST, MIDDLE, EAST, SOUTH, NORTH = 9.999, 10.0025, 10.0065, 49.999, 50.0065
STRETCHES = 15
"""Six streets of two stretches, the roundabout, the footway, and the road that leaves the city."""


def _node(number: int, lon: float, lat: float, **tags: str) -> Element:
    return {"type": "node", "id": number, "lon": lon, "lat": lat, "tags": _plain(tags)}


def _way(number: int, nodes: list[int], **tags: str) -> Element:
    return {"type": "way", "id": number, "nodes": nodes, "tags": _plain(tags)}


def _relation(number: int, ways: dict[int, str], **tags: str) -> Element:
    members = [{"type": "way", "ref": way, "role": role} for way, role in ways.items()]
    return {"type": "relation", "id": number, "members": members, "tags": _plain(tags)}


def _plain(tags: dict[str, str]) -> dict[str, str]:
    return {key.replace("__", ":"): value for key, value in tags.items()}


def _square(first: int, lon: float, lat: float, width: float, height: float) -> list[Element]:
    corners = [(lon, lat), (lon + width, lat), (lon + width, lat + height), (lon, lat + height)]
    return [_node(first + index, *corner) for index, corner in enumerate(corners)]


def _ring(first: int) -> list[int]:
    return [first, first + 1, first + 2, first + 3, first]


def city() -> list[Element]:
    """Return the objects of the city, in the order a file has them."""
    grid = [
        _node(1 + 3 * row + column, 10 + 0.002 * column, 50 + 0.002 * row) for row in range(3) for column in range(3)
    ]
    around = [_node(20, 10.0044, 50.0044), _node(21, 10.0048, 50.004), _node(22, 10.0044, 50.0036)]
    others = [_node(23, 10.0022, 50.0022), _node(24, 10.02, 50.0), _node(25, 10.03, 50.0)]
    facilities = [
        _node(50, 10.0012, 50.0012, amenity="school"),
        _node(51, 10.0005, 50.0005, amenity="pharmacy", name="Green Cross", name__zh="绿十字药店"),
        _node(52, 10.001, 50.0001, highway="bus_stop", name="Low Street"),
        _node(53, 10.025, 50.0, shop="bakery", name="Far Bakery"),
        _node(54, 10.001, 50.001, place="town", name="Smalltown", population="1,200"),
        _node(55, 10.003, 50.003, shop="vacant"),
    ]
    corners = [
        _node(60, WEST, SOUTH),
        _node(61, MIDDLE, SOUTH),
        _node(62, EAST, SOUTH),
        _node(63, EAST, NORTH),
        _node(64, MIDDLE, NORTH),
        _node(65, WEST, NORTH),
    ]
    shapes = [
        *_square(200, 10.0002, 50.0002, 0.0002, 0.0001),
        *_square(204, 10.003, 50.0003, 0.0003, 0.0002),
        *_square(208, 10.0031, 50.0012, 0.0002, 0.0002),
        *_square(212, 10.0031, 50.0031, 0.0006, 0.0004),
        *_square(216, 10.0032, 50.0032, 0.0002, 0.0001),
        *_square(220, 10.001, 50.001, 0.0006, 0.0006),
        *_square(224, 10.005, 50.001, 0.0005, 0.0005),
        *_square(228, 10.025, 50.001, 0.0002, 0.0002),
    ]
    streets = [
        _way(100, [1, 2, 3], highway="residential", name="Low Street", name__zh="下街", maxspeed="30 mph"),
        _way(101, [4, 5, 6], highway="primary", name="Middle Road", oneway="-1", ref="A1"),
        _way(102, [7, 8, 9], highway="unclassified", bridge="yes"),
        _way(110, [1, 4, 7], highway="service", access="private"),
        _way(111, [2, 5, 8], highway="tertiary", maxspeed="walk", tunnel="no"),
        _way(112, [3, 6, 9], highway="residential"),
        _way(120, [9, 20, 21, 22, 9], highway="primary", junction="roundabout"),
        _way(130, [5, 23], highway="footway"),
        _way(140, [3, 24], highway="secondary", name="Road out"),
        _way(141, [24, 25], highway="secondary", name="Road beyond"),
        _way(142, [7, 998, 8], highway="residential"),
        _way(143, [1, 5], highway="proposed"),
        _way(144, [1, 2, 5, 4, 1], highway="pedestrian", area="yes"),
        _way(150, [4, 6], railway="rail", name="Harbour line"),
        _way(151, [7, 9], railway="rail", tunnel="yes"),
    ]
    areas = [
        _way(200, _ring(200), building="house"),
        _way(201, _ring(204), building="yes", building__levels="3", name="Long House"),
        # A bow tie: the third and fourth corner are swapped.
        _way(202, [208, 209, 211, 210, 208], building="yes"),
        _way(210, _ring(212)),
        _way(211, _ring(216)),
        _way(220, _ring(220), amenity="school", name="Hill School", capacity="240"),
        _way(230, _ring(224), natural="water", name="Pond"),
        _way(231, [4, 23], waterway="stream", name="Brook"),
        _way(232, _ring(228), building="house"),
        _way(400, [61, 64]),
        _way(401, [64, 65, 60, 61]),
        _way(402, [61, 62, 63, 64]),
    ]
    relations = [
        _relation(300, {210: "outer", 211: "inner"}, type="multipolygon", building="commercial"),
        _relation(301, {999: "outer"}, type="multipolygon", landuse="forest"),
        _relation(
            310,
            {401: "outer", 402: "outer"},
            type="boundary",
            boundary="administrative",
            admin_level="8",
            name="Smalltown",
        ),
        _relation(
            311,
            {400: "outer", 401: "outer"},
            type="boundary",
            boundary="administrative",
            admin_level="10",
            name="West End",
        ),
        _relation(
            312,
            {400: "outer", 402: "outer"},
            type="boundary",
            boundary="administrative",
            admin_level="10",
            name="East End",
        ),
    ]
    return [*grid, *around, *others, *facilities, *corners, *shapes, *streets, *areas, *relations]


def without_boundaries() -> list[Element]:
    """Return the city as an extract that holds no administrative boundary."""
    return [element for element in city() if element["tags"].get("boundary") != "administrative"]


def as_xml(elements: list[Element]) -> str:
    """Return the elements as an ``.osm`` document."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="test">']
    for element in elements:
        place = f' lat="{element["lat"]}" lon="{element["lon"]}"' if element["type"] == "node" else ""
        lines.append(f'<{element["type"]} id="{element["id"]}" version="1"{place}>')
        lines += [f'<nd ref="{ref}"/>' for ref in element.get("nodes", ())]
        lines += [
            f'<member type="{m["type"]}" ref="{m["ref"]}" role="{m["role"]}"/>' for m in element.get("members", ())
        ]
        lines += [f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in element["tags"].items()]
        lines.append(f"</{element['type']}>")
    return "\n".join([*lines, "</osm>"])


def write(path: Path, elements: list[Element] | None = None) -> Path:
    """Write the elements in the format of the file's name and return the path."""
    text = as_xml(city() if elements is None else elements)
    if path.name.endswith(".osm"):
        path.write_text(text, encoding="utf-8")
        return path
    plain = path.with_name("plain-for-" + path.name.split(".")[0] + ".osm")
    plain.write_text(text, encoding="utf-8")
    with osmium.SimpleWriter(str(path)) as writer:
        for thing in osmium.FileProcessor(str(plain)):
            writer.add(thing)
    plain.unlink()
    return path
