"""Speeds that were read change the ways of the plan, and only as long as they are young."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import shapely
from sqlalchemy import select, update

from core.errors import DataQuality, NotPermitted
from core.identity import Role, system_actor
from dispatch import traffic
from dispatch.closures import add_closure, network_now
from geodata.tables import Incident, Record, TrafficLoad
from tests.db.dispatch.test_standing_plan import ACROSS_S, NOON, _incident, _plan, city  # noqa: F401  (a fixture)
from tests.map_city import CENTRES

HEAD = "time,speed_kmh,lon,lat,street\n"
AT = "2026-03-03 11:55"
WAY = [[CENTRES["west"][0], 50.69]], [[CENTRES["east"][0], 50.69]]


def _read(session, city, *lines, moment=NOON):  # noqa: F811
    actor = system_actor(city.territory.id)
    return traffic.read_traffic(session, actor, city.territory, HEAD + "\n".join(lines), "probe.csv", moment=moment)


def _across_s(session, city, moment=NOON):  # noqa: F811
    network = network_now(session, city.territory, "drive", moment)
    return float(network.travel_s(*WAY)[0, 0])


def test_a_street_by_name_slows_every_way_on_it_until_it_is_old(session, city):  # noqa: F811
    free = _across_s(session, city)
    done = _read(session, city, f"{AT},10,,,high street")
    assert (done.readings, done.stretches, done.faults) == (1, 1, ())
    assert _across_s(session, city) == pytest.approx(5 * free, rel=0.01)
    now = traffic.traffic_now(session, system_actor(city.territory.id), city.territory, NOON)
    assert now is not None
    assert (now.newest_at.astimezone(city.territory.zone).strftime("%H:%M"), now.stretches) == ("11:55", 1)
    later = NOON + dt.timedelta(minutes=41)
    assert _across_s(session, city, later) == pytest.approx(free)
    assert traffic.traffic_now(session, system_actor(city.territory.id), city.territory, later) is None


def test_the_plan_goes_by_what_was_read(session, city):  # noqa: F811
    one = _incident(session, city, "east")
    session.execute(update(Incident).where(Incident.id != one.id).values(status="void"))
    lon, lat = CENTRES["west"][0], 50.69
    _read(session, city, f"{AT},20,{lon},{lat},", f"{AT},40,{lon},{lat},", f"{AT},30,{lon},{lat},")
    free = ACROSS_S
    network = network_now(session, city.territory, "drive", NOON)
    assert float(network.travel_s(*WAY)[0, 0]) == pytest.approx(free * 50 / 30, rel=0.05)
    plan = _plan(session, city)
    assert [row.incident_id for row in plan.rows] == [one.id]


def test_what_is_closed_stays_closed_whatever_was_measured(session, city):  # noqa: F811
    actor = system_actor(city.territory.id)
    street = shapely.LineString([(CENTRES["west"][0], 50.69), (CENTRES["east"][0], 50.69)])
    add_closure(session, actor, city.territory, name="High Street", shape=street, moment=NOON)
    _read(session, city, f"{AT},30,,,High Street")
    assert not network_now(session, city.territory, "drive", NOON).targets.size


def test_refused_lines_are_told_and_the_others_kept(session, city):  # noqa: F811
    lon = CENTRES["west"][0]
    done = _read(
        session,
        city,
        f"{AT},30,{lon},50.69,",
        f"{AT},30,{lon},50.70,",
        f"{AT},120,{lon},50.69,",
        f"{AT},30,,,Nowhere Lane",
        "x,1,1,1,",
    )
    assert done.readings == 1
    assert [(each.line, each.en.split(" ")[0]) for each in done.faults] == [
        (3, "no"), (4, "120"), (5, "there"), (6, "'x'"),
    ]  # fmt: skip
    row = session.scalars(select(TrafficLoad)).one()
    assert (row.readings, row.refused, row.source) == (1, 4, "probe.csv")
    kept = session.scalars(select(Record).where(Record.subject_table == "traffic_load")).one()
    assert "lons" not in kept.after
    assert kept.after["readings"] == 1
    with pytest.raises(DataQuality, match="No reading can be used") as said:
        _read(session, city, "x,1,1,1,")
    assert "第 2 行" in said.value.zh


def test_a_file_that_names_whole_streets_often_is_cut(session, city, monkeypatch):  # noqa: F811
    monkeypatch.setattr(traffic, "PLACES_MOST", 3)
    lon = CENTRES["west"][0]
    done = _read(session, city, *[f"{AT},30,,,High Street"] * 5, f"{AT},30,{lon},50.69,")
    assert done.readings == 3
    assert [(each.line, "more than 3 stretches" in each.en) for each in done.faults] == [(4, True)]


def test_only_who_sends_out_brings_speeds_in(session, city):  # noqa: F811
    planner = dataclasses.replace(system_actor(city.territory.id), role=Role.PLANNER)
    with pytest.raises(NotPermitted):
        traffic.read_traffic(session, planner, city.territory, HEAD, "probe.csv", moment=NOON)


def test_old_files_go(session, city):  # noqa: F811
    _read(session, city, f"{AT},30,,,High Street")
    _read(session, city, "2026-03-06 11:55,30,,,High Street", moment=NOON + dt.timedelta(days=3))
    assert len(session.scalars(select(TrafficLoad.id)).all()) == 1
