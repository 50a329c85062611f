"""One unit asks another for restricted data: the request, the steward's decision, the grant that ends by itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from geodata import catalogue_store as store
from geodata.catalogue_model import SET_PREFIX
from geodata.tables import DataGrant, DataRequest

MOST_DAYS = 366
LONGEST_WORDS = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with what came of it.

    Attributes
    ----------
    grant_id
        Of the grant, where one was given; ``until`` is when it ends or ended.
    mine, decidable
        The actor asked, or may decide (also end what was granted).
    """

    id: int
    key: str
    title: str
    title_zh: str
    unit_id: int | None
    asked_label: str
    asked_at: dt.datetime
    purpose: str
    days: int
    state: str
    decided_label: str
    decided_at: dt.datetime | None
    reason: str
    grant_id: int | None
    until: dt.datetime | None
    ended_early: bool
    mine: bool
    decidable: bool
    version: int

    def lasts(self, now: dt.datetime) -> bool:
        """Return whether the grant holds at a moment."""
        return self.grant_id is not None and self.until is not None and self.until > now


def ask(session: Session, actor: Actor, key: str, *, purpose: str, days: int) -> int:
    """Ask for a restricted data set, a handler for the unit, any other officer for the own account.

    Raises
    ------
    NotFound
        When there is no such data set.
    InvalidInput
        Without a purpose, or for data that may be read already.
    Conflict
        When the actor's request waits already.
    """
    require(actor, May.SEE_CATALOGUE)
    if actor.user_id is None:
        raise NotPermitted("A request has a name under it.", hint="Ask as an account: --as LOGIN.")
    purpose = " ".join(purpose.split())
    if not purpose or len(purpose) > LONGEST_WORDS:
        raise InvalidInput(
            "Say what the data are wanted for.",
            hint=f"At most {LONGEST_WORDS} characters; the steward decides by it.",
            zh=f"请说明用途，最多 {LONGEST_WORDS} 字；管理员据此决定。",
        )
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(f"A grant lasts 1 to {MOST_DAYS} days.", zh=f"授权期限为 1 至 {MOST_DAYS} 天。")
    home = actor.territory_id or 0
    data_set = next((each for each, _ in store.data_sets(session, home) if SET_PREFIX + each.key == key), None)
    if data_set is None:
        raise NotFound(f"There is no data set {key[:60]!r} to ask for.", hint="See the catalogue.")
    if data_set.id in store.readable(session):
        raise InvalidInput("You may read these data already.", zh="您已可查看此数据。")
    if store.waiting_of(session, data_set.id, actor.user_id) is not None:
        raise Conflict("Your request waits for the steward already.", zh="您的申请已在等待审批。")
    unit = actor.unit_ids[0] if actor.role is Role.HANDLER and actor.unit_ids else None
    return store.add_request(
        session,
        DataRequest(
            territory_id=home,
            data_set_id=data_set.id,
            unit_id=unit,
            asked_by=actor.user_id,
            asked_label=actor.label,
            purpose=purpose,
            days=days,
        ),
    )


def withdraw(session: Session, actor: Actor, request_id: int) -> None:
    """Take back a request that waits."""
    row = _waiting(session, actor, request_id)
    if row.asked_by != actor.user_id or actor.user_id is None:
        raise NotPermitted("Who asked takes it back.", zh="只有申请人可以撤回。")
    row.state = "withdrawn"
    row.version += 1
    session.flush()


def decide(
    session: Session,
    actor: Actor,
    request_id: int,
    *,
    grant: bool,
    reason: str,
    days: int | None = None,
    at: dt.datetime | None = None,
) -> None:
    """Grant or refuse a request, with a reason; a grant lasts as long as was asked, or shorter.

    Raises
    ------
    NotPermitted
        For anybody but the steward, and for who asked.
    InvalidInput
        Without a reason, or for longer than was asked.
    Conflict
        When it is decided already.
    """
    now = at or clock_now()
    row = _waiting(session, actor, request_id)
    if actor.user_id is None or not store.is_steward(session, row.data_set_id):
        raise NotPermitted("The steward of the data decides.", hint="See the catalogue for who that is.")
    if row.asked_by == actor.user_id:
        raise NotPermitted("Nobody decides on a request of his own.", zh="不能审批自己的申请。")
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_WORDS:
        raise InvalidInput(
            "A decision has a reason.", hint=f"At most {LONGEST_WORDS} characters.", zh="请填写决定的理由。"
        )
    lasts = row.days if days is None else days
    if not 1 <= lasts <= row.days:
        raise InvalidInput(f"At most the {row.days} days that were asked for.", zh=f"不得超过申请的 {row.days} 天。")
    if grant and row.unit_id is None and row.asked_by is None:
        raise InvalidInput(
            "Who asked has no account any more.", hint="Refuse the request.", zh="申请人的账户已不存在，请拒绝此申请。"
        )
    row.state = "granted" if grant else "refused"
    row.decided_by, row.decided_label, row.decided_at = actor.user_id, actor.label, now
    row.reason = reason
    row.version += 1
    session.flush()
    if grant:
        session.add(
            DataGrant(
                territory_id=row.territory_id,
                data_set_id=row.data_set_id,
                request_id=row.id,
                unit_id=row.unit_id,
                user_id=None if row.unit_id is not None else row.asked_by,
                valid_from=now,
                valid_until=now + dt.timedelta(days=lasts),
            )
        )
        session.flush()


def end(session: Session, actor: Actor, grant_id: int, *, at: dt.datetime | None = None) -> None:
    """End a grant before its time.

    Raises
    ------
    NotPermitted
        For anybody but the steward.
    """
    row = store.lock_grant(session, actor.territory_id or 0, grant_id)
    if row is None:
        raise NotFound("There is no such grant.")
    if not store.is_steward(session, row.data_set_id):
        raise NotPermitted("The steward of the data ends it.")
    if row.ended_at is not None:
        raise Conflict("This grant has ended already.", zh="此授权已结束。")
    row.ended_at, row.ended_label = at or clock_now(), actor.label
    session.flush()


def listed(session: Session, actor: Actor) -> list[Asked]:
    """Return the requests the actor may see, waiting ones first."""
    require(actor, May.SEE_CATALOGUE)
    stewards: dict[int, bool] = {}
    said = store.all_said(session, actor.territory_id or 0).values()
    titles = {each.data_set_id: (each.title_en, each.title_zh) for each in said if each.data_set_id is not None}
    found = []
    for row, data_set, grant in store.requests(session, actor.territory_id or 0):
        if data_set.id not in stewards:
            stewards[data_set.id] = store.is_steward(session, data_set.id)
        mine = actor.user_id is not None and row.asked_by == actor.user_id
        found.append(
            Asked(
                id=row.id,
                key=SET_PREFIX + data_set.key,
                title=titles.get(data_set.id, ("", ""))[0] or data_set.title or data_set.key,
                title_zh=titles.get(data_set.id, ("", ""))[1],
                unit_id=row.unit_id,
                asked_label=row.asked_label,
                asked_at=row.asked_at,
                purpose=row.purpose,
                days=row.days,
                state=row.state,
                decided_label=row.decided_label,
                decided_at=row.decided_at,
                reason=row.reason,
                grant_id=grant.id if grant else None,
                until=(grant.ended_at or grant.valid_until) if grant else None,
                ended_early=bool(grant and grant.ended_at),
                mine=mine,
                decidable=stewards[data_set.id] and not mine,
                version=row.version,
            )
        )
    return found


def _waiting(session: Session, actor: Actor, request_id: int) -> DataRequest:
    row = store.lock_request(session, actor.territory_id or 0, request_id)
    if row is None:
        raise NotFound("There is no such request, or it is not yours to decide.", zh="没有此申请，或不由您审批。")
    if row.state != "waiting":
        raise Conflict(
            f"This request is {row.state} already.", hint="Load the page again.", zh="此申请已有结果，请刷新。"
        )
    return row
