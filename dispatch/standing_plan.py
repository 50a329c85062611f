"""The standing plan of a territory: read it, ask why, compare another choice, make it anew."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from core.identity import Actor, May, require
from dispatch.explain import Explanation
from dispatch.plan_model import Stop
from dispatch.standing_model import Comparison, StandingPlan
from geodata.territory import TerritoryInfo


def standing_plan(session: Session, actor: Actor, moment: dt.datetime | None = None) -> StandingPlan | None:
    """Return the newest plan of the actor's territory; None when none was made yet."""
    require(actor, May.DISPATCH)
    raise NotImplementedError


def why(session: Session, actor: Actor, incident_id: int) -> Explanation:
    """Return why the standing plan sends whom it sends to an incident, workers by id.

    Raises
    ------
    NotFound
        When the incident is not in the plan.
    """
    require(actor, May.DISPATCH)
    raise NotImplementedError


def compare(session: Session, actor: Actor, incident_id: int, worker_id: int) -> Comparison:
    """Return what sending another worker would cost, by term, and what would become late.

    Raises
    ------
    NotFound
        When the incident or the worker is not in the plan.
    """
    require(actor, May.DISPATCH)
    raise NotImplementedError


def refresh(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    moment: dt.datetime | None = None,
    stop: Stop | None = None,
) -> StandingPlan:
    """Make the plan of a territory anew, beginning with the one before, and keep it; return it."""
    require(actor, May.DISPATCH)
    raise NotImplementedError
