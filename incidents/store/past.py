"""SQL of the list of incidents as it stood at the end of a day of the past."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.identity import Actor
from geodata.tables import OPEN_STATUSES
from incidents.model import IncidentFilter
from incidents.past_model import PastRow

_STOOD = (
    "SELECT i.id, i.number, c.name_en, c.name_zh, i.reported_at, i.place, g.id AS grid_id, g.code AS grid_code,"
    " a.name AS community, a.name_zh AS community_zh, i.status AS status_now,"
    " CASE WHEN i.status = 'void' OR i.reopens > 0 THEN coalesce("
    "   CASE gk_stood_open(i.id, :night) WHEN true THEN 'open' WHEN false THEN 'closed' END,"
    "   CASE WHEN i.status = 'void' THEN 'void' WHEN i.closed_at < :night THEN 'closed' ELSE 'open' END)"
    "  WHEN i.closed_at < :night THEN 'closed' ELSE 'open' END AS stood"
    " FROM incident AS i JOIN incident_class AS c ON c.id = i.class_id"
    " LEFT JOIN LATERAL (SELECT h.grid_id FROM incident_home AS h WHERE h.incident_id = i.id AND h.until > :day"
    "  ORDER BY h.until, h.id LIMIT 1) AS h ON true"
    " JOIN unit_grid AS g ON g.id = coalesce(h.grid_id, i.grid_id) JOIN area AS a ON a.id = g.community_id"
    " WHERE i.territory_id = :territory AND i.reported_at < :night AND (CAST(:since AS timestamptz) IS NULL"
    "  OR i.reported_at >= :since) AND (CAST(:before AS timestamptz) IS NULL OR i.reported_at < :before)"
    " AND (:every_category OR i.category = ANY(CAST(:categories AS text[])))"
    " AND (CAST(:part AS text) = '' OR i.number ILIKE :like OR i.place ILIKE :like)"
    " AND (CAST(:grid AS integer) IS NULL OR g.id = :grid)"
    " AND (CAST(:community AS integer) IS NULL OR g.community_id = :community)"
    " AND (CAST(:unit AS integer) IS NULL OR i.unit_id = :unit)"
    " AND (CAST(:worker AS integer) IS NULL OR i.worker_id = :worker)"
)
_WANTED = "(:every_state OR stood = ANY(CAST(:states AS text[])))"


def page(
    session: Session, actor: Actor, wanted: IncidentFilter, day: dt.date, spans: dict[str, dt.datetime | None], *,
    offset: int, limit: int,
) -> list[PastRow]:  # fmt: skip
    """Return up to ``limit`` incidents as they stood at the end of a day, the newest report first."""
    rows = session.execute(
        text(
            f"SELECT * FROM ({_STOOD}) AS was WHERE {_WANTED} ORDER BY reported_at DESC, id DESC"  # noqa: S608  (ours)
            " OFFSET :offset LIMIT :limit"
        ),
        {**_asked(actor, wanted, day, spans), "offset": offset, "limit": limit},
    )
    return [PastRow(*row) for row in rows]


def count(
    session: Session, actor: Actor, wanted: IncidentFilter, day: dt.date, spans: dict[str, dt.datetime | None]
) -> dict[str, int]:
    """Return how many incidents stood how at the end of a day."""
    rows = session.execute(
        text(f"SELECT stood, count(*) FROM ({_STOOD}) AS was WHERE {_WANTED} GROUP BY 1"),  # noqa: S608  (ours)
        _asked(actor, wanted, day, spans),
    )
    return {stood: int(number) for stood, number in rows}


def _asked(
    actor: Actor, wanted: IncidentFilter, day: dt.date, spans: dict[str, dt.datetime | None]
) -> dict[str, object]:
    states = {"open" if status in OPEN_STATUSES else status for status in wanted.statuses}
    part = wanted.text.strip()
    plain = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {
        **spans,
        "day": day,
        "territory": actor.territory_id,
        "every_category": not wanted.categories,
        "categories": list(wanted.categories),
        "part": part,
        "like": f"%{plain}%",
        "grid": wanted.grid_id,
        "community": wanted.community_id,
        "unit": wanted.unit_id,
        "worker": wanted.worker_id,
        "every_state": not states,
        "states": sorted(states),
    }
