"""link address, link pairs: what an address means here, and rows of two data sets that may be one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import shapely
import typer

from app.cli.common import AsJson, TerritoryName, emit
from app.cli.unit import acting
from core.errors import InvalidInput
from core.identity import May, require
from geodata import pairing
from geodata.crs import project
from geodata.gazetteer import Match
from geodata.gazetteer_store import gazetteer_of
from geodata.pairing import PairView, SideView
from geodata.territory import TerritoryInfo
from grids.service import grid_card, locate_one

As = Annotated[str | None, typer.Option("--as", help="Act in the name of this account, within its role.")]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    groups["link"].command("address")(address)
    pairs = typer.Typer(help="Rows of two data sets that may be one place.", no_args_is_help=True)
    pairs.command("find")(pairs_find)
    pairs.command("list")(pairs_list)
    pairs.command("decide")(pairs_decide)
    pairs.command("count")(pairs_count)
    groups["link"].add_typer(pairs, name="pairs")


def address(
    text: Annotated[str, typer.Argument(help="As somebody writes it: 12 High St, 解放路12号, Mill Lane & High St")],
    *,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Say which place an address means: candidates with score, reason, point and grid; two likely ones are said."""
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


def pairs_find(
    one: Annotated[str, typer.Argument(help="Name of a data set.")],
    other: Annotated[str, typer.Argument(help="Name of another.")],
    *,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Look for rows of two data sets that may be one place; what was decided before stays decided."""
    with acting(territory, as_, purpose="compare data sets") as here:
        found = pairing.compare(here.session, here.actor, here.territory, one, other)
    emit(found, as_json)


def pairs_list(
    sets: Annotated[list[str] | None, typer.Argument(help="Two data sets; all when left out.")] = None,
    *,
    state: Annotated[str, typer.Option(help="open, same, different, unsure or all.")] = "open",
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """List pairs, the likeliest first, with the terms of their score and what was decided."""
    if sets and len(sets) != 2:
        raise InvalidInput("Name two data sets, or none.", hint="gridkeeper link pairs list CLINICS SURGERIES")
    if state not in {"open", "all", *pairing.STATES}:
        raise InvalidInput(f"{state!r} is no state of a pair.", hint="open, same, different, unsure or all.")
    with acting(territory, as_) as here:
        wanted = "" if state == "all" else state
        found = pairing.list_pairs(here.session, here.actor, here.territory, state=wanted, sets=sets or ())
    if as_json:
        emit({"pairs": [_pair(each) for each in found]}, as_json)
        return
    for each in found:
        terms = ", ".join(f"{name} {value}" for name, value in each.terms.items())
        print(f"{each.id:>6}  {each.score:.2f} {each.state:<10} {each.one.name} | {each.other.name}  ({terms})")
    print(f"{len(found)} pairs" if found else "There is none.")


def pairs_decide(
    pair: Annotated[int, typer.Argument(help="Number of the pair.")],
    decision: Annotated[str, typer.Argument(help="same, different or unsure.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; needed unless they are the same.")] = "",
    version: Annotated[int | None, typer.Option(help="Of the pair as you saw it; refused when it changed.")] = None,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Decide whether two rows are one place."""
    with acting(territory, as_, purpose="decide on a pair") as here:
        done = pairing.decide(here.session, here.actor, here.territory, pair, pairing.Answer(decision, reason, version))
        told = {"pair": done.id, "state": done.state, "reason": done.reason, "by": done.decided_label}
    emit(told, as_json)


def pairs_count(
    sets: Annotated[list[str], typer.Argument(help="Data sets.")],
    *,
    as_: As = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Count the rows of data sets, and how many places they are."""
    with acting(territory, as_) as here:
        found = pairing.tally(here.session, here.actor, here.territory, sets)
    emit(found, as_json)


def _pair(pair: PairView) -> dict[str, Any]:
    plain = ("id", "score", "terms", "state", "reason", "version")
    return {name: getattr(pair, name) for name in plain} | {
        "decided_by": pair.decided_label, "decided_at": pair.decided_at, "one": _side(pair.one),
        "other": _side(pair.other),
    }  # fmt: skip


def _side(side: SideView) -> dict[str, Any]:
    return {name: getattr(side, name) for name in ("data_set", "key", "name", "lon", "lat", "gone")}


def _said(match: Match) -> str:
    return {
        "matched": "found", "ambiguous": "could mean several places; none is taken", "weak": "nothing is alike enough",
        "coarse": "known, but too rough to place", "none": "unknown here",
    }[match.state]  # fmt: skip


def _degrees(x: float, y: float, territory: TerritoryInfo) -> tuple[float, float]:
    point = project(np.asarray([shapely.Point(x, y)], dtype=object), 4326, territory.metric_srid)[0]
    return round(point.x, 6), round(point.y, 6)
