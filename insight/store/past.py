"""SQL of evaluating as of a day: facts as they stood at its end.

Most incidents went no further after a day, or only in ways that dates tell: what was filed, handled or closed later
was not yet. Those that the record tells more of after that day (opened again, given back, moved to another cell, unit
or class, a word, an appeal) are folded once more from the acts until then. What a file brought in counts by its own
dates, not by the day of the file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from insight.store import folding

KEPT_DAYS = 40
"""Days whose facts are kept in a territory; the oldest give way."""
COLUMNS = (
    *("incident_id", "territory_id", "source", "class_id", "urgent", "grid_id", "community_id", "unit_id", "worker_id"),
    *("reported_at", "due_at", "duplicate_of", "dispatches", "returns", "reworks", "reopens", "word_reached"),
    *("word_solved", "word_satisfied", "excused", "postponed_until"),
)
_DATED = ("filed_at", "handled_at", "closed_at", "word_at", "word_closed_at")
_ALL = ", ".join((*COLUMNS, "status", *_DATED))
_BOTH = (
    f"SELECT {_ALL} FROM incident_fact WHERE territory_id = :territory AND incident_id <> ALL (:past)"  # noqa: S608
    f" UNION ALL SELECT {_ALL} FROM incident_fact_past WHERE territory_id = :territory AND day = :day"
)
_CLIPPED = (
    f"SELECT {', '.join(COLUMNS)},"  # noqa: S608  (names of ours only)
    " CASE WHEN status <> 'closed' OR closed_at <= :moment THEN status"
    " WHEN handled_at <= :moment THEN 'checking' ELSE 'handling' END AS status,"
    + ", ".join(f" CASE WHEN {name} <= :moment THEN {name} END AS {name}" for name in _DATED)
    + f" FROM ({_BOTH}) AS both_kinds"
)
SOURCE = f"(SELECT q.*, ({folding.MARKS_SQL}) AS marks FROM ({_CLIPPED}) AS q)"  # noqa: S608  (names of ours only)
"""Facts at the end of ``:day``, which is ``:moment``; ``:past`` are the incidents with a fact of their own for it."""
_TOUCHED = """
    SELECT DISTINCT t.id FROM (
        SELECT CASE WHEN r.subject_table = 'incident' THEN r.subject_id
                    ELSE coalesce(r.after, r.before) ->> 'incident_id' END AS id FROM record AS r
        WHERE r.territory_id = :territory AND r.subject_table IN ('incident', 'citizen_word', 'appeal')
          AND r.seq > :from_seq AND r.at >= :night AND r.action IN ('insert', 'update', 'delete')
        UNION ALL
        SELECT CASE WHEN r.subject_table = 'incident' THEN l.subject_id
                    ELSE coalesce(l.after, l.before) ->> 'incident_id' END
        FROM record AS r JOIN load_row AS l ON l.record_seq = r.seq
        WHERE r.territory_id = :territory AND r.subject_table IN ('incident', 'citizen_word', 'appeal')
          AND r.seq > :from_seq AND r.at >= :night AND r.action IN ('bulk_update', 'bulk_delete')
    ) AS t JOIN incident AS i ON i.id = t.id::bigint
    WHERE i.reported_at < :night AND NOT EXISTS (
        SELECT FROM incident_fact_past AS p WHERE p.day = :day AND p.incident_id = i.id
    )
"""


@dataclass(frozen=True, slots=True)
class Then:
    """A day that is asked about, and the incidents with a fact of their own for it."""

    day: dt.date
    incident_ids: tuple[int, ...]


def night_of(session: Session, territory_id: int, day: dt.date) -> dt.datetime:
    """Return the moment a day ends in a territory."""
    found = session.execute(
        text("SELECT (CAST(:day AS date) + 1)::timestamp AT TIME ZONE timezone FROM territory WHERE id = :id"),
        {"day": day, "id": territory_id},
    ).scalar_one()
    return found if isinstance(found, dt.datetime) else dt.datetime.fromisoformat(str(found))


def touched_after(session: Session, territory_id: int, day: dt.date, night: dt.datetime) -> list[str]:
    """Return the incidents reported by a day that the record tells more of since, without those kept already."""
    # A batch that was sealed by then holds nothing that was written later.
    sealed = session.execute(
        text("SELECT coalesce(max(last_seq), 0) FROM record_batch WHERE sealed_at < :night"), {"night": night}
    ).scalar_one()
    given = {"territory": territory_id, "day": day, "night": night, "from_seq": sealed}
    return list(session.scalars(text(_TOUCHED), given))


def fold_until(  # noqa: PLR0917  (what, and until when)
    session: Session, territory_id: int, day: dt.date, night: dt.datetime, ids: Sequence[str], held: Sequence[str]
) -> int:
    """Fold incidents from their acts until the end of a day, and keep the facts; return how many."""
    given = {"territory": territory_id, "ids": list(ids), "held": list(held), "day": day, "night": night}
    done = session.execute(text(folding.until_sql()), given).one()
    return int(done[1])


def kept(session: Session, territory_id: int, day: dt.date) -> tuple[int, ...]:
    """Return the incidents with a fact of their own for a day."""
    rows = session.scalars(
        text("SELECT incident_id FROM incident_fact_past WHERE territory_id = :territory AND day = :day"),
        {"territory": territory_id, "day": day},
    )
    return tuple(rows)


def let_go(session: Session, territory_id: int, asked: dt.date) -> None:
    """Let the facts of the oldest days go where too many are kept; never those of the day that is asked about."""
    session.execute(
        text(
            "DELETE FROM incident_fact_past WHERE territory_id = :territory AND day IN ("
            " SELECT day FROM incident_fact_past WHERE territory_id = :territory GROUP BY day"
            " ORDER BY day = :asked DESC, day DESC OFFSET :most)"
        ),
        {"territory": territory_id, "most": KEPT_DAYS, "asked": asked},
    )
