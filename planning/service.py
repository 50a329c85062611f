"""Use cases of planning: ask a siting question, answer it, read studies."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from geodata import jobs
from geodata.db import system_rights
from geodata.jobs import Job
from geodata.network import RoadNetwork
from geodata.record import RecordEntry, history
from geodata.roads import network_of
from geodata.territory import TerritoryInfo, list_territories
from geodata.usual_speeds import network_at
from grids.service import locate
from planning import layering, matrices, store
from planning.model import TITLE_AT_MOST, Answer, Ground, Question, SiteAnswer, Study
from planning.posing import City, candidates_of, metric, without_streets
from planning.terms import Place

Floats = NDArray[np.float64]
JOB_KIND = "study"
LISTED = 200


@dataclass(frozen=True)
class StudyDetail:
    """A study with all that its page shows."""

    study: Study
    job: Job | None
    sites: tuple[SiteAnswer, ...]
    grounds: tuple[Ground, ...]
    history: tuple[RecordEntry, ...]
    children: tuple[Study, ...] = ()


def facility_counts(session: Session, actor: Actor, territory: TerritoryInfo) -> dict[str, int]:
    """Return how many facilities of each kind the territory has."""
    _require(actor, May.SEE_STUDIES, territory.id)
    return store.facility_counts(session, territory.id)


def existing_facilities(session: Session, actor: Actor, territory: TerritoryInfo, kind: str) -> Floats:
    """Return longitude and latitude of the facilities of a kind, shape (n, 2)."""
    _require(actor, May.SEE_STUDIES, territory.id)
    return store.read_existing(session, territory.id, kind)


def named_facilities(
    session: Session, actor: Actor, territory: TerritoryInfo, kind: str
) -> list[tuple[str, float, float]]:
    """Return name, longitude and latitude of the facilities of a kind."""
    _require(actor, May.SEE_STUDIES, territory.id)
    return store.read_named(session, territory.id, kind)


def street_at(
    session: Session, actor: Actor, territory: TerritoryInfo, place: Place
) -> tuple[str, str, shapely.Geometry] | None:
    """Return name in English and Chinese and line of the stretch of road nearest to a place; None without roads."""
    _require(actor, May.SEE_STUDIES, territory.id)
    return store.street_at(session, territory.id, *place)


def ask(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    question: Question,
    *,
    title: str = "",
    queue: bool = True,
    parent_id: int | None = None,
) -> int:
    """Write a question and return the id of the study; with ``queue`` background work will answer it.

    Parameters
    ----------
    parent_id
        The study that this asks anew.

    Raises
    ------
    InvalidInput
        When the title is too long.
    NotFound
        When there is no such parent.
    """
    _require(actor, May.MAKE_STUDIES, territory.id)
    title = " ".join(title.split())
    if len(title) > TITLE_AT_MOST:
        raise InvalidInput(f"The title has {len(title)} characters.", hint=f"At most {TITLE_AT_MOST}.")
    if parent_id is not None and store.territory_id_of(session, parent_id) != territory.id:
        raise NotFound(f"There is no study {parent_id}.")
    matrices.checked(session, actor, question)
    study_id = store.add_study(session, actor, territory.id, question, title=title, parent_id=parent_id)
    if queue:
        _queue(session, actor, study_id)
    return study_id


def ask_anew(
    session: Session,
    actor: Actor,
    study_id: int,
    *,
    by_hand: Sequence[Place] = (),
    forbidden: Sequence[Place] = (),
    fixed: Sequence[Place] = (),
    also: Sequence[Place] = (),
    closed: Sequence[Place] = (),
) -> int:
    """Ask the question of a study again: a plan made by hand, or places struck out, set or added; return the new id.

    Raises
    ------
    InvalidInput
        When nothing is different, or another number of places is marked than the question asks for.
    """
    require(actor, May.MAKE_STUDIES)
    question = _get(session, study_id).question
    if not (by_hand or forbidden or fixed or also or closed):
        raise InvalidInput("Nothing is different from the study.", hint="Mark a place on the map, or strike one out.")
    was = question.terms
    terms = dataclasses.replace(
        was,
        by_hand=matrices.settled(session, actor, was, by_hand),
        forbidden=(*was.forbidden, *forbidden),
        fixed=(*was.fixed, *matrices.settled(session, actor, was, fixed)),
        also=(*was.also, *also),
        closed=(*was.closed, *closed),
    )
    anew = dataclasses.replace(question, terms=terms)
    return ask(session, actor, _territory(session, study_id), anew, parent_id=study_id)


def ask_again(session: Session, actor: Actor, study_id: int) -> None:
    """Queue the work of a study that has no answer because its work was cancelled, failed or never began.

    Raises
    ------
    Conflict
        When it is answered already, or being answered.
    """
    require(actor, May.MAKE_STUDIES)
    study = store.lock_study(session, study_id)
    if study is None:
        raise NotFound(f"There is no study {study_id}.")
    if study.state != "asked":
        raise Conflict("This study has its answer already.", hint="Ask a new question to compare.")
    job = _job(session, actor, study)
    if job is not None and not job.ended:
        raise Conflict("This study is being answered already.", hint="Wait for it, or cancel it first.")
    _queue(session, actor, study_id)


def cancel(session: Session, actor: Actor, study_id: int) -> None:
    """Ask the work of a study to stop, whichever planner began it; does nothing when it has ended."""
    require(actor, May.MAKE_STUDIES)
    study = _get(session, study_id)
    job = _job(session, actor, study)
    if job is not None and not job.ended:
        with system_rights(session, actor):
            jobs.request_cancel(session, job.id)


def read_city(session: Session, actor: Actor, study_id: int) -> tuple[City, Question]:
    """Return the question of a study and all that is needed to answer it.

    Raises
    ------
    InvalidInput
        When the territory has no buildings, no people or no roads that the mode can use.
    """
    require(actor, May.MAKE_STUDIES)
    question = _get(session, study_id).question
    territory = _territory(session, study_id)
    terms, kind = question.terms, question.existing_kind
    buildings, homes, people = store.read_homes(session, territory.id)
    if not (people > 0).any():
        raise InvalidInput(
            f"{territory.title_en} has no buildings with people, so there is nobody to serve.",
            hint="Load its map with 'gridkeeper load osm'.",
        )
    if terms.matrix is not None:
        own = matrices.read(session, actor, terms.matrix)
        homes, people = own.places.rows, own.places.people
        network: RoadNetwork = own.ways(question.mode, territory.metric_srid)
        existing = own.places.there
    else:
        if terms.demand is not None:
            counted = layering.people_of(session, actor, terms.demand)
            homes, people = counted.lonlat, counted.people
        network = _streets(session, territory, question)
        existing = store.read_existing(session, territory.id, kind) if kind else homes[:0]
    city = City(
        homes=homes,
        people=people * terms.more_people.factor,
        community_id=locate(session, territory.id, homes[:, 0], homes[:, 1]).community_id,
        existing=existing if kind else homes[:0],
        land=store.read_land(session, territory, buildings),
        network=network,
        metric_srid=territory.metric_srid,
        convertible=store.read_convertible(session, territory.id) if terms.source == "buildings" else np.empty((0, 3)),
    )
    return city, question


def _streets(session: Session, territory: TerritoryInfo, question: Question) -> RoadNetwork:
    """Return the roads that a question goes by, without those it closes."""
    network = network_of(session, territory, question.mode)
    if question.terms.hour is not None and len(network.targets):
        network = network_at(session, territory, question.mode, question.terms.hour)
    if not len(network.targets):
        raise InvalidInput(
            f"{territory.title_en} has no roads to {question.mode} on.", hint="Load its map with 'gridkeeper load osm'."
        )
    return without_streets(network, np.array(question.terms.closed)) if question.terms.closed else network


def plots_of(
    session: Session, actor: Actor, territory: TerritoryInfo, network: RoadNetwork, count: int
) -> tuple[Place, ...]:
    """Return the free plots that a study compares where nothing else is said, at most so many, spread as people live.

    Parameters
    ----------
    network
        What people go by; plots do not depend on it.
    """
    _require(actor, May.MAKE_STUDIES, territory.id)
    buildings, homes, people = store.read_homes(session, territory.id)
    city = City(
        homes=homes, people=people, community_id=np.zeros(len(homes), dtype=np.int64), existing=homes[:0],
        land=store.read_land(session, territory, buildings), network=network, metric_srid=territory.metric_srid,
    )  # fmt: skip
    asked = Question("p-median", 1, candidates=count)
    found = candidates_of(city, asked, metric(homes, territory.metric_srid))
    return tuple((float(lon), float(lat)) for lon, lat in found.lonlat)


def keep_answer(session: Session, actor: Actor, study_id: int, answer: Answer) -> None:
    """Write the answer of a study; one that has its answer already is left as it is."""
    require(actor, May.MAKE_STUDIES)
    study = store.lock_study(session, study_id)
    if study is None:
        raise NotFound(f"There is no study {study_id}.")
    if study.state != "asked":
        return
    territory = _territory(session, study_id)
    sites = tuple(_placed(session, territory, site) for site in answer.sites)
    store.write_answer(session, territory.id, study_id, dataclasses.replace(answer, sites=sites))


def list_studies(session: Session, actor: Actor, territory: TerritoryInfo) -> list[tuple[Study, Job | None]]:
    """Return the studies of a territory, newest first, with the work of those without an answer."""
    _require(actor, May.SEE_STUDIES, territory.id)
    found = store.list_studies(session, territory.id, LISTED)
    return [(study, _job(session, actor, study) if study.state == "asked" else None) for study in found]


def study_detail(session: Session, actor: Actor, study_id: int) -> StudyDetail:
    """Return a study with its sites, grounds, work and history.

    Raises
    ------
    NotFound
        When there is no such study in the actor's territory.
    """
    require(actor, May.SEE_STUDIES)
    study = _get(session, study_id)
    return StudyDetail(
        study=study,
        job=_job(session, actor, study),
        sites=store.read_sites(session, study_id),
        grounds=store.read_grounds(session, study_id),
        history=tuple(history(session, "study", study_id)),
        children=tuple(store.list_children(session, study_id)),
    )


def other_answers(session: Session, actor: Actor, study_id: int) -> list[Study]:
    """Return the studies that answer the same question otherwise: the one this asks anew, its other and own answers."""
    require(actor, May.SEE_STUDIES)
    study = _get(session, study_id)
    found = store.list_children(session, study_id)
    if study.parent_id is not None:
        parent = store.get_study(session, study.parent_id)
        found = [each for each in (parent, *store.list_children(session, study.parent_id)) if each] + found
    return [each for each in found if each.id != study_id]


def run_again(session: Session, actor: Actor, study_id: int) -> int:
    """Ask the very question of a study once more and return the new id; the same data give the same answer.

    Raises
    ------
    Conflict
        When the study has no answer that could be compared.
    """
    require(actor, May.MAKE_STUDIES)
    study = _get(session, study_id)
    if study.state == "asked":
        raise Conflict("This study has no answer yet that could be compared.", hint="Wait for it.")
    return ask(session, actor, _territory(session, study_id), study.question, title=study.title, parent_id=study_id)


def job_of(session: Session, actor: Actor, study_id: int) -> Job | None:
    """Return the background work of a study; None when it has none."""
    require(actor, May.SEE_STUDIES)
    return _job(session, actor, _get(session, study_id))


def territory_of_study(session: Session, study_id: int) -> TerritoryInfo:
    """Return the territory of a study.

    Raises
    ------
    NotFound
        When there is no such study in the actor's territory.
    """
    _get(session, study_id)
    return _territory(session, study_id)


def _queue(session: Session, actor: Actor, study_id: int) -> None:
    store.set_job(session, study_id, jobs.enqueue(session, actor, JOB_KIND, {"study_id": study_id}))


def _get(session: Session, study_id: int) -> Study:
    study = store.get_study(session, study_id)
    if study is None:
        raise NotFound(f"There is no study {study_id}.")
    return study


def _job(session: Session, actor: Actor, study: Study) -> Job | None:
    """Return the work of a study that the actor sees; jobs are their asker's own, a study is the territory's."""
    if study.job_id is None:
        return None
    with system_rights(session, actor):
        return jobs.find_job(session, study.job_id)


def _territory(session: Session, study_id: int) -> TerritoryInfo:
    wanted = store.territory_id_of(session, study_id)
    return next(territory for territory in list_territories(session) if territory.id == wanted)


def _placed(session: Session, territory: TerritoryInfo, site: SiteAnswer) -> SiteAnswer:
    """Return a site with the grid, the community and the street it stands at."""
    found = locate(session, territory.id, site.lon, site.lat)
    street, street_zh = store.nearest_street(session, territory.id, site.lon, site.lat)
    return dataclasses.replace(
        site,
        street=street,
        street_zh=street_zh,
        grid_id=int(found.grid_id[0]) or None,
        community_id=int(found.community_id[0]) or None,
    )


def _require(actor: Actor, capability: May, territory_id: int) -> None:
    require(actor, capability)
    if actor.role is not Role.SYSTEM and actor.territory_id != territory_id:
        raise NotPermitted("You have no role in this territory.", hint="Ask an administrator.")
