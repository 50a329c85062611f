"""A study's report in words: what it says in each of its parts, in the language in use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from app import i18n, study_kind_words, study_words, words
from app.i18n import t, tn
from geodata.territory import TerritoryInfo
from planning.kinds import INFO
from planning.model import Study
from planning.norms import Norm
from planning.report_model import AreaRow, Report, Trials, Ways, at_most
from planning.report_trials import NEAR_M

CALM = 0.03
"""Behind the best by less than this in every trial, a plan is called nearly as good."""
SUM_KINDS = ("p-median", "cpmp")


def better(study: Study, share: str) -> str:
    """Return what no plan can do, for a certified gap above zero."""
    kind = study.question.kind
    if kind in SUM_KINDS:
        return t("No plan whatever can make the ways more than {share} shorter.", share=share)
    if kind in {"mclp", "cmclp", "backup"}:
        return t("No plan whatever can reach more than {share} more people.", share=share)
    if kind == "p-center":
        return t("No plan whatever can make the longest way more than {share} shorter.", share=share)
    if kind == "fixed-charge":
        return t("No plan whatever can cost more than {share} less.", share=share)
    return t("No plan whatever can be more than {share} better.", share=share)


def sure(study: Study) -> list[str]:
    """Return how sure the answer is, a sentence each."""
    places = i18n.number(study.facts["candidates"])
    if study.gap is None:
        return [t("How good this plan is was not computed.")]
    share = at_most(study.gap)
    by_hand = bool(study.question.terms.by_hand)
    if not share:
        first = t("No plan whatever is better. This is proven, not believed.")
    else:
        first = better(study, study_words.per_cent(share, 1))
    lines = [first]
    if by_hand:
        lines.append(t("The sites were placed by hand; the best plan was searched for beside them."))
    lines.append(
        t(
            "“Whatever” means any choice among the {places} places compared. A limit was computed that none of them can"
            " beat, and this plan was held against it.",
            places=places,
        )
    )
    lines += study_words.carried(study.facts)
    lines.append(
        t("The proof is about the model described here: its times, its people, its places. It knows nothing of the"
          " price of a plot, its owner, or the wish of a neighbourhood. People decide.")
    )  # fmt: skip
    return lines


def recommended(report: Report, names: dict[int, str]) -> str:
    """Return the sites in one sentence."""
    places = [study_words.place(site, names) for site in report.sites]
    if not places:
        return t("Nothing new has to be built.")
    told = t("; ").join(f"({site.number}) {place}" for site, place in zip(report.sites, places, strict=True))
    facility = study_words.facility(report.study.question.facility_kind)
    return tn(
        "One new site for “{facility}”: {places}.", "{count} new sites for “{facility}”: {places}.", len(places),
        facility=facility, places=told,
    )  # fmt: skip


def gains(report: Report) -> list[str]:
    """Return who gains and who loses, a sentence each."""
    change, then, now = report.numbers.change, report.numbers.then, report.numbers.now
    limit = i18n.number(report.study.question.limit_min, 1)
    if now is None:
        return [
            t("{count} of {all} people reach one within {minutes} min; until now there is none.",
              count=i18n.number(then.within), all=i18n.number(then.people), minutes=limit)
        ]  # fmt: skip
    lines = [
        t(
            "{count} people come within {minutes} min of one who are not now; for {shorter} the way becomes shorter by"
            " more than a minute.",
            count=i18n.number(change.newly_in),
            shorter=i18n.number(change.shorter),
            minutes=limit,
        )
    ]
    if change.longer >= 1 or change.newly_out >= 1:
        lines.append(
            t(
                "For {longer} people it becomes longer by more than a minute; {out} are not within {minutes} min any"
                " more.",
                longer=i18n.number(change.longer),
                out=i18n.number(change.newly_out),
                minutes=limit,
            )
        )
    else:
        lines.append(t("Nobody's way becomes longer."))
    same = study_words.per_cent(change.same / max(then.people, 1e-9), 0)
    lines.append(t("For {count} people ({share}) nothing changes.", count=i18n.number(change.same), share=same))
    return lines


def left_out(report: Report, names: Mapping[int, str]) -> list[str]:
    """Return who is left out and where, a sentence each."""
    then = report.numbers.then
    limit = i18n.number(report.study.question.limit_min, 1)
    out = then.people - then.within
    if out < 1:
        return [t("Nobody is left out: everybody lives within {minutes} min.", minutes=limit)]
    share = study_words.per_cent(out / max(then.people, 1e-9))
    lines = [
        t("{count} people, {share} of all, stay farther than {minutes} min.", count=i18n.number(out), share=share,
          minutes=limit)
    ]  # fmt: skip
    worst = sorted(report.numbers.communities, key=lambda row: (-row.left_out, row.key))[:3]
    places = [
        t("{place} ({count})", place=names[row.key], count=i18n.number(row.left_out))
        for row in worst
        if row.left_out >= 1 and row.key in names
    ]
    if places and len(report.numbers.communities) > 1:
        lines.append(t("Most of them live in {places}.", places=t(", ").join(places)))
    if then.unreached >= 1:
        lines.append(t("{count} of them have no way at all on the streets known.", count=i18n.number(then.unreached)))
    return lines


def trials(found: Trials) -> list[str]:
    """Return what the trials were and what came of them, a sentence each."""
    lines = [
        t(
            "The question was asked {count} times more: every speed of travel was up to {speed} slower or faster, in"
            " part the same everywhere, in part different from one square kilometre to the next, and the number of"
            " people of each building was drawn anew.",
            count=i18n.number(found.count),
            speed=study_words.per_cent(found.speed, 0),
        ),
        t(
            "With the recommended sites, in nine of ten of these trials between {low} and {high} of the people are in"
            " time, and the mean way is between {short} and {long}.",
            low=study_words.per_cent(found.within_low),
            high=study_words.per_cent(found.within_high),
            short=study_words.minutes(found.mean_low_s),
            long=study_words.minutes(found.mean_high_s),
        ),
        t(
            "In the middle trial the recommended plan is {middle} behind the best plan found for that trial, at worst"
            " {worst}.",
            middle=study_words.per_cent(found.behind, 1),
            worst=study_words.per_cent(found.behind_worst, 1),
        ),
    ]
    moved = any(site.near < 0.8 * found.answered for site in found.sites)
    if found.behind_worst <= CALM and moved:
        lines.append(
            t("Other places often come out nearly as good: there is freedom to choose a plot nearby or elsewhere, for"
              " reasons this study does not know.")
        )  # fmt: skip
    elif found.behind_worst <= CALM:
        lines.append(t("The recommendation hardly depends on these assumptions."))
    else:
        lines.append(
            t("In some trials another plan serves noticeably better: look at the places again before deciding.")
        )
    if found.answered < found.count:
        lines.append(
            t("In {count} trials the question has no answer.", count=i18n.number(found.count - found.answered))
        )
    return lines


def trial_rows(found: Trials) -> list[tuple[str, str, str, str]]:
    """Return for each site how often it stays, is replaced nearby, and keeps its rank."""

    def of(count: int) -> str:
        return t("{count} of {all}", count=count, all=found.answered)

    return [(str(site.number), of(site.same), of(site.near), of(site.rank_kept)) for site in found.sites]


def near() -> str:
    """Return how far away counts as nearby."""
    return t("there or within {metres} m", metres=i18n.number(NEAR_M))


def evenness(report: Report) -> list[str]:
    """Return how evenly the ways are spread, a sentence each."""
    numbers = report.numbers
    now, then = numbers.spread_now, numbers.spread_then
    lines = []
    if numbers.then.middle_s is not None:
        lines.append(
            t(
                "Half of the people have at most {middle}, nine of ten at most {far}.",
                middle=study_words.minutes(numbers.then.middle_s),
                far=study_words.minutes(numbers.then.far_s),
            )
        )
    if numbers.now is not None and numbers.now.middle_s is not None:
        lines.append(
            t(
                "Now it is {middle} and {far}.",
                middle=study_words.minutes(numbers.now.middle_s),
                far=study_words.minutes(numbers.now.far_s),
            )
        )
    if then.longest_tenth is not None:
        share = study_words.per_cent(then.longest_tenth, 0)
        lines.append(t("The tenth of the people with the longest ways has {share} of all minutes.", share=share))
        if now is not None and now.longest_tenth is not None:
            lines[-1] += _space() + t("Now it has {share}.", share=study_words.per_cent(now.longest_tenth, 0))
    if then.gini is not None:
        told = i18n.number(then.gini, 2)
        if now is not None and now.gini is not None:
            told = t("{now} now, {then} then", now=i18n.number(now.gini, 2), then=told)
        lines.append(
            t("Gini coefficient of the ways (0: all the same; 1: one person has all of it): {told}.", told=told)
        )
    return lines


def norm(each: Norm) -> tuple[str, str]:
    """Return what a norm asks and where it stands."""
    asks = []
    if each.minutes is not None:
        asks.append(t("{minutes} min", minutes=i18n.number(each.minutes, 1)))
    if each.radius_m is not None:
        asks.append(study_kind_words.distance(each.radius_m))
    if each.per_1000 is not None:
        unit = f" {each.unit}" if each.unit else ""
        asks.append(t("{count}{unit} for 1,000 people", count=i18n.number(each.per_1000, 2), unit=unit))
    return t(", ").join(asks), i18n.either(each.source, each.source_zh)


def ways_row(ways: Ways) -> list[str]:
    """Return people in time, their share, and the mean way."""
    share = study_words.per_cent(ways.within / max(ways.people, 1e-9))
    return [i18n.number(ways.within), share, tabled(ways.mean_s)]


def area_cells(row: AreaRow, *, there: bool) -> list[str]:
    """Return people, shares in time before and after, people gained, people left out, mean ways."""
    people = max(row.then.people, 1e-9)
    share = [study_words.per_cent(row.now.within / people, 0)] if there else []
    mean = [tabled(row.now.mean_s)] if there else []
    gained = i18n.number(row.gained)
    return [
        i18n.number(row.then.people), *share, study_words.per_cent(row.then.within / people, 0),
        f"+{gained}" if row.gained >= 0.5 else gained, i18n.number(row.left_out), *mean,
        tabled(row.then.mean_s),
    ]  # fmt: skip


def tabled(seconds: float | None) -> str:
    """Return a length of way in minutes with one decimal always, so that a column of them lines up."""
    return "–" if seconds is None else t("{minutes} min", minutes=f"{seconds / 60:,.1f}")


def source(kind: str) -> str:
    """Return what kind of load it was."""
    return {
        "osm": t("Streets, buildings and facilities (OpenStreetMap)"),
        "demo": t("Demo city (OpenStreetMap; offices and incidents made up)"),
        "outline": t("Boundary"),
        "communities": t("Communities"),
        "grid": t("Unit grids"),
        "facilities": t("Facilities"),
        "population": t("People"),
    }.get(kind, kind)


def signature(decision: str) -> str:
    """Return what somebody decided."""
    return {
        "proposed": t("proposed"),
        "signed": t("signed"),
        "refused": t("refused"),
    }.get(decision, decision)


def signed_at(when: dt.datetime, zone: dt.tzinfo) -> str:
    """Return day and time as they are read on paper years later: never "today"."""
    local = when.astimezone(zone)
    return f"{i18n.day(local.date())} {local:%H:%M}"


def identity(report: Report, territory: TerritoryInfo, version: str) -> list[tuple[str, str]]:
    """Return what tells this report from every other, as pairs of name and value."""
    study = report.study
    answered = "–" if study.answered_at is None else _date(study.answered_at, territory)
    program = study.facts.get("program")
    return [
        (t("Study"), str(study.id)),
        (t("Asked"), t("{when}, by {who}", when=_date(study.created_at, territory), who=words.doer(study.asked_label))),
        (t("Answered"), f"{answered} (Gridkeeper {program})" if program else answered),
        (t("Kind of question"), f"{study_kind_words.kind(study.question.kind)} ({study.question.kind})"),
        (t("Seed"), t("{seed}: the same question with the same data gives the same answer", seed=study.question.seed)),
        (t("Report made"), _date(report.made_at, territory)),
        (t("Gridkeeper"), version),
    ]


def other(study: Study) -> tuple[str, str]:
    """Return another study by name and number of its sites."""
    built = study.question.p or INFO[study.question.kind].needs_p
    return t("Study {number}: {title}", number=study.id, title=study_words.title(study)), (
        i18n.number(study.question.p) if built else "–"
    )


def _date(when: object, territory: TerritoryInfo) -> str:
    return i18n.day(when.astimezone(territory.zone).date()) if isinstance(when, dt.datetime) else "–"


def _space() -> str:
    return "" if i18n.locale() == "zh" else " "
