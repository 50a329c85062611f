"""What stands behind a number of the page Indicators: exactly the incidents it counts, by address."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st
from sqlalchemy.orm import Session

from app import appeal_words, i18n, widgets, words
from app import indicator_words as indicator_of
from app.as_of import PARAMETER
from app.i18n import t
from app.widgets import Cell, Column
from core.identity import Actor
from geodata.territory import TerritoryInfo
from insight import service
from insight.indicators import BY_KEY
from insight.model import SUBJECTS, Behind

PAGE_ROWS = 100
NOBODY = "none"


@dataclass(frozen=True, slots=True)
class Period:
    """The days of report that a page counts, and the moment by which it counts what is due.

    With a ``day`` of the past everything counts as it stood at its end, which is the moment.
    """

    first: dt.date
    last: dt.date
    moment: dt.datetime
    day: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A number: an indicator of a subject in a period, its numerator or its denominator."""

    indicator: str
    subject: str
    subject_id: int | None
    part: str
    period: Period
    page: int = 0

    def address(self, *, page: int = 0) -> str:
        """Return the address of the incidents behind the number."""
        given = {
            "indicator": self.indicator,
            "subject": self.subject,
            "id": NOBODY if self.subject_id is None else str(self.subject_id),
            "part": self.part,
            "from": self.period.first.isoformat(),
            "to": self.period.last.isoformat(),
            "at": str(int(self.period.moment.timestamp())),
        }
        if self.period.day is not None:
            given[PARAMETER] = self.period.day.isoformat()
        return "/indicators?" + urlencode(given | ({"page": str(page)} if page else {}))


def from_address() -> Wanted | None:
    """Return the number that the address asks for; None when it asks for none, or wrongly."""
    given = st.query_params
    if given.get("indicator") not in BY_KEY or given.get("subject") not in SUBJECTS:
        return None
    try:
        who = given.get("id", NOBODY)
        period = Period(
            dt.date.fromisoformat(given["from"]),
            dt.date.fromisoformat(given["to"]),
            dt.datetime.fromtimestamp(int(given["at"]), dt.UTC),
            dt.date.fromisoformat(given[PARAMETER]) if given.get(PARAMETER) else None,
        )
        return Wanted(
            given["indicator"],
            given["subject"],
            None if who == NOBODY else int(who),
            given.get("part", "numerator"),
            period,
            max(int(given.get("page", "0")), 0),
        )
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def counted(key: str, subject: str, subject_id: int | None, period: Period, numbers: tuple[int, int]) -> str:
    """Return numerator and denominator, each a link to what it counts."""
    return " / ".join(
        widgets.link(i18n.number(number), Wanted(key, subject, subject_id, part, period).address()).text
        if number
        else i18n.number(number)
        for part, number in zip(("numerator", "denominator"), numbers, strict=True)
    )


def show(session: Session, actor: Actor, territory: TerritoryInfo, wanted: Wanted) -> None:
    """Put the incidents behind a number, with the way back."""
    found = service.behind(
        session,
        actor,
        wanted.subject,
        wanted.indicator,
        wanted.part,
        first=wanted.period.first,
        last=wanted.period.last,
        moment=wanted.period.moment,
        as_of=wanted.period.day,
        subject_id=wanted.subject_id,
        limit=PAGE_ROWS,
        offset=wanted.page * PAGE_ROWS,
    )
    whose = service.name_of(session, actor, wanted.subject, wanted.subject_id)
    who = i18n.either(*whose) if whose else indicator_of.subject(wanted.subject)
    first = t("the first number: those for which it holds")
    part = first if wanted.part == "numerator" else t("the second number: all that are counted")
    widgets.heading(f"{indicator_of.indicator(wanted.indicator)} · {who}", aside=part)
    widgets.write(f"<p>{widgets.link(t('Back to the league'), '/indicators').text}</p>")
    many = i18n.tn("{count} incident", "{count} incidents", found.incidents)
    more = "" if found.value == found.incidents else t(", counted {value} times", value=i18n.number(found.value))
    days = f"{i18n.day(wanted.period.first)} – {i18n.day(wanted.period.last)}"
    widgets.note(f"{many}{more} · {days} · {indicator_of.counted(wanted.indicator)}")
    if not found.rows:
        widgets.empty(t("Nothing is counted here."), t("Choose another period or indicator."))
        return
    several = found.value != found.incidents
    widgets.table(
        [
            Column(t("Number"), fixed=True),
            Column(t("What")),
            Column(t("Place"), wide=True),
            Column(t("Status")),
            Column(t("Reported at"), right=True, wide=True),
            Column(t("Due"), right=True),
            Column(t("Closed at"), right=True),
            Column(t("Reworks"), right=True, wide=True),
            *([Column(t("Counted"), right=True)] if several else []),
        ],
        [_row(each, territory, several=several) for each in found.rows],
    )
    links = []
    if wanted.page:
        links.append(widgets.link(t("Newer"), wanted.address(page=wanted.page - 1)).text)
    if (wanted.page + 1) * PAGE_ROWS < found.incidents:
        links.append(widgets.link(t("Older"), wanted.address(page=wanted.page + 1)).text)
    if links:
        widgets.write(f"<p>{' · '.join(links)}</p>")


def _row(each: Behind, territory: TerritoryInfo, *, several: bool) -> list[Cell]:
    def at(when: dt.datetime | None) -> str | None:
        return i18n.clock(when, territory.timezone) if when else None

    again = i18n.number(each.reworks) if each.reworks else ""
    status = words.status(each.status)
    excused = appeal_words.effects_of(each.excused)
    row: list[Cell] = [
        widgets.link(each.number, f"/incidents?incident={each.incident_id}"),
        i18n.either(each.name_en, each.name_zh),
        each.place,
        t("{status}; appeal: {effect}", status=status, effect=excused) if excused else status,
        at(each.reported_at),
        at(each.due_at),
        at(each.closed_at),
        again,
    ]
    return [*row, i18n.number(each.times)] if several else row
