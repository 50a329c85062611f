"""All SQL of codes: schemes, official codes, older lists, what a code meant on a day, families of cells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, Text, any_, literal, or_, select, text
from sqlalchemy.orm import Session, aliased

from geodata.tables import Area, CodeLink, CodeScheme, OfficialCode, UnitGrid
from grids.codes import Scheme
from grids.coding_model import Named, Relative


def schemes(session: Session, territory_id: int) -> list[CodeScheme]:
    """Return a city's own schemes by name and version."""
    rows = session.scalars(
        select(CodeScheme).where(CodeScheme.territory_id == territory_id).order_by(CodeScheme.name, CodeScheme.version)
    )
    return list(rows)


def add_scheme(session: Session, territory_id: int, scheme: Scheme, values: dict[str, Any]) -> None:
    """Write a scheme of a city."""
    session.add(
        CodeScheme(
            territory_id=territory_id, name=scheme.name, version=scheme.version, pattern=scheme.pattern, **values
        )
    )
    session.flush()


def prefixes(session: Session, territory_id: int) -> dict[int, str]:
    """Return the official code in force by community."""
    rows = session.execute(
        select(OfficialCode.area_id, OfficialCode.code).where(
            OfficialCode.territory_id == territory_id, OfficialCode.valid_to.is_(None)
        )
    )
    return {row[0]: row[1] for row in rows}


def official_codes(session: Session, territory_id: int) -> list[OfficialCode]:
    """Return all official codes, those in force first."""
    rows = session.scalars(
        select(OfficialCode)
        .where(OfficialCode.territory_id == territory_id)
        .order_by(OfficialCode.valid_to.is_not(None), OfficialCode.code)
    )
    return list(rows)


def take_prefixes(  # noqa: PLR0917  (what, from when, by which change)
    session: Session, territory_id: int, rows: Sequence[tuple[int, str, str]], source: str, day: dt.date, change_id: int
) -> None:
    """End the official codes that others replace, and write the new ones: (community, code, name)."""
    session.execute(
        text(
            "UPDATE official_code SET valid_to = :day WHERE territory_id = :territory AND valid_to IS NULL"
            " AND (area_id = ANY(CAST(:areas AS integer[])) OR code = ANY(CAST(:codes AS text[])))"
        ),
        {"day": day, "territory": territory_id, "areas": [row[0] for row in rows], "codes": [row[1] for row in rows]},
    )
    for area, code, name in rows:
        session.add(
            OfficialCode(
                territory_id=territory_id,
                area_id=area,
                code=code,
                name=name,
                source=source,
                valid_from=day,
                change_id=change_id,
            )
        )
    session.flush()


def set_scheme(session: Session, territory_id: int, scheme: str) -> None:
    """Make a scheme the one that new codes are written by."""
    session.execute(
        text("UPDATE territory SET code_scheme = :scheme, version = version + 1 WHERE id = :id"),
        {"scheme": scheme, "id": territory_id},
    )


def borne_elsewhere(
    session: Session, territory_id: int, codes: Sequence[str], area_ids: Sequence[int]
) -> list[tuple[str, str]]:
    """Return codes of the list that cells in force outside some communities bear, with their community."""
    rows = session.execute(
        select(UnitGrid.code, Area.name)
        .join(Area, Area.id == UnitGrid.community_id)
        .where(
            UnitGrid.territory_id == territory_id,
            UnitGrid.ended_on.is_(None),
            UnitGrid.community_id.not_in(area_ids),
            UnitGrid.code == any_(literal(list(codes), ARRAY(Text))),
        )
        .order_by(UnitGrid.code)
        .limit(3)
    )
    return [(code, name) for code, name in rows]


def named(session: Session, territory_id: int, code: str) -> list[Named]:
    """Return every cell that ever bore a code, the newest first."""
    return _named(session, territory_id, UnitGrid.code == code)


def linked(session: Session, territory_id: int, old_code: str) -> list[tuple[str, dt.date, Named]]:
    """Return the cells an older list means by a code: its scheme, until when, and the cell."""
    links = session.execute(
        select(CodeLink.old_scheme, CodeLink.valid_until, CodeLink.unit_grid_id).where(
            CodeLink.territory_id == territory_id, CodeLink.old_code == old_code
        )
    ).all()
    cells = {each.id: each for each in _named(session, territory_id, UnitGrid.id.in_([row[2] for row in links]))}
    return [(scheme, until, cells[cell]) for scheme, until, cell in links]


def known_cells(session: Session, territory_id: int, codes: Sequence[str]) -> dict[str, list[Named]]:
    """Return the cells that ever bore codes, by code, the newest first."""
    found: dict[str, list[Named]] = {}
    for each in _named(session, territory_id, UnitGrid.code == any_(literal(list(codes), ARRAY(Text)))):
        found.setdefault(each.code, []).append(each)
    return found


def numbers_of(session: Session, territory_id: int, stem: str) -> tuple[str, int] | None:
    """Return community and highest number of the cells in force whose codes begin so; None where none does."""
    row = session.execute(
        text(
            "SELECT a.name, max(g.sequence) FROM unit_grid AS g JOIN area AS a ON a.id = g.community_id"
            " WHERE g.territory_id = :territory AND g.ended_on IS NULL AND starts_with(g.code, :stem)"
            " GROUP BY a.id, a.name ORDER BY a.name LIMIT 1"
        ),
        {"territory": territory_id, "stem": stem},
    ).one_or_none()
    return None if row is None else (row[0], int(row[1]))


def add_links(session: Session, territory_id: int, source: str, rows: Sequence[dict[str, Any]]) -> int:
    """Write what older lists called cells; return how many were new."""
    before = session.execute(text("SELECT count(*) FROM code_link")).scalar_one()
    session.execute(
        text(
            "INSERT INTO code_link (territory_id, old_scheme, old_code, unit_grid_id, new_code, valid_until, source)"
            " SELECT :territory, v.scheme, v.old, v.cell, v.new, v.until, :source FROM unnest("
            " CAST(:schemes AS text[]), CAST(:olds AS text[]), CAST(:cells AS integer[]), CAST(:news AS text[]),"
            " CAST(:untils AS date[])) AS v (scheme, old, cell, new, until) ON CONFLICT DO NOTHING"
        ),
        {
            "territory": territory_id,
            "source": source,
            "schemes": [row["old_scheme"] for row in rows],
            "olds": [row["old_code"] for row in rows],
            "cells": [row["cell"] for row in rows],
            "news": [row["new_code"] for row in rows],
            "untils": [row["until"] for row in rows],
        },
    )
    return int(session.execute(text("SELECT count(*) FROM code_link")).scalar_one() - before)


def crosswalk(session: Session, territory_id: int, *, limit: int | None = None) -> list[dict[str, Any]]:
    """Return which code became which, newest first: of changes made here, and of older lists."""
    rows = session.execute(
        text(
            "SELECT o.scheme AS old_scheme, o.code AS old_code, n.scheme AS new_scheme, n.code AS new_code,"
            " n.started_on AS since, p.shared_m2 / o.area_m2 AS share_of_old, p.shared_m2 / n.area_m2 AS share_of_new,"
            " c.title AS source FROM grid_parent AS p JOIN unit_grid AS o ON o.id = p.parent_id"
            " JOIN unit_grid AS n ON n.id = p.child_id JOIN grid_change AS c ON c.id = p.change_id"
            " WHERE p.territory_id = :territory"
            " UNION ALL SELECT l.old_scheme, l.old_code, g.scheme, l.new_code, l.valid_until, NULL, NULL, l.source"
            " FROM code_link AS l JOIN unit_grid AS g ON g.id = l.unit_grid_id WHERE l.territory_id = :territory"
            " ORDER BY since DESC, old_code, new_code LIMIT :most"
        ),
        {"territory": territory_id, "most": limit},
    )
    return [dict(row) for row in rows.mappings()]


def family(session: Session, territory_id: int | None, cell_id: int) -> list[Relative]:
    """Return a cell and all it came of and all that came of it, the oldest generation first."""
    rows = session.execute(
        text(
            "WITH RECURSIVE up (id, depth) AS (SELECT CAST(:cell AS integer), 0 UNION"
            " SELECT p.parent_id, up.depth - 1 FROM grid_parent AS p JOIN up ON up.id = p.child_id),"
            " down (id, depth) AS (SELECT CAST(:cell AS integer), 0 UNION"
            " SELECT p.child_id, down.depth + 1 FROM grid_parent AS p JOIN down ON down.id = p.parent_id),"
            " kin AS (SELECT id, min(depth) AS depth FROM up GROUP BY id UNION"
            " SELECT id, max(depth) FROM down GROUP BY id)"
            " SELECT k.depth, g.id, g.code, g.scheme, g.started_on, g.ended_on, g.area_m2,"
            " ST_Area(ST_Intersection(g.geom, me.geom)::geography) AS shared_m2,"
            " coalesce((SELECT c.title FROM grid_parent AS p JOIN grid_change AS c ON c.id = p.change_id"
            "   WHERE p.child_id = g.id LIMIT 1), '') AS made_by"
            " FROM kin AS k JOIN unit_grid AS g ON g.id = k.id JOIN unit_grid AS me ON me.id = :cell"
            " WHERE CAST(:territory AS integer) IS NULL OR g.territory_id = :territory"
            " ORDER BY k.depth, g.started_on, g.code, g.id"
        ),
        {"cell": cell_id, "territory": territory_id},
    )
    return [Relative(**row) for row in rows.mappings()]


def community_names(session: Session, territory_id: int) -> list[tuple[int, str, str | None, str]]:
    """Return id, both names and the name of the street of every community, by code."""
    street = aliased(Area)
    rows = session.execute(
        select(Area.id, Area.name, Area.name_zh, street.name_zh, street.name)
        .outerjoin(street, Area.parent_id == street.id)
        .where(Area.territory_id == territory_id, Area.level == "community")
        .order_by(Area.code)
    )
    return [(identity, name, name_zh, zh or english or "") for identity, name, name_zh, zh, english in rows]


def _named(session: Session, territory_id: int, which: Any) -> list[Named]:
    rows = session.execute(
        select(
            UnitGrid.id, UnitGrid.code, UnitGrid.scheme, Area.name, Area.name_zh, UnitGrid.started_on, UnitGrid.ended_on
        )
        .join(Area, Area.id == UnitGrid.community_id)
        .where(UnitGrid.territory_id == territory_id, or_(which))
        .order_by(UnitGrid.ended_on.desc().nulls_first(), UnitGrid.id.desc())
    )
    return [Named(*row) for row in rows]


def live_schemes(session: Session, territory_id: int) -> dict[str, int]:
    """Return the cells in force by the scheme their codes are written by."""
    rows = session.execute(
        text("SELECT scheme, count(*) FROM unit_grid WHERE territory_id = :id AND ended_on IS NULL GROUP BY 1"),
        {"id": territory_id},
    )
    return {scheme: int(count) for scheme, count in rows}


def area_codes(session: Session, territory_id: int) -> dict[int, str]:
    """Return the code of every community."""
    rows = session.execute(
        select(Area.id, Area.code).where(Area.territory_id == territory_id, Area.level == "community")
    )
    return {row[0]: row[1] for row in rows}
