"""Nouns and rules of access: accounts in a list, roles with an end, what a review finds; no input or output here."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass

from core.identity import ALLOWED, May, Role

ACTING_MOST = dt.timedelta(days=90)
IDLE_AFTER = dt.timedelta(days=90)
ROLE_OLD_AFTER = dt.timedelta(days=365)
ACTING_TOLD = dt.timedelta(days=7)
TWO_DUTIES_AGAIN_AFTER = dt.timedelta(days=90)
ACTS = frozenset(Role) - {Role.SYSTEM, Role.AUDITOR, Role.PLANNER}


class RoleState(enum.StrEnum):
    """Whether a role holds."""

    COMING = "coming"
    NOW = "now"
    ENDED = "ended"


class Finding(enum.StrEnum):
    """Why an account should be looked at."""

    NEVER_IN = "never_in"
    IDLE = "idle"
    OLD_ROLE = "old_role"
    ACTING_ENDS = "acting_ends"
    ACTING_ENDED = "acting_ended"
    TWO_DUTIES = "two_duties"
    NO_ROLE = "no_role"


class Separation(enum.StrEnum):
    """Duties that one person should not hold together."""

    SENDS_AND_CLOSES = "sends_and_closes"
    ADMINISTERS_AND_READS = "administers_and_reads"
    AUDITS_OWN_ACTS = "audits_own_acts"


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role somebody has, had or will have; ``acting_for`` is the id of whose role it is, None for the own."""

    id: int
    user_id: int
    role: Role
    area_ids: tuple[int, ...]
    unit_ids: tuple[int, ...]
    acting_for: int | None
    acting_login: str
    reason: str
    valid_from: dt.datetime
    valid_until: dt.datetime | None
    version: int

    def state(self, now: dt.datetime) -> RoleState:
        """Return whether the role holds at a moment; one's own has begun when it is there."""
        if self.valid_until is not None and self.valid_until <= now:
            return RoleState.ENDED
        return RoleState.COMING if self.acting_for is not None and self.valid_from > now else RoleState.NOW


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account in the list of those who manage and review accounts.

    Attributes
    ----------
    opens
        There is a password; without one only an invitation lets somebody in.
    """

    id: int
    login: str
    title_en: str
    title_zh: str
    worker_id: int | None
    locale: str
    is_demo: bool
    active: bool
    opens: bool
    failed_logins: int
    locked_until: dt.datetime | None
    created_at: dt.datetime
    version: int
    last_login: dt.datetime | None
    roles: tuple[RoleRow, ...] = ()
    reviewed_at: dt.datetime | None = None
    reviewed_by: str = ""

    def title(self, locale: str) -> str:
        """Return the function shown beside acts, in the language of ``locale``."""
        return self.title_zh if locale.startswith("zh") else self.title_en

    def locked(self, now: dt.datetime) -> bool:
        """Return whether failed attempts keep it closed for now."""
        return self.locked_until is not None and self.locked_until > now

    def roles_in(self, state: RoleState, now: dt.datetime) -> tuple[RoleRow, ...]:
        """Return the roles that are in a state at a moment."""
        return tuple(role for role in self.roles if role.state(now) is state)


def separations(roles: Iterable[Role]) -> tuple[Separation, ...]:
    """Return the duties among these roles that one person should not hold together."""
    held = frozenset(roles)
    reads = ALLOWED[May.SEE_INCIDENTS] - {Role.AUDITOR}
    found = (
        (Separation.SENDS_AND_CLOSES, {Role.DISPATCHER, Role.SUPERVISOR} <= held),
        (Separation.ADMINISTERS_AND_READS, Role.ADMINISTRATOR in held and bool(held & reads)),
        (Separation.AUDITS_OWN_ACTS, Role.AUDITOR in held and bool(held & ACTS)),
    )
    return tuple(name for name, there in found if there)


def findings(account: AccountRow, now: dt.datetime) -> tuple[Finding, ...]:
    """Return why an account should be looked at; what the last review saw is not said again.

    An account that is closed needs no look, and a demo account is entered by everybody.
    """
    if not account.active:
        return ()
    seen = account.reviewed_at or dt.datetime.min.replace(tzinfo=dt.UTC)
    lasting = account.roles_in(RoleState.NOW, now)
    acting = [role for role in account.roles if role.acting_for is not None and role.valid_until is not None]
    ends = [role.valid_until for role in acting if role.valid_until is not None]
    last = max(account.last_login or account.created_at, seen)
    found = (
        (Finding.NO_ROLE, not lasting and seen < account.created_at),
        (Finding.NEVER_IN, account.last_login is None and now - last > IDLE_AFTER / 6 and not account.is_demo),
        (Finding.IDLE, account.last_login is not None and now - last > IDLE_AFTER),
        (
            Finding.OLD_ROLE,
            any(role.acting_for is None and now - max(role.valid_from, seen) > ROLE_OLD_AFTER for role in lasting),
        ),
        (Finding.ACTING_ENDS, any(now < end <= now + ACTING_TOLD and seen < end - ACTING_TOLD for end in ends)),
        (Finding.ACTING_ENDED, any(now - ACTING_TOLD <= end <= now and seen < end for end in ends)),
        (
            Finding.TWO_DUTIES,
            bool(separations(role.role for role in lasting)) and now - seen > TWO_DUTIES_AGAIN_AFTER,
        ),
    )
    return tuple(name for name, there in found if there)
