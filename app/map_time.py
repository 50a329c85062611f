"""Time on the City map: how many incidents each day had, the part of it that is looked at, and the playback."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import folium
import numpy as np
import streamlit as st
from branca.element import MacroElement
from folium.elements import JSCSSMixin
from folium.template import Template
from numpy.typing import NDArray

from app import i18n, state, widgets
from app.api.assets import asset_url
from app.api.frames import TRAFFIC, frames_address
from app.i18n import t
from app.maps import script_json
from core.identity import Actor, May
from layers.frames import MOST_DAYS, STEPS, needs_incidents
from layers.style import LIGHT, YLGNBU
from layers.values import Question

Days = tuple[dt.date, dt.date]
BARS_MOST = 122
WIDE, HIGH = 1000, 40


def spans(days: int) -> int:
    """Return how many days a bar of the histogram holds, so that there are not too many bars."""
    return next((length for length in (1, 7, 28, 91) if days <= length * BARS_MOST), 364)


def histogram(counts: NDArray[np.int64], domain: Days, chosen: Days) -> str:
    """Return the bars of a period as HTML; what lies outside the chosen days is pale.

    Parameters
    ----------
    counts
        Incidents a day, from the first to the last day of ``domain``.
    """
    length = spans(len(counts))
    bars = np.add.reduceat(counts, np.arange(0, len(counts), length)) if len(counts) else counts
    top = max(int(bars.max(initial=0)), 1)
    step = WIDE / max(len(bars), 1)
    first, last = ((day - domain[0]).days for day in chosen)
    drawn = []
    for at, value in enumerate(bars.tolist()):
        inside = at * length <= last and min((at + 1) * length, len(counts)) - 1 >= first
        high = HIGH * value / top
        drawn.append(
            f'<rect x="{at * step + step * 0.1:.1f}" y="{HIGH - high:.1f}" width="{step * 0.8:.1f}" height="{high:.1f}"'
            f' fill="{LIGHT.primary if inside else LIGHT.line}"/>'
        )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" preserveAspectRatio="none">'
        f"{''.join(drawn)}</svg>"
    )
    return (
        f'<img class="gk-histogram" alt="{widgets.html(told(counts, domain))}" src="data:image/svg+xml,{quote(svg)}">'
    )


def told(counts: NDArray[np.int64], domain: Days) -> str:
    """Return a histogram in words."""
    if not counts.sum():
        return t("Nothing was reported in this period.")
    most = int(counts.argmax())
    return t(
        "{total} incidents from {first} to {last}; most on {day}: {count}.",
        total=i18n.number(int(counts.sum())), first=i18n.day(domain[0]), last=i18n.day(domain[1]),
        day=i18n.day(domain[0] + dt.timedelta(days=most)), count=i18n.number(int(counts[most])),
    )  # fmt: skip


def strip(counts: NDArray[np.int64], domain: Days, kept: Days | None) -> Days:
    """Put the histogram with the slider below it, and return the chosen days."""
    if domain[0] >= domain[1]:
        return domain
    chosen = kept if kept is not None and domain[0] <= kept[0] <= kept[1] <= domain[1] else domain
    # A slider of another period is another slider: its ends are part of its name.
    key = f"{state.MAP_FILTERS}_range_{domain[0]:%Y%m%d}_{domain[1]:%Y%m%d}_{i18n.locale()}"
    now = st.session_state.get(key, chosen)
    picture = st.empty()
    picture.html(f'<div class="gk">{histogram(counts, domain, now)}</div>')
    given = st.slider(
        t("Days looked at"), domain[0], domain[1], chosen, format="D MMM" if i18n.locale() == "en" else "M月D日",
        key=key, label_visibility="collapsed",
    )  # fmt: skip
    return (given[0], given[1]) if isinstance(given, tuple) and len(given) == 2 else chosen


class Playback(JSCSSMixin, MacroElement):
    """The bar of the playback on a map that has `CityLayers`."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "GridkeeperTime.attach({{ this._parent.get_name() }}, {{ this.settings }});"
        "{% endmacro %}"
    )
    default_js = [("gridkeeper-city", asset_url("gk/gridkeeper-city.js"))]  # noqa: RUF012  (folium reads it)
    default_css = [("gridkeeper-time", asset_url("gk/gridkeeper-time.css"))]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Playback"
        self.settings = script_json({
            "lang": i18n.locale(),
            "ramp": list(YLGNBU[7][2:]),
            "traffic": list(YLGNBU[5]),
            "words": {
                "playback": t("Playback"), "play": t("Play"), "pause": t("Pause"), "step": t("Step of the playback"),
                "speed": t("Speed"), "slow": t("Slow"), "normal": t("Normal"), "fast": t("Fast"),
                "moment": t("Moment"), "key": t("Incidents reported"), "count": t("{count} reported", count="{count}"),
                "close": t("Back to the whole period"), "loading": t("Loading …"),
                "failed": t("The playback could not be loaded. Try again."),
                **{key: t(name) for key, name in STEPS.items()},
                "traffic": t("Traffic of the usual day"), "usual": t("usual at {hour}", hour="{hour}"),
                "index": t("Travel time over that on free roads"),
            },
        })  # fmt: skip


class PlaybackPush(MacroElement):
    """What the playback plays at this moment, pushed into the living map."""

    _template = Template("{% macro script(this, kwargs) %}GridkeeperTime.update({{ this.message }});{% endmacro %}")

    def __init__(self, message: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "PlaybackPush"
        self.message = script_json(message)


def addresses(actor: Actor, question: Question) -> dict[str, str]:
    """Return where the moments of each step are served; a step that cannot be played is left out."""
    days = (question.last - question.first).days + 1
    found = {}
    for step in STEPS:
        single = needs_incidents(question, step)
        barred = single and (not actor.may(May.SEE_INCIDENTS) or question.day is not None)
        if not barred and days <= MOST_DAYS[step] and not (step == "week" and days < 8):
            found[step] = frames_address(question, step)
    return found


def pushed(
    actor: Actor, question: Question, *, comparing: bool, traffic: bool = False
) -> Sequence[folium.FeatureGroup]:
    """Return what brings the playback of a question into the living map, with ``traffic`` of the usual day too."""
    # What is open today says little of a week that has passed: played is all that was reported in it.
    played = replace(question, status="all") if question.status == "open" else question
    moments = {} if comparing else addresses(actor, played)
    if traffic:
        moments["traffic"] = TRAFFIC
    message = {
        "first": played.first.isoformat(),
        "last": played.last.isoformat(),
        "status": played.status,
        "addresses": moments,
    }
    group = folium.FeatureGroup(name="playback")
    group.add_child(PlaybackPush(message))
    return [group]
