"""The moments of a playback: the same counts as the map's values, hour by hour and week by week."""

from __future__ import annotations

import datetime as dt
import json
import struct

import numpy as np
import pytest
from sqlalchemy.orm import Session

from app.api.frames import frames_address
from core.errors import InvalidInput, NotPermitted
from core.identity import Role
from geodata import db
from layers.frames import Frames, frames
from layers.values import Question, cell_values
from tests.map_city import MapCity, add_incidents, at, make_map_city

FIRST, LAST = dt.date(2026, 6, 15), dt.date(2026, 6, 28)


@pytest.fixture
def city(session: Session) -> MapCity:
    made = make_map_city(session)
    rows = [
        {"reported_at": at("2026-06-15", 0)},
        {"reported_at": at("2026-06-15", 9), "code": "order"},
        {"reported_at": at("2026-06-20", 9), "half": "east", "due_at": at("2026-06-21")},
        {"reported_at": at("2026-06-28", 21), "half": "east"},
        {"reported_at": at("2026-06-20"), "status": "void"},
        {"reported_at": at("2026-06-14")},
        {"reported_at": at("2026-06-29")},
        {"reported_at": at("2026-06-20"), "status": "closed", "closed_at": at("2026-06-21")},
    ]
    add_incidents(session, made, rows)
    return made


def play(session: Session, city: MapCity, step: str, role: Role = Role.DISPATCHER, **more: object) -> Frames:
    actor = city.officer(role)
    db.as_actor(session, actor)
    wanted = {"metric": "reported", "first": FIRST, "last": LAST} | more
    return frames(session, actor, Question(**wanted), step)


def test_the_moments_of_each_step_hold_what_was_reported_in_them(session: Session, city: MapCity) -> None:
    by_day = play(session, city, "day")
    assert by_day.totals().tolist() == [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]
    assert play(session, city, "week").totals().tolist() == [4, 1]
    by_hour = play(session, city, "hour")
    assert by_hour.count == 14 * 24
    told = {int(hour): int(count) for hour, count in enumerate(by_hour.totals()) if count}
    assert sum(told.values()) == 5
    assert {hour // 24 for hour in told} == {0, 5, 13}, "hours are those of the place"


@pytest.mark.parametrize(
    "more", [{}, {"status": "open"}, {"status": "closed"}, {"categories": ("event-05",)}, {"metric": "open"}]
)
def test_all_moments_together_are_the_map_that_stands(session: Session, city: MapCity, more: dict[str, object]) -> None:
    found = play(session, city, "day", **more)
    actor = city.officer(Role.DISPATCHER)
    asked = {"metric": "reported", "first": FIRST, "last": LAST} | more
    still = cell_values(session, actor, Question(**asked))
    summed = np.bincount(found.cell, weights=found.counts, minlength=found.cells)
    assert found.first_id == still.first_id
    assert (summed == np.nan_to_num(still.values)).all()


def test_bytes_say_where_each_moment_ends(session: Session, city: MapCity) -> None:
    found = play(session, city, "day")
    body = found.encoded()
    (length,) = struct.unpack("<I", body[4:8])
    header = json.loads(body[8 : 8 + length])
    assert body[:4] == b"GKF1"
    assert (8 + length) % 4 == 0
    numbers = np.frombuffer(body[8 + length :], dtype="<u4")
    assert len(numbers) == header["frames"] + 2 * header["entries"]
    assert numbers[header["frames"] - 1] == header["entries"]
    assert header["totals"][0] == 2


def test_who_sees_no_incidents_plays_days_and_not_hours(session: Session, city: MapCity) -> None:
    assert play(session, city, "day", Role.PLANNER).totals().sum() == 5
    for step, more in (("hour", {}), ("day", {"status": "overdue"})):
        with pytest.raises(NotPermitted):
            play(session, city, step, Role.PLANNER, **more)


def test_what_cannot_be_played_is_said(session: Session, city: MapCity) -> None:
    for step, more, words in (
        ("minute", {}, "no step"),
        ("hour", {"first": dt.date(2026, 1, 1)}, "too long"),
        ("day", {"first": dt.date(2020, 1, 1)}, "too long"),
        ("hour", {"day": LAST}, "as they stand today"),
    ):
        with pytest.raises(InvalidInput, match=words):
            play(session, city, step, **more)
    assert play(session, city, "week", first=dt.date(2020, 1, 1)).count > 300
    assert "step=week" in frames_address(Question("reported", FIRST, LAST), "week")
