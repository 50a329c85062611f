"""Use cases of access: ask who reaches what, answer it, read answers; keep the norms of a territory."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from geodata import jobs
from geodata.db import system_rights
from geodata.jobs import Job
from geodata.roads import network_of
from geodata.territory import TerritoryInfo, list_territories
from geodata.usual_speeds import network_at
from grids.service import locate
from planning import layering, matrices, store_layers
from planning import store_access as store
from planning.access_model import AccessAnswer, AccessCity, AccessQuestion, AccessRow, CellAccess
from planning.layer_model import LayerInfo, spread
from planning.norms import SHIPPED, Norm, checked, merged
from planning.own_matrix import OwnMatrix

Floats = NDArray[np.float64]
JOB_KIND = "access"


def kinds_there(session: Session, actor: Actor, territory: TerritoryInfo) -> Sequence[tuple[str, int]]:
    """Return the kinds of facility of the territory with their number, the most frequent first."""
    _require(actor, May.SEE_STUDIES, territory.id)
    return store.kinds_there(session, territory.id)


def facilities(session: Session, actor: Actor, territory: TerritoryInfo, kind: str) -> Floats:
    """Return longitude, latitude and places (NaN where unknown) of the facilities of a kind, shape (n, 3)."""
    _require(actor, May.SEE_STUDIES, territory.id)
    return store.read_facilities(session, territory.id, kind)


def find(session: Session, actor: Actor, territory: TerritoryInfo, question: AccessQuestion) -> AccessRow | None:
    """Return a question as it is kept, with its answer where there is one; None when it was never asked."""
    _require(actor, May.SEE_STUDIES, territory.id)
    return store.find_answer(session, territory.id, question)


def ask(
    session: Session, actor: Actor, territory: TerritoryInfo, question: AccessQuestion, *, queue: bool = True
) -> AccessRow:
    """Return a question as it is kept; one without an answer of today's data is asked (anew).

    With ``queue`` background work will answer it, and nothing is asked twice while that goes on.
    """
    _require(actor, May.SEE_STUDIES, territory.id)
    found = store.find_answer(session, territory.id, question)
    if found is not None and found.fresh:
        job = _job(session, actor, found)
        if found.state == "answered" or (job is not None and not job.ended):
            return found
    if question.study_id is not None:
        _study_sites(session, territory.id, question)
    if question.demand_id is not None:
        _demand(session, territory.id, question.demand_id)
    if question.matrix_id is not None:
        _matrix(session, actor, question)
    with system_rights(session, actor):
        answer_id = store.put_question(session, territory.id, question)
    if queue:
        job_id = jobs.enqueue(session, actor, JOB_KIND, {"answer_id": answer_id})
        with system_rights(session, actor):
            store.set_job(session, answer_id, job_id)
    return get(session, actor, answer_id)


def get(session: Session, actor: Actor, answer_id: int) -> AccessRow:
    """Return a question as it is kept.

    Raises
    ------
    NotFound
        When there is none in the actor's territory.
    """
    require(actor, May.SEE_STUDIES)
    row = store.get_answer(session, answer_id)
    if row is None:
        raise NotFound(f"There is no question of access {answer_id}.", hint="Ask it again on the page Access.")
    return row


def job_of(session: Session, actor: Actor, row: AccessRow) -> Job | None:
    """Return the background work of a question; None when it has none."""
    require(actor, May.SEE_STUDIES)
    return _job(session, actor, row)


def read_city(session: Session, actor: Actor, answer_id: int) -> tuple[AccessCity, AccessQuestion]:
    """Return a question and all that is needed to answer it.

    Raises
    ------
    InvalidInput
        When nobody lives in the territory, or it has no roads that the mode can use.
    """
    row = get(session, actor, answer_id)
    question = row.question
    territory = next(each for each in list_territories(session) if each.id == row.territory_id)
    homes, people = store.read_homes(session, territory.id)
    groups, names = np.empty((0, 0)), tuple[str, ...]()
    demand: dict[str, Any] | None = None
    own = None if question.matrix_id is None else _matrix(session, actor, question)
    if own is not None:
        homes, people = own.places.rows, own.places.people
        info = layering.get(session, actor, question.matrix_id or 0)
        demand = {"matrix": {"name": info.name, "revision": info.revision, **info.facts}}
    elif question.demand_id is not None:
        layer = _demand(session, territory.id, question.demand_id)
        counted = spread(store_layers.read_places(session, layer.id), homes, people)
        homes, people, groups, names = counted.lonlat, counted.people, counted.groups, counted.group_names
        demand = {"name": layer.name, "year": layer.year, "revision": layer.revision}
    factor = question.growth.factor
    if factor != 1.0:
        people, groups = people * factor, groups * factor
        demand = (demand or {}) | {"growth": [question.growth.per_cent, question.growth.years]}
    if not len(people):
        raise InvalidInput(
            f"{territory.title_en} has no buildings with people, so nobody is there to reach anything.",
            hint="Load its map with 'gridkeeper load osm'.",
        )
    network = (
        network_of(session, territory, question.mode) if own is None else own.ways(question.mode, territory.metric_srid)
    )
    allowed = None
    if question.hour is not None and len(network.targets):
        allowed, network = network, network_at(session, territory, question.mode, question.hour)
    if not len(network.targets):
        raise InvalidInput(
            f"{territory.title_en} has no roads to {question.mode} on.", hint="Load its map with 'gridkeeper load osm'."
        )
    placed = locate(session, territory.id, homes[:, 0], homes[:, 1])
    kind, alone, sites = None, False, np.empty((0, 2))
    if question.study_id is not None:
        kind, alone, sites = _study_sites(session, territory.id, question)
        if own is not None and bool((network.snap(sites).stretch < 0).any()):
            raise InvalidInput(
                "The matrix knows no ways to the sites of this study.",
                hint="Compare with a study that was asked with the same matrix.",
            )
    city = AccessCity(
        homes=homes,
        people=people,
        grid_id=placed.grid_id.astype(np.int64),
        community_id=placed.community_id.astype(np.int64),
        facilities={each: store.read_facilities(session, territory.id, each) for each in question.kinds}
        if own is None
        else {question.kinds[0]: np.column_stack([own.places.there, np.full(len(own.places.there), np.nan)])},
        sites=sites,
        sites_kind=kind,
        sites_alone=alone,
        network=network,
        metric_srid=territory.metric_srid,
        groups=groups,
        group_names=names,
        demand=demand,
        allowed=allowed,
    )
    return city, question


def keep_answer(session: Session, actor: Actor, answer_id: int, answer: AccessAnswer) -> None:
    """Write the answer to a question."""
    require(actor, May.SEE_STUDIES)
    with system_rights(session, actor):
        store.write_answer(session, answer_id, answer)


def cells_of_answer(session: Session, actor: Actor, answer_id: int) -> CellAccess:
    """Return the answer by unit grid.

    Raises
    ------
    NotFound
        When there is no such answer in the actor's territory.
    """
    require(actor, May.SEE_STUDIES)
    cells = store.read_cells(session, answer_id)
    if cells is None:
        raise NotFound(f"There is no answer {answer_id} about access.", hint="Ask it again on the page Access.")
    return cells


def grid_shapes(
    session: Session, actor: Actor, territory: TerritoryInfo, grid_ids: Sequence[int]
) -> dict[int, tuple[str, int, bytes]]:
    """Return code, community and shape (WKB, EPSG:4326) of unit grids by id."""
    _require(actor, May.SEE_STUDIES, territory.id)
    return store.read_grids(session, grid_ids)


def sites_of_study(session: Session, actor: Actor, territory: TerritoryInfo, study_id: int) -> Floats:
    """Return longitude and latitude of the sites of an answered study, shape (n, 2)."""
    _require(actor, May.SEE_STUDIES, territory.id)
    found = store.read_study(session, study_id)
    return found[4] if found is not None and found[0] == territory.id else np.empty((0, 2))


def list_norms(session: Session, actor: Actor, territory: TerritoryInfo) -> tuple[Norm, ...]:
    """Return the norms of a territory: its own, and those shipped of which it says nothing."""
    _require(actor, May.SEE_STUDIES, territory.id)
    return merged(store.own_norms(session, territory.id))


def set_norm(session: Session, actor: Actor, territory: TerritoryInfo, norm: Norm) -> Norm:
    """Return a norm as it is kept from now on; of kind and level there is one.

    Raises
    ------
    InvalidInput
        When it cannot be a norm.
    Conflict
        When somebody changed it meanwhile.
    """
    _require(actor, May.MAKE_STUDIES, territory.id)
    wanted = checked(norm)
    own = {each.key: each for each in store.own_norms(session, territory.id)}
    there = own.get(wanted.key)
    if there is not None and wanted.id is None:
        wanted = dataclasses.replace(wanted, id=there.id, version=there.version)
    if store.put_norm(session, territory.id, wanted) is None:
        raise Conflict("Somebody else changed this norm meanwhile.", hint="Load the page again.")
    return next(each for each in store.own_norms(session, territory.id) if each.key == wanted.key)


def drop_norm(session: Session, actor: Actor, territory: TerritoryInfo, kind: str, level: str) -> Norm | None:
    """Take back what the territory says of a norm; return the shipped one that counts again, None without one.

    Raises
    ------
    NotFound
        When the territory says nothing of it.
    """
    _require(actor, May.MAKE_STUDIES, territory.id)
    if not store.drop_norm(session, territory.id, kind, level):
        raise NotFound(
            f"{territory.title_en} has no norm of its own for {kind}, {level!r}.",
            hint="A shipped norm is switched off, not deleted.",
        )
    return next((each for each in SHIPPED if each.key == (kind, level)), None)


def _study_sites(session: Session, territory_id: int, question: AccessQuestion) -> tuple[str | None, bool, Floats]:
    found = store.read_study(session, question.study_id or 0)
    if found is None or found[0] != territory_id:
        raise NotFound(f"There is no study {question.study_id}.")
    _, kind, state, keep, sites = found
    if state != "answered" or not len(sites):
        raise InvalidInput("This study has no sites yet.", hint="Wait for its answer, or choose another study.")
    if kind not in question.kinds:
        raise InvalidInput(
            f"The study is of {kind or 'something new'}, not of {', '.join(question.kinds)}.",
            hint="Choose a study of the kind that is asked for.",
        )
    return kind, not keep, sites


def _job(session: Session, actor: Actor, row: AccessRow) -> Job | None:
    if row.job_id is None:
        return None
    with system_rights(session, actor):
        return jobs.find_job(session, row.job_id)


def _require(actor: Actor, capability: May, territory_id: int) -> None:
    require(actor, capability)
    if actor.role is not Role.SYSTEM and actor.territory_id != territory_id:
        raise NotPermitted("You have no role in this territory.", hint="Ask an administrator.")


def _matrix(session: Session, actor: Actor, question: AccessQuestion) -> OwnMatrix:
    """Return the matrix of a question, which leads to what is asked for."""
    own = matrices.read(session, actor, question.matrix_id or 0)
    if own.places.kind is None or question.kinds != (own.places.kind,):
        raise InvalidInput(
            f"The matrix leads to {own.places.kind or 'nothing that is there'}, not to {', '.join(question.kinds)}.",
            hint="Choose the kind it leads to, or the streets of the map.",
        )
    return own


def _demand(session: Session, territory_id: int, layer_id: int) -> LayerInfo:
    layer = store_layers.get_layer(session, layer_id)
    if layer is None or layer.territory_id != territory_id or layer.kind != "demand":
        raise NotFound(f"There is no layer of demand {layer_id}.", hint="Choose another, or the people of the map.")
    return layer
