"""SQL of accountability: acts out of the record, who belongs to whom, findings, explanations, thresholds.

What is new is found by the batches of the record's seal, as in `insight.store`: a row that was committed late lies in a
batch after the last one that was read, and rows that no batch has yet are looked at every time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, select, text, union, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geodata.tables import PersonKey, Review, ReviewExplanation, ReviewRun, ReviewThreshold
from insight.accountability import GENERATED, Account, Act, Finding, Threshold
from insight.accountability_rules import Standing

_LOCK = 577215665
_COLUMNS = (
    "r.seq, r.at, r.actor_user_id, r.actor_role, r.action, r.subject_table, r.subject_id, r.before, r.after,"
    " r.command_id"
)
_TOUCHED = """
    SELECT DISTINCT CASE WHEN r.subject_table = 'incident' THEN r.subject_id
                         ELSE coalesce(r.after, r.before) ->> 'incident_id' END
    FROM record AS r
    WHERE r.territory_id = :territory AND r.subject_table IN ('incident', 'task', 'extension_request', 'evidence')
      AND r.subject_id IS NOT NULL AND {new}
"""
_FIRST_NEW = """
    SELECT min(r.at) FROM record AS r
    WHERE r.territory_id = :territory AND r.actor_user_id IS NOT NULL AND {new}
"""
_NEW = "(r.batch_id > :batch OR r.batch_id IS NULL)"
_ACTS_OF_INCIDENTS = """
    SELECT r.subject_id AS incident, {columns} FROM record AS r
    WHERE r.subject_table = 'incident' AND r.subject_id = ANY (:ids)
    UNION ALL
    SELECT t.incident_id::text, {columns} FROM task AS t
    JOIN record AS r ON r.subject_table = 'task' AND r.subject_id = t.id::text
    WHERE t.incident_id = ANY (CAST(:ids AS bigint[]))
    UNION ALL
    SELECT e.incident_id::text, {columns} FROM extension_request AS e
    JOIN record AS r ON r.subject_table = 'extension_request' AND r.subject_id = e.id::text
    WHERE e.incident_id = ANY (CAST(:ids AS bigint[]))
    ORDER BY 2
"""
_BY_PERSONS = """
    SELECT {columns} FROM record AS r
    WHERE r.territory_id = :territory AND r.actor_user_id IS NOT NULL AND r.subject_id IS NOT NULL
      AND (r.subject_table IN ('incident', 'task', 'extension_request', 'evidence')
           OR r.action IN ('export', 'download'))
      AND (r.batch_id > :batch OR r.batch_id IS NULL) AND r.at >= :since
    ORDER BY r.seq
"""
_OF_RULES = """
    SELECT {columns} FROM record AS r
    WHERE r.territory_id = :territory AND r.subject_table IN ('rule_change', 'time_limit')
      AND r.actor_user_id IS NOT NULL AND r.subject_id IS NOT NULL
      AND (r.batch_id > :batch OR r.batch_id IS NULL) AND r.at >= :since
    ORDER BY r.seq
"""
_STANDINGS = """
    SELECT told.id, told.at, told.after ->> 'due_at', told.after ->> 'status' FROM (
        SELECT r.subject_id AS id, r.seq, r.at, r.after FROM record AS r
        WHERE r.subject_table = 'incident' AND r.subject_id = ANY (:ids) AND r.after IS NOT NULL
        UNION ALL
        SELECT l.subject_id, r.seq, r.at, l.after FROM load_row AS l JOIN record AS r ON r.seq = l.record_seq
        WHERE l.subject_id = ANY (:ids) AND r.subject_table = 'incident' AND l.after IS NOT NULL
    ) AS told ORDER BY told.id, told.seq
"""
_EVIDENCE = """
    SELECT e.incident_id::text, e.id::text, e.at, e.kind, e.round FROM evidence AS e
    WHERE e.incident_id = ANY (CAST(:ids AS bigint[]))
"""
_DEMANDS = """
    SELECT r.subject_id::integer, r.at, r.before ->> 'evidence', r.after ->> 'evidence' FROM record AS r
    WHERE r.subject_table = 'incident_class' AND r.action = 'update' AND r.subject_id IS NOT NULL
      AND r.before ->> 'evidence' IS DISTINCT FROM r.after ->> 'evidence'
    ORDER BY r.seq
"""
_ACCOUNTS = """
    SELECT u.id, u.worker_id, p.id, encode(p.phone_hash, 'hex') FROM app_user AS u
    LEFT JOIN worker AS w ON w.id = u.worker_id
    LEFT JOIN person AS p ON p.id IN (u.person_id, w.person_id)
"""
_CLOSE_TO = """
    SELECT least(user_id, deputy_id), greatest(user_id, deputy_id) FROM standing_deputy WHERE territory_id = :territory
    UNION
    SELECT least(user_id, acting_for), greatest(user_id, acting_for) FROM user_role
    WHERE territory_id = :territory AND acting_for IS NOT NULL
"""


def lock(session: Session, territory_id: int) -> None:
    """Wait until nobody else looks through the record of the territory; held until the transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock, :territory)"), {"lock": _LOCK, "territory": territory_id})


def reached(session: Session, territory_id: int) -> ReviewRun | None:
    """Return how far the record was looked through; None before the first time."""
    return session.get(ReviewRun, territory_id, populate_existing=True)


def newest_batch(session: Session) -> int:
    """Return the newest sealed batch; 0 before the first."""
    return int(session.execute(text("SELECT coalesce(max(id), 0) FROM record_batch")).scalar_one())


def batch_before(session: Session, moment: dt.datetime) -> int:
    """Return the last batch that was sealed before a moment: rows of later acts lie in later ones."""
    query = text("SELECT coalesce(max(id), 0) FROM record_batch WHERE sealed_at < :moment")
    return int(session.execute(query, {"moment": moment}).scalar_one())


def note_reached(session: Session, territory_id: int, *, batch: int, at: dt.datetime, acts: int, findings: int) -> None:
    """Write how far the record was looked through."""
    told = {"batch_id": batch, "ran_at": at, "acts": acts, "findings": findings}
    session.execute(
        insert(ReviewRun)
        .values(territory_id=territory_id, **told)
        .on_conflict_do_update(index_elements=["territory_id"], set_=told)
    )


def first_new(session: Session, territory_id: int, after_batch: int) -> dt.datetime | None:
    """Return when the oldest act of a person took place that was not looked at; None when there is none."""
    query = text(_FIRST_NEW.format(new=_NEW))
    return session.execute(query, {"territory": territory_id, "batch": after_batch}).scalar()


def touched(session: Session, territory_id: int, after_batch: int | None) -> list[str]:
    """Return the incidents that somebody acted on since a batch; ever, when None."""
    new = "r.actor_user_id IS NOT NULL" if after_batch is None else _NEW
    rows = session.scalars(text(_TOUCHED.format(new=new)), {"territory": territory_id, "batch": after_batch})
    return sorted({each for each in rows if each is not None and each.isdecimal()}, key=int)


def read_since(session: Session, territory_id: int, event: str, since: dt.datetime) -> set[str]:
    """Return the incidents on which an event was recorded since a moment."""
    rows = session.scalars(
        text(
            "SELECT DISTINCT subject_id FROM record WHERE action = :event AND subject_table = 'incident'"
            " AND territory_id = :territory AND at >= :since"
        ),
        {"event": event, "territory": territory_id, "since": since},
    )
    return {each for each in rows if each is not None}


def acts_of_incidents(session: Session, ids: Sequence[str]) -> dict[str, list[Act]]:
    """Return all acts about each incident, in order: its own rows, its tasks', its requests for time."""
    found: dict[str, list[Act]] = {each: [] for each in ids}
    for incident, *row in session.execute(text(_ACTS_OF_INCIDENTS.format(columns=_COLUMNS)), {"ids": list(ids)}):
        found[incident].append(Act(*row))
    for incident, one, at, kind, of_round in session.execute(text(_EVIDENCE), {"ids": list(ids)}):
        told = {"kind": kind, "round": of_round}
        found[incident].append(Act(0, at, None, "", "insert", "evidence", one, after=told))
    return found


def demands(session: Session) -> tuple[dict[int, str], list[tuple[int, dt.datetime, str, str]]]:
    """Return what each class demands now, and every change of it: class, when, before, after; oldest first."""
    now = {one: str(kinds) for one, kinds in session.execute(text("SELECT id, evidence FROM incident_class"))}
    changes = session.execute(text(_DEMANDS))
    return now, [(one, at, before or "", after or "") for one, at, before, after in changes]


def acts_of_persons(session: Session, territory_id: int, since: dt.datetime) -> list[Act]:
    """Return the acts of persons since a moment that rules about persons look at."""
    values = {"territory": territory_id, "since": since, "batch": batch_before(session, since)}
    return [Act(*row) for row in session.execute(text(_BY_PERSONS.format(columns=_COLUMNS)), values)]


def acts_on_rules(session: Session, territory_id: int, since: dt.datetime) -> list[Act]:
    """Return what persons did to limits and to changes of the rules since a moment."""
    values = {"territory": territory_id, "since": since, "batch": batch_before(session, since)}
    return [Act(*row) for row in session.execute(text(_OF_RULES.format(columns=_COLUMNS)), values)]


def standings(
    session: Session, territory_id: int, class_id: int, since: dt.datetime, until: dt.datetime
) -> dict[str, list[Standing]]:
    """Return how the incidents of a class stood over time that may have been open in a span."""
    ids = session.scalars(
        text(
            "SELECT id::text FROM incident WHERE territory_id = :territory AND class_id = :class_id"
            " AND reported_at <= :until AND (closed_at IS NULL OR closed_at > :since)"
        ),
        {"territory": territory_id, "class_id": class_id, "since": since, "until": until},
    ).all()
    found: dict[str, list[Standing]] = {each: [] for each in ids}
    for incident, at, due, status in session.execute(text(_STANDINGS), {"ids": list(ids)}):
        due_at = None if due is None else dt.datetime.fromisoformat(due)
        found[incident].append(Standing(at, due_at, status not in {"closed", "void"}))
    return found


def accounts(session: Session) -> list[Account]:
    """Return what links every account to a human being."""
    return [Account(*row) for row in session.execute(text(_ACCOUNTS))]


def close_to(session: Session, territory_id: int) -> frozenset[tuple[int, int]]:
    """Return the pairs of users who stand in, or ever stood in, for each other."""
    return frozenset((one, other) for one, other in session.execute(text(_CLOSE_TO), {"territory": territory_id}))


def thresholds(session: Session, territory_id: int) -> list[ReviewThreshold]:
    """Return every threshold that was proposed, newest first."""
    query = select(ReviewThreshold).where(ReviewThreshold.territory_id == territory_id)
    return list(session.scalars(query.order_by(ReviewThreshold.id.desc()).execution_options(populate_existing=True)))


def as_threshold(row: ReviewThreshold) -> Threshold:
    """Return an approved threshold as the rules know it."""
    return Threshold(row.rule, row.decided_at or row.proposed_at, row.count, row.minutes, row.active)


def open_reviews(
    session: Session, territory_id: int, findings: Iterable[Finding], severity: Mapping[str, int]
) -> list[int]:
    """Insert what was not found before, and return the new ids.

    A finding of which every row of the record was generated for a demo city says so.
    """
    told = list(findings)
    every = sorted({seq for each in told for seq in each.seqs})
    query = text("SELECT seq FROM record WHERE seq = ANY (:seqs) AND (purpose = :generated OR command_id LIKE :ids)")
    generated = set(session.scalars(query, {"seqs": every, "generated": GENERATED, "ids": f"{GENERATED}-%"}))
    rows = [
        {
            "territory_id": territory_id,
            "rule": each.rule,
            "key": each.key,
            "severity": severity[each.rule],
            "subject_table": each.table,
            "subject_id": each.subject_id,
            "persons": list(each.persons),
            "seqs": list(each.seqs),
            "numbers": dict(each.numbers),
            "at": each.at,
            "simulated": generated.issuperset(each.seqs),
        }
        for each in told
    ]
    made: list[int] = []
    for first in range(0, len(rows), 500):
        statement = insert(Review).values(rows[first : first + 500]).on_conflict_do_nothing().returning(Review.id)
        made += session.scalars(statement).all()
    return made


def reviews(
    session: Session, territory_id: int, *, ids: Sequence[int] | None = None, person: int | None = None
) -> list[Review]:
    """Return the findings within reach, open ones first, then by weight and newness."""
    query = select(Review).where(Review.territory_id == territory_id)
    if ids is not None:
        query = query.where(Review.id.in_(ids))
    if person is not None:
        query = query.where(Review.persons.contains([person]))
    closed = Review.state.in_(("confirmed", "dismissed"))
    ordered = query.order_by(closed, Review.severity, Review.at.desc(), Review.id.desc())
    return list(session.scalars(ordered.execution_options(populate_existing=True)))


def counts(session: Session, territory_id: int) -> list[tuple[str, str, int]]:
    """Return rule, state and how many, within reach."""
    rows = session.execute(
        select(Review.rule, Review.state, func.count())
        .where(Review.territory_id == territory_id)
        .group_by(Review.rule, Review.state)
    )
    return [(rule, state, count) for rule, state, count in rows]


def explanations(session: Session, review_id: int) -> list[ReviewExplanation]:
    """Return what was said to a finding, oldest first, within reach."""
    query = select(ReviewExplanation).where(ReviewExplanation.review_id == review_id).order_by(ReviewExplanation.id)
    return list(session.scalars(query))


def text_keys(session: Session, before: dt.datetime) -> list[str]:
    """Return the keys that still open what was said to findings decided before a moment."""
    said = union(
        select(Review.text_key).where(Review.decided_at < before),
        select(ReviewExplanation.text_key)
        .join(Review, Review.id == ReviewExplanation.review_id)
        .where(Review.decided_at < before),
    ).subquery()
    return list(
        session.scalars(
            select(PersonKey.subject_id).where(
                PersonKey.subject_id.in_(select(said.c.text_key)), PersonKey.wrapped_key.is_not(None)
            )
        )
    )


def decide(session: Session, review_id: int, version: int, state: str, *, text_key: str, reason: bytes) -> bool:
    """Write a decision; return whether the finding was still at ``version``."""
    done = session.execute(
        update(Review)
        .where(Review.id == review_id, Review.version == bindparam("known"))
        .values(state=state, text_key=text_key, reason_cipher=reason, version=Review.version + 1)
        .returning(Review.id)
        .execution_options(synchronize_session=False),
        {"known": version},
    )
    return done.one_or_none() is not None


def decide_threshold(session: Session, threshold_id: int, version: int, state: str) -> bool:
    """Write what was decided about a proposed threshold; return whether it was still at ``version``."""
    done = session.execute(
        update(ReviewThreshold)
        .where(ReviewThreshold.id == threshold_id, ReviewThreshold.version == bindparam("known"))
        .values(state=state, version=ReviewThreshold.version + 1)
        .returning(ReviewThreshold.id)
        .execution_options(synchronize_session=False),
        {"known": version},
    )
    return done.one_or_none() is not None


def numbers(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """Return incident to its number, of those within reach."""
    query = text("SELECT id::text AS id, number FROM incident WHERE id = ANY (CAST(:ids AS bigint[]))")
    rows = session.execute(query, {"ids": [each for each in ids if each.isdecimal()]})
    return {row.id: row.number for row in rows}


def acts_of(session: Session, seqs: Sequence[int]) -> list[tuple[Any, ...]]:
    """Return seq, when, user, label, role, action, table, id and purpose of rows of the record, in order."""
    query = text(
        "SELECT seq, at, actor_user_id, actor_label, actor_role, action, subject_table, subject_id, purpose FROM record"
        " WHERE seq = ANY (:seqs) ORDER BY seq"
    )
    return [tuple(row) for row in session.execute(query, {"seqs": list(seqs)})]
