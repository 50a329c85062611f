"""All SQL of where incidents are at home when cells end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pandas as pd
from sqlalchemy import text
from sqlalchemy.orm import Session


def ended(session: Session, territory_id: int) -> list[int]:
    """Return the cells of a territory that have ended."""
    rows = session.scalars(
        text("SELECT id FROM unit_grid WHERE territory_id = :id AND ended_on IS NOT NULL"), {"id": territory_id}
    )
    return list(rows)


def settled(session: Session, cell_ids: Sequence[int]) -> pd.DataFrame:
    """Return the settled incidents that lie on the ground of cells: id, lon, lat, by id."""
    rows = session.execute(
        text(
            "SELECT id, ST_X(geom), ST_Y(geom) FROM incident WHERE status IN ('closed', 'void') AND ("
            " grid_id = ANY(CAST(:ids AS integer[])) OR id = ANY(ARRAY("
            "  SELECT incident_id FROM incident_ground WHERE grid_id = ANY(CAST(:ids AS integer[]))))) ORDER BY id"
        ),
        {"ids": list(cell_ids)},
    ).all()
    return pd.DataFrame(rows, columns=["id", "lon", "lat"])


def note_ground(session: Session, territory_id: int, incident_ids: Sequence[int], cell_ids: Sequence[int]) -> None:
    """Write in which cell of today settled incidents lie."""
    session.execute(
        text(
            "INSERT INTO incident_ground (incident_id, territory_id, grid_id) SELECT v.id, :territory, v.cell"
            " FROM unnest(CAST(:ids AS bigint[]), CAST(:cells AS integer[])) AS v (id, cell)"
            " ON CONFLICT (incident_id) DO UPDATE SET grid_id = excluded.grid_id"
        ),
        {"territory": territory_id, "ids": list(incident_ids), "cells": list(cell_ids)},
    )


def rehome(session: Session, territory_id: int, moved: pd.DataFrame, homes: Sequence[int], day: dt.date) -> None:
    """Keep where open incidents were, and put them into their new cells."""
    given = {
        "territory": territory_id,
        "ids": moved["id"].tolist(),
        "old": moved["grid_id"].tolist(),
        "new": list(homes),
        "day": day,
    }
    pairs = "unnest(CAST(:ids AS bigint[]), CAST(:old AS integer[]), CAST(:new AS integer[])) AS v (id, old, new)"
    session.execute(
        text(
            "INSERT INTO incident_home (territory_id, incident_id, grid_id, until)"  # noqa: S608  (ours)
            f" SELECT :territory, v.id, v.old, :day FROM {pairs}"
        ),
        given,
    )
    session.execute(
        text(f"UPDATE incident AS i SET grid_id = v.new FROM {pairs} WHERE i.id = v.id"),  # noqa: S608  (ours)
        given,
    )
