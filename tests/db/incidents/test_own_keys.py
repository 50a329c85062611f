"""Nobody destroys what is not his through a draft or a photo; what was blurred stays, box by box."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from geodata import db
from geodata.persons import new_subject
from geodata.tables import Evidence, EvidenceBlur
from incidents.service import evidence
from people import drafts
from tests.db.incidents.desk import Desk
from tests.photos import prepared

Add = Callable[..., int]
DRAFT = (
    "INSERT INTO draft (user_id, territory_id, kind, subject_id, content_cipher, updated_at)"
    " VALUES (:user, :home, 'x', :key, 'x', now())"
)
PHOTO = (
    "INSERT INTO evidence (territory_id, incident_id, kind, at, sha256, width, height, subject_id)"
    f" VALUES (:home, :incident, 'after', now(), '{'0' * 64}', 1, 1, :key)"
)
QUARANTINE = (
    "INSERT INTO quarantine (territory_id, reason, message, fingerprint, raw_cipher, subject_id)"
    " VALUES (:home, 'outside', '', 'x', 'x', :key)"
)
REVIEW = (
    "INSERT INTO review (territory_id, rule, key, severity, subject_table, subject_id, persons, seqs, numbers, at,"
    " text_key) VALUES (:home, 'backdated', 'x', 1, 'incident', '1', '{}', '{1}', '{}', now(), :key)"
)
BLUR = (
    "INSERT INTO evidence_blur (evidence_id, territory_id, version, sha256, boxes, made_at)"
    f" VALUES (:id, :home, 2, '{'0' * 64}', CAST(:boxes AS jsonb), now())"
)


@pytest.fixture
def given(desk: Desk, add_incident: Add) -> int:
    incident = add_incident(unit_id=desk.unit_id)
    desk.assign(incident)
    return incident


def test_the_key_of_a_photo_is_no_key_of_a_draft(desk: Desk, given: int) -> None:
    db.as_actor(desk.session, desk.worker)
    evidence.add_photo(desk.session, desk.worker, given, "before", prepared())
    key = desk.session.scalars(select(Evidence.subject_id)).one()
    values = {"user": desk.worker.user_id, "home": desk.city.territory.id, "key": key}
    with pytest.raises(DBAPIError, match="a key of its own"), desk.session.begin_nested():
        desk.session.execute(text(DRAFT), values)
    desk.session.execute(text(DRAFT), values | {"key": new_subject(desk.session)})


@pytest.mark.parametrize("other", [QUARANTINE, REVIEW])
def test_other_keys_are_no_keys_of_drafts_or_photos(desk: Desk, given: int, other: str) -> None:
    db.as_actor(desk.session, desk.city.actor)
    home = desk.city.territory.id
    key = new_subject(desk.session)
    desk.session.execute(text(other), {"home": home, "key": key})
    db.as_actor(desk.session, desk.worker)
    tries = ((DRAFT, {"user": desk.worker.user_id}), (PHOTO, {"incident": given}))
    for statement, values in tries:
        with pytest.raises(DBAPIError, match="a key of its own"), desk.session.begin_nested():
            desk.session.execute(text(statement), values | {"home": home, "key": key})


def test_the_key_of_a_draft_or_of_another_photo_is_no_key_of_a_photo(desk: Desk, given: int) -> None:
    db.as_actor(desk.session, desk.worker)
    drafts.save_draft(desk.session, desk.worker, "incident", {"text": "x"})
    evidence.add_photo(desk.session, desk.worker, given, "before", prepared())
    keys = [*desk.session.scalars(text("SELECT subject_id FROM draft UNION ALL SELECT subject_id FROM evidence"))]
    assert len(keys) == 2
    values = {"home": desk.city.territory.id, "incident": given}
    for key in keys:
        with pytest.raises(IntegrityError, match="a key of its own"), desk.session.begin_nested():
            desk.session.execute(text(PHOTO), values | {"key": key})
    db.as_actor(desk.session, desk.city.actor)
    with pytest.raises(IntegrityError, match="uq_evidence_subject_id"), desk.session.begin_nested():
        desk.session.execute(text(PHOTO), values | {"key": keys[1]})


@pytest.mark.parametrize(
    ("old", "new", "is_kept"),
    [
        ("[[1, 2, 3, 4, 'face']]", "[[4, 3, 2, 1, 'face']]", False),
        ("[[9, 2, 9, 4, 'face']]", "[[9, 2, 4, 4, 'face']]", False),
        ("[[1, 1, 2, 2, 'hand']]", "[[1, 2, 3, 4, 'hand']]", False),
        ("[[1, 2, 3, 4, 'face']]", "'1'", False),
        ("[[1, 2, 3, 4, 'face']]", "[[7, 7, 7, 7, 'hand'], [1, 2, 3, 4, 'face']]", True),
    ],
)
def test_every_box_stays_as_it_was(desk: Desk, given: int, old: str, new: str, *, is_kept: bool) -> None:
    db.as_actor(desk.session, desk.worker)
    info = evidence.add_photo(desk.session, desk.worker, given, "before", prepared())
    db.as_actor(desk.session, desk.city.actor)
    first = old.replace("'", '"')
    desk.session.execute(text("DELETE FROM evidence_blur"))
    desk.session.execute(text(BLUR.replace(", 2, ", ", 1, ")), {"id": info.id, "home": info_home(desk), "boxes": first})
    db.as_actor(desk.session, desk.supervisor)
    values = {"id": info.id, "home": info_home(desk), "boxes": new.replace("'", '"')}
    if is_kept:
        desk.session.execute(text(BLUR), values)
        assert sorted(desk.session.scalars(select(EvidenceBlur.version))) == [1, 2]
        return
    with pytest.raises(DBAPIError, match="stays blurred|Boxes are a list"), desk.session.begin_nested():
        desk.session.execute(text(BLUR), values)


def info_home(desk: Desk) -> int:
    return desk.city.territory.id
