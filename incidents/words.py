"""The citizen's word on a closed incident: who may take it, and what it consists of (pure)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from core.errors import InvalidInput, NotPermitted
from core.identity import Actor, Role

CITIZENS = ("hotline", "web")
"""Sources whose reporter can be called back."""
BEST = 5


@dataclass(frozen=True, slots=True)
class WordInfo:
    """What the citizen said; ``solved`` and ``satisfied`` (1 to 5) are None when nobody answered."""

    id: int
    reached: bool
    solved: bool | None
    satisfied: int | None
    told_at: dt.datetime


@dataclass(frozen=True, slots=True)
class CallBack:
    """An incident whose reporter waits to be called back, since when, and the worker sent to ask."""

    incident_id: int
    number: str
    name_en: str
    name_zh: str
    place: str
    closed_at: dt.datetime
    worker_code: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What decides whether somebody may take the citizen's word on an incident.

    Attributes
    ----------
    handled, sent, closed
        Whether he handled it, waits to ask about it as told, or closed it.
    answered
        Whether the citizen was reached about this close.
    """

    number: str
    status: str
    source: str
    handled: bool
    sent: bool
    closed: bool = False
    answered: bool = False


def check_teller(actor: Actor, asked: Asked) -> None:
    """Raise when the actor may not take the citizen's word on this incident, in words."""
    if actor.role not in {Role.SUPERVISOR, Role.GRID_WORKER}:
        raise NotPermitted(
            "A supervisor calls back, or a worker who is sent to ask.", zh="回访由监督员或受派的网格员进行。"
        )
    if asked.source not in CITIZENS or asked.status != "closed":
        raise InvalidInput(
            f"{asked.number} is no closed report of a citizen.",
            hint="Citizens are asked after the close, about what they reported.",
            zh=f"{asked.number} 不是已结案的市民上报案件，无需回访。",
        )
    if asked.handled:
        raise NotPermitted(
            "Who handled an incident does not take the citizen's word on it.", zh="处置人不得回访本人处置的案件。"
        )
    if asked.closed:
        raise NotPermitted(
            "Who closed an incident does not take the citizen's word on it.",
            hint="Ask another supervisor.",
            zh="结案人不得回访本人结案的案件，请由另一位监督员回访。",
        )
    if asked.answered:
        raise InvalidInput(
            f"The citizen has answered about {asked.number}.",
            hint="An answer stands; who is not content reports again.",
            zh=f"{asked.number} 已取得市民评价，不再更改。",
        )
    if actor.role is Role.GRID_WORKER and not asked.sent:
        raise NotPermitted("You were not sent to ask.", zh="您未受派回访。")


def check_word(*, reached: bool, solved: bool | None, satisfied: int | None) -> None:
    """Raise `InvalidInput` when a word is incomplete, or says what nobody can have said."""
    if not reached and (solved is not None or satisfied is not None):
        raise InvalidInput("Who was not reached said nothing.", zh="未联系上时不能填写评价。")
    if reached and solved is None:
        raise InvalidInput("Say whether it is solved.", zh="请填写是否已解决。")
    if satisfied is not None and not 1 <= satisfied <= BEST:
        raise InvalidInput(f"Satisfied is 1 to {BEST}.", zh=f"满意度为 1 至 {BEST}。")
