"""All SQL of the tokens by which other systems read."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from core.identity import Role
from geodata.tables import ApiToken, AppUser, UserRole
from people.token_model import TokenRow


def add(session: Session, token: ApiToken) -> int:
    """Insert a token and return its id."""
    session.add(token)
    session.flush()
    return token.id


def role_of(session: Session, role_id: int, territory_id: int) -> UserRole | None:
    """Return a role of the territory, or None."""
    return session.scalar(select(UserRole).where(UserRole.id == role_id, UserRole.territory_id == territory_id))


def roles_of(session: Session, user_id: int, territory_id: int) -> list[UserRole]:
    """Return the own roles of a user in the territory, oldest first."""
    return list(
        session.scalars(
            select(UserRole)
            .where(UserRole.user_id == user_id, UserRole.territory_id == territory_id, UserRole.acting_for.is_(None))
            .order_by(UserRole.id)
        )
    )


def rows(session: Session, territory_id: int, *, user_id: int | None = None) -> list[TokenRow]:
    """Return the tokens the actor may see, newest first; of one user where given."""
    query = (
        select(ApiToken, AppUser.login, UserRole.role)
        .join(AppUser, AppUser.id == ApiToken.user_id)
        .join(UserRole, UserRole.id == ApiToken.role_id)
        .where(ApiToken.territory_id == territory_id)
        .order_by(ApiToken.id.desc())
    )
    if user_id is not None:
        query = query.where(ApiToken.user_id == user_id)
    return [
        TokenRow(
            row.id,
            row.user_id,
            login,
            Role(role),
            row.name,
            row.created_at,
            row.expires_at,
            row.last_used_at,
            row.revoked_at,
        )
        for row, login, role in session.execute(query)
    ]


def revoke(session: Session, token_id: int, territory_id: int, now: dt.datetime) -> bool:
    """End a token; return whether there was one to end."""
    done = session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.territory_id == territory_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiToken.id)
    ).one_or_none()
    return done is not None


def live(session: Session, token_hash: str, now: dt.datetime) -> tuple[ApiToken, AppUser, UserRole] | None:
    """Return the token of a hash with its account and role, if all three are good at a moment."""
    row = session.execute(
        select(ApiToken, AppUser, UserRole)
        .join(AppUser, AppUser.id == ApiToken.user_id)
        .join(UserRole, and_(UserRole.id == ApiToken.role_id, UserRole.user_id == ApiToken.user_id))
        .where(
            ApiToken.token_hash == token_hash,
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > now,
            AppUser.active,
            UserRole.valid_from <= now,
            UserRole.valid_until.is_(None) | (UserRole.valid_until > now),
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


def touch(session: Session, token_id: int, now: dt.datetime) -> None:
    """Write when a token was used last."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now))
