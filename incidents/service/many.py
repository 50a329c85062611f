"""Use cases of acting on many incidents: what the actor may do to each of them, asked of the one law."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.clock import aware, now
from core.errors import InvalidInput
from core.identity import Actor, May, require
from incidents.lifecycle import ACTS, Facts, Refusal, allowed, known_act, refusal
from incidents.model import IncidentRow
from incidents.service.facts import facts
from incidents.store import listing, side

MOST = 200
"""So many incidents are moved at once."""


@dataclass(frozen=True)
class Many:
    """Incidents that somebody chose, newest report first, each with what the guards look at."""

    rows: tuple[IncidentRow, ...]
    facts: Mapping[int, Facts]


def look_at(session: Session, actor: Actor, ids: Sequence[int], moment: dt.datetime | None = None) -> Many:
    """Return the incidents of these ids that are in reach.

    Raises
    ------
    InvalidInput
        For more than `MOST`.
    """
    require(actor, May.SEE_INCIDENTS)
    if len(ids) > MOST:
        raise InvalidInput(f"At most {MOST} incidents are moved at once.", zh=f"一次最多办理 {MOST} 个案件。")
    at = now() if moment is None else aware(moment)
    rows = listing.by_ids(session, actor, list(ids))
    tasks = listing.tasks_of_many(session, [row.id for row in rows])
    return Many(
        tuple(rows),
        {row.id: facts(row, tasks.get(row.id, ()), side.side_of(session, row.id), at) for row in rows},
    )


def acts_for(actor: Actor, many: Many) -> dict[str, int]:
    """Return each act that is open to the actor on some of them to on how many, in the order of the lifecycle."""
    open_to = [set(allowed(actor, each)) for each in many.facts.values()]
    counted = {act: sum(act in acts for acts in open_to) for act in ACTS}
    return {act: count for act, count in counted.items() if count}


def refusals(actor: Actor, many: Many, act: str) -> dict[int, Refusal]:
    """Return the id of each incident on which the actor may not do ``act`` to why."""
    known_act(act)
    found = ((row.id, refusal(actor, many.facts[row.id], act)) for row in many.rows)
    return {id_: refused for id_, refused in found if refused is not None}
