"""Use cases of codes: the registry of schemes, what a code meant on a day, older lists, families of cells."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, DataQuality, InvalidInput, NotFound
from core.identity import Actor, May, require
from geodata.bulk import begin_load, finish_load
from geodata.tables import OfficialCode
from geodata.territory import TerritoryInfo
from grids import store, store_codes
from grids.code_lists import LINK, LONGEST_CODE, read_rows
from grids.codes import BUILT_IN, CodeParts, Scheme, check_room, make_code, make_scheme, parse_code, scheme_of
from grids.coding_model import KnownScheme, Meaning, Named, Relative

EXPLAINED = 20
"""Of so many unknown codes of a list the reason is looked up."""


def known_schemes(session: Session, territory_id: int) -> dict[str, Scheme]:
    """Return the schemes of a territory by key, the built-in ones first."""
    own = [Scheme(row.name, row.pattern, row.version) for row in store_codes.schemes(session, territory_id)]
    return {**BUILT_IN, **{str(scheme): scheme for scheme in own}}


def scheme_in(session: Session, territory_id: int, key: str) -> Scheme:
    """Return a scheme of the territory; raise `InvalidInput` listing the known ones."""
    return BUILT_IN[key] if key in BUILT_IN else scheme_of(key, known_schemes(session, territory_id))


def registry(session: Session, actor: Actor, territory: TerritoryInfo) -> list[KnownScheme]:
    """Return every scheme of a territory with the cells in force that are written by it."""
    require(actor, May.SEE_MAP)
    rows = {f"{row.name}@{row.version}": row for row in store_codes.schemes(session, territory.id)}
    written = Counter(store_codes.live_schemes(session, territory.id))
    told = []
    for key, scheme in known_schemes(session, territory.id).items():
        row = None if key in BUILT_IN else rows[f"{scheme.name}@{scheme.version}"]
        since, note = (row.valid_from, row.note) if row else (None, "")
        in_use = key == territory.code_scheme
        told.append(KnownScheme(key, scheme.pattern, scheme.version, since, note, written[key], in_use))
    return told


def add_scheme(
    session: Session, actor: Actor, territory: TerritoryInfo, name: str, pattern: str, *, note: str = ""
) -> Scheme:
    """Enter a city's own scheme; another pattern of the same name becomes its next version.

    Raises
    ------
    Conflict
        The newest version has this very pattern, or the name is a built-in one.
    """
    require(actor, May.EDIT_GRIDS)
    if name in BUILT_IN:
        raise Conflict(
            f"“{name}” is a scheme that every city knows.",
            hint="Choose another name.",
            zh=f"“{name}”是内置方案，请另取名称。",
        )
    before = [row for row in store_codes.schemes(session, territory.id) if row.name == name]
    scheme = make_scheme(name, pattern, before[-1].version + 1 if before else 1)
    if before and before[-1].pattern == pattern:
        raise Conflict(
            f"The scheme “{name}” has this pattern already.", hint="Nothing to do.", zh=f"方案“{name}”已是此格式。"
        )
    today = now().astimezone(territory.zone).date()
    values = {"valid_from": today, "note": note.strip(), "made_by": actor.user_id}
    store_codes.add_scheme(session, territory.id, scheme, values)
    return scheme


def codes_of(
    session: Session,
    territory: TerritoryInfo,
    areas: gpd.GeoDataFrame,
    cells: gpd.GeoDataFrame,
    coding: dict[str, Any] | None = None,
) -> list[str]:
    """Return the code of each cell; refuses where the scheme has no room, or two cells would bear one code.

    Parameters
    ----------
    coding
        Of a draft: ``scheme`` and ``prefixes`` that hold as soon as it is published; see `grids.recoding`.
    """
    coding = coding or {}
    scheme = scheme_in(session, territory.id, coding.get("scheme") or territory.code_scheme)
    parents = store.parent_codes(session, territory.id)
    official = store_codes.prefixes(session, territory.id) if scheme.official else {}
    official |= {int(area): row[0] for area, row in (coding.get("prefixes") or {}).items()}
    names, community_codes = (
        dict(zip(areas["community_id"], areas[column], strict=True)) for column in ("name", "code")
    )
    for identity, largest in cells.groupby("community_id")["sequence"].max().items():
        check_room(scheme, str(names[identity]), int(largest))
    codes = []
    for identity, sequence in zip(cells["community_id"], cells["sequence"], strict=True):
        district, street = parents[identity]
        community = str(community_codes[identity])
        if scheme.official and identity in official:
            code = official[identity]
            district, street, community = code[:6], code[6:9], code[9:]
        parts = make_code(scheme, district=district, street=street, community=community, sequence=int(sequence))
        codes.append(parts.text)
    _check_single(session, territory, codes, cells["community_id"].tolist(), names)
    return codes


def _check_single(
    session: Session, territory: TerritoryInfo, codes: Sequence[str], community: Sequence[int], names: dict[int, Any]
) -> None:
    """Refuse codes that two cells would bear, saying which communities share their prefix."""
    owner: dict[str, int] = {}
    for code, area in zip(codes, community, strict=True):
        if owner.setdefault(code, area) != area:
            raise _collision(code, str(names[owner[code]]), str(names[area]))
    taken = store_codes.borne_elsewhere(session, territory.id, codes, sorted(set(community)))
    if taken:
        raise _collision(taken[0][0], str(names[owner[taken[0][0]]]), taken[0][1])


def _collision(code: str, one: str, other: str) -> Conflict:
    return Conflict(
        f"The code {code} would be borne by cells of {one} and of {other}.",
        hint="Give each community a code of its own: take the official codes, or change one in the first set-up.",
        zh=f"编码 {code} 会同时属于“{one}”与“{other}”的网格，请为各社区设定不同的编码（如采用官方代码）。",
    )


def parse(session: Session, actor: Actor, territory: TerritoryInfo, code: str, scheme: str | None = None) -> CodeParts:
    """Return the parts of a code by a scheme, the territory's own where none is named; refuse with the reason."""
    require(actor, May.SEE_MAP)
    return parse_code(scheme_in(session, territory.id, scheme or territory.code_scheme), code)


def meaning(session: Session, actor: Actor, territory: TerritoryInfo, code: str, day: dt.date | None = None) -> Meaning:
    """Return which cells a code means on a day, today when none is named, also one of an older list.

    Raises
    ------
    NotFound
        When no cell ever bore it, with the reason as far as it can be told.
    """
    require(actor, May.SEE_MAP)
    code = code.strip()
    day = day or now().astimezone(territory.zone).date()
    bore = store_codes.named(session, territory.id, code)
    for each in bore:
        if each.on(day):
            return Meaning(code, day, "in force", (each,), each)
    if bore:
        nearest = min(bore, key=lambda each: abs((each.started_on - day).days))
        how = "later" if nearest.started_on <= day else "earlier"
        return Meaning(code, day, how, _ground_on(session, territory, nearest, day), nearest)
    lists = store_codes.linked(session, territory.id, code)
    if lists:
        cells = {cell.id: cell for _, _, one in lists for cell in _ground_on(session, territory, one, day)}
        return Meaning(code, day, "list", tuple(cells.values()), None, lists[0][0])
    raise NotFound(
        f"No unit grid has the code “{code}”: {_why_unknown(session, territory, code)}.",
        hint="Look it up on the map, or bring in the older list it comes from as a crosswalk.",
        zh=f"没有编码为“{code}”的单元网格。请在地图上查找，或导入其所属旧编码的对照表。",
    )


def official_codes(
    session: Session, actor: Actor, territory: TerritoryInfo
) -> list[tuple[tuple[str, str | None], OfficialCode]]:
    """Return both names of the community and its official code, those in force first, then what they replaced."""
    require(actor, May.SEE_MAP)
    names = {area: (name, zh) for area, name, zh, _ in store_codes.community_names(session, territory.id)}
    return [(names[row.area_id], row) for row in store_codes.official_codes(session, territory.id)]


def family(session: Session, actor: Actor, cell_id: int) -> list[Relative]:
    """Return a cell with all it came of and all that came of it, through every generation, the oldest first."""
    require(actor, May.SEE_MAP)
    return store_codes.family(session, actor.territory_id, cell_id)


def community_of(session: Session, actor: Actor, territory: TerritoryInfo, name: str) -> int:
    """Return the community of a name, in either language, or a code; raise `NotFound` listing some."""
    require(actor, May.SEE_MAP)
    rows = store_codes.community_names(session, territory.id)
    codes = {code: area for area, code in store_codes.area_codes(session, territory.id).items()}
    for identity, english, chinese, _ in rows:
        if name.strip() in {english, chinese}:
            return identity
    if name.strip() in codes:
        return codes[name.strip()]
    raise NotFound(
        f"There is no community “{name}”.", hint=f"There are: {', '.join(row[1] for row in rows[:8])} …",
        zh=f"没有社区“{name}”。现有：{'、'.join(row[2] or row[1] for row in rows[:8])}等。",
    )  # fmt: skip


def crosswalk(
    session: Session, actor: Actor, territory: TerritoryInfo, *, limit: int | None = None
) -> list[dict[str, Any]]:
    """Return which code became which: old and new scheme and code, since when, shares of ground, and by what."""
    require(actor, May.SEE_MAP)
    return store_codes.crosswalk(session, territory.id, limit=limit)


def bring_crosswalk(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    content: str,
    *,
    name: str,
    old_scheme: str,
    until: dt.date | None = None,
) -> int:
    """Take in what an older list called our cells; return how many links were new.

    The file is CSV with the columns old_code and new_code; an old grid that was split has several rows. Nothing is
    written unless every row can be.

    Raises
    ------
    DataQuality
        With each row that is refused and why.
    """
    require(actor, May.EDIT_GRIDS)
    if not old_scheme.strip():
        raise InvalidInput(
            "The older list has no name.", hint="Say what it is called, e.g. 2019.", zh="请写明旧编码的名称，如 2019。"
        )
    today = now().astimezone(territory.zone).date()
    rows = [(line, row["old_code"], row["new_code"]) for line, row in read_rows(content, LINK)]
    known = store_codes.known_cells(
        session, territory.id, sorted({code for _, old, new in rows for code in (old, new)})
    )
    faults, links, seen, unknown = [], [], set[tuple[str, str]](), 0
    for number, old, new in rows:
        live = [each for each in known.get(old, []) if each.ended_on is None]
        if not old or not new:
            faults.append(f"line {number}: a code is missing")
        elif max(len(old), len(new)) > LONGEST_CODE:
            faults.append(f"line {number}: a code has more than {LONGEST_CODE} signs")
        elif (old, new) in seen:
            faults.append(f"line {number}: {old} → {new} stands there twice")
        elif new not in known:
            unknown += 1
            reason = _why_unknown(session, territory, new) if unknown <= EXPLAINED else "no grid ever had this code"
            faults.append(f"line {number}: {reason} ({new})")
        elif old != new and live:
            faults.append(f"line {number}: {old} is the code of another grid today, in {live[0].community}")
        else:
            cell = {"old_scheme": old_scheme.strip(), "old_code": old, "cell": known[new][0].id, "new_code": new}
            links.append(cell | {"until": until or known[new][0].started_on})
        seen.add((old, new))
    if faults:
        error = DataQuality(
            "The crosswalk cannot be taken in.", faults, hint="Mend these lines and bring the file again."
        )
        error.zh = f"对照表未导入：{len(faults)} 行有问题，请改正后重新导入。"
        raise error
    load = begin_load(
        session,
        territory_id=territory.id,
        kind="crosswalk",
        source_name=Path(name).name,
        content_sha256=hashlib.sha256(content.encode()).hexdigest(),
        actor=actor,
    )
    added = store_codes.add_links(session, territory.id, Path(name).name, links)
    finish_load(session, load, {"rows": len(rows), "added": added, "until": (until or today).isoformat()})
    return added


def _ground_on(session: Session, territory: TerritoryInfo, cell: Named, day: dt.date) -> tuple[Named, ...]:
    """Return the cells that lay on the ground of a cell on a day, the largest share first."""
    kin = [
        each
        for each in store_codes.family(session, territory.id, cell.id)
        if each.started_on <= day and (each.ended_on is None or each.ended_on > day) and each.shared_m2 >= 1
    ]
    kin.sort(key=lambda each: -each.shared_m2)
    known = store_codes.known_cells(session, territory.id, [each.code for each in kin])
    return tuple(next(one for one in known[each.code] if one.id == each.id) for each in kin)


def _why_unknown(session: Session, territory: TerritoryInfo, code: str) -> str:
    """Say why nothing bears a code: not of the scheme, no such community, or no such number in it."""
    try:
        parts = parse_code(scheme_in(session, territory.id, territory.code_scheme), code)
    except InvalidInput as wrong:
        return wrong.message.split(": ", 1)[-1].rstrip(".") + f" (scheme {territory.code_scheme})"
    stem = code[: len(code) - (parts.scheme.widths["sequence"] or 0)]
    there = store_codes.numbers_of(session, territory.id, stem)
    if there is None:
        return f"no community has codes that begin with {stem}"
    return f"the numbers of {there[0]} run up to {there[1]}, and {parts.sequence} was never given"
