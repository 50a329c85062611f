"""All SQL of a study's report: the ground its map is drawn on, the loads it rests on, the files that were made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from geodata import jobs
from geodata.crs import project
from geodata.tables import Area, Load, Study, StudyDecision, StudyFile, UnitGrid
from geodata.territory import TerritoryInfo
from planning.report_model import Signature

Shapes = NDArray[np.object_]
MAJOR = ("motorway", "trunk", "primary", "secondary", "tertiary")
MINOR = ("unclassified", "residential", "living_street", "road", "pedestrian")


@dataclass(frozen=True)
class FileInfo:
    """A file that was made of a study; language is empty for data."""

    form: str
    language: str
    size: int
    made_at: dt.datetime
    made_label: str


def read_loads(session: Session, territory_id: int, kinds: Sequence[str]) -> list[tuple[str, str, str, dt.datetime]]:
    """Return kind, file, checksum and time of the loads of a territory, oldest first."""
    rows = session.execute(
        select(Load.kind, Load.source_name, Load.content_sha256, Load.started_at)
        .where(Load.territory_id == territory_id, Load.kind.in_(kinds))
        .order_by(Load.id)
    )
    return [(kind, name, sha, at) for kind, name, sha, at in rows]


def read_cover(session: Session, territory: TerritoryInfo) -> list[tuple[str, shapely.Geometry]]:
    """Return kind and shape of land cover in the territory's metric CRS."""
    rows = session.execute(
        text("SELECT kind, ST_AsBinary(geom) FROM land_cover WHERE territory_id = :territory"),
        {"territory": territory.id},
    ).all()
    shapes = _metric([row[1] for row in rows], territory)
    return [(row[0], shape) for row, shape in zip(rows, shapes, strict=True)]


def read_streets(session: Session, territory: TerritoryInfo) -> list[tuple[str, str, str, shapely.Geometry]]:
    """Return class, name, Chinese name and line of the streets worth drawing, in the territory's metric CRS."""
    rows = session.execute(
        text(
            "SELECT split_part(road_class, '_link', 1), coalesce(name, ''), coalesce(name_zh, ''), ST_AsBinary(geom)"
            " FROM road WHERE territory_id = :territory AND split_part(road_class, '_link', 1) = ANY(:classes)"
        ),
        {"territory": territory.id, "classes": [*MAJOR, *MINOR]},
    ).all()
    shapes = _metric([row[3] for row in rows], territory)
    return [(row[0], row[1], row[2], shape) for row, shape in zip(rows, shapes, strict=True)]


def read_boundary(session: Session, territory: TerritoryInfo) -> shapely.Geometry:
    """Return the boundary of the territory in its metric CRS."""
    wkb = session.scalar(
        text("SELECT ST_AsBinary(boundary) FROM territory WHERE id = :territory"), {"territory": territory.id}
    )
    shape: shapely.Geometry = _metric([wkb], territory)[0]
    return shape


def read_places(session: Session, territory: TerritoryInfo) -> list[tuple[str, str, str, shapely.Point]]:
    """Return kind, name, Chinese name and point of the places with a name, largest first."""
    rows = session.execute(
        text(
            "SELECT kind, coalesce(name, ''), coalesce(name_zh, ''), ST_AsBinary(geom) FROM place_name"
            " WHERE territory_id = :territory AND kind IN ('city', 'town', 'village', 'suburb')"
            " ORDER BY array_position(ARRAY['city', 'town', 'village', 'suburb'], kind), people DESC NULLS LAST, id"
        ),
        {"territory": territory.id},
    ).all()
    shapes = _metric([row[3] for row in rows], territory)
    return [(row[0], row[1], row[2], shape) for row, shape in zip(rows, shapes, strict=True)]


def read_buildings(session: Session, territory: TerritoryInfo) -> Shapes:
    """Return the shapes of buildings in the territory's metric CRS."""
    rows = session.scalars(
        text("SELECT ST_AsBinary(geom) FROM building WHERE territory_id = :territory"), {"territory": territory.id}
    ).all()
    return _metric(rows, territory)


def grid_codes(session: Session, grid_ids: Sequence[int]) -> dict[int, tuple[str, int]]:
    """Return code and community of unit grids by id."""
    rows = session.execute(
        select(UnitGrid.id, UnitGrid.code, UnitGrid.community_id).where(UnitGrid.id.in_(list(grid_ids)))
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def area_names(session: Session, territory_id: int) -> dict[int, tuple[str, str, str]]:
    """Return code, name and Chinese name of the communities by id."""
    rows = session.execute(select(Area.id, Area.code, Area.name, Area.name_zh).where(Area.territory_id == territory_id))
    return {row[0]: (row[1], row[2], row[3] or "") for row in rows}


def territory_id_of(session: Session, study_id: int) -> int:
    """Return the territory of a study."""
    return session.execute(select(Study.territory_id).where(Study.id == study_id)).scalar_one()


def read_signatures(session: Session, study_id: int) -> tuple[Signature, ...]:
    """Return what was proposed and decided about the sites of a study, oldest first; withdrawn ones are left out."""
    rows = session.scalars(
        select(StudyDecision)
        .where(StudyDecision.study_id == study_id, StudyDecision.state != "withdrawn")
        .order_by(StudyDecision.id)
    )
    made = []
    for row in rows:
        made.append(Signature(row.proposed_label, "proposed", row.reason, row.proposed_at))
        if row.decided_at is not None:
            made.append(Signature(row.decided_label, row.state, row.note, row.decided_at))
    return tuple(made)


def jobs_of(session: Session, kind: str, study_id: int) -> list[jobs.Job]:
    """Return the work of a kind on a study, newest first."""
    rows = session.scalars(
        text("SELECT id FROM job_run WHERE kind = :kind AND arguments -> 'arguments' ->> 'study_id' = :study"
             " ORDER BY id DESC LIMIT 3"),
        {"kind": kind, "study": str(study_id)},
    ).all()  # fmt: skip
    return [jobs.get_job(session, row) for row in rows]


def drop_files(session: Session, study_id: int) -> None:
    """Delete the files of a study."""
    session.execute(delete(StudyFile).where(StudyFile.study_id == study_id))


def put_file(  # noqa: PLR0917  (a row, column by column)
    session: Session, territory_id: int, study_id: int, form: str, language: str, content: bytes, label: str
) -> None:
    """Write a file of a study."""
    session.add(
        StudyFile(
            territory_id=territory_id, study_id=study_id, form=form, language=language, content=content,
            made_label=label,
        )
    )  # fmt: skip
    session.flush()


def list_files(session: Session, study_id: int) -> list[FileInfo]:
    """Return the files of a study without their content."""
    rows = session.execute(
        select(
            StudyFile.form, StudyFile.language, func.octet_length(StudyFile.content), StudyFile.made_at,
            StudyFile.made_label,
        )
        .where(StudyFile.study_id == study_id)
        .order_by(StudyFile.form, StudyFile.language)
    )  # fmt: skip
    return [FileInfo(*row) for row in rows]


def get_file(session: Session, study_id: int, form: str, language: str) -> bytes | None:
    """Return the content of a file; None when it was not made, or the actor does not see the study."""
    found: bytes | None = session.scalar(
        select(StudyFile.content).where(
            StudyFile.study_id == study_id, StudyFile.form == form, StudyFile.language == language
        )
    )
    return found


def _metric(wkb: Sequence[bytes], territory: TerritoryInfo) -> Shapes:
    shapes: Shapes = shapely.from_wkb(np.array([bytes(each) for each in wkb], dtype=object))
    return project(shapes, territory.metric_srid) if len(shapes) else shapes
