"""Studies in words: the question, the answer, the proof, the state of the work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from app import i18n, matrix_words, study_kind_words
from app.i18n import t, tn
from geodata.jobs import Job
from geodata.network import FRAGMENT_M, WALK_KMH
from geodata.osm_facilities import FACILITY_KINDS
from planning.candidates import PLOT_HALF_M, ROADSIDE_M
from planning.model import Question, SiteAnswer, Study

PROVEN_GAP = 1e-6
"""A smaller gap is shown as none."""
LEAST_GAP = 1e-4
MEDIAN_OR_COVER = ("p-median", "mclp")


def facility(kind: str | None) -> str:
    """Return the name of a kind of facility."""
    if kind is None:
        return t("Something new")
    known = FACILITY_KINDS.get(kind)
    return i18n.either(known.label_en, known.label_zh) if known else kind


def mode(key: str) -> str:
    """Return how people come."""
    return {"walk": t("on foot"), "drive": t("by car")}.get(key, key)


def by(question: Question) -> str:
    """Return by which ways people come: a mode, public transport, or those of a matrix."""
    if question.terms.matrix is None:
        return mode(question.mode)
    return matrix_words.by(transit=question.terms.transit)


def title(study: Study) -> str:
    """Return what a study is called: its title, else the question in a few words."""
    return study.title or short(study.question)


def short(question: Question) -> str:
    """Return a question in a few words."""
    if not question.p:
        return t(
            "{facility}: as few as can be, {mode}, {minutes} min",
            facility=facility(question.facility_kind),
            mode=by(question),
            minutes=i18n.number(question.limit_min, 1),
        )
    by_hand = t(" (by hand)") if question.terms.by_hand else ""
    return (
        t(
            "{facility}: {count} new, {mode}, {minutes} min",
            facility=facility(question.facility_kind),
            count=i18n.number(question.p),
            mode=by(question),
            minutes=i18n.number(question.limit_min, 1),
        )
        + by_hand
    )


def sentence(question: Question) -> str:
    """Return a question as a question, and what its answer keeps to."""
    space = "" if i18n.locale() == "zh" else " "
    return space.join([_asked(question), *study_kind_words.terms(question)])


def _asked(question: Question) -> str:
    if question.kind not in MEDIAN_OR_COVER:
        return study_kind_words.sentence(question)
    names = {"facility": facility(question.facility_kind), "mode": by(question)}
    if question.kind == "mclp":
        return tn(
            "Where should one new site for “{facility}” stand, so that as many people as possible"
            " reach one {mode} within {minutes} min?",
            "Where should {count} new sites for “{facility}” stand, so that as many people as possible"
            " reach one {mode} within {minutes} min?",
            question.p,
            minutes=i18n.number(question.limit_min, 1),
            **names,
        )
    return tn(
        "Where should one new site for “{facility}” stand, so that the ways {mode} are shortest for everybody?",
        "Where should {count} new sites for “{facility}” stand, so that the ways {mode} are shortest for everybody?",
        question.p,
        **names,
    )


def existing(question: Question, count: int) -> str:
    """Return what happens to the facilities that are there."""
    if question.facility_kind is None:
        return t("Nothing of the kind is there yet.")
    if not count:
        return t("None is there yet.")
    if question.keep_existing:
        return tn("The one that is there goes on serving.", "The {count} that are there go on serving.", count)
    return t("As if none of those that are there existed.")


def minutes(seconds: float | None, digits: int = 1) -> str:
    """Return a length of way in minutes."""
    return "–" if seconds is None else t("{minutes} min", minutes=i18n.number(seconds / 60, digits))


def per_cent(share: float, digits: int = 1) -> str:
    """Return a share as per cent."""
    return i18n.number(share * 100, digits) + ("%" if i18n.locale() == "zh" else " %")


def gap(value: float | None) -> str:
    """Return a gap as per cent; nothing below what can be shown is called nothing."""
    if value is None:
        return "–"
    if value <= PROVEN_GAP:
        return per_cent(0.0)
    return "< " + per_cent(LEAST_GAP, 2) if value < LEAST_GAP else per_cent(value, 2)


def headline(study: Study) -> str:
    """Return the answer in one sentence."""
    facts, question = study.facts, study.question
    people = max(float(facts["people"]), 1e-9)
    if question.kind not in MEDIAN_OR_COVER:
        return study_kind_words.headline(study)
    if question.kind == "mclp":
        return t(
            "{share} of the people reach one {mode} within {minutes} min.",
            share=per_cent(facts["within_then"] / people),
            mode=by(question),
            minutes=i18n.number(question.limit_min, 1),
        )
    return t("The way takes {minutes} {mode} on average.", minutes=minutes(facts["mean_s_then"]), mode=by(question))


def before(study: Study) -> str:
    """Return what it is now; empty when nothing serves now."""
    facts = study.facts
    if not facts["existing"]:
        return ""
    if study.question.kind in {"mclp", "backup", "cmclp"}:
        return t("Now it is {share}.", share=per_cent(facts["within_now"] / max(float(facts["people"]), 1e-9)))
    if study.question.kind not in {"p-median", "cpmp"}:
        return ""
    return t("Now it takes {minutes}.", minutes=minutes(facts["mean_s_now"]))


def proof(study: Study) -> str:
    """Return how good the answer is, as what no plan can be better than."""
    if study.gap is None or study.bound is None or study.objective is None:
        return ""
    places = i18n.number(study.facts["candidates"])
    if study.gap <= PROVEN_GAP and study.question.terms.by_hand:
        return t("Proven: no choice among the {places} places compared and your own is better.", places=places)
    if study.gap <= PROVEN_GAP:
        return t("Proven best: no other choice among the {places} places compared is better.", places=places)
    if study.question.kind not in MEDIAN_OR_COVER:
        return study_kind_words.proof(study)
    # The gap is proven at the gathered points; here it is applied to what was counted on every building.
    could = study.bound / study.objective if study.objective else 1.0
    if study.question.kind == "mclp":
        share = min(1.0, could * study.facts["within_then"] / max(float(study.facts["people"]), 1e-9))
        return t(
            "No plan can be better than {bound}: among the {places} places compared,"
            " any other choice reaches at most {gap} more.",
            bound=per_cent(share, 2),
            places=places,
            gap=per_cent(max(study.gap, LEAST_GAP), 2),
        )
    return t(
        "No plan can be better than {bound} on average: among the {places} places compared,"
        " any other choice saves at most {gap} of the way.",
        bound=minutes(could * study.facts["mean_s_then"], 2),
        places=places,
        gap=per_cent(max(study.gap, LEAST_GAP), 2),
    )


def infeasible(study: Study, communities: dict[int, str]) -> tuple[str, str]:
    """Return why a question has no answer, and the way out."""
    found = study_kind_words.infeasible(study, communities)
    if found is not None:
        return found
    count = i18n.number(study.facts.get("candidates", 0))
    return {
        "candidates": (
            t("Only {count} places can be built on, fewer than the sites asked for.", count=count),
            t("Ask for fewer sites, or compare more places."),
        ),
        "people": (t("Nobody lives where sites could serve."), t("Load a map with buildings.")),
        "reach": (
            t("No place that can be built on can be reached from where people live."),
            t("Ask again for the other way of coming."),
        ),
    }.get(str(study.facts.get("binding", "")), (t("This question has no answer."), t("Ask it differently.")))


def left_out(study: Study) -> float:
    """Return the people beyond the limit, without a way among them."""
    return max(0.0, float(study.facts["people"]) - float(study.facts["within_then"]))


def state(study: Study, job: Job | None) -> tuple[str, str]:
    """Return the state of a study in words and its tone."""
    if study.state == "answered":
        return (t("Answered"), "good")
    if study.state == "infeasible":
        return (t("No answer possible"), "late")
    if job is None:
        return (t("Not begun"), "")
    return {
        "waiting": (t("Waiting to begin"), "soon"),
        "running": (t("Being answered"), "soon"),
        "cancelled": (t("Cancelled"), "done"),
    }.get(job.state, (t("Failed"), "late"))


def step(name: str) -> str:
    """Return a step of the work."""
    return {
        "Reading the city": t("Reading the city"),
        "Finding free plots": t("Finding places that can be built on"),
        "Travel times": t("Travel times to every place"),
        "Ways to what is there": t("Ways to what is there now"),
        "Searching for sites": t("Searching for the best sites"),
        "Raising the bound": t("Proving how good the answer is"),
        "Halving the radius": t("Searching for the best sites"),
        "Covering": t("Searching for the best sites"),
        "Bounding what is possible": t("Proving how good the answer is"),
        "Proving the answer": t("Closing the last gap"),
        "Proving the answer case by case": t("Closing the last gap"),
        "Keeping the answer": t("Writing the answer down"),
        "Searching among some candidates": t("Searching among some of the places"),
        "Going through all candidates": t("Going through all places, block by block"),
        "Carrying the proof to every building": t("Carrying the proof to every building"),
        "Reading the timetables": t("Reading the timetables"),
        "Ways on foot": t("Ways on foot to every stop"),
        "Riding by timetable": t("Riding by timetable"),
    }.get(name, name)


def place(site: SiteAnswer, communities: dict[int, str]) -> str:
    """Return where a site stands: street and community."""
    street = i18n.either(site.street, site.street_zh)
    community = communities.get(site.community_id or 0, "")
    return t(", ").join(part for part in (street, community) if part) or f"{site.lat:.5f}, {site.lon:.5f}"


def assumptions(study: Study, people_note: str) -> list[str]:
    """Return what the answer rests on."""
    facts, question = study.facts, study.question
    if question.terms.matrix is not None:
        return matrix_words.assumptions(study)
    speed = (
        t("On foot at {kmh} km/h on every road and path that may be walked.", kmh=i18n.number(WALK_KMH, 1))
        if question.mode == "walk"
        else t("By car at the speed of each road, without traffic; the last steps to the street on foot.")
    )
    layer = question.terms.demand_name
    lines = [
        t("People: {people} of the layer “{name}”.", people=i18n.number(facts["people"]), name=layer)
        if layer
        else t(
            "People: {people} in {buildings} buildings, estimated from floor area.",
            people=i18n.number(facts["people"]),
            buildings=i18n.number(facts["buildings"]),
        )
        + (f" {people_note}" if people_note else ""),
        t(
            "For the choice they are gathered at {points} points, {metres} m from home on average;"
            " the gap is proven for these, the figures above are counted on every building.",
            points=i18n.number(facts["demand_points"]),
            metres=i18n.number(facts["mean_shift_m"]),
        ),
        *carried(facts),
        t(
            "Places: {places} of {plots} free plots, spread as people live. A plot is {side} m wide without building,"
            " road, water, green or farmland, at most {metres} m from a road.",
            places=i18n.number(facts["candidates"]),
            plots=i18n.number(facts["plots"]),
            side=i18n.number(2 * PLOT_HALF_M),
            metres=i18n.number(ROADSIDE_M),
        ),
        speed,
        t(
            "Who lives off the streets goes straight to the nearest one, water or not; streets that lead nowhere else"
            " and are shorter than {km} km together count as none.",
            km=i18n.number(FRAGMENT_M / 1000, 1),
        ),
        t("Everybody goes to the nearest; size and opening hours are not counted.")
        if not question.terms.capacity
        else t("Who goes where is decided by room, a place of demand as a whole; what is there has the same room."),
        t("The proof is about this model; a person decides."),
    ]
    if question.terms.more_people.factor != 1.0:
        told = t(
            "Assumed: {per_cent} % more people a year for {years} years, everywhere alike ({people} people then).",
            per_cent=i18n.number(question.terms.growth or 0.0, 1),
            years=str(question.terms.years),
            people=i18n.number(facts["people"]),
        )
        lines.insert(1, told)
    if facts.get("unreachable"):
        lines.insert(4, t("{people} people have no way to any place.", people=i18n.number(facts["unreachable"])))
    return lines


def carried(facts: Mapping[str, Any]) -> list[str]:
    """Return what the proof says of every building, and that the answer was found block by block."""
    every, lines = facts.get("every"), []
    if every is not None:
        lines.append(
            t("Counted at every building the proof still says: no other choice among these places is better by more"
              " than {gap}. (Gathering the people may hide {seconds} s a person at most.)",
              gap=gap(every["gap"]), seconds=i18n.number(every["error"] / max(facts["people"], 1e-9), 1))
        )  # fmt: skip
    if facts.get("by_blocks"):
        lines.append(
            t("The question is large: its places were gone through block by block, and the search ended once the gap"
              " was below half a per cent or its time was up.")
        )  # fmt: skip
    return lines


def spent(length: dt.timedelta) -> str:
    """Return how long the work took."""
    seconds = length.total_seconds()
    return t("{seconds} s", seconds=i18n.number(seconds)) if seconds < 100 else i18n.span(length)
