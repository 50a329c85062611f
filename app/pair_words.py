"""Words of page Same place: states, decisions, and what a score is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import i18n
from app.i18n import t


def state(key: str) -> str:
    """Return the name of the state of a pair."""
    return {
        "open": t("To decide"), "same": t("One place"), "different": t("Two places"), "unsure": t("Not sure yet")
    }[key]  # fmt: skip


def choice(key: str) -> str:
    """Return a decision as it is chosen."""
    return {"same": t("one place"), "different": t("two places"), "unsure": t("not sure yet")}[key]


def apart(terms: Mapping[str, Any]) -> str:
    """Return how far two rows lie apart; empty where one lies nowhere."""
    return t("{metres} m", metres=i18n.number(int(terms["metres"]))) if "metres" in terms else ""


def terms(found: Mapping[str, Any]) -> str:
    """Return what the score is made of, in one line."""
    names = {"name": t("Name"), "distance": t("Distance"), "address": t("Address"), "phone": t("Telephone")}
    said = [f"{names[key]} {float(found[key]):.0%}" for key in names if key in found]
    if "metres" in found:
        said.append(t("{metres} m apart", metres=i18n.number(int(found["metres"]))))
    if found.get("vague"):
        said.append(t("placed by words or a code, so the distance does not count"))
    return " · ".join(said)
