"""Nouns of people: units, workers, accounts, sessions; no input or output here."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from core.identity import Actor, Role


@dataclass(frozen=True, slots=True)
class UnitInfo:
    """A department, company, street office, team or partner that owns tasks."""

    id: int
    code: str
    kind: str
    name: str
    name_zh: str | None

    def title(self, locale: str) -> str:
        """Return the name in the language of ``locale``, or the only one there is."""
        return self.name_zh or self.name if locale.startswith("zh") else self.name


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A grid worker as on the day of a moment.

    Attributes
    ----------
    shift_start, shift_end
        Of the shift that covers the moment, else of the one that begins on its local day, in local time;
        None without one.
    away
        An absence takes the day.
    stands_in
        Codes of the responsibility grids of those the worker stands in for on the day.
    name
        None for those who may not see it, and after erasure.
    break_min
        Minutes of rest within the shift.
    """

    id: int
    code: str
    unit_id: int
    unit_name: str
    unit_name_zh: str | None
    grid_code: str | None
    grid_name: str | None
    grid_name_zh: str | None
    shift_start: dt.datetime | None = None
    shift_end: dt.datetime | None = None
    away: bool = False
    stands_in: tuple[str, ...] = ()
    name: str | None = None
    break_min: int = 0

    def on_duty(self, moment: dt.datetime) -> bool:
        """Return whether the shift covers a moment of the day that was asked for."""
        if self.shift_start is None or self.shift_end is None:
            return False
        return self.shift_start <= moment < self.shift_end

    def owns(self, grid_code: str | None) -> bool:
        """Return whether a responsibility grid is the own one, or that of somebody stood in for."""
        return grid_code is not None and (grid_code == self.grid_code or grid_code in self.stands_in)


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Who is on shift at a moment, of all active workers in reach."""

    at: dt.datetime
    present: tuple[WorkerInfo, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Acting:
    """Whose role somebody acts in, and until when."""

    login: str
    title_en: str
    title_zh: str
    until: dt.datetime

    def title(self, locale: str) -> str:
        """Return the function of the other, in the language of ``locale``."""
        return self.title_zh if locale.startswith("zh") else self.title_en


@dataclass(frozen=True, slots=True)
class Account:
    """An account with one role in one territory."""

    user_id: int
    role_id: int
    login: str
    title_en: str
    title_zh: str
    role: Role
    territory_id: int
    area_ids: tuple[int, ...]
    unit_ids: tuple[int, ...]
    worker_id: int | None
    locale: str
    is_demo: bool
    acting: Acting | None = None

    def title(self, locale: str) -> str:
        """Return the function shown beside acts, in the language of ``locale``."""
        return self.title_zh if locale.startswith("zh") else self.title_en

    def actor(self, locale: str | None = None) -> Actor:
        """Return who acts when this account is logged in."""
        return Actor(
            user_id=self.user_id,
            label=self.login if self.acting is None else f"{self.login} for {self.acting.login}",
            role=self.role,
            territory_id=self.territory_id,
            area_ids=self.area_ids,
            unit_ids=self.unit_ids,
            worker_id=self.worker_id,
            locale=locale or self.locale,
        )


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A valid login: who acts, by which session row, until when."""

    id: str
    role_id: int
    actor: Actor
    title_en: str
    title_zh: str
    is_demo: bool
    expires_at: dt.datetime
    acting: Acting | None = None
    login: str = ""

    def title(self, locale: str) -> str:
        """Return the function of the user, in the language of ``locale``."""
        return self.title_zh if locale.startswith("zh") else self.title_en


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session in the list of sessions; its id is a hash and opens nothing."""

    id: str
    user_id: int
    login: str
    role: Role
    created_at: dt.datetime
    last_seen_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None


class LoginFailure(enum.StrEnum):
    """Why a login did not succeed; the page says the same sentence for the first two."""

    WRONG = "wrong"
    LOCKED = "locked"
    DEMO_OFF = "demo_off"


@dataclass(frozen=True, slots=True)
class LoginOutcome:
    """What came of an attempt: ``token`` for the cookie, or why not."""

    token: str | None
    failure: LoginFailure | None = None
    user_id: int | None = None
