"""The first three steps of the set-up: where the city lies, its communities, its grids."""

from __future__ import annotations

import streamlit as st

from app import guard, i18n, set_up_acts, set_up_parts, widgets
from app.i18n import t, tn
from app.set_up_model import State, Step
from app.uploads import AREA_ENDINGS, ENDINGS
from app.widgets import Column
from core.identity import Actor
from core.progress import Silent
from geodata.db import transaction
from geodata.holdings import Holdings
from geodata.territory import TerritoryInfo, communities
from grids.blocks import TARGET_M2
from grids.service import PEOPLE_EACH

SHAPES = ("block", "square", "hexagon")
SHOWN = 200


def territory(actor: Actor, home: TerritoryInfo, step: Step, held: Holdings) -> None:
    """Put the acts of the first step: a map, or a boundary alone."""
    if set_up_parts.at_work(set_up_parts.newest(actor, set_up_acts.MAP)):
        return
    if held.has_boundary:
        _what_lies_there(home, held)
    file = set_up_parts.pick(
        t("OpenStreetMap extract of the city (.osm.pbf, .osm, .osm.gz, .osm.bz2)"), name="map_file"
    )
    label = t("Bring in the map") if step.state is not State.DONE else t("Add another map")
    primary = step.state is not State.DONE
    if set_up_parts.act(label, name="map", disabled=file is None, primary=primary):
        set_up_parts.begin(actor, set_up_acts.MAP, {"name": home.name}, file=file, endings=ENDINGS)
    sources = widgets.html(t("Free extracts:"))
    link = '<a href="https://download.geofabrik.de/" target="_blank" rel="noopener">Geofabrik</a>'
    bbbike = '<a href="https://extract.bbbike.org/" target="_blank" rel="noopener">BBBike</a>'
    widgets.write(f'<p class="gk-muted gk-small">{sources} {link} · {bbbike}</p>')
    if held.cells:
        widgets.note(t("The boundary stays as it is once grids are cut."))
        return
    with st.expander(t("Only a boundary: from a file of your own")):
        widgets.note(t("All polygons of the file together become the territory. It must name its coordinate system."))
        outline = set_up_parts.pick(t("GeoJSON, GeoPackage, or a zip with a Shapefile"), name="boundary_file")
        if set_up_parts.act(t("Take this boundary"), name="boundary", disabled=outline is None, primary=False):
            done = set_up_parts.take(
                outline, AREA_ENDINGS, lambda path: set_up_acts.bring_boundary(actor, home.name, path)
            )
            if done is not None:
                set_up_parts.go_on(t("The territory has its boundary."))


def _what_lies_there(home: TerritoryInfo, held: Holdings) -> None:
    west, south, east, north = home.bounds
    widgets.fields(
        {
            t("Reaches"): f"{west:.3f}, {south:.3f} – {east:.3f}, {north:.3f}",
            t("Time zone"): home.timezone,
            t("Metric system"): f"EPSG:{home.metric_srid}",
            t("Roads"): i18n.number(held.roads),
            t("Buildings"): i18n.number(held.buildings),
            t("Source"): home.attribution or None,
        },
        beside=True,
    )


def community(actor: Actor, home: TerritoryInfo, step: Step, held: Holdings) -> None:
    """Put the communities there are, and the act of bringing in others."""
    del step
    with transaction(actor) as session:
        areas = communities(session, home.id)
    if len(areas):
        kinds = {"town": t("town"), "countryside": t("countryside")}
        rows = [
            (str(code), i18n.either(name, name_zh), kinds.get(settlement, settlement))
            for code, name, name_zh, settlement in areas[["code", "name", "name_zh", "settlement"]]
            .head(SHOWN)
            .to_numpy(dtype=object)
            .tolist()
        ]
        widgets.heading(tn("{count} community", "{count} communities", len(areas)))
        with st.container(height=260, border=False) if len(rows) > 6 else st.container():
            widgets.table([Column(t("Code"), fixed=True), Column(t("Name")), Column(t("Kind"))], rows)
    if held.cells:
        widgets.note(t("They stay as they are once grids are cut."))
        return
    widgets.note(
        t(
            "Communities come with the map where it holds administrative boundaries. A file of your own takes their"
            " place: polygons with a column name and, if you have them, code and name_zh."
        )
    )
    file = set_up_parts.pick(t("GeoJSON, GeoPackage, or a zip with a Shapefile"), name="community_file")
    if set_up_parts.act(t("Take these communities"), name="communities", disabled=file is None, primary=not len(areas)):
        made = set_up_parts.take(
            file, AREA_ENDINGS, lambda path: set_up_acts.bring_communities(actor, home.name, path, file.name)
        )
        if made is not None:
            told = [tn("{count} community was taken.", "{count} communities were taken.", made.communities)]
            if made.cut:
                told.append(tn("{count} was cut at the boundary.", "{count} were cut at the boundary.", made.cut))
            if made.mended:
                told.append(tn("{count} small overlap was mended.", "{count} small overlaps were mended.", made.mended))
            if made.free_share:
                share = i18n.number(made.free_share * 100, 1)
                told.append(t("{share} % of the territory lies in no community and gets no grid.", share=share))
            set_up_parts.go_on(" ".join(told))


def grids(actor: Actor, home: TerritoryInfo, step: Step, held: Holdings) -> None:
    """Put what cutting would make, and the act of it."""
    if set_up_parts.at_work(set_up_parts.newest(actor, set_up_acts.GRIDS)):
        return
    if held.cells:
        widgets.fields(
            {
                t("Unit grids"): widgets.link(i18n.number(held.cells), "/map"),
                t("Responsibility grids"): i18n.number(held.responsibility_grids),
            },
            beside=True,
        )
    if held.incidents:
        widgets.note(t("There are incidents, so grids are the supervision centre's to change."))
        return
    shape, town, country, people = st.columns(4)
    kind = shape.selectbox(
        t("Shape"),
        SHAPES,
        format_func={
            "block": t("blocks along the streets"), "square": t("squares"), "hexagon": t("hexagons"),
        }.__getitem__,
        index=1,
        key="gk_cut_kind",
    )  # fmt: skip
    target_m2, town_m, size_m = TARGET_M2, 100.0, 500.0
    if kind == "block":
        target_m2 = town.number_input(
            t("Wished size of a block, m²"), 2_000.0, 200_000.0, TARGET_M2, 1_000.0, format="%.0f", key="gk_cut_target"
        )
    else:
        town_m = town.number_input(t("Width in towns, m"), 20.0, 5000.0, 100.0, 10.0, format="%.0f", key="gk_cut_town")
        size_m = country.number_input(
            t("Width in the countryside, m"), 20.0, 10_000.0, 500.0, 50.0, format="%.0f", key="gk_cut_country"
        )
    each = people.number_input(
        t("People per responsibility grid"), 50.0, 100_000.0, PEOPLE_EACH, 100.0, format="%.0f", key="gk_cut_people"
    )
    is_long = _foretold(actor, home, kind, size_m, town_m)
    sizes = {"size_m": size_m, "town_m": town_m, "target_m2": target_m2, "people_each": each}
    label = t("Cut the grids") if not held.cells else t("Cut the grids anew")
    if not set_up_parts.act(label, name="cut", primary=step.state is not State.DONE):
        return
    if is_long:
        set_up_parts.begin(actor, set_up_acts.GRIDS, {"name": home.name, "kind": kind, **sizes})
        return
    with guard.page():
        made = set_up_acts.cut_grids(actor, home.name, kind=kind, progress=Silent(), **sizes)
        set_up_parts.go_on(
            t(
                "{cells} unit grids in {bound} responsibility grids.",
                cells=i18n.number(made["cells"]),
                bound=i18n.number(made["responsibility_grids"]),
            )
        )


def _foretold(actor: Actor, home: TerritoryInfo, kind: str, size_m: float, town_m: float) -> bool:
    """Say what cutting would make; return whether it is work for the background."""
    background = t("This is done in the background.")
    if kind == "block":
        widgets.note(t("Cells as the streets and rivers close them; large blocks are parted.") + " " + background)
        return True
    with transaction(actor) as session:
        plan = set_up_acts.plan_grids(session, home, kind=kind, size_m=size_m, town_m=town_m)
    told = t(
        "About {cells} unit grids, {seconds} s.",
        cells=i18n.number(plan.cells),
        seconds=i18n.number(plan.seconds, 1),
    )
    widgets.note(told + (" " + background if plan.is_long else ""))
    return plan.is_long
