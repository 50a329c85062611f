"""link address, link pairs: what an address means here, and rows of two data sets that may be one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import shapely
import typer

from app.cli.common import AsJson, TerritoryName, emit
from app.cli.unit import acting
from core.identity import May, require
from geodata.crs import project
from geodata.gazetteer import Match
from geodata.gazetteer_store import gazetteer_of
from geodata.territory import TerritoryInfo
from grids.service import grid_card, locate_one

As = Annotated[str | None, typer.Option("--as", help="Act in the name of this account, within its role.")]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    groups["link"].command("address")(address)


def address(
    text: Annotated[str, typer.Argument(help="As somebody writes it: 12 High St, 解放路12号, Mill Lane & High St")],
    *,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Say which place an address means: candidates with score, reason, point and grid; two likely ones are both said."""
    with acting(territory, as_) as here:
        require(here.actor, May.SEE_MAP)
        match = gazetteer_of(here.session, here.territory).match(text)
        told = []
        for each in match.candidates:
            lon, lat = _degrees(each.x, each.y, here.territory)
            cell = locate_one(here.session, here.territory.id, lon, lat)
            code = grid_card(here.session, here.actor, cell[0]).code if cell else None
            told.append(each.as_dict() | {"lon": lon, "lat": lat, "grid": code})
    answer: dict[str, Any] = {"address": text, "state": match.state, "why": match.why, "why_zh": match.why_zh}
    if as_json:
        emit(answer | {"candidates": told}, as_json)
        return
    emit({"state": _said(match), "why": match.why}, as_json)
    for one in told:
        place = f"{one['lon']:.5f} {one['lat']:.5f}"
        print(f"{one['score']:.2f}  {one['text']:<44} {place}  {one['grid'] or '-':<20} {one['why']}")


def _said(match: Match) -> str:
    return {
        "matched": "found", "ambiguous": "could mean several places; none is taken", "weak": "nothing is alike enough",
        "coarse": "known, but too rough to place", "none": "unknown here",
    }[match.state]  # fmt: skip


def _degrees(x: float, y: float, territory: TerritoryInfo) -> tuple[float, float]:
    point = project(np.asarray([shapely.Point(x, y)], dtype=object), 4326, territory.metric_srid)[0]
    return round(point.x, 6), round(point.y, 6)
