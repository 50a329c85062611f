"""A whole territory from one OpenStreetMap extract: loaded, cut into cells, and opened to its officers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import shapely
from sqlalchemy.orm import Session

from core.identity import Actor, May, Role, require
from core.progress import Progress
from geodata import db
from geodata.crs import project
from geodata.osm import load_osm_as_territory
from geodata.territory import TerritoryInfo, communities
from grids.service import make_grid, make_responsibility_grids
from incidents.service import seed_catalogue
from people import accounts

CELL_SIZES_M = ((100.0, 100.0), (100.0, 500.0), (200.0, 1000.0), (500.0, 2000.0), (1000.0, 2000.0), (2000.0, 5000.0))
"""Widths in towns and in the countryside, finest first."""
CELLS_AT_MOST = 20_000


def city_from_extract(actor: Actor, path: Path, *, name: str, title: str, progress: Progress) -> Mapping[str, Any]:
    """Make a working territory from an extract, in one transaction, and return what came of it.

    The asker keeps his role in the new territory; in demo mode so do the demo accounts.

    Raises
    ------
    NotPermitted
        When the asker may not load data: the work itself is done with the system's rights.
    """
    require(actor, May.LOAD_DATA)
    acting = dataclasses.replace(actor, role=Role.SYSTEM, territory_id=None)
    with db.transaction(acting, purpose="bring in an extract") as session:
        territory, counts = load_osm_as_territory(
            session, acting, name, path, progress=progress, facts={"title_en": title, "title_zh": title}
        )
        town_m, country_m = _cell_sizes_of(session, territory)
        progress.step("Cutting the grid")
        made = make_grid(
            session, acting, territory, kind="square", size_m=country_m, town_size_m=town_m, progress=progress
        )
        make_responsibility_grids(session, acting, territory, progress=progress)
        seed_catalogue(session, acting, territory)
        _open_to_officers(session, actor, territory)
    return {"territory": name, "cells": made.cells, "town_size_m": town_m, "size_m": country_m, **counts.as_dict()}


def cell_sizes_m(town_m2: float, country_m2: float) -> tuple[float, float]:
    """Return the widths of a cell in towns and in the countryside, as fine as `CELLS_AT_MOST` allows.

    Parameters
    ----------
    town_m2, country_m2
        Area of the communities that are towns, and of the others.
    """
    for town, country in CELL_SIZES_M:
        if town_m2 / town**2 + country_m2 / country**2 <= CELLS_AT_MOST:
            return town, country
    return CELL_SIZES_M[-1]


def _cell_sizes_of(session: Session, territory: TerritoryInfo) -> tuple[float, float]:
    areas = communities(session, territory.id)
    area_m2 = shapely.area(project(areas.geometry.to_numpy(), territory.metric_srid))
    town = (areas["settlement"] == "town").to_numpy()
    return cell_sizes_m(float(area_m2[town].sum()), float(area_m2[~town].sum()))


def _open_to_officers(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    areas = [int(area) for area in communities(session, territory.id)["id"]]
    accounts.join_territory(session, actor, territory.id, area_ids=areas)
