"""Tokens by which other systems read in an account's role: shown once, kept as a hash, ending by themselves."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from core.settings import settings
from geodata.tables import ApiToken
from people import credentials
from people import store_tokens as store
from people.roles import home_of
from people.token_model import TokenRow

PREFIX = "gkt_"
"""By which whoever finds one knows what it is."""
MOST_DAYS = 366
USUAL_DAYS = 90
MOST_TOKENS = 20
"""That live at once, of one account."""
LONGEST_NAME = 80
SEEN_EVERY = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token: the one time its secret is told."""

    id: int
    secret: str
    login: str
    expires_at: dt.datetime


def issue(
    session: Session,
    actor: Actor,
    *,
    name: str,
    days: int = USUAL_DAYS,
    user_id: int | None = None,
    at: dt.datetime | None = None,
) -> Issued:
    """Make a token for the actor in the role he acts in, or as administrator for an account in its first role.

    Raises
    ------
    NotPermitted
        When the role may not take data along.
    InvalidInput
        Without a name, or with an end that lies too far away.
    """
    now = at or clock_now()
    whose = actor.user_id if user_id is None else user_id
    if whose != actor.user_id:
        require(actor, May.MANAGE_USERS)
    elif actor.role is not Role.SYSTEM:
        require(actor, May.TAKE_DATA)
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise InvalidInput(
            "Say which system reads with this token.",
            hint=f"A name of at most {LONGEST_NAME} characters.",
            zh=f"请填写使用此令牌的系统名称，最多 {LONGEST_NAME} 字。",
        )
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(
            f"A token lives 1 to {MOST_DAYS} days.",
            hint="Make a new one when it ends.",
            zh=f"令牌有效期为 1 至 {MOST_DAYS} 天，到期后请重新生成。",
        )
    home = home_of(actor)
    roles = [] if whose is None else store.roles_of(session, whose, home)
    mine = [each for each in roles if whose != actor.user_id or each.role == actor.role.value]
    if whose is None or not mine:
        raise NotFound(
            "There is no role this token could read in.",
            hint="A role held for somebody else lends no token.",
            zh="没有可用于此令牌的角色；代理的角色不能生成令牌。",
        )
    known = store.rows(session, home, user_id=whose)
    if sum(each.lives(now) for each in known) >= MOST_TOKENS:
        raise InvalidInput(
            f"An account has at most {MOST_TOKENS} tokens at a time.",
            hint="End those that nobody uses.",
            zh=f"每个账号最多同时有 {MOST_TOKENS} 个令牌，请先停用不用的。",
        )
    if Role(mine[0].role) is Role.GRID_WORKER:
        raise NotPermitted("As grid worker nobody takes data along.", hint="Ask for a token in another role.")
    secret = PREFIX + credentials.new_token()
    ends = now + dt.timedelta(days=days)
    made = store.add(
        session,
        ApiToken(
            territory_id=home,
            user_id=whose,
            role_id=mine[0].id,
            name=name,
            token_hash=credentials.token_id(secret),
            made_by=actor.user_id,
            created_at=now,
            expires_at=ends,
        ),
    )
    row = next(each for each in store.rows(session, home, user_id=whose) if each.id == made)
    return Issued(made, secret, row.login, ends)


def mine(session: Session, actor: Actor) -> list[TokenRow]:
    """Return the actor's own tokens, newest first."""
    return store.rows(session, home_of(actor), user_id=actor.user_id or 0)


def of(session: Session, actor: Actor, user_id: int | None = None) -> list[TokenRow]:
    """Return the tokens of the territory, or of one account, newest first."""
    require(actor, May.MANAGE_USERS)
    return store.rows(session, home_of(actor), user_id=user_id)


def end(session: Session, actor: Actor, token_id: int, *, at: dt.datetime | None = None) -> None:
    """End a token of the actor, or as administrator one of the territory; it opens nothing from then on.

    Raises
    ------
    NotFound
        When there is none to end.
    """
    if not store.revoke(session, token_id, home_of(actor), at or clock_now()):
        raise NotFound("This token has already ended, or is not yours.", zh="此令牌已失效，或不属于您。")


def actor_of(session: Session, secret: str, *, at: dt.datetime | None = None) -> Actor | None:
    """Return who reads with a secret; None when it is unknown, ended, or its account or role is.

    Called as the system. A demo account's token counts for nothing outside demo mode.
    """
    now = at or clock_now()
    if not secret.startswith(PREFIX) or len(secret) > 100:
        return None
    found = store.live(session, credentials.token_id(secret), now)
    if found is None:
        return None
    token, user, role = found
    if user.is_demo and not settings().demo:
        return None
    if token.last_used_at is None or now - token.last_used_at > SEEN_EVERY:
        store.touch(session, token.id, now)
    return Actor(
        user_id=user.id,
        label=user.login,
        role=Role(role.role),
        territory_id=role.territory_id,
        area_ids=tuple(role.area_ids),
        unit_ids=tuple(role.unit_ids),
        worker_id=user.worker_id,
        locale=user.locale,
    )
