"""All SQL of planning: what a question is answered from, and studies with their sites and grounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session, defer

from core.clock import now
from core.identity import Actor
from geodata.bulk import copy_rows
from geodata.crs import project
from geodata.tables import Building, Facility, LandCover, Road, StudyGround, StudySite
from geodata.tables import Study as StudyRow
from geodata.territory import TerritoryInfo, boundary_of
from planning.candidates import Land
from planning.model import Answer, Ground, Question, SiteAnswer, Study
from planning.terms import Terms

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
_QUESTION = ("kind", "p", "facility_kind", "mode", "limit_min", "keep_existing", "candidates", "seed")
CONVERTIBLE = ("commercial", "industrial", "public", "other")
"""Uses of buildings that could become something else."""
BRIEF = ("people", "within_then", "mean_s_then")
_PLAIN = (
    "id", "title", "state", "asked_label", "created_at", "answered_at", "job_id", "version",
    "status", "objective", "bound", "gap", "unserved", "facts", "parent_id",
)  # fmt: skip


def read_homes(session: Session, territory_id: int) -> tuple[Shapes, Floats, Floats]:
    """Return shape (EPSG:4326), a point inside (longitude, latitude) and people of every building."""
    inside = func.ST_PointOnSurface(Building.geom)
    rows = session.execute(
        select(func.ST_AsBinary(Building.geom), func.ST_X(inside), func.ST_Y(inside), Building.people)
        .where(Building.territory_id == territory_id)
        .order_by(Building.id)
    ).all()
    numbers = np.array([row[1:] for row in rows], dtype=np.float64).reshape(-1, 3)
    return _shapes([row[0] for row in rows]), numbers[:, :2], numbers[:, 2]


def read_land(session: Session, territory: TerritoryInfo, buildings: Shapes) -> Land:
    """Return what plots keep clear of, in the territory's metric CRS."""
    covers = session.execute(
        select(LandCover.kind, func.ST_AsBinary(LandCover.geom)).where(LandCover.territory_id == territory.id)
    ).all()
    roads = session.execute(
        select(Road.road_class, Road.drivable, func.ST_AsBinary(Road.geom)).where(Road.territory_id == territory.id)
    ).all()
    kinds = np.array([kind for kind, _ in covers], dtype=object)
    cover = _shapes([wkb for _, wkb in covers])
    lines = kinds == "waterway"

    def metric(shapes: Shapes) -> Shapes:
        return project(shapes, territory.metric_srid)

    return Land(
        taken=metric(np.concatenate([buildings, cover[~lines]])),
        waterways=metric(cover[lines]),
        roads=metric(_shapes([wkb for _, _, wkb in roads])),
        road_classes=[road_class for road_class, _, _ in roads],
        drivable=np.array([drivable for _, drivable, _ in roads], dtype=bool),
        boundary=metric(np.array([boundary_of(session, territory.id)], dtype=object))[0],
        taken_kinds=np.r_[np.full(len(buildings), "building", dtype=object), kinds[~lines]],
    )


def read_existing(session: Session, territory_id: int, kind: str) -> Floats:
    """Return longitude and latitude of the facilities of a kind, shape (n, 2)."""
    rows = session.execute(
        select(func.ST_X(Facility.geom), func.ST_Y(Facility.geom))
        .where(Facility.territory_id == territory_id, Facility.kind == kind)
        .order_by(Facility.id)
    ).all()
    return np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 2)


def read_convertible(session: Session, territory_id: int) -> Floats:
    """Return longitude, latitude and footprint in m² of buildings of trade, industry and public use, shape (n, 3)."""
    inside = func.ST_PointOnSurface(Building.geom)
    rows = session.execute(
        select(func.ST_X(inside), func.ST_Y(inside), Building.footprint_m2)
        .where(Building.territory_id == territory_id, Building.use.in_(CONVERTIBLE), Building.people <= 0)
        .order_by(Building.id)
    ).all()
    return np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 3)


def read_named(session: Session, territory_id: int, kind: str) -> list[tuple[str, float, float]]:
    """Return name (may be empty), longitude and latitude of the facilities of a kind."""
    rows = session.execute(
        select(func.coalesce(Facility.name, Facility.name_zh, ""), func.ST_X(Facility.geom), func.ST_Y(Facility.geom))
        .where(Facility.territory_id == territory_id, Facility.kind == kind)
        .order_by(Facility.id)
    )
    return [(str(name), float(lon), float(lat)) for name, lon, lat in rows]


def street_at(session: Session, territory_id: int, lon: float, lat: float) -> tuple[str, str, shapely.Geometry] | None:
    """Return name in English and Chinese and line (EPSG:4326) of the stretch of road nearest to a place."""
    row = session.execute(
        text(
            "SELECT coalesce(name, ''), coalesce(name_zh, ''), ST_AsBinary(geom) FROM road"
            " WHERE territory_id = :territory ORDER BY geom <-> ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) LIMIT 1"
        ),
        {"territory": territory_id, "lon": lon, "lat": lat},
    ).one_or_none()
    return None if row is None else (str(row[0]), str(row[1]), shapely.from_wkb(bytes(row[2])))


def nearest_street(session: Session, territory_id: int, lon: float, lat: float) -> tuple[str, str]:
    """Return the name of the nearest named road in English and Chinese; empty where there is none."""
    row = session.execute(
        text(
            "SELECT coalesce(name, ''), coalesce(name_zh, '') FROM road"
            " WHERE territory_id = :territory AND name IS NOT NULL"
            " ORDER BY geom <-> ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) LIMIT 1"
        ),
        {"territory": territory_id, "lon": lon, "lat": lat},
    ).one_or_none()
    return (str(row[0]), str(row[1])) if row else ("", "")


def facility_counts(session: Session, territory_id: int) -> dict[str, int]:
    """Return the number of facilities of each kind."""
    query = select(Facility.kind, func.count()).where(Facility.territory_id == territory_id).group_by(Facility.kind)
    return {row[0]: row[1] for row in session.execute(query)}


def add_study(
    session: Session, actor: Actor, territory_id: int, question: Question, *, title: str, parent_id: int | None = None
) -> int:
    """Write a question and return its id."""
    row = StudyRow(
        territory_id=territory_id,
        title=title,
        asked_by=actor.user_id,
        asked_label=actor.label,
        facts={},
        terms=question.terms.as_json(),
        parent_id=parent_id,
        **{name: getattr(question, name) for name in _QUESTION},
    )
    session.add(row)
    session.flush()
    return row.id


def set_job(session: Session, study_id: int, job_id: int) -> None:
    """Say which background work answers a study."""
    session.execute(
        update(StudyRow)
        .where(StudyRow.id == study_id)
        .values(job_id=job_id, version=StudyRow.version + 1)
        .execution_options(synchronize_session=False)
    )


def lock_study(session: Session, study_id: int) -> Study | None:
    """Return a study that nobody else changes until the end of the transaction; None when there is none."""
    row = session.get(StudyRow, study_id, with_for_update=True, populate_existing=True)
    return None if row is None else _study(row)


def get_study(session: Session, study_id: int) -> Study | None:
    """Return a study; None when there is none."""
    row = session.get(StudyRow, study_id, populate_existing=True)
    return None if row is None else _study(row)


def territory_id_of(session: Session, study_id: int) -> int | None:
    """Return the territory of a study; None when there is none."""
    return session.scalar(select(StudyRow.territory_id).where(StudyRow.id == study_id))


def list_studies(session: Session, territory_id: int, limit: int) -> list[Study]:
    """Return the newest studies first, of their facts only those of a list."""
    brief = func.jsonb_build_object(*(part for name in BRIEF for part in (name, StudyRow.facts[name])))
    query = (
        select(StudyRow, brief)
        .options(defer(StudyRow.facts, raiseload=True))
        .where(StudyRow.territory_id == territory_id)
        .order_by(StudyRow.created_at.desc(), StudyRow.id.desc())
        .limit(limit)
    )
    return [_study(row, facts=facts) for row, facts in session.execute(query)]


def list_children(session: Session, study_id: int) -> list[Study]:
    """Return the other answers to a study, oldest first."""
    rows = session.scalars(select(StudyRow).where(StudyRow.parent_id == study_id).order_by(StudyRow.id))
    return [_study(row) for row in rows]


def write_answer(session: Session, territory_id: int, study_id: int, answer: Answer) -> None:
    """Write an answer with its sites and grounds; the database lets nobody change it afterwards."""
    session.execute(delete(StudySite).where(StudySite.study_id == study_id))
    session.execute(delete(StudyGround).where(StudyGround.study_id == study_id))
    names = ("number", "people", "within", "mean_s", "farthest_s", "street", "street_zh", "community_id", "grid_id")
    copy_rows(
        session,
        "study_site",
        _same(answer.sites, territory_id, study_id)
        | {name: [getattr(site, name) for site in answer.sites] for name in names}
        | {"geom": [shapely.Point(site.lon, site.lat) for site in answer.sites]},
    )
    copy_rows(
        session,
        "study_ground",
        _same(answer.grounds, territory_id, study_id)
        | {name: [getattr(ground, name) for ground in answer.grounds] for name in ("kind", "site_number", "people")}
        | {"geom": [ground.shape for ground in answer.grounds]},
    )
    session.execute(
        update(StudyRow)
        .where(StudyRow.id == study_id)
        .values(
            state="infeasible" if answer.status == "infeasible" else "answered",
            answered_at=now(),
            status=answer.status,
            objective=answer.objective,
            bound=answer.bound,
            gap=answer.gap,
            unserved=answer.unserved,
            facts=dict(answer.facts),
            version=StudyRow.version + 1,
        )
        .execution_options(synchronize_session=False)
    )


def read_sites(session: Session, study_id: int) -> tuple[SiteAnswer, ...]:
    """Return the sites of a study by number."""
    names = ("number", "people", "within", "mean_s", "farthest_s", "street", "street_zh", "community_id", "grid_id")
    rows = session.execute(
        select(
            *(getattr(StudySite, name) for name in names),
            func.ST_X(StudySite.geom).label("lon"),
            func.ST_Y(StudySite.geom).label("lat"),
        )
        .where(StudySite.study_id == study_id)
        .order_by(StudySite.number)
    )
    return tuple(SiteAnswer(**row._mapping) for row in rows)  # noqa: SLF001  (the documented way to a mapping)


def read_grounds(session: Session, study_id: int) -> tuple[Ground, ...]:
    """Return the grounds of a study."""
    rows = session.execute(
        select(StudyGround.kind, StudyGround.site_number, StudyGround.people, func.ST_AsBinary(StudyGround.geom))
        .where(StudyGround.study_id == study_id)
        .order_by(StudyGround.id)
    )
    return tuple(
        Ground(kind, number, people, cast("shapely.MultiPolygon", shapely.from_wkb(bytes(wkb))))
        for kind, number, people, wkb in rows
    )


def _same(rows: Sequence[object], territory_id: int, study_id: int) -> dict[str, list[Any]]:
    return {"territory_id": [territory_id] * len(rows), "study_id": [study_id] * len(rows)}


def _study(row: StudyRow, facts: Mapping[str, Any] | None = None) -> Study:
    question = Question(**{name: getattr(row, name) for name in _QUESTION}, terms=Terms.of_json(row.terms))
    plain = {name: getattr(row, name) for name in _PLAIN if name != "facts"}
    return Study(question=question, facts=row.facts if facts is None else facts, **plain)


def _shapes(wkb: Sequence[bytes]) -> Shapes:
    made: Shapes = shapely.from_wkb(np.array([bytes(each) for each in wkb], dtype=object))
    return made
