"""What the desks are told, on the board and on Today: tasks that nobody answers, and what was given back."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from html import escape

from sqlalchemy.orm import Session

from app import board_block, board_rows, board_words, guard, i18n, words
from app.board_entries import Entry, Group
from app.i18n import t, tn
from app.widgets import Fact
from core.identity import Actor
from dispatch import notices
from dispatch.execution_model import DeskRow
from geodata.db import transaction

SHOWN = 20
_AWAY = "away:"


def marked(found: Sequence[Entry], desk: Sequence[DeskRow]) -> tuple[Entry, ...]:
    """Return the entries of the queue, those that nobody answers as such: a person decides over them."""
    alone = {row.incident_id for row in desk if row.unanswered}
    return tuple(
        dataclasses.replace(entry, group=Group.NEEDS, unanswered=True) if entry.incident_id in alone else entry
        for entry in found
    )


def signature(desk: Sequence[DeskRow]) -> tuple[object, ...]:
    """Return what changes whenever something comes to the desks or goes from them."""
    return tuple((row.topic, row.incident_id, row.since) for row in desk)


def show(desk: Sequence[DeskRow], now: dt.datetime) -> None:
    """Put one line that opens the list; nothing when there is nothing."""
    body = drawn(desk, now)
    if body:
        board_block.show(f'<div class="gk-warns">{body}</div>', key="gk_board_desk", on_pick=_picked)


def drawn(desk: Sequence[DeskRow], now: dt.datetime) -> str:
    """Return the line "2 not answered, 1 given back" with its list as HTML."""
    if not desk:
        return ""
    items = "".join(map(_item, desk[:SHOWN], [now] * len(desk)))
    if len(desk) > SHOWN:
        items += f"<li>{escape(t('and {count} more', count=i18n.number(len(desk) - SHOWN)))}</li>"
    last = max(row.notice_id for row in desk)
    away = t("Put away what was given back")
    button = f'<button type="button" data-pick="{_AWAY}{last}">{escape(away)}</button>' if last else ""
    return (
        f'<details data-name="desk"><summary><b>{escape(said(desk))}</b></summary><ul class="gk-desk">{items}</ul>'
        f"{button}</details>"
    )


def said(desk: Sequence[DeskRow]) -> str:
    """Return "2 not answered, 1 given back"."""
    waits = sum(row.unanswered for row in desk)
    back = len(desk) - waits
    first = tn("{count} not answered", "{count} not answered", waits)
    second = tn("{count} given back", "{count} given back", back)
    if waits and back:
        return t("{waits}, {back}", waits=first, back=second)
    return first if waits else second


def _item(row: DeskRow, now: dt.datetime) -> str:
    named = f"{board_rows.short(row.number)} {row.title(i18n.locale())}"
    ago = board_words.short((now - row.since).total_seconds())
    if row.unanswered:
        told = t("{worker} does not answer; told to you {span} ago", worker=row.worker_code, span=ago)
    elif row.reason:
        why = words.reason_of("return", row.reason)
        told = t("{worker} gave it back {span} ago: {why}", worker=row.worker_code, span=ago, why=why)
    else:
        told = t("{worker} gave it back {span} ago", worker=row.worker_code, span=ago)
    link = f'<button type="button" data-pick="incident:{row.incident_id}">{escape(named)}</button>'
    return f"<li>{link} · {escape(told)}</li>"


def _picked(chosen: object) -> None:
    """Go to an incident, or put away what was given back up to a notice."""
    given = str(chosen or "")
    if not given.startswith(_AWAY):
        board_block.pick(chosen)
        return
    last = given.removeprefix(_AWAY)
    if last.isdecimal() and len(last) < 19:
        actor = guard.current_actor()
        with transaction(actor) as session:
            notices.read_notices(session, actor, int(last))


def facts(session: Session, actor: Actor) -> list[Fact]:
    """Return for Today how many tasks nobody answers and how many were given back, where there are any."""
    if actor.role not in notices.DESKS:
        return []
    desk = notices.on_desk(session, actor)
    waits = sum(row.unanswered for row in desk)
    items = []
    if waits:
        items.append(Fact(t("Not answered"), i18n.number(waits), "late", href="/messages"))
    if len(desk) > waits:
        items.append(Fact(t("Given back"), i18n.number(len(desk) - waits), "soon", href="/messages"))
    return items
