"""Evidence: two copies, who sees which, nothing is changed, and finish waits for what the class demands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role
from geodata import db, erasure
from geodata.tables import EvidenceBlur, EvidenceImage, PersonKey, Record
from incidents.evidence import Box, stored
from incidents.evidence_model import EvidenceInfo
from incidents.service import evidence
from tests.db.incidents.desk import Desk
from tests.photos import FACE, PLATE, prepared

Add = Callable[..., int]
OFFICERS = [role for role in Role if role is not Role.SYSTEM]
TABLES = ("evidence", "evidence_blur", "evidence_image")
FINISH = "UPDATE incident SET status = 'checking', version = version + 1 WHERE id = :id"
SETTLE = "UPDATE incident SET status = 'closed', self_handled = true, closed_at = now() WHERE id = :id"
DONE = "UPDATE task SET state = 'done', finished_at = now() WHERE incident_id = :id AND state = 'waiting'"


def photo(desk: Desk, actor: Actor, incident: int, kind: str = "before", seed: int = 0, **more: object) -> EvidenceInfo:
    db.as_actor(desk.session, actor)
    return evidence.add_photo(desk.session, actor, incident, kind, prepared(seed), **more)


@pytest.fixture
def given(desk: Desk, add_incident: Add) -> int:
    """A heap of debris in the west, of which photos before and after are demanded, given to the worker."""
    incident = add_incident(code="01-03", unit_id=desk.unit_id)
    desk.assign(incident)
    return incident


def seen(desk: Desk, actor: Actor, info: EvidenceInfo) -> evidence.Picture:
    db.as_actor(desk.session, actor)
    return evidence.picture(desk.session, actor, info.id)


def west(desk: Desk, role: Role) -> Actor:
    return desk.city.officer(role, area_ids=(desk.city.west_id,))


def test_who_handles_sees_the_face_and_nobody_else_does(desk: Desk, given: int) -> None:
    info = photo(desk, desk.worker, given)
    assert (info.kind, info.taken_as, info.blurred >= 2, info.original) == ("before", "grid_worker", True, True)
    for actor in (desk.worker, desk.handler):
        picture = seen(desk, actor, info)
        assert picture.original
        assert picture.jpeg == prepared().photo.jpeg
    others = [desk.supervisor, desk.dispatcher, *(west(desk, role) for role in (Role.GRID_MANAGER, Role.GRID_WORKER))]
    for actor in (*others, desk.city.officer(Role.AUDITOR)):
        picture = seen(desk, actor, info)
        assert not picture.original
        assert picture.sha256 != info.sha256
        for box in (FACE, PLATE):
            inside = (box.x + 8, box.y + 8, box.x + box.width - 8, box.y + box.height - 8)
            colours = stored(picture.jpeg).crop(inside).convert("L").getextrema()
            assert colours[1] - colours[0] < 110, (actor.role, box.kind)


def test_the_system_gets_the_blurred_copy_for_the_command_line(desk: Desk, given: int) -> None:
    info = photo(desk, desk.worker, given)
    assert not seen(desk, desk.city.actor, info).original


def test_the_database_gives_the_unblurred_copy_to_who_handles_it_alone(desk: Desk, given: int) -> None:
    """As plain SQL, each role with the widest reach it can have, and not the one that handles it."""
    info = photo(desk, desk.worker, given)
    images = select(EvidenceImage.version).where(EvidenceImage.evidence_id == info.id).order_by(EvidenceImage.version)
    for role in OFFICERS:
        actor = desk.city.officer(role, area_ids=(desk.city.west_id,), unit_ids=(desk.unit_id,))
        db.as_actor(desk.session, actor)
        sees = role not in {Role.PLANNER, Role.ADMINISTRATOR}
        expected = [0, 1] if role is Role.HANDLER else [1] if sees else []
        assert desk.session.scalars(images).all() == expected, role
        aways = [replace(actor, territory_id=desk.city.territory.id + 1)]
        if role not in {Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR}:
            aways.append(replace(actor, area_ids=(), unit_ids=()))
        for away in aways:
            db.as_actor(desk.session, away)
            for table in TABLES:
                assert desk.session.scalar(text(f"SELECT count(*) FROM {table}")) == 0, (role, table)


def test_a_worker_whose_task_was_taken_back_sees_the_blurred_copy(desk: Desk, given: int) -> None:
    info = photo(desk, desk.worker, given)
    desk.act(desk.dispatcher, given, "reassign", worker_id=desk.other_worker_id, unit_id=desk.unit_id)
    own = replace(desk.worker, area_ids=(desk.city.west_id,))
    assert not seen(desk, own, info).original


def test_nobody_changes_or_takes_away_evidence(desk: Desk, given: int) -> None:
    photo(desk, desk.worker, given)
    for role in OFFICERS:
        actor = desk.city.officer(role, area_ids=(desk.city.west_id,), unit_ids=(desk.unit_id,))
        db.as_actor(desk.session, actor)
        for table in TABLES:
            with pytest.raises(DBAPIError, match="permission denied"), desk.session.begin_nested():
                desk.session.execute(text(f"UPDATE {table} SET territory_id = territory_id"))
            assert desk.session.execute(text(f"DELETE FROM {table}")).rowcount == 0, (role, table)


def test_the_record_holds_the_hash_and_not_the_picture(desk: Desk, given: int) -> None:
    info = photo(desk, desk.worker, given)
    db.as_actor(desk.session, desk.city.actor)
    rows = desk.session.scalars(select(Record.after).where(Record.subject_table.like("evidence%"))).all()
    assert any(row["sha256"] == info.sha256 for row in rows)
    assert max(len(str(row)) for row in rows) < 2000
    tables = set(desk.session.scalars(select(Record.subject_table).where(Record.subject_table.like("evidence%"))))
    assert tables == {"evidence", "evidence_blur"}


def test_what_is_blurred_later_stays_blurred_and_the_older_copy_goes(desk: Desk, given: int) -> None:
    info = photo(desk, desk.worker, given)
    db.as_actor(desk.session, desk.supervisor)
    box = Box(300, 100, 100, 100)
    more = evidence.blur_more(desk.session, desk.supervisor, info.id, [box])
    assert (more.version, more.blurred) == (2, info.blurred + 1)
    assert desk.session.scalars(select(EvidenceImage.version)).all() == [2]
    part = stored(seen(desk, desk.supervisor, info).jpeg).crop((305, 105, 395, 195))
    before = stored(prepared().photo.jpeg).crop((305, 105, 395, 195))
    assert part.tobytes() != before.tobytes()
    assert seen(desk, desk.worker, info).original, "who handles it still sees all"
    blur = {"evidence_id": info.id, "territory_id": desk.city.territory.id, "sha256": "0" * 64, "made_at": "now"}
    for version, boxes in ((4, "[]"), (3, "[]"), (3, '[["x"]]')):
        db.as_actor(desk.session, desk.supervisor)
        with pytest.raises(DBAPIError, match="Blurred copies follow|stays blurred"), desk.session.begin_nested():
            desk.session.execute(
                text(
                    "INSERT INTO evidence_blur (evidence_id, territory_id, version, sha256, boxes, made_at) VALUES"
                    " (:evidence_id, :territory_id, :version, :sha256, CAST(:boxes AS jsonb), now())"
                ),
                {**blur, "version": version, "boxes": boxes},
            )


def test_a_copy_that_is_not_what_its_row_says_is_refused(desk: Desk, given: int) -> None:
    info = photo(desk, desk.worker, given)
    db.as_actor(desk.session, desk.worker)
    for version in (0, 2):
        with pytest.raises(DBAPIError), desk.session.begin_nested():
            desk.session.execute(
                text("INSERT INTO evidence_image VALUES (:id, :version, :territory, 'other')"),
                {"id": info.id, "version": version, "territory": desk.city.territory.id},
            )


def test_something_found_is_left_out_for_a_reason_that_is_kept(desk: Desk, given: int) -> None:
    with pytest.raises(InvalidInput, match="Say why number 1"):
        photo(desk, desk.worker, given, left_out={1: "because"})
    with pytest.raises(InvalidInput, match="number 99"):
        photo(desk, desk.worker, given, left_out={99: "thing"})
    info = photo(desk, desk.worker, given, left_out={1: "thing"})
    assert info.blurred == len(prepared().found) - 1
    row = desk.session.scalars(select(EvidenceBlur)).one()
    assert row.left_out == [[*prepared().found[0].as_list(), "thing"]]


def test_the_same_photo_twice_too_many_and_unknown_kinds_are_refused(desk: Desk, given: int) -> None:
    photo(desk, desk.worker, given)
    with pytest.raises(Conflict, match="this very photo"):
        photo(desk, desk.worker, given, "after")
    with pytest.raises(InvalidInput, match="no kind of photo"):
        photo(desk, desk.worker, given, "place", seed=1)


def test_who_may_not_see_the_incident_adds_nothing(desk: Desk, given: int) -> None:
    for actor in (replace(desk.handler, unit_ids=()), replace(desk.worker, worker_id=None)):
        with pytest.raises(NotFound):
            photo(desk, actor, given)
    with pytest.raises(NotPermitted):
        photo(desk, desk.city.officer(Role.AUDITOR), given)


def test_finish_waits_for_the_evidence_in_words_and_in_the_database(desk: Desk, given: int) -> None:
    assert "finish" not in desk.allowed(desk.worker, given)
    with pytest.raises(NotPermitted, match="photo before, photo after") as refused:
        desk.act(desk.worker, given, "finish")
    assert "处置前照片、处置后照片" in (refused.value.zh or "")
    photo(desk, desk.worker, given)
    with pytest.raises(NotPermitted, match="not there yet: photo after"):
        desk.act(desk.worker, given, "finish")
    db.as_actor(desk.session, desk.worker)
    with pytest.raises(DBAPIError, match="Evidence lacks: after"), desk.session.begin_nested():
        desk.session.execute(text(DONE), {"id": given})
        desk.session.execute(text(FINISH), {"id": given})
    photo(desk, desk.worker, given, "after", seed=1)
    assert desk.act(desk.worker, given, "finish").status == "checking"


def test_after_a_rework_a_new_photo_after_is_needed(desk: Desk, given: int) -> None:
    photo(desk, desk.worker, given)
    photo(desk, desk.worker, given, "after", seed=1)
    desk.act(desk.worker, given, "finish")
    desk.act(desk.supervisor, given, "rework", reason="not_solved")
    with pytest.raises(NotPermitted, match="photo after"):
        desk.act(desk.worker, given, "finish")
    assert photo(desk, desk.worker, given, "after", seed=2).round == 1
    assert desk.act(desk.worker, given, "finish").status == "checking"


def test_settling_on_the_spot_waits_for_the_evidence_of_its_round(desk: Desk, add_incident: Add) -> None:
    """There is no task then: the photo after is of the round of the incident, which a reopening begins anew."""
    finder = replace(desk.worker, area_ids=(desk.city.west_id,))
    db.as_actor(desk.session, finder)
    found = add_incident(code="01-03", source="patrol")
    photo(desk, finder, found)
    for number, seed in enumerate((1, 2)):
        assert "self_handle" not in desk.allowed(finder, found)
        with pytest.raises(NotPermitted, match="not there yet: photo after"):
            desk.act(finder, found, "self_handle")
        with pytest.raises(DBAPIError, match="Evidence lacks: after"), desk.session.begin_nested():
            desk.session.execute(text(SETTLE), {"id": found})
        assert photo(desk, finder, found, "after", seed=seed).round == number
        assert desk.act(finder, found, "self_handle").status == "closed"
        desk.act(desk.supervisor, found, "reopen", reason="sampling")
    db.as_actor(desk.session, desk.city.actor)
    brought = add_incident(code="01-03", source="patrol")
    desk.session.execute(text(SETTLE), {"id": brought})


def test_a_note_on_the_place_is_sealed_and_counts(desk: Desk, add_incident: Add) -> None:
    incident = add_incident(code="01-01", unit_id=desk.unit_id)
    desk.assign(incident)
    photo(desk, desk.worker, incident)
    photo(desk, desk.worker, incident, "after", seed=1)
    with pytest.raises(NotPermitted, match="note on the place"):
        desk.act(desk.worker, incident, "finish")
    db.as_actor(desk.session, desk.worker)
    with pytest.raises(InvalidInput):
        evidence.add_note(desk.session, desk.worker, incident, "  ")
    note = evidence.add_note(desk.session, desk.worker, incident, "Behind the shed of Mr Hale <b>")
    assert note.note == "Behind the shed of Mr Hale <b>"
    assert desk.act(desk.worker, incident, "finish").status == "checking"
    auditor = desk.city.officer(Role.AUDITOR)
    db.as_actor(desk.session, auditor)
    assert [each.note for each in evidence.evidence_of(desk.session, auditor, incident)] == [None] * 3
    db.as_actor(desk.session, desk.city.actor)
    rows = desk.session.scalars(select(Record.after).where(Record.subject_table == "evidence")).all()
    assert rows
    assert "Hale" not in str(rows)


def test_nothing_is_added_to_what_has_ended(desk: Desk, add_incident: Add) -> None:
    incident = add_incident(status="closed", unit_id=desk.unit_id)
    with pytest.raises(Conflict, match="has ended"):
        photo(desk, desk.supervisor, incident)
    db.as_actor(desk.session, desk.supervisor)
    with pytest.raises(DBAPIError, match="has ended"), desk.session.begin_nested():
        desk.session.execute(
            text(
                "INSERT INTO evidence (territory_id, incident_id, kind, at, sha256, width, height, subject_id)"
                f" VALUES (:territory, :id, 'after', now(), '{'0' * 64}', 1, 1, 'x')"
            ),
            {"territory": desk.city.territory.id, "id": incident},
        )


def test_a_destroyed_key_leaves_the_blurred_copy(desk: Desk, given: int) -> None:
    info = photo(desk, desk.worker, given)
    db.as_actor(desk.session, desk.city.actor)
    desk.session.execute(text("UPDATE person_key SET wrapped_key = NULL"))
    assert desk.session.scalar(select(func.count()).select_from(PersonKey)) > 0
    assert not seen(desk, desk.worker, info).original


def test_who_is_erased_from_an_incident_is_erased_from_its_photos(desk: Desk, given: int) -> None:
    info = photo(desk, desk.worker, given)
    db.as_actor(desk.session, desk.city.actor)
    number = desk.session.scalar(text("SELECT number FROM incident WHERE id = :id"), {"id": given})
    (subject,) = erasure.subjects_of_evidence(desk.session, desk.city.territory.id, str(number))
    told = erasure.erase_person(desk.session, desk.city.actor, subject, purpose="request")
    assert told.territory_id == desk.city.territory.id
    assert not seen(desk, desk.worker, info).original
    assert seen(desk, desk.supervisor, info).jpeg


def test_there_are_only_so_many_notes(desk: Desk, given: int) -> None:
    db.as_actor(desk.session, desk.worker)
    for number in range(12):
        evidence.add_note(desk.session, desk.worker, given, f"Step {number}")
    with pytest.raises(Conflict, match="12 notes"):
        evidence.add_note(desk.session, desk.worker, given, "One more")


def test_the_queue_of_verifying_says_what_is_not_for_the_actor(desk: Desk, given: int) -> None:
    photo(desk, desk.worker, given)
    photo(desk, desk.worker, given, "after", seed=1)
    desk.act(desk.worker, given, "finish")
    db.as_actor(desk.session, desk.supervisor)
    assert [(each.incident_id, each.own) for each in evidence.waiting_to_verify(desk.session, desk.supervisor)] == [
        (given, "")
    ]
    both = replace(desk.dispatcher, role=Role.SUPERVISOR)
    db.as_actor(desk.session, both)
    assert [each.own for each in evidence.waiting_to_verify(desk.session, both)] == ["sent"]
    hands = replace(desk.worker, role=Role.SUPERVISOR)
    db.as_actor(desk.session, hands)
    assert [each.own for each in evidence.waiting_to_verify(desk.session, hands)] == ["handled"]
    with pytest.raises(NotPermitted):
        evidence.waiting_to_verify(desk.session, desk.dispatcher)
