"""All SQL of access: homes and facilities, questions with their answers, the norms of a territory."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import now
from geodata.tables import AccessAnswer as AnswerRow
from geodata.tables import Building, Facility, Load, Study, StudySite, UnitGrid
from geodata.tables import Norm as NormRow
from planning.access_model import AccessAnswer, AccessQuestion, AccessRow, CellAccess
from planning.layer_model import Growth
from planning.norms import Norm

Floats = NDArray[np.float64]

KEPT = 80
"""Answers kept for a territory; the oldest go."""
SPEEDS_FRESH = dt.timedelta(days=1)
"""So long an answer by the speeds of an hour is fresh: they are medians of weeks, and come in all the time."""
_NORM = (
    "facility_kind", "level", "level_zh", "mode", "source", "source_zh", "radius_m", "minutes", "per_1000", "unit",
    "active",
)  # fmt: skip
_CELLS = ("grid_id", "people", "within", "now_s", "then_s", "supply")


def read_homes(session: Session, territory_id: int) -> tuple[Floats, Floats]:
    """Return a point inside (longitude, latitude) and the people of every building where somebody lives."""
    inside = func.ST_PointOnSurface(Building.geom)
    rows = session.execute(
        select(func.ST_X(inside), func.ST_Y(inside), Building.people)
        .where(Building.territory_id == territory_id, Building.people > 0)
        .order_by(Building.id)
    ).all()
    numbers = np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 3)
    return np.ascontiguousarray(numbers[:, :2]), np.ascontiguousarray(numbers[:, 2])


def read_facilities(session: Session, territory_id: int, kind: str) -> Floats:
    """Return longitude, latitude and places (NaN where unknown) of the facilities of a kind, shape (n, 3)."""
    rows = session.execute(
        select(func.ST_X(Facility.geom), func.ST_Y(Facility.geom), Facility.capacity)
        .where(Facility.territory_id == territory_id, Facility.kind == kind)
        .order_by(Facility.id)
    ).all()
    return np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 3)


def read_study(session: Session, study_id: int) -> tuple[int, str | None, str, bool, Floats] | None:
    """Return territory, kind, state, whether what is there goes on serving, and the sites (n, 2); None without one."""
    row = session.execute(
        select(Study.territory_id, Study.facility_kind, Study.state, Study.keep_existing).where(Study.id == study_id)
    ).one_or_none()
    if row is None:
        return None
    sites = session.execute(
        select(func.ST_X(StudySite.geom), func.ST_Y(StudySite.geom))
        .where(StudySite.study_id == study_id)
        .order_by(StudySite.number)
    ).all()
    return (*row, np.array([tuple(site) for site in sites], dtype=np.float64).reshape(-1, 2))


def data_version(session: Session, territory_id: int) -> int:
    """Return the newest load of a territory; every change of its map and grids is one."""
    return session.scalars(select(func.coalesce(func.max(Load.id), 0)).where(Load.territory_id == territory_id)).one()


def find_answer(session: Session, territory_id: int, question: AccessQuestion) -> AccessRow | None:
    """Return a question as it is kept; None when it was never asked."""
    found = session.scalar(
        select(AnswerRow.id).where(AnswerRow.territory_id == territory_id, AnswerRow.key == question.key)
    )
    return None if found is None else get_answer(session, found)


def get_answer(session: Session, answer_id: int) -> AccessRow | None:
    """Return a question as it is kept; None when there is none."""
    columns = [getattr(AnswerRow, column.key) for column in AnswerRow.__table__.columns if column.key != "cells"]
    row = session.execute(select(*columns).where(AnswerRow.id == answer_id)).one_or_none()
    if row is None:
        return None
    asked = row.question
    return AccessRow(
        id=row.id,
        territory_id=row.territory_id,
        question=AccessQuestion(
            tuple(asked["kinds"]),
            asked["mode"],
            asked["limit_min"],
            asked["study_id"],
            asked.get("demand_id"),
            Growth(*asked.get("growth", ())),
            asked.get("matrix_id"),
            asked.get("hour"),
        ),
        state=row.state,
        fresh=row.data_version == data_version(session, row.territory_id)
        and (asked.get("hour") is None or row.asked_at > now() - SPEEDS_FRESH),
        job_id=row.job_id,
        asked_at=row.asked_at,
        answered_at=row.answered_at,
        facts=row.facts,
    )


def put_question(session: Session, territory_id: int, question: AccessQuestion) -> int:
    """Write a question, or ask one that is kept anew, and return its id; the oldest beyond `KEPT` go."""
    asked = {
        "question": {
            "kinds": list(question.kinds), "mode": question.mode, "limit_min": question.limit_min,
            "study_id": question.study_id, "demand_id": question.demand_id,
            "growth": [question.growth.per_cent, question.growth.years], "matrix_id": question.matrix_id,
            "hour": question.hour,
        },
        "study_id": question.study_id,
        "data_version": data_version(session, territory_id),
        "state": "asked",
        "asked_at": now(),
        "job_id": None,
    }  # fmt: skip
    made = session.execute(
        insert(AnswerRow)
        .values(territory_id=territory_id, key=question.key, **asked)
        .on_conflict_do_update(index_elements=["territory_id", "key"], set_=asked)
        .returning(AnswerRow.id)
    ).scalar_one()
    newest = (
        select(AnswerRow.id)
        .where(AnswerRow.territory_id == territory_id)
        .order_by(AnswerRow.asked_at.desc(), AnswerRow.id.desc())
        .limit(KEPT)
    )
    session.execute(delete(AnswerRow).where(AnswerRow.territory_id == territory_id, AnswerRow.id.not_in(newest)))
    return made


def set_job(session: Session, answer_id: int, job_id: int) -> None:
    """Say which background work answers a question."""
    session.execute(update(AnswerRow).where(AnswerRow.id == answer_id).values(job_id=job_id))


def write_answer(session: Session, answer_id: int, answer: AccessAnswer) -> None:
    """Write the answer to a question."""
    packed = io.BytesIO()
    np.savez_compressed(packed, **{name: getattr(answer.cells, name) for name in _CELLS})
    session.execute(
        update(AnswerRow)
        .where(AnswerRow.id == answer_id)
        .values(state="answered", answered_at=now(), facts=dict(answer.facts), cells=packed.getvalue())
    )


def read_cells(session: Session, answer_id: int) -> CellAccess | None:
    """Return the answer by unit grid; None when there is none."""
    packed = session.scalar(select(AnswerRow.cells).where(AnswerRow.id == answer_id, AnswerRow.state == "answered"))
    if packed is None:
        return None
    with np.load(io.BytesIO(packed), allow_pickle=False) as file:
        return CellAccess(**{name: file[name] for name in _CELLS})


def own_norms(session: Session, territory_id: int) -> tuple[Norm, ...]:
    """Return the norms a territory says itself."""
    rows = session.scalars(
        select(NormRow).where(NormRow.territory_id == territory_id).order_by(NormRow.facility_kind, NormRow.level)
    )
    return tuple(_norm(row) for row in rows)


def put_norm(session: Session, territory_id: int, norm: Norm) -> int | None:
    """Write a norm and return its id; None when the row was changed meanwhile (its version is another)."""
    values: dict[str, Any] = {name: getattr(norm, name) for name in _NORM} | {"changed_at": now()}
    if norm.id is None:
        return session.execute(
            insert(NormRow)
            .values(territory_id=territory_id, **values)
            .on_conflict_do_nothing(index_elements=["territory_id", "facility_kind", "level"])
            .returning(NormRow.id)
        ).scalar_one_or_none()
    return session.execute(
        update(NormRow)
        .where(NormRow.id == norm.id, NormRow.territory_id == territory_id, NormRow.version == norm.version)
        .values(version=NormRow.version + 1, **values)
        .returning(NormRow.id)
    ).scalar_one_or_none()


def drop_norm(session: Session, territory_id: int, kind: str, level: str) -> int:
    """Delete a norm of the territory's own; return how many there were."""
    gone = session.execute(
        delete(NormRow)
        .where(NormRow.territory_id == territory_id, NormRow.facility_kind == kind, NormRow.level == level)
        .returning(NormRow.id)
    ).all()
    return len(gone)


def _norm(row: NormRow) -> Norm:
    return Norm(id=row.id, version=row.version, **{name: getattr(row, name) for name in _NORM})


def kinds_there(session: Session, territory_id: int) -> Sequence[tuple[str, int]]:
    """Return the kinds of facility of a territory with their number, the most frequent first."""
    rows = session.execute(
        select(Facility.kind, func.count())
        .where(Facility.territory_id == territory_id)
        .group_by(Facility.kind)
        .order_by(func.count().desc(), Facility.kind)
    )
    return [(kind, count) for kind, count in rows]


def read_grids(session: Session, grid_ids: Sequence[int]) -> dict[int, tuple[str, int, bytes]]:
    """Return code, community and shape (WKB, EPSG:4326) of unit grids by id."""
    rows = session.execute(
        select(UnitGrid.id, UnitGrid.code, UnitGrid.community_id, func.ST_AsBinary(UnitGrid.geom)).where(
            UnitGrid.id.in_(list(grid_ids))
        )
    )
    return {key: (code, community, bytes(wkb)) for key, code, community, wkb in rows}
