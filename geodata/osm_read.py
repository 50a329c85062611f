"""Reading OpenStreetMap files by pyosmium into frames; no database here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pandas as pd
import shapely
from numpy.typing import NDArray
from osmium.filter import KeyFilter
from osmium.osm import AREA, NODE, RELATION, WAY, Area, Node, Relation, Way, WayNodeList, osm_entity_bits
from osmium.osm.types import OSMEntity

from core.errors import InvalidInput
from core.progress import Progress, Silent
from geodata import osm_landuse as landuse
from geodata import osm_roadtags as roadtags
from geodata.osm_facilities import FACILITY_KEYS, facility_attributes, facility_capacity, facility_kind, whole_number
from geodata.osm_rings import rings_to_polygons
from geodata.osm_roads import split_roads
from geodata.quality import as_areas

SUFFIXES = (".osm.pbf", ".osm", ".osm.gz", ".osm.bz2", ".pbf")
PLACE_KINDS = ("city", "town", "suburb", "village", "hamlet")  # the highest rank first
_AREA_KEYS = ("building", "boundary", *landuse.COVER_KEYS, *FACILITY_KEYS)
_EVERY = 20_000
_WKB = osmium.geom.WKBFactory()

Row = dict[str, Any]


@dataclass(frozen=True)
class OsmContent:
    """What a file holds, in EPSG:4326; every frame has ``source_ref`` and ``geom`` (shapely).

    Attributes
    ----------
    roads
        A row per stretch between two junctions; columns as table ``road``.
    facilities
        kind, name, name_zh, capacity, attributes, geom (a point), ground (the area, or None).
    buildings
        use and levels (None where the tags do not say), name, geom.
    cover
        kind, name, geom: land cover as areas, waterways as lines.
    rails
        railway_class, name, geom: railways above ground.
    sites
        use, geom: marked land that tells the use of a plain building.
    areas
        admin_level, name, name_zh, geom: administrative boundaries that are complete in the file.
    places
        kind, name, name_zh, people, geom.
    coast
        Coastlines; land lies on their left.
    dropped
        What could not be used, counted by kind and reason.
    repaired
        Invalid areas that were mended.
    """

    roads: pd.DataFrame
    facilities: pd.DataFrame
    buildings: pd.DataFrame
    cover: pd.DataFrame
    rails: pd.DataFrame
    sites: pd.DataFrame
    areas: pd.DataFrame
    places: pd.DataFrame
    coast: NDArray[np.object_]
    dropped: Counter[str]
    repaired: int


@dataclass
class _Shapes:
    """Rows of one kind with their geometry as hexadecimal WKB, decoded all at once."""

    rows: list[Row] = field(default_factory=list)
    wkb: list[str] = field(default_factory=list)

    def add(self, row: Row, wkb: str) -> None:
        self.rows.append(row)
        self.wkb.append(wkb)


class _Reader:
    """Collects what the objects of a file mean."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self.areas: dict[str, _Shapes] = {
            kind: _Shapes() for kind in ("building", "facility", "cover", "site", "boundary")
        }
        self.lines: dict[str, _Shapes] = {kind: _Shapes() for kind in ("cover", "rail", "coast")}
        self.points: dict[str, list[Row]] = {"facility": [], "place": []}
        self.roads: list[Row] = []
        self.road_refs: list[int] = []
        self.road_sizes: list[int] = []
        self.road_wkb: list[str] = []
        self.expected: list[tuple[int, str]] = []
        self.assembled: set[int] = set()

    def take(self, thing: OSMEntity) -> None:
        """Take in one object."""
        if isinstance(thing, Node):
            self._node(thing)
        elif isinstance(thing, Way):
            self._way(thing)
        elif isinstance(thing, Area):
            if not thing.from_way():
                self._relation_area(thing)
        elif isinstance(thing, Relation) and thing.tags.get("type") in {"multipolygon", "boundary"}:
            self.expected += [(thing.id, use) for use in self._uses_of_area(dict(thing.tags))]

    def _node(self, node: Node) -> None:
        tags = dict(node.tags)
        if not node.location.valid():
            self.dropped["invalid_nodes"] += 1
            return
        kind = facility_kind(tags)
        point = {"source_ref": f"n{node.id}", "x": node.lon, "y": node.lat}
        if kind is not None:
            self.points["facility"].append(_facility(kind, tags) | point)
        if tags.get("place") in PLACE_KINDS and "name" in tags:
            people = whole_number(tags.get("population", "").replace(",", "").replace(" ", ""))
            self.points["place"].append(
                _names(tags) | point | {"kind": tags["place"], "people": people},
            )

    def _way(self, way: Way) -> None:
        tags = dict(way.tags)
        road_class = roadtags.road_class_of(tags)
        if road_class is not None:
            self._road(way, road_class, tags)
        ref = f"w{way.id}"
        coast = tags.get("natural") == "coastline"
        flows = tags.get("waterway") in landuse.WATERWAYS
        rails = landuse.railway_class(tags)
        closed = way.is_closed()
        uses = self._uses_of_area(tags) if closed and road_class is None else {}
        if not (coast or flows or rails or uses):
            return
        try:
            wkb = _WKB.create_linestring(way)
        except (osmium.InvalidLocationError, RuntimeError):
            for use in uses or ["coast" if coast else "rail" if rails else "cover"]:
                self.dropped[f"incomplete_{_PLURAL[use]}"] += 1
            return
        if coast:
            self.lines["coast"].add({"source_ref": ref}, wkb)
        if flows:
            self.lines["cover"].add({"source_ref": ref, "kind": "waterway", "name": tags.get("name")}, wkb)
            uses.pop("cover", None)
        if rails:
            self.lines["rail"].add({"source_ref": ref, "railway_class": rails, "name": tags.get("name")}, wkb)
        for use, row in uses.items():
            self.areas[use].add(row | {"source_ref": ref}, wkb)

    def _relation_area(self, area: Area) -> None:
        self.assembled.add(area.orig_id())
        uses = self._uses_of_area(dict(area.tags))
        if not uses:
            return
        try:
            wkb = _WKB.create_multipolygon(area)
        except RuntimeError:
            for use in uses:
                self.dropped[f"incomplete_{_PLURAL[use]}"] += 1
            return
        for use, row in uses.items():
            self.areas[use].add(row | {"source_ref": f"r{area.orig_id()}"}, wkb)

    def _uses_of_area(self, tags: dict[str, str]) -> dict[str, Row]:
        """Return what an area is taken in as: building, facility, cover, site, boundary."""
        uses: dict[str, Row] = {}
        if landuse.is_building(tags):
            uses["building"] = {
                "use": landuse.building_use(tags),
                "levels": landuse.building_levels(tags),
                "name": tags.get("name"),
            }
        kind = facility_kind(tags)
        if kind is not None:
            uses["facility"] = _facility(kind, tags)
        if "building" not in tags:
            cover = landuse.land_cover_kind(tags)
            if cover is not None:
                uses["cover"] = {"kind": cover, "name": tags.get("name")}
            site = landuse.SITE_USES.get(tags.get("landuse", ""))
            if site is not None:
                uses["site"] = {"use": site}
        level = whole_number(tags.get("admin_level", ""))
        if tags.get("boundary") == "administrative" and level is not None and "name" in tags:
            uses["boundary"] = _names(tags) | {"admin_level": level}
        return uses

    def _road(self, way: Way, road_class: str, tags: dict[str, str]) -> None:
        limit = roadtags.limit_kmh(tags)
        row = _names(tags) | {
            "source_ref": f"w{way.id}",
            "road_class": road_class,
            "ref": tags.get("ref"),
            "limit_kmh": limit,
            "speed_kmh": roadtags.speed_kmh(road_class, limit, tags),
            "oneway": roadtags.oneway(road_class, tags),
            **roadtags.users(road_class, tags),
            "bridge": tags.get("bridge", "no") != "no",
            "tunnel": tags.get("tunnel", "no") != "no",
        }
        nodes = way.nodes
        try:
            wkb = _WKB.create_linestring(nodes, osmium.geom.ALL)
        except (osmium.InvalidLocationError, RuntimeError):
            self._road_in_runs(nodes, row)
            return
        self.roads.append(row)
        self.road_wkb.append(wkb)
        self.road_sizes.append(len(nodes))
        self.road_refs.extend([node.ref for node in nodes])

    def _road_in_runs(self, nodes: WayNodeList, row: Row) -> None:
        """Keep the stretches of a way whose nodes are in the file; an extract cuts ways at its edge."""
        runs: list[list[tuple[int, float, float]]] = [[]]
        for node in nodes:
            if node.location.valid():
                runs[-1].append((node.ref, node.lon, node.lat))
            elif runs[-1]:
                runs.append([])
        kept = [run for run in runs if len(run) >= 2]
        self.dropped["cut_roads" if kept else "incomplete_roads"] += 1
        for run in kept:
            self.roads.append(row)
            self.road_wkb.append(shapely.to_wkb(shapely.LineString([point[1:] for point in run]), hex=True))
            self.road_sizes.append(len(run))
            self.road_refs.extend([point[0] for point in run])


_PLURAL = {
    "building": "buildings",
    "facility": "facilities",
    "cover": "land_cover",
    "site": "land_use",
    "boundary": "boundaries",
    "coast": "coast",
    "rail": "railways",
}


def read_osm(path: Path, progress: Progress | None = None) -> OsmContent:
    """Return the content of an ``.osm.pbf``, ``.osm``, ``.osm.gz`` or ``.osm.bz2`` file.

    Raises
    ------
    InvalidInput
        When it is no such file, is cut off or broken, or holds neither a road nor anything else of use.
    """
    progress = progress or Silent()
    _check_file(path)
    progress.step(f"Read {path.name}")
    reader = _Reader()
    count = 0
    try:
        for thing in _objects(path):
            reader.take(thing)
            count += 1
            if count % _EVERY == 0:
                progress.advance(_EVERY)
    except (osmium.InvalidLocationError, RuntimeError, ValueError, OSError) as error:
        raise InvalidInput(
            f"{path.name} is broken or cut off: {_reason(error, path)}, after {count:,} objects of use.",
            hint="Nothing was loaded. Fetch the file again and compare its size or checksum with the source's.",
        ) from error
    for relation, use in reader.expected:
        if relation not in reader.assembled:
            reader.dropped[f"incomplete_{_PLURAL[use]}"] += 1
    content = _assembled(reader)
    if not (len(content.roads) or len(content.facilities) or len(content.buildings) or len(content.areas)):
        raise InvalidInput(
            f"{path.name} holds no road, building, facility or boundary.",
            hint="Take an extract that covers your territory, with all tags.",
        )
    return content


def _objects(path: Path) -> Iterator[OSMEntity]:
    """Yield the nodes, ways, relations and areas of a file that carry a tag of use."""
    return iter(
        osmium.FileProcessor(str(path))
        .with_areas(KeyFilter(*_AREA_KEYS))
        .with_filter(_only(NODE, "place", *FACILITY_KEYS))
        .with_filter(_only(WAY | RELATION | AREA, *_AREA_KEYS)),
    )


def _only(entities: osm_entity_bits, *keys: str) -> KeyFilter:
    """Return a filter that lets objects of these types pass only with one of the keys."""
    chosen = KeyFilter(*keys)
    chosen.enable_for(entities)
    return chosen


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.", hint="Check the name.")
    if not path.name.lower().endswith(SUFFIXES):
        raise InvalidInput(
            f"{path.name} is not an OpenStreetMap file by its name.",
            hint=f"Give a file that ends in {', '.join(SUFFIXES[:4])}.",
        )
    if path.stat().st_size == 0:
        raise InvalidInput(f"{path.name} is empty (0 bytes).", hint="Fetch the file again.")


def _reason(error: Exception, path: Path) -> str:
    return str(error).replace(str(path), path.name).strip().rstrip(".")


def _assembled(reader: _Reader) -> OsmContent:
    repaired = 0
    frames: dict[str, pd.DataFrame] = {}
    for use, shapes in reader.areas.items():
        geometry = shapely.from_wkb(np.array(shapes.wkb, dtype=object))
        geometry, mended = as_areas(rings_to_polygons(geometry))
        frame = pd.DataFrame(shapes.rows, columns=_AREA_COLUMNS[use], dtype=object)
        frame["geom"] = geometry
        bad = ~shapely.is_geometry(geometry)
        reader.dropped[f"invalid_{_PLURAL[use]}"] += int(bad.sum())
        repaired += mended - int(bad.sum())
        frames[use] = frame[~bad].reset_index(drop=True)
    return OsmContent(
        roads=split_roads(
            pd.DataFrame(reader.roads, columns=_ROAD_COLUMNS, dtype=object),
            np.array(reader.road_sizes, dtype=np.int64),
            np.array(reader.road_refs, dtype=np.int64),
            shapely.get_coordinates(shapely.from_wkb(np.array(reader.road_wkb, dtype=object))),
        ),
        facilities=_facilities(reader, frames["facility"]),
        buildings=frames["building"],
        cover=pd.concat([frames["cover"], _lines(reader, "cover")], ignore_index=True),
        rails=_lines(reader, "rail"),
        sites=frames["site"],
        areas=frames["boundary"],
        places=_points(reader.points["place"], _PLACE_COLUMNS),
        coast=shapely.from_wkb(np.array(reader.lines["coast"].wkb, dtype=object)),
        dropped=Counter({reason: count for reason, count in sorted(reader.dropped.items()) if count}),
        repaired=repaired,
    )


def _lines(reader: _Reader, use: str) -> pd.DataFrame:
    frame = pd.DataFrame(reader.lines[use].rows, columns=_AREA_COLUMNS[use], dtype=object)
    frame["geom"] = shapely.from_wkb(np.array(reader.lines[use].wkb, dtype=object))
    return frame


def _facilities(reader: _Reader, grounds: pd.DataFrame) -> pd.DataFrame:
    points = _points(reader.points["facility"], _FACILITY_COLUMNS)
    points["ground"] = None
    grounds = grounds.rename(columns={"geom": "ground"})
    grounds["geom"] = shapely.point_on_surface(grounds["ground"].to_numpy(dtype=object))
    return pd.concat([grounds, points], ignore_index=True)


def _points(rows: list[Row], columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=[*columns, "x", "y"], dtype=object)
    frame["geom"] = np.asarray(shapely.points(frame["x"].to_numpy(dtype=float), frame["y"].to_numpy(dtype=float)))
    return frame.drop(columns=["x", "y"])


def _names(tags: dict[str, str]) -> Row:
    chinese = tags.get("name:zh") or tags.get("name:zh-Hans") or tags.get("name:zh-CN")
    return {"name": tags.get("name"), "name_zh": chinese}


def _facility(kind: str, tags: dict[str, str]) -> Row:
    attributes = facility_attributes(kind, tags)
    return _names(tags) | {"kind": kind, "capacity": facility_capacity(tags), "attributes": attributes}


_FACILITY_COLUMNS = ["source_ref", "kind", "name", "name_zh", "capacity", "attributes"]
_PLACE_COLUMNS = ["source_ref", "kind", "name", "name_zh", "people"]
_AREA_COLUMNS = {
    "building": ["source_ref", "use", "levels", "name"],
    "facility": _FACILITY_COLUMNS,
    "cover": ["source_ref", "kind", "name"],
    "rail": ["source_ref", "railway_class", "name"],
    "site": ["source_ref", "use"],
    "boundary": ["source_ref", "admin_level", "name", "name_zh"],
}
_ROAD_COLUMNS = [
    *("source_ref", "road_class", "name", "name_zh", "ref", "limit_kmh", "speed_kmh"),
    *("oneway", "drivable", "walkable", "cyclable", "cycle_oneway", "cycle_signed", "bridge", "tunnel"),
]
