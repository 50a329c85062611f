"""grid codes: what a code means, the registry of schemes, crosswalks between old and new codes, official prefixes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.cli.common import AsJson, TerritoryName, emit
from app.cli.grid_change import AsOf, day_of
from app.official_codes import FOLDER
from core.clock import now
from core.errors import GridkeeperError, InvalidInput
from core.identity import Actor, system_actor
from geodata import db
from geodata.territory import TerritoryInfo, find_territory
from grids import code_lists, coding, drafting, publishing, recoding

Code = Annotated[str, typer.Argument(help="A code of a unit grid.")]
SchemeName = Annotated[str | None, typer.Option("--scheme", help="Code scheme; the territory's own when left out.")]
Work = Callable[[Session, Actor, TerritoryInfo], Mapping[str, Any]]


def register(_app: typer.Typer, groups: Mapping[str, typer.Typer]) -> None:
    """Add the commands of this file."""
    codes = typer.Typer(help="Codes of the grids.", no_args_is_help=True)
    for command in (show, parse, check, crosswalk, renumber, schemes, scheme, prefixes):
        codes.command(command.__name__)(command)
    codes.command("list")(list_codes)
    groups["grid"].add_typer(codes, name="codes")


def show(code: Code, *, as_of: AsOf = None, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Tell which cells a code means on a day, what they came of and what became of them; also codes of older lists."""

    def work(session: Session, actor: Actor, chosen: TerritoryInfo) -> Mapping[str, Any]:
        told = coding.meaning(session, actor, chosen, code, day_of(as_of) if as_of else None)
        result = told.as_dict()
        cell = told.borne_by or (told.cells[0] if told.cells else None)
        kin = coding.family(session, actor, cell.id) if cell else []
        return result | {
            "came_from": [each.code for each in kin if each.depth == -1],
            "became": [each.code for each in kin if each.depth == 1],
            "family": [{"generation": each.depth, "code": each.code, "by": each.made_by} for each in kin],
        }

    _run(work, territory, as_json=as_json)


def parse(code: Code, *, scheme: SchemeName = None, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """Take a code apart by a scheme; refuse what is none, with the reason."""

    def work(session: Session, actor: Actor, chosen: TerritoryInfo) -> Mapping[str, Any]:
        parts = coding.parse(session, actor, chosen, code, scheme)
        told = dataclasses.asdict(parts) | {"scheme": str(parts.scheme), "code": parts.text}
        return {name: value for name, value in told.items() if value != ""}

    _run(work, territory, as_json=as_json)


def check(
    file: Annotated[Path, typer.Argument(help="CSV with a column code.")],
    *,
    as_of: AsOf = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Check a list of codes: which are in force on a day, which have another meaning, which nobody bears and why."""
    rows = code_lists.read_rows(_text(file), ("code",))

    def work(session: Session, actor: Actor, chosen: TerritoryInfo) -> Mapping[str, Any]:
        day = day_of(as_of) if as_of else now().astimezone(chosen.zone).date()
        counts: dict[str, int] = {}
        refused, moved = [], []
        for number, row in rows:
            try:
                told = coding.meaning(session, actor, chosen, row["code"], day)
            except GridkeeperError as unknown:
                refused.append({"line": number, "code": row["code"], "reason": unknown.message})
                continue
            counts[told.how] = counts.get(told.how, 0) + 1
            if told.how != "in force":
                moved.append({"code": told.code, "how": told.how, "now": [each.code for each in told.cells]})
        return {"codes": len(rows), **counts, "unknown": len(refused), "moved": moved, "refused": refused}

    _run(work, territory, as_json=as_json)


def list_codes(*, as_of: AsOf = None, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """List the codes in force on a day by community: how many, the first and the last."""

    def work(session: Session, actor: Actor, chosen: TerritoryInfo) -> Mapping[str, Any]:
        day = day_of(as_of) if as_of else now().astimezone(chosen.zone).date()
        frame = publishing.cells_as_of(session, actor, chosen.id, day)
        counted = frame.groupby("community")["code"].agg(["size", "min", "max"])
        return {
            "scheme": chosen.code_scheme,
            "as_of": day.isoformat(),
            "cells": len(frame),
            "communities": {str(name): [int(row["size"]), row["min"], row["max"]] for name, row in counted.iterrows()},
        }

    _run(work, territory, as_json=as_json)


def crosswalk(
    *,
    bring: Annotated[Path | None, typer.Option("--import", help="CSV: old_code,new_code of an older list.")] = None,
    called: Annotated[str, typer.Option("--called", help="What the older list is called, e.g. 2019.")] = "",
    until: Annotated[str | None, typer.Option("--until", help="First day the old codes held no more.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file to write all links to.")] = None,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Tell which code became which; take in an older list, or write all to a file."""

    def work(session: Session, actor: Actor, chosen: TerritoryInfo) -> Mapping[str, Any]:
        added = None
        if bring is not None:
            content = _text(bring)
            last = day_of(until) if until else None
            added = coding.bring_crosswalk(
                session, actor, chosen, content, name=bring.name, old_scheme=called, until=last
            )
        rows = coding.crosswalk(session, actor, chosen)
        if out is not None:
            out.write_text(code_lists.crosswalk_csv(rows), encoding="utf-8-sig")
        told = {"links": len(rows)} | ({} if added is None else {"added": added})
        return told | ({"file": str(out)} if out else {"rows": rows if as_json else rows[:20]})

    _run(work, territory, as_json=as_json)


def renumber(
    community: Annotated[str, typer.Argument(help="Name or code of a community.")],
    *,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Submit a change that numbers a community's cells anew, from its north-west; 'grid publish' puts it in force."""

    def work(session: Session, actor: Actor, chosen: TerritoryInfo) -> Mapping[str, Any]:
        area = coding.community_of(session, actor, chosen, community)
        change = drafting.start_draft(session, actor, chosen, f"Renumber {community}"[:80], [area])
        drafting.renumber(session, actor, chosen, change.id, area)
        return _submitted(session, actor, chosen, change.id)

    _run(work, territory, as_json=as_json)


def schemes(*, territory: TerritoryName = None, as_json: AsJson = False) -> None:
    """List the registry of code schemes, with versions and how many cells in force each has."""

    def work(session: Session, actor: Actor, chosen: TerritoryInfo) -> Mapping[str, Any]:
        rows = [dataclasses.asdict(each) for each in coding.registry(session, actor, chosen)]
        return {"schemes": rows} if as_json else {row["key"]: row["pattern"] for row in rows}

    _run(work, territory, as_json=as_json)


def scheme(
    name: Annotated[str, typer.Argument(help="Name, e.g. harbour.")],
    pattern: Annotated[str, typer.Argument(help="e.g. 'HB{district:6}{community:3}{sequence:4}'.")],
    *,
    note: Annotated[str, typer.Option("--note", help="Where it comes from.")] = "",
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Enter a city's own code scheme; another pattern of the same name is its next version."""

    def work(session: Session, actor: Actor, chosen: TerritoryInfo) -> Mapping[str, Any]:
        made = coding.add_scheme(session, actor, chosen, name, pattern, note=note)
        return {"scheme": str(made), "pattern": made.pattern, "version": made.version}

    _run(work, territory, as_json=as_json)


def prefixes(
    district: Annotated[list[str] | None, typer.Argument(help="Six digits of each district, e.g. 110101.")] = None,
    *,
    file: Annotated[Path | None, typer.Option("--file", help="CSV: community,code for what has another name.")] = None,
    scheme: SchemeName = None,
    take: Annotated[bool, typer.Option("--take", help="Submit a change that writes all codes by them.")] = False,
    territory: TerritoryName = None,
    as_json: AsJson = False,
) -> None:
    """Find the official codes of communities by name, and with --take submit a change that writes all codes by them."""
    rows = [] if file is None else code_lists.read_rows(_text(file), ("community", "code"))
    given = {row["community"]: row["code"] for _, row in rows}

    def work(session: Session, actor: Actor, chosen: TerritoryInfo) -> Mapping[str, Any]:
        offers = recoding.offer_prefixes(session, actor, chosen, FOLDER, district or [], given)
        missing = {each.community: each.reason for each in offers if not each.code}
        sources = ([recoding.source_of(FOLDER)] if district else []) + ([file.name] if file else [])
        source = ", ".join(sources)
        told: dict[str, Any] = {
            "source": source,
            "found": {each.community: f"{each.code} {each.name}" for each in offers if each.code},
            "missing": missing,
        }
        if take:
            change = drafting.start_draft(session, actor, chosen, "Official codes")
            recoding.take_prefixes(session, actor, chosen, change.id, offers, scheme=scheme, source=source)
            told |= _submitted(session, actor, chosen, change.id)
        return told

    _run(work, territory, as_json=as_json)


def _submitted(session: Session, actor: Actor, chosen: TerritoryInfo, change_id: int) -> dict[str, Any]:
    publishing.submit(session, actor, chosen, change_id)
    return {"change": change_id, **publishing.compare(session, actor, chosen, change_id).as_dict()}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InvalidInput(f"There is no file {file}.") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{file.name} is not UTF-8.", hint="Save it as CSV UTF-8.") from None


def _run(work: Work, territory: str | None, *, as_json: bool) -> None:
    actor = system_actor(label="command line")
    db.ensure_database()
    with db.transaction(actor, purpose="codes") as session:
        told = work(session, actor, find_territory(session, territory))
    emit(told, as_json)
