"""The duty list in parts: gaps and conflicts, the matrix of categories and communities, one entry, the forms, files."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, state, unit_files, unit_parts, unit_words, widgets
from app.i18n import t
from app.widgets import Cell, Column, Html
from core.clock import now
from core.identity import Actor, May
from geodata.territory import TerritoryInfo
from people import duties, importing
from people.duty import Problem
from people.duty_model import AreaName, Checked, DutyEntry, DutyList

PROBLEMS_SHOWN = 12
NAMES_SHOWN = 3
MATRIX_AT_MOST = 400
ASSIGN_NAMES = ("assign", "area", "from")
"""What the link of a gap says in the address."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the parts of the page need."""

    actor: Actor
    territory: TerritoryInfo
    listed: DutyList
    checked: Checked

    @property
    def today(self) -> dt.date:
        """Return the local day."""
        return now().astimezone(self.territory.zone).date()

    @property
    def may_edit(self) -> bool:
        """Return whether the reader may change the list."""
        return self.actor.may(May.MANAGE_DUTIES)


def names(all_of_it: Sequence[str], whole: str = "") -> str:
    """Return the first names of many, and how many more; ``whole`` in place of all where it is given."""
    if whole:
        return whole
    more = len(all_of_it) - NAMES_SHOWN
    first = t(", ").join(all_of_it[:NAMES_SHOWN])
    return first if more <= 0 else i18n.tn("{first} and {count} more", "{first} and {count} more", more, first=first)


def problems(around: Around, *, at_most: int = PROBLEMS_SHOWN) -> None:
    """Put the gaps and conflicts, those of the same days and places in one line."""
    grouped: dict[tuple[object, ...], list[Problem]] = defaultdict(list)
    for each in around.checked.problems:
        category = around.listed.classes[each.class_id].category
        grouped[each.kind, each.first, each.last, each.unit_ids, each.lapsed, each.area_ids, category].append(each)
    if not grouped:
        widgets.write(f'<p class="gk-told">{widgets.html(_all_well(around))}</p>')
        return
    widgets.heading(t("Gaps and conflicts"), anchor="problems")
    rows = [_problem(around, same) for same in list(grouped.values())[:at_most]]
    columns = [Column(t("State")), Column(t("Class")), Column(t("Where"), wide=True), Column(t("Days"))]
    widgets.table([*columns, Column(t("Why"), wide=True), Column("", fixed=True)], rows)
    more = len(grouped) - at_most
    if more > 0:
        widgets.note(i18n.tn("and {count} more line", "and {count} more lines", more))


def _all_well(around: Around) -> str:
    return t("Every class has exactly one owner in every community until {day}.", day=i18n.day(around.checked.last))


def _problem(around: Around, same: Sequence[Problem]) -> tuple[Cell, ...]:
    one, listed = same[0], around.listed
    every = len(one.area_ids) == around.checked.communities
    where = names([unit_words.area(listed.areas[area]) for area in one.area_ids], t("every community") if every else "")
    kinds = [listed.classes[each.class_id] for each in same]
    category = i18n.either(kinds[0].category_en, kinds[0].category_zh)
    of_category = sum(1 for each in listed.classes.values() if each.category == kinds[0].category)
    what = names(
        [unit_words.class_name(kind) for kind in kinds],
        t("{category}, all {count}", category=category, count=i18n.number(of_category))
        if len(kinds) == of_category > 1
        else "",
    )
    lasting = one.last == around.checked.last
    days = unit_words.days(one.first, None if lasting else one.last)
    units = [unit_words.name(listed.units[unit]) for unit in (one.unit_ids or one.lapsed)]
    gap = widgets.toned(t("Without owner"), "late" if one.first <= around.today else "soon")
    if one.kind == "conflict":
        label, why = widgets.toned(t("Conflict"), "late"), t("belongs to {units}", units=names(units))
    elif one.lapsed:
        label, why = gap, t("{units} does not exist then", units=names(units))
    else:
        label, why = gap, t("no entry")
    mend = _mend(around, same, every=every) if around.may_edit else ""
    return label, widgets.two_lines(what, f"{where} · {why}"), where, days, why, mend


def _mend(around: Around, same: Sequence[Problem], *, every: bool) -> Cell:
    """Return the way out: the entry whose unit has ended is replaced, what nobody owns is assigned."""
    one, listed = same[0], around.listed
    if one.unit_ids or one.lapsed:
        named = {*one.unit_ids, *one.lapsed}
        entry = next(
            each
            for each in listed.entries
            if each.class_id == one.class_id and each.unit_id in named and each.stands(one.first)
        )
        return widgets.link(t("Replace"), f"/duty-list?duty={entry.id}&from={one.first.isoformat()}")
    asked = {"assign": ",".join(listed.classes[each.class_id].key for each in same), "from": one.first.isoformat()}
    if not every:
        asked["area"] = ",".join(listed.areas[area].key for area in one.area_ids)
    return widgets.link(t("Assign"), f"/duty-list?{urlencode(asked)}")


def matrix(around: Around) -> None:
    """Put categories by communities as of today: the owner's code, how many owners, or what is wrong."""
    listed, today = around.listed, around.checked.first
    owners: dict[tuple[str, int], set[int]] = defaultdict(set)
    wrong: dict[tuple[str, int], int] = defaultdict(int)
    for each in around.checked.stretches:
        if each.first <= today:
            key = (listed.classes[each.class_id].category, each.area_id)
            if each.kind == "owned":
                owners[key].add(each.unit_ids[0])
            else:
                wrong[key] += 1
    categories = {each.category: (each.category_en, each.category_zh) for each in listed.classes.values()}
    widgets.note(t("Today. A code is the unit that owns every class of the category there; point at it for the name."))
    communities = [area for area in listed.areas.values() if area.level == "community"]
    rows = []
    for area in communities[:MATRIX_AT_MOST]:
        cells = [_cell(around, category, area, owners, wrong) for category in categories]
        rows.append((unit_words.area(area), *cells))
    widgets.table(
        [Column(t("Community"), fixed=True), *(Column(i18n.either(*each)) for each in categories.values())], rows
    )
    if len(communities) > MATRIX_AT_MOST:
        widgets.note(t("The first {count} communities by code.", count=i18n.number(MATRIX_AT_MOST)))


def _cell(
    around: Around,
    category: str,
    area: AreaName,
    owners: dict[tuple[str, int], set[int]],
    wrong: dict[tuple[str, int], int],
) -> Cell:
    href = "/duty-list?" + urlencode({"category": category, "area": area.key})
    units = owners.get((category, area.id), set())
    codes = [around.listed.units[unit].code for unit in units]
    names = t(", ").join(unit_words.name(around.listed.units[unit]) for unit in units)
    label = codes[0] if len(codes) == 1 else i18n.tn("{count} unit", "{count} units", len(codes)) if codes else ""
    bad = wrong.get((category, area.id), 0)
    if not bad:
        return Html(f'<span title="{widgets.html(names)}">{widgets.link(label, href).text}</span>')
    said = i18n.tn("{count} open", "{count} open", bad)
    return widgets.link(f"{label} · {said}" if label else said, href, "late")


def detail(session: Session, around: Around, entry: DutyEntry) -> None:
    """Put one entry, and what may be done with it."""
    listed, today = around.listed, around.today
    kind, unit = listed.classes[entry.class_id], listed.units[entry.unit_id]
    where = unit_words.area(listed.areas.get(entry.area_id or 0))
    widgets.write(
        f'<div class="gk-title"><h2>{widgets.html(unit_words.class_name(kind))}</h2></div>'
        f"<p>{widgets.html(where)} · {widgets.html(kind.key)}</p>"
    )
    if around.may_edit:
        _entry_acts(around, entry, today)
    about, history = st.tabs([t("Entry"), t("History")])
    with about:
        widgets.fields(
            {
                t("Category"): i18n.either(kind.category_en, kind.category_zh),
                t("Unit"): widgets.link(unit_words.name(unit), unit_parts.address(unit)),
                t("Legal basis"): entry.legal_basis,
                t("Days"): unit_words.days(entry.valid_from, entry.valid_to),
            }
        )
        same = [each for each in listed.entries if (each.class_id, each.area_id) == (entry.class_id, entry.area_id)]
        if len(same) > 1:
            widgets.heading(t("Before and after"))
            widgets.table(
                [Column(t("Days"), fixed=True), Column(t("Unit"))],
                [
                    (
                        widgets.link(unit_words.days(each.valid_from, each.valid_to), f"/duty-list?duty={each.id}"),
                        unit_words.name(listed.units[each.unit_id]),
                    )
                    for each in sorted(same, key=lambda each: each.valid_from)
                ],
            )
    with history:
        told = duties.entry_history(session, around.actor, around.territory.id, entry.id)
        by_id = {unit.id: unit_words.name(unit) for unit in listed.units.values()}
        unit_words.history(told, around.territory, {"unit_id": lambda value: by_id.get(int(value), str(value))})


def _entry_acts(around: Around, entry: DutyEntry, today: dt.date) -> None:
    actor, home = around.actor, around.territory.id
    mark = f"{entry.id}_{entry.version}_{i18n.locale()}"
    with st.container(horizontal=True, vertical_alignment="bottom", key="gk-acts"):
        replacing = st.popover(t("Replace from a day"), key=f"gk_duty_replace_{mark}")
        with replacing, st.form(f"gk_duty_replace_form_{mark}", border=False):
            unit_id = unit_choice(around, None, key=f"gk_duty_new_unit_{mark}")
            begin = unit_parts.day_input(
                t("From"), max(_from_address(today), entry.valid_from), key=f"gk_duty_turn_{mark}"
            )
            basis = st.text_input(t("Legal basis"), entry.legal_basis, max_chars=300, key=f"gk_duty_law_{mark}")
            if st.form_submit_button(t("Replace")):
                unit_parts.do(
                    lambda session: duties.replace(
                        session, actor, home, entry.id,
                        version=entry.version, unit_id=unit_id or 0, from_day=begin, legal_basis=basis,
                    ),
                    actor,
                    t("Replaced from {day}.", day=i18n.day(begin)),
                )  # fmt: skip
        with st.popover(t("End"), key=f"gk_duty_end_{mark}"), st.form(f"gk_duty_end_form_{mark}", border=False):
            widgets.note(t("A day before the first takes back an entry that has not begun."))
            last = unit_parts.day_input(t("Last day"), entry.valid_to or today, key=f"gk_duty_last_{mark}")
            if st.form_submit_button(t("Set the last day")):
                unit_parts.do(
                    lambda session: duties.end(session, actor, home, entry.id, version=entry.version, last_day=last),
                    actor,
                    t("Last day set: {day}.", day=i18n.day(last)),
                )
        if entry.valid_to is not None and st.button(t("Let it go on"), key=f"gk_duty_on_{mark}"):
            unit_parts.do(
                lambda session: duties.end(session, actor, home, entry.id, version=entry.version, last_day=None),
                actor,
                t("The entry goes on without end."),
            )


def unit_choice(around: Around, chosen: int | None, *, key: str) -> int | None:
    """Ask for a unit that exists today or later."""
    units = {
        each.id: f"{unit_words.name(each)} · {each.code}"
        for each in around.listed.units.values()
        if each.spec.valid_to is None or each.spec.valid_to >= around.today
    }
    ids = list(units)
    return st.selectbox(
        t("Unit"),
        ids,
        index=ids.index(chosen) if chosen is not None and chosen in units else None,
        format_func=units.__getitem__,
        placeholder=t("Choose a unit"),
        key=key,
    )


def assign_form(around: Around, *, open_: bool = False) -> None:
    """Put the form that gives classes in areas to a unit; the address may fill it (?assign=, ?area=, ?from=).

    ``open_``: it stands on the page itself, wide, and can be left.
    """
    listed = around.listed
    by_key = {each.key: each.id for each in listed.classes.values()}
    areas = {each.key: each.id for each in listed.areas.values()}
    asked = st.query_params
    classes = [by_key[key] for key in asked.get("assign", "").split(",") if key in by_key]
    wanted = [areas[key] for key in asked.get("area", "").split(",") if key in areas] if "assign" in asked else []
    mark = f"{st.session_state.get(state.UNIT_ROUND, 0)}_{hash((*classes, *wanted))}_{i18n.locale()}"
    with st.form(f"gk_duty_assign_{mark}", border=False):
        what, whom = st.columns(2, gap="medium") if open_ else (st.container(), st.container())
        with what:
            kinds = st.multiselect(
                t("Classes"),
                list(listed.classes),
                default=classes,
                format_func=lambda key: unit_words.class_name(listed.classes[key]),
                placeholder=t("Choose"),
                key=f"gk_duty_classes_{mark}",
            )
            where = st.multiselect(
                t("Areas"),
                list(listed.areas),
                default=wanted,
                format_func=lambda key: unit_words.area(listed.areas[key]),
                placeholder=t("Whole territory"),
                key=f"gk_duty_areas_{mark}",
            )
        with whom:
            unit_id = unit_choice(around, None, key=f"gk_duty_assign_unit_{mark}")
            basis = st.text_input(t("Legal basis"), max_chars=300, key=f"gk_duty_basis_{mark}")
            left, right = st.columns(2)
        with left:
            begin = unit_parts.day_input(t("First day"), _from_address(around.today), key=f"gk_duty_from_{mark}")
        with right:
            last = st.date_input(
                t("Last day"),
                None,
                min_value=unit_parts.FIRST_DAY,
                max_value=unit_parts.LAST_DAY,
                format=widgets.DATE_FORMATS[i18n.locale()],
                key=f"gk_duty_to_{mark}",
            )
        with st.container(horizontal=True):
            asked_for = st.form_submit_button(t("Assign"), type="primary")
            if open_ and st.form_submit_button(t("Cancel")):
                for name in ASSIGN_NAMES:
                    asked.pop(name, None)
                st.rerun()
    if asked_for:
        unit_parts.do(
            lambda session: duties.assign(
                session,
                around.actor,
                around.territory.id,
                class_ids=kinds,
                area_ids=list(where) or [None],
                unit_id=unit_id or 0,
                legal_basis=basis,
                valid_from=begin,
                valid_to=last,
            ),
            around.actor,
            t("Assigned."),
            forget=ASSIGN_NAMES,
        )


def _from_address(today: dt.date) -> dt.date:
    try:
        return dt.date.fromisoformat(st.query_params.get("from", ""))
    except ValueError:
        return today


def files(session: Session, around: Around) -> None:
    """Put the list as files, and for those who may the way back in."""
    table = importing.export_duties(session, around.actor, around.territory.id)
    unit_files.out(
        around.actor, table, f"duty-list-{around.territory.name}-{around.today.isoformat()}", sheet="duty list"
    )
    if around.may_edit:
        label = t("A duty list as CSV or Excel")
        unit_files.back_in(around.actor, around.territory, importing.import_duties, label, kind="duty list")
