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
    if not COMMAND_ID.fullmatch(command_id):
        raise InvalidInput(
            f"{command_id!r} is not a command id.", hint="Give 8 to 80 letters, digits or . _ : -, e.g. a UUID."
        )
    digest = keyed_digest(json.dumps(dict(asked), sort_keys=True, default=str))
    if not acts.claim_command(session, actor, command_id, act, digest):
        return _first_answer(session, command_id, digest)
    name_act(session, purpose=purpose or act, command_id=command_id)
    done = apply()
    acts.answer_command(session, command_id, done.incident_id, done.as_dict())
    return done


def _first_answer(session: Session, command_id: str, digest: str) -> Done:
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
    return Done(**known[1], repeated=True)
