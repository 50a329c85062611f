"""The stages of one incident, each with its clock: when it is due and how much of its time is used."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import streamlit as st
from sqlalchemy.orm import Session

from app import i18n, rules_parts, widgets
from app.i18n import t
from core.identity import Actor, May
from geodata.territory import TerritoryInfo
from incidents import rule_words, stages
from incidents.deadlines import WARNINGS, Pause
from incidents.model import IncidentDetail
from incidents.rules import LIMIT, limit_key
from incidents.service import clocks
from incidents.stages import StageClock

STYLE = Path(__file__).parent / "assets" / "gridkeeper-clocks.css"
FULL = 1.25
"""The share of the time at the right end of a bar: a quarter more than there is."""
TONES = {
    stages.WAITING: "done",
    stages.PAUSED: "done",
    stages.ON_TIME: "good",
    stages.LATE: "late",
    stages.OVERDUE: "late",
    stages.NO_LIMIT: "done",
    stages.STEP: "done",
}


def show(session: Session, detail: IncidentDetail, actor: Actor, territory: TerritoryInfo, moment: dt.datetime) -> None:
    """Put the stages in order; nothing for an incident whose moments tell of none."""
    side = detail.side
    pauses = [] if side.postponed_at is None else [Pause(side.postponed_at, side.postponed_until)]
    found = clocks.stages_of(session, actor, detail, territory, moment=moment, pauses=pauses)
    if not found:
        return
    st.html(STYLE)
    class_key = None if detail.filed_under is None else detail.filed_under.class_key
    widgets.heading(t("Stages"), aside=t("marks at 50, 80 and 100 % of the time"))
    rows = "".join(_row(each, class_key, actor, territory, moment) for each in found)
    widgets.write(f'<ul class="gk-stages">{rows}</ul>')
    if any(each.state == stages.STEP for each in found):
        widgets.note(
            t("Of a step only the deadline is known; whether it was kept stands in no moment of the incident.")
        )


def _row(each: StageClock, class_key: str | None, actor: Actor, territory: TerritoryInfo, moment: dt.datetime) -> str:
    tone = _tone(each)
    name = widgets.html(_name(each))
    said = widgets.toned(_standing(each, moment), tone).text
    below = " · ".join(part for part in (_limit(each, class_key, actor), _due(each, territory, moment)) if part)
    present = ' aria-current="step"' if each.present and not each.condition else ""
    bar = _bar(each, tone)
    return (
        f'<li{present}><div class="gk-stage"><b>{name}</b><span>{said}</span></div>{bar}'
        f'<div class="gk-muted gk-small">{below}</div></li>'
    )


def _name(each: StageClock) -> str:
    if each.condition and each.rule is not None:
        step = i18n.either(each.rule.closing_condition_en, each.rule.closing_condition_zh)
        return t("Step: {name}", name=step or each.condition)
    names = {
        "verify": t("Verifying on site"),
        "file": t("Filing"),
        "dispatch": t("Dispatching"),
        "handle": t("Handling"),
        "check": t("Checking"),
        "close": t("Closing"),
        stages.CHECK_AND_CLOSE: t("Checking and closing"),
    }
    return names[each.stage]


def _tone(each: StageClock) -> str:
    if each.state == stages.RUNNING:
        return "soon" if each.reached >= WARNINGS[1] else "good"
    return TONES[each.state]


def _standing(each: StageClock, moment: dt.datetime) -> str:
    """Return how a stage stands, with the used share of its time."""
    used = "" if each.share is None else t("{share} % used", share=i18n.number(each.share * 100))
    late = ""
    if each.due_at is not None and each.state in {stages.LATE, stages.OVERDUE}:
        late = t("{span} late", span=i18n.span((each.ended_at or moment) - each.due_at))
    words = {
        stages.WAITING: t("not begun"),
        stages.RUNNING: used,
        stages.PAUSED: t("paused, {used}", used=used),
        stages.ON_TIME: t("on time, {used}", used=used),
        stages.LATE: late,
        stages.OVERDUE: late,
        stages.STEP: used if each.present else t("over"),
        stages.NO_LIMIT: t("no limit"),
    }
    return words[each.state]


def _limit(each: StageClock, class_key: str | None, actor: Actor) -> str:
    """Return the limit, with the way to it, and whether it stands in a public text."""
    if each.rule is None or each.state == stages.NO_LIMIT:
        return ""
    words = rules_parts.say(rule_words.limit_words(each.rule.limit.value, each.rule.limit.unit))
    if each.stage == stages.CHECK_AND_CLOSE:
        words = t("{limit} to check, then to close", limit=words)
    if not each.rule.verified:
        words = t("{limit} (a default)", limit=words)
    if not actor.may(May.SEE_RULES):
        return widgets.html(words)
    key = limit_key(class_key if each.rule.class_id is not None else None, each.rule.stage, each.rule.condition)
    return widgets.link(words, rules_parts.address(LIMIT, key)).text


def _due(each: StageClock, territory: TerritoryInfo, moment: dt.datetime) -> str:
    def at(when: dt.datetime) -> str:
        return i18n.clock(when, territory.timezone, now=moment)

    if each.ended_at is not None and not each.condition:
        told = t("done {when}", when=at(each.ended_at))
        return widgets.html(told if each.due_at is None else f"{told} · {t('due {when}', when=at(each.due_at))}")
    if each.due_at is None:
        return ""
    coming = next(((share, when) for share, when in each.warnings if when is not None and when > moment), None)
    told = t("due {when}", when=at(each.due_at))
    if coming is not None and coming[0] < 1 and not each.condition:
        told += " · " + t("{share} % at {when}", share=i18n.number(coming[0] * 100), when=at(coming[1]))
    return widgets.html(told)


def _bar(each: StageClock, tone: str) -> str:
    """Return a thin bar with its marks; the words beside it say the same."""
    if each.share is None or (each.state == stages.STEP and not each.present):
        return ""
    width = min(each.share, FULL) / FULL * 100
    marks = "".join(f'<i style="left:{share / FULL * 100:g}%"></i>' for share in WARNINGS)
    return f'<div class="gk-clock gk-{tone}" aria-hidden="true"><span style="width:{width:.1f}%"></span>{marks}</div>'
