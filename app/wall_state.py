"""What a wall says in words: numbers, the day against the usual one, worst places, emergencies, who is on shift."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from statistics import median
from typing import Any

from sqlalchemy.orm import Session

from app import i18n, words
from app.i18n import t
from core.clock import now
from core.identity import Actor, May, require
from geodata.tables import OPEN_STATUSES
from geodata.territory import TerritoryInfo
from layers.basemap import surrounded_by_water
from layers.portrait import frame_of
from layers.style import NIGHT
from layers.wall import Emergency, WallFacts, Worst, wall_facts
from people import service as people

FEWEST_DAYS = 3
"""Of fewer days nothing is said to be usual."""


def wall_state(
    session: Session, actor: Actor, territory: TerritoryInfo, moment: dt.datetime | None = None
) -> dict[str, Any]:
    """Return all that the wall shows, in the language in use, as far as the actor sees."""
    require(actor, May.SEE_INCIDENTS)
    at = moment or now()
    frame = frame_of(session, territory.id)
    facts = wall_facts(session, territory.id, territory.timezone, 3857 if frame is None else frame[0], at)
    local = at.astimezone(territory.zone)
    return {
        "title": territory.title(i18n.locale()),
        "note": t("Incidents are simulated") if territory.is_demo else "",
        "zone": territory.timezone,
        "now_ms": round(at.timestamp() * 1000),
        "numbers": _numbers(facts, _shift(session, actor, territory, at)),
        "stages": [{"label": words.status(key), "count": facts.stages.get(key, 0)} for key in OPEN_STATUSES],
        "day": _day(facts, local.hour),
        "grids": [_worst(each, each.code) for each in facts.grids],
        "units": [_worst(each, "") for each in facts.units],
        "emergencies": [_emergency(each, at) for each in facts.emergencies],
        "frame": None
        if frame is None
        else {"px": frame[1], "box": [round(each) for each in frame[2]], "outside": _outside(session, territory.id)},
        "points": facts.points,
    }


def _outside(session: Session, territory_id: int) -> str:
    return NIGHT.water if surrounded_by_water(session, territory_id) else NIGHT.ground


def _shift(session: Session, actor: Actor, territory: TerritoryInfo, at: dt.datetime) -> tuple[int, int] | None:
    if not actor.may(May.SEE_PEOPLE):
        return None
    duty = people.on_duty(session, actor, territory.id, timezone=territory.timezone, at=at)
    return len(duty.present), duty.total


def _numbers(facts: WallFacts, shift: tuple[int, int] | None) -> list[dict[str, str]]:
    so_far, usual = sum(facts.today), _usual(facts.usual_now)
    found = [
        {"label": t("Open"), "value": i18n.number(facts.open), "tone": ""},
        {"label": t("Late"), "value": i18n.number(facts.late), "tone": "late" if facts.late else "good"},
        {"label": t("Due in 2 h"), "value": i18n.number(facts.due_soon), "tone": "soon" if facts.due_soon else ""},
        {"label": t("Reported today"), "value": i18n.number(so_far), "note": _against(usual), "tone": ""},
        {"label": t("Closed today"), "value": i18n.number(facts.closed_today), "tone": ""},
    ]
    if shift is not None:
        told = t("of {total}, {busy} at work", total=i18n.number(shift[1]), busy=i18n.number(facts.busy))
        found.append({"label": t("On shift"), "value": i18n.number(shift[0]), "note": told, "tone": ""})
    return found


def _against(usual: float | None) -> str:
    if usual is None:
        return t("too few days to compare")
    return t("usual by now: {number}", number=i18n.number(usual))


def _usual(counts: Sequence[int]) -> float | None:
    return float(median(counts)) if len(counts) >= FEWEST_DAYS else None


def _day(facts: WallFacts, hour: int) -> dict[str, Any]:
    usual = (
        [float(median(column)) for column in zip(*facts.usual, strict=True)] if len(facts.usual) >= FEWEST_DAYS else []
    )
    return {"today": list(facts.today[: hour + 1]), "usual": usual, "hour": hour}


def _worst(each: Worst, code: str) -> dict[str, Any]:
    name = i18n.either(each.name, each.name_zh)
    late = t("{late} late of {open}", late=i18n.number(each.late), open=i18n.number(each.open))
    return {"name": name, "code": code[-4:], "late": each.late, "open": each.open, "told": late}


def _place(each: Emergency) -> str:
    """Return where an emergency is: its address, else the nearest street, and the community."""
    street = each.place or i18n.either(each.street or "", each.street_zh or "")
    community = i18n.either(each.community or "", each.community_zh or each.community or "")
    return i18n.either(", ", "，").join(dict.fromkeys(part for part in (street, community) if part))


def _emergency(each: Emergency, at: dt.datetime) -> dict[str, str]:
    minutes = max(0, round((at - each.reported_at).total_seconds() / 60))
    since = i18n.span(dt.timedelta(minutes=minutes))
    return {
        "title": i18n.either(each.title_en, each.title_zh),
        "place": _place(each),
        "told": t("{status}, for {span}", status=words.status(each.status), span=since),
        "tone": "late" if each.late else "",
    }
