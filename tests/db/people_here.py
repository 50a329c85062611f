"""People of a made-up town for the tests of accounts, roles and handover."""

from __future__ import annotations

import datetime as dt

from core.identity import system_actor
from geodata.db import as_actor
from people import accounts

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
PASSWORD = "four little words"
SYSTEM = system_actor()


def later(**step: float) -> dt.datetime:
    return NOW + dt.timedelta(**step)


def person(session, town, login, role, **reach):
    accounts.ensure_user(
        session,
        login=login,
        role=role,
        territory_id=town.id,
        title_en=login.title(),
        title_zh=login,
        password=PASSWORD,
        **reach,
    )
    return accounts.find_account(session, login, town.id)


def as_system(session):
    as_actor(session, SYSTEM)


def enter(session, login, password=PASSWORD, at=NOW):
    as_system(session)
    return accounts.login(session, login, password, locale="en", at=at)
