"""Parts of the page Access: the answer with its numbers, communities, grids of one, evenness, files."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

import numpy as np
import streamlit as st
from sqlalchemy.orm import Session

from app import access_curve, access_demand, access_words, i18n, study_words, widgets
from app.access_files import GPKG_TYPE, csv_of, gpkg_of
from app.exports import recorded
from app.i18n import t
from app.widgets import Cell, Column, Fact
from core.identity import Actor
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from layers.overview import grid_names, grids_within
from planning import accessing
from planning.access_model import AccessQuestion, AccessRow
from planning.model import Study
from planning.norms import Norm

COMMUNITIES_SHOWN = 40
GRIDS_SHOWN = 20


def answer(row: AccessRow, names: Mapping[int, str], norms: tuple[Norm, ...], study: str) -> None:
    """Put the sentence, what a study changes, the norms, and the strip of numbers."""
    facts, now = row.facts, row.facts["now"]
    more = [access_words.hurry(row), access_words.after(row, study), access_words.unreached(row)]
    more += [access_words.worst_tenth(row)]
    more += [
        t("Norm: {norm} – {source}.", norm=access_words.norm(rule), source=access_words.source(rule))
        for rule in norms
        if rule.active
    ]
    lines = "".join(f'<p class="gk-proof">{widgets.html(line)}</p>' for line in more if line)
    first = widgets.html(access_words.sentence(row, names))
    widgets.write(f'<div class="gk-answer"><p class="gk-head-answer">{first}</p>{lines}</div>')
    then, tenth = facts["then"], now["worst"]
    even = now["equity"]
    widgets.facts(
        [
            Fact(
                t("Within {minutes} min", minutes=i18n.number(row.question.limit_min, 1)),
                study_words.per_cent(now["within"] / now["people"]),
                note=_then(then and study_words.per_cent(then["within"] / then["people"])),
            ),
            Fact(
                t("Half of them within"),
                study_words.minutes(now["median_s"]),
                note=_then(then and study_words.minutes(then["median_s"])),
            ),
            Fact(
                t("Worst tenth: from"),
                study_words.minutes(tenth["from_s"]),
                note=_then(then and study_words.minutes(then["worst"]["from_s"])),
            ),
            Fact(t("Gini"), access_curve.number(even["gini"]) if even else "–"),
        ]
    )


def _then(value: str | None) -> str:
    return t("then {value}", value=value) if value else ""


def communities(row: AccessRow, names: Mapping[int, str]) -> None:
    """Put the communities, those with most people out of reach first; each leads to its grids."""
    rows = sorted(row.facts["communities"], key=lambda each: each["within"] - each["people"])
    compared = row.facts["then"] is not None
    supplied = any(each["supply"] is not None for each in rows)
    columns = [Column(t("Community")), Column(t("People"), right=True), Column(t("In time"), right=True)]
    columns += [Column(t("In time then"), right=True)] if compared else []
    columns += [
        Column(t("Not in time"), right=True),
        Column(t("Half of them within"), right=True, wide=True),
        Column(t("Nine tenths within"), right=True, wide=True),
    ]
    columns += [Column(t("For 10,000 people"), right=True, wide=True)] if supplied else []
    table: list[list[Cell]] = []
    for each in rows[:COMMUNITIES_SHOWN]:
        people = each["people"]
        name = names.get(each["id"], t("outside every community"))
        cells: list[Cell] = [
            widgets.link(name, address(row.question, community=each["id"])) if each["id"] else name,
            i18n.number(people),
            study_words.per_cent(each["within"] / people),
        ]
        cells += [study_words.per_cent(each["within_then"] / people)] if compared else []
        cells += [
            i18n.number(people - each["within"]),
            study_words.minutes(each["median_s"], 0),
            study_words.minutes(each["p90_s"], 0),
        ]
        cells += [access_curve.number(each["supply"], 1)] if supplied else []
        table.append(cells)
    widgets.table(columns, table)
    if len(rows) > COMMUNITIES_SHOWN:
        widgets.note(t("The first {count} of {all}; the files hold all.", count=COMMUNITIES_SHOWN, all=len(rows)))


def grids(session: Session, actor: Actor, row: AccessRow, community_id: int, name: str) -> None:
    """Put the grids of a community with the longest ways; each leads to the map."""
    cells = accessing.cells_of_answer(session, actor, row.id)
    mine = np.flatnonzero(np.isin(cells.grid_id, grids_within(session, [community_id])))
    worst = mine[np.argsort(-cells.now_s[mine] * 1.0, kind="stable")][:GRIDS_SHOWN]
    widgets.heading(
        t("Grids of {community} with the longest ways", community=name),
        aside=t("{shown} of {all}", shown=len(worst), all=len(mine)),
    )
    widgets.write(f"<p>{widgets.link(t('All communities'), address(row.question)).text}</p>")
    codes = grid_names(session, cells.grid_id[worst].tolist())
    columns = [Column(t("Grid")), Column(t("People"), right=True), Column(t("In time"), right=True)]
    columns += [Column(t("Mean way"), right=True)]
    columns += [Column(t("Mean way then"), right=True)] if len(cells.then_s) else []
    widgets.table(
        columns,
        [
            [
                widgets.link(codes[key].code if key in codes else str(key), f"/map?grid={key}"),
                i18n.number(float(cells.people[at])),
                study_words.per_cent(float(cells.within[at] / cells.people[at]), 0),
                _way(float(cells.now_s[at])),
                *([_way(float(cells.then_s[at]))] if len(cells.then_s) else []),
            ]
            for at in worst.tolist()
            for key in [int(cells.grid_id[at])]
        ],
    )


def _way(seconds: float) -> str:
    return study_words.minutes(seconds) if np.isfinite(seconds) else t("no way")


def evenness(row: AccessRow) -> None:
    """Put the Lorenz curve, its measures, and for a basket how many kinds people reach."""
    now, then = row.facts["now"], row.facts["then"]
    even = now["equity"]
    if even is None:
        widgets.empty(
            t("Nothing to share out."), t("Nobody reaches one within the limit; choose a longer one or another kind.")
        )
        return
    widgets.write(f"<p>{widgets.html(access_words.evenness(even, row.question))}</p>")
    left, right = st.columns([1, 1.4], gap="medium")
    with left:
        access_curve.curve(even, then["equity"] if then else None)
    with right:
        _measures(even)
        if "kinds" in now:
            _kinds(row)


def _measures(even: Mapping[str, Any]) -> None:
    theil = even["theil"]
    shown: dict[str, Cell] = {
        t("Gini (0 even, 1 one has all)"): access_curve.number(even["gini"], 3),
        t("Palma: tenth with most by four tenths with least"): access_curve.number(even["palma"])
        if even["palma"] is not None
        else t("no number: the four tenths have nothing"),
        t("Theil"): access_curve.number(theil["total"], 3),
        t("of it between communities"): access_curve.number(theil["between"], 3),
        t("of it inside communities"): access_curve.number(theil["within"], 3),
        t("People with nothing in reach"): i18n.number(even["nothing"]),
    }
    widgets.fields(shown)


def _kinds(row: AccessRow) -> None:
    now = row.facts["now"]
    rows = sorted(now["each_kind"].items(), key=lambda pair: pair[1])
    widgets.table(
        [Column(t("Kind")), Column(t("There now"), right=True), Column(t("In time"), right=True)],
        [
            [
                widgets.link(
                    study_words.facility(kind),
                    address(dataclasses.replace(row.question, kinds=(kind,), study_id=None)),
                ),
                i18n.number(row.facts["facilities"][kind]),
                study_words.per_cent(within / now["people"]),
            ]
            for kind, within in rows
        ],
    )


def rests_on(row: AccessRow, people_note: str) -> None:
    """Put what the numbers rest on."""
    told = [*access_demand.words(row), *access_words.rests_on(row, people_note)]
    lines = "".join(f"<li>{widgets.html(line)}</li>" for line in told)
    widgets.write(f'<div class="gk-panel gk-text"><ul>{lines}</ul></div>')
    widgets.note(t("Computed in {seconds} s.", seconds=i18n.number(row.facts["seconds"], 1)))


def files(actor: Actor, territory: TerritoryInfo, row: AccessRow) -> None:
    """Put the answer as files; they are made when one is asked for, and the taking is recorded."""
    hour = "" if row.question.hour is None else f"-{row.question.hour:02}h"
    stem = f"access-{territory.name}-{'-'.join(row.question.kinds)[:40]}-{row.question.mode}{hour}"
    take = partial(recorded, actor, "access_answer", len(row.facts["communities"]))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            t("Save as CSV"), partial(take, partial(_csv, actor, territory, row)), f"{stem}.csv", "text/csv",
            on_click="ignore", key="gk_access_csv",
        )  # fmt: skip
        st.download_button(
            t("Save as GeoPackage"), partial(take, partial(_gpkg, actor, territory, row)), f"{stem}.gpkg", GPKG_TYPE,
            on_click="ignore", key="gk_access_gpkg",
        )  # fmt: skip


def _csv(actor: Actor, territory: TerritoryInfo, row: AccessRow) -> bytes:
    with transaction(actor) as session:
        return csv_of(session, territory, row)


def _gpkg(actor: Actor, territory: TerritoryInfo, row: AccessRow) -> bytes:
    with transaction(actor) as session:
        return gpkg_of(session, actor, territory, row)


def of_study(study: Study) -> None:
    """Put the way from a study to what it changes for everybody; nothing for something the city does not have yet."""
    asked = study.question
    if asked.facility_kind is None:
        return
    question = AccessQuestion((asked.facility_kind,), asked.mode, asked.limit_min, study.id)
    widgets.write(f"<p>{widgets.link(t('Access before and after, by community and grid'), address(question)).text}</p>")


def address(question: AccessQuestion, *, community: int | None = None) -> str:
    """Return the address of the page with a question, and of one community in it."""
    parts = {"facility": ",".join(question.kinds), "mode": question.mode, "minutes": f"{question.limit_min:g}"}
    if question.study_id is not None:
        parts["study"] = str(question.study_id)
    parts |= access_demand.address_parts(question)
    if community is not None:
        parts["community"] = str(community)
    return f"/access?{urlencode(parts, safe=',')}"
