"""Use cases of changing the rules: one proposes, another approves, and the approval writes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from incidents.calendars import CalendarSpec, code_for, office_for
from incidents.rule_checks import broken, refuse_broken, violations
from incidents.rule_files import days_wanted
from incidents.rule_words import Say, since
from incidents.rules import (
    CALENDAR,
    DAY,
    LIMIT,
    Change,
    Edit,
    Key,
    Row,
    Rules,
    Wanted,
    again,
    edits_for,
    moved,
    refuse_moved,
    undo,
)
from incidents.store import rules as store

TITLE_MOST = 120
NOTE_MOST = 1000


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the rules reach: time zones of the platform's territories, with how many each."""

    timezones: dict[str, int]

    @property
    def territories(self) -> int:
        """Return how many territories share the rules."""
        return sum(self.timezones.values())


def read_rules(session: Session, actor: Actor) -> dict[Key, Row]:
    """Return all rules as they stand: classes, limits, calendars and their days."""
    require(actor, May.SEE_RULES)
    return store.read(session)


def past_limits(session: Session, actor: Actor) -> list[tuple[str, Row]]:
    """Return the limits that were followed by others, with their days, the newest first."""
    require(actor, May.SEE_RULES)
    return store.past_limits(session)


def reach(session: Session, actor: Actor) -> Reach:
    """Return which territories the rules hold for: all of the platform."""
    require(actor, May.SEE_RULES)
    return Reach(store.timezones(session))


def list_changes(session: Session, actor: Actor, *, states: Sequence[str] = ()) -> list[Change]:
    """Return proposed changes, the newest first; of all states when none is named."""
    require(actor, May.SEE_RULES)
    return store.changes(session, states=states)


def get_change(session: Session, actor: Actor, change_id: int) -> Change:
    """Return one change.

    Raises
    ------
    NotFound
        When there is none of that number.
    """
    require(actor, May.SEE_RULES)
    found = store.change(session, change_id)
    if found is None:
        raise _missing(change_id)
    return found


def check(
    session: Session, actor: Actor, wanted: Wanted, *, reason: str = "", start: dt.date | None = None
) -> tuple[tuple[Edit, ...], tuple[Say, ...]]:
    """Return what would have to change for ``wanted``, and everything that is wrong with it; nothing is kept."""
    require(actor, May.SEE_RULES)
    rules = store.read(session)
    edits = edits_for(rules, wanted, start=start)
    return edits, violations(edits, rules, reason=reason, today=_today())


def check_present(session: Session, actor: Actor) -> tuple[Say, ...]:
    """Return what is wrong with the rules as they stand."""
    require(actor, May.SEE_RULES)
    return broken(store.read(session), today=_today())


def propose(
    session: Session, actor: Actor, wanted: Wanted, *, title: str = "", reason: str = "", start: dt.date | None = None
) -> Change:
    """Keep a proposal until another person decides it; the rules stay as they are.

    Without a title it is called by what it changes (`incidents.rule_words.headline`).

    Raises
    ------
    DataQuality
        With every violation.
    InvalidInput
        When no person proposes, or the title is too long.
    """
    require(actor, May.PROPOSE_RULES)
    rules = store.read(session)
    edits = edits_for(rules, wanted, start=start)
    refuse_broken(edits, rules, reason=reason, today=_today())
    words = title.strip()
    if len(words) > TITLE_MOST or len(reason) > NOTE_MOST:
        raise InvalidInput(
            f"A title has at most {TITLE_MOST} characters, a reason {NOTE_MOST}.",
            zh=f"标题不超过 {TITLE_MOST} 字，理由不超过 {NOTE_MOST} 字。",
        )
    who = _person(actor)
    made = store.add_change(session, who, actor.label, title=words, reason=reason.strip(), edits=edits)
    return get_change(session, actor, made)


def propose_again(session: Session, actor: Actor, change_id: int) -> Change:
    """Propose what a change wanted on the rules as they are now; one's own older proposal is withdrawn."""
    require(actor, May.PROPOSE_RULES)
    old = _waiting(session, actor, change_id)
    start = next((edit.start for edit in old.edits if edit.start is not None), None)
    start = None if start is None else max(start, _today())
    rules = store.read(session)
    wanted = {key: fields for key, fields in again(old.edits).items() if fields is not None or key in rules}
    made = propose(session, actor, wanted, title=old.title, reason=old.reason, start=start)
    if old.proposed_by == actor.user_id:
        store.decide(
            session, old.id, "withdrawn", actor_id=None, label=actor.label, note=f"proposed again as {made.id}"
        )
    return made


def propose_undo(session: Session, actor: Actor, change_id: int, *, title: str = "") -> Change:
    """Propose to take an approved change back; it is decided like any other."""
    old = get_change(session, actor, change_id)
    if old.state != "approved":
        raise InvalidInput("Only what was approved can be taken back.", zh="只有已批准的变更可以撤回。")
    return propose(session, actor, undo(old.edits), title=title, reason=old.reason)


def approve(session: Session, actor: Actor, change_id: int, *, note: str = "") -> Change:
    """Approve somebody else's proposal and write it; open incidents keep the deadline they have.

    Raises
    ------
    NotPermitted
        When the actor's role may not, or the actor proposed it.
    Conflict
        When it was decided meanwhile, or a row it is about changed since.
    DataQuality
        When it breaks rules by now.
    """
    store.lock_deciding(session)
    change = _decidable(session, actor, change_id)
    rules = store.read(session)
    refuse_moved(change.edits, rules, _what_moved(change, rules))
    today = _today()
    # What was to begin on a day that has passed begins today.
    edits = tuple(replace(each, start=max(today, each.start)) if each.start else each for each in change.edits)
    refuse_broken(edits, rules, reason=change.reason, today=today)
    store.decide(session, change.id, "approved", actor_id=actor.user_id, label=actor.label, note=_note(note))
    try:
        store.apply(session, change.id, edits, today)
    except IntegrityError as error:
        raise Conflict(
            "The rules changed at the same moment.",
            hint="Look at them again.",
            zh="规则刚刚有变动，请重新查看。",
        ) from error
    return get_change(session, actor, change.id)


def reject(session: Session, actor: Actor, change_id: int, *, note: str) -> Change:
    """Reject somebody else's proposal, with the reason that its proposer will read.

    Raises
    ------
    InvalidInput
        Without a note.
    """
    change = _decidable(session, actor, change_id)
    if not note.strip():
        raise InvalidInput("Say why it is rejected.", zh="请写明不批准的理由。")
    store.decide(session, change.id, "rejected", actor_id=actor.user_id, label=actor.label, note=_note(note))
    return get_change(session, actor, change.id)


def withdraw(session: Session, actor: Actor, change_id: int) -> Change:
    """Take one's own proposal back."""
    require(actor, May.PROPOSE_RULES)
    change = _waiting(session, actor, change_id)
    if change.proposed_by != _person(actor):
        raise NotPermitted(
            "Only who proposed it withdraws it.", hint="Reject it instead.", zh="只有提出人可以撤回；您可以不予批准。"
        )
    store.decide(session, change.id, "withdrawn", actor_id=None, label=actor.label, note="")
    return get_change(session, actor, change.id)


def refusal(actor: Actor, change: Change) -> Say | None:
    """Return why the actor may not decide a change, in words; None when he may."""
    if change.state != "proposed":
        return ("It is decided already.", "该变更已有结论。")
    if not actor.may(May.APPROVE_RULES) or actor.role is Role.SYSTEM:
        return ("A supervisor decides changes of the rules.", "规则变更由监督员批准。")
    if actor.user_id is None or actor.user_id == change.proposed_by:
        return (
            "You proposed it, so another supervisor decides it; an acting one will do.",
            "这是您提出的，须由另一位监督员批准，临时代理的监督员亦可。",
        )
    return None


def what_moved(session: Session, actor: Actor, change: Change) -> tuple[Say, ...]:
    """Return what changed on the rows of a waiting proposal since it was made; empty when it may be approved."""
    require(actor, May.SEE_RULES)
    return _what_moved(change, store.read(session))


def keeps_old_clock(session: Session, actor: Actor, edits: Sequence[Edit]) -> int | None:
    """Return how many open incidents keep a deadline by the rules before a change; None when none of it is timed.

    Only incidents within the actor's reach are counted.
    """
    require(actor, May.SEE_INCIDENTS)
    timed = [edit for edit in edits if edit.table in {LIMIT, CALENDAR, DAY} and edit.before != edit.after]
    if not timed:
        return None
    rules = store.read(session)
    limits = [edit for edit in timed if edit.table == LIMIT]
    classes = [rules.get(("incident_class", edit.key.partition("|")[0])) for edit in limits]
    total = 0
    if limits:
        total += store.open_under_limits(
            session,
            [edit.id for edit in limits if edit.id is not None],
            [row.id for row in classes if row is not None and row.id is not None],
        )
    zones = store.timezones(session)
    for code in sorted({edit.key.partition("|")[0] for edit in timed if edit.table in {CALENDAR, DAY}}):
        total += store.open_by_calendar(session, [zone for zone in zones if code_for(zone) == code], code)
    return total


def published_days(session: Session, actor: Actor, code: str, year: int) -> tuple[Wanted, str]:
    """Return what to want so that a year of a calendar has the published days, and the source; empty when unknown."""
    require(actor, May.SEE_RULES)
    spec = _published(code, sorted(store.timezones(session)))
    if spec is None:
        return {}, ""
    return days_wanted(store.read(session), code, spec.days, year), spec.holidays_source


def _published(code: str, timezones: Sequence[str]) -> CalendarSpec | None:
    candidates = ["Europe/London", "Asia/Shanghai", *timezones]
    zone = next((zone for zone in candidates if code_for(zone) == code), None)
    return None if zone is None else office_for(zone)


def _decidable(session: Session, actor: Actor, change_id: int) -> Change:
    require(actor, May.APPROVE_RULES)
    who = _person(actor)
    change = _waiting(session, actor, change_id)
    if change.proposed_by == who:
        raise NotPermitted(
            "Who proposes a change does not decide it.",
            hint="Ask another supervisor.",
            zh="提出人不能批准自己的变更，请由另一位监督员办理。",
        )
    return change


def _waiting(session: Session, actor: Actor, change_id: int) -> Change:
    require(actor, May.SEE_RULES)
    change = store.change(session, change_id, lock=True)
    if change is None:
        raise _missing(change_id)
    if change.state != "proposed":
        raise Conflict(
            f"The change was {change.state} meanwhile by {change.decided_label}.",
            hint="Load the page again.",
            zh=f"该变更已由 {change.decided_label} 处理，请刷新页面。",
        )
    return change


def _what_moved(change: Change, rules: Rules) -> tuple[Say, ...]:
    return tuple(since(edit, rules) for edit in moved(change.edits, rules))


def _person(actor: Actor) -> int:
    if actor.user_id is None:
        raise InvalidInput(
            "A change of the rules is proposed and decided by persons.",
            hint="Name the account with --as.",
            zh="规则变更须由具体人员提出和批准。",
        )
    return actor.user_id


def _note(note: str) -> str:
    if len(note) > NOTE_MOST:
        raise InvalidInput(f"A note has at most {NOTE_MOST} characters.", zh=f"批注不超过 {NOTE_MOST} 字。")
    return note.strip()


def _missing(change_id: int) -> NotFound:
    return NotFound(f"There is no change {change_id}.", hint="Look at the list.", zh=f"没有编号为 {change_id} 的变更。")


def _today() -> dt.date:
    return now().date()
