"""Use cases of accountability: the list of findings, one with its acts, an explanation, a decision, thresholds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, require
from geodata.db import system_rights
from geodata.persons import new_subject, seal, unseal
from geodata.retention import destroy_keys
from geodata.tables import Review, ReviewExplanation, ReviewThreshold
from insight import review_store as store
from insight.accountability import BY_KEY, RULES, Rule, Threshold, Thresholds, same_persons

OPEN = ("open", "explained")
DECIDED = ("confirmed", "dismissed")
STATES = (*OPEN, *DECIDED)
INCIDENT = "incident"
WORDS_MOST = 2000
WORDS_LEAST = 10


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A finding of the list; a question, not a verdict.

    Attributes
    ----------
    number
        Of the incident that it is about; empty when it is about something else, or out of reach.
    """

    id: int
    rule: str
    severity: int
    subject_table: str
    subject_id: str
    persons: tuple[int, ...]
    seqs: tuple[int, ...]
    numbers: Mapping[str, Any]
    at: dt.datetime
    opened_at: dt.datetime
    simulated: bool
    state: str
    decided_label: str
    decided_at: dt.datetime | None
    version: int
    number: str = ""

    @property
    def is_open(self) -> bool:
        """Return whether nobody has decided it."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Evidence:
    """A row of the record that led to a finding; ``number`` is that of its incident, as in `ReviewRow`."""

    seq: int
    at: dt.datetime
    user_id: int | None
    label: str
    role: str
    action: str
    table: str
    subject_id: str | None
    purpose: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a person concerned said; ``text`` is None once it was erased."""

    label: str
    at: dt.datetime
    text: str | None
    mine: bool


@dataclass(frozen=True, slots=True)
class ReviewDetail:
    """A finding with all that is known of it and may be seen.

    Attributes
    ----------
    reason
        Of the decision; None before it, or once it was erased.
    concerns_me
        Whether the actor's account is among those concerned.
    """

    row: ReviewRow
    evidence: tuple[Evidence, ...]
    explanations: tuple[Explanation, ...]
    reason: str | None
    concerns_me: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """A threshold that was proposed."""

    id: int
    rule: str
    count: int | None
    minutes: int | None
    active: bool
    reason: str
    state: str
    proposed_by: int | None
    proposed_label: str
    proposed_at: dt.datetime
    decided_label: str
    decided_at: dt.datetime | None
    version: int


def list_reviews(session: Session, actor: Actor, *, rule: str = "", states: Sequence[str] = STATES) -> list[ReviewRow]:
    """Return the findings of the actor's territory, open ones first, then by weight and newness."""
    require(actor, May.SEE_REVIEWS)
    rows = store.reviews(session, _home(actor))
    return _rows(session, [row for row in rows if row.state in states and rule in {"", row.rule}])


def reviews_on_me(session: Session, actor: Actor) -> list[ReviewRow]:
    """Return the findings that concern the actor's own account, whatever his role."""
    if actor.user_id is None or actor.territory_id is None:
        return []
    return _rows(session, store.reviews(session, actor.territory_id, person=actor.user_id))


def counts(session: Session, actor: Actor) -> dict[str, dict[str, int]]:
    """Return rule to state to how many findings."""
    require(actor, May.SEE_REVIEWS)
    found: dict[str, dict[str, int]] = {rule.key: {} for rule in RULES}
    for rule, state, count in store.counts(session, _home(actor)):
        found.setdefault(rule, {})[state] = count
    return found


def count_open(session: Session, actor: Actor) -> int:
    """Return how many findings are not decided."""
    return sum(of_rule.get(state, 0) for of_rule in counts(session, actor).values() for state in OPEN)


def looked_at(session: Session, actor: Actor) -> dt.datetime | None:
    """Return when the record was looked through last; None before the first time."""
    last = store.reached(session, _home(actor))
    return None if last is None else last.ran_at


def detail(session: Session, actor: Actor, review_id: int) -> ReviewDetail:
    """Return a finding for the oversight, or for a person concerned, with the acts that he may see.

    Raises
    ------
    NotFound
        When there is none, or it is not for this actor.
    """
    row = _find(session, actor, review_id)
    said = store.explanations(session, review_id)
    with system_rights(session, actor):  # the keys of texts are not for every role
        words = [unseal(session, each.text_key, each.text_cipher) for each in said]
        reason = unseal(session, row.text_key, row.reason_cipher) if row.text_key else None
    acts = [Evidence(*act) for act in store.acts_of(session, row.seqs)]
    numbers = store.numbers(session, [each.subject_id for each in acts if each.table == INCIDENT and each.subject_id])
    return ReviewDetail(
        _rows(session, [row])[0],
        tuple(
            replace(act, number=numbers.get(act.subject_id or "", "")) if act.table == INCIDENT else act for act in acts
        ),
        tuple(
            Explanation(each.label, each.at, text, actor.user_id is not None and each.user_id == actor.user_id)
            for each, text in zip(said, words, strict=True)
        ),
        reason,
        actor.user_id in row.persons,
    )


def explain(session: Session, actor: Actor, review_id: int, text: str) -> None:
    """Write what a person concerned says to a finding that is not decided yet.

    Raises
    ------
    NotPermitted
        For whom it does not concern.
    Conflict
        When it was decided meanwhile.
    """
    row = _find(session, actor, review_id)
    if actor.user_id is None or actor.user_id not in row.persons:
        raise NotPermitted(
            "Only a person concerned explains.",
            hint="Decide it with a reason instead.",
            zh="仅被涉及人员可以说明情况。请直接作出结论并写明理由。",
        )
    if row.state not in OPEN:
        raise _decided()
    words = _words(text)
    with system_rights(session, actor):
        key = new_subject(session)
        cipher = seal(session, key, words)
    session.add(
        ReviewExplanation(
            territory_id=row.territory_id, review_id=row.id, user_id=actor.user_id, text_key=key, text_cipher=cipher
        )
    )
    session.flush()


def decide(session: Session, actor: Actor, review_id: int, state: str, reason: str, *, version: int) -> None:
    """Confirm or dismiss a finding, with a reason; nobody decides on himself, and the database refuses it too.

    Raises
    ------
    NotPermitted
        For other roles, and for a person concerned.
    Conflict
        When it was decided or explained meanwhile.
    """
    require(actor, May.SEE_REVIEWS)
    row = _find(session, actor, review_id)
    if state not in DECIDED:
        raise InvalidInput(f"A review is not decided as {state!r}.", hint=f"Decide: {' or '.join(DECIDED)}.")
    why = refusal(actor, _row(row))
    if why is not None:
        raise why
    if row.state not in OPEN:
        raise _decided()
    words = _words(reason)
    with system_rights(session, actor):
        key = new_subject(session)
        cipher = seal(session, key, words)
        same = same_persons(store.accounts(session))
    if same.get(actor.user_id or 0) in {same.get(each) for each in row.persons}:
        raise _oneself()
    if not store.decide(session, review_id, version, state, text_key=key, reason=cipher):
        raise _decided()


def forget_texts(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Destroy the keys of what was said to findings that were decided before a moment; return of how many texts.

    The finding, its state and who decided it stay: looking through the record again would find it anew.
    """
    require(actor, May.KEEP_RUNNING)
    return destroy_keys(session, store.text_keys(session, before))


def refusal(actor: Actor, row: ReviewRow) -> NotPermitted | None:
    """Return why the actor may not decide a finding; None when he may."""
    if actor.user_id is None:
        return NotPermitted(
            "A review is decided by a person.", hint="Log in with your own account.", zh="须由本人账号作出结论。"
        )
    return _oneself() if actor.user_id in row.persons else None


def thresholds(session: Session, actor: Actor, at: dt.datetime) -> list[tuple[Rule, Threshold]]:
    """Return every rule with what it looks for at a moment."""
    approved = [store.as_threshold(row) for row in store.thresholds(session, _home(actor)) if row.state == "approved"]
    held = Thresholds(tuple(approved))
    return [(rule, held.at(rule.key, at)) for rule in RULES]


def proposals(session: Session, actor: Actor) -> list[Proposal]:
    """Return every threshold that was proposed, newest first."""
    names = Proposal.__slots__
    return [Proposal(**{name: getattr(row, name) for name in names}) for row in store.thresholds(session, _home(actor))]


def propose(
    session: Session,
    actor: Actor,
    rule: str,
    *,
    count: int | None,
    minutes: int | None,
    active: bool,
    reason: str,
) -> int:
    """Propose what a rule shall look for from the approval on, and return the proposal's id.

    Raises
    ------
    InvalidInput
        When there is no such rule, or it has no such threshold.
    Conflict
        While another proposal for the rule waits.
    """
    require(actor, May.SEE_REVIEWS)
    known = BY_KEY.get(rule)
    if known is None:
        raise InvalidInput(f"There is no rule {rule!r}.", hint=f"Rules are: {', '.join(BY_KEY)}.")
    for value, first, least, most in ((count, known.count, 1, 1_000_000), (minutes, known.minutes, 0, 525_600)):
        if (value is None) != (first is None) or (value is not None and not least <= value <= most):
            raise InvalidInput(f"This is no threshold of the rule {rule!r}.", hint="Look at the thresholds it has.")
    if any(each.rule == rule and each.state == "proposed" for each in store.thresholds(session, _home(actor))):
        raise Conflict(
            "A proposal for this rule waits already.", hint="Decide it first.", zh="该规则已有待批准的调整，请先处理。"
        )
    row = ReviewThreshold(
        territory_id=_home(actor), rule=rule, count=count, minutes=minutes, active=active, reason=_words(reason)
    )
    session.add(row)
    session.flush()
    return row.id


def decide_threshold(session: Session, actor: Actor, proposal_id: int, state: str, *, version: int) -> None:
    """Approve or reject another person's threshold, or withdraw one's own.

    Raises
    ------
    NotPermitted
        When who proposed would decide, or the other way round.
    Conflict
        When it was decided meanwhile.
    """
    require(actor, May.SEE_REVIEWS)
    row = next((each for each in store.thresholds(session, _home(actor)) if each.id == proposal_id), None)
    if row is None or state not in {"approved", "rejected", "withdrawn"}:
        raise NotFound(f"There is no proposal {proposal_id}.", zh=f"没有编号为 {proposal_id} 的调整。")
    own = actor.user_id is None or row.proposed_by == actor.user_id
    if own != (state == "withdrawn"):
        raise NotPermitted(
            "Who proposes a threshold does not decide it; another person does.",
            zh="提出人不能批准本人的调整，须由他人办理。",
        )
    if row.state != "proposed" or not store.decide_threshold(session, proposal_id, version, state):
        raise _decided()


def _find(session: Session, actor: Actor, review_id: int) -> Review:
    found = store.reviews(session, _home(actor), ids=[review_id])
    row = found[0] if found else None
    if row is None or not (actor.may(May.SEE_REVIEWS) or actor.user_id in row.persons):
        raise NotFound(f"There is no review {review_id} for you.", zh=f"没有您可查看的第 {review_id} 号核查。")
    return row


def _rows(session: Session, rows: Sequence[Review]) -> list[ReviewRow]:
    numbers = store.numbers(session, [row.subject_id for row in rows if row.subject_table == INCIDENT])
    return [_row(row, numbers.get(row.subject_id, "") if row.subject_table == INCIDENT else "") for row in rows]


def _row(row: Review, number: str = "") -> ReviewRow:
    return ReviewRow(
        row.id, row.rule, row.severity, row.subject_table, row.subject_id, tuple(row.persons), tuple(row.seqs),
        dict(row.numbers), row.at, row.opened_at, row.simulated, row.state, row.decided_label, row.decided_at,
        row.version, number,
    )  # fmt: skip


def _words(text: str) -> str:
    words = " ".join(text.split())
    if not WORDS_LEAST <= len(words) <= WORDS_MOST:
        raise InvalidInput(
            f"Say it in {WORDS_LEAST} to {WORDS_MOST:,} characters.",
            zh=f"请用 {WORDS_LEAST} 至 {WORDS_MOST} 个字说明。",
        )
    return words


def _oneself() -> NotPermitted:
    return NotPermitted(
        "Nobody decides on himself.",
        hint="Another supervisor or auditor does.",
        zh="任何人不得对涉及本人的问题作出结论，请由其他监督员或审计员办理。",
    )


def _decided() -> Conflict:
    return Conflict(
        "It was decided or changed meanwhile.", hint="Load the page again.", zh="该事项已被他人处理，请刷新页面。"
    )


def _home(actor: Actor) -> int:
    if actor.territory_id is None:
        raise InvalidInput("No territory is chosen.", hint="Choose one first.")
    return actor.territory_id
