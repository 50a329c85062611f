"""The regular look at accounts: who has which role still, who acts for whom, who has not been in for long."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from geodata.record import RecordEntry, history
from people import store_access as store
from people.access_model import AccountRow, Finding, findings


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An account of the list, with why it should be looked at."""

    account: AccountRow
    findings: tuple[Finding, ...]


def list_accounts(session: Session, actor: Actor, *, at: dt.datetime | None = None) -> list[Reviewed]:
    """Return the accounts with a role in the actor's territory, by login."""
    require(actor, May.REVIEW_USERS)
    if actor.territory_id is None:
        return []
    now = at or clock_now()
    return [Reviewed(each, findings(each, now)) for each in store.account_rows(session, actor.territory_id)]


def review(session: Session, actor: Actor, user_id: int, *, at: dt.datetime | None = None) -> None:
    """Record that the actor looked at an account with its roles and found it right.

    Raises
    ------
    InvalidInput
        For the own account: somebody else looks at it.
    """
    require(actor, May.REVIEW_USERS)
    known = {each.id for each in store.account_rows(session, actor.territory_id or 0)}
    if user_id not in known:
        raise NotFound("There is no such account in this territory.", zh="本辖区没有该账号。")
    if user_id == actor.user_id:
        raise InvalidInput(
            "Nobody reviews his own account.", hint="Ask the auditor.", zh="不能审核本人账号，请由审计员办理。"
        )
    store.add_review(session, actor.territory_id or 0, user_id, actor, at or clock_now())


def account_history(session: Session, actor: Actor, account: AccountRow) -> list[RecordEntry]:
    """Return what happened to an account, its roles and reviews, newest first."""
    require(actor, May.REVIEW_USERS)
    entries = history(session, "app_user", account.id)
    for role in account.roles:
        entries += history(session, "user_role", role.id)
    return sorted(entries, key=lambda entry: entry.seq, reverse=True)
