"""The tab of classes: the list, one class beside it, and the forms that propose a change of it or a new one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import evidence_words, i18n, rules_needs, rules_parts, state, widgets, words
from app.i18n import t
from app.rules_parts import Here, say
from app.widgets import Cell, Column
from core.identity import May
from incidents import evidence_rules, rule_words
from incidents.classes import MAJORS
from incidents.deadlines import UNITS
from incidents.rules import CLASS, LIMIT, Fields, Key, Row, limit_key

NEW = "new"
PRIORITIES = (1, 2, 3, 4)
IN_USE, RETIRED, ALL = "in_use", "retired", "all"


def show(here: Here) -> None:
    """Put the tab."""
    wanted, category, in_use = _bar()
    rows = {
        key: row
        for key, row in here.of(CLASS).items()
        if _fits(key, row.fields, wanted) and category in {"", row.fields["category"]} and _used(row.fields, in_use)
    }
    chosen = st.query_params.get("class", "")
    with st.container(horizontal=True, vertical_alignment="center", key="gk-count"):
        widgets.note(i18n.tn("{count} class", "{count} classes", len(rows)))
        if here.actor.may(May.PROPOSE_RULES) and st.button(t("New class"), key="gk_rules_new_class"):
            _open(NEW)
    if chosen not in {*here.of(CLASS), NEW}:
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
            st.query_params.pop("class", None)
            rules_parts.fresh_table()
            st.rerun()
        if chosen == NEW:
            _new(here)
        else:
            _one(here, chosen, here.rules[CLASS, chosen])


def _open(key: str) -> None:
    st.query_params["class"] = key
    rules_parts.fresh_table()
    st.rerun()


def _bar() -> tuple[str, str, str]:
    with widgets.filter_bar():
        wanted = st.text_input(t("Find"), key=state.RULES_FIND, placeholder=t("Name or code"), width=200)
        category = st.selectbox(
            t("Category"),
            ["", *MAJORS],
            format_func=lambda key: i18n.either(*MAJORS[key]) if key else t("All"),
            key=f"{state.RULES_CATEGORY}_{i18n.locale()}",
            width=220,
        )
        names = {IN_USE: t("In use"), RETIRED: t("Retired"), ALL: t("All")}
        in_use = st.selectbox(
            t("State"),
            list(names),
            format_func=names.__getitem__,
            key=f"{state.RULES_STATE}_{i18n.locale()}",
            width=140,
        )
    return wanted.strip(), category, in_use


def _fits(key: str, fields: Fields, wanted: str) -> bool:
    text = f"{key} {fields['name_en']} {fields['name_zh']}".casefold()
    return all(part in text for part in wanted.casefold().split())


def _used(fields: Fields, in_use: str) -> bool:
    return in_use == ALL or fields["active"] == (in_use == IN_USE)


def limit_in_words(here: Here, key: str) -> str:
    """Return the main limit of a class."""
    row = here.rules.get((LIMIT, limit_key(key, "handle")))
    return "–" if row is None else say(rule_words.limit_words(row.fields["value"], row.fields["unit"]))


def _list(here: Here, rows: dict[str, Row], chosen: str | None) -> str | None:
    if not rows:
        widgets.empty(
            t("No class fits the filters."),
            t("Take a filter away."),
            link_label=t("All classes"),
            href="/rules?tab=classes",
        )
        return None
    columns: dict[str, list[Any]] = {
        t("Code"): list(rows),
        t("Class"): [i18n.either(row.fields["name_en"], row.fields["name_zh"]) for row in rows.values()],
        t("Priority"): [
            t("emergency") if row.fields["emergency"] else words.priority(row.fields["priority"])
            for row in rows.values()
        ],
        t("To be handled in"): [limit_in_words(here, key) for key in rows],
    }
    widths = [130, 200, 130, 150]
    if not chosen:
        columns |= {
            t("Category"): [i18n.either(row.fields["category_en"], row.fields["category_zh"]) for row in rows.values()],
            t("Needs"): [rules_needs.in_short(row.fields) for row in rows.values()],
            t("Version"): [str(row.version) for row in rows.values()],
            t("Remark"): [_remark(here, key, row) for key, row in rows.items()],
        }
        widths += [190, 190, 80, 130]
    return rules_parts.table(columns, list(rows), chosen, widths, "classes")


def _remark(here: Here, key: str, row: Row) -> str:
    if here.waiting_for(CLASS, key):
        return t("change waits")
    return "" if row.fields["active"] else t("retired")


def _one(here: Here, key: str, row: Row) -> None:
    fields = row.fields
    widgets.heading(i18n.either(fields["name_en"], fields["name_zh"]), aside=key)
    rules_parts.waits(here, CLASS, key)
    shown: dict[str, Cell] = {
        t("Category"): i18n.either(fields["category_en"], fields["category_zh"]),
        t("English name"): fields["name_en"],
        t("Chinese name"): fields["name_zh"],
        t("Priority"): words.priority(fields["priority"]),
        t("Emergency"): t("yes, to the emergency services at once") if fields["emergency"] else t("no"),
        t("Checked by"): t("a worker on site") if fields["check_on_site"] else t("the supervisor, by the evidence"),
        t("Evidence needed before it is finished"): evidence_words.demand(fields["evidence"]),
        **rules_needs.told(fields),
        t("State"): t("In use") if fields["active"] else t("retired, only old incidents have it"),
        t("Version"): str(row.version),
    }
    widgets.fields(shown, beside=True)
    limits = {name: limit for name, limit in here.of(LIMIT).items() if limit.fields["class"] == key}
    if limits:
        widgets.table(
            [Column(t("Limit")), Column(t("Stage")), Column(t("Done when"), wide=True)],
            [
                (
                    widgets.link(
                        say(rule_words.limit_words(limit.fields["value"], limit.fields["unit"])),
                        rules_parts.address(LIMIT, name),
                    ),
                    say(rule_words.STAGE_WORDS[limit.fields["stage"]])
                    + (f", {limit.fields['condition']}" if limit.fields["condition"] else ""),
                    i18n.either(limit.fields["closing_condition_en"], limit.fields["closing_condition_zh"]),
                )
                for name, limit in limits.items()
            ],
        )
    if here.actor.may(May.PROPOSE_RULES):
        with st.expander(t("Propose a change of this class")):
            _form(here, key, fields)


def _form(here: Here, key: str, fields: Fields) -> None:
    at = f"{key}_{i18n.locale()}_{st.session_state.get(state.RULES_ROUND, 0)}"
    given = _named(fields, at)
    given["active"] = st.toggle(t("In use"), value=fields["active"], key=f"gk_rule_active_{at}")
    rules_parts.ask(here, {(CLASS, key): given}, at)


def _named(fields: Fields, at: str) -> dict[str, Any]:
    left, right = st.columns(2)
    return {
        "name_en": left.text_input(t("English name"), fields["name_en"], key=f"gk_rule_en_{at}", max_chars=60).strip(),
        "name_zh": right.text_input(t("Chinese name"), fields["name_zh"], key=f"gk_rule_zh_{at}", max_chars=60).strip(),
        "priority": left.selectbox(
            t("Priority"),
            PRIORITIES,
            index=PRIORITIES.index(fields["priority"]),
            format_func=words.priority,
            key=f"gk_rule_priority_{at}",
        ),
        "evidence": evidence_rules.written(
            left.multiselect(
                t("Evidence needed before it is finished"),
                evidence_rules.DEMANDABLE,
                default=evidence_rules.demanded(fields.get("evidence", "")),
                format_func=evidence_words.kind,
                placeholder=t("none"),
                key=f"gk_rule_evidence_{at}",
            )
        ),
        "emergency": right.toggle(
            t("Emergency: danger to life"), value=fields["emergency"], key=f"gk_rule_emergency_{at}"
        ),
        "check_on_site": right.toggle(
            t("A worker checks on site when it is handled"),
            value=fields["check_on_site"],
            key=f"gk_rule_check_{at}",
        ),
        **rules_needs.asked(fields, at),
    }


def _new(here: Here) -> None:
    """Ask for a new class with its limit; both are one change."""
    widgets.heading(t("New class"))
    at = f"new_{i18n.locale()}_{st.session_state.get(state.RULES_ROUND, 0)}"
    left, right = st.columns(2)
    category = left.selectbox(
        t("Category"), list(MAJORS), format_func=lambda key: i18n.either(*MAJORS[key]), key=f"gk_rule_cat_{at}"
    )
    taken = [int(key[-2:]) for key in here.of(CLASS) if key.startswith(f"{category}-")]
    free = min(set(range(1, 100)) - set(taken), default=99)
    minor = right.number_input(t("Number in the category"), 1, 99, value=free, key=f"gk_rule_minor_{category}_{at}")
    key = f"{category}-{int(minor):02d}"
    if (CLASS, key) in here.rules:
        widgets.alert(t("{code} is taken; choose another number.", code=key))
        return
    widgets.note(t("Its code will be {code}.", code=key))
    on_site = category.startswith("component-")
    given = _named(
        {"name_en": "", "name_zh": "", "priority": 3, "emergency": False, "check_on_site": on_site}, f"{at}_{on_site}"
    )
    left, right = st.columns(2)
    value = left.number_input(
        t("To be handled in"), 0.5, 9000.0, value=5.0, step=1.0, format="%g", key=f"gk_rule_value_{at}"
    )
    unit = right.selectbox(
        t("Unit of time"),
        UNITS,
        index=2,
        format_func=lambda name: say(rule_words.UNIT_WORDS[name]),
        key=f"gk_rule_unit_{at}",
    )
    if not (given["name_en"] or given["name_zh"]):
        widgets.note(t("Give it a name in both languages."))
        return
    wanted: dict[Key, Fields | None] = {
        (CLASS, key): given,
        (LIMIT, limit_key(key, "handle")): {"value": float(value), "unit": unit},
    }
    rules_parts.ask(here, wanted, at)
