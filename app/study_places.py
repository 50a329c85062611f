"""Where a study could build and where not: the places compared, and each reason by which others were left out."""

from __future__ import annotations

from html import escape

import folium
import streamlit as st

from app import i18n, study_map, widgets
from app.i18n import t
from app.widgets import Column
from core.identity import Actor
from geodata.territory import TerritoryInfo
from layers.style import CATEGORY_COLOURS, LIGHT
from planning.model import Study
from planning.sifting import REASONS

MAP_PX = 460


def reason(key: str) -> str:
    """Return why a place was left out."""
    return {
        "outside": t("outside the territory"),
        "far_from_road": t("farther from a road for cars than a plot may lie"),
        "building": t("a building stands there"),
        "water": t("water"),
        "green": t("green, wood or beach"),
        "farmland": t("farmland"),
        "road": t("a road"),
        "too_small": t("too small"),
        "zone": t("ground where nothing may be built"),
        "struck_out": t("struck out by hand"),
        "too_close": t("too close to what is there"),
    }.get(key, key)


def show(actor: Actor, territory: TerritoryInfo, study: Study, *, island: bool, drawn: bool) -> None:
    """Put the counts, and the map where it is ``drawn``: one that is made unseen has no height."""
    counts = study.facts.get("excluded")
    if counts is None:
        widgets.note(t("This answer is older than the list of what was left out; run it again to see it."))
        return
    order = [key for key in REASONS if counts.get(key)]
    left, right = st.columns([1, 1.6], gap="medium")
    with left:
        widgets.note(t("{count} places were compared.", count=i18n.number(study.facts["candidates"])))
        if order:
            widgets.table(
                [Column(""), Column(t("Left out because of")), Column(t("Places"), right=True)],
                [
                    (widgets.Html(_sign(colour(at))), reason(key), i18n.number(counts[key]))
                    for at, key in enumerate(order)
                ],
            )
            widgets.note(t("Each is counted by the first reason that holds; some of each are drawn."))
        else:
            widgets.note(t("No place was left out."))
    if not drawn:
        return
    with right:
        places = folium.FeatureGroup(name="places")
        for at, key in enumerate(order):
            for lon, lat in study.facts["excluded_at"].get(key, []):
                _dot(lon, lat, colour(at), reason(key)).add_to(places)
        for lon, lat in study.facts.get("candidates_at", []):
            _dot(lon, lat, LIGHT.primary, t("compared"), full=True).add_to(places)
        study_map.show_places(territory, actor, places, study.id, island=island, height=MAP_PX)
        widgets.write(
            f'<div class="gk-legend"><ul><li>{_sign(LIGHT.primary, full=True)}{escape(t("compared"))}</li></ul></div>'
        )


def colour(at: int) -> str:
    """Return the colour of a reason by its place in the list."""
    return CATEGORY_COLOURS[(at + 1) % len(CATEGORY_COLOURS)]


def _sign(ink: str, *, full: bool = False) -> str:
    ground = ink if full else LIGHT.surface
    return f'<span class="gk-sign" style="width:12px;height:12px;background:{ground};border-color:{ink}"></span>'


def _dot(lon: float, lat: float, ink: str, tip: str, *, full: bool = False) -> folium.CircleMarker:
    return folium.CircleMarker(
        (lat, lon), radius=3, color=ink, weight=1.5, fill_color=ink if full else LIGHT.surface, fill_opacity=0.9,
        tooltip=escape(tip),
    )  # fmt: skip
