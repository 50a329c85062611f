"""A whole territory from one OpenStreetMap extract: loaded, cut into cells, and opened to its officers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from core.identity import Actor, May, Role, require
from core.progress import Progress
from geodata import db
from geodata.crs import project
from geodata.osm import load_osm_as_territory
from geodata.territory import TerritoryInfo, boundary_of, communities
from grids.service import make_grid, make_responsibility_grids
from incidents.service import seed_catalogue
from people import accounts

CELL_SIZES_M = (100.0, 200.0, 250.0, 500.0, 1000.0, 2000.0, 5000.0)
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
        size_m = cell_size_m(session, territory)
        progress.step("Cutting the grid")
        made = make_grid(session, acting, territory, kind="square", size_m=size_m, progress=progress)
        make_responsibility_grids(session, acting, territory, progress=progress)
        seed_catalogue(session, acting, territory)
        _open_to_officers(session, actor, territory)
    return {"territory": name, "cells": made.cells, "size_m": size_m, **counts.as_dict()}


def cell_size_m(session: Session, territory: TerritoryInfo) -> float:
    """Return the smallest usual cell size that keeps a territory below `CELLS_AT_MOST` cells."""
    boundary = np.array([boundary_of(session, territory.id)], dtype=object)
    area_m2 = float(project(boundary, territory.metric_srid)[0].area)
    wanted = math.sqrt(area_m2 / CELLS_AT_MOST)
    return next((size for size in CELL_SIZES_M if size >= wanted), CELL_SIZES_M[-1])


def _open_to_officers(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    areas = [int(area) for area in communities(session, territory.id)["id"]]
    accounts.join_territory(session, actor, territory.id, area_ids=areas)
