"""Use cases of layers of planning: bring one, keep one, list them, read the people or the places of one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from geodata.territory import TerritoryInfo, boundary_of
from planning import layer_files, store_access, store_layers
from planning.layer_model import BROUGHT, KINDS, LayerData, LayerInfo, People, checked_name, checked_year, spread
from planning.rasters import read_slope


def layers(session: Session, actor: Actor, territory: TerritoryInfo, kind: str | None = None) -> tuple[LayerInfo, ...]:
    """Return the layers that are offered, of each name the newest version, by kind and name."""
    newest: dict[tuple[str, str], LayerInfo] = {}
    for each in versions(session, actor, territory, kind):
        newest.setdefault((each.kind, each.name), each)
    return tuple(each for each in newest.values() if each.retired_at is None)


def demand_layers(session: Session, actor: Actor, territory: TerritoryInfo) -> tuple[LayerInfo, ...]:
    """Return the layers of demand that are offered, of each name the newest version."""
    return layers(session, actor, territory, "demand")


def versions(
    session: Session, actor: Actor, territory: TerritoryInfo, kind: str | None = None
) -> tuple[LayerInfo, ...]:
    """Return every version of every layer, the newest of each name first."""
    _require(actor, May.SEE_STUDIES, territory.id)
    if kind is not None and kind not in KINDS:
        raise InvalidInput(f"There is no kind of layer {kind!r}.", hint=f"Take one of: {', '.join(KINDS)}.")
    return tuple(store_layers.list_layers(session, territory.id, kind))


def get(session: Session, actor: Actor, layer_id: int) -> LayerInfo:
    """Return a version of a layer.

    Raises
    ------
    NotFound
        When there is none in the actor's territory.
    """
    require(actor, May.SEE_STUDIES)
    found = store_layers.get_layer(session, layer_id)
    if found is None or (actor.role is not Role.SYSTEM and found.territory_id != actor.territory_id):
        raise NotFound(f"There is no layer {layer_id}.", hint="See the page Layers of planning.")
    return found


def find(session: Session, actor: Actor, territory: TerritoryInfo, kind: str, named: str) -> LayerInfo:
    """Return the newest version of a layer by its name or number.

    Raises
    ------
    NotFound
        When there is none that is offered; names those there are.
    """
    offered = layers(session, actor, territory, kind)
    name = " ".join(named.split())
    for each in offered:
        if name in {each.name, str(each.id)}:
            return each
    names = ", ".join(each.name for each in offered) or "none"
    raise NotFound(f"There is no layer {name!r} of {kind}.", hint=f"There are: {names}.")


def bring(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    kind: str,
    path: Path,
    *,
    name: str,
    year: int | None = None,
    columns: layer_files.Columns | None = None,
    shown: str | None = None,
) -> LayerInfo:
    """Read a file, keep it as the newest version of a layer and return it.

    Parameters
    ----------
    shown
        What the file is called in messages; None takes its own name.

    Raises
    ------
    InvalidInput
        When the file cannot be used; says which lines and why.
    """
    _require(actor, May.MAKE_STUDIES, territory.id)
    boundary = boundary_of(session, territory.id)
    if kind == "slope":
        data = read_slope(path, territory.metric_srid, boundary)
    elif kind in {"demand", "zones", "candidates"}:
        data = layer_files.read_layer(path, kind, boundary, columns or layer_files.Columns(), shown=shown or path.name)
    else:
        raise InvalidInput(f"There is no kind of layer {kind!r}.", hint=f"Take one of: {', '.join(BROUGHT)}.")
    data = dataclasses.replace(data, facts={**data.facts, "source": shown or path.name})
    return keep(session, actor, territory, data, kind=kind, name=name, year=year)


def keep(
    session: Session, actor: Actor, territory: TerritoryInfo, data: LayerData, *, kind: str, name: str,
    year: int | None = None,
) -> LayerInfo:  # fmt: skip
    """Keep a layer as the newest version under its name and return it."""
    _require(actor, May.MAKE_STUDIES, territory.id)
    facts = {"places": len(data.shapes), "people": float(data.weight.sum()), **data.facts}
    facts["findings"] = list(data.findings)
    made = store_layers.add_layer(
        session, actor, territory.id, dataclasses.replace(data, facts=facts), kind=kind, name=checked_name(name),
        year=checked_year(year),
    )  # fmt: skip
    return get(session, actor, made)


def keep_areas(
    session: Session, actor: Actor, territory: TerritoryInfo, name: str, shapes: Sequence[shapely.Geometry],
    *, names: Sequence[str], scores: Sequence[float], facts: Mapping[str, Any],
) -> LayerInfo:  # fmt: skip
    """Keep areas that fit as candidates for studies, with how they were found, and return the layer."""
    if not shapes:
        raise InvalidInput("There is no area to keep.", hint="Loosen a constraint or ask for a smaller area.")
    count = len(shapes)
    data = LayerData(
        np.array(shapes, dtype=object), tuple(names), np.array(scores, dtype=np.float64), np.empty((count, 0)),
        facts={**facts, "people": 0.0},
    )  # fmt: skip
    return keep(session, actor, territory, data, kind="candidates", name=name)


def retire(session: Session, actor: Actor, layer_id: int) -> LayerInfo:
    """Offer a version of a layer no longer; what rests on it stays. Return it."""
    require(actor, May.MAKE_STUDIES)
    found = get(session, actor, layer_id)
    if found.retired_at is None:
        store_layers.retire(session, layer_id)
    return get(session, actor, layer_id)


def read(session: Session, actor: Actor, layer_id: int) -> LayerData:
    """Return what a layer holds."""
    get(session, actor, layer_id)
    return store_layers.read_places(session, layer_id)


def people_of(session: Session, actor: Actor, layer_id: int) -> People:
    """Return the people of a layer of demand at places; those of areas are shared out over the homes inside.

    Raises
    ------
    InvalidInput
        When it is no layer of demand.
    """
    info = get(session, actor, layer_id)
    if info.kind != "demand":
        raise InvalidInput(f"{info.name} holds no demand but {info.kind}.", hint="Choose a layer of demand.")
    homes, people = store_access.read_homes(session, info.territory_id)
    return spread(store_layers.read_places(session, layer_id), homes, people)


def candidates_of(session: Session, actor: Actor, layer_id: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return longitude and latitude, shape (n, 2), and names of the candidates of a layer; of areas a point inside."""
    info = get(session, actor, layer_id)
    if info.kind != "candidates":
        raise InvalidInput(f"{info.name} holds no candidates but {info.kind}.", hint="Choose a layer of candidates.")
    data = store_layers.read_places(session, layer_id)
    return shapely.get_coordinates(shapely.point_on_surface(data.shapes)).reshape(-1, 2), data.names


def _require(actor: Actor, capability: May, territory_id: int) -> None:
    require(actor, capability)
    if actor.role is not Role.SYSTEM and actor.territory_id != territory_id:
        raise NotPermitted("You have no role in this territory.", hint="Ask an administrator.")
