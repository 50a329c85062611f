"""What codes of grids and of components in a file mean today: a point in the cell, or why none can be said."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import InvalidInput, NotFound
from core.identity import system_actor
from geodata.exchange_link import Coded
from geodata.territory import TerritoryInfo
from grids import coding, store, store_coded, store_codes
from grids.codes import Scheme, make_code, parse_code
from grids.coding_model import Meaning
from grids.service import locate

_Points = tuple[dict[str, tuple[float, float]], dict[int, tuple[float, float]]]
EXPLAINED = 50
"""Of so many codes that mean nothing the reason is looked up; the others are only told to be unknown."""
NOWHERE = "000000"
"""District of a territory before its official code was given."""


def codes_in(session: Session, territory: TerritoryInfo) -> Callable[[str, Sequence[str]], Mapping[str, Coded]]:
    """Return what tells, of ``grid`` or ``component`` codes, which place of today they mean.

    A grid code may be of any known scheme, of a cell that ended since, or of an older list that was brought in as a
    crosswalk. One that means several cells of today says them and places nothing.
    """
    known: dict[tuple[str, str], Coded] = {}
    unknown = 0
    schemes = functools.cache(lambda: _schemes(session, territory))

    def meaning(what: str, texts: Sequence[str]) -> Mapping[str, Coded]:
        nonlocal unknown
        new = [each for each in dict.fromkeys(texts) if (what, each) not in known]
        if what == "component":
            known.update({(what, code): said for code, said in _components(session, territory, new).items()})
        else:
            points = _live(session, territory)[0]
            strange = [each for each in new if each not in points]
            borne = store_coded.ever_borne(session, territory.id, strange) if strange else frozenset()
            for each in new:
                found = points.get(each)
                said = Coded(*found, f"grid {each}") if found else None
                if said is None:
                    look = unknown < EXPLAINED or each in borne
                    said = _older(session, territory, each, points, look=look, schemes=schemes())
                    unknown += np.isnan(said.lon)
                known[what, each] = said
        return {each: known[what, each] for each in texts}

    return meaning


def _live(session: Session, territory: TerritoryInfo) -> _Points:
    """Return a point inside each cell in force, in degrees, by its code and by its number."""
    key = store.live_version(session, territory.id)
    if key not in _POINTS:
        cells = store_coded.live_points(session, territory.id)
        while len(_POINTS) >= _KEPT:
            _POINTS.pop(next(iter(_POINTS)), None)
        by_code = {code: (lon, lat) for _, code, lon, lat in cells}
        by_id = {cell: (lon, lat) for cell, _, lon, lat in cells}
        _POINTS[key] = by_code, by_id
    return _POINTS[key]


_POINTS: dict[object, _Points] = {}
_KEPT = 3


def _older(
    session: Session, territory: TerritoryInfo, code: str, points: Mapping[str, tuple[float, float]], *, look: bool,
    schemes: _Schemes,
) -> Coded:  # fmt: skip
    unknown = Coded(why=f"No unit grid has the code “{code}”.", why_zh=f"没有编码为“{code}”的单元网格。")
    found: Meaning | None = None
    if look:
        try:
            found = coding.meaning(session, system_actor(territory.id), territory, code)
        except NotFound as error:
            unknown = Coded(why=str(error), why_zh=error.zh or "")
    if found is None:
        other = _other_scheme(schemes, code, points)
        return unknown if other is None else Coded(*points[other], f"grid {other}, by another scheme: {code}")
    cells = [cell.code for cell in found.cells if cell.code in points]
    whence = f"the list {found.list_name}" if found.how == "list" else "a cell that ended"
    if len(cells) == 1:
        return Coded(*points[cells[0]], f"grid {cells[0]}, by {whence}: {code}")
    if not cells:
        return Coded(why=f"No grid lies in the place of {code} today.", why_zh=f"{code} 今无对应网格。")
    shown = ", ".join(cells[:6])
    why, zh = f"{code} means {len(cells)} grids of today: {shown}.", f"{code} 今为 {len(cells)} 个网格：{shown}。"
    return Coded(why=why, why_zh=zh, repair="; ".join(cells[:6]))


@dataclass(frozen=True, slots=True)
class _Schemes:
    """The schemes of a territory: its own, the others, and the districts of the communities of each code."""

    own: Scheme | None
    others: tuple[Scheme, ...]
    districts: Mapping[str, frozenset[str]]


def _schemes(session: Session, territory: TerritoryInfo) -> _Schemes:
    known = coding.known_schemes(session, territory.id)
    own, parents = known.get(territory.code_scheme), store.parent_codes(session, territory.id)
    districts: dict[str, set[str]] = {}
    for area, code in store_codes.area_codes(session, territory.id).items():
        districts.setdefault(code, set()).add(parents.get(area, ("", ""))[0])
    others = tuple(each for each in known.values() if each != own)
    return _Schemes(own, others, {code: frozenset(each) for code, each in districts.items()})


def _other_scheme(schemes: _Schemes, code: str, points: Mapping[str, tuple[float, float]]) -> str | None:
    """Return the code in force of the same cell, where this one is written by another known scheme.

    A code that names a district is of its own district only, also where the territory's scheme writes none.
    """
    own = schemes.own
    if own is None:
        return None
    for scheme in schemes.others:
        try:
            parts = parse_code(scheme, code)
            here = schemes.districts.get(parts.community, frozenset())
            official = {each for each in here if len(each) == len(NOWHERE) and each.isdecimal() and each != NOWHERE}
            if parts.district and official and official == here and parts.district not in official:
                continue
            again = make_code(
                own, community=parts.community, sequence=parts.sequence, district=parts.district, street=parts.street,
                object=parts.object,
            ).text  # fmt: skip
        except InvalidInput:
            continue
        if again in points:
            return again
    return None


def _components(session: Session, territory: TerritoryInfo, codes: Sequence[str]) -> dict[str, Coded]:
    """Return where components stand; of a restricted one the inside of its grid alone."""
    today = now().astimezone(territory.zone).date()
    rows = store_coded.components(session, territory.id, codes)
    made = {
        code: Coded(
            why=f"No component has the identifier “{code}”.", why_zh=f"没有标识码为“{code}”的部件。"
        )
        for code in codes
    }  # fmt: skip
    if not rows:
        return made
    where = locate(session, territory.id, [row[1] for row in rows], [row[2] for row in rows]).grid_id
    inner = _live(session, territory)[1]
    for (code, lon, lat, sensitivity, valid_to), cell in zip(rows, where.tolist(), strict=True):
        said = f"component {code}" + (f", removed on {valid_to}" if valid_to and valid_to < today else "")
        place = inner.get(cell) if sensitivity == "restricted" else (lon, lat)
        if place is not None:
            made[code] = Coded(*place, said)
        else:
            made[code] = Coded(why=f"The component {code} stands on no grid.", why_zh=f"部件 {code} 不在任何网格内。")
    return made
