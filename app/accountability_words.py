"""The words of Accountability: rules, states, weights, what a finding counted and what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import i18n, record_words
from app.i18n import t
from core.identity import Actor, May
from insight.accountability import BY_KEY
from insight.reviews import Evidence, ReviewRow


def rule(key: str) -> str:
    """Return the title of a rule; of one that is gone, its key."""
    known = BY_KEY.get(key)
    return i18n.either(*known.title) if known else key


def question(key: str) -> str:
    """Return what a finding of a rule asks."""
    known = BY_KEY.get(key)
    return i18n.either(*known.question) if known else ""


def state(key: str) -> tuple[str, str]:
    """Return the state of a finding in words, and its tone."""
    return {
        "open": (t("open"), "soon"),
        "explained": (t("explained, waits for a decision"), "soon"),
        "confirmed": (t("confirmed"), "late"),
        "dismissed": (t("dismissed"), "done"),
    }.get(key, (key, ""))


def weight(severity: int) -> str:
    """Return how grave the rules that found it are, in a word."""
    return {1: t("grave"), 2: t("middling"), 3: t("light")}.get(severity, "")


def counted(numbers: Mapping[str, Any]) -> str:
    """Return what a finding counted; empty where it counted nothing."""
    said = []
    if "count" in numbers:
        said.append(t("{count} in all", count=i18n.number(numbers["count"])))
    if "times" in numbers:
        said.append(i18n.tn("{count} time", "{count} times", int(numbers["times"])))
    if "minutes" in numbers:
        said.append(i18n.tn("{count} minute back", "{count} minutes back", int(numbers["minutes"])))
    if "incidents" in numbers:
        said.append(
            i18n.tn("{count} incident late soon after", "{count} incidents late soon after", numbers["incidents"])
        )
    return ", ".join(said)


def subject(row: ReviewRow) -> str:
    """Return what a finding is about: "Incident 2026-000147"; one about a person names nobody in a list."""
    if row.subject_table == "app_user":
        return t("Acts of one account")
    return f"{record_words.table(row.subject_table)} {row.number or row.subject_id}"


def object_of(act: Evidence) -> str:
    """Return what an act behind a finding was done to, an incident by its number."""
    return f"{record_words.table(act.table)} {act.number or act.subject_id or ''}".strip()


def page_of(actor: Actor, row: ReviewRow) -> str:
    """Return the address of what a finding is about; empty where there is none, or it is not for the actor."""
    if row.subject_table == "incident" and actor.may(May.SEE_INCIDENTS):
        return f"/incidents?incident={row.subject_id}"
    if row.subject_table == "rule_change":
        return f"/rules?tab=changes&change={row.subject_id}"
    return ""


def unseen() -> tuple[str, ...]:
    """Return what no rule on the record can see, a sentence each."""
    return (
        t("What never reached the platform: a call, a paper, an agreement."),
        t("Who sat at the keyboard, where two share a password."),
        t("Two accounts of one person that no worker, person or telephone number ties together."),
        t("Acts that came with a file, and those of the platform itself."),
        t("What was merely looked at: only a reporter's identity and exports are recorded when they are read."),
        t("Rows that a browser saves or copies from the screen."),
    )
