"""The hotline's file: in once, answered once per change, compared; persons stay sealed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound, NotPermitted
from core.identity import Role
from geodata import db
from geodata.persons import phone_hash, unseal
from geodata.tables import HandOver, Incident, IncidentPersonal, Record, UpstreamItem
from incidents.service import upstream
from incidents.upstream import answer_table
from people.table_out import as_csv, as_xlsx
from tests.db.incidents.conftest import NOW, City
from tests.db.incidents.desk import Desk
from tests.db.incidents.test_duplicates import link

HEAD = "工单编号,受理时间,来电人,联系电话,诉求内容,事发地址,诉求分类,工单状态,答复时限,经度,纬度"
ROWS = (
    "WZ-1,2026-06-30 09:12,张三,13800001111,三里屯垃圾成堆,人民路12号,暴露垃圾,办理中,2026-07-01 09:00,-1.31,50.69",
    "WZ-2,2026-06-30 10:00,匿名,,路边有煤气味,人民路20号,,未处理,2026-07-03 10:00,-1.3,50.69",
    "WZ-3,2026-06-30 11:00,李四,139 0000 2222,长椅坏了,人民路30号,街头座椅,已办结,,-1.305,50.69",
)

BEGIN = {"WZ-1": "reported", "WZ-2": "filed", "WZ-3": "reported"}
"""What the public says is verified first; the smell of gas is an emergency."""


@pytest.fixture
def bring(session: Session, desk: Desk, write_csv: Callable[..., Path]) -> Callable[..., upstream.UpstreamImport]:
    def run(*rows: str, head: str = HEAD, name: str = "12345.csv", **more: object) -> upstream.UpstreamImport:
        db.as_actor(session, desk.supervisor)
        given = {"moment": NOW} | more
        path = write_csv(head, *rows, name=name)
        return upstream.import_upstream(session, desk.supervisor, desk.city.territory, path, name=name, **given)

    return run


def by_ref(session: Session) -> dict[str, Incident]:
    rows = session.scalars(select(Incident).where(Incident.source_system == "12345"))
    return {row.external_ref: row for row in rows}


def told(desk: Desk, **more: object) -> tuple[int, dict[str, str]]:
    db.as_actor(desk.session, desk.supervisor)
    done = upstream.write_back(desk.session, desk.supervisor, desk.city.territory, **more)
    return done.batch, {ref: answer.status for ref, answer in done.rows}


def test_each_number_becomes_one_incident_once_with_persons_sealed(session: Session, desk: Desk, bring) -> None:
    done = bring(*ROWS)
    assert (done.read, done.loaded, done.known, done.rejected, done.emergencies) == (3, 3, 0, 0, 1)
    found = by_ref(session)
    assert {row.source for row in found.values()} == {"hotline"}
    assert {ref: row.status for ref, row in found.items()} == BEGIN
    assert found["WZ-1"].reported_at == dt.datetime(2026, 6, 30, 8, 12, tzinfo=dt.UTC)  # London's summer
    kept = session.get_one(IncidentPersonal, found["WZ-1"].id)
    db.as_actor(session, desk.city.actor)
    assert kept.phone_hash == phone_hash("13800001111")
    assert unseal(session, kept.subject_id, kept.note_cipher) == "三里屯垃圾成堆"
    everything = str(session.execute(select(Record.before, Record.after)).all())
    everything += str(session.execute(text("SELECT * FROM upstream_item")).all())
    assert not [secret for secret in ("张三", "13800001111", "三里屯") if secret in everything]
    again = bring(*ROWS)
    assert (again.read, again.loaded, again.known) == (3, 0, 3)
    assert len(by_ref(session)) == 3


def test_an_emergency_of_the_hotline_is_never_silently_queued(session: Session, desk: Desk, bring) -> None:
    bring(*ROWS)
    gas = by_ref(session)["WZ-2"]
    db.as_actor(session, desk.supervisor)
    waiting = session.scalars(select(HandOver).where(HandOver.state == "waiting")).all()
    assert [(row.incident_id, row.service) for row in waiting] == [(gas.id, "fire")]
    assert gas.emergency


def test_what_cannot_be_taken_in_is_named_and_tried_anew(session: Session, desk: Desk, bring) -> None:
    lost = (
        "WZ-4,2026-06-30 09:00,王五,,长椅坏了,无名处,街头座椅,,,,",
        "WZ-5,2026-06-30 09:00,王五,,嗯,人民路,其他事项,,,-1.31,50.69",
        "WZ-6,昨天,王五,,长椅坏了,人民路,街头座椅,,,-1.31,50.69",
        ",2026-06-30 09:00,王五,,长椅坏了,人民路,街头座椅,,,-1.31,50.69",
        "WZ-7,2026-07-05 09:00,王五,,长椅坏了,人民路,街头座椅,,,-1.31,50.69",
        "WZ-8,2026-06-30 09:00,王五,,长椅坏了,人民路,街头座椅,,,99,50.69",
    )
    done = bring(*lost)
    assert done.reasons == {
        "no_position": 1, "unknown_class": 1, "bad_date": 1, "no_number": 1, "future": 1, "outside": 1,
    }  # fmt: skip
    assert by_ref(session) == {}
    db.as_actor(session, desk.supervisor)
    compared = upstream.compare(session, desk.supervisor, desk.city.territory, moment=NOW)
    assert {each.ref: each.reason for each in compared.missing}["WZ-4"] == "no_position"
    mended = bring("WZ-4,2026-06-30 09:00,王五,,长椅坏了,无名处,街头座椅,,,-1.31,50.69")
    assert (mended.loaded, list(by_ref(session))) == (1, ["WZ-4"])


def test_headings_in_english_a_workbook_and_named_columns(session: Session, desk: Desk, bring, tmp_path: Path) -> None:
    head = "Ticket,Received at,Citizen,Phone,Description,Address,Type,lon,lat"
    assert bring("A1,2026-06-30 09:00,Ann,0123 4567,Broken bench,High Street,Bench,-1.31,50.69", head=head).loaded == 1
    path = tmp_path / "book.xlsx"
    names = ("Ticket", "When", "Description", "lon", "lat")
    path.write_bytes(
        as_xlsx(
            dict(zip(names, (["A2"], ["2026-06-30 09:00"], ["pothole"], ["-1.31"], ["50.69"]), strict=True)), sheet="x"
        )
    )
    db.as_actor(session, desk.supervisor)
    with pytest.raises(InvalidInput, match="no column for the time"):
        upstream.import_upstream(session, desk.supervisor, desk.city.territory, path, moment=NOW)
    done = upstream.import_upstream(
        session, desk.supervisor, desk.city.territory, path, named={"time": "When"}, moment=NOW
    )
    assert (done.loaded, set(by_ref(session))) == (1, {"A1", "A2"})


def test_each_change_is_told_once_and_a_batch_can_be_written_again(session: Session, desk: Desk, bring) -> None:
    bring(*ROWS)
    assert told(desk) == (1, BEGIN)
    assert told(desk) == (0, {})
    first = by_ref(session)["WZ-1"].id
    desk.act(desk.supervisor, first, "file")
    desk.assign(first, unit_id=desk.unit_id)
    desk.act(desk.worker, first, "start")
    assert told(desk) == (2, {"WZ-1": "handling"})
    assert told(desk) == (0, {})
    assert told(desk, batch=1)[1] == BEGIN
    db.as_actor(session, desk.supervisor)
    files = [
        as_csv(answer_table(upstream.write_back(session, desk.supervisor, desk.city.territory, batch=2).rows, "zh"))
        for _ in range(2)
    ]
    assert files[0] == files[1]
    assert "Highways正在处置" in files[0].decode("utf-8-sig")
    with pytest.raises(NotFound):
        told(desk, batch=9)


def test_a_duplicate_is_answered_with_the_first_reports_number(session: Session, desk: Desk, bring) -> None:
    bring(*ROWS)
    found = by_ref(session)
    told(desk)
    link(desk, found["WZ-3"].id, found["WZ-1"].id)
    db.as_actor(session, desk.supervisor)
    done = upstream.write_back(session, desk.supervisor, desk.city.territory)
    assert [ref for ref, _ in done.rows] == ["WZ-3"]
    assert found["WZ-1"].number in answer_table(done.rows, "zh")["答复内容"][0]


def test_the_comparison_names_what_is_missing_unknown_differing_and_overdue(
    session: Session, desk: Desk, bring, write_csv: Callable[..., Path]
) -> None:
    bring(*ROWS)
    later = write_csv(HEAD, ROWS[0], ROWS[2], ROWS[0].replace("WZ-1", "WZ-9"), name="later.csv")
    db.as_actor(session, desk.supervisor)
    ask = {"moment": NOW}
    found = upstream.compare(session, desk.supervisor, desk.city.territory, later, **ask)
    assert [each.ref for each in found.missing] == ["WZ-9"]
    assert [each.ref for each in found.unknown] == ["WZ-2"]
    assert [(each.ref, each.theirs, each.ours) for each in found.differing] == [("WZ-3", "closed", "reported")]
    assert [each.ref for each in found.overdue] == ["WZ-1"]
    kept = upstream.compare(session, desk.supervisor, desk.city.territory, **ask)
    assert (kept.counts()["missing"], kept.counts()["unknown"], [each.ref for each in kept.overdue]) == (0, 0, ["WZ-1"])
    assert {line["list"] for line in upstream.as_lines(found)} == {"missing", "unknown", "differing", "overdue"}


def test_only_supervisors_bring_in_and_write_back(session: Session, desk: Desk, city: City, write_csv) -> None:
    path = write_csv(HEAD, *ROWS)
    for role in (Role.DISPATCHER, Role.ADMINISTRATOR, Role.HANDLER, Role.GRID_WORKER):
        actor = city.officer(role)
        db.as_actor(session, actor)
        with pytest.raises(NotPermitted):
            upstream.import_upstream(session, actor, city.territory, path, moment=NOW)
        with pytest.raises(NotPermitted):
            upstream.write_back(session, actor, city.territory)
    for role, seen in ((Role.DISPATCHER, True), (Role.HANDLER, False)):
        actor = city.officer(role)
        db.as_actor(session, actor)
        if seen:
            upstream.compare(session, actor, city.territory, moment=NOW)
        else:
            with pytest.raises(NotPermitted):
                upstream.compare(session, actor, city.territory, moment=NOW)


def test_a_break_in_the_middle_leaves_nothing(session: Session, desk: Desk, bring, monkeypatch) -> None:
    count = 0
    take = upstream.take_in

    def breaks(*args: object, **more: object) -> object:
        nonlocal count
        count += 1
        if count == 2:
            raise KeyboardInterrupt
        return take(*args, **more)

    monkeypatch.setattr(upstream, "take_in", breaks)
    with pytest.raises(KeyboardInterrupt), session.begin_nested():
        bring(*ROWS)
    db.as_actor(session, desk.supervisor)
    assert by_ref(session) == {}
    assert session.scalars(select(UpstreamItem)).all() == []
    monkeypatch.undo()
    assert bring(*ROWS).loaded == 3
