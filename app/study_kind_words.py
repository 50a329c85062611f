"""Each kind of siting question in words: what is best, the question, the answer, the proof, why there is none."""

from __future__ import annotations

from typing import Any

from app import i18n, matrix_words, study_words
from app.i18n import t, tn
from planning.kinds import INFO, Kind
from planning.model import Question, Study

PLAIN: tuple[Kind, ...] = ("mclp", "p-median", "p-center", "lscp", "cpmp", "cmclp")
FURTHER: tuple[Kind, ...] = ("backup", "p-dispersion", "fixed-charge", "huff")


def kind(key: str) -> str:
    """Return what is best."""
    return {
        "mclp": t("As many people as possible in time"),
        "p-median": t("The shortest way for everybody"),
        "p-center": t("Nobody too far: the longest way as short as can be"),
        "lscp": t("Everybody in time, with as few sites as can be"),
        "cpmp": t("The shortest way, no site too full"),
        "cmclp": t("As many as possible in time, no site too full"),
        "backup": t("As many as possible in time, best by two sites"),
        "p-dispersion": t("As far from each other as can be"),
        "fixed-charge": t("Least cost: sites and ways together"),
        "huff": t("As many visitors as possible, beside what is there"),
    }.get(key, key)


def sentence(question: Question) -> str:
    """Return a question as a question."""
    said: dict[str, Any] = {
        "facility": study_words.facility(question.facility_kind),
        "mode": study_words.by(question),
        "minutes": i18n.number(question.limit_min, 1),
        "room": i18n.number(question.terms.capacity or 0),
        "count": i18n.number(question.p),
    }
    said["where"] = tn(
        "Where should one new site for “{facility}” stand",
        "Where should {count} new sites for “{facility}” stand",
        question.p,
        facility=said["facility"],
    )
    return {
        "p-center": lambda: t("{where}, so that the longest way {mode} is as short as it can be?", **said),
        "lscp": lambda: t(
            "How few new sites for “{facility}” are enough, and where, so that everybody reaches one {mode}"
            " within {minutes} min?",
            **said,
        ),
        "cpmp": lambda: t(
            "{where}, so that the ways {mode} are shortest for everybody and no site takes more than {room} people?",
            **said,
        ),
        "cmclp": lambda: t(
            "{where}, so that as many people as possible reach one {mode} within {minutes} min"
            " and no site takes more than {room} people?",
            **said,
        ),
        "backup": lambda: t(
            "{where}, so that as many people as possible reach one {mode} within {minutes} min,"
            " and where it can be a second one?",
            **said,
        ),
        "p-dispersion": lambda: t("{where}, as far as can be from each other and from what is there?", **said),
        "fixed-charge": lambda: t(
            "How many new sites for “{facility}”, and where, so that sites and ways {mode} together cost least?", **said
        ),
        "huff": lambda: t("{where}, so that most people come to them {mode}, beside what is there?", **said),
    }[question.kind]()


def terms(question: Question) -> list[str]:
    """Return what the answer has to keep to, a sentence each."""
    return [*_places(question), *_ground(question), *_limits(question)]


def _places(question: Question) -> list[str]:
    """Return which places count and which do not."""
    said = question.terms
    lines = []
    if question.kind == "lscp" and question.p:
        lines.append(tn("One site at most.", "{count} sites at most.", question.p))
    if said.hour is not None:
        lines.append(t("Cars go as fast as was measured on weekdays at {hour}:00.", hour=said.hour))
    if said.closable:
        lines.append(t("Those that are there may be closed and built elsewhere."))
    if said.by_hand:
        lines.append(t("The sites were placed by hand."))
    if said.forbidden or said.zones:
        count = len(said.forbidden) + len(said.zones)
        lines.append(tn("One place is struck out.", "{count} places are struck out.", count))
    if said.fixed:
        lines.append(tn("One site is built in any case.", "{count} sites are built in any case.", len(said.fixed)))
    if said.also:
        lines.append(tn("One place was added.", "{count} places were added.", len(said.also)))
    if said.places:
        lines.append(t("Only the {count} places that were brought are compared.", count=i18n.number(len(said.places))))
    return lines


def _ground(question: Question) -> list[str]:
    """Return what stays, which streets are closed and what may be built in."""
    said = question.terms
    lines = []
    if said.stay:
        lines.append(tn("One stays in any case.", "{count} stay in any case.", len(said.stay)))
    if said.closed:
        lines.append(tn("One street is closed.", "{count} streets are closed.", len(said.closed)))
    if said.matrix is not None:
        lines.append(matrix_words.terms(said))
    if said.source == "buildings":
        lines.append(t("They stand in buildings nobody lives in."))
    if said.least_m2 and (said.source == "buildings" or any(each.area_m2 for each in said.places)):
        lines.append(t("Each has at least {area} m².", area=i18n.number(said.least_m2)))
    return lines


def _limits(question: Question) -> list[str]:
    """Return what spacing, share and money allow."""
    said = question.terms
    lines = []
    if said.spacing_m is not None:
        lines.append(t("Sites lie at least {metres} m apart.", metres=i18n.number(said.spacing_m)))
    if said.floor is not None:
        lines.append(
            t(
                "In every community at least {share} of the people are in time.",
                share=study_words.per_cent(said.floor, 0),
            )
        )
    if said.budget is not None:
        lines.append(t("All together cost at most {budget}.", budget=i18n.number(said.budget)))
    return lines


def headline(study: Study) -> str:
    """Return the answer in one sentence."""
    facts, question = study.facts, study.question
    value = study.objective or 0.0
    people = max(float(facts["people"]), 1e-9)
    mode = study_words.by(question)
    limit = i18n.number(question.limit_min, 1)
    return {
        "p-center": lambda: t("Nobody's way {mode} takes more than {minutes}.", mode=mode, minutes=minutes(value)),
        "lscp": lambda: (
            tn(
                "One new site is enough: everybody reaches one {mode} within {minutes} min.",
                "{count} new sites are enough: everybody reaches one {mode} within {minutes} min.",
                round(value),
                mode=mode,
                minutes=limit,
            )
            if value
            else t(
                "No new site is needed: everybody reaches one {mode} within {minutes} min.", mode=mode, minutes=limit
            )
        ),
        "cpmp": lambda: t(
            "The way takes {minutes} {mode} on average, and no site is too full.",
            minutes=study_words.minutes(facts["mean_s_then"], 2),
            mode=mode,
        ),
        "cmclp": lambda: t(
            "{share} of the people find room within {minutes} min {mode}.",
            share=study_words.per_cent(value / people),
            mode=mode,
            minutes=limit,
        ),
        "backup": lambda: t(
            "{share} of the people reach one {mode} within {minutes} min.",
            share=study_words.per_cent(facts["within_then"] / people),
            mode=mode,
            minutes=limit,
        ),
        "p-dispersion": lambda: t("The two nearest to each other are {distance} apart.", distance=distance(value)),
        "fixed-charge": lambda: tn(
            "One new site costs least: {cost}, ways included.",
            "{count} new sites cost least: {cost}, ways included.",
            int(facts.get("built", 0)),
            cost=i18n.number(value),
        ),
        "huff": lambda: t("{people} people would come to the new sites.", people=i18n.number(value)),
    }[question.kind]()


def longer(study: Study) -> str:
    """Return whom the gathered points hide: people whose own building lies farther than is promised."""
    count, longest = float(study.facts.get("longer") or 0), study.facts.get("longest_s")
    if study.question.kind not in {"p-center", "lscp"} or count < 1 or longest is None:
        return ""
    return tn(
        "Counted on every building, one person has farther: {minutes}.",
        "Counted on every building, {count} people have farther, at most {minutes}.",
        round(count),
        minutes=minutes(longest),
    )


def figure(study: Study, value: float) -> str:
    """Return a value of a study's objective in its own unit, in words."""
    return figure_of(study.question.kind, float(study.facts["people"]), value)


def figure_of(key: Kind, people: float, value: float) -> str:
    """Return a value of the objective of a kind of question in its own unit, in words, for so many people."""
    return {
        "person_s": lambda: t("{minutes} on average", minutes=study_words.minutes(value / max(people, 1e-9), 2)),
        "people": lambda: t("{people} people", people=i18n.number(value)),
        "s": lambda: minutes(value),
        "sites": lambda: tn("one site", "{count} sites", round(value)),
        "m": lambda: distance(value),
        "cost": lambda: i18n.number(value),
    }[INFO[key].unit]()


def minutes(seconds: float) -> str:
    """Return a length of way, with a digit."""
    return study_words.minutes(seconds, 1)


def distance(metres: float) -> str:
    """Return a distance in metres or kilometres."""
    if metres < 1000:
        return t("{metres} m", metres=i18n.number(metres))
    return t("{km} km", km=i18n.number(metres / 1000, 2))


def proof(study: Study) -> str:
    """Return what no plan can be better than, where it is not proven best."""
    return t(
        "No plan can be better than {bound}: among the {places} places compared, any other choice gains at most {gap}.",
        bound=figure(study, study.bound or 0.0),
        places=i18n.number(study.facts["candidates"]),
        gap=study_words.per_cent(max(study.gap or 0.0, study_words.LEAST_GAP), 2),
    )


def infeasible(study: Study, communities: dict[int, str]) -> tuple[str, str] | None:
    """Return why a question has no answer, and the way out; None where there is a plainer word for it."""
    facts, question = study.facts, study.question
    who = facts.get("who") or {}
    limit = i18n.number(question.limit_min, 1)
    place = communities.get(int(who.get("community_id") or 0), "")
    where = t(" in {place}", place=place) if place else ""
    binding = str(facts.get("binding", ""))
    if binding == "reach" and question.terms.by_hand and who:
        return (
            t("This plan leaves out {people} people{where}.", people=i18n.number(who["people"]), where=where),
            t("Place a site near them, or ask for more minutes."),
        )
    if binding == "reach" and who.get("needs_s"):
        return (
            t(
                "No choice of places reaches everybody within {minutes} min: the {people} people{where} need up to"
                " {needs} to the nearest place that can be built on.",
                minutes=limit,
                people=i18n.number(who["people"]),
                where=where,
                needs=minutes(who["needs_s"]),
            ),
            t("Ask for {minutes} min, or for as many people as possible instead.",
              minutes=i18n.number(-(-who["needs_s"] // 60))),
        )  # fmt: skip
    count = i18n.number(question.p)
    return {
        "sites": (
            t("No {count} places reach everybody within {minutes} min.", count=count, minutes=limit),
            t("{count} are needed.", count=i18n.number(facts.get("least_sites") or 0))
            if facts.get("least_sites")
            else t("Ask for more sites, or compare more places."),
        ),
        "capacity": (
            t(
                "{demand} people have to be served, and the sites have room for {room}.",
                demand=i18n.number(facts.get("demand", 0)),
                room=i18n.number(facts.get("room", 0)),
            ),
            t("Ask for more sites, or give each more room."),
        ),
        "spacing": (
            t("No {count} places lie {metres} m apart from each other and from what is there.", count=count,
              metres=i18n.number(question.terms.spacing_m or 0)),
            t("Ask for fewer sites, or let them stand closer."),
        ),
        "budget": (t("No choice keeps to the budget."), t("Ask for fewer sites, or raise the budget.")),
        "floor": (
            t("No {count} places give every community its share in time.", count=count),
            t("Ask for more sites, more minutes, or a smaller share."),
        ),
        "together": (
            t("No choice keeps to budget, spacing and share together."), t("Loosen one of them."),
        ),
        "time": (t("No choice was found in the time given."), t("Ask for fewer sites, or give it more seconds.")),
        "fixed": (t("The plan leaves out a site that is to be built in any case."), t("Place it too.")),
    }.get(binding)  # fmt: skip
