"""Use cases of appeals: a department asks, a supervisor who is no party decides, and only then a score changes."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from core.settings import settings
from geodata import sealing
from geodata.heads import Verifier, read_keys, signer
from insight.appeals import (
    ANSWER_MOST,
    GRANTED,
    KEY_OF,
    REFUSED,
    WAITING,
    check_appeal,
    check_words,
    decision_text,
    open_until,
)
from insight.model import AppealInfo
from insight.service.ruling import rule_in_force
from insight.store import appeals as store
from insight.store import folding

_SEES = {Role.SUPERVISOR, Role.AUDITOR, Role.DISPATCHER, Role.HANDLER, Role.SYSTEM}


def list_appeals(
    session: Session, actor: Actor, *, states: tuple[str, ...] = (), incident_id: int | None = None
) -> list[AppealInfo]:
    """Return the appeals within the actor's reach, those that wait first; a department sees its own."""
    require(actor, May.SEE_SCORES)
    if actor.role not in _SEES:
        return []
    return store.appeals(session, actor.territory_id or 0, states=states, incident_id=incident_id)


def may_appeal(actor: Actor) -> bool:
    """Return whether the role speaks for a department."""
    return actor.role is Role.HANDLER


def may_decide(session: Session, actor: Actor, appeal: AppealInfo) -> bool:
    """Return whether the actor may decide this appeal: a supervisor who is no party to it."""
    decides = actor.role is Role.SUPERVISOR and actor.user_id not in {None, appeal.asked_by}
    return decides and appeal.state == WAITING and not store.is_party(session, appeal.id)


def file_appeal(
    session: Session, actor: Actor, incident_id: int, *, effect: str, ground: str, evidence: str
) -> AppealInfo:
    """Appeal an incident that was counted against the actor's unit.

    Raises
    ------
    NotPermitted
        When the actor speaks for no department, or it is another one's incident.
    InvalidInput
        When ground or evidence lack, it was appealed so already, or the time is over.
    """
    require(actor, May.SEE_SCORES)
    if actor.role is not Role.HANDLER:
        raise NotPermitted("A department appeals, by one who handles its incidents.", zh="申诉由责任单位经办人提出。")
    check_appeal(effect, ground, evidence)
    home = actor.territory_id or 0
    found = store.incident(session, home, incident_id)
    if found is None:
        raise NotFound("There is no such incident within your reach.", zh="没有该案件，或不在您的范围内。")
    number, unit_id, counted_at = found
    if unit_id not in actor.unit_ids:
        raise NotPermitted(f"{number} is not counted for your unit.", zh=f"{number} 未计入您的单位。")
    if counted_at is None:
        raise InvalidInput(f"{number} has no deadline and is not closed.", zh=f"{number} 尚未计入评价。")
    ends = open_until(counted_at, rule_in_force(session, actor).appeal_days)
    if now() > ends:
        raise InvalidInput(
            f"{number} could be appealed until {ends:%d %b %Y %H:%M} UTC.", zh=f"{number} 的申诉期已过。"
        )
    if any(each.effect == effect for each in store.appeals(session, home, states=(), incident_id=incident_id)):
        raise InvalidInput(f"{number} was appealed so already.", zh=f"{number} 已就此提出过申诉。")
    given = {
        "incident": incident_id,
        "unit": unit_id,
        "effect": effect,
        "ground": ground,
        "evidence": evidence.strip(),
    }
    return _get(session, actor, store.add(session, home, given))


def decide(session: Session, actor: Actor, appeal_id: int, *, grant: bool, answer: str) -> AppealInfo:
    """Grant or refuse an appeal, with a reason, under the platform's signature.

    Raises
    ------
    NotPermitted
        When the actor is no supervisor, asked himself, speaks for the unit, or had a hand in the incident.
    Conflict
        When it was decided already.
    """
    require(actor, May.SEE_SCORES)
    if actor.role is not Role.SUPERVISOR:
        raise NotPermitted("A supervisor decides appeals.", zh="申诉由监督员裁定。")
    check_words(answer, ANSWER_MOST, "A decision needs its reason in words.", "裁定须写明理由。")
    found = _get(session, actor, appeal_id, lock=True)
    if found.state != WAITING:
        raise Conflict("This appeal was decided already.", zh="该申诉已裁定。")
    if not may_decide(session, actor, found):
        raise NotPermitted(
            f"You had a hand in {found.number}, or speak for its unit: somebody else decides.",
            hint="Ask another supervisor.",
            zh=f"您参与过 {found.number} 的办理，或代表该单位，须由另一位监督员裁定。",
        )
    at, state = now(), GRANTED if grant else REFUSED
    told = decision_text(
        appeal_id=found.id,
        incident=found.number,
        effect=found.effect,
        state=state,
        answer=answer.strip(),
        decided_by=actor.user_id,
        at=at,
    )
    key = signer(settings().state_dir)
    signature = base64.b64encode(key.verifier.key_id + key.key.sign(told.encode())).decode()
    try:
        store.decide(session, found.id, state=state, answer=answer.strip(), at=at, signature=signature)
    except IntegrityError as error:
        raise NotPermitted("The database refuses it.", hint="Another supervisor decides.") from error
    return _get(session, actor, appeal_id)


def signed(appeal: AppealInfo) -> bool:
    """Return whether the decision bears this platform's signature over exactly these words."""
    return appeal.decided_at is not None and _holds(
        _keys(),
        appeal.signature,
        decision_text(
            appeal_id=appeal.id,
            incident=appeal.number,
            effect=appeal.effect,
            state=appeal.state,
            answer=appeal.answer,
            decided_by=appeal.decided_by,
            at=appeal.decided_at,
        ),
    )


def held(session: Session, territory_id: int, incident_ids: Sequence[str] | None) -> list[str]:
    """Return which appeals of the incidents, or of all, the record says granted under a signature that holds."""
    granted = folding.granted(session, territory_id, incident_ids)
    keys = _keys() if granted else []
    return [
        each.id
        for each in granted
        if _holds(
            keys,
            each.signature,
            decision_text(
                appeal_id=int(each.id),
                incident=each.number,
                effect=KEY_OF.get(each.effect, ""),
                state=GRANTED,
                answer=each.answer,
                decided_by=each.decided_by,
                at=each.decided_at,
            ),
        )
    ]


def _keys() -> list[Verifier]:
    """Return the platform's key, and those that it published its heads under before."""
    published = sealing.heads_folder() / sealing.KEYS_FILE
    return [sealing.verifier(), *(read_keys(published) if published.is_file() else ())]


def _holds(keys: Sequence[Verifier], signature: str, told: str) -> bool:
    try:
        signed_by = base64.b64decode(signature, validate=True)
    except ValueError:
        return False
    return any(key.key_id == signed_by[:4] and key.accepts(told, signed_by[4:]) for key in keys)


def _get(session: Session, actor: Actor, appeal_id: int, *, lock: bool = False) -> AppealInfo:
    found = store.appeal(session, actor.territory_id or 0, appeal_id, lock=lock)
    if found is None:
        raise NotFound("There is no such appeal within your reach.", zh="没有该申诉，或不在您的范围内。")
    return found
