"""Use cases of decisions: a planner proposes the sites of a study, a supervisor who is somebody else signs them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from geodata.record import RecordEntry, history
from geodata.territory import TerritoryInfo
from planning import service, store_acts
from planning.acts import REASON_AT_MOST, Decision, RecordCheck, digest, written
from planning.model import Study

LISTED = 100
OPEN = frozenset({"proposed", "signed"})


@dataclass(frozen=True)
class DecisionDetail:
    """A decision with the study it is about and what the record says of it."""

    decision: Decision
    study: Study
    history: tuple[RecordEntry, ...]
    checks: tuple[RecordCheck, ...]

    @property
    def holds(self) -> bool:
        """Return whether text, hash and record agree."""
        return self.decision.whole and bool(self.checks) and all(each.fits and each.same for each in self.checks)


def propose(session: Session, actor: Actor, study_id: int, *, reason: str, program: str) -> int:
    """Propose the sites of an answered study and return the id of the decision.

    Parameters
    ----------
    reason
        Why these sites and no others; who signs reads it.
    program
        Name and version of the program that found them.

    Raises
    ------
    InvalidInput
        When no reason is given, or it is too long.
    Conflict
        When the study has no answer, or its sites are proposed or signed already.
    """
    require(actor, May.PROPOSE_SITES)
    reason = reason.strip()
    if not reason:
        raise InvalidInput("It is not said why these sites.", hint="Write it in a sentence or two.")
    if len(reason) > REASON_AT_MOST:
        raise InvalidInput(f"The reason has {len(reason):,} characters.", hint=f"At most {REASON_AT_MOST:,}.")
    detail = service.study_detail(session, actor, study_id)
    study = detail.study
    if study.state != "answered" or not detail.sites:
        raise Conflict("This study chooses no sites that could be decided.", hint="Wait for its answer.")
    if any(each.state in OPEN for each in store_acts.decisions_of(session, study_id)):
        raise Conflict("The sites of this study are proposed already.", hint="Open the decision.")
    aside = tuple(each for each in service.other_answers(session, actor, study_id) if each.state == "answered")
    content = written(study, detail.sites, aside, program=program)
    territory = service.territory_of_study(session, study_id)
    return store_acts.add_decision(
        session, territory.id, study_id, reason=reason, content=content, sha256=digest(content)
    )


def sign(session: Session, actor: Actor, decision_id: int, *, version: int, note: str = "") -> None:
    """Sign the sites that somebody else proposed; from then on they are decided.

    Raises
    ------
    NotPermitted
        When the actor proposed them.
    Conflict
        When they are signed, refused or withdrawn already.
    """
    _settle(session, actor, decision_id, "signed", version=version, note=note)


def refuse(session: Session, actor: Actor, decision_id: int, *, version: int, note: str) -> None:
    """Refuse the sites that somebody else proposed, and say why."""
    if not note.strip():
        raise InvalidInput("It is not said why the sites are refused.", hint="Write it in a sentence.")
    _settle(session, actor, decision_id, "refused", version=version, note=note)


def withdraw(session: Session, actor: Actor, decision_id: int, *, version: int) -> None:
    """Take one's own proposal back before it is signed."""
    require(actor, May.PROPOSE_SITES)
    decision = _get(session, decision_id)
    if decision.proposed_by != actor.user_id:
        raise NotPermitted("Only who proposed the sites takes them back.", hint="Ask a supervisor to refuse them.")
    _write(session, decision, "withdrawn", version=version, note="")


def detail(session: Session, actor: Actor, decision_id: int) -> DecisionDetail:
    """Return a decision with its study and its history.

    Raises
    ------
    NotFound
        When there is no such decision in the actor's territory.
    """
    require(actor, May.SEE_STUDIES)
    decision = _get(session, decision_id)
    study = service.study_detail(session, actor, decision.study_id).study
    checks = store_acts.record_rows(session, decision_id, decision.content_sha256)
    return DecisionDetail(decision, study, tuple(history(session, "study_decision", decision_id)), tuple(checks))


def of_study(session: Session, actor: Actor, study_id: int) -> list[Decision]:
    """Return the decisions on a study, newest first."""
    require(actor, May.SEE_STUDIES)
    return store_acts.decisions_of(session, study_id)


def list_decisions(session: Session, actor: Actor, territory: TerritoryInfo) -> list[Decision]:
    """Return the decisions of a territory, newest first."""
    require(actor, May.SEE_STUDIES)
    if actor.role is not Role.SYSTEM and actor.territory_id != territory.id:
        raise NotPermitted("You have no role in this territory.", hint="Ask an administrator.")
    return store_acts.list_decisions(session, territory.id, LISTED)


def _settle(session: Session, actor: Actor, decision_id: int, state: str, *, version: int, note: str) -> None:
    require(actor, May.SIGN_SITES)
    decision = _get(session, decision_id)
    if actor.user_id is None or decision.proposed_by == actor.user_id:
        raise NotPermitted("Who proposes sites does not sign them.", hint="Another supervisor has to look at them.")
    _write(session, decision, state, version=version, note=note)


def _write(session: Session, decision: Decision, state: str, *, version: int, note: str) -> None:
    note = note.strip()
    if len(note) > REASON_AT_MOST:
        raise InvalidInput(f"The note has {len(note):,} characters.", hint=f"At most {REASON_AT_MOST:,}.")
    if not store_acts.decide(session, decision.id, state, note, version):
        raise Conflict("Somebody has decided this meanwhile.", hint="Read it again; nothing was changed.")


def _get(session: Session, decision_id: int) -> Decision:
    found = store_acts.get_decision(session, decision_id)
    if found is None:
        raise NotFound(f"There is no decision {decision_id}.")
    return found
