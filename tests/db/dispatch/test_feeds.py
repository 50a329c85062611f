"""A feed is asked by a real server's answer; cars by direction change the ways; what is usual is folded."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import numpy as np
import pytest
import shapely
from pyproj import Transformer
from sqlalchemy import select, text

from core.errors import Conflict, GridkeeperError, InvalidInput, NotPermitted, SourceUnavailable
from core.identity import Actor, Role, system_actor
from core.settings import settings
from dispatch import feeds, past
from dispatch.closures import add_closure, network_now
from dispatch.feeds_model import NewFeed
from geodata.datum import Datum, from_wgs84
from geodata.network import RoadNetwork
from geodata.tables import RoadSpeed, TrafficHour, TrafficLoad
from tests.db.dispatch.test_standing_plan import NOON, city  # noqa: F401  (a fixture)
from tests.map_city import CENTRES
from tests.map_server import map_server

FIELDS = {
    "rows": "data.cars",
    "time": "t",
    "kmh": "v",
    "lon": "at.0",
    "lat": "at.1",
    "heading": "course",
}


class Cars(BaseHTTPRequestHandler):
    """Floating cars, generated: ``answer`` is what is said."""

    answer = b""
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with map_server(Cars) as found:
        monkeypatch.setenv("GRIDKEEPER_OUTWARD_HOSTS", found.removeprefix("http://"))
        settings.cache_clear()
        yield found
    monkeypatch.undo()
    settings.cache_clear()


def cars(network: RoadNetwork, stretch: int, kmh: float, *, backwards: bool, datum: Datum = Datum.WGS84) -> bytes:
    """Return what generated cars on one stretch would tell, all in one direction, with errors of a few metres."""
    line = network.lines[stretch]
    places = [line.interpolate(part, normalized=True) for part in np.linspace(0.3, 0.7, 5)]
    first, last = line.interpolate(0.4, normalized=True), line.interpolate(0.6, normalized=True)
    course = np.degrees(np.arctan2(last.x - first.x, last.y - first.y)) % 360
    turn = Transformer.from_crs(network.metric_srid, 4326, always_xy=True)
    rows = []
    for k, place in enumerate(places):
        lon, lat = turn.transform(place.x + (-1) ** k * 2.0, place.y)
        lon, lat = (float(each) for each in from_wgs84(np.array(lon), np.array(lat), datum))
        heading = (course + (180 if backwards else 0)) % 360
        rows.append({"t": NOON.timestamp() - 60 * k, "v": kmh, "at": [lon, lat], "course": heading})
    return json.dumps({"data": {"cars": rows}}).encode()


def _made(session, city, address, **more):  # noqa: F811
    actor = system_actor(city.territory.id)
    feeds.add_feed(session, actor, city.territory.id, NewFeed("taxis", address, "json", FIELDS, **more), at=NOON)
    return feeds.due_feeds(session, actor, NOON)[-1]


def _ask(session, city, feed):  # noqa: F811
    actor = system_actor(city.territory.id)
    return feeds.take_in(session, actor, city.territory, feed, feeds.ask(feed), NOON)


def _both_ways(network: RoadNetwork) -> int:
    both = np.isfinite(network.forward_s) & np.isfinite(network.backward_s)
    return int(np.flatnonzero(both)[network.length_m[both].argmax()])


@pytest.mark.parametrize("backwards", [False, True])
def test_cars_of_a_feed_slow_the_direction_they_drive_in(session, city, address, backwards):  # noqa: F811
    before = network_now(session, city.territory, "drive", NOON)
    stretch = _both_ways(before)
    Cars.answer, Cars.status = cars(before, stretch, 6.0, backwards=backwards), 200
    feed = _made(session, city, address)
    done = _ask(session, city, feed)
    assert (done.readings, done.stretches, done.faults) == (5, 1, ())
    after = network_now(session, city.territory, "drive", NOON)
    slow_s = before.length_m[stretch] * 3.6 / 6.0
    driven, other = (after.backward_s, after.forward_s) if backwards else (after.forward_s, after.backward_s)
    untouched = before.forward_s if backwards else before.backward_s
    assert driven[stretch] == pytest.approx(slow_s)
    assert other[stretch] == untouched[stretch]
    hours = session.scalars(select(TrafficHour)).all()
    assert {each.way for each in hours} == {-1 if backwards else 1}
    assert sum(each.readings for each in hours) == 5
    listed = feeds.list_feeds(session, system_actor(city.territory.id), city.territory.id)
    assert (listed[0].readings, listed[0].wrong_en, listed[0].secret) == (5, "", "")
    assert not feeds.due_feeds(session, system_actor(city.territory.id), NOON + dt.timedelta(seconds=200))
    assert feeds.due_feeds(session, system_actor(city.territory.id), NOON + dt.timedelta(seconds=300))


def test_a_feed_in_a_shifted_datum_lies_on_the_same_street(session, city, address):  # noqa: F811
    network = network_now(session, city.territory, "drive", NOON)
    stretch = _both_ways(network)
    Cars.answer, Cars.status = cars(network, stretch, 9.0, backwards=False), 200
    plain = _ask(session, city, _made(session, city, address))
    # the small city does not lie in China: there GCJ-02 is not shifted, and says so by being the same
    with pytest.raises(Conflict):
        _made(session, city, address)
    assert plain.stretches == 1


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (b"<html>", 200, "no json"),
        (b"{}", 200, "no list of readings"),
        (b'{"data": {"cars": []}}', 200, "No reading can be used"),
        (b"", 500, "answers 500"),
        (b"[" * 100_000, 200, "no json"),
    ],
)
def test_what_a_feed_says_wrongly_is_told_and_what_stood_stays(session, city, address, answer, status, says):  # noqa: F811, PLR0917
    network = network_now(session, city.territory, "drive", NOON)
    Cars.answer, Cars.status = cars(network, _both_ways(network), 9.0, backwards=False), 200
    feed = _made(session, city, address)
    _ask(session, city, feed)
    Cars.answer, Cars.status = answer, status
    with pytest.raises(GridkeeperError, match=says) as refused, session.begin_nested():
        _ask(session, city, feed)
    actor = system_actor(city.territory.id)
    feeds.note_fault(session, actor, feed, refused.value, NOON + dt.timedelta(minutes=5))
    told = feeds.list_feeds(session, actor, city.territory.id)[0]
    assert says in told.wrong_en
    assert told.wrong_zh
    assert told.readings == 5
    assert told.good_at == NOON
    assert len(session.scalars(select(TrafficLoad)).all()) == 1


def test_only_the_administrator_names_feeds_and_nonsense_is_refused(session, city):  # noqa: F811
    dispatcher = Actor(None, "x", Role.DISPATCHER, city.territory.id)
    new = NewFeed("x", "http://10.0.0.1/cars", "csv", {"time": "t", "kmh": "v", "street": "s"})
    with pytest.raises(NotPermitted):
        feeds.add_feed(session, dispatcher, city.territory.id, new)
    actor = system_actor(city.territory.id)
    for wrong in (
        {"name": ""},
        {"form": "xml"},
        {"every_s": 5},
        {"address": "file:///etc/passwd"},
        {"fields": {"time": "t", "kmh": "v"}},
        {"fields": {"time": "t", "kmh": "v", "street": "s", "who": "x"}},
        {"datum": "x"},
    ):
        with pytest.raises(InvalidInput) as refused:
            feeds.add_feed(session, actor, city.territory.id, dataclasses.replace(new, **wrong))
        assert refused.value.zh
    feed = feeds.add_feed(session, actor, city.territory.id, dataclasses.replace(new, address="http://169.254.1.1/x"))
    with pytest.raises(SourceUnavailable):
        feeds.ask(next(each for each in feeds.due_feeds(session, actor, NOON) if each.id == feed))


def test_planned_works_close_a_street_for_their_time_alone(session, city):  # noqa: F811
    """A closure with a begin to come is not in force before it, and the ways of then go round it."""
    actor = system_actor(city.territory.id)
    lon, lat = CENTRES["west"]
    begins, ends = NOON + dt.timedelta(days=2), NOON + dt.timedelta(days=3)
    area = shapely.box(lon - 0.05, lat - 0.05, lon + 0.05, lat + 0.05)
    given = {"name": "works", "shape": area, "from_at": begins, "to_at": ends, "reason": "pipes", "moment": NOON}
    add_closure(session, actor, city.territory, **given)
    now_s = network_now(session, city.territory, "drive", NOON).forward_s
    then_s = network_now(session, city.territory, "drive", begins + dt.timedelta(hours=1)).forward_s
    after_s = network_now(session, city.territory, "drive", ends + dt.timedelta(hours=1)).forward_s
    assert np.isinf(then_s).sum() > np.isinf(now_s).sum()
    assert (np.isinf(after_s) == np.isinf(now_s)).all()


def test_days_of_foreign_sensors_are_given_to_demo_streets_alone_and_labelled(session, city):  # noqa: F811
    actor = system_actor(city.territory.id)
    ratios = np.ones((7, 24, 3))
    ratios[:, 17, :] = 0.4
    session.execute(text("UPDATE road SET road_class = 'primary' WHERE drivable"))
    demo, real = (dataclasses.replace(city.territory, is_demo=each) for each in (True, False))
    with pytest.raises(InvalidInput):
        past.transplant(session, actor, real, ratios, "x", first_weekday=4, days=7, moment=NOON)
    roads = past.transplant(session, actor, demo, ratios, "x: not measured here", first_weekday=4, days=7, moment=NOON)
    assert past.fold(session, actor, demo, NOON) == roads > 0
    usual = past.usual(session, actor, demo.id)
    assert {each.rush_hour for each in usual} == {17}
    assert all(each.rush == pytest.approx(2.5) and each.days == 7 for each in usual)
    assert {each.source for each in usual} == {"x: not measured here"}
    found = past.city(session, actor, demo.id)
    assert found is not None
    assert found.index[17] == pytest.approx(2.5)
    assert found.index[3] == pytest.approx(1.0)
    assert session.scalars(select(RoadSpeed)).first().planning > 1
