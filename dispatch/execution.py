"""Use cases of carrying out a plan: publish it, override it, release a pin, give a task on that nobody answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import aware
from core.clock import now as clock_now
from core.errors import Conflict, InvalidInput, NotFound
from core.identity import Actor, May, require
from dispatch import execution_store as store
from dispatch.execution_acts import accept_part, arrive, expect_done, hand_over, on_way
from dispatch.execution_model import PinRow, Published, Sent, StaleRow, What
from geodata.db import name_act
from incidents.lifecycle import check_reason
from incidents.needs import lacks_words
from incidents.service import assign_task, move
from incidents.service.acting import UNREASONED, assignment, changed_since
from incidents.service.commands import digest_of, first_answer, keep_answer
from incidents.work import Done

__all__ = [
    "accept_part", "arrive", "assign", "expect_done", "hand_over", "list_pins", "newest_plan", "on_way", "override",
    "publish", "release_pin",
]  # fmt: skip

MOST = 1000
"""So many rows are published at once."""
BUSY = (
    "Somebody is changing it at this moment. Look at it again.",
    "有人正在更改该案件，请稍后再看。",
)
PUBLISHED_WITHIN = dt.timedelta(minutes=5)
"""A plan older than that sends nobody: whom it means may be off shift."""
TOO_OLD = (
    "The plan is more than five minutes old. Wait for the next one; is the planner at work (gridkeeper dispatch run)?",
    "该方案已超过五分钟，请等待新方案；请确认排班程序（gridkeeper dispatch run）正在运行。",
)
MOVED_ON = (
    "It is not as when this was planned: the worker set out or gave it back, it is pinned to another, or timed anew.",
    "情况已与制定方案时不同：网格员已出发或已退回，案件已锁定给他人，或时间已另行安排。",
)


def publish(
    session: Session,
    actor: Actor,
    plan_id: int,
    incident_ids: Sequence[int] | None,
    *,
    command_id: str,
    moment: dt.datetime | None = None,
) -> Published:
    """Carry out rows of a plan: send, send another, set times; rows whose incident or task moved on are named.

    The routes of the workers touched get their new times too; what would then be two things at once for a worker
    loses its times until the next plan. All of it stands in the record under the command.

    Parameters
    ----------
    incident_ids
        None takes every safe row that changes something.
    command_id
        Chosen by the sender; the same command again changes nothing and answers as it did first.

    Raises
    ------
    NotPermitted
        For everybody but a dispatcher.
    NotFound
        When nothing of what is asked for stands in the plan: it was replaced by a newer one.
    """
    territory_id = _by_hand(actor)
    if incident_ids is not None and len(incident_ids) > MOST:
        raise InvalidInput(f"At most {MOST} rows are published at once.", zh=f"一次最多发布 {MOST} 行。")
    at = clock_now() if moment is None else aware(moment)
    wanted = None if incident_ids is None else sorted(set(incident_ids))
    asked = {"plan": plan_id, "incidents": wanted}
    first = first_answer(session, actor, command_id, act="publish", asked=asked, purpose="assign: proposed")
    if first is not None:
        return Published.from_dict(first)
    store.one_at_a_time(session, territory_id)
    made_at = store.plan_made_at(session, plan_id)
    fresh = made_at is not None and at - made_at <= PUBLISHED_WITHIN
    rows = store.publish(session, plan_id, wanted, at=at, fresh=fresh)
    if wanted and not rows:
        raise NotFound(
            "This plan does not stand any more.",
            hint="Look at the newest proposal and publish that.",
            zh="该方案已被更新，请查看最新方案后再发布。",
        )
    published = _told(session, actor, rows, wanted, MOVED_ON if fresh else TOO_OLD)
    keep_answer(session, command_id, None, published.as_dict())
    session.expire_all()
    return published


def assign(
    session: Session,
    actor: Actor,
    incident_id: int,
    worker_id: int,
    *,
    version: int,
    command_id: str,
    reason: str = "",
    moment: dt.datetime | None = None,
) -> Done:
    """Give a filed incident to a worker in one statement; what is out of the ordinary goes the longer way.

    Raises as `incidents.service.move` does.
    """
    _here(actor)
    check_reason("assign", reason)
    at = clock_now() if moment is None else aware(moment)
    name_act(session, purpose=f"assign: {reason}" if reason else "assign", command_id=command_id)
    given = {
        "incident": incident_id,
        "worker": worker_id,
        "version": version,
        "at": at,
        "command": command_id,
        "chosen": reason not in UNREASONED,
        "digest": digest_of(command_id, assignment(incident_id, worker_id, version=version, reason=reason)),
    }
    try:
        done = store.assign(session, given)
    except IntegrityError as error:
        raise Conflict(
            f"The command id {command_id} is taken.",
            hint="Send it again with a fresh id.",
            zh="该命令编号已被使用，请换一个编号重新提交。",
        ) from error
    if done is not None:
        return Done(**done)
    return assign_task(
        session, actor, incident_id, worker_id, version=version, command_id=command_id, reason=reason, moment=at
    )


def override(
    session: Session,
    actor: Actor,
    incident_id: int,
    worker_id: int,
    *,
    reason: str,
    version: int | None,
    command_id: str,
    unit_id: int | None = None,
    moment: dt.datetime | None = None,
) -> Done:
    """Give an incident to the worker whom the dispatcher chose, and pin it: no plan takes it from him again.

    The choice always wins, also over work that was begun; it ends an older pin and a refusal of this worker.
    With ``unit_id`` another unit becomes responsible.

    Raises as `incidents.service.move` does.
    """
    territory_id = _by_hand(actor)
    if not reason:
        raise InvalidInput(
            "Why this worker?",
            hint="Choose a reason; it stands in the record.",
            zh="请选择指定该网格员的原因。",
        )
    check_reason("assign", reason)
    at = clock_now() if moment is None else aware(moment)
    store.one_at_a_time(session, territory_id)
    status = store.status_of(session, territory_id, incident_id)
    look = {"reported": "ask_verify", "checking": "ask_check"}.get(status or "")
    if look is None:
        done = assign_task(
            session, actor, incident_id, worker_id,
            version=version, command_id=command_id, reason=reason, unit_id=unit_id, moment=at,
        )  # fmt: skip
    else:
        done = move(
            session, actor, incident_id, look, worker_id=worker_id, version=version, command_id=command_id, moment=at
        )
    if not done.repeated:
        name_act(session, purpose=f"override: {reason}", command_id=command_id)
        store.end_pins(session, incident_id, worker_id, at)
        pin = {"territory": territory_id, "incident": incident_id, "worker": worker_id, "kind": "pin"}
        store.add_pin(session, {**pin, "reason": reason, "hand": actor.user_id, "at": at})
    return done


def release_pin(
    session: Session, actor: Actor, incident_id: int, *, worker_id: int | None = None, moment: dt.datetime | None = None
) -> bool:
    """End the pin of an incident, and the bar of ``worker_id`` where one is named; return whether there was any."""
    _here(actor)
    at = clock_now() if moment is None else aware(moment)
    name_act(session, purpose="release pin", command_id=None)
    return store.end_pins(session, incident_id, worker_id, at) > 0


def list_pins(session: Session, actor: Actor) -> tuple[PinRow, ...]:
    """Return who is held to which incident, and who is kept off."""
    return tuple(PinRow(*row) for row in store.pins(session, _here(actor)))


def newest_plan(session: Session, actor: Actor) -> int | None:
    """Return the id of the plan that stands; None when none was made."""
    return store.newest_plan(session, _here(actor))


def _told(
    session: Session, actor: Actor, rows: Sequence[store.Row], wanted: Iterable[int] | None, otherwise: tuple[str, str]
) -> Published:
    done = [
        Sent(row.incident_id, row.number, row.task_id, row.worker_id, _what(row.what), row.kind == "help")
        for row in rows
        if row.asked and row.what is not None and row.task_id is not None
    ]
    holds = {(each.incident_id, each.along, each.worker_id) for each in done}
    done = [each for each in done if not each.along or each.what == "sent"]
    left = [row for row in rows if row.asked and (row.incident_id, row.kind == "help", row.worker_id) not in holds]
    left.sort(key=lambda row: row.kind != "help")  # of several rows of one incident, that of who leads is told
    stale = {row.incident_id: row for row in left}
    changed = changed_since(session, actor, {key: row.incident_version for key, row in stale.items()})
    named = []
    for key, row in stale.items():
        found = changed.get(key)
        english, chinese = (found.message, found.zh or found.message) if found else otherwise if row.locked else BUSY
        lacks = None if found or not row.locked or otherwise is TOO_OLD else _lacks(row)
        named.append(StaleRow(key, row.number, *(lacks or (english, chinese))))
    missing = sorted(set(wanted or ()) - {row.incident_id for row in rows})
    named += [StaleRow(key, f"#{key}", "It stands in this plan no more.", "该行已不在此方案中。") for key in missing]
    return Published(
        tuple(done),
        tuple(named),
        also_retimed=sum(row.what == "retimed" and not row.asked for row in rows),
        unplanned=rows[0].unplanned if rows else 0,
    )


def _lacks(row: store.Row) -> tuple[str, str] | None:
    """Return what the class takes by now and the plan or the worker has not, in words; None where nothing lacks."""
    if row.takes is not None:
        return (
            f"Its class takes {row.takes} workers, and this plan cannot send so many. Wait for the next plan.",
            f"该小类须 {row.takes} 人同去，本方案现不能派出足够人数，请等待新方案。",
        )
    english, chinese = lacks_words(row.skills or (), row.equipment or ())
    if not english:
        return None
    return (
        f"{row.worker_code} {english}, which it takes. Wait for the next plan, or choose this worker by hand.",
        f"{row.worker_code} {chinese}，不符合要求。请等待新方案，或人工指定该网格员。",
    )


def _what(key: str) -> What:
    return "sent" if key == "sent" else "retimed" if key == "retimed" else "kept"


def _by_hand(actor: Actor) -> int:
    territory_id = _here(actor)
    if actor.user_id is None:
        raise InvalidInput(
            "A person sends out, in the own name.",
            hint="Say who you are: --as NAME.",
            zh="派遣须由本人以自己的账号进行。",
        )
    return territory_id


def _here(actor: Actor) -> int:
    require(actor, May.DISPATCH)
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.", zh="尚未选择辖区。")
    return actor.territory_id
