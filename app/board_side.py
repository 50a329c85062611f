"""Beside the board's map: the incident, who is proposed and why, and giving the task out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from html import escape

import streamlit as st
from sqlalchemy.orm import Session

from app import board_words, guard, i18n, rules_needs, state, widgets, words
from app.board_entries import Entry
from app.i18n import t
from core.clock import now
from core.errors import GridkeeperError, NotFound
from core.identity import Actor
from dispatch import execution
from dispatch import service as dispatch
from dispatch.model import Board, Proposal, QueueRow
from dispatch.propose import Ranked
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from incidents import service as incidents
from incidents.lifecycle import CHOICE_REASONS
from people import service as people

OWN_REASONS = tuple(key for key in CHOICE_REASONS if key != "proposed")
KILOMETRES_FROM_M = 950
"""Shorter ways are told in metres."""


@dataclass(frozen=True, slots=True)
class Here:
    """What every part of the page needs."""

    session: Session
    actor: Actor
    territory: TerritoryInfo
    board: Board


def show(here: Here, entry: Entry, *, alone: bool) -> tuple[Proposal | None, Ranked | None]:
    """Put the ranking for one incident and the choice; return what the map shows.

    Parameters
    ----------
    alone
        No plan stands, so sending from here is the page's one primary act.
    """
    proposal = dispatch.proposals(here.session, here.actor, here.territory, entry.incident_id)
    if not proposal.ranking.all:
        _nobody(proposal)
        return proposal, None
    worker = _choice_made(proposal)
    wanted = worker.candidate.worker_id
    if proposal.contenders[wanted].line is None:
        proposal = dispatch.proposals(here.session, here.actor, here.territory, entry.incident_id, chosen=wanted)
        worker = proposal.ranking.find(wanted) or worker
    _reasons(proposal, worker, here)
    _assign(here, proposal, worker, alone=alone)
    _choice(proposal)
    widgets.write(f'<ul class="gk-small gk-muted gk-given">{_items(board_words.assumptions(proposal))}</ul>')
    return proposal, worker


def begun(here: Here, entry: Entry, row: QueueRow) -> tuple[Proposal | None, Ranked | None]:
    """Say who works on an incident that no plan moves, and let it be given to another all the same."""
    head(entry, here)
    who = row.worker_code or i18n.either(row.unit, row.unit_zh)
    if entry.off_shift:
        off_shift(row)
    elif row.worker_id is None:
        widgets.note(t("{who} works on it.", who=who) + " " + t("The plan leaves work of a unit where it is."))
    else:
        widgets.note(t("{who} works on it.", who=who))
    widgets.note(t("Sending another takes it from {worker} at once.", worker=who))
    return show(here, entry, alone=False)


def off_shift(row: QueueRow) -> None:
    """Say that nobody on shift has it."""
    said = t("{worker} has it and is off shift: send somebody else, or leave it until then.", worker=row.worker_code)
    widgets.write(f'<div class="gk-ask gk-ask-left"><b>{escape(t("This needs you"))}</b><p>{escape(said)}</p></div>')


def not_waiting(here: Here, chosen: int) -> None:
    """Say what became of an incident that an address or another dispatcher took off the board."""
    try:
        row = incidents.incident_detail(here.session, here.actor, chosen).row
    except NotFound:
        widgets.empty(t("There is no such incident."), t("Choose one from the queue."))
        return
    status = words.status(row.status)
    who = row.worker_code or i18n.either(row.unit, row.unit_zh)
    widgets.empty(
        t("{number} does not wait here any more.", number=row.number),
        t("It is: {status}, with {who}.", status=status, who=who) if who else t("It is: {status}.", status=status),
        link_label=t("Open the incident"),
        href=f"/incidents?incident={row.id}",
    )


def head(entry: Entry, here: Here) -> None:
    """Put what the incident is, how much time is left, where it lies and who is responsible."""
    row = entry.queue
    left, tone = board_words.left_until(entry.due_at, here.board.at)
    due = i18n.clock(entry.due_at, here.territory.timezone, now=here.board.at) if entry.due_at else ""
    until = f" · {escape(t('due {clock}', clock=due))}" if due else ""
    number = widgets.link(entry.number, f"/incidents?incident={entry.incident_id}").text
    urgent = f' <span class="gk-q-urgent">{escape(t("emergency"))}</span>' if entry.emergency else ""
    told = ""
    if row is not None:
        unit = i18n.either(row.unit, row.unit_zh) or t("no unit yet")
        told = f'<p>{escape(board_words.where(row))}</p><p class="gk-muted">{escape(unit)}{_with(row)}</p>'
        takes = rules_needs.in_short({"skills": row.skills, "equipment": row.equipment, "workers": row.workers})
        told += f'<p class="gk-small">{escape(t("Takes: {skills}", skills=takes))}</p>' if takes else ""
    widgets.write(
        f'<div class="gk-card-head"><h2>{escape(entry.title(i18n.locale()))}{urgent}</h2></div>'
        f"<p>{number} · {widgets.toned(left, tone).text}{until}</p>{told}"
    )


def _with(row: QueueRow) -> str:
    if not row.worker_code:
        return ""
    said = t("with {code}") if row.status == "handling" else t("given to {code}, not accepted")
    return " · " + escape(said.format(code=row.worker_code))


def _nobody(proposal: Proposal) -> None:
    """Say why nobody is proposed, and lead to where the incident can be sent out all the same."""
    placeless = t(", ").join(proposal.placeless)
    if placeless:
        said = (
            t("Nobody can be proposed: no place of anybody on duty is known."),
            t("On duty without grid and without task: {codes}.", codes=placeless),
        )
    elif proposal.off_duty:
        count = i18n.number(proposal.off_duty)
        said = (
            t("Nobody is on shift at this hour."),
            t("The shifts of all {count} workers are over or not yet begun.", count=count),
        )
    else:
        said = t("There are no grid workers here yet."), t("The incident can be sent to its unit.")
    widgets.empty(*said, link_label=t("Open the incident"), href=f"/incidents?incident={proposal.incident.id}")


def _choice_key(proposal: Proposal) -> str:
    return f"{state.BOARD_CHOICE}_{proposal.incident.id}_{proposal.incident.version}_{i18n.locale()}"


def _choice_made(proposal: Proposal) -> Ranked:
    """Return the worker chosen in the list below, else the proposed one."""
    ranking = proposal.ranking
    picked = st.session_state.get(_choice_key(proposal))
    return (ranking.find(picked) if isinstance(picked, int) else None) or ranking.all[0]


def _reasons(proposal: Proposal, worker: Ranked, here: Here) -> None:
    contender = proposal.contenders[worker.candidate.worker_id]
    is_best = worker is proposal.ranking.best
    label = t("Proposed") if is_best else t("Your choice")
    way = board_words.way(worker.travel_s)
    if contender.length_m is not None:
        far = contender.length_m >= KILOMETRES_FROM_M
        way = (
            t("{way}, {km} km", way=way, km=i18n.number(contender.length_m / 1000, 1))
            if far
            else t("{way}, {metres} m", way=way, metres=i18n.number(round(contender.length_m, -1)))
        )
    told = board_words.why(proposal, worker)
    origin = board_words.setting_out(contender, here.territory.timezone, here.board.at)
    instead = board_words.instead(proposal, worker)
    body = (
        f'<p class="gk-muted gk-small gk-over">{escape(label)}</p>'
        f'<p class="gk-who-goes"><b>{escape(board_words.name(contender))}</b><span>{escape(way)}</span></p>'
        f"<ul>{_items(told)}</ul>"
        f'<p class="gk-muted gk-small">{escape(origin)}</p>'
    )
    if instead:
        body += f'<p class="gk-instead">{escape(instead)}</p>'
    else:
        behind = [
            t("Not {worker}: {why}", worker=board_words.name(proposal.contenders[each.candidate.worker_id]),
              why=board_words.why_not(each))
            for each in proposal.ranking.behind(worker)
        ]  # fmt: skip
        body += f'<ul class="gk-not">{_items(behind)}</ul>' if behind else ""
    widgets.write(f'<div class="gk-part">{body}</div>')


def _items(lines: list[str]) -> str:
    return "".join(f"<li>{escape(line)}</li>" for line in lines)


def _assign(here: Here, proposal: Proposal, worker: Ranked, *, alone: bool) -> None:
    """Put the button that sends; what it carries is what the dispatcher sees now."""
    row = proposal.incident
    who = board_words.name(proposal.contenders[worker.candidate.worker_id])
    reason: str | None = "proposed"
    if worker is not proposal.ranking.best or row.status == "handling":
        reason = st.selectbox(
            t("Why this one"),
            OWN_REASONS,
            index=None,
            format_func=lambda key: i18n.either(*CHOICE_REASONS[key]),
            placeholder=t("Choose a reason"),
            key=f"{state.BOARD_REASON}_{row.id}_{i18n.locale()}",
        )
    unit_id = _unit(here, row)
    holds_it = row.worker_id == worker.candidate.worker_id and unit_id == row.unit_id
    st.button(
        t("{worker} has it already", worker=who) if holds_it else t("Send {worker}", worker=who),
        type="primary" if alone else "secondary",
        width="stretch",
        key="gk_board_assign",
        disabled=holds_it or unit_id is None or reason is None,
        shortcut="Ctrl+Enter" if alone else None,
        on_click=_send,
        args=(row, worker.candidate.worker_id, who, reason or "", _command(row)),
        kwargs={"unit_id": unit_id},
    )


def _unit(here: Here, row: QueueRow) -> int | None:
    """Put the unit that is responsible, to be changed, or chosen where the duty list names none; return it."""
    units = people.list_units(here.session, here.actor, here.territory.id)
    names = {unit.id: i18n.either(unit.name, unit.name_zh) for unit in units if unit.kind != "centre"}
    ids = list(names)
    picked: int | None = st.selectbox(
        t("Unit"),
        ids,
        index=ids.index(row.unit_id) if row.unit_id in names else None,
        format_func=names.__getitem__,
        placeholder=t("Choose a unit"),
        key=f"{state.BOARD_REASON}_unit_{row.id}_{row.version}_{i18n.locale()}",
    )
    if picked is None:
        widgets.note(t("The duty list names no unit that exists today; choose one to send somebody."))
    return picked


def _command(row: QueueRow) -> str:
    """Return the id of the act on this version: pressed twice, it is the same act."""
    known: dict[str, str] = st.session_state.setdefault(state.BOARD_COMMAND, {})
    return known.setdefault(f"{row.id}.{row.version}", f"board-{uuid.uuid4()}")


def _send(row: QueueRow, worker_id: int, who: str, reason: str, command_id: str, *, unit_id: int) -> None:
    """Give the incident out as it was seen; what somebody else did meanwhile stands against it."""
    try:
        with transaction(guard.current_actor()) as session:
            actor, moment = guard.current_actor(), now()
            if reason != "proposed":  # a choice of one's own holds against plans
                execution.override(
                    session, actor, row.id, worker_id,
                    reason=reason, version=row.version, command_id=command_id, unit_id=unit_id, moment=moment,
                )  # fmt: skip
            elif unit_id == row.unit_id:
                execution.assign(
                    session, actor, row.id, worker_id,
                    version=row.version, command_id=command_id, reason=reason, moment=moment,
                )  # fmt: skip
            else:
                incidents.assign_task(
                    session, actor, row.id, worker_id,
                    version=row.version, command_id=command_id, reason=reason, unit_id=unit_id, moment=moment,
                )  # fmt: skip
    except GridkeeperError as error:
        st.session_state[state.BOARD_WRONG] = error
        st.session_state.get(state.BOARD_COMMAND, {}).pop(f"{row.id}.{row.version}", None)
        st.query_params["incident"] = str(row.id)
        return
    st.session_state[state.BOARD_DONE] = t("{number} was given to {worker}.", number=row.number, worker=who)
    st.query_params.pop("incident", None)
    st.session_state.pop(state.BOARD_FIRST, None)


def _choice(proposal: Proposal) -> None:
    """Put the ranked list to choose another worker from."""
    ranking = proposal.ranking
    shown = {each.candidate.worker_id: each for each in ranking.all}

    def line(worker_id: int) -> str:
        return f"{ranking.place_of(worker_id)}. {board_words.name(proposal.contenders[worker_id])}"

    with st.container(key="gk-ranked"):
        st.radio(
            t("Or choose another of {count} on duty", count=i18n.number(len(shown))),
            list(shown),
            format_func=line,
            captions=[board_words.one_line(each, ranking.best) for each in shown.values()],
            key=_choice_key(proposal),
        )
