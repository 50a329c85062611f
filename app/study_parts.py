"""Parts of a study's page: its sites, who gains, how far it is, what it rests on, its history."""

from __future__ import annotations

from collections.abc import Sequence

from app import i18n, study_map, study_words, widgets, words
from app.i18n import t
from app.widgets import Column, Html
from core.identity import Actor, May
from geodata.record import RecordEntry
from geodata.territory import TerritoryInfo
from planning.model import SiteAnswer, Study
from planning.service import StudyDetail

COMMUNITIES_SHOWN = 12
CHILDREN_SHOWN = 4


def go_on(actor: Actor, detail: StudyDetail) -> None:
    """Put where one may go from a study: place sites oneself, ask what if, compare with other answers."""
    study = detail.study
    links = []
    if actor.may(May.MAKE_STUDIES) and not study.question.terms.by_hand:
        links.append(widgets.link(t("Beat the machine, or ask what if"), f"/try-study?study={study.id}"))
    if study.parent_id is not None:
        links.append(
            widgets.link(
                t("Compare with the study it answers anew"), f"/compare-studies?a={study.parent_id}&b={study.id}"
            )
        )
    links += [
        widgets.link(
            t("Compare with {title}", title=study_words.title(child)), f"/compare-studies?a={study.id}&b={child.id}"
        )
        for child in detail.children[-CHILDREN_SHOWN:]
        if child.state == "answered"
    ]
    if links:
        widgets.write(f'<p class="gk-small">{" · ".join(each.text for each in links)}</p>')


def sites(rows: Sequence[SiteAnswer], names: dict[int, str]) -> None:
    """Put the chosen sites."""
    widgets.heading(t("Sites"))
    widgets.table(
        [
            Column("", fixed=True),
            Column(t("Where")),
            Column(t("People"), right=True),
            Column(t("In time"), right=True),
            Column(t("Mean way"), right=True),
        ],
        [
            (
                Html(
                    f'<span class="gk-sign" style="background:{study_map.colour(site.number)};'
                    f'border-color:{study_map.colour(site.number)}">{site.number}</span>'
                ),
                _where(site, names),
                i18n.number(site.people),
                study_words.per_cent(site.within / site.people, 0) if site.people else "–",
                study_words.minutes(site.mean_s, 0),
            )
            for site in rows
        ],
    )


def _where(site: SiteAnswer, names: dict[int, str]) -> str | Html:
    place = study_words.place(site, names)
    return widgets.link(place, f"/map?grid={site.grid_id}") if site.grid_id else place


def gains(study: Study, names: dict[int, str]) -> None:
    """Put the communities whose ways change most."""
    rows = [row for row in study.facts["communities"] if row["people"] >= 1]
    if not rows:
        widgets.empty(t("No community is known here."), t("Cut the territory into grids to see who gains."))
        return
    limit = i18n.number(study.question.limit_min, 1)
    there = bool(study.facts["existing"])
    rows.sort(key=lambda row: row["within_now"] - row["within_then"])
    shown = [row for row in rows if row["within_then"] - row["within_now"] >= 1][:COMMUNITIES_SHOWN] or rows[
        :COMMUNITIES_SHOWN
    ]
    columns = [Column(t("Community")), Column(t("People"), right=True)]
    columns += [Column(t("In time now"), right=True)] if there else []
    columns += [Column(t("In time then"), right=True), Column(t("More in time"), right=True)]
    columns += [Column(t("Mean way now"), right=True)] if there else []
    columns += [Column(t("Mean way then"), right=True)]
    table = []
    for row in shown:
        people = row["people"]
        cells: list[str | Html] = [names.get(row["id"], str(row["id"])), i18n.number(people)]
        cells += [study_words.per_cent(row["within_now"] / people)] if there else []
        cells += [
            study_words.per_cent(row["within_then"] / people),
            "+" + i18n.number(row["within_then"] - row["within_now"]),
        ]
        cells += [study_words.minutes(row["mean_s_now"], 0)] if there else []
        cells += [study_words.minutes(row["mean_s_then"], 0)]
        table.append(cells)
    widgets.table(columns, table)
    better = sum(1 for row in rows if row["within_then"] - row["within_now"] >= 1)
    counts = {"better": i18n.number(better), "all": i18n.number(len(rows)), "minutes": limit}
    if study.question.terms.closable or study.question.terms.capacity:
        # Where something is closed or full, some go farther than now.
        widgets.note(t("{better} of {all} communities gain people within {minutes} min.", **counts))
        return
    widgets.note(
        t("{better} of {all} communities gain people within {minutes} min; nobody's way becomes longer.", **counts)
    )


def rests_on(study: Study, territory: TerritoryInfo) -> None:
    """Put what the answer rests on."""
    note = territory.people_note if i18n.locale() == "en" else ""
    lines = "".join(f"<li>{widgets.html(line)}</li>" for line in study_words.assumptions(study, note))
    widgets.write(f'<div class="gk-panel gk-text"><ul>{lines}</ul></div>')
    spent = study.facts["seconds"]
    widgets.note(
        t(
            "Computed in {all} s: places {candidates}, travel times {travel_times}, choice and proof {choice},"
            " counting {counting}.",
            all=i18n.number(sum(spent.values()), 1),
            **{name: i18n.number(value, 1) for name, value in spent.items()},
        )
    )


def history(entries: Sequence[RecordEntry], territory: TerritoryInfo) -> None:
    """Put what happened to the study, from the record."""
    if not entries:
        widgets.empty(t("No entry in the record."), t("Every later act on this study will stand here."))
        return
    widgets.table(
        [Column(t("When"), fixed=True), Column(t("By")), Column(t("What"))],
        [
            (i18n.clock(entry.at, territory.timezone), words.doer(entry.actor_label), _act(entry))
            for entry in reversed(entries)
        ],
    )
    widgets.note(t("The record cannot be changed."))


def _act(entry: RecordEntry) -> str:
    if entry.action == "insert":
        return t("Asked")
    after = {name: new for name, (_, new) in entry.changes.items()}
    if after.get("state") == "answered":
        return t("Answered, gap {gap}", gap=study_words.gap(after.get("gap")))
    if after.get("state") == "infeasible":
        return t("No answer possible")
    return t("Work begun") if "job_id" in after else words.act(entry.action)
