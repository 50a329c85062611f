"""Use cases: drawing or sharing out a large draft in the background, with a way to see how far it is and to stop it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput
from core.identity import Actor, May, require
from core.progress import Progress
from geodata import jobs
from geodata.db import system_rights
from geodata.jobs import Job
from geodata.territory import TerritoryInfo, communities
from grids import rebalancing, store_changes
from grids.change_model import Change
from grids.drafting import draw, own_draft, saved

KIND = "draw_grids"
DRAW, SHARE = "draw", "share"
LARGE_CELLS = 4_000
"""More cells than this are drawn and shared out in the background: they take longer than a page should."""


def is_large(
    session: Session, actor: Actor, territory: TerritoryInfo, change: Change, cell_m2: float | None = None
) -> bool:
    """Return whether a draft has so many cells, or will have when it is cut into cells of an area."""
    require(actor, May.PROPOSE_GRIDS)
    if store_changes.ground_key(session, change.id)[0] > LARGE_CELLS:
        return True
    if cell_m2 is None:
        return False
    areas = communities(session, territory.id)
    mine = areas[areas["id"].isin(change.area_ids)].to_crs(territory.metric_srid)
    return float(mine.geometry.area.sum()) / cell_m2 > LARGE_CELLS


def ask(session: Session, actor: Actor, change_id: int, work: str, arguments: Mapping[str, Any]) -> int:
    """Queue the work on an own draft and return the number of the job; raise `Conflict` while one is at it."""
    check_idle(session, actor, change_id)
    change = own_draft(session, actor, change_id)
    job_id = jobs.enqueue(session, actor, KIND, {"change_id": change_id, "work": work, **arguments})
    saved(session, change, {"facts": {**change.facts, "job": job_id, "job_version": change.version + 1}})
    return job_id


def job_of(session: Session, actor: Actor, change: Change) -> Job | None:
    """Return the last work on a draft in the background; None when there never was any."""
    require(actor, May.PROPOSE_GRIDS)
    job_id = change.facts.get("job")
    if not isinstance(job_id, int):
        return None
    with system_rights(session, actor):
        return jobs.find_job(session, job_id)


def failed(change: Change, job: Job | None) -> bool:
    """Return whether the last work on a draft failed and nothing was done to the draft since."""
    return job is not None and job.state == "failed" and change.facts.get("job_version") == change.version


def cancel(session: Session, actor: Actor, change: Change) -> None:
    """Ask the work on an own draft to stop; the draft stays what it was before."""
    require(actor, May.PROPOSE_GRIDS)
    job = job_of(session, actor, change)
    if change.author_id == actor.user_id and job is not None and not job.ended:
        with system_rights(session, actor):
            jobs.request_cancel(session, job.id)


def check_idle(session: Session, actor: Actor, change_id: int) -> None:
    """Return when nothing works on a draft in the background; else raise `Conflict`, without waiting for it."""
    found = store_changes.find(session, actor.territory_id, change_id)
    job = None if found is None else job_of(session, actor, found)
    if job is not None and not job.ended:
        raise Conflict(
            "This draft is being drawn in the background.",
            hint="Wait until it is done, or cancel it.",
            zh="此草案正在后台划分，请等待完成，或取消。",
        )


def work(
    session: Session, actor: Actor, territory: TerritoryInfo, arguments: Mapping[str, Any], progress: Progress
) -> dict[str, Any]:
    """Do what was asked and return what came of it."""
    change_id = int(arguments["change_id"])
    if arguments["work"] == DRAW:
        kind, size = str(arguments["kind"]), float(arguments["size"])
        draw(session, actor, territory, change_id, kind=kind, size=size, progress=progress)
        return {"work": DRAW, "cells": store_changes.ground_key(session, change_id)[0]}
    if arguments["work"] != SHARE:
        raise InvalidInput(f"There is no work {arguments['work']!r} on a draft.")
    _, found = rebalancing.balance_draft(
        session,
        actor,
        territory,
        change_id,
        k=int(arguments["k"]),
        weights={str(key): float(value) for key, value in arguments["weights"].items()},
        respect=bool(arguments["respect"]),
        from_today=bool(arguments["from_today"]),
        change_cost=float(arguments["change_cost"]),
        categories=tuple(arguments["categories"]),
        progress=progress,
    )
    ratio = found.max_over_mean
    return {"work": SHARE, "areas": len(found.load), "max_over_mean": ratio, "changed": found.changed}
