"""What citizens say of the simulated year when they are called back, and who still waits for a call."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from geodata.bulk import copy_rows
from geodata.territory import TerritoryInfo
from incidents.words import CITIZENS

ASKED = 0.3
"""Share of the closed reports of citizens that were called back about."""
REACHED = 0.86
CALL_H = 18.0
"""Median hours from the close to the call."""
WAITING_DAYS = 2
"""What was closed so lately and not called back about waits for a call."""


def write_voices(
    session: Session, territory: TerritoryInfo, frame: pd.DataFrame, until: np.datetime64, *, seed: int
) -> int:
    """Write the citizens' words and the calls that wait; return how many of these.

    Who was served late or had the work done twice is less often content.
    """
    rng = np.random.default_rng([seed, 27])
    rows = frame[frame["source"].isin(CITIZENS) & (frame["status"] == "closed")]
    asked = rng.random(len(rows)) < ASKED
    told_at = rows["closed_at"] + pd.to_timedelta(CALL_H * rng.lognormal(0.0, 0.8, len(rows)), unit="h")
    asked &= (told_at < until).to_numpy()
    late = (rows["due_at"].notna() & (rows["closed_at"] > rows["due_at"])).to_numpy()
    again = (rows["reworks"] > 0).to_numpy()
    reached = rng.random(len(rows)) < REACHED
    solved = rng.random(len(rows)) < np.where(again, 0.72, np.where(late, 0.8, 0.93))
    mood = rng.normal(4.3, 0.8, len(rows)) - 0.8 * late - 0.6 * again - 1.6 * ~solved
    satisfied = np.clip(np.round(mood), 1, 5)
    words = pd.DataFrame(
        {
            "incident_id": rows["id"],
            "reached": reached,
            "solved": pd.Series(solved, rows.index, dtype=object).where(reached, None),
            "satisfied": np.where(reached, satisfied, np.nan),
            "told_at": told_at,
            "closed_at": rows["closed_at"],
        }
    )[asked].sort_values("told_at", kind="stable")
    waits = rows[~asked & (rows["closed_at"] >= until - np.timedelta64(WAITING_DAYS, "D")).to_numpy()]
    columns = {name: words[name].to_numpy() for name in words.columns}
    copy_rows(session, "citizen_word", {"territory_id": np.full(len(words), territory.id), **columns})
    return copy_rows(
        session,
        "task",
        {
            "territory_id": np.full(len(waits), territory.id),
            "incident_id": waits["id"].to_numpy(),
            "kind": np.full(len(waits), "visit", dtype=object),
            "state": np.full(len(waits), "waiting", dtype=object),
            "created_at": waits["closed_at"].to_numpy(),
        },
    )
