"""The road network of a territory, built from its stretches of road and kept until new ones are loaded."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geodata.network import Mode, RoadNetwork, build_network
from geodata.tables import Load, Road
from geodata.territory import TerritoryInfo

NETWORKS_KEPT = 6
_COLUMNS = ("from_node", "to_node", "road_class", "speed_kmh", "oneway", "drivable", "walkable", "length_m", "geom")
_Key = tuple[str, int, Mode]

_kept: OrderedDict[_Key, tuple[int, RoadNetwork]] = OrderedDict()
_lock = threading.Lock()


def network_of(session: Session, territory: TerritoryInfo, mode: Mode) -> RoadNetwork:
    """Return the network of a territory for a mode of travel; built once for each load of data.

    Building takes about a second for 40,000 stretches, a kept network none. Stretches only change by loads, so
    the newest load of the territory tells whether a kept network is still good.
    """
    database = session.get_bind().engine.url.render_as_string(hide_password=True)
    key = (database, territory.id, mode)
    newest = select(func.coalesce(func.max(Load.id), 0)).where(Load.territory_id == territory.id)
    version = session.scalars(newest).one()
    with _lock:
        kept = _kept.get(key)
        if kept is None or kept[0] != version:
            kept = (version, build_network(read_roads(session, territory.id), mode, territory.metric_srid))
            _kept[key] = kept
            while len(_kept) > NETWORKS_KEPT:
                _kept.popitem(last=False)
        _kept.move_to_end(key)
    return kept[1]


def read_roads(session: Session, territory_id: int) -> pd.DataFrame:
    """Return the stretches of road of a territory, with the columns that `build_network` asks for."""
    rows = session.execute(
        select(
            *(getattr(Road, name) for name in _COLUMNS[:-1]),
            func.ST_AsBinary(Road.geom),
        )
        .where(Road.territory_id == territory_id)
        .order_by(Road.id)
    ).all()
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    shapes = np.array([bytes(wkb) for wkb in frame["geom"]], dtype=object)
    frame["geom"] = shapely.from_wkb(shapes)
    return frame
