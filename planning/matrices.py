"""Use cases of matrices of the planner's own: which places one is about, bring one, read one, keep to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.identity import Actor, May, require
from geodata.territory import TerritoryInfo
from geodata.travel_matrix import read_matrix
from geodata.travel_own import SAME_DEG
from planning import layering, store_access
from planning.demand import gather
from planning.layer_model import LayerData, LayerInfo
from planning.model import Question
from planning.own_matrix import ROWS_AT_MOST, UNPACKED_AT_MOST, Expected, OwnMatrix, fitted
from planning.posing import metric
from planning.terms import OwnPlace, Place, Terms

Floats = NDArray[np.float64]


def offered(session: Session, actor: Actor, territory: TerritoryInfo) -> tuple[LayerInfo, ...]:
    """Return the matrices that are offered, of each name the newest version."""
    return layering.layers(session, actor, territory, "matrix")


def people_at(session: Session, actor: Actor, territory: TerritoryInfo, demand_id: int | None) -> tuple[Floats, Floats]:
    """Return where people count as rows of a matrix, longitude and latitude, and how many are at each.

    Few places stand as they are, in the order of their layer; more are gathered at `ROWS_AT_MOST`.
    """
    require(actor, May.SEE_STUDIES)
    if demand_id is None:
        homes, people = store_access.read_homes(session, territory.id)
    else:
        counted = layering.people_of(session, actor, demand_id)
        homes, people = counted.lonlat, counted.people
    if len(people) <= ROWS_AT_MOST:
        return homes, people
    points = gather(metric(homes, territory.metric_srid), people, ROWS_AT_MOST)
    return homes[points.at], points.people


def expected(
    session: Session, actor: Actor, territory: TerritoryInfo, *, demand_id: int | None,
    candidates: Sequence[OwnPlace], kind: str | None,
) -> Expected:  # fmt: skip
    """Return the places that a matrix for a question is about: rows of people, columns of candidates and facilities."""
    rows, people = people_at(session, actor, territory, demand_id)
    there = store_access.read_facilities(session, territory.id, kind)[:, :2] if kind else np.empty((0, 2))
    at = np.array([(each.lon, each.lat) for each in candidates], dtype=np.float64).reshape(-1, 2)
    demand = "" if demand_id is None else layering.get(session, actor, demand_id).name
    return Expected(rows, people, at, there, kind if len(there) else None, demand)


def bring(
    session: Session, actor: Actor, territory: TerritoryInfo, places: Expected, path: Path, *, name: str, shown: str
) -> LayerInfo:
    """Read a matrix about places, keep it as the newest version under its name and return it.

    The same matrix is kept once: brought again it is the version that is there.

    Raises
    ------
    InvalidInput
        When it does not fit the places; says how many and why.
    """
    made = fitted(read_matrix(path, most_bytes=UNPACKED_AT_MOST), places, shown)
    return keep(session, actor, territory, made, name=name, shown=shown)


def keep(
    session: Session, actor: Actor, territory: TerritoryInfo, made: OwnMatrix, *, name: str, shown: str,
    more: Mapping[str, Any] | None = None,
) -> LayerInfo:  # fmt: skip
    """Keep a matrix as the newest version under its name and return it; the same one is kept once.

    Parameters
    ----------
    shown
        Where it came from.
    more
        What is kept beside it: by which timetables it was made.
    """
    places = made.places
    for each in layering.versions(session, actor, territory, "matrix"):
        if each.facts.get("sha256") == made.sha256 and each.retired_at is None:
            return each
    near = made.nearest_s[np.isfinite(made.nearest_s)]
    facts = {
        **(more or {}),
        "source": shown,
        "sha256": made.sha256,
        "places": len(places.rows),
        "people": float(places.people.sum()),
        "candidates": len(places.candidates),
        "there": len(places.there),
        "facility_kind": places.kind,
        "demand": places.demand,
        "median_s": float(np.median(near)) if len(near) else None,
        "no_way": int((~np.isfinite(made.nearest_s)).sum()),
    }
    nothing = np.empty(0)
    data = LayerData(
        np.empty(0, dtype=object), (), nothing, np.empty((0, 0)), facts=facts, grid=made.packed(),
    )  # fmt: skip
    return layering.keep(session, actor, territory, data, kind="matrix", name=name)


def transit_of(session: Session, actor: Actor, question: Question) -> Mapping[str, Any] | None:
    """Return by which timetables the matrix of a question was made; None where it was brought, or streets count."""
    if question.terms.matrix is None:
        return None
    found: Mapping[str, Any] | None = layering.get(session, actor, question.terms.matrix).facts.get("transit")
    return found


def read(session: Session, actor: Actor, layer_id: int) -> OwnMatrix:
    """Return a matrix.

    Raises
    ------
    InvalidInput
        When the layer is none, or no longer what was brought.
    """
    info = layering.get(session, actor, layer_id)
    if info.kind != "matrix":
        raise InvalidInput(f"{info.name} holds no matrix but {info.kind}.", hint="Choose a matrix.")
    made = OwnMatrix.unpacked(layering.read(session, actor, layer_id).grid or b"")
    if made.sha256 != info.facts["sha256"]:
        raise InvalidInput(f"The matrix {info.name} is not what was brought.", hint="Bring it again.")
    return made


def places_of(matrix: OwnMatrix) -> tuple[OwnPlace, ...]:
    """Return the candidates of a matrix."""
    return tuple(OwnPlace(float(lon), float(lat)) for lon, lat in matrix.places.candidates)


def checked(session: Session, actor: Actor, question: Question) -> None:
    """Refuse a question that its matrix cannot answer.

    Raises
    ------
    InvalidInput
        When it asks about streets, places or facilities that the matrix does not know.
    """
    terms = question.terms
    if terms.matrix is None:
        return
    places = read(session, actor, terms.matrix).places
    if terms.closed:
        raise InvalidInput(
            "This study goes by a matrix of its own, which knows no streets.",
            hint="Bring a matrix without the street, or ask on the streets of the map.",
        )
    if question.existing_kind is not None and places.kind not in {None, question.existing_kind}:
        raise InvalidInput(
            f"The matrix leads to {places.kind}, not to {question.existing_kind}.",
            hint="Bring one for what is asked, or leave those that are there out of account.",
        )
    if not terms.places:
        raise InvalidInput("The matrix says which places are compared.", hint="Take its candidates.")
    asked = [(each.lon, each.lat) for each in terms.places] + [*terms.fixed, *terms.also, *terms.by_hand]
    unknown = int((_away(places.candidates, asked) > SAME_DEG).sum())
    if unknown:
        raise InvalidInput(
            f"The matrix knows no ways to {unknown:,} of {len(asked):,} places.",
            hint=f"Take some of its {len(places.candidates):,} candidates.",
        )


def settled(session: Session, actor: Actor, terms: Terms, places: Sequence[Place]) -> tuple[Place, ...]:
    """Return for each place the nearest candidate of the matrix that a question goes by; without one the place."""
    if terms.matrix is None or not places:
        return tuple(places)
    known = read(session, actor, terms.matrix).places.candidates
    nearest = cKDTree(known).query(np.array(places))[1]
    return tuple((float(lon), float(lat)) for lon, lat in known[nearest])


def named(terms: Terms, info: LayerInfo) -> Terms:
    """Return terms that go by a matrix, with its name and hash."""
    name = f"{info.name}, {info.revision}"
    return dataclasses.replace(
        terms, matrix=info.id, matrix_name=name, matrix_sha256=str(info.facts["sha256"]),
        transit=info.facts.get("transit") is not None,
    )  # fmt: skip


def _away(known: Floats, places: Sequence[Place]) -> Floats:
    if not len(known):
        return np.full(len(places), np.inf)
    return np.asarray(cKDTree(known).query(np.array(places, dtype=np.float64).reshape(-1, 2))[0], dtype=np.float64)
