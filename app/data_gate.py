"""The gate as pages, commands and jobs use it: files brought in with the grids of the territory."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.identity import Actor
from core.progress import Progress
from geodata import db, exchange_load, jobs, pairing
from geodata.exchange import Role, Type
from geodata.exchange_link import ANY
from geodata.exchange_load import BatchView, Intake, Loaded, load_file
from geodata.exchange_run import Place
from geodata.exchange_understand import Overrides
from geodata.linking_gate import Placer
from geodata.territory import TerritoryInfo, list_territories
from grids.coded import codes_in
from grids.service import locate

KIND = "load_data_set"


def place_in(session: Session, territory: TerritoryInfo) -> Place:
    """Return what tells the unit grid of places of a territory, and where codes of grids and components lie."""

    def place(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
        return locate(session, territory.id, lon, lat).grid_id

    return Placer(place, codes_in(session, territory))


def bring_in(
    session: Session, actor: Actor, territory: TerritoryInfo, path: Path, *, key: str, progress: Progress, **more: Any
) -> Loaded:
    """Bring a file into a data set of a territory."""
    done = load_file(
        session, actor, territory, path, Intake(key, place_in(session, territory), **more), progress=progress
    )
    if done.data_set_id is not None and done.batch_id is not None and not done.known:
        with contextlib.suppress(InvalidInput):  # its names went; the pairs stay as they are
            pairing.compare_again(session, actor, territory, done.data_set_id)
    return done


def linking_roles(address: str, grid: str, component: str) -> dict[str, Role]:
    """Return the columns that place rows, as a command names them: with commas, ``-`` for no address at all."""
    said = {Role.ADDRESS: address, Role.GRID: grid, Role.COMPONENT: component}
    named = {part.strip(): role for role, text in said.items() for part in text.split(",") if part.strip()}
    return {ANY: Role.FIELD} if address.strip() == "-" else named


def as_counts(done: Loaded) -> dict[str, Any]:
    """Return what came of a file, for a script or the row of a job."""
    made = {each.name: getattr(done, each.name) for each in dataclasses.fields(done)}
    return made | {"guesses": [each.as_dict() for each in done.guesses], "scores": dict(done.scores)}


def overrides_of(given: Mapping[str, Any]) -> Overrides:
    """Return what a person said of a file, as it travelled with a job."""
    plain = dict(given)
    plain["roles"] = {name: Role(each) for name, each in given.get("roles", {}).items()}
    plain["types"] = {name: Type(each) for name, each in given.get("types", {}).items()}
    plain["key"] = None if given.get("key") is None else tuple(given["key"])
    plain["rules"] = None if given.get("rules") is None else tuple(given["rules"])
    return Overrides(**plain)


def known_sets(session: Session, territory_id: int) -> dict[str, str]:
    """Return the data sets of a territory: key to what they are called."""
    return {each.key: each.title or each.key for each in exchange_load.data_sets(session, territory_id)}


def recent_batches(session: Session, actor: Actor, territory_id: int, limit: int) -> list[BatchView]:
    """Return the files that came in last, the newest first."""
    return exchange_load.recent_batches(session, actor, territory_id, limit)


@jobs.kind(KIND)
def load_in_background(actor: Actor, arguments: dict[str, Any], progress: Progress) -> Mapping[str, Any]:
    """Bring a file in as a job; it goes when it is in, or was refused."""
    path = Path(arguments["path"])
    try:
        with db.transaction(actor, purpose=f"bring in {arguments['name']}") as session:
            territory = next(each for each in list_territories(session) if each.id == actor.territory_id)
            done = bring_in(
                session, actor, territory, path, key=arguments["key"], name=arguments["name"], progress=progress,
                title=arguments.get("title", ""), owner_unit_id=arguments.get("owner_unit_id"),
                sensitivity=arguments.get("sensitivity", "internal"), over=overrides_of(arguments.get("over", {})),
                mapping=arguments.get("mapping", ""),
            )  # fmt: skip
    finally:
        path.unlink(missing_ok=True)
    return as_counts(done)
