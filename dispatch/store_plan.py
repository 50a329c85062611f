"""SQL of the standing plan: written by the dispatch process, read by everybody who sends out."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Float, delete, func, select, text, update
from sqlalchemy.orm import Session

from dispatch.classify import Judged
from dispatch.plan_model import Reason
from dispatch.standing_model import PlanRow, Unserved
from geodata.tables import Incident, IncidentClass, Plan, Worker
from geodata.tables import PlanRow as PlanRowTable

KEPT = 20
"""Plans of a territory that are kept, so that what is on somebody's screen can still be published."""
SNAPSHOTS = 2
_LOCK = 271_828
_ROWS = text(
    "INSERT INTO plan_row (plan_id, territory_id, incident_id, kind, task_id, worker_id, place_in_route, start_at,"
    " end_at, travel_s, late_s, slack_s, incident_version, task_version, was_worker_id, change, safe, needs)"
    " SELECT :plan, :territory, r.incident_id, r.kind, r.task_id, r.worker_id, r.place_in_route, r.start_at, r.end_at,"
    " r.travel_s, r.late_s, r.slack_s, r.incident_version, r.task_version, r.was_worker_id, r.change,"
    " r.needs IS NULL, r.needs"
    " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (incident_id bigint, kind text, task_id bigint,"
    " worker_id integer, place_in_route smallint, start_at timestamptz, end_at timestamptz, travel_s float,"
    " late_s float, slack_s float, incident_version integer, task_version integer, was_worker_id integer,"
    " change text, needs jsonb)"
    # An incident that was deleted meanwhile is left out.
    " WHERE EXISTS (SELECT FROM incident AS i WHERE i.id = r.incident_id)"
)


def one_at_a_time(session: Session, territory_id: int) -> None:
    """Wait until nobody else makes a plan of the territory; held until the end of the transaction."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK, territory_id)))


def write(
    session: Session,
    territory_id: int,
    made_at: dt.datetime,
    *,
    facts: Mapping[str, Any],
    snapshot: bytes,
    figures: tuple[float, int, float],
) -> int:
    """Write a plan without its rows and return its id; older ones go, but for the last few."""
    cost_s, rounds, cpu_s = figures
    plan = Plan(
        territory_id=territory_id,
        made_at=made_at,
        cost_s=cost_s,
        rounds=rounds,
        cpu_s=cpu_s,
        facts=dict(facts),
        snapshot=snapshot,
    )
    session.add(plan)
    session.flush()
    known = session.scalars(select(Plan.id).where(Plan.territory_id == territory_id).order_by(Plan.id.desc())).all()
    if known[KEPT:]:
        session.execute(delete(Plan).where(Plan.id.in_(known[KEPT:])))
    if known[SNAPSHOTS:KEPT]:
        session.execute(
            update(Plan).where(Plan.id.in_(known[SNAPSHOTS:KEPT]), Plan.snapshot.is_not(None)).values(snapshot=None)
        )
    return plan.id


def write_rows(session: Session, territory_id: int, plan_id: int, judged: Iterable[Judged]) -> None:
    """Write the stops of a plan in one statement."""
    rows = [
        {
            "incident_id": each.work.incident_id,
            "kind": each.work.kind,
            "task_id": each.work.task_id,
            "worker_id": each.worker_id,
            "place_in_route": each.place_in_route,
            "start_at": each.start_at.isoformat(),
            "end_at": each.end_at.isoformat(),
            "travel_s": each.travel_s,
            "late_s": each.late_s,
            "slack_s": each.slack_s,
            "incident_version": each.work.version,
            "task_version": each.work.task_version,
            "was_worker_id": each.work.worker_id,
            "change": each.change,
            "needs": None if each.needs is None else reason_json(each.needs),
        }
        for each in judged
    ]
    if rows:
        session.execute(_ROWS, {"plan": plan_id, "territory": territory_id, "rows": json.dumps(rows, allow_nan=False)})


def newest(session: Session, territory_id: int) -> tuple[int, dt.datetime, dict[str, Any]] | None:
    """Return id, moment and facts of the newest plan; None when there is none."""
    row = session.execute(
        select(Plan.id, Plan.made_at, Plan.facts)
        .where(Plan.territory_id == territory_id)
        .order_by(Plan.id.desc())
        .limit(1)
    ).first()
    return None if row is None else (row[0], row[1], row[2])


def newest_id(session: Session, territory_id: int) -> int | None:
    """Return the id of the newest plan."""
    return session.scalar(select(func.max(Plan.id)).where(Plan.territory_id == territory_id))


def snapshot(session: Session, plan_id: int) -> bytes | None:
    """Return the problem of a plan as it was packed."""
    return session.scalar(select(Plan.snapshot).where(Plan.id == plan_id))


def incidents_of(session: Session, plan_id: int) -> set[int]:
    """Return the incidents that have a stop in a plan."""
    return set(session.scalars(select(PlanRowTable.incident_id).where(PlanRowTable.plan_id == plan_id)))


def forget_snapshots(session: Session, before: dt.datetime) -> int:
    """Delete the problems of plans made before a moment; return how many. The plans themselves stay."""
    query = update(Plan).where(Plan.made_at < before, Plan.snapshot.is_not(None)).values(snapshot=None)
    return len(session.execute(query.returning(Plan.id)).all())


def moment_of(session: Session, plan_id: int) -> dt.datetime | None:
    """Return the moment a plan was made for."""
    return session.scalar(select(Plan.made_at).where(Plan.id == plan_id))


def made_at(session: Session) -> dict[int, dt.datetime]:
    """Return territory to the moment of its newest plan."""
    rows = session.execute(select(Plan.territory_id, func.max(Plan.made_at)).group_by(Plan.territory_id))
    return dict(row.tuple() for row in rows)


def rows(session: Session, plan_id: int) -> tuple[list[PlanRow], bool]:
    """Return the stops of a plan with their incidents as they are now, and whether one has changed since."""
    own = PlanRowTable
    query = (
        select(
            own.plan_id,
            own.incident_id,
            Incident.number,
            IncidentClass.name_en,
            IncidentClass.name_zh,
            own.kind,
            own.task_id,
            own.worker_id,
            Worker.code,
            own.place_in_route,
            own.start_at,
            own.end_at,
            own.travel_s,
            own.late_s,
            own.slack_s,
            own.incident_version,
            own.task_version,
            own.was_worker_id,
            own.change,
            own.safe,
            own.needs,
            func.ST_X(Incident.geom, type_=Float),
            func.ST_Y(Incident.geom, type_=Float),
            Incident.due_at,
            Incident.priority,
            Incident.emergency,
            Incident.status,
            Incident.version,
        )
        .join(Incident, Incident.id == own.incident_id)
        .join(IncidentClass, IncidentClass.id == Incident.class_id)
        .join(Worker, Worker.id == own.worker_id)
        .where(own.plan_id == plan_id)
        .order_by(Worker.code, own.place_in_route, own.id)
    )
    found, changed = [], False
    for row in session.execute(query):
        values = list(row)
        now = values.pop()
        changed = changed or now != row.incident_version
        values[20] = None if row.needs is None else reason_from(row.needs)
        found.append(PlanRow(*values))
    return found, changed


def unserved(session: Session, told: Sequence[Mapping[str, Any]]) -> list[Unserved]:
    """Return unserved work with its incidents, in the order given."""
    query = (
        select(
            Incident.id,
            Incident.number,
            IncidentClass.name_en,
            IncidentClass.name_zh,
            func.ST_X(Incident.geom, type_=Float),
            func.ST_Y(Incident.geom, type_=Float),
            Incident.due_at,
            Incident.priority,
            Incident.emergency,
        )
        .join(IncidentClass, IncidentClass.id == Incident.class_id)
        .where(Incident.id.in_([each["incident_id"] for each in told]))
    )
    known: dict[int, Sequence[Any]] = {row[0]: row for row in session.execute(query)} if told else {}
    found = []
    for each in told:
        if each["incident_id"] in known:
            way_out = None if each["way_out"] is None else reason_from(each["way_out"])
            values: list[Any] = [*known[each["incident_id"]], reason_from(each["why"]), way_out]
            found.append(Unserved(*values))
    return found


def reason_json(reason: Reason) -> dict[str, Any]:
    """Return a reason as JSON; a figure that is no number stands as its word."""
    figures = {
        name: value if isinstance(value, str) or math.isfinite(value) else str(value)
        for name, value in reason.figures.items()
    }
    return {"kind": reason.kind, "en": reason.en, "zh": reason.zh, "figures": figures}


def reason_from(told: Mapping[str, Any]) -> Reason:
    """Return a reason out of JSON."""
    return Reason(told["kind"], told["en"], told["zh"], told.get("figures", {}))
