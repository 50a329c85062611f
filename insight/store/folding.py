"""SQL of folding the record into facts.

What is new is found by the batches of the record's seal, not by its sequence numbers: a transaction
that commits late brings a row with a number below one that was read already, and a watermark by number
would lose it. Batches are numbered by who found the rows committed, one sealer at a time, so a row that
was not there lands in a batch after the last one that was read. Rows that no batch has yet are looked at
every time. Whatever was touched is folded anew from all its acts, never added to, so that going on and
beginning again give the same facts.

Reading the acts is most of the work, and most of that is taking values out of them: each act is opened
once (a long one is stored compressed), the values that tell what happened are taken from every act, the
others from the last act of an incident alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from insight.facts import CHECKING_H, FILING_H, MARKS

ALL_AT_ONCE = 20_000
"""More incidents than these are folded by reading the record once, not one by one."""
_PLAN = ("work_mem = '256MB'", "enable_nestloop = off", "enable_mergejoin = off", "enable_sort = off", "jit = off")
"""The planner takes the acts to be a handful and would look them up one by one for each incident."""
_LOCK = 577215664
_ACTS = """
    SELECT r.seq, r.subject_id, r.before, r.after FROM record AS r
    WHERE r.territory_id = :territory AND r.subject_table = '{table}' AND r.action IN ('insert', 'update', 'delete')
    {of_record}
    UNION ALL
    SELECT l.record_seq, l.subject_id, l.before, l.after FROM load_row AS l
    WHERE l.record_seq = ANY (ARRAY(
        SELECT r.seq FROM record AS r WHERE r.territory_id = :territory AND r.subject_table = '{table}'
        AND r.action IN ('bulk_insert', 'bulk_update', 'bulk_delete')
    )) {of_load}
"""
_TOLD_OF = ("citizen_word", "appeal")
"""Tables whose rows tell of an incident that they name."""
_GRANTED = """
    SELECT p.appeal, i.number, (a ->> 'effect')::smallint, a ->> 'answer', (a ->> 'decided_by')::integer,
           (a ->> 'decided_at')::timestamptz, a ->> 'signature'
    FROM (
        SELECT DISTINCT ON (t.subject_id) t.subject_id AS appeal, t.after AS a
        FROM ({appeals}) AS t ORDER BY t.subject_id, t.seq DESC
    ) AS p JOIN incident AS i ON i.id = (a ->> 'incident_id')::bigint
    WHERE a ->> 'state' = 'granted' AND i.territory_id = :territory AND a ->> 'id' = p.appeal
"""
_TOUCHED = """
    SELECT DISTINCT id FROM (
        SELECT CASE WHEN r.subject_table = 'incident' THEN r.subject_id
                    ELSE coalesce(r.after, r.before) ->> 'incident_id' END AS id FROM record AS r
        WHERE r.territory_id = :territory AND r.subject_table IN ('incident', 'citizen_word', 'appeal')
          AND (r.batch_id > :batch OR r.batch_id IS NULL) AND r.action IN ('insert', 'update', 'delete')
        UNION ALL
        SELECT CASE WHEN r.subject_table = 'incident' THEN l.subject_id
                    ELSE coalesce(l.after, l.before) ->> 'incident_id' END
        FROM record AS r JOIN load_row AS l ON l.record_seq = r.seq
        WHERE r.territory_id = :territory AND r.subject_table IN ('incident', 'citizen_word', 'appeal')
          AND (r.batch_id > :batch OR r.batch_id IS NULL)
          AND r.action IN ('bulk_insert', 'bulk_update', 'bulk_delete')
    ) AS acts LIMIT :most
"""
_SETTLED = "coalesce(handled_at, closed_at)"
_MARK_SQL = {
    "filed": "filed_at IS NOT NULL",
    "filed_on_time": f"filed_at <= reported_at + interval '{FILING_H} hours'",
    "urgent": "urgent",
    "eligible": "filed_at IS NOT NULL AND due_at IS NOT NULL AND status <> 'void' AND duplicate_of IS NULL",
    "closed": "closed_at IS NOT NULL",
    "closed_on_time": "closed_at <= due_at",
    "given_out": "dispatches > 0",
    "handled": f"{_SETTLED} IS NOT NULL",
    "handled_on_time": f"{_SETTLED} <= due_at",
    "ever_handled": "handled_at IS NOT NULL OR reworks > 0",
    "reworked": "reworks > 0",
    "checking": "handled_at IS NOT NULL AND status IN ('checking', 'closed')",
    "checked_on_time": f"closed_at <= handled_at + interval '{CHECKING_H} hours'",
    "ever_closed": "closed_at IS NOT NULL OR reopens > 0",
    "reopened": "reopens > 0",
}
_MARKS = " + ".join(f"CASE WHEN {_MARK_SQL[name]} THEN {bit} ELSE 0 END" for name, bit in MARKS.items())
# What was told besides the acts on the incident itself: the citizen's word on the last close, an answer before a call
# that reached nobody, and appeals that were granted under a signature that holds.
_BESIDES = """words AS (
        SELECT DISTINCT ON (id) id, said FROM (
            SELECT DISTINCT ON (a.subject_id) a.after ->> 'incident_id' AS id, a.after AS said,
                   a.subject_id::bigint AS word
            FROM ({words}) AS a ORDER BY a.subject_id, a.seq DESC
        ) AS w WHERE said IS NOT NULL
        ORDER BY id, (said ->> 'closed_at')::timestamptz DESC NULLS LAST, (said ->> 'reached')::boolean DESC, word DESC
    ), pardons AS (
        SELECT id, bit_or(effect) AS excused FROM (
            SELECT DISTINCT ON (a.subject_id) a.subject_id AS appeal, a.after ->> 'incident_id' AS id,
                   (a.after ->> 'effect')::smallint AS effect, a.after ->> 'state' AS state
            FROM ({appeals}) AS a ORDER BY a.subject_id, a.seq DESC
        ) AS p WHERE state = 'granted' AND appeal = ANY (:held) GROUP BY id
    )"""
# One fact from the last state ``a`` of an incident and what was counted on the way to it.
_WRITE = f"""
        INSERT INTO incident_fact (
            incident_id, territory_id, status, source, class_id, urgent, grid_id, community_id, unit_id, worker_id,
            reported_at, filed_at, handled_at, closed_at, due_at, postponed_until, duplicate_of, dispatches, returns,
            reworks, reopens, simulated, last_seq, word_at, word_closed_at, word_reached, word_solved, word_satisfied,
            excused, marks
        )
        SELECT f.*, ({_MARKS}) FROM (
            SELECT t.id::bigint, :territory, a ->> 'status' AS status, a ->> 'source', (a ->> 'class_id')::integer,
                   (a ->> 'emergency')::boolean OR a ->> 'priority' = '1' AS urgent, (a ->> 'grid_id')::integer,
                   (a ->> 'community_id')::integer, (a ->> 'unit_id')::integer, (a ->> 'worker_id')::integer,
                   (a ->> 'reported_at')::timestamptz AS reported_at, (a ->> 'filed_at')::timestamptz AS filed_at,
                   (a ->> 'handled_at')::timestamptz AS handled_at, (a ->> 'closed_at')::timestamptz AS closed_at,
                   (CASE WHEN t.closed_due IS NULL OR a ->> 'closed_at' IS NULL THEN a ->> 'due_at'
                         ELSE nullif(substr(t.closed_due, 20), '') END)::timestamptz AS due_at,
                   (a ->> 'postponed_until')::timestamptz, (a ->> 'duplicate_of')::bigint AS duplicate_of,
                   t.dispatches, t.returns, (a ->> 'reworks')::smallint AS reworks, t.reopens,
                   (a ->> 'simulated')::boolean, t.last_seq,
                   (w.said ->> 'told_at')::timestamptz, (w.said ->> 'closed_at')::timestamptz,
                   (w.said ->> 'reached')::boolean, (w.said ->> 'solved')::boolean, (w.said ->> 'satisfied')::smallint,
                   coalesce(p.excused, 0)
            FROM ({{states}} OFFSET 0) AS t
            LEFT JOIN words AS w ON w.id = t.id LEFT JOIN pardons AS p ON p.id = t.id OFFSET 0
        ) AS f RETURNING 1"""  # noqa: S608  (names of ours only)
# The same rule as insight.facts.fold, for many incidents at once. Joining an empty object opens a compressed
# value once for all that is taken from it; OFFSET 0 keeps the planner from writing the expression out again.
_FOLD = """
    WITH acts AS NOT MATERIALIZED ({acts}), told AS MATERIALIZED (
        SELECT id, count(*) AS acts, max(seq) AS last_seq,
               count(*) FILTER (WHERE given IS DISTINCT FROM given_before AND given IS NOT NULL) AS dispatches,
               count(*) FILTER (WHERE was IN ('dispatched', 'handling') AND became = 'filed') AS returns,
               count(*) FILTER (WHERE was = 'closed' AND became = 'filed') AS reopens, max(closing) AS closed_due
        FROM (
            SELECT subject_id AS id, seq, b ->> 'status' AS was, a ->> 'status' AS became,
                   b ->> 'dispatched_at' AS given_before, a ->> 'dispatched_at' AS given,
                   CASE WHEN a ->> 'status' = 'closed' AND b ->> 'status' IS DISTINCT FROM 'closed'
                        THEN lpad(seq::text, 19, '0') || coalesce(a ->> 'due_at', '') END AS closing
            FROM (
                SELECT subject_id, seq, before || '{{}}' AS b, after || '{{}}' AS a FROM acts OFFSET 0
            ) AS opened OFFSET 0
        ) AS taken GROUP BY id
    ), {besides}, written AS ({write})
    SELECT (SELECT coalesce(sum(acts), 0) FROM told), (SELECT count(*) FROM written)
"""
_LAST_STATES = """SELECT t.*, l.after || '{}' AS a FROM told AS t JOIN acts AS l
                 ON l.subject_id = t.id AND l.seq = t.last_seq WHERE l.after IS NOT NULL"""
# What came in a file and was not touched since is its own last state: it is read once and not looked up.
_TOUCHED_SINCE = """
    CREATE TEMP TABLE fold_touched ON COMMIT DROP AS
    SELECT DISTINCT r.subject_id FROM record AS r WHERE r.territory_id = :territory AND r.subject_table = 'incident'
    AND r.action IN ('insert', 'update', 'delete')
    UNION SELECT l.subject_id FROM load_row AS l WHERE l.record_seq = ANY (ARRAY(
        SELECT r.seq FROM record AS r WHERE r.territory_id = :territory AND r.subject_table = 'incident'
        AND r.action IN ('bulk_update', 'bulk_delete')
    ))
"""
_UNTOUCHED = """
    WITH {besides}, written AS ({write}) SELECT count(*), count(*) FROM written
"""
_FIRST_STATES = """SELECT l.subject_id AS id, l.record_seq AS last_seq, l.after || '{}' AS a, NULL::text AS closed_due,
                   CASE WHEN l.after ->> 'dispatched_at' IS NULL THEN 0 ELSE 1 END AS dispatches, 0 AS returns,
                   0 AS reopens
                   FROM load_row AS l WHERE l.record_seq = ANY (ARRAY(
                       SELECT r.seq FROM record AS r WHERE r.territory_id = :territory AND r.subject_table = 'incident'
                       AND r.action = 'bulk_insert'
                   )) AND NOT EXISTS (SELECT FROM fold_touched AS t WHERE t.subject_id = l.subject_id)"""


@dataclass(frozen=True, slots=True)
class Granted:
    """What the record says of a granted appeal, as far as its signature is over it."""

    id: str
    number: str
    effect: int
    answer: str
    decided_by: int | None
    decided_at: dt.datetime
    signature: str


def lock(session: Session, territory_id: int) -> None:
    """Wait until nobody else folds the territory; held until the transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock, :territory)"), {"lock": _LOCK, "territory": territory_id})


def reached(session: Session, territory_id: int) -> tuple[int, dt.datetime] | None:
    """Return the last batch that is folded, and when; None before the first fold."""
    row = session.execute(
        text("SELECT batch_id, folded_at FROM fact_fold WHERE territory_id = :territory"), {"territory": territory_id}
    ).one_or_none()
    return None if row is None else (row.batch_id, row.folded_at)


def newest_batch(session: Session) -> int:
    """Return the newest sealed batch; 0 before the first."""
    return int(session.execute(text("SELECT coalesce(max(id), 0) FROM record_batch")).scalar_one())


def touched(session: Session, territory_id: int, after_batch: int) -> list[str] | None:
    """Return the incidents that the record tells something new of; None when they are too many to name."""
    found = session.scalars(
        text(_TOUCHED), {"territory": territory_id, "batch": after_batch, "most": ALL_AT_ONCE + 1}
    ).all()
    return None if len(found) > ALL_AT_ONCE else list(found)


def granted(session: Session, territory_id: int, ids: Sequence[str] | None) -> list[Granted]:
    """Return the appeals of the named incidents, or of all, that the record says granted last."""
    _, acts = _told_acts(named=ids is not None)
    rows = session.execute(text(_GRANTED.format(appeals=acts)), {"territory": territory_id, "ids": list(ids or ())})
    return [Granted(*row) for row in rows]


def fold(
    session: Session, territory_id: int, ids: Sequence[str] | None, *, held: Sequence[str] = ()
) -> tuple[int, int]:
    """Fold the named incidents, or all, from all their acts; return the acts read and the facts written.

    Of the appeals those that ``held`` names count, whose signature somebody checked.
    """
    for setting in _PLAN:
        session.execute(text(f"SET LOCAL {setting}"))
    acts, facts = (
        _fold_all(session, territory_id, held) if ids is None else _fold_named(session, territory_id, ids, held)
    )
    for setting in _PLAN:
        session.execute(text(f"SET LOCAL {setting.split()[0]} TO DEFAULT"))
    return acts, facts


def _fold_named(session: Session, territory_id: int, ids: Sequence[str], held: Sequence[str]) -> tuple[int, int]:
    given: dict[str, Any] = {"territory": territory_id, "ids": list(ids), "held": list(held)}
    session.execute(text("DELETE FROM incident_fact WHERE incident_id = ANY ((:ids)::bigint[])"), given)
    acts = _ACTS.format(
        table="incident", of_record="AND r.subject_id = ANY (:ids)", of_load="AND l.subject_id = ANY (:ids)"
    )
    besides = _besides(named=True)
    return _written(session, _FOLD.format(acts=acts, besides=besides, write=_WRITE.format(states=_LAST_STATES)), given)


def _fold_all(session: Session, territory_id: int, held: Sequence[str]) -> tuple[int, int]:
    given: dict[str, Any] = {"territory": territory_id, "held": list(held)}
    session.execute(text("DELETE FROM incident_fact WHERE territory_id = :territory"), given)
    session.execute(text("DROP TABLE IF EXISTS pg_temp.fold_touched"))
    session.execute(text(_TOUCHED_SINCE), given)
    session.execute(text("ANALYZE fold_touched"))
    besides = _besides(named=False)
    since = "AND l.subject_id IN (SELECT subject_id FROM fold_touched)"
    acts = _ACTS.format(table="incident", of_record="", of_load=since)
    alone = _UNTOUCHED.format(besides=besides, write=_WRITE.format(states=_FIRST_STATES))
    lived = _FOLD.format(acts=acts, besides=besides, write=_WRITE.format(states=_LAST_STATES))
    parts = [_written(session, query, given) for query in (alone, lived)]
    return sum(acts for acts, _ in parts), sum(facts for _, facts in parts)


MARKS_SQL = _MARKS
"""The bits of `insight.facts.MARKS` of a fact's columns."""


def until_sql() -> str:
    """Return SQL that folds the named incidents from their acts before ``:night`` into the facts of ``:day``.

    What a file brought in counts whenever it came: its rows say themselves when they were.
    """
    target, facts = "INSERT INTO incident_fact (", "SELECT f.*, "
    write = _WRITE.replace(target, "INSERT INTO incident_fact_past (day, ").replace(
        facts, "SELECT CAST(:day AS date), f.*, "
    )
    acts = _ACTS.replace(
        "'bulk_delete')\n    ))", "'bulk_delete') AND (r.action = 'bulk_insert' OR r.at < :night)\n    ))"
    )
    named = {
        table: acts.format(
            table=table,
            of_record=f"AND {key.format('r')} = ANY (:ids) AND r.at < :night",
            of_load=f"AND {key.format('l')} = ANY (:ids)",
        )
        for table, key in (
            ("incident", "{}.subject_id"),
            *((table, "coalesce({0}.after, {0}.before) ->> 'incident_id'") for table in _TOLD_OF),
        )
    }
    besides = _BESIDES.format(words=named["citizen_word"], appeals=named["appeal"])
    return _FOLD.format(acts=named["incident"], besides=besides, write=write.format(states=_LAST_STATES))


def _besides(*, named: bool) -> str:
    words, appeals = _told_acts(named=named)
    return _BESIDES.format(words=words, appeals=appeals)


def _told_acts(*, named: bool) -> list[str]:
    of_record, of_load = (
        f"AND coalesce({row}.after, {row}.before) ->> 'incident_id' = ANY (:ids)" if named else "" for row in "rl"
    )
    return [_ACTS.format(table=table, of_record=of_record, of_load=of_load) for table in _TOLD_OF]


def _written(session: Session, query: str, given: dict[str, Any]) -> tuple[int, int]:
    acts, facts = session.execute(text(query), given).one()
    return int(acts), int(facts)


def note_reached(session: Session, territory_id: int, batch_id: int, at: dt.datetime) -> None:
    """Keep how far the record is folded."""
    session.execute(
        text(
            "INSERT INTO fact_fold (territory_id, batch_id, folded_at) VALUES (:territory, :batch, :at)"
            " ON CONFLICT (territory_id) DO UPDATE SET batch_id = excluded.batch_id, folded_at = excluded.folded_at"
        ),
        {"territory": territory_id, "batch": batch_id, "at": at},
    )
