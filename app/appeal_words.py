"""The words of appeals: what may be asked for, on which grounds, and how one stands."""

from __future__ import annotations

from app.i18n import t
from insight.appeals import EFFECTS


def effect(key: str) -> str:
    """Return what an appeal asks for."""
    return {
        "left_out": t("Do not count this incident for us"),
        "in_time": t("Count the deadline as kept"),
        "no_rework": t("Do not count the rework or reopening"),
        "no_word": t("Do not count the citizen's word"),
    }.get(key, key)


def ground(key: str) -> str:
    """Return the ground of an appeal."""
    return {
        "not_ours": t("Not our duty"),
        "weather": t("Weather or disaster"),
        "blocked": t("No way in, or other works in the way"),
        "waited": t("Waited for the citizen or another unit"),
        "third_party": t("Caused by somebody else afterwards"),
        "wrong_class": t("Filed under the wrong class"),
        "mistake": t("A mistake in the data"),
        "other": t("Another ground"),
    }.get(key, key)


def standing(key: str) -> str:
    """Return how an appeal stands."""
    return {"waiting": t("waits for a decision"), "granted": t("granted"), "refused": t("refused")}.get(key, key)


def effects_of(excused: int) -> str:
    """Return what was granted on appeal for an incident; empty when nothing was."""
    return "; ".join(effect(key) for key, bit in EFFECTS.items() if excused & bit)
