"""Use cases of dispatch: the board, and who is proposed for an incident."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

import numpy as np
import shapely
from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from dispatch import store
from dispatch.closures import network_now
from dispatch.model import Board, Contender, Place, Proposal
from dispatch.plan_model import Id
from dispatch.propose import Candidate, Ranking, ranking_of
from dispatch.ranking import explain_for
from dispatch.situation import place_crew
from geodata.territory import TerritoryInfo
from people.model import WorkerInfo
from people.service import list_workers

ROUTES_DRAWN = 3


def board(session: Session, actor: Actor, moment: dt.datetime | None = None) -> Board:
    """Return what waits for a dispatcher: emergencies first, then by time left."""
    territory_id = _dispatches(actor)
    rows = store.waiting(session, territory_id)
    return Board(
        at=moment or clock_now(),
        to_send=tuple(row for row, _ in rows if row.status == "filed"),
        not_begun=tuple(row for row, task in rows if row.status == "dispatched" and task in {None, "waiting"}),
        to_file=store.to_file(session, territory_id),
        begun=tuple(row for row, task in rows if row.status != "filed" and task in {"accepted", "started"}),
        times=store.planned_starts(session, territory_id),
    )


def proposals(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    incident_id: int,
    *,
    chosen: int | None = None,
    moment: dt.datetime | None = None,
) -> Proposal:
    """Return the workers on duty as the plan ranks them for an incident, with the ways of the first ones on streets.

    Parameters
    ----------
    chosen
        A worker whose way is wanted too, wherever in the ranking.

    Raises
    ------
    NotFound
        When the incident does not exist or is out of reach.
    """
    territory_id = _dispatches(actor)
    incident = store.find(session, territory_id, incident_id)
    if incident is None:
        raise NotFound("There is no such incident, or it lies outside your reach.", hint="Choose one from the board.")
    at = moment or clock_now()
    workers = list_workers(session, actor, territory_id, at=at, timezone=territory.timezone)
    present = [worker for worker in workers if worker.on_duty(at)]
    known = _contenders(session, territory_id, present, at)
    network = network_now(session, territory, "drive", at)
    goal = np.array([[incident.lon, incident.lat]])
    starts = np.array([[each.place.lon, each.place.lat] for each in known]).reshape(-1, 2)
    arrivals = network.arrivals(starts, goal)
    candidates: dict[Id, Candidate] = {
        each.worker.code: Candidate(
            worker_id=each.worker.id,
            code=each.worker.code,
            travel_s=float(travel_s),
            # Work on this very incident is not work in hand beside it.
            open_tasks=each.open_tasks - (each.worker.id == incident.worker_id),
            own_grid=each.worker.owns(incident.responsibility_code),
        )
        for each, travel_s in zip(known, arrivals.seconds, strict=True)
    }
    told = explain_for(session, territory, incident_id, at)
    ranking = Ranking(()) if told is None else ranking_of(told, candidates)
    drawn = {each.candidate.worker_id for each in ranking.ranked[:ROUTES_DRAWN]} | {chosen}
    contenders = {}
    for index, each in enumerate(known):
        way = arrivals.route(index) if each.worker.id in drawn else None
        contenders[each.worker.id] = (
            each if way is None else dataclasses.replace(each, line=way.line, length_m=way.length_m)
        )
    there = {each.worker.id for each in known}
    return Proposal(
        incident=incident,
        ranking=ranking,
        contenders=contenders,
        placeless=tuple(worker.code for worker in present if worker.id not in there),
        own_off_duty=tuple(
            worker
            for worker in workers
            if worker.grid_code is not None
            and worker.grid_code == incident.responsibility_code
            and not worker.on_duty(at)
        ),
        off_duty=len(workers) - len(present),
    )


def whereabouts(
    session: Session, actor: Actor, territory_id: int, workers: Sequence[WorkerInfo], at: dt.datetime
) -> dict[int, Place]:
    """Return worker id to where each is taken to be, of those of whom a place is known."""
    require(actor, May.DISPATCH)
    crew = place_crew(session, territory_id, workers, at)
    return {each.id: each.place for each in crew if each.place is not None}


def ways(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    legs: Sequence[tuple[tuple[float, float], tuple[float, float]]],
    at: dt.datetime,
) -> list[shapely.LineString | None]:
    """Return the way on open streets by car of each leg (from, to; longitude and latitude); None: no way leads."""
    require(actor, May.DISPATCH)
    network = network_now(session, territory, "drive", at)
    found = (network.routes(np.array([start]), np.array([goal]))[0] for start, goal in legs)
    return [None if way is None else way.line for way in found]


def _contenders(session: Session, territory_id: int, workers: Sequence[WorkerInfo], at: dt.datetime) -> list[Contender]:
    """Return the workers of whom a place is known, as the standing plan takes them to be."""
    crew = {each.id: each.place for each in place_crew(session, territory_id, workers, at)}
    tasks = store.open_tasks(session, list(crew))
    found = []
    for worker in workers:
        place = crew.get(worker.id)
        if place is not None:
            found.append(Contender(worker, place, tasks.get(worker.id, 0)))
    return found


def _dispatches(actor: Actor) -> int:
    require(actor, May.DISPATCH)
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.")
    return actor.territory_id
