"""The acts on one incident: the allowed ones as buttons, one of them primary; a refusal stands in words."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, state, widgets, words
from app.i18n import t
from core.clock import now
from core.errors import GridkeeperError
from core.identity import Actor, May, Role
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from incidents.lifecycle import CHOICE_REASONS, REASONS
from incidents.model import IncidentDetail, TaskInfo
from people import service as people

LIVE = ("waiting", "accepted", "started")
WITH_WORKER = ("assign", "reassign")
SENDS = ("ask_verify", "ask_check")
"""Acts that send a worker to look; that of the grid unless another one is chosen."""
WITH_UNIT = ("dispatch", "join")
WITH_PART = ("take_back",)
"""Acts on one of those who were called in: never on several incidents at once."""
PART_OF = ("worker_id", "unit_id")
"""Whose a part is: one of the two."""
WITH_MOMENT = ("ask_extension", "postpone")
STEPS_ON = ("verify", "file", "assign", "start", "finish", "finish_part", "check", "close")
"""Acts that bring an incident on; only such a one is ever the primary button."""
ASIDE = (
    "return_part",
    "ask_extension",
    *SENDS,
    "join",
    *WITH_PART,
    "urge",
    "postpone",
    "resume",
    "self_handle",
    "sample",
    "reopen",
)
"""Side moves: in a row of their own."""
SHORTCUTS = {
    "file": "Shift+F",
    "accept": "Shift+A",
    "start": "Shift+S",
    "finish": "Shift+D",
    "finish_part": "Shift+D",
    "close": "Shift+E",
    "resume": "Shift+U",
    "grant_extension": "Shift+G",
}
"""Keys of acts that ask for nothing more; never a bare letter, which a slip of the finger would press."""


def show(session: Session, actor: Actor, territory: TerritoryInfo, detail: IncidentDetail) -> None:
    """Put what came of the last act, then the acts open to the actor, or who acts next."""
    _news(detail)
    acts = incidents.allowed_acts(actor, detail)
    step_on = next((act for act in acts if act in STEPS_ON), None)
    rows = {
        "gk-acts": [act for act in acts if act not in ASIDE],
        "gk-acts-aside": [act for act in acts if act in ASIDE],
    }
    for key, shown in rows.items():
        if shown:
            with st.container(horizontal=True, vertical_alignment="bottom", key=key):
                for act in shown:
                    _put(session, actor, territory, detail, act, primary=act == step_on)
    if step_on is None:
        _next(actor, detail)


def _news(detail: IncidentDetail) -> None:
    told = st.session_state.pop(state.ACT_TOLD, None)
    if told is not None and told[0] == detail.row.id:
        status = words.status(detail.row.status)
        widgets.told(t("{act}: done. The incident is now: {status}.", act=words.lifecycle_act(told[1]), status=status))
    wrong = st.session_state.pop(state.ACT_WRONG, None)
    if wrong is not None:
        widgets.known_error(wrong)


def _put(
    session: Session, actor: Actor, territory: TerritoryInfo, detail: IncidentDetail, act: str, *, primary: bool
) -> None:
    """Put one act: a button, or a small form where it needs a choice."""
    label = words.lifecycle_act(act)
    key = f"gk_act_{act}_{detail.row.id}_{detail.row.version}_{i18n.locale()}"
    if act in WITH_WORKER and actor.may(May.DISPATCH) and detail.row.status == "filed":
        if st.button(t("Choose on the Board"), key=f"{key}_board", type="primary" if primary else "secondary"):
            st.switch_page("views/board.py", query_params={"incident": str(detail.row.id)})
        primary = False
    if not needs_form(act):
        st.button(
            label,
            key=key,
            type="primary" if primary else "secondary",
            on_click=_do,
            args=(actor, detail, act, {}, ""),
            shortcut=SHORTCUTS.get(act),
        )
        return
    with st.popover(label, type="primary" if primary else "secondary", key=f"{key}_form"):
        given = ask(session, actor, territory, act, key, unit_id=detail.row.unit_id, parts=open_parts(detail))
        st.button(
            label,
            key=f"{key}_go",
            disabled=given is None,
            on_click=_do,
            args=(actor, detail, act, given or {}, key),
        )


def needs_form(act: str) -> bool:
    """Return whether an act asks for something: a reason, a worker, a unit, a moment."""
    return act in {*WITH_WORKER, *SENDS, *WITH_UNIT, *WITH_PART, *WITH_MOMENT, *REASONS}


def open_parts(detail: IncidentDetail) -> tuple[TaskInfo, ...]:
    """Return the parts of those who were called in and are not done yet."""
    return tuple(task for task in detail.tasks if task.kind == "handle" and task.joint and task.state in LIVE)


def ask(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    act: str,
    key: str,
    *,
    unit_id: int | None = None,
    parts: Sequence[TaskInfo] = (),
) -> dict[str, Any] | None:
    """Put what an act asks for and return it as `incidents.move` takes it; None while something lacks."""
    given: dict[str, Any] = {}
    if act in REASONS:
        given["reason"] = _choice(
            t("Reason"), list(REASONS[act]), lambda name: words.reason_of(act, name), f"{key}_reason"
        )
    if act in WITH_WORKER:
        given |= _worker(session, actor, territory, key)
    if act in SENDS:
        given["sent"] = _sent(session, actor, territory, key)
    if act in {*WITH_WORKER, *WITH_UNIT}:
        given["unit_id"] = _unit(session, actor, territory, unit_id, key, others=act == "join")
    if act in WITH_PART:
        given |= _part(parts, key)
    if act in WITH_MOMENT:
        given["until"] = _until(act, territory, key)
    if any(given[name] is None for name in ("reason", "part", "worker_id", "unit_id", "until") if name in given):
        return None
    choice, sent = given.pop("choice", None), given.pop("sent", None)
    if sent:
        given["worker_id"] = sent
    if choice:
        given["reason"] = choice
    return {name: value for name, value in given.items() if value}


def latest(given: dict[str, Any], key: str) -> dict[str, Any]:
    """Return what was asked for as it stands at the press: a choice made just before is not drawn yet."""
    changed = dict(given)
    for name, part in (("reason", "reason"), ("worker_id", "worker"), ("worker_id", "sent"), ("unit_id", "unit")):
        value = st.session_state.get(f"{key}_{part}")
        if value is not None:
            changed[name] = value
    chosen = st.session_state.get(f"{key}_part")
    if chosen:  # in place of the worker or the unit that was drawn
        changed = {name: value for name, value in changed.items() if name not in PART_OF} | {chosen[0]: chosen[1]}
    until, day, hour = given.get("until"), st.session_state.get(f"{key}_day"), st.session_state.get(f"{key}_hour")
    if isinstance(until, dt.datetime) and isinstance(day, dt.date) and isinstance(hour, dt.time):
        changed["until"] = dt.datetime.combine(day, hour, tzinfo=until.tzinfo)
    return changed


def _choice(label: str, options: list[Any], name_of: Any, key: str) -> Any:
    return st.selectbox(label, options, index=None, format_func=name_of, placeholder=t("Choose"), key=key)


def _until(act: str, territory: TerritoryInfo, key: str) -> dt.datetime | None:
    """Put the choice of a moment to come, local time."""
    label = t("New deadline") if act == "ask_extension" else t("Postponed until")
    today = now().astimezone(territory.zone).date()
    day = st.date_input(label, None, min_value=today, format=widgets.DATE_FORMATS[i18n.locale()], key=f"{key}_day")
    hour = st.time_input(t("Hour"), dt.time(17, 0), key=f"{key}_hour")
    if not isinstance(day, dt.date) or hour is None:
        return None
    return dt.datetime.combine(day, hour, tzinfo=territory.zone)


def _sent(session: Session, actor: Actor, territory: TerritoryInfo, key: str) -> int | None:
    """Put the choice of who looks at the place; nobody chosen means who has the grid."""
    workers = people.list_workers(session, actor, territory.id, at=now(), timezone=territory.timezone)
    names = {each.id: f"{each.code} {each.name or ''}".strip() for each in workers}
    return st.selectbox(
        t("Grid worker"),
        list(names),
        index=None,
        format_func=names.__getitem__,
        placeholder=t("Who has this grid"),
        key=f"{key}_sent",
    )


def _worker(session: Session, actor: Actor, territory: TerritoryInfo, key: str) -> dict[str, Any]:
    """Put the choice of a worker, those on duty first."""
    moment = now()
    known = people.list_workers(session, actor, territory.id, at=moment, timezone=territory.timezone)
    workers = sorted(known, key=lambda each: (not each.on_duty(moment), each.code))
    names = {
        each.id: " · ".join(
            part
            for part in (
                f"{each.code} {each.name or ''}".strip(),
                i18n.either(each.grid_name, each.grid_name_zh),
                "" if each.on_duty(moment) else t("away") if each.away else t("off duty"),
            )
            if part
        )
        for each in workers
    }
    chosen = _choice(t("Grid worker"), list(names), names.__getitem__, f"{key}_worker")
    reason = st.selectbox(
        t("Why this one"),
        [name for name in CHOICE_REASONS if name != "proposed"],
        index=None,
        format_func=lambda name: words.reason_of("assign", name),
        placeholder=t("May be left out"),
        key=f"{key}_why",
    )
    return {"worker_id": chosen, "choice": reason}


def _part(parts: Sequence[TaskInfo], key: str) -> dict[str, Any]:
    """Put the choice of one who was called in."""
    names = {
        ("unit_id", part.unit_id) if part.worker_id is None else ("worker_id", part.worker_id): part.worker_code
        or i18n.either(part.unit, part.unit_zh)
        for part in parts
    }
    chosen = st.selectbox(
        t("Who"),
        list(names),
        index=0 if len(names) == 1 else None,
        format_func=names.__getitem__,
        placeholder=t("Choose"),
        key=f"{key}_part",
    )
    return {"part": None} if chosen is None else {chosen[0]: chosen[1]}


def _unit(
    session: Session, actor: Actor, territory: TerritoryInfo, own_id: int | None, key: str, *, others: bool = False
) -> int | None:
    """Put the choice of a unit: the incident's own at first, or one of the others."""
    units = people.list_units(session, actor, territory.id)
    names = {unit.id: i18n.either(unit.name, unit.name_zh) for unit in units if unit.kind != "centre"}
    if others:
        names.pop(own_id or 0, None)
    ids = list(names)
    return st.selectbox(
        t("Unit"),
        ids,
        index=ids.index(own_id) if own_id in names else None,
        format_func=names.__getitem__,
        placeholder=t("Choose a unit"),
        key=f"{key}_unit",
    )


def _next(actor: Actor, detail: IncidentDetail) -> None:
    """Say who acts next, as it is not the reader; to who sent the incident out also why he does not close it."""
    status = detail.row.status
    if status == "checking" and actor.role in {Role.DISPATCHER, Role.SUPERVISOR}:
        refused = incidents.refused_act(actor, detail, "close")
        if refused is not None:
            widgets.note(refused.zh if i18n.locale() == "zh" else refused.en)
            return
    said = {
        "reported": t("Next: a worker verifies it on site; then a supervisor files it or makes it void.")
        if any(task.kind == "verify" and task.state in LIVE for task in detail.tasks)
        else t("Next: a supervisor files it or makes it void."),
        "filed": t("Next: a dispatcher sends it out."),
        "dispatched": t("Next: whoever has the task begins it."),
        "handling": t("Next: whoever has the task finishes it."),
        "checking": t("Next: a supervisor closes it or sends it back."),
    }.get(status)
    if said:
        widgets.note(said)


def _do(actor: Actor, detail: IncidentDetail, act: str, given: dict[str, Any], key: str) -> None:
    """Do the act; runs before the page is drawn anew. The same button pressed twice is one command."""
    row, given = detail.row, latest(given, key) if key else given
    commands = st.session_state.setdefault(state.ACT_COMMANDS, {})
    command = commands.setdefault((row.id, row.version, act, tuple(sorted(given.items()))), str(uuid.uuid4()))
    try:
        with transaction(actor) as session:
            incidents.move(session, actor, row.id, act, version=row.version, command_id=command, **given)
    except GridkeeperError as error:
        st.session_state[state.ACT_WRONG] = error
        return
    st.session_state[state.ACT_TOLD] = (row.id, act)
