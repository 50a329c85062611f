"""Use cases of evidence: add a photo or a note, see it, blur more of it, and what waits to be verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from geodata.persons import new_subject, seal, seal_bytes, unseal, unseal_bytes
from geodata.tables import Evidence, EvidenceBlur
from incidents import evidence_rules as rules
from incidents.evidence import Box, Photo, blurred, clean
from incidents.evidence_find import find
from incidents.evidence_model import EvidenceInfo, Picture, Prepared, Waiting
from incidents.store import acts
from incidents.store import evidence as store

QUEUE_MOST = 500
ENDED = ("closed", "void")


def prepare(data: bytes) -> Prepared:
    """Return an uploaded photo, checked and drawn anew, with what looks like faces and plates in it.

    It takes a second or two and touches no database; see `incidents.evidence.clean` for what is refused.
    """
    photo = clean(data)
    return Prepared(photo, find(photo.jpeg))


def add_photo(
    session: Session,
    actor: Actor,
    incident_id: int,
    kind: str,
    prepared: Prepared,
    *,
    by_hand: Sequence[Box] = (),
    left_out: Mapping[int, str] | None = None,
    simulated: bool = False,
) -> EvidenceInfo:
    """Keep a photo of an incident in two copies: sealed as it is, and blurred.

    Parameters
    ----------
    kind
        ``before``, ``after`` or ``other``.
    by_hand
        What a person wants blurred besides what was found.
    left_out
        Number of a found box (from 1) to the reason why it is not blurred, a key of `evidence_rules.LEFT_OUT`.

    Raises
    ------
    InvalidInput
        When the kind is not known, or something found is left out without a reason.
    NotFound
        When the incident is out of reach.
    Conflict
        When it has ended, has this photo already, or as many as it may have.
    """
    if kind not in rules.PHOTOS:
        raise InvalidInput(f"There is no kind of photo {kind!r}.", hint=f"Kinds are: {', '.join(rules.PHOTOS)}.")
    omitted = _omitted(prepared, left_out or {})
    territory_id = _open(session, actor, incident_id)
    if store.known(session, incident_id, prepared.photo.sha256):
        raise Conflict("The incident has this very photo already.", zh="该案件已有这张照片。")
    if store.count(session, incident_id) >= rules.MOST_PHOTOS:
        raise _full()
    kept = [box for number, box in enumerate(prepared.found, 1) if number not in omitted]
    boxes = [*kept, *by_hand]
    copy = blurred(prepared.photo.jpeg, boxes)
    subject_id, cipher = seal_bytes(session, prepared.photo.jpeg)
    at = now()
    row = store.add(
        session,
        Evidence(
            territory_id=territory_id,
            incident_id=incident_id,
            kind=kind,
            at=at,
            sha256=prepared.photo.sha256,
            width=prepared.photo.width,
            height=prepared.photo.height,
            subject_id=subject_id,
            simulated=simulated,
        ),
    )
    store.add_image(session, row, 0, cipher)
    found_out = [[*prepared.found[number - 1].as_list(), reason] for number, reason in sorted(omitted.items())]
    _add_copy(session, row, 1, copy, [box.as_list() for box in boxes], left_out=found_out)
    return _info(session, actor, _one(session, territory_id, row.id))


def check_room(session: Session, actor: Actor, incident_id: int, command_id: str) -> None:
    """Refuse a photo that would be one too many, before any work on it; one that was kept before is let through."""
    _here(actor, May.ADD_EVIDENCE)
    known = acts.known_command(session, command_id) is not None
    if not known and store.count(session, incident_id) >= rules.MOST_PHOTOS:
        raise _full()


def add_note(session: Session, actor: Actor, incident_id: int, text: str) -> EvidenceInfo:
    """Keep a note on the place, sealed; raises as `add_photo` does."""
    words = text.strip()
    if not words or len(words) > rules.NOTE_MOST:
        raise InvalidInput(
            f"A note on the place has 1 to {rules.NOTE_MOST} characters.",
            zh=f"位置说明须为 1 至 {rules.NOTE_MOST} 字。",
        )
    territory_id = _open(session, actor, incident_id)
    if store.count(session, incident_id, photos=False) >= rules.MOST_PHOTOS:
        raise Conflict(
            f"The incident has {rules.MOST_PHOTOS} notes.", zh=f"每个案件最多 {rules.MOST_PHOTOS} 条位置说明。"
        )
    subject_id = new_subject(session)
    row = store.add(
        session,
        Evidence(
            territory_id=territory_id,
            incident_id=incident_id,
            kind=rules.PLACE,
            at=now(),
            subject_id=subject_id,
            note_cipher=seal(session, subject_id, words),
        ),
    )
    return _info(session, actor, _one(session, territory_id, row.id))


def blur_more(session: Session, actor: Actor, evidence_id: int, boxes: Sequence[Box]) -> EvidenceInfo:
    """Blur more of a photo for everybody but who handles the incident; nothing is ever made readable again.

    Raises
    ------
    InvalidInput
        When no part is named.
    NotFound
        When the photo is out of reach, or its picture is not kept any more.
    """
    territory_id = _here(actor, May.ADD_EVIDENCE)
    if not boxes:
        raise InvalidInput("Say which part of the photo.", zh="请指明照片中需要遮挡的部分。")
    found = _one(session, territory_id, evidence_id)
    acts.lock(session, territory_id, found.row.incident_id)
    found = _one(session, territory_id, evidence_id)
    jpeg = None if found.blur is None else store.content(session, evidence_id, found.blur.version)
    if jpeg is None or found.blur is None:
        raise _gone()
    copy = blurred(jpeg, boxes)
    listed = [*found.blur.boxes, *(box.as_list() for box in boxes)]
    _add_copy(session, found.row, found.blur.version + 1, copy, listed)
    return _info(session, actor, _one(session, territory_id, evidence_id))


def evidence_of(session: Session, actor: Actor, incident_id: int) -> tuple[EvidenceInfo, ...]:
    """Return the evidence of an incident, oldest first; nothing where the incident is out of reach."""
    territory_id = _here(actor, May.SEE_INCIDENTS)
    return tuple(_info(session, actor, each) for each in store.of_incident(session, territory_id, incident_id))


def one_of(session: Session, actor: Actor, evidence_id: int) -> EvidenceInfo:
    """Return one piece of evidence; raise `NotFound` when it is out of reach."""
    return _info(session, actor, _one(session, _here(actor, May.SEE_INCIDENTS), evidence_id))


def demanded_evidence(session: Session, actor: Actor, incident_id: int) -> tuple[str, ...]:
    """Return the kinds of evidence that the class of an incident demands before it is finished."""
    require(actor, May.SEE_INCIDENTS)
    return store.demanded(session, incident_id)


def picture(session: Session, actor: Actor, evidence_id: int, *, as_others: bool = False) -> Picture:
    """Return a photo as the actor may see it: unblurred for who handles the incident, else blurred.

    Parameters
    ----------
    as_others
        Gives also who handles it the blurred copy.

    Raises
    ------
    NotFound
        When it is out of reach, is a note, or the picture is not kept any more.
    """
    found = _one(session, _here(actor, May.SEE_INCIDENTS), evidence_id)
    if 0 in found.versions and not as_others and not _is_system(actor):
        cipher = store.content(session, evidence_id, 0)
        plain = None if cipher is None else unseal_bytes(session, found.row.subject_id, cipher)
        if plain is not None:
            return Picture(plain, found.row.sha256 or "", original=True)
    last = max(found.versions, default=0)
    jpeg = store.content(session, evidence_id, last) if last else None
    if jpeg is None or found.blur is None:
        raise _gone()
    return Picture(jpeg, found.blur.sha256, original=False)


def waiting_to_verify(session: Session, actor: Actor) -> tuple[Waiting, ...]:
    """Return what waits to be closed or sent back, most urgent first; what the actor gave out or handled is marked."""
    _here(actor, May.VERIFY)
    return tuple(
        Waiting(incident_id, "handled" if handled else "sent" if sent else "")
        for incident_id, sent, handled in store.waiting(session, actor, QUEUE_MOST)
    )


def _add_copy(
    session: Session, row: Evidence, version: int, copy: Photo, boxes: Sequence[Any], *, left_out: Sequence[Any] = ()
) -> None:
    blur = EvidenceBlur(
        territory_id=row.territory_id,
        evidence_id=row.id,
        version=version,
        sha256=copy.sha256,
        boxes=list(boxes),
        left_out=list(left_out),
        made_at=now(),
    )
    store.add_blur(session, blur)
    store.add_image(session, row, version, copy.jpeg)


def _omitted(prepared: Prepared, left_out: Mapping[int, str]) -> dict[int, str]:
    made = {}
    for number, reason in left_out.items():
        if not 1 <= number <= len(prepared.found):
            raise InvalidInput(f"Nothing was found under number {number}.", zh=f"没有编号为 {number} 的区域。")
        if reason not in rules.LEFT_OUT:
            raise InvalidInput(
                f"Say why number {number} is not blurred.",
                hint=f"Reasons are: {', '.join(rules.LEFT_OUT)}.",
                zh=f"请选择编号 {number} 不遮挡的理由。",
            )
        made[number] = reason
    return made


def _open(session: Session, actor: Actor, incident_id: int) -> int:
    """Return the territory, with the incident locked; refuse one that has ended."""
    territory_id = _here(actor, May.ADD_EVIDENCE)
    incident = acts.lock(session, territory_id, incident_id)
    if incident is None:
        raise NotFound(
            "There is no such incident, or it lies outside your reach.",
            hint="Look for it in the list.",
            zh="没有该案件，或不在您的范围内。请在列表中查找。",
        )
    if incident.status in ENDED:
        raise Conflict(
            f"{incident.number} has ended; nothing is added to it.",
            hint="Have it opened again first.",
            zh=f"{incident.number} 已结束，不能再补充取证材料。",
        )
    return territory_id


def _info(session: Session, actor: Actor, found: store.Found) -> EvidenceInfo:
    row = found.row
    note = None
    if row.note_cipher is not None and actor.may(May.READ_NOTE):
        note = unseal(session, row.subject_id, row.note_cipher)
    return EvidenceInfo(
        id=row.id,
        incident_id=row.incident_id,
        kind=row.kind,
        taken_as=row.taken_as,
        at=row.at,
        round=row.round,
        sha256=row.sha256,
        width=row.width,
        height=row.height,
        note=note,
        blurred=0 if found.blur is None else len(found.blur.boxes),
        version=max(found.versions, default=0),
        original=0 in found.versions and not _is_system(actor),
        simulated=row.simulated,
    )


def _one(session: Session, territory_id: int, evidence_id: int) -> store.Found:
    found = store.one(session, territory_id, evidence_id)
    if found is None:
        raise NotFound(
            "There is no such evidence, or it lies outside your reach.",
            zh="没有该取证材料，或不在您的范围内。",
        )
    return found


def _here(actor: Actor, capability: May) -> int:
    require(actor, capability)
    if actor.territory_id is None:
        raise NotPermitted("No territory is chosen.", hint="Choose one first.")
    return actor.territory_id


def _is_system(actor: Actor) -> bool:
    """Return whether no person looks: a process gets the blurred copy, though the database would give it both."""
    return actor.role is Role.SYSTEM


def _gone() -> NotFound:
    return NotFound(
        "The picture is not kept any more; its hash stands in the record.",
        zh="照片已按保存期限删除，记录中保留其哈希值。",
    )


def _full() -> Conflict:
    return Conflict(
        f"The incident has {rules.MOST_PHOTOS} photos; no more are kept.",
        hint="Show the rest in words.",
        zh=f"每个案件最多保存 {rules.MOST_PHOTOS} 张照片。",
    )
