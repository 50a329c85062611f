"""Words of the gate: what was understood of a file and why, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app import i18n
from app.i18n import t
from geodata.exchange import Guess
from geodata.quarantine import CHOSEN, SEVERAL, QuarantinedView

CANDIDATES_LISTED: Final = 2
REPAIR_LISTED: Final = 60
"""Signs of a repair that is no place: a mended shape has thousands."""


def what(key: str) -> str:
    """Return what a guess is about."""
    if key.startswith("column "):
        return t("Column {name}", name=key.removeprefix("column "))
    return {
        "encoding": t("Letters"),
        "delimiter": t("Sign between cells"),
        "headings": t("Headings"),
        "layer": t("Layer or sheet"),
        "formulas": t("Formulas"),
        "mapping": t("Stored mapping"),
        "coordinates": t("Coordinate system"),
        "axes": t("Axes"),
        "datum": t("Datum"),
        "place": t("Place"),
        "place by address": t("Placed by address"),
        "place by code": t("Placed by code"),
        "address": t("Compared with the address"),
        "key": t("A row is named by"),
        "time zone": t("Time zone"),
        "rows": t("Rows"),
    }.get(key, key)


def value(said: str) -> str:
    """Return what something was taken for."""
    if said.startswith("row ") and said[4:].isdigit():
        return t("row {number}", number=said[4:])
    if said.lower().replace("-", "") in {"gb18030", "gbk", "utf8", "utf16"}:
        return said.upper()
    return {
        "left out": t("left out: about a person"),
        "swapped": t("latitude stands first"),
        "the whole row": t("the whole row"),
        "none": t("none"),
        "text": t("text"),
        "integer": t("whole number"),
        "number": t("number"),
        "number (comma)": t("number with a decimal comma"),
        "boolean": t("yes or no"),
        "date": t("date"),
        "datetime": t("date and time"),
        "date (iso)": t("date"),
        "datetime (iso)": t("date and time"),
        "date (dmy)": t("date, the day first"),
        "date (mdy)": t("date, the month first"),
        "date (ymd)": t("date"),
        "datetime (ymd)": t("date and time"),
        "datetime (dmy)": t("date and time, the day first"),
        "datetime (mdy)": t("date and time, the month first"),
        "tab": t("tab"),
        ",": t("comma"),
        ";": t("semicolon"),
        "EPSG:4326": t("degrees of longitude and latitude, WGS 84 (EPSG:4326)"),
        "EPSG:4490": t("degrees of longitude and latitude, CGCS2000 (EPSG:4490)"),
        "their results": t("their results"),
        "places with a use": t("places with a use"),
    }.get(said, said)


def why(guess: Guess) -> str:
    """Return the reason of a guess."""
    if guess.given and not guess.reason_zh:
        return t("as said")
    if i18n.locale() == "zh":
        return guess.reason_zh or _known(guess)
    return guess.reason


def _known(guess: Guess) -> str:
    """Return the reason of what was found while opening a file, in Chinese."""
    return {
        "encoding": t("found in the file itself"),
        "delimiter": t("it parts the first lines evenly"),
        "headings": t("found in the first rows"),
        "layer": t("the first of several"),
        "formulas": t("what they gave when the file was saved"),
        "rows": t("objects of the map that serve somebody"),
    }.get(guess.what, guess.reason)


def could_be(wrong: Mapping[str, str]) -> str:
    """Return what a cell could be: the first places whole, of anything else the beginning; its form has all of it."""
    repair = wrong.get("repair", "")
    if wrong.get("rule") not in CHOSEN:
        return repair if len(repair) <= REPAIR_LISTED else repair[:REPAIR_LISTED] + " …"
    parts = [each for each in repair.split(SEVERAL) if each]
    return SEVERAL.join(parts[:CANDIDATES_LISTED]) + (" …" if len(parts) > CANDIDATES_LISTED else "")


def meant(row: QuarantinedView) -> dict[str, list[str]]:
    """Return the places that an address could mean, by its column; none where it stands in several columns.

    A single one stands in the field already, as what is suggested.
    """
    return {
        one["field"]: one["repair"].split(SEVERAL)
        for one in row.violations
        if one.get("rule") == "address" and SEVERAL in one.get("repair", "") and one["field"] in row.raw
    }


def score(key: str) -> str:
    """Return the name of a score."""
    return {
        "completeness": t("Complete"),
        "validity": t("Valid"),
        "uniqueness": t("Unique"),
        "placement": t("On a grid"),
        "timeliness": t("Timely"),
    }[key]


def rule(key: str) -> str:
    """Return what a kind of rule asks."""
    return {
        "required": t("A cell is filled"),
        "unique": t("No two rows say the same"),
        "type": t("Cells are of a type"),
        "range": t("A number lies between two"),
        "codes": t("A cell is one of a list"),
        "pattern": t("A cell is written in a form"),
        "order": t("A time is not before another"),
        "compare": t("A column against another"),
        "needs": t("Filled where another column says something"),
        "refers": t("A cell stands in another data set"),
        "anywhere": t("Rows may lie outside the territory"),
        "place": t("A row says where it lies"),
        "inside": t("It lies in the territory"),
        "shape": t("Its shape is whole"),
        "text": t("Letters can be read"),
        "columns": t("As many cells as headings"),
    }.get(key, key)


def sign(key: str) -> str:
    """Return how two columns compare."""
    return {
        "<=": t("at most"), "<": t("less than"), ">=": t("at least"), ">": t("more than"), "=": t("the same as"),
        "!=": t("other than"),
    }.get(key, key)  # fmt: skip
