"""What a playback shows: incidents reported in every hour, day or week of a period, by cell, in one answer."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

import json
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.identity import Actor, May, require
from layers.registry import t
from layers.style import class_edges
from layers.values import Question, cells_of, values_key

STEPS = {"hour": t("By hour"), "day": t("By day"), "week": t("By week")}
MOST_DAYS = {"hour": 31, "day": 400, "week": 366 * 20}
"""How long a period each step plays: more frames than that nobody watches."""
MAGIC = b"GKF1"
_ROW = np.dtype([("frame", ">i4"), ("cell", ">i4"), ("count", ">i4")])
_ONE = " || ".join(f"int4send({name}::int)" for name in ("frame", "grid", "counted"))


@dataclass(frozen=True, eq=False)
class Frames:
    """Counts by moment and cell; what was reported in none is left out.

    Attributes
    ----------
    count
        How many moments the period has, also those in which nothing was reported.
    frame, cell, counts
        One entry a moment and cell, ordered by moment; cells by identity minus ``first_id``.
    edges
        Lower edges of the classes, the same for all moments, so that they can be compared.
    """

    first_id: int
    cells: int
    count: int
    frame: NDArray[np.int32]
    cell: NDArray[np.int32]
    counts: NDArray[np.int32]
    edges: tuple[float, ...]

    def totals(self) -> NDArray[np.int64]:
        """Return how many incidents were reported in each moment."""
        return np.bincount(self.frame, weights=self.counts, minlength=self.count).astype(np.int64)

    def encoded(self) -> bytes:
        """Return the answer as bytes, little-endian.

        Four bytes of magic, the length of a JSON header as uint32, the header padded to four bytes, then as uint32
        where each moment ends, the cells of all moments, and their counts.
        """
        header = json.dumps({
            "first": self.first_id, "cells": self.cells, "frames": self.count, "entries": len(self.cell),
            "edges": self.edges, "totals": self.totals().tolist(),
        }, separators=(",", ":"))  # fmt: skip
        body = header.encode()
        body += b" " * (-len(body) % 4)
        ends = np.searchsorted(self.frame, np.arange(self.count), side="right")
        parts = (part.astype("<u4").tobytes() for part in (ends, self.cell, self.counts))
        return MAGIC + struct.pack("<I", len(body)) + body + b"".join(parts)


def needs_incidents(question: Question, step: str) -> bool:
    """Return whether single incidents are read: their hour and their deadline stand in no summary."""
    return step == "hour" or _status(question) == "overdue"


def frames(session: Session, actor: Actor, question: Question, step: str) -> Frames:
    """Return what was reported moment by moment; of the question's period, categories and status.

    Raises
    ------
    InvalidInput
        When there is no such step, or the period is too long for it.
    NotPermitted
        When single incidents are needed and the role may not see them.
    """
    require(actor, May.SEE_MAP)
    if step not in STEPS:
        raise InvalidInput(f"There is no step {step!r}.", hint=f"Known are: {', '.join(STEPS)}.")
    days = (question.last - question.first).days + 1
    if days > MOST_DAYS[step]:
        raise InvalidInput(
            f"A period of {days} days is too long to be played {step} by {step}.",
            hint=f"Choose {MOST_DAYS[step]} days or fewer, or a longer step.",
        )
    single = needs_incidents(question, step)
    if single:
        require(actor, May.SEE_INCIDENTS)
        if question.day is not None:
            raise InvalidInput(
                "Hours and deadlines are played as they stand today.", hint="Play a past day's view by day or by week."
            )
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Say which territory you mean.")
    cells = cells_of(session, actor.territory_id, question.day)
    count = {"hour": days * 24, "day": days, "week": -(-days // 7)}[step]
    rows = _read(session, _of_incidents(question) if single else _of_days(question), actor.territory_id, question, step)
    at = rows["cell"].astype(np.int64) - cells.first_id
    inside = (at >= 0) & (at < len(cells)) & (rows["frame"] >= 0) & (rows["frame"] < count)
    inside[inside] = cells.live[at[inside]]
    rows, at = rows[inside], at[inside]
    counts = rows["count"].astype(np.int32)
    edges = tuple(class_edges(counts.astype(np.float64), whole=True, classes=5))
    return Frames(cells.first_id, len(cells), count, rows["frame"].astype(np.int32), at.astype(np.int32), counts, edges)


def frames_key(actor: Actor, question: Question, step: str) -> tuple[object, ...] | None:
    """Return the cache key of an answer; None when nothing may be cached."""
    key = values_key(actor, question)
    return None if key is None else ("frames", step, *key)


def _status(question: Question) -> str:
    return question.metric if question.metric in {"open", "overdue"} else question.status


def _read(session: Session, source: str, territory_id: int, question: Question, step: str) -> NDArray[np.void]:
    blob = session.execute(
        text(
            f"WITH chosen AS ({source}), summed AS (SELECT at / :length AS frame, grid, sum(n) AS counted"
            " FROM chosen WHERE grid IS NOT NULL AND n > 0 GROUP BY 1, 2)"
            f" SELECT string_agg({_ONE}, ''::bytea ORDER BY frame, grid) FROM summed"
        ),
        _given(territory_id, question, step),
    ).scalar()
    return np.frombuffer(blob or b"", dtype=_ROW)


def _given(territory_id: int, question: Question, step: str) -> dict[str, object]:
    return {
        "territory": territory_id,
        "first": question.first,
        "last": question.last,
        "categories": None if question.categories is None else list(question.categories),
        "day": question.day,
        "length": 7 if step == "week" else 1,
        "hours": step == "hour",
    }


_CHOSEN = "(CAST(:categories AS text[]) IS NULL OR category = ANY(CAST(:categories AS text[])))"


def _of_days(question: Question) -> str:
    """Return the SQL of the summary: what every role may count."""
    weight = {"open": "open", "closed": "closed"}.get(_status(question), "open + closed")
    source = (
        "(SELECT grid_id, day, category, open, closed FROM incident_day WHERE territory_id = :territory"
        " UNION ALL SELECT grid_id, day, category, open, closed FROM gk_ground_days(:territory)) AS days"
        if question.day is None
        else "gk_days_on(:territory, :day) AS days"
    )
    return (
        f"SELECT grid_id AS grid, day - CAST(:first AS date) AS at, {weight} AS n FROM {source}"
        f" WHERE day BETWEEN :first AND :last AND {_CHOSEN}"
    )


def _of_incidents(question: Question) -> str:
    """Return the SQL of single incidents, as far as the actor sees them."""
    settled = "status IN ('closed', 'void')"
    wanted = {
        "open": f"NOT {settled}",
        "closed": "status = 'closed'",
        "overdue": f"NOT {settled} AND due_at < now() AND (postponed_until IS NULL OR postponed_until < now())",
    }.get(_status(question), "status <> 'void'")
    local = "(reported_at AT TIME ZONE zone)"
    return (
        "SELECT grid_id AS grid, 1 AS n, CASE WHEN :hours"
        f" THEN floor(extract(epoch FROM {local} - CAST(:first AS date)::timestamp) / 3600)::int"
        f" ELSE {local}::date - CAST(:first AS date) END AS at"
        " FROM incident, (SELECT timezone AS zone FROM territory WHERE id = :territory) AS here"
        " WHERE territory_id = :territory AND reported_at >= CAST(:first AS date)::timestamp AT TIME ZONE zone"
        f" AND reported_at < (CAST(:last AS date) + 1)::timestamp AT TIME ZONE zone AND {wanted} AND {_CHOSEN}"
    )
