"""Rows of the queue and lanes of the timeline in words."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from app import board_words, i18n, words
from app.board_entries import CHANGES, Entry, Group
from app.board_queue import Line
from app.board_timeline import Bar, Lane
from app.i18n import t
from dispatch.standing_model import PlanRow, StandingPlan
from people.model import WorkerInfo

ROWS = 120
"""So many rows of the queue are drawn; the search finds the others."""
REST_FROM = 0.4
"""Part of a shift after which its break may begin."""
_SEQUENCE = re.compile(r"-0*(\d+)-[A-Z0-9]$")


def short(number: str) -> str:
    """Return the sequence of a number, as people on the telephone name it: 4417 of IOW-2026-004417-N."""
    found = _SEQUENCE.search(number)
    return found.group(1) if found else number[-6:]


def first(found: Sequence[Entry], chosen: Entry | None) -> list[Entry]:
    """Return the entries that are drawn, the chosen one among them wherever it stands."""
    rest = () if chosen is None else (entry for entry in found[ROWS:] if entry.incident_id == chosen.incident_id)
    return [*found[:ROWS], *rest]


def lines(found: Iterable[Entry], plan: StandingPlan | None, now: dt.datetime, zone: ZoneInfo) -> list[Line]:
    """Return the entries as rows of the queue."""
    language = i18n.locale()
    codes = {row.worker_id: row.worker_code for row in plan.rows} if plan else {}
    return [_line(entry, codes, planned=plan is not None, now=now, zone=zone, language=language) for entry in found]


def _line(
    entry: Entry, codes: Mapping[int, str], *, planned: bool, now: dt.datetime, zone: ZoneInfo, language: str
) -> Line:
    left, tone = board_words.left_until(entry.due_at, now)
    mark, mark_tone = _mark(entry, planned=planned)
    title = entry.title(language)
    if entry.row is not None and entry.row.kind != "handle":
        title = t("{kind}: {title}", kind=words.task_kind(entry.row.kind), title=title)
    return Line(
        entry.incident_id,
        title,
        short(entry.number),
        board_words.where(entry.queue) if entry.queue else "",
        left,
        tone,
        _who(entry, codes, zone),
        mark,
        mark_tone,
        entry.emergency,
    )


def _mark(entry: Entry, *, planned: bool) -> tuple[str, str]:
    if entry.group is Group.NEEDS:
        return _asked(entry), "needs"
    if entry.group is Group.UNSERVED:
        return t("nobody fits"), "left"
    if entry.group is Group.WAITS:
        return (t("in the next plan"), "plain") if planned else ("", "")
    if entry.row is not None:
        return (t("others come along"), "new") if entry.calls and entry.change not in CHANGES else change(entry.change)
    return "", ""


def _asked(entry: Entry) -> str:
    """Return in a few words why a person is asked."""
    row = entry.row
    if entry.unanswered:
        return t("nobody answered")
    if entry.off_shift:
        return t("its worker is off shift")
    said = {
        "late": t("would be late"),
        "accepted": t("takes accepted work"),
        "refused": t("tried before"),
        "close_call": t("a close call"),
        "no_unit": t("no unit yet"),
        "off_shift": t("its worker is off shift"),
    }
    kind = row.needs.kind if row is not None and row.needs is not None else ""
    return said.get(kind, t("needs you"))


def change(key: str) -> tuple[str, str]:
    """Return what the proposal changes, and its tone; empty for what stays."""
    said = {"new": t("new"), "moved": t("reassigned"), "retimed": t("re-timed"), "fixed": t("begun")}
    return said.get(key, ""), "plain" if key == "fixed" else key


def _who(entry: Entry, codes: Mapping[int, str], zone: ZoneInfo) -> str:
    row = entry.row
    if row is not None and not entry.elsewhere:
        was = codes.get(row.was_worker_id or 0, "")
        begin = f"{row.start_at.astimezone(zone):%H:%M}"
        if entry.change == "moved" and was and was != row.worker_code:
            return f"{was} → {row.worker_code} {begin}"
        return f"{row.worker_code} {begin}"
    known = entry.queue
    if known is None:
        return ""
    return known.worker_code or i18n.either(known.unit, known.unit_zh) or t("no unit yet")


def lanes(plan: StandingPlan | None, workers: Sequence[WorkerInfo], now: dt.datetime, zone: ZoneInfo) -> list[Lane]:
    """Return a lane for each worker on shift or with something to do: the busy ones first, each part by number."""
    routes: dict[int, list[PlanRow]] = defaultdict(list)
    for row in plan.rows if plan else ():
        routes[row.worker_id].append(row)
    language = i18n.locale()
    known = {worker.id: worker for worker in workers}
    there = [worker.id for worker in workers if worker.on_duty(now)]
    found = []
    for worker_id in dict.fromkeys([*routes, *there]):
        worker, route = known.get(worker_id), routes.get(worker_id, [])
        code = worker.code if worker else route[0].worker_code
        bars = tuple(_bar(row, zone, language) for row in sorted(route, key=lambda row: row.start_at))
        found.append(
            Lane(
                worker_id,
                code,
                (worker.name or "") if worker else "",
                i18n.number(len(bars)) if bars else t("idle"),
                bars,
                rests(worker, bars) if worker else (),
                worker.shift_end if worker else None,
            )
        )
    return sorted(found, key=lambda lane: (not lane.bars, lane.code))


def rests(worker: WorkerInfo, bars: Sequence[Bar]) -> tuple[tuple[dt.datetime, dt.datetime], ...]:
    """Return the break of a shift as the plan keeps it free: in the middle fifth, after what is in hand then."""
    if worker.shift_start is None or worker.shift_end is None or not worker.break_min:
        return ()
    begin = worker.shift_start + REST_FROM * (worker.shift_end - worker.shift_start)
    for bar in bars:
        if bar.start - dt.timedelta(seconds=bar.travel_s) <= begin < bar.end:
            begin = bar.end
    end = begin + dt.timedelta(minutes=worker.break_min)
    following = min((bar.start for bar in bars if bar.start >= begin), default=end)
    return ((begin, end),) if following >= end else ()


def _bar(row: PlanRow, zone: ZoneInfo, language: str) -> Bar:
    return Bar(
        row.incident_id,
        short(row.number),
        row.change,
        row.start_at,
        row.end_at,
        row.travel_s,
        row.late_s,
        row.slack_s,
        stop(row, zone, language),
    )


def stop(row: PlanRow, zone: ZoneInfo, language: str) -> str:
    """Return a stop in a sentence: what, from when to when, how late or how much time is to spare."""
    begin, end = row.start_at.astimezone(zone), row.end_at.astimezone(zone)
    said = f"{short(row.number)} {row.title(language)} · {begin:%H:%M}–{end:%H:%M}"
    mark, _ = change(row.change)
    return " · ".join(part for part in (said, spare(row), mark) if part)


def spare(row: PlanRow) -> str:
    """Return how late a stop is begun, or how much time is to spare; empty without a deadline."""
    if row.late_s > 0:
        return t("{span} late", span=board_words.short(row.late_s))
    if row.slack_s is None:
        return ""
    return t("{span} to spare", span=board_words.short(row.slack_s))
