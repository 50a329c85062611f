"""Use cases of walls: an address for a screen in a hall, shown once, with an end, withdrawn at will.

Such an address opens the Wall and nothing else: who holds it sees what hangs in the hall anyway, and can do nothing.
"""

from __future__ import annotations

import datetime as dt
import secrets

from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from people import store_walls as store
from people.credentials import token_id
from people.walls_model import WallPassInfo

DAYS = (1, 7, 30, 90)
OPEN_MOST = 20


def add_wall(
    session: Session, actor: Actor, title: str, days: int, *, at: dt.datetime | None = None
) -> tuple[int, str]:
    """Make an address and return its id and its secret, which is shown this once and kept by nobody.

    Raises
    ------
    InvalidInput
        For a title that is empty or too long, a span that is not offered, or too many walls.
    """
    require(actor, May.OPEN_WALLS)
    moment = at or clock_now()
    title = " ".join(title.split())
    if not 0 < len(title) <= 80 or not title.isprintable():
        raise InvalidInput(
            "Say where the screen hangs, in up to 80 signs.",
            hint="E.g. Command hall, left screen.",
            zh="请填写屏幕所在位置（不超过 80 字），如：指挥大厅左屏。",
        )
    if days not in DAYS:
        raise InvalidInput(
            f"A wall is open for {', '.join(map(str, DAYS))} days.", zh="大屏地址的有效期为 1、7、30 或 90 天。"
        )
    territory_id = actor.territory_id or 0
    if sum(each.opens(moment) for each in store.listed(session, territory_id)) >= OPEN_MOST:
        raise InvalidInput(
            f"{OPEN_MOST} walls are open already.",
            hint="Withdraw one.",
            zh=f"已有 {OPEN_MOST} 个大屏地址，请先停用一个。",
        )
    secret = secrets.token_urlsafe(32)
    until = moment + dt.timedelta(days=days)
    return store.add(session, territory_id, title, token_id(secret), at=moment, until=until), secret


def open_wall(session: Session, secret: str, *, at: dt.datetime | None = None) -> WallPassInfo | None:
    """Return the wall that a secret opens now; None for any other. Called as the system."""
    return store.by_hash(session, token_id(secret[:100]), at or clock_now())


def list_walls(session: Session, actor: Actor) -> list[WallPassInfo]:
    """Return the addresses of the actor's territory, the newest first."""
    require(actor, May.OPEN_WALLS)
    return store.listed(session, actor.territory_id or 0)


def withdraw_wall(session: Session, actor: Actor, pass_id: int, *, at: dt.datetime | None = None) -> None:
    """Withdraw an address; its screens go dark within seconds.

    Raises
    ------
    NotFound
        When it is not there, or was withdrawn already.
    """
    require(actor, May.OPEN_WALLS)
    if not store.withdraw(session, actor.territory_id or 0, pass_id, at or clock_now()):
        raise NotFound("This address opens nothing any more.", hint="Look at the list.", zh="该大屏地址已停用。")
