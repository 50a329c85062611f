"""Use cases: other codes for the cells of a draft, by official prefixes or another scheme; what publishing makes of it.

A new code is a new cell, as with a new number: the change links each to the one whose ground it takes, and that is the
crosswalk from old codes to new. Nothing of it holds before a supervisor publishes the change.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from geodata.territory import TerritoryInfo, communities
from grids import store_changes, store_codes
from grids.change_model import Change
from grids.coding import codes_of, scheme_in
from grids.coding_model import PrefixOffer
from grids.drafting import own_draft, saved
from grids.official import Wanted, match, read_district, version_of


def offer_prefixes(  # noqa: PLR0917  (who, where, and the list)
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    folder: Path,
    districts: Sequence[str],
    given: Mapping[str, str] | None = None,
) -> list[PrefixOffer]:
    """Return for each community the official code its name was found under in the given districts, or why none was.

    ``given`` are codes that a person says, by the name of the community; they come before what is found.
    """
    require(actor, May.SEE_MAP)
    given = given or {}
    if not districts and not given:
        raise InvalidInput(
            "No district is named.", hint="Give its six digits, e.g. 110101.", zh="请填写区县代码（六位数字）。"
        )
    officials = [each for district in districts for each in read_district(folder, district)]
    rows = store_codes.community_names(session, territory.id)
    strange = sorted(set(given) - {each for _, name, zh, _ in rows for each in (name, zh)})
    if strange:
        raise NotFound(
            f"There is no community “{strange[0]}”.",
            hint="Write the names as the first set-up shows them, in English or Chinese.",
            zh=f"没有名为“{strange[0]}”的社区，请按首次设置中的名称填写。",
        )
    found = match([Wanted(identity, zh or name, street) for identity, name, zh, street in rows], officials)
    offers = []
    for identity, name, zh, _ in rows:
        official = found.found.get(identity)
        code, told = (official.code, f"{official.street} {official.name}".strip()) if official else ("", "")
        said = given.get(name) or given.get(zh or "")
        if said:
            if not re.fullmatch(r"[0-9]{12}", said):
                raise InvalidInput(
                    f"The code “{said}” of {name} has not 12 digits.",
                    hint="Six of the district, three of the street, three of the community.",
                    zh=f"“{zh or name}”的代码“{said}”不是 12 位数字。",
                )
            code, told = said, zh or name
        reason = "" if code else found.missing.get(identity, "no district was named")
        offers.append(PrefixOffer(identity, name, zh, code, told, reason))
    return offers


def source_of(folder: Path) -> str:
    """Return name and version of the official list."""
    return version_of(folder)


def recode(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    change_id: int,
    *,
    scheme: str | None = None,
    prefixes: Mapping[int, tuple[str, str]] | None = None,
    source: str = "",
) -> Change:
    """Write the codes of a draft's cells anew; their numbers stay. Returns the change.

    Parameters
    ----------
    scheme
        Another scheme; it holds for the whole territory, so the draft has to hold all communities.
    prefixes
        Official code and name by community.

    Raises
    ------
    InvalidInput
        The scheme prints no official codes though some are given, or the draft lacks communities.
    Conflict
        Two cells would bear one code.
    """
    change = own_draft(session, actor, change_id)
    wanted = scheme_in(session, territory.id, scheme or territory.code_scheme)
    every = {int(one) for one in communities(session, territory.id)["id"]}
    if str(wanted) != territory.code_scheme and every - set(change.area_ids):
        raise InvalidInput(
            f"A scheme holds for the whole territory; the draft lacks {len(every - set(change.area_ids))} communities.",
            hint="Begin a draft of all communities.",
            zh="编码方案适用于整个地区，草案须包含全部社区。",
        )
    if prefixes and not wanted.official:
        raise InvalidInput(
            f"The scheme {wanted} does not print official codes.",
            hint="Choose cn15 or cn14, or a scheme with district, street and community in digits.",
            zh=f"方案 {wanted} 不含官方代码，请选用 cn15、cn14 或含区县、街道、社区代码的方案。",
        )
    strange = sorted(set(prefixes or {}) - set(change.area_ids))
    if strange:
        raise InvalidInput(
            "Official codes are given for communities outside the draft.",
            hint="Begin a draft of these communities too.",
            zh="所给代码涉及草案以外的社区，请将其一并列入草案。",
        )
    coding = {
        "scheme": str(wanted),
        "prefixes": {str(area): [code, name] for area, (code, name) in (prefixes or {}).items()},
        "source": source,
    }
    frame = store_changes.cells(session, change_id)
    areas = communities(session, territory.id).rename(columns={"id": "community_id"})
    codes = codes_of(session, territory, areas, frame, coding)
    other = np.array(codes, dtype=object) != frame["code"].to_numpy(dtype=object)
    frame["code"] = codes
    store_changes.remove(session, change_id, frame["id"][other].tolist())
    store_changes.put(session, change, frame[other])
    return saved(session, change, {"facts": {**change.facts, "coding": coding}})


def take_prefixes(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    change_id: int,
    offers: Sequence[PrefixOffer],
    *,
    scheme: str | None = None,
    source: str = "",
) -> Change:
    """Write the codes of a draft by the official codes that were found; refuse where some were not found."""
    lacking = [each for each in offers if not each.code]
    if lacking and scheme not in {None, territory.code_scheme}:
        raise InvalidInput(
            f"{len(lacking)} communities have no official code: "
            + "; ".join(f"{each.community_zh or each.community}: {each.reason}" for each in lacking[:5])
            + ("; …" if len(lacking) > 5 else ""),
            hint="Give these names as in the official list, or bring their codes in a file.",
            zh=f"有 {len(lacking)} 个社区没有官方代码，请按官方名录更正名称，或用文件补充代码。",
        )
    found = {each.area_id: (each.code, each.name) for each in offers if each.code}
    return recode(session, actor, territory, change_id, scheme=scheme, prefixes=found, source=source)


def put_in_force(session: Session, territory: TerritoryInfo, change: Change, today: dt.date) -> TerritoryInfo:
    """Write scheme and official codes of a change that is being published; return the territory as it is then."""
    coding = change.facts.get("coding")
    if not coding:
        return territory
    rows = [(int(area), code, name) for area, (code, name) in coding["prefixes"].items()]
    if rows:
        store_codes.take_prefixes(session, territory.id, rows, coding.get("source") or "file", today, change.id)
    if coding["scheme"] != territory.code_scheme:
        store_codes.set_scheme(session, territory.id, coding["scheme"])
    return dataclasses.replace(territory, code_scheme=coding["scheme"])
