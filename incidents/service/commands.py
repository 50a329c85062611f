"""A command is applied once: its id is claimed, its first answer kept and given again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput
from core.identity import Actor
from geodata.db import name_act
from geodata.persons import keyed_digest
from incidents.store import acts
from incidents.work import Done

COMMAND_ID = re.compile(r"[A-Za-z0-9._:-]{8,80}")


def once(
    session: Session,
    actor: Actor,
    command_id: str,
    *,
    act: str,
    asked: Mapping[str, Any],
    apply: Callable[[], Done],
    purpose: str = "",
) -> Done:
    """Return what ``apply`` leaves behind, or the first answer when the command was applied before.

    A command that is being applied by another transaction is waited for. What is recorded meanwhile
    stands under ``purpose`` and the command.

    Raises
    ------
    InvalidInput
        When the id is malformed, or was used for something else.
    Conflict
        When the id is another user's.
    """
    first = first_answer(session, actor, command_id, act=act, asked=asked, purpose=purpose)
    if first is not None:
        return Done(**first, repeated=True)
    done = apply()
    keep_answer(session, command_id, done.incident_id, done.as_dict())
    return done


def first_answer(
    session: Session, actor: Actor, command_id: str, *, act: str, asked: Mapping[str, Any], purpose: str = ""
) -> dict[str, Any] | None:
    """Return what the command answered when it was applied before; None claims it, and it is the caller's to apply.

    Raises as `once` does.
    """
    digest = digest_of(command_id, asked)
    if not acts.claim_command(session, actor, command_id, act, digest):
        return _known(session, command_id, digest)
    name_act(session, purpose=purpose or act, command_id=command_id)
    return None


def keep_answer(session: Session, command_id: str, incident_id: int | None, answer: dict[str, Any]) -> None:
    """Keep the answer of a claimed command; no personal field may stand in it."""
    acts.answer_command(session, command_id, incident_id, answer)


def digest_of(command_id: str, asked: Mapping[str, Any]) -> str:
    """Return the keyed hash of what is asked; raise `InvalidInput` for an id that is none."""
    if not COMMAND_ID.fullmatch(command_id):
        raise InvalidInput(
            f"{command_id!r} is not a command id.", hint="Give 8 to 80 letters, digits or . _ : -, e.g. a UUID."
        )
    return keyed_digest(json.dumps(dict(asked), sort_keys=True, default=str))


def _known(session: Session, command_id: str, digest: str) -> dict[str, Any]:
    known = acts.known_command(session, command_id)
    if known is None or known[1] is None:
        raise Conflict(
            f"The command id {command_id} is taken by somebody else.",
            hint="Send it again with a fresh id.",
            zh="该命令编号已被他人使用，请换一个编号重新提交。",
        )
    if known[0] != digest:
        raise InvalidInput(
            f"The command {command_id} was applied before, with other contents.",
            hint="Give every act an id of its own.",
            zh="该命令编号已用于其他操作，请为每个操作使用新的编号。",
        )
    return known[1]
