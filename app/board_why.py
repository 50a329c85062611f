"""Beside the board's map: why the plan sends this worker, what speaks against the others, and choosing another."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from zoneinfo import ZoneInfo

import streamlit as st

from app import board_company, board_head, board_rows, board_side, board_words, guard, i18n, state, widgets
from app.board_entries import CHANGES, Entry
from app.board_side import Here
from app.i18n import t
from core.errors import GridkeeperError, NotFound
from dispatch import execution, standing_plan
from dispatch.execution_model import PinRow
from dispatch.explain import Choice, Explanation
from dispatch.plan_model import TERMS, Reason
from dispatch.plan_words import TERM_WORDS
from dispatch.standing_model import Comparison, PlanRow
from geodata.db import transaction
from incidents.lifecycle import CHOICE_REASONS
from people.model import WorkerInfo

BESIDE, NAMED = 3, 4
"""So many others stand in the table, and below it with what speaks against them; all are in the list to choose from."""
NEXT_SHIFT = ("way_overtime", "way_people")
"""Ways out beside which it is said when the next shift begins."""
LEAST_S = 30.0
"""A part of the cost below half a minute is not told."""


@dataclass(frozen=True)
class Known:
    """The workers, to be found by id or staff number."""

    workers: Sequence[WorkerInfo]

    def find(self, key: int | str) -> WorkerInfo | None:
        """Return a worker by id or staff number."""
        return next((each for each in self.workers if key in {each.id, each.code}), None)

    def name(self, key: int | str) -> str:
        """Return staff number and, for those who may see it, the name."""
        found = self.find(key)
        return str(key) if found is None else f"{found.code} {found.name or ''}".strip()


def show(here: Here, entry: Entry, row: PlanRow, known: Known, pin: PinRow | None) -> None:
    """Put the reasons of a row of the plan, and what the dispatcher may do with it."""
    board_side.head(entry, here)
    if row.needs is not None:
        _box(t("This needs you"), (row.needs,))
    _goes(entry, row, here, known)
    board_company.show(here, entry, known.workers)
    try:
        told = standing_plan.why(here.session, here.actor, entry.incident_id)
    except NotFound as error:
        widgets.note(error.zh if error.zh and i18n.locale() == "zh" else error.message)
        _pinned(entry, pin)
        board_side.show(here, entry, alone=False)
        return
    _terms(told, known)
    _others(told, known)
    _pinned(entry, pin)
    if row.change == "fixed":
        widgets.note(t("It has begun, so the plan leaves it where it is."))
        widgets.note(t("Sending another takes it from {worker} at once.", worker=known.name(row.worker_id)))
    if row.needs is None or row.needs.kind != "no_unit":
        _act(here, entry, row, known, told)


def unserved(entry: Entry, here: Here, workers: Sequence[WorkerInfo]) -> None:
    """Say what binds work that nobody is sent to, and what would free it."""
    if entry.unserved is not None:
        ways = () if entry.unserved.way_out is None else (entry.unserved.way_out,)
        waits = any(each.kind in NEXT_SHIFT for each in ways)
        then = next_shift(workers, here.board.at, here.territory.zone) if waits else ""
        _box(t("Nobody is sent here"), (entry.unserved.why, *ways), then, left=True)


def next_shift(workers: Sequence[WorkerInfo], now: dt.datetime, zone: ZoneInfo) -> str:
    """Return when the next shift of the day begins and with how many; empty when none comes that is known."""
    coming = [each.shift_start for each in workers if each.shift_start and each.shift_start > now and not each.away]
    if not coming:
        return ""
    begin = min(coming)
    return i18n.tn(
        "The next shift begins at {begin} with {count} worker.",
        "The next shift begins at {begin} with {count} workers.",
        coming.count(begin),
        begin=f"{begin.astimezone(zone):%H:%M}",
    )


def _box(title: str, reasons: Sequence[Reason], more: str = "", *, left: bool = False) -> None:
    said = "".join(f"<p>{escape(each)}</p>" for each in (*map(_text, reasons), more) if each)
    widgets.write(f'<div class="gk-ask{" gk-ask-left" if left else ""}"><b>{escape(title)}</b>{said}</div>')


def _text(reason: Reason) -> str:
    return i18n.either(reason.en, reason.zh)


def _goes(entry: Entry, row: PlanRow, here: Here, known: Known) -> None:
    if entry.elsewhere:
        who = entry.queue.worker_code or i18n.either(entry.queue.unit, entry.queue.unit_zh) if entry.queue else ""
        said = t("{who} has it since; the next plan reckons with that.", who=who)
        widgets.write(f'<div class="gk-part"><p>{escape(said)}</p></div>')
        return
    zone = here.territory.zone
    begin, end = row.start_at.astimezone(zone), row.end_at.astimezone(zone)
    way = t("{span} by car", span=board_words.short(row.travel_s))
    times = t("there {begin}, done {end}", begin=f"{begin:%H:%M}", end=f"{end:%H:%M}")
    spare, tone = board_rows.spare(row), "late" if row.late_s > 0 else "good"
    label = {
        "new": t("Proposed"),
        "moved": t("Proposed instead of {worker}", worker=known.name(row.was_worker_id or "")),
        "retimed": t("Stays with, at another time"),
    }.get(entry.change, t("Has it"))
    place = t("stop {place} of the day", place=i18n.number(row.place_in_route))
    widgets.write(
        f'<div class="gk-part"><p class="gk-muted gk-small gk-over">{escape(label)}</p>'
        f'<p class="gk-who-goes"><b>{escape(known.name(row.worker_id))}</b><span>{escape(way)}</span></p>'
        f'<p>{escape(times)} · <span class="gk-{tone}">{escape(spare)}</span></p>'
        f'<p class="gk-muted gk-small">{escape(place)}</p></div>'
    )


def _terms(told: Explanation, known: Known) -> None:
    """Put the parts of the cost, the chosen worker beside the best others."""
    choices = [each for each in (told.chosen, *told.others[:BESIDE]) if each is not None]
    if not choices:
        return
    names = [name for name in TERMS if any(abs(each.terms.get(name, 0.0)) >= LEAST_S for each in choices)]
    head = "".join(f"<th>{escape(_code(each, known))}</th>" for each in choices)
    rows = "".join(
        f"<tr><td>{escape(i18n.either(*TERM_WORDS[name]))}</td>"
        + "".join(f"<td>{_minutes(each.terms.get(name, 0.0))}</td>" for each in choices)
        + "</tr>"
        for name in names
    )
    total = "".join(f"<td>{_minutes(each.cost_s)}</td>" for each in choices)
    widgets.write(
        f'<table class="gk-terms"><thead><tr><th>{escape(t("Counts, in minutes"))}</th>{head}</tr></thead>'
        f"<tbody>{rows}<tr><td>{escape(t('together'))}</td>{total}</tr></tbody></table>"
    )


def _code(choice: Choice, known: Known) -> str:
    worker = known.find(choice.worker)
    return worker.code if worker else str(choice.worker)


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60, 1) + 0.0  # never minus nothing
    return i18n.number(minutes, 1) if abs(seconds) < 1e7 else "–"


def _others(told: Explanation, known: Known) -> None:
    lines = [
        f"<li><b>{escape(t('Not {worker}', worker=known.name(each.worker)))}</b>: {escape(_text(each.against))}</li>"
        for each in told.others[:NAMED]
        if each.against is not None
    ]
    if told.chosen is not None and not told.others and not told.rejected:
        lines.append(f"<li>{escape(t('Nobody else is on shift.'))}</li>")
    body = f'<ul class="gk-not">{"".join(lines)}</ul>' if lines else ""
    if told.rejected:
        kept = "".join(
            f"<li><b>{escape(known.name(worker))}</b>: {escape(_text(why))}</li>"
            for worker, why in list(told.rejected.items())[:20]
        )
        count = t("{count} cannot go", count=i18n.number(len(told.rejected)))
        body += f"<details><summary class='gk-small'>{escape(count)}</summary><ul class='gk-not'>{kept}</ul></details>"
    if body:
        widgets.write(f'<div class="gk-part">{body}</div>')


def _pinned(entry: Entry, pin: PinRow | None) -> None:
    """Say who holds the incident by hand, and let go."""
    if pin is None:
        return
    reason = i18n.either(*CHOICE_REASONS[pin.reason]) if pin.reason in CHOICE_REASONS else ""
    said = t("Held by hand for {worker}", worker=pin.worker_code) + (f" ({reason})" if reason else "")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(f'<span class="gk-small">{escape(said)}</span>', width="content")
        st.button(t("Let the plan decide again"), key="gk_board_unpin", on_click=_release, args=(entry,))


def _release(entry: Entry) -> None:
    actor = guard.current_actor()
    try:
        with transaction(actor) as session:
            execution.release_pin(session, actor, entry.incident_id)
    except GridkeeperError as error:
        st.session_state[state.BOARD_WRONG] = error
        return
    st.session_state[state.BOARD_DONE] = t("{number}: the next plan decides who goes.", number=entry.number)


def _act(here: Here, entry: Entry, row: PlanRow, known: Known, told: Explanation) -> None:
    """Put the ranked list to choose another from, what that costs, and sending."""
    options = ranked(told, known)
    labels = {worker.id: line for worker, line in options}
    picked = st.selectbox(
        t("Choose another worker"),
        list(labels),
        index=None,
        format_func=labels.__getitem__,
        placeholder=t("as proposed: {worker}", worker=known.name(row.worker_id)),
        key=f"{state.BOARD_CHOICE}_plan_{entry.incident_id}_{i18n.locale()}",
    )
    if picked is None:
        if (entry.change in CHANGES or entry.calls) and row.kind == "handle":
            st.button(
                t("Send {worker} as proposed", worker=row.worker_code)
                if entry.change in CHANGES
                else t("Call them in as proposed"),
                key="gk_board_send_one",
                width="stretch",
                on_click=board_head.publish,
                args=(row.plan_id, (entry.incident_id,)),
                kwargs={"one": entry.number},
            )
        return
    try:
        _difference(standing_plan.compare(here.session, here.actor, entry.incident_id, picked), known)
    except NotFound as error:  # whom the plan does not know can be sent all the same
        widgets.note(error.zh if error.zh and i18n.locale() == "zh" else error.message)
    reason = st.selectbox(
        t("Why this one"),
        board_side.OWN_REASONS,
        index=None,
        format_func=lambda key: i18n.either(*CHOICE_REASONS[key]),
        placeholder=t("Choose a reason"),
        key=f"{state.BOARD_REASON}_{entry.incident_id}_{i18n.locale()}",
    )
    who = known.find(picked)
    code = who.code if who else str(picked)
    st.button(
        t("Send {worker} and hold it there", worker=code),
        key="gk_board_override",
        width="stretch",
        disabled=reason is None,
        on_click=_override,
        args=(entry, row, picked, code),
        kwargs={"reason": reason or ""},
    )


def ranked(told: Explanation, known: Known) -> list[tuple[WorkerInfo, str]]:
    """Return who could go instead, the cheapest first, each with what speaks against."""
    best = told.chosen.cost_s if told.chosen is not None else None
    found = []
    for choice in told.others:
        worker = known.find(choice.worker)
        if worker is None:
            continue
        more = "" if best is None else f" · {_more(choice.cost_s - best)}"
        why = f" · {_text(choice.against)}" if choice.against else ""
        found.append((worker, f"{known.name(worker.id)}{more}{why}"))
    there = {worker.id for worker, _ in found}
    for key, binds in told.rejected.items():
        worker = known.find(key)
        if worker is not None and worker.id not in there:
            found.append((worker, f"{known.name(worker.id)} · {_text(binds)}"))
    return found


def _more(seconds: float) -> str:
    sign = "+" if seconds >= 0 else "−"
    return t("{sign}{count} min", sign=sign, count=i18n.number(abs(seconds) / 60, 1))


def _difference(cost: Comparison, known: Known) -> None:
    """Say what a choice of one's own costs, before it is confirmed."""
    if cost.cannot is not None:
        _box(t("The plan would not send {worker}", worker=known.name(cost.worker_id)), (cost.cannot,), left=True)
        return
    rows = "".join(
        f"<tr><td>{escape(i18n.either(*TERM_WORDS[name]))}</td><td>{escape(_more(value))}</td></tr>"
        for name, value in _told(cost.terms).items()
    )
    late = "".join(
        f"<li>{escape(t('{number} becomes {minutes} min late', number=board_rows.short(number), minutes=minutes))}</li>"
        for number, minutes in cost.late
    )
    widgets.write(
        f'<table class="gk-terms"><tbody>{rows}<tr><td>{escape(t("Counts in all"))}</td>'
        f"<td>{escape(_more(cost.more_s))}</td></tr></tbody></table>"
        + (f'<ul class="gk-not gk-late">{late}</ul>' if late else "")
    )


def _told(terms: Mapping[str, float]) -> dict[str, float]:
    return {name: terms[name] for name in TERMS if abs(terms.get(name, 0.0)) >= LEAST_S}


def _override(entry: Entry, row: PlanRow, worker_id: int, code: str, *, reason: str) -> None:
    """Send somebody else than proposed, and hold the incident there; against what the dispatcher sees now."""
    version = entry.queue.version if entry.queue else row.incident_version
    key = f"over.{entry.incident_id}.{version}.{worker_id}"
    known: dict[str, str] = st.session_state.setdefault(state.BOARD_COMMAND, {})
    command = known.setdefault(key, f"board-{uuid.uuid4()}")
    actor = guard.current_actor()
    try:
        with transaction(actor) as session:
            execution.override(
                session,
                actor,
                entry.incident_id,
                worker_id,
                reason=reason,
                version=version,
                command_id=command,
            )
    except GridkeeperError as error:
        st.session_state[state.BOARD_WRONG] = error
        return
    finally:
        known.pop(key, None)
    st.session_state[state.BOARD_DONE] = t("{number} was given to {worker}.", number=entry.number, worker=code)
