"""Parts of the page "What if": the comparison, what it rests on, what was asked before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app import i18n, what_if_words, widgets
from app.i18n import t
from app.widgets import Cell, Column, Html
from dispatch.simulate_model import Change
from dispatch.what_if_model import Question, Reply, Row
from geodata.jobs import Job
from geodata.territory import TerritoryInfo


def answer(reply: Reply) -> None:
    """Put the answer: sentences, the table, what is assumed."""
    first, *rest = what_if_words.sentences(reply.rows) or [""]
    lines = "".join(f"<p>{widgets.html(line)}</p>" for line in rest)
    if first:
        widgets.write(f'<div class="gk-wi-told"><p class="gk-wi-first">{widgets.html(first)}</p>{lines}</div>')
    table(reply.rows)
    _read(reply)


def table(rows: Sequence[Row]) -> None:
    """Put the runs below each other, each measure with a bar where a bar says more."""
    late = max(row.breaches for row in rows)
    way_s = max(row.travel_s for row in rows)
    missed = any(row.unserved for row in rows)
    columns = [
        Column(t("Rule"), fixed=True),
        Column(t("Difference"), fixed=True),
        Column(t("Breaches"), right=True),
        Column(t("Driving"), right=True),
        Column(t("There after"), right=True),
        Column(t("90 % within"), right=True),
        Column(t("Low priority"), right=True),
        *([Column(t("Not reached"), right=True)] if missed else []),
        Column(t("By the owner"), right=True, wide=True),
        Column(t("Uneven load"), right=True, wide=True),
        Column(t("Plan changes"), right=True, wide=True),
    ]
    body: list[Sequence[Cell]] = []
    before = None
    for row in rows:
        body.append(_cells(row, late, way_s, first=row.policy != before, missed=missed))
        before = row.policy
    widgets.table(columns, body)


def _cells(row: Row, late: int, way_s: float, *, first: bool, missed: bool) -> tuple[Cell, ...]:
    return (
        Html(f"<b>{widgets.html(what_if_words.rule(row.policy))}</b>") if first else Html(""),
        what_if_words.change(row.change),
        _bar(i18n.number(row.breaches), row.breaches / max(late, 1), "late"),
        _bar(what_if_words.hours(row.travel_s), row.travel_s / max(way_s, 1e-9), ""),
        what_if_words.minutes(row.response_s),
        what_if_words.minutes(row.response_p90_s),
        what_if_words.minutes(row.low_p90_s),
        *([i18n.number(row.unserved)] if missed else []),
        "–" if row.own_grid is None else what_if_words.per_cent(row.own_grid),
        what_if_words.per_cent(row.load_cv),
        i18n.number(row.churn),
    )


def _bar(words: str, share: float, tone: str) -> Html:
    """Return a figure with a bar below it, as long as its share of the longest."""
    width = f"{100 * min(1.0, max(0.0, share)):.1f}%"
    kind = f" gk-wi-{tone}" if tone else ""
    return Html(f'{widgets.html(words)}<span class="gk-wi-bar{kind}"><i style="width:{width}"></i></span>')


def _read(reply: Reply) -> None:
    """Put how to read it and what it rests on."""
    rules = "".join(
        f"<li>{widgets.html(t('{rule}: {what}.', rule=what_if_words.rule(p), what=what_if_words.meaning(p)))}</li>"
        for p in reply.question.policies
    )
    notes = "".join(f"<li>{widgets.html(i18n.either(en, zh))}</li>" for en, zh in reply.notes)
    columns = t(
        "Breach: begun after the deadline, or not at all that day. There after: from filing until somebody is there. "
        "Low priority: 90 % of the least urgent. Uneven load: 0 % when all have the same to do. "
        "Plan changes: how often the worker meant became another before setting out."
    )
    widgets.write(
        f'<details class="gk-panel gk-wi-read" open><summary>{widgets.html(t("What this rests on"))}</summary>'
        f'<p class="gk-muted">{widgets.html(columns)}</p>'
        f'<div class="gk-wi-two"><ul>{rules}</ul><ul>{notes}</ul></div></details>'
    )


def asked_before(
    found: Sequence[Job], territory: TerritoryInfo, shown: int | None, asked: Mapping[int, Question], ahead: int
) -> None:
    """Put the newest questions as links; ``ahead`` pieces of work are done before the first of those that wait."""
    if not found:
        return
    widgets.heading(t("Asked before"))
    rows: list[Sequence[Cell]] = []
    for job in found:
        when = i18n.clock(job.created_at, territory.timezone)
        link: Cell = when if job.id == shown else widgets.link(when, f"/what-if?run={job.id}")
        question = asked.get(job.id)
        day = "" if question is None else i18n.day(question.day)
        before = ahead + sum(each.state == "waiting" and each.id < job.id for each in found)
        rows.append((link, day, "" if question is None else _asked(question), _state(job, before)))
    widgets.table(
        [
            Column(t("Asked at"), fixed=True),
            Column(t("Day"), fixed=True),
            Column(t("Question"), wide=True),
            Column(t("State")),
        ],
        rows,
    )


def _asked(question: Question) -> str:
    changes = [what_if_words.change(each) for each in question.changes() if each != Change()]
    names = [what_if_words.rule(each) for each in question.policies]
    return t("; ").join([t(", ").join(names), *([t(", ").join(changes)] if changes else [])])


def _state(job: Job, ahead: int) -> Html:
    words, tone = {
        "waiting": (what_if_words.waits(ahead), ""),
        "running": (t("Running"), "soon"),
        "done": (t("Answered"), "good"),
        "failed": (t("Failed"), "late"),
        "cancelled": (t("Cancelled"), "done"),
    }[job.state]
    return widgets.toned(words, tone)
