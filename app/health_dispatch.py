"""Judging the dispatch process: whether it is at work, and how old the standing plans are."""

from __future__ import annotations

import datetime as dt

from app import i18n
from app.health_model import Check, State, unknown
from app.i18n import t
from dispatch.standing_plan import Keeping

SILENT = dt.timedelta(minutes=5)
"""At work a plan is made anew once a minute."""


def dispatching(facts: Keeping | None, now: dt.datetime) -> Check:
    """Judge the dispatch process; None when nothing is known."""
    title = t("Dispatch")
    if facts is None:
        return unknown("dispatch", title)
    oldest = min(facts.made_at.values(), default=None)
    age = None if oldest is None else now - oldest
    numbers = {"at_work": facts.at_work, "oldest_plan_s": None if age is None else round(age.total_seconds())}
    if not facts.at_work:
        sentence = t("No dispatch process is at work: the standing plan does not follow what happens.")
        way = t("Start the platform with `gridkeeper run`, or `gridkeeper dispatch run` by itself.")
        return Check("dispatch", title, State.WARNING, sentence, way, numbers)
    if age is None or not facts.open_work:
        return Check("dispatch", title, State.OK, t("At work; nothing has to be planned."), "", numbers)
    if age > SILENT:
        sentence = t("The oldest standing plan was made {span} ago.", span=i18n.span(age))
        way = t("Stop it; `gridkeeper run` starts it again. The log says why.")
        return Check("dispatch", title, State.WARNING, sentence, way, numbers)
    sentence = t("At work; the oldest standing plan was made {span} ago.", span=i18n.span(age))
    return Check("dispatch", title, State.OK, sentence, "", numbers)
