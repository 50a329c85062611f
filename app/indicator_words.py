"""The words of evaluation: indicators and how they are counted, subjects, posts, places in a league."""

from __future__ import annotations

from app import i18n
from app.i18n import t
from insight.facts import CHECKING_H, FILING_H


def indicator(key: str) -> str:
    """Return the name of an indicator."""
    return {
        "filing": t("Filing rate"),
        "filing_on_time": t("On-time filing rate"),
        "accurate_dispatch": t("Accurate dispatch rate"),
        "closing": t("Closing rate"),
        "closing_on_time": t("On-time closing rate"),
        "urgent_closing": t("Closing rate, urgent ones"),
        "urgent_closing_on_time": t("On-time closing rate, urgent ones"),
        "handling": t("Handling rate"),
        "handling_on_time": t("On-time handling rate"),
        "rework": t("Rework rate"),
        "reopen": t("Reopening rate"),
        "verification_on_time": t("On-time verification rate"),
        "response": t("Response rate"),
        "solution": t("Solution rate"),
        "satisfaction": t("Satisfaction rate"),
    }.get(key, key)


def counted(key: str) -> str:
    """Return how an indicator is counted, and what it leaves out."""
    due = t(
        "Due: filed, deadline passed; left out are void and postponed ones, those without a deadline, and duplicates."
    )
    urgent = t("Urgent: emergencies and priority 1.")
    return {
        "filing": t("Filed ÷ accepted; all reports of the period count."),
        "filing_on_time": t("Filed within {hours} h of the report ÷ filed.", hours=i18n.number(FILING_H))
        + f" {_around_the_clock(FILING_H)}",
        "accurate_dispatch": t("Dispatches that did not come back ÷ dispatches."),
        "closing": f"{t('Closed ÷ due.')} {due}",
        "closing_on_time": f"{t('Closed by the deadline that stood at the close ÷ due.')} {due}",
        "urgent_closing": f"{t('Closed ÷ due.')} {urgent} {due}",
        "urgent_closing_on_time": f"{t('Closed by the deadline that stood at the close ÷ due.')} {urgent} {due}",
        "handling": f"{t('Handled ÷ dispatched and due.')} {due}",
        "handling_on_time": f"{t('Handled by the deadline ÷ dispatched and due.')} {due}",
        "rework": t("Sent back after checking at least once ÷ handled at least once; low is good."),
        "reopen": t("Opened again after the close at least once ÷ closed at least once; low is good."),
        "response": t("Reached in time when called back ÷ all called back."),
        "solution": t("Citizens who say it is solved ÷ those called back."),
        "satisfaction": t("Citizens who are satisfied ÷ those called back."),
        "verification_on_time": t(
            "Closed within {hours} h after it was handled ÷ handled and to be checked by now.",
            hours=i18n.number(CHECKING_H),
        )
        + f" {_around_the_clock(CHECKING_H)}",
    }.get(key, "")


def _around_the_clock(hours: float) -> str:
    return t(
        "The {hours} h are fixed and run around the clock; the stage's own limit, in working time, is not meant.",
        hours=i18n.number(hours),
    )


def subject(key: str) -> str:
    """Return whom a league compares."""
    return {
        "department": t("Departments"),
        "community": t("Communities"),
        "class": t("Classes of incident"),
        "post": t("Posts of the centres"),
    }.get(key, key)


def post(key: str) -> str:
    """Return the name of a post; it is the desk, not a person."""
    return {"acceptor": t("Accepting desk"), "dispatcher": t("Dispatching desk"), "verifier": t("Verifying desk")}.get(
        key, key
    )


def places(low: int | None, high: int | None) -> str:
    """Return a place in a league as it is known: "3rd to 7th"; empty without one."""
    if low is None or high is None:
        return ""
    if low == high:
        return _ordinal(low)
    return t("{low} to {high}", low=_ordinal(low), high=_ordinal(high))


def per_cent(rate: float | None) -> str:
    """Return a rate with one decimal, always, so that they stand below each other; a dash for none."""
    return "–" if rate is None else f"{100 * rate:.1f} %"


def _ordinal(number: int) -> str:
    if i18n.locale() == "zh":
        return f"第{number}名"
    last = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{last}"


def in_words(key: str, top: int, bottom: int) -> str:
    """Return a rate as a sentence that needs no formula: "737 of 972 were closed on time"."""
    numbers = {"top": i18n.number(top), "bottom": i18n.number(bottom)}
    return {
        "filing": t("{top} of {bottom} reports were filed.", **numbers),
        "filing_on_time": t("{top} of {bottom} filed reports were filed in time.", **numbers),
        "accurate_dispatch": t("{top} of {bottom} dispatches went to the right place at once.", **numbers),
        "closing": t("{top} of {bottom} that were due are closed.", **numbers),
        "closing_on_time": t("{top} of {bottom} that were due were closed on time.", **numbers),
        "urgent_closing": t("{top} of {bottom} urgent ones that were due are closed.", **numbers),
        "urgent_closing_on_time": t("{top} of {bottom} urgent ones that were due were closed on time.", **numbers),
        "handling": t("{top} of {bottom} that were due were handled.", **numbers),
        "handling_on_time": t("{top} of {bottom} that were due were handled on time.", **numbers),
        "rework": t("{top} of {bottom} that were handled had to be done again.", **numbers),
        "reopen": t("{top} of {bottom} that were closed were opened again.", **numbers),
        "verification_on_time": t("{top} of {bottom} were verified in time.", **numbers),
        "response": t("{top} of {bottom} citizens were reached in time.", **numbers),
        "solution": t("{top} of {bottom} citizens say it is solved.", **numbers),
        "satisfaction": t("{top} of {bottom} citizens are satisfied.", **numbers),
    }.get(key, "")
