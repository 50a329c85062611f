"""Writing what an extract holds into the tables, by binary COPY."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sqlalchemy import delete
from sqlalchemy.orm import Session

from core.progress import Progress
from geodata.bulk import copy_rows
from geodata.osm_read import OsmContent
from geodata.tables import Building, Facility, LandCover, PlaceName, Railway, Road

SOURCE = "osm"
_COLUMNS: dict[str, Sequence[str]] = {
    "road": (
        "source_ref",
        "piece",
        "from_node",
        "to_node",
        "road_class",
        "name",
        "name_zh",
        "ref",
        "limit_kmh",
        "speed_kmh",
        "oneway",
        "drivable",
        "walkable",
        "bridge",
        "tunnel",
        "length_m",
        "geom",
    ),
    "facility": ("source_ref", "kind", "name", "name_zh", "capacity", "attributes", "geom"),
    "building": ("source_ref", "use", "name", "levels", "footprint_m2", "people", "geom"),
    "land_cover": ("source_ref", "kind", "name", "geom"),
    "railway": ("source_ref", "railway_class", "name", "geom"),
    "place_name": ("source_ref", "kind", "name", "name_zh", "people", "geom"),
}


def store_rows(
    session: Session,
    territory_id: int,
    content: OsmContent,
    buildings: pd.DataFrame,
    progress: Progress,
    *,
    fresh: bool,
) -> dict[str, int]:
    """Write all rows and return how many by kind: roads, facilities, buildings, land_cover, railways, places.

    Parameters
    ----------
    fresh
        No row from OSM is there yet; else rows of the same OSM identity are removed first.
    """
    written = {}
    for key, table, frame in (
        ("roads", Road, content.roads),
        ("facilities", Facility, content.facilities),
        ("buildings", Building, buildings),
        ("land_cover", LandCover, content.cover),
        ("railways", Railway, content.rails),
        ("places", PlaceName, content.places),
    ):
        name = table.__tablename__
        progress.step(f"Write {key.replace('_', ' ')}", len(frame))
        if not fresh:
            refs = frame["source_ref"].unique().tolist()
            session.execute(
                delete(table).where(
                    table.territory_id == territory_id, table.source == SOURCE, table.source_ref.in_(refs)
                )
            )
        columns = {column: frame[column].to_numpy(dtype=object) for column in _COLUMNS[name]}
        columns["territory_id"] = np.full(len(frame), territory_id, dtype=object)
        columns["source"] = np.full(len(frame), SOURCE, dtype=object)
        written[key] = copy_rows(session, name, columns)
        progress.advance(len(frame))
    return written
