"""Finding places by a few letters: settlements, communities, grids, roads, facilities, units; read-only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, LiteralString

from sqlalchemy import text
from sqlalchemy.orm import Session

EACH_AT_MOST: Final = 6
NEAR_ENOUGH: Final = 0.5
"""Share of the trigrams of what is typed that a name must hold; lower finds names nobody meant."""
LEAST_FOR_NEAR: Final = 4
"""Fewer letters have too few trigrams to be mistyped in."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found.

    Attributes
    ----------
    kind
        area | grid | road | facility | settlement | unit
    detail
        The facility's kind, the level of an area, or the key of what it is.
    lon, lat
        A point of it in degrees; None for a unit.
    """

    kind: str
    id: int
    name: str
    name_zh: str | None
    detail: str
    near: str
    near_zh: str | None
    lon: float | None
    lat: float | None


# How well a name fits what was typed: whole, from its beginning, from the beginning of a word, in it, nearly.
_RANK: Final[LiteralString] = """
    CASE WHEN lower({n}.name) = lower(:typed) OR lower({n}.name_zh) = lower(:typed) THEN 0
         WHEN {n}.name ILIKE :begins OR {n}.name_zh ILIKE :begins THEN 1
         WHEN {n}.name ILIKE '% ' || :begins THEN 2
         WHEN {n}.name ILIKE :holds OR {n}.name_zh ILIKE :holds THEN 3
         ELSE 4 END
"""
_FITS: Final[LiteralString] = (
    "({n}.name ILIKE :holds OR {n}.name_zh ILIKE :holds OR (:near AND (:typed <% {n}.name OR :typed <% {n}.name_zh)))"
)
# How alike is asked of near misses only: two letters are in half of all names, and each would have to be compared.
_ALIKE: Final[LiteralString] = (
    "CASE WHEN :near THEN greatest(word_similarity(:typed, n.name), word_similarity(:typed, n.name_zh)) END"
)
_COMMUNITY: Final[LiteralString] = """
    LEFT JOIN LATERAL (
        SELECT a.id, a.name, a.name_zh FROM area AS a
        WHERE a.territory_id = :territory AND a.level = 'community' AND ST_Intersects(a.boundary, found.at) LIMIT 1
    ) AS c ON true
"""


def _named(table: LiteralString, kind: LiteralString, detail: LiteralString, point: LiteralString) -> LiteralString:
    rank, fits = _RANK.replace("{n}", "n"), _FITS.replace("{n}", "n")
    return f"""
        SELECT '{kind}' AS kind, found.id, found.name, found.name_zh, found.detail, coalesce(c.name, '') AS near,
               c.name_zh AS near_zh, ST_X(found.at) AS lon, ST_Y(found.at) AS lat
        FROM (SELECT n.id, n.name, n.name_zh, {detail} AS detail, {point} AS at, {rank} AS rank,
                     {_ALIKE} AS alike
              FROM {table} AS n WHERE n.territory_id = :territory AND n.name IS NOT NULL AND {fits}
              ORDER BY rank, alike DESC NULLS LAST, length(n.name), n.name, n.id LIMIT :most) AS found
        {_COMMUNITY}
        ORDER BY found.rank, found.alike DESC NULLS LAST, length(found.name), found.name, found.id
    """  # noqa: S608  (parts of this file only)


# A road is many stretches: of one name in one community only the longest counts.
_ROADS: Final[LiteralString] = f"""
    SELECT 'road' AS kind, one.id, one.name, one.name_zh, '' AS detail, coalesce(one.near, '') AS near, one.near_zh,
           ST_X(one.at) AS lon, ST_Y(one.at) AS lat
    FROM (SELECT DISTINCT ON (found.name, c.id) found.*, c.name AS near, c.name_zh AS near_zh
          FROM (SELECT n.id, n.name, n.name_zh, n.length_m, ST_LineInterpolatePoint(n.geom, 0.5) AS at,
                       {_RANK.replace("{n}", "n")} AS rank,
                       {_ALIKE} AS alike
                FROM road AS n
                WHERE n.territory_id = :territory AND n.name IS NOT NULL AND {_FITS.replace("{n}", "n")}
                ORDER BY rank, alike DESC NULLS LAST, length(n.name), n.length_m DESC LIMIT 300) AS found
          {_COMMUNITY}
          ORDER BY found.name, c.id, found.length_m DESC) AS one
    ORDER BY one.rank, one.alike DESC NULLS LAST, length(one.name), one.name, one.length_m DESC LIMIT :most
"""  # noqa: S608  (parts of this file only)
_AREAS: Final[LiteralString] = f"""
    SELECT 'area' AS kind, n.id, n.name, n.name_zh, n.level AS detail, coalesce(p.name, '') AS near,
           p.name_zh AS near_zh, ST_X(ST_PointOnSurface(n.boundary)) AS lon, ST_Y(ST_PointOnSurface(n.boundary)) AS lat
    FROM area AS n LEFT JOIN area AS p ON p.id = n.parent_id
    WHERE n.territory_id = :territory AND {_FITS.replace("{n}", "n")}
    ORDER BY {_RANK.replace("{n}", "n")}, n.name, n.id LIMIT :most
"""  # noqa: S608  (parts of this file only)
_GRIDS: Final[LiteralString] = """
    SELECT 'grid' AS kind, n.id, n.code AS name, NULL AS name_zh,
           CASE WHEN n.ended_on IS NULL THEN '' ELSE 'ended' END AS detail,
           coalesce(c.name, '') AS near, c.name_zh AS near_zh,
           ST_X(ST_PointOnSurface(n.geom)) AS lon, ST_Y(ST_PointOnSurface(n.geom)) AS lat
    FROM (SELECT * FROM unit_grid WHERE territory_id = :territory AND code ILIKE :holds
          ORDER BY code NOT ILIKE :begins, ended_on IS NOT NULL, code, id DESC LIMIT :most) AS n
    LEFT JOIN area AS c ON c.id = n.community_id
    ORDER BY n.code NOT ILIKE :begins, n.ended_on IS NOT NULL, n.code, n.id DESC
"""
_UNITS: Final[LiteralString] = f"""
    SELECT 'unit' AS kind, n.id, n.name, n.name_zh, n.code AS detail, '' AS near, NULL AS near_zh,
           NULL AS lon, NULL AS lat
    FROM unit AS n
    WHERE n.territory_id = :territory AND n.valid_to IS NULL AND (n.code ILIKE :begins OR {_FITS.replace("{n}", "n")})
    ORDER BY {_RANK.replace("{n}", "n")}, n.name, n.id LIMIT :most
"""  # noqa: S608  (parts of this file only)
_ALL: Final[tuple[LiteralString, ...]] = (
    _AREAS,
    _named("place_name", "settlement", "n.kind", "n.geom"),
    _GRIDS,
    _ROADS,
    _named("facility", "facility", "n.kind", "n.geom"),
    _UNITS,
)


def find_places(session: Session, territory_id: int, typed: str, *, most: int = EACH_AT_MOST) -> list[Hit]:
    """Return what is called as typed, the best fits of each kind first; empty for fewer than two signs.

    A name fits when it holds the text, in English or Chinese, upper or lower case; from four letters on also when
    it nearly does, by the trigrams of PostgreSQL's pg_trgm.
    """
    typed = " ".join(typed.split())
    if len(typed) < 2:
        return []
    plain = typed.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    session.execute(
        text("SELECT set_config('pg_trgm.word_similarity_threshold', :near, true)"), {"near": str(NEAR_ENOUGH)}
    )
    given = {
        "territory": territory_id,
        "typed": typed,
        "begins": f"{plain}%",
        "holds": f"%{plain}%",
        "near": len(typed) >= LEAST_FOR_NEAR,
        "most": most,
    }
    return [Hit(*row) for statement in _ALL for row in session.execute(text(statement), given)]
