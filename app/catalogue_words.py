"""The words of the catalogue in the reader's language."""

from __future__ import annotations

import datetime as dt

from app import i18n
from app.i18n import t
from geodata.asking import Asked
from geodata.catalogue_model import Entry, FieldInfo


def sensitivity(value: str) -> str:
    """Return how sensitive data are."""
    return {"public": t("Public"), "internal": t("Internal"), "restricted": t("Restricted")}.get(value, value)


def rhythm(value: str) -> str:
    """Return how often a newer state comes."""
    known = {
        "once": t("Once"), "continuous": t("Continuously"), "daily": t("Daily"), "weekly": t("Weekly"),
        "monthly": t("Monthly"), "quarterly": t("Quarterly"), "yearly": t("Yearly"), "irregular": t("Irregularly"),
    }  # fmt: skip
    return known.get(value, value)


def kind(column: FieldInfo) -> str:
    """Return what the values of a column are, with the unit."""
    known = {
        "text": t("Text"), "integer": t("Whole number"), "number": t("Number (decimal)"), "boolean": t("Yes or no"),
        "day": t("Day"), "moment": t("Moment"),
    }  # fmt: skip
    told = known.get(column.kind, column.kind)
    return f"{told}, {column.unit}" if column.unit else told


def geometry(value: str) -> str:
    """Return what a row looks like on a map."""
    known = {"Point": t("Points"), "LineString": t("Lines"), "Polygon": t("Outlines"), "Geometry": t("Mixed shapes")}
    return known.get(value, t("No places"))


def way(value: str) -> str:
    """Return by which way data were read."""
    known = {
        "page": t("On a page"), "api": t("Interface (OGC API)"), "tiles": t("Interface, tiles"),
        "export": t("As a file"), "map": t("On the map"), "study": t("In a study"),
    }  # fmt: skip
    return known.get(value, value)


def score(name: str) -> str:
    """Return the name of a score of quality."""
    known = {
        "completeness": t("Completeness"), "validity": t("Validity"), "timeliness": t("Timeliness"),
        "uniqueness": t("Uniqueness"), "placement": t("Placement"),
    }  # fmt: skip
    return known.get(name, name)


def marks(one: Entry, now: dt.datetime) -> tuple[str, str]:
    """Return how fresh and used an entry is, in words and tone."""
    told = [word for word, on in ((t("stale"), one.stale(now)), (t("unused"), one.unused(now))) if on]
    return (t(", ").join(told), "soon") if told else ("", "")


def owner(one: Entry) -> str:
    """Return whose the data are."""
    if one.owner:
        return i18n.either(one.owner, one.owner_zh)
    return t("The platform") if one.offer.data_set_id is None else t("nobody named")


def state(one: Asked, now: dt.datetime) -> tuple[str, str]:
    """Return where a request stands, in words and tone."""
    if one.state == "granted":
        if one.lasts(now):
            return t("granted until {day}", day=i18n.day(one.until.date()) if one.until else ""), "good"
        return (t("grant ended by the steward") if one.ended_early else t("grant has run out")), "done"
    known = {
        "waiting": (t("waits for the steward"), "soon"),
        "refused": (t("refused"), "late"),
        "withdrawn": (t("taken back"), "done"),
    }
    return known[one.state]
