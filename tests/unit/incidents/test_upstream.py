"""The hotline's file, read and compared without a database."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from geodata.files import Table
from incidents.upstream import (
    OPEN,
    Answer,
    Known,
    Ours,
    answer_table,
    choose,
    place_names,
    read_rows,
    reconcile,
    reply,
)

NOW = dt.datetime(2026, 7, 1, 11, 0, tzinfo=dt.UTC)
ZONE = ZoneInfo("Asia/Shanghai")


def table(**columns: list[str]) -> Table:
    return Table("x.csv", {name: np.array(cells, dtype=object) for name, cells in columns.items()}, None, "CSV")


def test_headings_are_found_in_any_writing() -> None:
    found = choose([" 工单编号 ", "受理时间", "来电号码", "诉求内容", "事发地址", "Answer_Due"], {}, file="x")
    assert found == {
        "ref": " 工单编号 ", "time": "受理时间", "phone": "来电号码", "text": "诉求内容", "place": "事发地址",
        "due": "Answer_Due",
    }  # fmt: skip
    assert choose(["No", "when", "What"], {"ref": "No", "time": "when", "text": "What"}, file="x")["time"] == "when"
    with pytest.raises(InvalidInput, match="the number there and the time and the text or the class"):
        choose(["a", "b"], {}, file="x")
    with pytest.raises(InvalidInput, match="Did you mean 'when'"):
        choose(["No", "when"], {"time": "whem"}, file="x")
    with pytest.raises(InvalidInput, match="no role"):
        choose(["No"], {"colour": "No"}, file="x")


def test_rows_are_cleaned_and_of_one_number_the_last_counts() -> None:
    read = read_rows(
        table(
            编号=["A1", "Ａ１", "", "A2"],
            时间=["2026-06-30 09:00", "2026-06-30 10:00", "2026-06-30 10:00", "gestern"],
            电话=["匿名", "138-0000 1111", "", ""],
            内容=["x\x00y", "=1+1", "z", "w"],
            状态=["办理中", "已办结", "?", ""],
            经度=["'-1.31", "x", "", "200"],
            纬度=["50.6", "1", "", "0"],
        ),
        {"ref": "编号", "time": "时间", "phone": "电话", "text": "内容", "state": "状态", "lon": "经度", "lat": "纬度"},
        ZONE,
    )
    assert [(row.ref, row.phone, row.text, row.state, row.point, row.problem) for row in read] == [
        ("A1", "13800001111", "=1+1", "closed", None, ""),
        ("", "", "z", "", None, "no_number"),
        ("A2", "", "w", "", None, "bad_date"),
    ]
    assert read[0].reported_at == dt.datetime(2026, 6, 30, 2, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("江苏省昆山市玉山镇人民路12号3栋", "人民路"),
        ("昆山市人民路与前进路口", "人民路"),
        ("12 Oak Avenue, Newport", "Oak Avenue"),
        ("Oak Avenue", "Oak Avenue"),
        ("延安中路100弄5号", "延安中路"),
    ],
)
def test_a_street_is_found_in_an_address_of_one_line(address: str, name: str) -> None:
    assert name in place_names(address)


@given(st.text(max_size=60))
def test_any_address_ends_and_its_names_are_not_empty(address: str) -> None:
    assert all(len(name) > 1 for name in place_names(address))


refs = st.sampled_from([f"R{n}" for n in range(8)])
moments = st.integers(-100, 100).map(lambda hours: NOW + dt.timedelta(hours=hours))
states = st.sampled_from(["", *sorted(OPEN), "closed", "void"])
theirs = st.lists(st.builds(Known, refs, states, moments, st.none() | moments), unique_by=lambda each: each.ref)
ours = st.lists(
    st.builds(Ours, refs, st.integers(1, 99), st.just("N"), states.filter(bool), moments, states),
    unique_by=lambda each: each.ref,
)


@given(theirs, ours)
def test_every_number_is_missing_unknown_or_on_both_sides(there: list[Known], here: list[Ours]) -> None:
    found = reconcile(there, here, NOW)
    names = {each.ref for each in there}, {each.ref for each in here}
    assert {each.ref for each in found.missing} == names[0] - names[1]
    assert {each.ref for each in found.unknown} <= names[1] - names[0]
    assert {each.ref for each in (*found.differing, *found.overdue)} <= names[0] & names[1]
    assert all((each.theirs in OPEN) != (each.ours in OPEN) for each in found.differing)
    assert all(each.due_at is not None and each.due_at < NOW for each in found.overdue)


@given(theirs)
def test_equal_sides_differ_in_nothing(there: list[Known]) -> None:
    here = [Ours(each.ref, 1, "N", each.state or "filed", each.reported_at or NOW, "closed") for each in there]
    assert set(reconcile(there, here, NOW).counts().values()) <= {0}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("status", [*sorted(OPEN), "closed", "void"])
def test_every_state_has_a_reply(status: str, language: str) -> None:
    answer = Answer("N-1", status, "Highways", "市政", "", "", "2026-07-02T09:00:00+08:00", "", "")
    said = reply(answer, language)
    assert said
    assert "{" not in said
    assert answer_table([("R1", answer)], language)
    alone = Answer("N-1", status, "", "", "", "", "", "", "")
    assert "{" not in reply(alone, language)


def test_an_answer_is_new_only_when_what_is_told_has_changed() -> None:
    one = Answer("N-1", "filed", "", "", "", "", "", "", "")
    assert one.digest() == Answer("N-1", "filed", "", "", "", "", "", "", "").digest()
    assert one.digest() != Answer("N-1", "closed", "", "", "", "", "", "", "").digest()
