"""Messages of the desk: tasks that nobody answers, what workers gave back, and what was put away before."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import guard, i18n, state, widgets, words
from app.i18n import t
from app.where import territory_of
from app.widgets import Cell, Column, Html
from core.clock import now
from core.errors import NotPermitted
from core.identity import Actor
from dispatch import notices
from dispatch.execution_model import DeskRow, NoticeRow
from geodata.db import transaction
from geodata.territory import TerritoryInfo

EARLIER = 30


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    if actor.role not in notices.DESKS:
        raise NotPermitted("Messages of the desk are for dispatchers and supervisors.")
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        widgets.title(t("Messages of the desk"), aside=t("what one desk puts away is gone from all"))
        desk = notices.on_desk(session, actor)
        _open(desk, territory)
        _earlier(session, actor, territory)


def _open(desk: tuple[DeskRow, ...], territory: TerritoryInfo) -> None:
    if not desk:
        widgets.empty(
            t("Nothing waits for the desk."),
            t("A task that no worker answers stands here until somebody has it, and what a worker gave back."),
            link_label=t("All incidents"),
            href="/incidents",
        )
        return
    last = max(row.notice_id for row in desk)
    if last:
        st.button(
            t("Put away what was given back"), type="primary", key="gk_messages_away", on_click=_away, args=(last,)
        )
    widgets.table(
        [
            Column(t("Message")),
            Column(t("Incident"), fixed=True),
            Column(t("Class"), wide=True),
            Column(t("Worker")),
            Column(t("Since"), fixed=True),
            Column(t("Why"), wide=True),
        ],
        [_row(row, territory) for row in desk],
    )
    if any(row.unanswered for row in desk):
        widgets.note(t("What nobody answers goes from here when it is answered or given to another."))


def _row(row: DeskRow, territory: TerritoryInfo) -> tuple[Cell, ...]:
    said = widgets.toned(t("Nobody answers"), "late") if row.unanswered else widgets.toned(t("Given back"), "soon")
    why = words.reason_of("return", row.reason) if row.reason else ""
    title = row.title(i18n.locale())
    return (
        _with(said, why),
        _with(widgets.link(row.number, f"/incidents?incident={row.incident_id}"), title),
        title,
        row.worker_code,
        i18n.clock(row.since, territory.timezone, now=now()),
        why,
    )


def _with(cell: Html, below: str) -> Html:
    """Return a cell that says on a phone, below, what stands in a column of its own elsewhere."""
    return Html(cell.text + widgets.two_lines("", below).text) if below else cell


def _away(last: int) -> None:
    actor = guard.current_actor()
    with transaction(actor) as session:
        notices.read_notices(session, actor, last)


def _earlier(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    """Put a page of what was put away before, and the ways to the pages beside it."""
    turned: list[int] = st.session_state.setdefault(state.MESSAGES_PAGES, [])
    found, after = notices.put_away(session, actor, before=turned[-1] if turned else None, most=EARLIER)
    if not found:
        return
    widgets.heading(t("Put away before"))
    widgets.table(
        [
            Column(t("Message")),
            Column(t("Incident"), fixed=True),
            Column(t("Came"), fixed=True, wide=True),
            Column(t("Put away"), fixed=True),
        ],
        [_past(each, territory) for each in found],
    )
    if turned or after is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(t("Newer"), disabled=not turned, key="gk_messages_newer", on_click=_turn, args=(None,))
            st.button(t("Older"), disabled=after is None, key="gk_messages_older", on_click=_turn, args=(after,))


def _turn(after: int | None) -> None:
    """Turn to the page that begins after a message, or one page back."""
    turned: list[int] = st.session_state.setdefault(state.MESSAGES_PAGES, [])
    if after is not None:
        turned.append(after)
    elif turned:
        turned.pop()


def _past(each: NoticeRow, territory: TerritoryInfo) -> tuple[Cell, ...]:
    moment = now()
    return (
        each.title(i18n.locale()),
        widgets.link(each.number, f"/incidents?incident={each.incident_id}"),
        i18n.clock(each.made_at, territory.timezone, now=moment),
        i18n.clock(each.read_at, territory.timezone, now=moment) if each.read_at else "",
    )


with guard.page():
    show()
