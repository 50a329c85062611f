"""Classes, limits and calendars: the rules as they stand, and changing them by two persons."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import guard, i18n, rules_calendar, rules_changes, rules_classes, rules_limits, rules_parts, state, widgets
from app.i18n import t
from app.rules_parts import Here
from app.where import territory_of
from app.widgets import Fact
from core.identity import May, require
from geodata.db import transaction
from incidents.rules import CALENDAR, CLASS, LIMIT
from incidents.service import ruling

STYLE = Path(__file__).parent.parent / "assets" / "gridkeeper-rules.css"
PARTS = {
    "classes": rules_classes.show,
    "limits": rules_limits.show,
    "calendars": rules_calendar.show,
    "changes": rules_changes.show,
}


def show() -> None:
    """Put the page."""
    actor = guard.current_actor()
    require(actor, May.SEE_RULES)
    st.html(STYLE)
    with transaction(actor) as session:
        territory = territory_of(session, actor)
        widgets.title(t("Classes, limits and calendars"), simulated=territory.is_demo)
        rules_parts.news()
        rules = ruling.read_rules(session, actor)
        waiting = ruling.list_changes(session, actor, states=("proposed",))
        here = Here(session, actor, territory, rules, waiting)
        _facts(here)
        reach = ruling.reach(session, actor).territories
        if reach > 1:
            count = i18n.number(reach)
            widgets.note(t("These rules hold for all {count} territories of this platform.", count=count))
        PARTS[_tab()](here)


def _facts(here: Here) -> None:
    waiting = len(here.waiting)
    widgets.facts(
        [
            Fact(
                t("Classes in use"),
                i18n.number(sum(row.fields["active"] for row in here.of(CLASS).values())),
                href="/rules?tab=classes",
            ),
            Fact(t("Limits"), i18n.number(len(here.of(LIMIT))), href="/rules?tab=limits"),
            Fact(t("Calendars"), i18n.number(len(here.of(CALENDAR))), href="/rules?tab=calendars"),
            Fact(
                t("Waiting for a decision"),
                i18n.number(waiting),
                tone="soon" if waiting else "empty",
                href="/rules?tab=changes",
            ),
        ]
    )


def _tab() -> str:
    names = {"classes": t("Classes"), "limits": t("Limits"), "calendars": t("Calendars"), "changes": t("Changes")}
    asked = st.query_params.get("tab", "")
    key = f"{state.RULES_TAB}_{i18n.locale()}"
    chosen = st.segmented_control(
        t("Part"),
        list(names),
        format_func=names.__getitem__,
        default=asked if asked in names else "classes",
        required=True,
        key=key,
        label_visibility="collapsed",
        on_change=_switched,
        args=(key,),
    )
    return str(chosen or "classes")


def _switched(key: str) -> None:
    """Let the address say the part that was chosen, and nothing of the part before."""
    st.query_params.from_dict({"tab": str(st.session_state.get(key) or "classes")})
    rules_parts.fresh_table()


show()
