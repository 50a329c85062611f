"""The tab of limits: the list, one limit beside it with its earlier versions, and the form that proposes a change."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from app import i18n, rules_parts, state, widgets
from app.i18n import t
from app.rules_parts import Here, say
from app.widgets import Cell, Column
from core.identity import May
from incidents import rule_words
from incidents.deadlines import UNITS
from incidents.rules import CALENDAR, CLASS, LIMIT, Fields, Row
from incidents.service import ruling

MAIN, STEPS = "main", "steps"


def show(here: Here) -> None:
    """Put the tab."""
    wanted, stage = _bar()
    rows = {
        key: row
        for key, row in here.of(LIMIT).items()
        if stage in {"", row.fields["stage"]} and _fits(here, key, row, wanted)
    }
    chosen = st.query_params.get("limit", "")
    if chosen not in here.of(LIMIT):
        picked = _list(here, rows, None)
        if picked is not None:
            _open(picked)
        return
    with st.container(key="gk-beside"):
        left, right = st.columns([1, 1.1], gap="medium")
    with left:
        picked = _list(here, rows, chosen)
        if picked is not None and picked != chosen:
            _open(picked)
    with right, st.container(key="gk-detail"):
        if st.button(t("Close"), key="gk_close_detail"):
            st.query_params.pop("limit", None)
            rules_parts.fresh_table()
            st.rerun()
        _one(here, chosen, here.rules[LIMIT, chosen])


def _open(key: str) -> None:
    st.query_params["limit"] = key
    rules_parts.fresh_table()
    st.rerun()


def _bar() -> tuple[str, str]:
    with widgets.filter_bar():
        wanted = st.text_input(t("Find"), key=f"{state.RULES_FIND}_limit", placeholder=t("Class or step"), width=200)
        stage = st.selectbox(
            t("Stage"),
            ["", *rule_words.STAGE_WORDS],
            format_func=lambda name: say(rule_words.STAGE_WORDS[name]) if name else t("All"),
            key=f"{state.RULES_STAGE}_{i18n.locale()}",
            width=160,
        )
    return wanted.strip(), stage


def _fits(here: Here, key: str, row: Row, wanted: str) -> bool:
    english, chinese = rule_words.subject_of(LIMIT, key, row.fields, here.rules)
    text = f"{key} {english} {chinese} {row.fields['closing_condition_en']} {row.fields['closing_condition_zh']}"
    return all(part in text.casefold() for part in wanted.casefold().split())


def _class_name(here: Here, key: str | None) -> str:
    held = here.rules.get((CLASS, key or ""))
    return t("Any class") if held is None else i18n.either(held.fields["name_en"], held.fields["name_zh"])


def _stage(fields: Fields) -> str:
    stage = say(rule_words.STAGE_WORDS[fields["stage"]])
    return f"{stage}, {fields['condition']}" if fields["condition"] else stage


def _list(here: Here, rows: dict[str, Row], chosen: str | None) -> str | None:
    widgets.note(i18n.tn("{count} limit", "{count} limits", len(rows)))
    if not rows:
        widgets.empty(
            t("No limit fits the filters."),
            t("Take a filter away."),
            link_label=t("All limits"),
            href="/rules?tab=limits",
        )
        return None
    columns: dict[str, list[object]] = {
        t("Class"): [_class_name(here, row.fields["class"]) for row in rows.values()],
        t("Stage"): [_stage(row.fields) for row in rows.values()],
        t("Limit"): [say(rule_words.limit_words(row.fields["value"], row.fields["unit"])) for row in rows.values()],
    }
    widths = [190, 160, 140]
    if not chosen:
        columns |= {
            t("Done when"): [
                i18n.either(row.fields["closing_condition_en"], row.fields["closing_condition_zh"])
                for row in rows.values()
            ],
            t("Calendar"): [say(rule_words.calendar_name(row.fields["calendar"], here.rules)) for row in rows.values()],
            t("Public text"): [t("yes") if row.fields["verified"] else t("no") for row in rows.values()],
            t("Version"): [str(row.version) for row in rows.values()],
            t("Remark"): [_remark(here, key, row) for key, row in rows.items()],
        }
        widths += [170, 150, 90, 80, 150]
    return rules_parts.table(columns, list(rows), chosen, widths, "limits")


def _remark(here: Here, key: str, row: Row) -> str:
    if here.waiting_for(LIMIT, key):
        return t("change waits")
    if row.valid_from is not None and row.valid_from > here.today:
        return t("from {day}", day=i18n.day(row.valid_from))
    return ""


def _one(here: Here, key: str, row: Row) -> None:
    fields = row.fields
    widgets.heading(say(rule_words.subject_of(LIMIT, key, fields, here.rules)))
    rules_parts.waits(here, LIMIT, key)
    name = _class_name(here, fields["class"])
    shown: dict[str, Cell] = {
        t("Limit"): say(rule_words.limit_words(fields["value"], fields["unit"])),
        t("Class"): widgets.link(name, rules_parts.address(CLASS, fields["class"])) if fields["class"] else name,
        t("Stage"): _stage(fields),
        t("Done when"): i18n.either(fields["closing_condition_en"], fields["closing_condition_zh"]),
        t("Calendar"): _calendar(here, fields),
        t("Answers for it"): say(rule_words.RESPONSIBLE_WORDS.get(fields["responsible_kind"], ("", ""))),
        t("Source"): say(rule_words.value_words("source", fields["source"], here.rules)),
        t("Public text"): t("yes") if fields["verified"] else t("no, a default to be checked"),
        t("Valid from"): _day(row.valid_from),
        t("Version"): str(row.version),
    }
    widgets.fields(shown, beside=True)
    _earlier(here, key, row)
    if here.actor.may(May.PROPOSE_RULES):
        with st.expander(t("Propose a change of this limit")):
            _form(here, key, fields)


def _calendar(here: Here, fields: Fields) -> Cell:
    if fields["unit"] == "urgent_hours":
        return t("none: day and night")
    code = fields["calendar"] or here.own_calendar
    return widgets.link(say(rule_words.calendar_name(code, here.rules)), rules_parts.address(CALENDAR, code))


def _earlier(here: Here, key: str, row: Row) -> None:
    past = [old for name, old in ruling.past_limits(here.session, here.actor) if name == key]
    if not past:
        return
    widgets.heading(t("Earlier versions"), aside=t("incidents filed under them keep them"))
    widgets.table(
        [Column(t("Version"), right=True), Column(t("Limit")), Column(t("Valid from")), Column(t("Valid to"))],
        [
            (
                str(old.version),
                say(rule_words.limit_words(old.fields["value"], old.fields["unit"])),
                _day(old.valid_from),
                t("never in force") if _never(old) else _day(old.valid_to),
            )
            for old in past
            if old.id != row.id
        ],
    )


def _never(old: Row) -> bool:
    return old.valid_from is not None and old.valid_to is not None and old.valid_to < old.valid_from


def _day(day: dt.date | None) -> str:
    # The seeded ones hold since ever.
    return "–" if day is None or day.year <= 2000 else i18n.day(day)


def _form(here: Here, key: str, fields: Fields) -> None:
    at = f"{key}_{i18n.locale()}_{st.session_state.get(state.RULES_ROUND, 0)}"
    left, right = st.columns(2)
    codes = ["", *here.of(CALENDAR)]
    given = {
        "value": float(
            left.number_input(
                t("Limit"), 0.0, 9000.0, value=float(fields["value"]), step=0.5, format="%g", key=f"gk_rule_value_{at}"
            )
        ),
        "unit": right.selectbox(
            t("Unit of time"),
            UNITS,
            index=UNITS.index(fields["unit"]),
            format_func=lambda name: say(rule_words.UNIT_WORDS[name]),
            key=f"gk_rule_unit_{at}",
        ),
        "closing_condition_en": left.text_input(
            t("Done when (English)"), fields["closing_condition_en"], key=f"gk_rule_done_en_{at}", max_chars=200
        ).strip(),
        "closing_condition_zh": right.text_input(
            t("Done when (Chinese)"), fields["closing_condition_zh"], key=f"gk_rule_done_zh_{at}", max_chars=200
        ).strip(),
        "calendar": left.selectbox(
            t("Calendar"),
            codes,
            index=codes.index(fields["calendar"] or ""),
            format_func=lambda code: say(rule_words.calendar_name(code, here.rules)),
            key=f"gk_rule_calendar_{at}",
        )
        or None,
        "source": right.text_input(t("Source"), fields["source"], key=f"gk_rule_source_{at}", max_chars=200).strip(),
        "verified": right.toggle(t("Stands in a public text"), value=fields["verified"], key=f"gk_rule_verified_{at}"),
    }
    day = left.date_input(
        t("Begins on (empty: on approval)"),
        None,
        min_value=here.today,
        max_value=here.today + dt.timedelta(days=730),
        format=widgets.DATE_FORMATS[i18n.locale()],
        key=f"gk_rule_start_{at}",
    )
    rules_parts.ask(here, {(LIMIT, key): given}, at, start=day if isinstance(day, dt.date) else None)
