"""What the first set-up does: each act in one transaction, with the rights of the system in the administrator's name.

An administrator sets a territory up before there is anybody else. Grids belong to the supervision centre from the
first incident on, so they are cut here only until then.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput, NotPermitted
from core.identity import Actor, May, Role, require
from core.progress import Progress
from geodata import db
from geodata.bulk import begin_load, finish_load
from geodata.communities import MadeCommunities, communities_from_file
from geodata.crs import project
from geodata.holdings import NONE_TO_BRING, Holdings, read_holdings
from geodata.outline import boundary_from_file, map_from_file
from geodata.territory import TerritoryInfo, communities, find_territory
from grids.blocks import TARGET_M2
from grids.lattice import Lattice
from grids.service import PEOPLE_EACH, estimate_people, make_block_grid, make_grid, make_responsibility_grids
from incidents.calendars import code_for
from incidents.classes import SCHEME, SCHEME_VERSION
from incidents.service import import_file, seed_catalogue

MAP, GRIDS, INCIDENTS = "set_up_map", "set_up_grids", "set_up_incidents"
"""Kinds of job."""
CELLS_PER_S, CUT_BASE_S = 1_500.0, 0.3
"""How fast cells are cut, peopled, bound and stored; measured on the Isle of Wight."""
JOB_FROM_S = 2.0


@dataclass(frozen=True, slots=True)
class GridPlan:
    """What cutting would make, roughly."""

    cells: int
    seconds: float

    @property
    def is_long(self) -> bool:
        """Return whether the work is better done in the background."""
        return self.seconds > JOB_FROM_S


def acting(actor: Actor) -> Actor:
    """Return the administrator with the rights of the system in the own territory; for who may set up."""
    require(actor, May.SET_UP)
    return dataclasses.replace(actor, role=Role.SYSTEM)


def _own(session: Session, actor: Actor, name: str) -> TerritoryInfo:
    """Return the territory of a name; raise `NotPermitted` when an administrator works in another one."""
    territory = find_territory(session, name)
    if actor.role is not Role.SYSTEM and territory.id != actor.territory_id:
        raise NotPermitted(
            "An administrator sets up the own territory only.",
            hint="Choose it at the head of the page.",
            zh="系统管理员只能设置本辖区。请在页面顶部选择辖区。",
        )
    return territory


def holdings(session: Session, territory: TerritoryInfo) -> Holdings:
    """Return what a territory holds, counted as its classes and its calendar ask."""
    found = read_holdings(
        session,
        territory.id,
        scheme=SCHEME,
        scheme_version=SCHEME_VERSION,
        calendar=code_for(territory.timezone),
    )
    return found or Holdings()


def bring_map(actor: Actor, name: str, path: Path, progress: Progress) -> Mapping[str, Any]:
    """Bring an OpenStreetMap extract into a territory and return what came of it."""
    with db.transaction(acting(actor), purpose="set up: map") as session:
        doer, territory = acting(actor), _own(session, actor, name)
        counts = map_from_file(session, doer, territory, path, progress=progress)
        if not counts.unchanged:
            estimate_people(session, doer, find_territory(session, name))
    return {**counts.as_dict(), "territory": name}


def bring_boundary(actor: Actor, name: str, path: Path) -> TerritoryInfo:
    """Give a territory the boundary of a vector file."""
    with db.transaction(acting(actor), purpose="set up: boundary") as session:
        return boundary_from_file(session, acting(actor), _own(session, actor, name), path)


def bring_communities(actor: Actor, name: str, path: Path, file_name: str) -> MadeCommunities:
    """Put the polygons of a vector file in place of the communities of a territory."""
    with db.transaction(acting(actor), purpose="set up: communities") as session:
        return communities_from_file(session, acting(actor), _own(session, actor, name), path, name=file_name)


def plan_grids(session: Session, territory: TerritoryInfo, *, kind: str, size_m: float, town_m: float) -> GridPlan:
    """Return about how many cells a cut makes, and how long it takes."""
    areas = communities(session, territory.id)
    if not len(areas):
        return GridPlan(0, 0.0)
    area_m2 = shapely.area(project(areas.geometry.to_numpy(), territory.metric_srid))
    town = (areas["settlement"] == "town").to_numpy()
    each = np.where(town, Lattice(kind, town_m).nominal_m2, Lattice(kind, size_m).nominal_m2)
    # A lattice is cut at every community line: about one more cell for each two metres of size along it.
    cells = int(np.ceil(area_m2 / each).sum())
    return GridPlan(cells, CUT_BASE_S + cells / CELLS_PER_S)


def cut_grids(
    actor: Actor,
    name: str,
    *,
    kind: str,
    size_m: float,
    town_m: float,
    target_m2: float = TARGET_M2,
    people_each: float = PEOPLE_EACH,
    progress: Progress,
) -> Mapping[str, Any]:
    """Cut the communities into unit grids and bind these into responsibility grids.

    ``target_m2`` is for blocks along the streets, the widths are for squares and hexagons.

    Raises
    ------
    Conflict
        When the territory has incidents: then grids are the supervision centre's to change.
    """
    with db.transaction(acting(actor), purpose="set up: grids") as session:
        doer, territory = acting(actor), _own(session, actor, name)
        if holdings(session, territory).incidents:
            raise Conflict(
                f"{territory.title_en} has incidents, so its grids are no longer cut by the set-up.",
                hint="Ask the supervision centre: it may make them anew, and incidents keep their old grid.",
            )
        if kind == "block":
            made = make_block_grid(session, doer, territory, target_m2=target_m2, progress=progress, replace=True)
        else:
            made = make_grid(
                session,
                doer,
                territory,
                kind=kind,
                size_m=size_m,
                town_size_m=town_m,
                progress=progress,
                replace=True,
            )
        bound = make_responsibility_grids(session, doer, territory, people_each=people_each, progress=progress)
    return {"territory": name, "cells": made.cells, "responsibility_grids": bound.grids, "people": made.people}


def bring_incidents(actor: Actor, name: str, path: Path, *, status: str, progress: Progress) -> Mapping[str, Any]:
    """Bring a file of old incidents in, as `gridkeeper load file` does, and return counts only."""
    require(actor, May.LOAD_DATA)
    with db.transaction(acting(actor), purpose="set up: old incidents") as session:
        home = _own(session, actor, name)
        done = import_file(session, acting(actor), home, path, status=status, progress=progress)
    told = {key: getattr(done, key) for key in ("read", "loaded", "rejected", "duplicates", "seconds")}
    return {"territory": name, **told, "reasons": dict(done.reasons)}


def no_old_incidents(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Write down that there is no file of old incidents; once is enough."""
    if not holdings(session, territory).no_old_incidents:
        load_id = begin_load(
            session,
            territory_id=territory.id,
            kind="incidents",
            source_name=NONE_TO_BRING,
            content_sha256="",
            actor=acting(actor),
        )
        finish_load(session, load_id, {"read": 0, "loaded": 0})


def seed_rules(session: Session, actor: Actor, territory: TerritoryInfo) -> Mapping[str, int]:
    """Add the shipped classes, limits and calendars that are missing, with that of the territory's time zone."""
    if territory.is_blank:
        raise InvalidInput("The territory lies nowhere yet, so its calendar is unknown.", hint="Bring in its map.")
    return seed_catalogue(session, acting(actor), territory)
