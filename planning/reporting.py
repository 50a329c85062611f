"""Use cases of a study's report: read what it is made from, count it, keep and find the files that were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from core.progress import Progress
from geodata import jobs
from geodata.db import system_rights
from geodata.jobs import Job
from geodata.territory import TerritoryInfo, list_territories
from grids.service import locate
from planning import accessing, service
from planning import store_report as store
from planning.model import Study
from planning.norms import Norm
from planning.posing import City
from planning.report import count
from planning.report_make import Counted, counted
from planning.report_model import Report, Signature, Source
from planning.report_trials import COUNT, try_out
from planning.service import StudyDetail
from planning.store_report import FileInfo

__all__ = ["FileInfo", "Ground", "Made", "Material", "ask", "files_of", "keep", "make", "read", "read_file"]

JOB_KIND = "study_report"
LOADS = ("osm", "demo", "outline", "communities", "grid", "facilities", "population")
"""Kinds of load a study rests on; reports of citizens are none of them."""
OTHERS_AT_MOST = 8
Shapes = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Ground:
    """What a map is drawn on, in the metric CRS of ``srid``.

    Attributes
    ----------
    cover
        Kind and shape of land cover.
    streets
        Class, name, Chinese name and line.
    places
        Kind, name, Chinese name and point, the largest first.
    """

    srid: int
    boundary: shapely.Geometry
    cover: Sequence[tuple[str, shapely.Geometry]]
    streets: Sequence[tuple[str, str, str, shapely.Geometry]]
    places: Sequence[tuple[str, str, str, shapely.Geometry]]
    buildings: Shapes


@dataclass(frozen=True, eq=False)
class Material:
    """Everything of the database that a report is made from.

    Attributes
    ----------
    areas
        Code, name and Chinese name of each community by id.
    grids
        Code and community of each unit grid by id.
    """

    territory: TerritoryInfo
    detail: StudyDetail
    city: City
    grid_id: NDArray[np.int64]
    ground: Ground
    areas: Mapping[int, tuple[str, str, str]]
    grids: Mapping[int, tuple[str, int]]
    sources: tuple[Source, ...]
    norms: tuple[Norm, ...]
    others: tuple[Study, ...]
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, eq=False)
class Made:
    """A report with what it was made from."""

    material: Material
    counted: Counted
    report: Report


def ask(session: Session, actor: Actor, study_id: int) -> int:
    """Queue the making of a study's files and return the id of the work; while one is under way, its id.

    Raises
    ------
    InvalidInput
        When the study has no answer.
    """
    require(actor, May.MAKE_STUDIES)
    study = service.study_detail(session, actor, study_id).study
    _answered(study)
    for job in _jobs(session, actor, study_id):
        if not job.ended:
            return job.id
    return jobs.enqueue(session, actor, JOB_KIND, {"study_id": study_id})


def job_of(session: Session, actor: Actor, study_id: int) -> Job | None:
    """Return the newest work on a study's files; None when there was none."""
    require(actor, May.SEE_STUDIES)
    found = _jobs(session, actor, study_id)
    return found[0] if found else None


def read(session: Session, actor: Actor, study_id: int) -> Material:
    """Return what the report of a study is made from.

    Raises
    ------
    InvalidInput
        When the study has no answer.
    """
    require(actor, May.MAKE_STUDIES)
    detail = service.study_detail(session, actor, study_id)
    study = detail.study
    _answered(study)
    city, question = service.read_city(session, actor, study_id)
    wanted = store.territory_id_of(session, study_id)
    territory = next(each for each in list_territories(session) if each.id == wanted)
    placed = locate(session, territory.id, city.homes[:, 0], city.homes[:, 1])
    norms = tuple(
        norm
        for norm in accessing.list_norms(session, actor, territory)
        if norm.active and norm.facility_kind == question.facility_kind
    )
    grid_id = placed.grid_id.astype(np.int64)
    return Material(
        territory, detail, city, grid_id,
        Ground(
            territory.metric_srid, store.read_boundary(session, territory), store.read_cover(session, territory),
            store.read_streets(session, territory), store.read_places(session, territory),
            store.read_buildings(session, territory),
        ),
        store.area_names(session, territory.id),
        store.grid_codes(session, [int(each) for each in np.unique(grid_id[grid_id > 0])]),
        tuple(
            Source(kind, name, sha, at, study.answered_at is not None and at > study.answered_at)
            for kind, name, sha, at in store.read_loads(session, territory.id, LOADS)
        ),
        norms, _others(session, actor, territory, detail), store.read_signatures(session, study_id),
    )  # fmt: skip


def make(material: Material, progress: Progress, *, trials: int = COUNT) -> Made:
    """Return the report of a study; ``trials`` 0 leaves out how much of the choice stays when data are drawn anew."""
    detail, study = material.detail, material.detail.study
    done = counted(
        material.city, study.question, detail.sites, study.facts.get("closed", ()), material.grid_id, progress
    )
    numbers = count(done.homes, study.question.limit_s, there=len(material.city.existing) > 0)
    tried = None
    if trials and done.posed is not None and detail.sites:
        tried = try_out(done.posed, detail.sites, seed=study.question.seed, progress=progress, count=trials)
    was, found = study.facts.get("mean_s_then"), numbers.then.mean_s
    drift = abs(found - was) / max(was, 1e-9) if was is not None and found is not None else float(was is not found)
    report = Report(
        study, detail.sites, detail.grounds, numbers, tried, material.sources, material.norms, material.others,
        material.signatures, drift, now(),
    )  # fmt: skip
    return Made(material, done, report)


def keep(session: Session, actor: Actor, study_id: int, files: Mapping[tuple[str, str], bytes]) -> None:
    """Write the files of a study, by form and language, in place of older ones."""
    require(actor, May.MAKE_STUDIES)
    territory_id = store.territory_id_of(session, study_id)
    with system_rights(session, actor):
        store.drop_files(session, study_id)
        for (form, language), content in files.items():
            store.put_file(session, territory_id, study_id, form, language, content, actor.label)


def files_of(session: Session, actor: Actor, study_id: int) -> list[FileInfo]:
    """Return which files of a study were made, without their content."""
    require(actor, May.SEE_STUDIES)
    return store.list_files(session, study_id)


def read_file(session: Session, actor: Actor, study_id: int, form: str, language: str) -> bytes:
    """Return a file of a study.

    Raises
    ------
    NotFound
        When it was not made.
    """
    require(actor, May.SEE_STUDIES)
    found = store.get_file(session, study_id, form, language)
    if found is None:
        raise NotFound(f"Study {study_id} has no such file.", hint="Make the report on the page of the study.")
    return found


def _answered(study: Study) -> None:
    if study.state != "answered":
        raise InvalidInput(
            f"Study {study.id} has no answer, so there is nothing to report.", hint="Wait for it, or ask differently."
        )


def _jobs(session: Session, actor: Actor, study_id: int) -> list[Job]:
    with system_rights(session, actor):
        return store.jobs_of(session, JOB_KIND, study_id)


def _others(session: Session, actor: Actor, territory: TerritoryInfo, detail: StudyDetail) -> tuple[Study, ...]:
    """Return the answered studies of the same facility and way of coming: parent and children first."""
    asked = detail.study.question
    kin = {child.id for child in detail.children} | {detail.study.parent_id}
    found = [
        study
        for study, _ in service.list_studies(session, actor, territory)
        if study.id != detail.study.id
        and study.state == "answered"
        and (study.question.facility_kind, study.question.mode) == (asked.facility_kind, asked.mode)
        and (study.id in kin or study.question.limit_min == asked.limit_min)
    ]
    return tuple(sorted(found, key=lambda study: (study.id not in kin, -study.id))[:OTHERS_AT_MOST])
