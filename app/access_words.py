"""Access in words: the sentence that comes first, the norm beside it, what the numbers rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app import i18n, matrix_words, study_words
from app.i18n import t, tn
from geodata.network import FRAGMENT_M, WALK_KMH
from geodata.usual_speeds import DAYS
from planning.access_model import AccessQuestion, AccessRow
from planning.norms import WALK_M_A_MIN, Norm

WHERE_NAMED = 3
_FEW = 0.5


def target(question: AccessQuestion) -> str:
    """Return what is to be reached."""
    if len(question.kinds) == 1:
        return t("the nearest “{facility}”", facility=study_words.facility(question.kinds[0]))
    return tn("one of {count} kind", "one of each of {count} kinds", len(question.kinds))


def sentence(row: AccessRow, names: Mapping[int, str]) -> str:
    """Return the answer in one sentence."""
    now, question = row.facts["now"], row.question
    empty = [kind for kind in question.kinds if not row.facts["facilities"].get(kind)]
    if len(question.kinds) == 1 and empty:
        return t(
            "There is no “{facility}” here, so none of the {people} people reaches one.",
            facility=study_words.facility(empty[0]),
            people=i18n.number(now["people"]),
        )
    told = t(
        "{share} of {people} people reach {target} within {minutes} min {mode}",
        share=study_words.per_cent(now["within"] / now["people"]),
        people=i18n.number(now["people"]),
        target=target(question),
        minutes=i18n.number(question.limit_min, 1),
        mode=_by(row),
    )
    out = now["people"] - now["within"]
    if out < _FEW:
        return t("{told}; nobody is left out.", told=told)
    where = _where(row, names)
    if not where:
        return t("{told}; {count} do not.", told=told, count=i18n.number(out))
    return t("{told}; {count} do not, most of them in {places}.", told=told, count=i18n.number(out), places=where)


def _by(row: AccessRow) -> str:
    """Return by which ways people come."""
    matrix = (row.facts.get("demand") or {}).get("matrix")
    if matrix is not None:
        return matrix_words.by(transit="transit" in matrix)
    if row.question.hour is not None:
        return t("by car at the speeds of {hour}:00", hour=row.question.hour)
    return study_words.mode(row.question.mode)


def _where(row: AccessRow, names: Mapping[int, str]) -> str:
    """Return the communities with most people out of reach, if they are named."""
    out = sorted(
        ((each["people"] - each["within"], names.get(each["id"], "")) for each in row.facts["communities"]),
        key=lambda pair: -pair[0],
    )
    named = [name for count, name in out[:WHERE_NAMED] if name and count >= 1]
    if len(row.facts["communities"]) < 2 or not named:
        return ""
    if i18n.locale() == "zh":
        return "、".join(named)
    if len(named) < 3:
        return f" {t('and')} ".join(named)
    return f"{', '.join(named[:-1])}, {t('and')} {named[-1]}"


def unreached(row: AccessRow) -> str:
    """Return how many people have no way at all; empty when all have one."""
    count = row.facts["now"]["unreached"]
    return t("{count} of them have no way at all.", count=i18n.number(count)) if count >= _FEW else ""


def hurry(row: AccessRow) -> str:
    """Return what the speeds of the hour cost beside what the roads allow; empty where no hour was asked."""
    free = row.facts.get("allowed")
    if free is None:
        return ""
    now = row.facts["now"]
    told = {
        "share": study_words.per_cent(free["within"] / now["people"]),
        "count": i18n.number(abs(free["within"] - now["within"])),
    }
    if free["within"] < now["within"] - _FEW:
        return t("At the speeds that the roads allow it would be {share}, {count} people fewer.", **told)
    return t("At the speeds that the roads allow it would be {share}, {count} people more.", **told)


def worst_tenth(row: AccessRow) -> str:
    """Return how long the ways of the worst tenth are; what a study would make of it stands in the strip."""
    tenth = row.facts["now"]["worst"]
    if tenth["from_s"] is None or tenth["mean_s"] is None:
        return ""
    return t(
        "The tenth with the longest ways, {people} people: {least} or more, {mean} on average.",
        people=i18n.number(tenth["people"]),
        least=study_words.minutes(tenth["from_s"], 0),
        mean=study_words.minutes(tenth["mean_s"], 0),
    )


def after(row: AccessRow, title: str) -> str:
    """Return what a study's sites change, in one sentence; empty without a study."""
    then, now = row.facts["then"], row.facts["now"]
    if then is None:
        return ""
    more = then["within"] - now["within"]
    share = study_words.per_cent(then["within"] / then["people"])
    if more < -_FEW:
        return t(
            "With the sites of “{study}” instead of what is there: {share}, {count} people fewer.",
            study=title, share=share, count=i18n.number(-more),
        )  # fmt: skip
    return t(
        "With the sites of “{study}”: {share}, {count} people more.",
        study=title, share=share, count=i18n.number(max(more, 0.0)),
    )  # fmt: skip


def norm(rule: Norm) -> str:
    """Return a norm in one line."""
    level = i18n.either(rule.level, rule.level_zh or None)
    return f"{level}: {wants(rule)}" if wants(rule) else level


def wants(rule: Norm) -> str:
    """Return the numbers of a norm."""
    parts = []
    if rule.radius_m is not None:
        parts.append(
            t("at most {metres} m ({minutes} min on foot)", metres=i18n.number(rule.radius_m),
              minutes=i18n.number(rule.radius_m / WALK_M_A_MIN, 1))
        )  # fmt: skip
    if rule.minutes is not None:
        parts.append(
            t("at most {minutes} min {mode}", minutes=i18n.number(rule.minutes, 1), mode=study_words.mode(rule.mode))
        )
    if rule.per_1000 is not None:
        parts.append(
            t("{count} {unit} for 1,000 people", count=i18n.number(rule.per_1000, 2), unit=rule.unit or t("places"))
        )
    return ", ".join(parts)


def source(rule: Norm) -> str:
    """Return where a norm stands."""
    return i18n.either(rule.source, rule.source_zh or None)


def evenness(found: Mapping[str, Any], question: AccessQuestion) -> str:
    """Return how evenly it is shared, in one sentence."""
    of = (
        t("what is in reach of them ({facility} for each person)", facility=study_words.facility(question.kinds[0]))
        if found["of"] == "supply"
        else t("the kinds in reach of them")
    )
    return t(
        "The half of the people with least has {share} of {of}.",
        share=study_words.per_cent(found["lowest_half"]),
        of=of,
    )


def rests_on(row: AccessRow, people_note: str) -> Sequence[str]:
    """Return what the numbers rest on, a line each."""
    facts, question = row.facts, row.question
    demand = facts.get("demand") or {}
    lines = (
        []
        if demand.get("name") or demand.get("matrix")
        else [
            t(
                "People: {people} in {buildings} buildings, estimated from floor area.",
                people=i18n.number(facts["now"]["people"]),
                buildings=i18n.number(facts["buildings"]),
            )
            + (f" {people_note}" if people_note else ""),
        ]
    )
    if demand.get("matrix"):
        lines += [matrix_words.counted(demand["matrix"])]
    else:
        lines += _on_streets(question)
    lines += [t("Whom no way leads to one is counted as not reaching it, never left out.")]
    if len(question.kinds) == 1:
        lines += [
            t("What is in reach: two-step floating catchments (2SFCA, Luo and Wang 2003) from {points} points,"
              " {metres} m from home on average.", points=i18n.number(facts["demand_points"]),
              metres=i18n.number(facts["mean_shift_m"])),
            t("Each facility counts with its places.") if facts["places_known"]
            else t("Each facility counts as one: the places of some are not known."),
        ]  # fmt: skip
    return lines


def _on_streets(question: AccessQuestion) -> list[str]:
    """Return how ways on the streets are counted."""
    return [
        t("On foot at {speed} km/h everywhere, no waiting at crossings.", speed=i18n.number(WALK_KMH, 1))
        if question.mode == "walk"
        else t("By car at the signed or usual speed, no jams, no search for a place to park.")
        if question.hour is None
        else t(
            "Cars go as fast as was measured on weekdays at {hour}:00 of the last {days} days, elsewhere at the signed"
            " or usual speed; no search for a place to park.",
            hour=question.hour,
            days=DAYS,
        ),
        t(
            "Who lives off the streets goes straight to the nearest one, water or not; streets that lead nowhere else"
            " and are shorter than {km} km together count as none.",
            km=i18n.number(FRAGMENT_M / 1000, 1),
        ),
    ]
