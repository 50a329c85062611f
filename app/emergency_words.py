"""Emergencies in words: services, why one is called, what became of it."""

from __future__ import annotations

from collections.abc import Iterable

from app import i18n
from app.i18n import t
from geodata.territory import TerritoryInfo
from incidents.emergencies import SERVICES, Handed


def service(key: str) -> str:
    """Return the name of a service."""
    return i18n.either(*SERVICES.get(key, (key, key)))


def because(signs: Iterable[str], class_name: str) -> str:
    """Return why a service is called: the words that were typed, or the class that was chosen, by its name."""
    by_class = t("class {name}", name=class_name)
    return t(", ").join(by_class if sign.startswith("class:") else f"“{sign}”" for sign in signs)


def channel(key: str) -> str:
    """Return by which way it was handed over."""
    return {
        "phone": t("by phone"),
        "radio": t("by radio"),
        "in_person": t("in person"),
        "system": t("by a system"),
    }.get(key, key)


def outcome(row: Handed, territory: TerritoryInfo) -> str:
    """Return what became of a hand-over, in one sentence."""
    name = service(row.service)
    if row.state == "waiting":
        since = i18n.clock(row.raised_at, territory.timezone)
        return t("{service} {number}: not handed over yet, since {when}.", service=name, number=row.phone, when=since)
    settled = "" if row.settled_at is None else i18n.clock(row.settled_at, territory.timezone)
    if row.state == "dismissed":
        return t("{service}: no emergency, said {who}, {when}.", service=name, who=row.settled_label, when=settled)
    called = "" if row.called_at is None else i18n.clock(row.called_at, territory.timezone)
    told = t(
        "{service} {number}: called {when} {channel}, taken over; written down by {who}.",
        service=name,
        number=row.phone,
        when=called,
        channel=channel(row.channel),
        who=row.settled_label,
    )
    return f"{told} {t('Their reference: {reference}.', reference=row.reference)}" if row.reference else told
