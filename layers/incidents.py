"""Incidents: points when near. When far the map draws counts from the value arrays, without any tile."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from core.identity import May
from layers.registry import LayerEntry, t
from layers.tiles import WITH_MARGIN, as_layer, in_tile, together

POINTS_FROM = 14
"""First tile zoom with points; the map shows them from display zoom 15."""


def statement(z: int) -> LiteralString:
    """Return the SQL of a tile at zoom ``z``.

    The filter goes by grid and not by position: PostGIS operators are not leakproof, so row-level
    security would keep an index on the position from being used. Each point carries what the map
    filters and colours by, so that a filter needs no new tile: local day of report (days since
    1970), category, status, and the deadline of open ones that are not postponed (minutes since 1970).
    """
    if z < POINTS_FROM:
        return "SELECT ''::bytea"
    cells: LiteralString = f"SELECT id FROM unit_grid WHERE territory_id = %(territory)s AND geom && {WITH_MARGIN}"
    return together(
        as_layer(
            "incident",
            "SELECT id, number, category, status, priority,"
            " (reported_at AT TIME ZONE %(zone)s)::date - DATE '1970-01-01' AS day,"
            " CASE WHEN status NOT IN ('closed', 'void') AND (postponed_until IS NULL OR postponed_until <= now())"
            " THEN (EXTRACT(epoch FROM due_at) / 60)::int END AS due,"
            f" {in_tile('geom')} AS geom FROM incident"
            f" WHERE territory_id = %(territory)s AND grid_id = ANY(ARRAY({cells}))"
            " ORDER BY status IN ('closed', 'void') DESC, reported_at",
            feature_id=True,
        )
    )


def statement_on(z: int) -> LiteralString:
    """Return the SQL of a tile of what was reported by the end of ``%(day)s``, open or closed as it was then.

    The map says late by the present, so deadlines are moved by as much as the day lies back.
    """
    if z < POINTS_FROM:
        return "SELECT ''::bytea"
    cells: LiteralString = f"SELECT id FROM unit_grid WHERE territory_id = %(territory)s AND geom && {WITH_MARGIN}"
    night: LiteralString = "((%(day)s::date + 1)::timestamp AT TIME ZONE %(zone)s)"
    return together(
        as_layer(
            "incident",
            "SELECT id, number, category, priority, stood AS status, day,"
            " CASE WHEN stood = 'filed' THEN (EXTRACT(epoch FROM due_at + (now() - night)) / 60)::int END AS due,"
            f" {in_tile('geom')} AS geom FROM (SELECT id, number, category, priority, due_at, geom, {night} AS night,"
            " CASE WHEN status = 'void' THEN 'void'"
            f" WHEN closed_at < {night} THEN 'closed' ELSE 'filed' END AS stood, reported_at,"
            " (reported_at AT TIME ZONE %(zone)s)::date - DATE '1970-01-01' AS day FROM incident"
            f" WHERE territory_id = %(territory)s AND reported_at < {night} AND grid_id = ANY(ARRAY({cells}))"
            ") AS stood_then ORDER BY stood IN ('closed', 'void') DESC, reported_at",
            feature_id=True,
        )
    )


ENTRY = LayerEntry(
    key="incidents",
    title=t("Incidents"),
    title_zh="案件",
    order=90,
    freshness="at once after a change",
    freshness_zh="变更后即时更新",
    depends_on=("incidents", "grids"),
    zooms=(POINTS_FROM, 15),
    statement=statement,
    capability=May.SEE_INCIDENT_POINTS,
    statement_on=statement_on,
)
