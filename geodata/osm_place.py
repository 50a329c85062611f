"""A place by its name: OSMnx asks the servers, the answers become an extract like any other."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import osmium
from osmium.osm import mutable
from shapely import MultiPolygon

from core.errors import InvalidInput, NotFound, SourceUnavailable
from core.progress import Progress, Silent
from core.settings import Settings, settings
from geodata.osm_facilities import FACILITY_KEYS
from geodata.osm_landuse import COVER_KEYS
from geodata.quality import territory_boundary
from geodata.territory import territory_name

ADMIN_LEVELS = ["7", "8", "9", "10", "11"]
"""Levels of boundaries asked for; lower ones would bring the outline of the whole country."""
_MEMBER = {"node": "n", "way": "w", "relation": "r"}


@dataclass(frozen=True)
class PlaceExtract:
    """A place with its boundary and the file its objects were written to."""

    path: Path
    boundary: MultiPolygon
    title: str


def fetch_place(place: str, progress: Progress | None = None) -> PlaceExtract:
    """Return all objects of use inside a named place as an ``.osm.pbf`` file in the state folder.

    Raises
    ------
    NotFound
        When the name is not known, or nothing is there.
    InvalidInput
        When the name is that of a point, not of an area.
    SourceUnavailable
        When a server cannot be reached or refuses.
    """
    import osmnx
    from osmnx._errors import CacheOnlyInterruptError, InsufficientResponseError, ResponseStatusCodeError

    progress = progress or Silent()
    chosen = settings()
    folder = chosen.state_dir / "extracts"
    folder.mkdir(parents=True, exist_ok=True)
    tags: dict[str, Any] = dict.fromkeys(("building", "place", *COVER_KEYS, *FACILITY_KEYS), True)
    tags |= {"admin_level": ADMIN_LEVELS, "highway": "bus_stop"}
    try:
        with tempfile.TemporaryDirectory(prefix="place-", dir=folder) as answers, _osmnx_settings(chosen, answers):
            progress.step(f"Find {place}")
            found = osmnx.geocode_to_gdf(place).iloc[0]
            boundary = territory_boundary(found.geometry, f"The place {place!r}")
            osmnx.settings.cache_only_mode = True
            progress.step(f"Fetch the roads of {place}")
            with contextlib.suppress(CacheOnlyInterruptError):
                osmnx.graph_from_polygon(boundary, network_type="all", retain_all=True)
            progress.step(f"Fetch the buildings and facilities of {place}")
            with contextlib.suppress(CacheOnlyInterruptError):
                osmnx.features_from_polygon(boundary, tags)
            path = folder / f"{territory_name(place)}.osm.pbf"
            part = Path(answers) / "place.osm.pbf"
            _write(_elements(Path(answers)), part, place)
            part.replace(path)
    except InsufficientResponseError as error:
        raise NotFound(f"OpenStreetMap knows no place {place!r}.", hint="Write it as 'Town, Country'.") from error
    except TypeError as error:
        raise InvalidInput(
            f"OpenStreetMap knows {place!r} only as a point, without a boundary.",
            hint="Name a town or district, or fetch an extract and use --bbox.",
        ) from error
    except (ResponseStatusCodeError, OSError) as error:
        raise SourceUnavailable(
            f"The OpenStreetMap servers ({chosen.nominatim_url}, {chosen.overpass_url}) cannot be reached.",
            hint="Load an extract from a file with 'gridkeeper load osm FILE', or set GRIDKEEPER_OVERPASS_URL and "
            "GRIDKEEPER_NOMINATIM_URL to servers you can reach.",
        ) from error
    return PlaceExtract(path=path, boundary=boundary, title=place.partition(",")[0].strip())


@contextlib.contextmanager
def _osmnx_settings(chosen: Settings, cache_folder: str) -> Iterator[None]:
    """Point OSMnx at our servers and let it keep every answer as it came; its settings are put back afterwards."""
    import osmnx

    ours = {
        "overpass_url": chosen.overpass_url,
        "nominatim_url": chosen.nominatim_url,
        # Only the public server tells when the next slot is free.
        "overpass_rate_limit": "overpass-api.de" in chosen.overpass_url,
        "doh_url_template": None,
        "use_cache": True,
        "cache_folder": cache_folder,
        "cache_only_mode": False,
        "http_user_agent": "gridkeeper",
        "http_referer": "gridkeeper",
    }
    before = {name: getattr(osmnx.settings, name) for name in ours}
    for name, value in ours.items():
        setattr(osmnx.settings, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(osmnx.settings, name, value)


def _elements(answers: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """Return all objects of the answers by type and id; where one came twice, the one with tags."""
    elements: dict[tuple[str, int], dict[str, Any]] = {}
    for path in sorted(answers.glob("*.json")):
        answer = json.loads(path.read_text(encoding="utf-8"))
        for element in answer.get("elements", ()) if isinstance(answer, dict) else ():
            key = (element["type"], int(element["id"]))
            if key not in elements or "tags" in element:
                elements[key] = element
    return elements


def _write(elements: dict[tuple[str, int], dict[str, Any]], path: Path, place: str) -> None:
    if not elements:
        raise NotFound(f"The server holds nothing inside {place!r}.", hint="Check the name.")
    with osmium.SimpleWriter(str(path)) as writer:
        for kind in ("node", "way", "relation"):
            for (_, number), element in sorted(item for item in elements.items() if item[0][0] == kind):
                tags = element.get("tags", {})
                if kind == "node":
                    writer.add_node(mutable.Node(id=number, location=(element["lon"], element["lat"]), tags=tags))
                elif kind == "way":
                    writer.add_way(mutable.Way(id=number, nodes=element.get("nodes", []), tags=tags))
                else:
                    members = [(_MEMBER[m["type"]], m["ref"], m["role"]) for m in element.get("members", [])]
                    writer.add_relation(mutable.Relation(id=number, members=members, tags=tags))
