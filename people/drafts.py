"""Use cases of drafts: what a user typed and has not sent, kept sealed, one a kind."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.clock import now
from core.errors import InvalidInput
from core.identity import Actor
from geodata.persons import erase, new_subject, seal, unseal
from people import store

KIND = re.compile(r"[a-z_]{1,40}")
CONTENT_MOST = 20_000


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """A draft and when it was last changed."""

    content: Mapping[str, Any]
    updated_at: dt.datetime


def save_draft(session: Session, actor: Actor, kind: str, content: Mapping[str, Any]) -> dt.datetime:
    """Keep ``content`` as the actor's draft of a kind, in place of the last one; return when.

    Raises
    ------
    InvalidInput
        When nobody in person acts, or the content is too long.
    """
    user_id, territory_id = _owner(actor, kind)
    text = json.dumps(dict(content), ensure_ascii=False)
    if len(text) > CONTENT_MOST:
        raise InvalidInput("The draft is too long to be kept.", hint="Shorten it.", zh="草稿过长，请缩短。")
    known = store.draft(session, user_id, territory_id, kind)
    subject = known.subject_id if known else new_subject(session)
    at = now()
    store.put_draft(
        session, user_id, territory_id, kind, subject_id=subject, cipher=seal(session, subject, text), at=at
    )
    return at


def load_draft(session: Session, actor: Actor, kind: str) -> SavedDraft | None:
    """Return the actor's draft of a kind; None when there is none."""
    user_id, territory_id = _owner(actor, kind)
    known = store.draft(session, user_id, territory_id, kind)
    plain = None if known is None else unseal(session, known.subject_id, known.content_cipher)
    return None if known is None or plain is None else SavedDraft(json.loads(plain), known.updated_at)


def discard_draft(session: Session, actor: Actor, kind: str) -> None:
    """Remove the actor's draft of a kind and destroy its key; nothing happens when there is none."""
    user_id, territory_id = _owner(actor, kind)
    known = store.draft(session, user_id, territory_id, kind)
    if known is not None:
        erase(session, known.subject_id)  # while the draft is there, its writer may
        store.remove_draft(session, known)


def _owner(actor: Actor, kind: str) -> tuple[int, int]:
    if actor.user_id is None or actor.territory_id is None:
        raise InvalidInput("Only a person in a territory keeps drafts.")
    if not KIND.fullmatch(kind):
        raise InvalidInput(f"{kind!r} is not a kind of draft.")
    return actor.user_id, actor.territory_id
