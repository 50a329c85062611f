"""The head of the board: the standing proposal in a sentence, publishing it, and what warns."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from app import board_block, board_rows, board_words, guard, i18n, state, widgets
from app.board_entries import Entry, Which, counts, safe_ids
from app.i18n import t, tn
from core.errors import Conflict, GridkeeperError
from dispatch import execution
from dispatch.execution_model import Published
from dispatch.standing_model import StandingPlan, Summary
from geodata.db import transaction

ALARM = dt.timedelta(hours=1)
OLD = dt.timedelta(minutes=10)
"""A plan older than this does not say that all is well."""
NEWS_FOR = dt.timedelta(seconds=20)
"""So long what came of an act stands there; a plan made because of it would wipe it out at once."""
STALE_NAMED = 12
NAMED = 4
"""So many breaches and moves are named; the others stand in the queue."""


def show(plan: StandingPlan | None, found: Sequence[Entry], now: dt.datetime) -> None:
    """Put the sentence with its one button."""
    ids = safe_ids(found)
    with st.container(key="gk-board-head", horizontal=True, vertical_alignment="center"):
        if plan is None:
            aside = t("Each incident has a ranking of its own until the planner (gridkeeper dispatch run) made one.")
            st.html(_sentence(t("No plan stands yet."), aside))
            return
        st.html(_sentence(sentence(plan.summary, len(ids), counts(found)[Which.NEEDS]), _age(plan, now)))
        st.button(
            t("Publish {count}", count=i18n.number(len(ids))),
            type="primary",
            key="gk_board_publish",
            disabled=not ids,
            shortcut="Ctrl+Enter",
            on_click=publish,
            args=(plan.id, ids),
        )


def _sentence(words: str, aside: str) -> str:
    return f'<div class="gk"><p class="gk-sentence">{escape(words)}<small>{escape(aside)}</small></p></div>'


def sentence(summary: Summary, safe: int, need: int) -> str:
    """Return "37 safe, 4 need you: 4.2 h less driving, 3 breaches avoided".

    Parameters
    ----------
    safe, need
        As it is now: fewer than the plan found, once part of it is published; what is won was won by all of it,
        and is told no more then.
    """
    first = t("{safe} safe, {need} need you", safe=i18n.number(safe), need=i18n.number(need))
    if not safe and not need:
        return t("Nothing to decide: the plan runs as it was published.")
    if safe < summary.safe:
        return first
    gains = []
    hours = summary.driving_saved_s / 3600
    if abs(hours) >= 0.05:
        text = t("{hours} h less driving") if hours > 0 else t("{hours} h more driving")
        gains.append(text.format(hours=i18n.number(abs(hours), 1)))
    if summary.breaches_avoided > 0:
        gains.append(tn("{count} breach avoided", "{count} breaches avoided", summary.breaches_avoided))
    elif summary.breaches_avoided < 0:
        gains.append(tn("{count} breach more", "{count} breaches more", -summary.breaches_avoided))
    return t("{first}: {gains}", first=first, gains=t(", ").join(gains)) if gains else first


def _age(plan: StandingPlan, now: dt.datetime) -> str:
    ago = max(0, round((now - plan.made_at).total_seconds()))
    span = tn("{count} s", "{count} s", ago) if ago < 90 else i18n.span(dt.timedelta(seconds=ago))
    said = t("planned {span} ago", span=span)
    if plan.stale:
        said = t("{said}, something has changed since", said=said)
    told = " ".join(i18n.either(each.en, each.zh) for each in plan.told)
    return f"{said}. {told}" if told else said


def publish(plan_id: int, ids: Sequence[int], *, one: str = "") -> None:
    """Send what was seen; what somebody changed meanwhile is dropped and named. ``one`` is the number of a single."""
    known: dict[str, str] = st.session_state.setdefault(state.BOARD_COMMAND, {})
    key = f"plan.{plan_id}.{one}.{hash(tuple(sorted(ids)))}"
    command = known.setdefault(key, f"board-{uuid.uuid4()}")
    actor = guard.current_actor()
    try:
        with transaction(actor) as session:
            came = execution.publish(session, actor, plan_id, ids, command_id=command)
    except GridkeeperError as error:
        st.session_state[state.BOARD_WRONG] = error
        return
    finally:
        known.pop(key, None)
    sent = any(each.what == "sent" for each in came.done)
    if not sent and not came.stale and not came.also_retimed and all(each.what == "kept" for each in came.done):
        st.session_state.setdefault(state.BOARD_DONE, t("All of it was published before."))
        return
    st.session_state[state.BOARD_DONE] = came_out(came, one if sent else "")
    st.session_state[state.BOARD_STALE] = tuple((row.number, i18n.either(row.en, row.zh)) for row in came.stale)


def came_out(came: Published, one: str = "") -> str:
    """Return what was sent out and what was re-timed, told apart; ``one`` is the number of a single that was sent."""
    sent = sum(each.what == "sent" and not each.along for each in came.done)
    along = sum(each.what == "sent" and each.along for each in came.done)
    retimed = sum(each.what == "retimed" for each in came.done) + came.also_retimed
    said = [t("{number} is sent out as proposed.", number=one)] if one and sent else []
    if not one and (sent or not (retimed or along)):
        said.append(tn("{count} is sent out.", "{count} are sent out.", sent))
    if along:
        said.append(tn("{count} is told to come along.", "{count} are told to come along.", along))
    if retimed:
        said.append(tn("{count} has another time now.", "{count} have another time now.", retimed))
    return ("" if i18n.locale() == "zh" else " ").join(said)


def news(now: dt.datetime) -> None:
    """Say what came of the last act, and what was left out of it; a page drawn for a new plan says it again."""
    came = tuple(st.session_state.pop(key, None) for key in (state.BOARD_WRONG, state.BOARD_DONE, state.BOARD_STALE))
    kept, since = st.session_state.get(state.BOARD_NEWS, ((None, None, None), now))
    if any(came):
        st.session_state[state.BOARD_NEWS] = (came, now)
    elif now - since < NEWS_FOR:
        came = kept
    wrong, done, stale = came
    if isinstance(wrong, Conflict):
        told = wrong.zh if wrong.zh and i18n.locale() == "zh" else str(wrong)
        mine = guard.current_actor().label
        another = any(by != mine for by in wrong.by)
        head = t("Somebody else was faster. Nobody was sent by you.") if another else t("Nobody was sent by you.")
        widgets.wrong(head, told)
    elif wrong is not None:
        widgets.known_error(wrong)
    if not done:
        return
    body = f'<span role="status">{escape(done)}</span>'
    if stale:
        left = tn(
            "{count} was left out, because it had changed:",
            "{count} were left out, because they had changed:",
            len(stale),
        )
        items = "".join(f"<li>{escape(number)}: {escape(why)}</li>" for number, why in stale[:12])
        rest = (
            f"<li>{escape(t('and {count} more', count=i18n.number(len(stale) - 12)))}</li>" if len(stale) > 12 else ""
        )
        body += f" {escape(left)}<ul>{items}{rest}</ul>"
    widgets.write(f'<div class="gk-tell{" gk-tell-part" if stale else ""}">{body}</div>')


def warnings(
    plan: StandingPlan | None, found: Sequence[Entry], now: dt.datetime, codes: Mapping[int, str], *, to_file: int
) -> None:
    """Put what will be late within the hour, and who could stand where nobody is free; ``codes`` are staff numbers."""
    parts = [] if plan is None else [_breaches(found, now, plan.made_at), _moves(plan, codes)]
    if to_file:
        told = tn(
            "{count} report waits to be filed by a supervisor.",
            "{count} reports wait to be filed by a supervisor.",
            to_file,
        )
        parts.append(f'<span class="gk-muted">{escape(told)}</span>')
    body = "".join(parts)
    if body:
        board_block.show(f'<div class="gk-warns">{body}</div>', key="gk_board_warns")


def _breaches(found: Sequence[Entry], now: dt.datetime, made_at: dt.datetime) -> str:
    """Return what will be late; that nothing will be is said only of a plan that is young enough to know."""
    late = [entry for entry in found if breaks_soon(entry, now)]
    if not late and now - made_at > OLD:
        return ""
    if not late:
        return f'<span class="gk-good">{escape(t("No deadline will be missed in the next hour."))}</span>'
    count = tn("{count} will be late in the next hour:", "{count} will be late in the next hour:", len(late))
    named = t(", ").join(
        f'<button type="button" data-pick="incident:{entry.incident_id}">'
        f"{escape(board_rows.short(entry.number))} {escape(entry.title(i18n.locale()))}"
        f" ({escape(board_words.left_until(entry.due_at, now)[0])})</button>"
        for entry in late[:NAMED]
    )
    rest = f" {escape(t('and {count} more', count=i18n.number(len(late) - NAMED)))}" if len(late) > NAMED else ""
    return f'<span class="gk-late"><b>{escape(count)}</b></span><span>{named}{rest}</span>'


def breaks_soon(entry: Entry, now: dt.datetime) -> bool:
    """Return whether a deadline passes within the hour before anybody is on site."""
    if entry.due_at is None or not now < entry.due_at <= now + ALARM:
        return False
    if entry.row is not None:
        return entry.row.late_s > 0
    return entry.off_shift or entry.queue is None or entry.queue.worker_id is None


def _moves(plan: StandingPlan, codes: Mapping[int, str]) -> str:
    if not plan.move_ups:
        return ""
    said = "".join(
        f'<li><button type="button" data-pick="worker:{move.worker}">{escape(codes.get(int(move.worker), ""))}</button>'
        f": {escape(i18n.either(move.why.en, move.why.zh))}</li>"
        for move in plan.move_ups[:NAMED]
    )
    one, many = "{count} area nobody free is near", "{count} areas nobody free is near"
    head = tn(one, many, round(sum(float(move.why.figures.get("areas", 1)) for move in plan.move_ups)))
    return f'<details data-name="moves"><summary>{escape(head)}</summary><ul>{said}</ul></details>'
