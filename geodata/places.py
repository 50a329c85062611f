"""Finding a place by what people call it: settlements, facilities, roads and codes of unit grids."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import text
from sqlalchemy.orm import Session

SHOWN_MOST = 8
LIKELY = 0.72
"""How alike (0 to 1) a name must be to be offered for a mistyped one."""
_NUMBER = re.compile(r"(?:\b(?:no\.?|number)\s*)?\b\d{1,5}[a-z]?\b|\d{1,5}\s*号", re.IGNORECASE)
_LESSER = {"bus_stop", "parking"}
"""Facilities that are seldom meant when they carry the name of their street."""
_ORDER = {"place": 0, "facility": 1, "road": 2, "grid": 3}


@dataclass(frozen=True, slots=True)
class Place:
    """A place that can be meant.

    Attributes
    ----------
    kind
        ``place``, ``facility``, ``road`` or ``grid``.
    detail
        Kind of the facility, else empty.
    community
        In which community it lies; empty outside all.
    guessed
        The name was not found as written; this is the nearest one.
    """

    kind: str
    name: str
    name_zh: str | None
    detail: str
    community: str
    community_zh: str | None
    lon: float
    lat: float
    guessed: bool = False


_PLAIN = "translate({}, '''’.', '')"
_CANDIDATES = """
    WITH hits AS MATERIALIZED (
        SELECT 'place' AS kind, name, name_zh, '' AS detail, geom FROM place_name
        WHERE territory_id = :territory AND ({name} ILIKE :part OR name_zh ILIKE :part)
        UNION ALL
        SELECT 'facility', coalesce(name, name_zh), name_zh, kind, geom FROM facility
        WHERE territory_id = :territory AND ({name} ILIKE :part OR name_zh ILIKE :part)
        UNION ALL
        SELECT 'grid', code, NULL, '', ST_PointOnSurface(geom) FROM unit_grid
        WHERE territory_id = :territory AND ended_on IS NULL AND :code <> '' AND code LIKE :code
    ), roads AS MATERIALIZED (
        SELECT id, coalesce(name, name_zh) AS name, name_zh, geom, length_m FROM road
        WHERE territory_id = :territory AND ({name} ILIKE :part OR name_zh ILIKE :part)
    ), stretches AS (
        SELECT r.name, r.name_zh, r.geom, r.length_m, a.id AS area_id
        FROM roads r LEFT JOIN LATERAL (
            SELECT area.id FROM area WHERE territory_id = :territory AND level = 'community'
              AND ST_Intersects(boundary, ST_LineInterpolatePoint(r.geom, 0.5)) LIMIT 1
        ) a ON true
    ), named AS (
        SELECT 'road' AS kind, name, max(name_zh) AS name_zh, '' AS detail,
               ST_ClosestPoint(ST_Collect(geom), ST_Centroid(ST_Collect(geom))) AS geom, area_id
        FROM stretches GROUP BY name, area_id
    ), found AS (
        SELECT kind, name, name_zh, detail, geom, area_id FROM named
        UNION ALL
        SELECT h.kind, h.name, h.name_zh, h.detail, h.geom, a.id FROM hits h LEFT JOIN LATERAL (
            SELECT area.id FROM area WHERE territory_id = :territory AND level = 'community'
              AND ST_Intersects(boundary, h.geom) LIMIT 1
        ) a ON true
    )
    SELECT f.kind, f.name, f.name_zh, f.detail, coalesce(area.name, '') AS community, area.name_zh AS community_zh,
           ST_X(f.geom) AS lon, ST_Y(f.geom) AS lat
    FROM found f LEFT JOIN area ON area.id = f.area_id
    ORDER BY CASE WHEN lower({f_name}) = lower(:plain) OR f.name_zh = :plain THEN 0
                  WHEN {f_name} ILIKE :start OR f.name_zh ILIKE :start THEN 1
                  WHEN {f_name} ILIKE :word THEN 2 ELSE 3 END,
             length(f.name), f.name, community
    LIMIT 200
""".format(name=_PLAIN.format("name"), f_name=_PLAIN.format("f.name"))  # noqa: S608  (fixed text, no value of a user)
_NAMES = """
    SELECT DISTINCT name FROM (
        SELECT name FROM road WHERE territory_id = :territory
        UNION ALL SELECT name FROM facility WHERE territory_id = :territory
        UNION ALL SELECT name FROM place_name WHERE territory_id = :territory
    ) AS named WHERE name IS NOT NULL
"""


def find_places(session: Session, territory_id: int, wanted: str, *, limit: int = SHOWN_MOST) -> list[Place]:
    """Return the places of a territory that ``wanted`` can mean, the likeliest first; empty when none is.

    House numbers are left aside; what stands after a comma (a town, a community) narrows; when nothing
    has such a name, names that look alike are offered as guesses.
    """
    name, around = _parts(wanted)
    if len(name) < 2 and not re.search(r"[\u4e00-\u9fff]", name):
        return []
    found = _named(session, territory_id, name, around)
    if not found:
        found = [
            replace(place, guessed=True)
            for alike in _alike(session, territory_id, name)
            for place in _named(session, territory_id, alike, around)
            if place.name == alike
        ]
    return found[:limit]


def _parts(wanted: str) -> tuple[str, list[str]]:
    """Return the name that is looked for, without house number, and what must lie around it."""
    pieces = [" ".join(piece.split()) for piece in re.split(r"[,，;；]", wanted)]
    pieces = [_bare(piece) for piece in pieces if piece]
    if not pieces:
        return "", []
    if re.fullmatch(r"[\d-]+", pieces[0]):
        # A first piece of figures is a house number, unless it is all there is: then it may be a code.
        return (pieces[1], pieces[2:]) if len(pieces) > 1 else (pieces[0], [])
    plain = " ".join(_NUMBER.sub(" ", pieces[0]).split())
    return plain or pieces[0], pieces[1:]


def _bare(name: str) -> str:
    """Return a name without the marks that people leave out or put in as they like."""
    return re.sub("['’.]", "", name)


def _once(places: Iterable[Place]) -> list[Place]:
    """Return one of each: stops and entrances carry one name several times over."""
    return list({(each.kind, each.name, each.detail, each.community): each for each in places}.values())


def _named(session: Session, territory_id: int, name: str, around: Sequence[str]) -> list[Place]:
    escaped = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    code = escaped + "%" if re.fullmatch(r"[0-9-]{3,20}", name) else ""
    rows = session.execute(
        text(_CANDIDATES),
        {
            "territory": territory_id,
            "plain": name,
            "part": f"%{escaped}%",
            "start": f"{escaped}%",
            "word": f"% {escaped}%",
            "code": code,
        },
    )
    places = _once(Place(**row) for row in rows.mappings())
    close = [place for place in places if _lies_in(place, around)] if around else places
    return sorted(close or places, key=lambda place: _rank(place, name))


def _rank(place: Place, name: str) -> tuple[int, int, int, str, str]:
    own, wanted = _bare(place.name).casefold(), name.casefold()
    fits = (
        0 if wanted in {own, place.name_zh or ""} else 1 if own.startswith(wanted) else 2 if f" {wanted}" in own else 3
    )
    return (fits, _ORDER[place.kind], len(own), own, place.community)


def _lies_in(place: Place, around: Iterable[str]) -> bool:
    where = f"{place.community} {place.community_zh or ''}".casefold()
    return any(part.casefold() in _bare(where) for part in around)


def _alike(session: Session, territory_id: int, name: str) -> list[str]:
    """Return the names that look like a mistyped one."""
    names: dict[str, str] = {}
    for known in session.scalars(text(_NAMES), {"territory": territory_id}):
        names.setdefault(known.casefold(), known)
    return [names[key] for key in difflib.get_close_matches(name.casefold(), list(names), n=3, cutoff=LIKELY)]
