"""All SQL of what is done with studies: how one stands while it runs, fronts, decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import now
from geodata.tables import StudyDecision, StudyFront, StudyLive
from planning.acts import Decision, Fronts, Live, RecordCheck


def write_live(
    session: Session, territory_id: int, study_id: int, trail: Sequence[Sequence[float]], people: float
) -> bool:
    """Write how the search stands; return whether somebody asked to stop and keep the best found."""
    fresh = {"trail": [list(each) for each in trail], "people": people, "heard_at": now()}
    query = (
        insert(StudyLive)
        .values(study_id=study_id, territory_id=territory_id, **fresh)
        .on_conflict_do_update(index_elements=["study_id"], set_=fresh)
        .returning(StudyLive.enough)
    )
    return bool(session.scalar(query))


def read_live(session: Session, study_id: int) -> Live | None:
    """Return how the search of a study stands; None when it has not begun."""
    row = session.get(StudyLive, study_id, populate_existing=True)
    if row is None:
        return None
    return Live(tuple(tuple(each) for each in row.trail), row.enough, row.heard_at, row.people)


def want_enough(session: Session, study_id: int) -> None:
    """Ask the search to stop with the best found."""
    session.execute(
        update(StudyLive)
        .where(StudyLive.study_id == study_id)
        .values(enough=True)
        .execution_options(synchronize_session=False)
    )


def drop_live(session: Session, study_id: int) -> None:
    """Forget how the search stood."""
    session.execute(delete(StudyLive).where(StudyLive.study_id == study_id))


def ask_front(session: Session, territory_id: int, study_id: int, job_id: int) -> None:
    """Write that the fronts of a study are being computed, anew where they were before."""
    fresh = {"job_id": job_id, "state": "asked", "fronts": [], "asked_at": now()}
    session.execute(
        insert(StudyFront)
        .values(study_id=study_id, territory_id=territory_id, **fresh)
        .on_conflict_do_update(index_elements=["study_id"], set_=fresh)
    )


def write_fronts(session: Session, study_id: int, fronts: Sequence[dict[str, Any]]) -> None:
    """Write the fronts of a study."""
    session.execute(
        update(StudyFront)
        .where(StudyFront.study_id == study_id)
        .values(state="answered", fronts=list(fronts))
        .execution_options(synchronize_session=False)
    )


def read_fronts(session: Session, study_id: int) -> Fronts | None:
    """Return the fronts of a study; None when nobody asked for them."""
    row = session.scalars(select(StudyFront).where(StudyFront.study_id == study_id)).one_or_none()
    return None if row is None else Fronts(row.state, row.job_id, tuple(row.fronts))


def add_decision(session: Session, territory_id: int, study_id: int, *, reason: str, content: str, sha256: str) -> int:
    """Write a proposal and return its id; the database stamps who and when."""
    row = StudyDecision(
        territory_id=territory_id, study_id=study_id, reason=reason, content=content, content_sha256=sha256
    )
    session.add(row)
    session.flush()
    return row.id


def decide(session: Session, decision_id: int, state: str, note: str, version: int) -> bool:
    """Sign, refuse or withdraw; return whether the proposal was as it was read."""
    found = session.execute(
        update(StudyDecision)
        .where(StudyDecision.id == decision_id, StudyDecision.version == version, StudyDecision.state == "proposed")
        .values(state=state, note=note, version=version + 1)
        .returning(StudyDecision.id)
        .execution_options(synchronize_session=False)
    )
    return found.first() is not None


def get_decision(session: Session, decision_id: int) -> Decision | None:
    """Return a decision; None when there is none."""
    row = session.get(StudyDecision, decision_id, populate_existing=True)
    return None if row is None else _decision(row)


def decisions_of(session: Session, study_id: int) -> list[Decision]:
    """Return the decisions on a study, newest first."""
    query = select(StudyDecision).where(StudyDecision.study_id == study_id).order_by(StudyDecision.id.desc())
    return [_decision(row) for row in session.scalars(query)]


def list_decisions(session: Session, territory_id: int, limit: int) -> list[Decision]:
    """Return the newest decisions of a territory first."""
    query = (
        select(StudyDecision)
        .where(StudyDecision.territory_id == territory_id)
        .order_by(StudyDecision.id.desc())
        .limit(limit)
    )
    return [_decision(row) for row in session.scalars(query)]


def _decision(row: StudyDecision) -> Decision:
    names = (
        *("id", "study_id", "state", "reason", "content", "content_sha256", "proposed_by", "proposed_label"),
        *("proposed_at", "decided_by", "decided_label", "decided_at", "note", "version"),
    )
    return Decision(**{name: getattr(row, name) for name in names})


def record_rows(session: Session, decision_id: int, sha256: str) -> list[RecordCheck]:
    """Return the rows of the record about a decision: whether each fits its own hash and speaks of this text."""
    query = text(
        "SELECT r.seq, r.row_hash = sha256(convert_to(gk_record_text(r), 'UTF8')),"
        " coalesce(r.after ->> 'content_sha256', '') = :sha256, b.sealed_at"
        " FROM record AS r LEFT JOIN record_batch AS b ON b.id = r.batch_id"
        " WHERE r.subject_table = 'study_decision' AND r.subject_id = :one ORDER BY r.seq"
    )
    rows = session.execute(query, {"one": str(decision_id), "sha256": sha256})
    return [RecordCheck(int(seq), bool(fits), bool(same), sealed_at) for seq, fits, same, sealed_at in rows]
