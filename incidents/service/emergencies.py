"""Use cases of emergencies: whom to call while it is typed, handing over, and what still waits to be handed over."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from core.clock import aware, now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from core.words import one_line
from geodata.record import note_event
from geodata.tables import EmergencyRule, HandOver, Incident
from geodata.territory import TerritoryInfo, list_territories
from incidents.emergencies import (
    PHRASE_MOST,
    SERVICES,
    Call,
    Handed,
    Rules,
    calls,
    is_shipped,
    mutes,
    plain,
    shipped,
    with_own,
)
from incidents.store import acts
from incidents.store import emergencies as store
from incidents.work import HandedOver

CHANNELS = ("phone", "radio", "in_person", "system")
REFERENCE_MOST = 60
DESKS = frozenset({Role.DISPATCHER, Role.SUPERVISOR})
KINDS = ("word", "lookalike", "class", "number")
LISTED = dt.timedelta(days=30)
AHEAD = dt.timedelta(minutes=5)


def rules_of(session: Session, territory: TerritoryInfo) -> Rules:
    """Return the words, look-alikes, classes and numbers in force: what is shipped, and the territory's own on top."""
    return with_own(shipped(territory.timezone), store.own_rules(session, territory.id))


def whom_to_call(
    session: Session, actor: Actor, territory: TerritoryInfo, text: str, class_key: str, *, emergency_class: bool
) -> tuple[Call, ...]:
    """Return whom to call for what is being typed; nothing while nobody is in danger."""
    require(actor, May.REPORT_INCIDENTS)
    return calls(rules_of(session, territory), text, class_key, emergency_class=emergency_class)


def dismiss_banner(session: Session, actor: Actor, because: tuple[str, ...]) -> None:
    """Write into the record that the actor said no emergency is meant, before anything is filed."""
    require(actor, May.REPORT_INCIDENTS)
    note_event(session, "dismissed_alarm", "hand_over", "desk", {"because": list(because)})


def hand_over(
    session: Session, incident: Incident, called: tuple[Call, ...], answers: tuple[HandedOver, ...], at: dt.datetime
) -> None:
    """Write down each service that an incident calls for: handed over, dismissed, or waiting for somebody to do it."""
    known = {each.service: each for each in answers}
    rows = []
    for call in called:
        answer = known.get(call.service)
        state = "waiting" if answer is None else "dismissed" if answer.called_at is None else "acknowledged"
        row = HandOver(
            territory_id=incident.territory_id,
            incident_id=incident.id,
            service=call.service,
            phone=call.number,
            because="|".join(call.because),
            state=state,
            raised_at=at,
        )
        if answer is not None:
            _write(row, answer, at)
        rows.append(row)
    store.add(session, rows)


def check_answers(answers: tuple[HandedOver, ...], at: dt.datetime) -> None:
    """Raise `InvalidInput` for a hand-over that cannot have been."""
    for each in answers:
        if each.channel not in CHANNELS:
            raise InvalidInput(f"There is no channel {each.channel!r}.", hint=f"Channels are: {', '.join(CHANNELS)}.")
        if len(each.reference) > REFERENCE_MOST or "\x00" in each.reference:
            raise InvalidInput(
                f"A reference has at most {REFERENCE_MOST} signs.", zh=f"对方编号最多 {REFERENCE_MOST} 个字符。"
            )
        if each.called_at is not None and aware(each.called_at) > at + AHEAD:
            raise InvalidInput("The call lies in the future.", zh="通话时间不能晚于现在。")


def settle(
    session: Session, actor: Actor, hand_over_id: int, answer: HandedOver, *, moment: dt.datetime | None = None
) -> None:
    """Write down once that a service was called and took it over, or that there is no emergency.

    Raises
    ------
    NotFound, Conflict, NotPermitted, InvalidInput
        When it is out of reach, settled already, somebody else's, or cannot have been.
    """
    require(actor, May.REPORT_INCIDENTS)
    at = now() if moment is None else aware(moment)
    check_answers((answer,), at)
    row = store.lock(session, actor.territory_id, hand_over_id)
    if row is None:
        raise NotFound("There is no such hand-over, or it lies outside your reach.", zh="没有该移交记录，或无权查看。")
    if row.state != "waiting":
        raise Conflict(
            f"It was settled already by {row.settled_label}.",
            hint="Look at the incident anew.",
            zh=f"已由 {row.settled_label} 登记，请刷新查看。",
        )
    if actor.role not in DESKS and actor.role is not Role.SYSTEM and row.raised_by != actor.user_id:
        raise NotPermitted("Who took it down, a dispatcher or a supervisor writes that.", zh="由登记人或指挥中心登记。")
    row.state = "dismissed" if answer.called_at is None else "acknowledged"
    _write(row, answer, at)
    session.flush()


def add_by_hand(
    session: Session,
    actor: Actor,
    incident_id: int,
    service: str,
    answer: HandedOver | None = None,
    *,
    moment: dt.datetime | None = None,
) -> None:
    """Write down that an incident has to be handed to a service, whatever its words say, or that it was.

    Raises
    ------
    NotFound, Conflict, InvalidInput
        When it is out of reach, known already, or cannot have been.
    """
    require(actor, May.REPORT_INCIDENTS)
    at = now() if moment is None else aware(moment)
    incident = acts.lock(session, actor.territory_id, incident_id)
    if incident is None:
        raise NotFound("There is no such incident, or it lies outside your reach.", zh="没有该案件，或不在您的范围内。")
    if service not in SERVICES:
        raise InvalidInput(
            f"There is no service {service!r}.", hint=f"Known are: {', '.join(SERVICES)}.", zh="请选择服务。"
        )
    if any(each.service == service for each in store.of_incident(session, incident_id)):
        raise Conflict("This service is written down already.", hint="Look at it anew.", zh="该服务已有记录。")
    answers = () if answer is None else (answer,)
    check_answers(answers, at)
    number = rules_of(session, _territory(session, actor)).number(service)
    hand_over(session, incident, (Call(service, number, ()),), answers, at)


def of_incident(session: Session, actor: Actor, incident_id: int) -> list[Handed]:
    """Return the hand-overs of an incident, oldest first."""
    require(actor, May.SEE_INCIDENTS)
    return store.of_incident(session, incident_id)


def waiting(session: Session, actor: Actor) -> list[Handed]:
    """Return the emergencies nobody has written a hand-over of, the longest waiting first."""
    require(actor, May.SEE_INCIDENTS)
    if actor.territory_id is None:
        return []
    unwritten = store.never_raised(session, actor.territory_id)
    return sorted([*store.waiting(session, actor.territory_id), *unwritten], key=lambda each: each.raised_at)


def listed(
    session: Session, actor: Actor, states: tuple[str, ...] = ("waiting", "acknowledged", "dismissed")
) -> list[Handed]:
    """Return the hand-overs of the last 30 days and all that wait, the newest first."""
    require(actor, May.SEE_INCIDENTS)
    if actor.territory_id is None:
        return []
    return store.listed(session, actor.territory_id, states, now() - LISTED)


def set_rule(session: Session, actor: Actor, kind: str, phrase: str, service: str = "", *, active: bool = True) -> None:
    """Add a word, a look-alike, a class or a number of the territory's own, or switch one off.

    What is shipped one person alone neither switches off nor sends to another service, nor mutes by a look-alike.

    Raises
    ------
    NotPermitted, InvalidInput
        For who is no supervisor, for what would mute a shipped word, and for what cannot be a rule.
    """
    if actor.role not in {Role.SUPERVISOR, Role.SYSTEM}:
        raise NotPermitted("Words and numbers of emergencies are a supervisor's.", zh="紧急词和电话由监督员维护。")
    written = phrase.strip() if kind in {"class", "number"} else plain(phrase)
    if kind not in KINDS or not written or len(written) > PHRASE_MOST or "|" in written or "\x00" in written:
        raise InvalidInput(
            f"This cannot be a {kind or 'rule'}.", hint=f"Give 1 to {PHRASE_MOST} signs.", zh="内容不能为空或过长。"
        )
    if kind != "lookalike" and service not in SERVICES:
        raise InvalidInput(
            f"There is no service {service!r}.", hint=f"Known are: {', '.join(SERVICES)}.", zh="请选择服务。"
        )
    called = is_shipped(kind, written)
    if actor.role is not Role.SYSTEM:
        _mutes_nothing(kind, written, active and called in {"", service})
    territory_id = _territory(session, actor).id
    if kind == "number":
        row = store.number_of(session, territory_id, service)
    else:
        row = store.rule(session, territory_id, kind, written)
    if row is None and called and active and called == service:
        return  # it is in force as shipped
    if row is None:
        row = EmergencyRule(territory_id=territory_id, kind=kind)
        session.add(row)
    row.phrase, row.service, row.active = written, service, active
    session.flush()


def _mutes_nothing(kind: str, phrase: str, raises: bool) -> None:
    """Refuse what would let a shipped word or class of danger raise nothing."""
    if (is_shipped(kind, phrase) and not raises) or (kind == "lookalike" and raises and mutes(phrase)):
        raise NotPermitted(
            f"“{phrase}” is shipped as a sign of danger, or part of one; one person alone does not mute it.",
            hint="Add the longer phrase that raises a false alarm as a look-alike, for instance “burning question”.",
            zh=f"“{phrase}”是系统内置的危险词语或其一部分，一人不得停用。可将引起误报的完整短语添加为相似词语。",
        )


def _write(row: HandOver, answer: HandedOver, at: dt.datetime) -> None:
    row.called_at = None if answer.called_at is None else aware(answer.called_at)
    row.channel, row.reference, row.settled_at = answer.channel, one_line(answer.reference), at


def _territory(session: Session, actor: Actor) -> TerritoryInfo:
    found = next((each for each in list_territories(session) if each.id == actor.territory_id), None)
    if found is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.", zh="尚未选择辖区。")
    return found
