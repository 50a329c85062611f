"""The same place in two units' files: found, decided by name, kept when the files come again, counted once."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import catalogue, pairing
from geodata.db import as_actor
from tests.db.test_linking import bring, write
from tests.halves import MIDDLE, SOUTH, Halves

LON, LAT = MIDDLE - 0.01, SOUTH + 0.01
HEALTH = (
    f"C1,Newport Clinic,12 High Street,{LON},{LAT}", f"C2,解放路社区卫生服务中心,解放路12号,{LON + 0.004},{LAT}",
    f"C3,Ryde Clinic,1 Quay Road,{LON - 0.004},{LAT}",
)  # fmt: skip
TRADE = (
    f"7,Newport Health Clinic,12 High St,{LON + 0.0003},{LAT}", f"8,Jiefang Lu Clinic,,{LON + 0.0041},{LAT}",
    f"9,解放路卫生服务站,,{LON + 0.0042},{LAT}", f"10,Sandown Bakery,1 Quay Road,{LON - 0.004},{LAT}",
)  # fmt: skip


@pytest.fixture
def two(session: Session, small_city: Halves, tmp_path: Path) -> Halves:
    bring(session, small_city, write(tmp_path / "h.csv", "code,name,address,lon,lat", *HEALTH), key="health")
    bring(session, small_city, write(tmp_path / "t.csv", "no,名称,地址,lon,lat", *TRADE), key="trade")
    return small_city


def names(pairs: list[pairing.PairView]) -> list[tuple[str, str]]:
    return [(each.one.key, each.other.key) for each in pairs]


def test_pairs_are_found_decided_kept_and_counted_once(session: Session, two: Halves, tmp_path: Path) -> None:
    territory = two[0]
    actor = system_actor(territory.id, label="clerk")
    found = pairing.compare(session, actor, territory, "trade", "health")
    for one, other in (("set-trade", "set-health"), ("set-health", "set-trade")):
        assert [each.joined for each in catalogue.uses(session, actor, one)] == [(other,)], "read with what is known"
    waiting = pairing.list_pairs(session, actor, territory)
    assert ("C1", "7") in names(waiting)
    assert ("C2", "9") in names(waiting)
    assert ("C3", "10") not in names(waiting), "near, and the same address, but another name"
    assert found["new"] == len(waiting)
    one = next(each for each in waiting if each.one.key == "C1")
    assert one.terms["address"] == 1.0
    assert 10 < one.terms["metres"] < 30
    with pytest.raises(InvalidInput, match="Say why"):
        pairing.decide(session, actor, territory, one.id, pairing.Answer("different"))
    pairing.decide(session, actor, territory, one.id, pairing.Answer("same", version=one.version))
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objid = :low"
    low = session.scalar(text("SELECT hashtextextended(:key, 60) & 4294967295"), {"key": f"same_place:{territory.id}"})
    assert session.scalar(text(locks), {"low": low}) == 1, "two who decide at once wait for each other"
    with pytest.raises(Conflict):
        pairing.decide(session, actor, territory, one.id, pairing.Answer("different", "no", version=one.version))
    assert pairing.tally(session, actor, territory, ["health", "trade"]) == {"rows": 7, "places": 6}

    changed = (f"C1,Newport Clinic (new wing),12 High Street,{LON},{LAT}", *HEALTH[1:])
    bring(session, two, write(tmp_path / "h2.csv", "code,name,address,lon,lat", *changed), key="health")
    before = names(pairing.list_pairs(session, actor, territory))
    assert pairing.compare_again(session, actor, territory, _number(session, "health")) == 0
    assert names(pairing.list_pairs(session, actor, territory)) == before
    kept = pairing.list_pairs(session, actor, territory, state="same")
    assert names(kept) == [("C1", "7")], "what was decided stays decided"
    assert kept[0].one.name == "Newport Clinic (new wing)"
    assert kept[0].decided_label == "clerk"
    assert pairing.tally(session, actor, territory, ["health", "trade"]) == {"rows": 7, "places": 6}
    recorded = session.execute(text("SELECT count(*) FROM record WHERE subject_table = 'place_pair'")).scalar_one()
    assert recorded >= 2


def test_two_places_do_not_become_one_through_a_third(session: Session, two: Halves, tmp_path: Path) -> None:
    territory = two[0]
    actor = system_actor(territory.id)
    third = write(tmp_path / "w.csv", "id,name,lon,lat", f"W1,Newport Clinic,{LON},{LAT}")
    bring(session, two, third, key="water")
    for one, other in (("health", "trade"), ("health", "water"), ("trade", "water")):
        pairing.compare(session, actor, territory, one, other)
    pairs = {(each.one.key, each.other.key): each.id for each in pairing.list_pairs(session, actor, territory)}
    pairing.decide(session, actor, territory, pairs["C1", "7"], pairing.Answer("different", "another floor"))
    pairing.decide(session, actor, territory, pairs["C1", "W1"], pairing.Answer("same"))
    with pytest.raises(Conflict, match="two places"), session.begin_nested():
        pairing.decide(session, actor, territory, pairs["7", "W1"], pairing.Answer("same"))
    assert pairing.counts(session, actor, territory)["same"] == 1


def test_who_loads_neither_data_set_decides_nothing(session: Session, two: Halves) -> None:
    territory = two[0]
    pairing.compare(session, system_actor(territory.id), territory, "health", "trade")
    number = pairing.list_pairs(session, system_actor(territory.id), territory)[0].id
    stranger = Actor(user_id=1, role=Role.HANDLER, territory_id=territory.id, unit_ids=(424242,), label="stranger")
    as_actor(session, stranger)
    assert pairing.list_pairs(session, stranger, territory) == []
    with pytest.raises(NotFound):
        pairing.decide(session, stranger, territory, number, pairing.Answer("same"))
    with pytest.raises(NotPermitted):
        pairing.compare(session, stranger, territory, "health", "trade")
    as_actor(session, system_actor(territory.id))


def test_who_may_not_read_the_other_data_set_takes_no_pair_away(session: Session, two: Halves) -> None:
    territory = two[0]
    keeper = system_actor(territory.id)
    pairing.compare(session, keeper, territory, "health", "trade")
    before = names(pairing.list_pairs(session, keeper, territory))
    unit = session.scalar(
        text(
            "INSERT INTO unit (territory_id, code, kind, name, valid_from)"
            " VALUES (:home, 'R10', 'team', 'R10', '2020-01-01') RETURNING id"
        ),
        {"home": territory.id},
    )
    session.execute(text("UPDATE data_set SET owner_unit_id = :unit WHERE key = 'health'"), {"unit": unit})
    session.execute(text("UPDATE data_set SET sensitivity = 'restricted' WHERE key = 'trade'"))
    session.expire_all()
    clerk = Actor(user_id=1, role=Role.HANDLER, territory_id=territory.id, unit_ids=(unit,), label="clerk")
    as_actor(session, clerk)
    with pytest.raises(NotPermitted, match="may not read the rows of trade"):
        pairing.compare(session, clerk, territory, "health", "trade")
    as_actor(session, keeper)
    assert before
    assert names(pairing.list_pairs(session, keeper, territory)) == before


def _number(session: Session, key: str) -> int:
    return session.execute(text("SELECT id FROM data_set WHERE key = :key"), {"key": key}).scalar_one()
