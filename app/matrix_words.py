"""A matrix of the planner's own in words: what it is, what an answer by it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import i18n, study_words
from app.i18n import t
from planning.layer_model import LayerInfo
from planning.model import Study
from planning.terms import Terms

HASH_SHOWN = 12


def name(each: LayerInfo) -> str:
    """Return what a matrix is called, with its size."""
    return t(
        "{name}, version {number}: {rows} places of people, {candidates} candidates, {there} there",
        name=each.name, number=str(each.revision), rows=i18n.number(each.facts["places"]),
        candidates=i18n.number(each.facts["candidates"]), there=i18n.number(each.facts["there"]),
    )  # fmt: skip


def terms(said: Terms) -> str:
    """Return by which matrix a question goes."""
    return t("Ways go by the matrix “{name}”, not by the streets of the map.", name=said.matrix_name or "")


def by(*, transit: bool) -> str:
    """Return how people come whose ways are a matrix."""
    return t("by public transport") if transit else t("by the ways of the matrix")


def median(facts: Mapping[str, Any]) -> str:
    """Return how far the nearest column is, by which a wrong unit shows."""
    if facts["median_s"] is None:
        return t("No row has any way.")
    if facts.get("transit") is not None:
        return f"{_half(facts)} {transit(facts['transit'])}"
    return _half(facts)


def _half(facts: Mapping[str, Any]) -> str:
    told = t("Half of the rows have {minutes} or less to the nearest column.",
             minutes=study_words.minutes(float(facts["median_s"]), 1))  # fmt: skip
    if not facts["no_way"]:
        return told
    return f"{told} {t('{count} rows have no way at all.', count=i18n.number(facts['no_way']))}"


def assumptions(study: Study) -> list[str]:
    """Return what an answer by a matrix rests on."""
    facts, said = study.facts, study.question.terms
    lines = [
        t("Ways: the matrix “{name}” that was brought, {rows} places of people by {columns} candidates and {there}"
          " facilities (SHA-256 {sha}…). It is kept with its places: the same question gives the same answer.",
          name=said.matrix_name or "", rows=i18n.number(facts["demand_points"]),
          columns=i18n.number(facts["candidates"]), there=i18n.number(facts["existing"]),
          sha=(said.matrix_sha256 or "")[:HASH_SHOWN]),
        t("How its times were made is not known here; whoever brought it answers for them.")
        if facts.get("transit") is None
        else transit(facts["transit"]),
        t("People: {people} at the rows of the matrix; all figures are counted there.",
          people=i18n.number(facts["people"])),
        t("Everybody goes to the nearest; size and opening hours are not counted.")
        if not said.capacity
        else t("Who goes where is decided by room, a place of demand as a whole; what is there has the same room."),
        t("The proof is about this model; a person decides."),
    ]  # fmt: skip
    if said.more_people.factor != 1.0:
        told = t(
            "Assumed: {per_cent} % more people a year for {years} years, everywhere alike ({people} people then).",
            per_cent=i18n.number(said.growth or 0.0, 1), years=str(said.years), people=i18n.number(facts["people"]),
        )  # fmt: skip
        lines.insert(3, told)
    if facts.get("unreachable"):
        lines.insert(3, t("{people} people have no way to any place.", people=i18n.number(facts["unreachable"])))
    return lines


def transit(facts: Mapping[str, Any]) -> str:
    """Return by which timetables a matrix was made, and how."""
    begins, ends = (int(facts["begins_min"]) + more for more in (0, int(facts["window_min"])))
    return t(
        "Times by public transport, computed here: {feeds} on {day}, {count} departures from {begins} to {ends} of"
        " which the median counts; {stops} stops, {trips} trips; on foot to a stop at most {walk} min, changes on foot,"
        " no delays.",
        feeds=t(", ").join(facts["feeds"]), day=facts["day"], count=i18n.number(facts["departures"]),
        begins=_clock(begins), ends=_clock(ends), stops=i18n.number(facts["stops"]), trips=i18n.number(facts["trips"]),
        walk=i18n.number(facts["walk_min"]),
    )  # fmt: skip


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def counted(facts: Mapping[str, Any]) -> str:
    """Return what an answer about access by a matrix rests on."""
    told = t(
        "People and ways: the matrix “{name}”, version {number}, {rows} places of people by {there} facilities"
        " (SHA-256 {sha}…); the streets of the map do not count.",
        name=facts["name"], number=str(facts["revision"]), rows=i18n.number(facts["places"]),
        there=i18n.number(facts["there"]), sha=str(facts["sha256"])[:HASH_SHOWN],
    )  # fmt: skip
    return told if facts.get("transit") is None else f"{told} {transit(facts['transit'])}"
