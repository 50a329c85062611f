"""Move-ups of a territory: its areas with the demand its own history tells, and the workers who are idle."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from dispatch import store_situation as store
from dispatch.closures import network_now
from dispatch.cover import Area, MoveUp, Standby, expected_demand, move_ups
from dispatch.plan_model import Result
from dispatch.situation_model import Situation
from geodata.network import RoadNetwork
from geodata.territory import TerritoryInfo
from geodata.travel import matrix_s

HISTORY = dt.timedelta(days=28)
KEPT_S = 900.0
_areas: dict[tuple[str, int, int], tuple[float, list[Area]]] = {}


def propose_moves(
    session: Session, territory: TerritoryInfo, situation: Situation, result: Result
) -> tuple[MoveUp, ...]:
    """Return who of those the plan leaves idle should stand where, so that every area is reached in time."""
    idle = [
        (k, Standby(each.id, each.code))
        for k, each in enumerate(situation.crew)
        if each.place is not None and each.code not in result.left_out and not result.routes.get(each.code)
    ]
    if not idle:
        return ()
    areas = _known_areas(session, territory, situation.at)
    network = network_now(session, territory, "drive", situation.at)
    if not areas or not len(network.targets):
        return ()
    middles = np.array([(each.lon, each.lat) for each in areas])
    workers = situation.places[[k for k, _ in idle]]
    between, reach = _times(network, middles, middles), _times(network, workers, middles)
    return move_ups(areas, [each for _, each in idle], reach, between)


def _times(network: RoadNetwork, ones: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(matrix_s(network, network.snap(ones), network.snap(others)), np.float64)


def _known_areas(session: Session, territory: TerritoryInfo, moment: dt.datetime) -> Sequence[Area]:
    """Return the areas with what is expected there about this hour, reckoned once in a quarter of an hour."""
    local = moment.astimezone(territory.zone)
    key = (session.get_bind().engine.url.render_as_string(hide_password=True), territory.id, local.hour)
    kept = _areas.get(key)
    if kept is None or time.monotonic() - kept[0] > KEPT_S:
        grids = store.grids_with_middle(session, territory.id)
        number = {grid[0]: k for k, grid in enumerate(grids)}
        past = store.reports(session, territory.id, moment - HISTORY, moment)
        area_of = np.array([number.get(grid or 0, -1) for grid, _ in past], np.int64)
        hour_of = np.array([at.astimezone(territory.zone).hour for _, at in past], np.int64)
        demand = expected_demand(area_of, hour_of, len(grids), HISTORY.days, local.hour)
        areas = [
            Area(one, name, name_zh or name, lon, lat, float(expected))
            for (one, name, name_zh, lon, lat), expected in zip(grids, demand, strict=True)
        ]
        if len(_areas) > 100:
            _areas.clear()
        kept = _areas[key] = (time.monotonic(), areas)
    return kept[1]
