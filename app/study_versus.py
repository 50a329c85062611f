"""Two answers to one question in words: how far behind, how much better any could be, who is left out."""

from __future__ import annotations

from app import i18n, study_kind_words, study_words
from app.i18n import t, tn
from planning.kinds import INFO
from planning.model import Study
from planning.service import StudyDetail

NAMED = 3
LEAST = 1e-6


def comparable(one: Study, other: Study) -> bool:
    """Return whether both count the same, so that one can be behind the other."""
    return (
        one.question.kind == other.question.kind
        and one.question.mode == other.question.mode
        and one.question.facility_kind == other.question.facility_kind
        and (one.question.limit_min == other.question.limit_min or not INFO[one.question.kind].needs_limit)
    )


def share(study: Study, mine: float, best: float) -> float:
    """Return by what share ``mine`` is behind ``best``; negative when it is ahead."""
    more = INFO[study.question.kind].maximised
    wide = best if more else mine
    return 0.0 if not wide else ((best - mine) if more else (mine - best)) / abs(wide)


def by_hand(study: Study, names: dict[int, str]) -> list[str]:
    """Return how a plan made by hand stands: against the best, against what no plan can beat, who is left out."""
    mine, best = study.objective or 0.0, float(study.facts.get("machine") or 0.0)
    behind = share(study, mine, best)
    figure = study_kind_words.figure(study, mine)
    found = study_kind_words.figure(study, best)
    if behind > LEAST:
        first = t(
            "Your plan is {share} behind the best found: {mine} against {best}.",
            share=study_words.per_cent(behind, 2),
            mine=figure,
            best=found,
        )
    elif behind < -LEAST:
        first = t(
            "Your plan beats the machine by {share}: {mine} against {best}.",
            share=study_words.per_cent(-behind, 2),
            mine=figure,
            best=found,
        )
    else:
        first = t("Your plan is as good as the best found: {mine}.", mine=figure)
    return [first, could(study), left_out(study, names)]


def could(study: Study) -> str:
    """Return how much better any plan could be at most."""
    if (study.gap or 0.0) <= study_words.PROVEN_GAP:
        return t("It is proven that no plan is better.")
    mine, bound = study.objective or 0.0, study.bound or 0.0
    more = abs(bound - mine) / abs(mine) if mine else 1.0
    return t(
        "No plan can be better than {bound}: at most {gap} better than this one.",
        gap=study_words.per_cent(max(more, study_words.LEAST_GAP), 2),
        bound=study_kind_words.figure(study, bound),
    )


def left_out(study: Study, names: dict[int, str]) -> str:
    """Return how many are left out, and where most of them live."""
    count = study_words.left_out(study)
    limit = i18n.number(study.question.limit_min, 1)
    if count < 1:
        return t("Nobody is left out beyond {minutes} min.", minutes=limit)
    rows = sorted(study.facts["communities"], key=lambda row: row["within_then"] - row["people"])[:NAMED]
    places = t(", ").join(
        t(
            "{place} ({people})",
            place=names.get(row["id"], str(row["id"])),
            people=i18n.number(row["people"] - row["within_then"]),
        )
        for row in rows
        if row["people"] - row["within_then"] >= 1
    )
    told = tn(
        "One person is farther than {minutes} min.", "{count} people are farther than {minutes} min.",
        round(count), minutes=limit,
    )  # fmt: skip
    return (
        told + (" " if i18n.locale() != "zh" else "") + t("Most live in {places}.", places=places) if places else told
    )


def again(one: StudyDetail, two: StudyDetail) -> list[str]:
    """Return whether the same question gave the same answer, and what data have changed in between."""
    moved = _moved(one.study, two.study)
    places = [{(round(site.lon, 6), round(site.lat, 6)) for site in each.sites} for each in (one, two)]
    same = places[0] == places[1] and abs(share(two.study, two.study.objective or 0, one.study.objective or 0)) <= LEAST
    if same:
        first = t("Run again, the answer is the same: the same sites, the same figures.")
    else:
        first = t(
            "Run again, the answer differs: {same} of {all} sites are the same.",
            same=i18n.number(len(places[0] & places[1])),
            all=i18n.number(len(places[1])),
        )
    lines = [first]
    if not one.study.facts.get("ground"):
        lines.append(t("The first answer does not say what data it was computed from."))
    elif moved:
        lines.append(t("Since then these data have changed: {data}.", data=t(", ").join(moved)))
    else:
        lines.append(t("The data are the same, to the last digit."))
        if not same:
            lines.append(t("One search ended by time or on request; what is found in a time differs a little."))
    return lines if same else [*lines, *other(one.study, two.study)]


def _moved(one: Study, two: Study) -> list[str]:
    """Return which data differ between two answers."""
    names = {"people": t("people"), "facilities": t("facilities"), "roads": t("roads"), "land": t("land")}
    before, after = one.facts.get("ground") or {}, two.facts.get("ground") or {}
    return [name for key, name in names.items() if before.get(key) != after.get(key)]


def other(one: Study, two: Study) -> list[str]:
    """Return how a second answer stands against the first, where both count the same."""
    before, after = one.objective or 0.0, two.objective or 0.0
    more = share(two, after, before)
    said = {
        "share": study_words.per_cent(abs(more), 2),
        "now": study_kind_words.figure(two, after),
        "before": study_kind_words.figure(one, before),
    }
    if abs(more) <= LEAST:
        first = t("Both are equally good: {now}.", **said)
    elif more > 0:
        first = t("The right one is {share} worse: {now} against {before}.", **said)
    else:
        first = t("The right one is {share} better: {now} against {before}.", **said)
    return [first, could(two)]
