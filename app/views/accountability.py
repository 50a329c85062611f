"""Accountability: questions that the rules on the record raise, what the persons concerned say, and the decisions."""

from __future__ import annotations

import streamlit as st
from sqlalchemy.orm import Session

from app import accountability_detail, accountability_rules_page, guard, i18n, state, widgets
from app import accountability_words as told
from app.accountability import look_if_stale
from app.i18n import t
from app.where import territory_of
from app.widgets import Column, Fact
from core.identity import Actor, May
from geodata.db import transaction
from geodata.territory import TerritoryInfo
from insight import reviews
from insight.accountability import BY_KEY, RULES
from insight.reviews import OPEN, STATES, ReviewRow

ROWS_SHOWN = 100
WAITING = "waiting"


def show() -> None:
    """Put the page: for the oversight everything, for others what concerns themselves."""
    actor = guard.current_actor()
    with transaction(actor) as session:
        territory = territory_of(session, actor)
    if actor.may(May.SEE_REVIEWS):
        look_if_stale(territory)
    with transaction(actor) as session:
        last = reviews.looked_at(session, actor)
        when = "" if last is None else t("looked through {when}", when=i18n.clock(last, territory.timezone))
        widgets.title(t("Accountability"), simulated=territory.is_demo, aside=when)
        widgets.note(
            t("A finding is a question, not a verdict: a rule saw something in the record that wants explaining.")
        )
        accountability_detail.news()
        if actor.may(May.SEE_REVIEWS):
            _oversight(session, actor, territory)
        else:
            _beside(session, actor, territory, reviews.reviews_on_me(session, actor))
        _unseen()


def _oversight(session: Session, actor: Actor, territory: TerritoryInfo) -> None:
    counts = reviews.counts(session, actor)
    totals = {each: sum(of_rule.get(each, 0) for of_rule in counts.values()) for each in STATES}
    widgets.facts(
        [
            Fact(t("Open"), i18n.number(totals["open"]), "soon" if totals["open"] else "", href=_href("open")),
            Fact(
                t("Explained"),
                i18n.number(totals["explained"]),
                "soon" if totals["explained"] else "",
                href=_href("explained"),
            ),
            Fact(t("Confirmed"), i18n.number(totals["confirmed"]), href=_href("confirmed")),
            Fact(t("Dismissed"), i18n.number(totals["dismissed"]), href=_href("dismissed")),
        ]
    )
    names = {"findings": t("Findings"), "rules": t("Rules and thresholds")}
    asked = st.query_params.get("tab", "")
    part = st.segmented_control(
        t("Part"),
        list(names),
        format_func=names.__getitem__,
        default=asked if asked in names else "findings",
        required=True,
        key=f"{state.REVIEW_TAB}_{i18n.locale()}",
        label_visibility="collapsed",
    )
    if part == "rules":
        accountability_rules_page.show(session, actor, territory)
        return
    wanted, rule = _filters(counts)
    rows = reviews.list_reviews(session, actor, rule=rule, states=wanted)
    _beside(session, actor, territory, rows, any_at_all=any(totals.values()))
    if not _chosen():
        _by_rule(counts)


def _filters(counts: dict[str, dict[str, int]]) -> tuple[tuple[str, ...], str]:
    """Put the bar above the list, set by the address once; return the states and the rule that are wanted."""
    for name, key in (("state", state.REVIEW_STATE), ("rule", state.REVIEW_RULE)):
        if name in st.query_params:
            st.session_state[key] = st.query_params.pop(name)
    choices = (WAITING, *STATES, "")
    names = {WAITING: t("Not decided"), "": t("All")} | {each: told.state(each)[0] for each in STATES}
    if st.session_state.get(state.REVIEW_STATE, WAITING) not in choices:
        st.session_state[state.REVIEW_STATE] = WAITING
    if st.session_state.get(state.REVIEW_RULE, "") not in {"", *BY_KEY}:
        st.session_state[state.REVIEW_RULE] = ""
    with widgets.filter_bar():
        chosen = st.selectbox(t("State"), choices, format_func=names.__getitem__, key=state.REVIEW_STATE, width=220)
        rules = ["", *(rule.key for rule in RULES if counts[rule.key])]
        held = st.session_state.get(state.REVIEW_RULE, "")
        rule = st.selectbox(
            t("Rule"),
            rules if held in rules else [*rules, held],
            format_func=lambda key: told.rule(key) if key else t("All"),
            key=state.REVIEW_RULE,
            width=280,
        )
    return {WAITING: OPEN, "": STATES}.get(str(chosen), (str(chosen),)), str(rule or "")


def _beside(
    session: Session, actor: Actor, territory: TerritoryInfo, rows: list[ReviewRow], *, any_at_all: bool = False
) -> None:
    """Put the list, and the chosen finding beside it."""
    chosen = _chosen()
    if chosen is None:
        _list(actor, territory, rows, any_at_all=any_at_all)
        return
    with st.container(key="gk-beside"):
        left, right = st.columns([1, 1.2], gap="medium")
    with left:
        _list(actor, territory, rows, any_at_all=any_at_all, chosen=chosen)
    with right, st.container(key="gk-detail"):
        if st.button(t("Close"), key="gk_close_detail"):
            st.query_params.pop("review", None)
            st.rerun()
        with guard.page():
            accountability_detail.show(reviews.detail(session, actor, chosen), actor, territory)


def _chosen() -> int | None:
    given = st.query_params.get("review", "")
    return int(given) if given.isdecimal() and len(given) < 10 else None


def _list(
    actor: Actor, territory: TerritoryInfo, rows: list[ReviewRow], *, any_at_all: bool, chosen: int | None = None
) -> None:
    if not rows:
        _empty(actor, territory, any_at_all=any_at_all)
        return
    columns = [
        Column(t("No."), right=True, fixed=True),
        Column(t("Finding")),
        Column(t("It is about"), wide=True),
        Column(t("When"), fixed=True, wide=True),
        Column(t("State"), fixed=True),
    ]
    narrow = chosen is not None

    def row(each: ReviewRow) -> tuple[widgets.Cell, ...]:
        title, mark = told.rule(each.rule), t("chosen") if each.id == chosen else told.weight(each.severity)
        name = widgets.link(title, f"/accountability?review={each.id}").text
        about = told.counted(each.numbers) or told.subject(each)
        cells = (
            str(each.id),
            widgets.Html(f'{name} <span class="gk-muted gk-small">{widgets.html(mark)}</span>'),
            f"{told.subject(each)}, {told.counted(each.numbers)}" if about != told.subject(each) else about,
            i18n.clock(each.at, territory.timezone),
            widgets.toned(*told.state(each.state)),
        )
        return (*cells[:2], cells[4]) if narrow else cells

    widgets.table(
        [*columns[:2], columns[4]] if narrow else columns,
        [row(each) for each in rows[:ROWS_SHOWN]],
    )
    if len(rows) > ROWS_SHOWN:
        widgets.note(t("The first {shown} of {all}.", shown=ROWS_SHOWN, all=i18n.number(len(rows))))


def _empty(actor: Actor, territory: TerritoryInfo, *, any_at_all: bool) -> None:
    if not actor.may(May.SEE_REVIEWS):
        widgets.empty(
            t("No finding concerns you."),
            t("If a rule on the record ever asks about an act of yours, you read it here and can explain it."),
        )
    elif any_at_all:
        widgets.empty(t("Nothing fits the filters."), t("Choose another state or rule."))
    else:
        why = t(
            "The rules look through the record every five minutes. Acts that came with a file are held against nobody."
        )
        if territory.is_demo:
            why = t("The year of a demo city came as a file, held against nobody. What is done now is looked at.")
        widgets.empty(
            t("Nothing was found."), why, link_label=t("What the rules look for"), href="/accountability?tab=rules"
        )


def _by_rule(counts: dict[str, dict[str, int]]) -> None:
    widgets.heading(t("By rule"))
    widgets.table(
        [
            Column(t("Rule")),
            Column(t("What it asks"), wide=True),
            Column(t("Not decided"), right=True),
            Column(t("Confirmed"), right=True, wide=True),
            Column(t("Dismissed"), right=True, wide=True),
        ],
        [
            (
                told.rule(rule.key),
                told.question(rule.key),
                _number(sum(counts[rule.key].get(each, 0) for each in OPEN), WAITING, rule.key),
                _number(counts[rule.key].get("confirmed", 0), "confirmed", rule.key),
                _number(counts[rule.key].get("dismissed", 0), "dismissed", rule.key),
            )
            for rule in RULES
        ],
    )


def _number(count: int, of_state: str, rule: str) -> widgets.Cell:
    if not count:
        return "0"
    return widgets.link(i18n.number(count), f"{_href(of_state)}&rule={rule}", "soon" if of_state == WAITING else "")


def _href(of_state: str) -> str:
    return f"/accountability?state={of_state}"


def _unseen() -> None:
    widgets.heading(t("What the rules cannot see"))
    widgets.write("<ul>" + "".join(f"<li>{widgets.html(each)}</li>" for each in told.unseen()) + "</ul>")


show()
