"""Files that say in words or by a code where their rows lie: placed by the streets of the territory, or asked back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.identity import system_actor
from geodata import pairing, quarantine
from geodata.exchange import Role
from geodata.exchange_load import Intake, load_file
from geodata.exchange_understand import Overrides
from geodata.gazetteer_store import gazetteer_of
from geodata.linking_gate import Placer
from geodata.tables import Facility, Road
from grids import coded
from grids.coded import codes_in
from grids.service import locate
from tests.halves import EAST, MIDDLE, NORTH, SOUTH, WEST, Halves

STREETS = (
    ("High Street", None, WEST + 0.004, SOUTH + 0.004, WEST + 0.008, SOUTH + 0.004),
    ("High Street", None, EAST - 0.008, SOUTH + 0.004, EAST - 0.004, SOUTH + 0.004),
    ("Saint James's Street", None, WEST + 0.006, SOUTH + 0.002, WEST + 0.006, SOUTH + 0.006),
    ("Jiefang Lu", "解放路", WEST + 0.010, SOUTH + 0.008, WEST + 0.014, SOUTH + 0.008),
    ("Coast Road", None, WEST + 0.001, NORTH - 0.002, EAST - 0.001, NORTH - 0.002),
)


@pytest.fixture
def town(session: Session, small_city: Halves) -> Halves:
    territory = small_city[0]
    for number, (name, name_zh, *line) in enumerate(STREETS):
        session.add(
            Road(
                territory_id=territory.id, source="osm", source_ref=f"w{number}", piece=0, from_node=2 * number,
                to_node=2 * number + 1, road_class="residential", name=name, name_zh=name_zh, speed_kmh=30, oneway=0,
                drivable=True, walkable=True, length_m=300,
                geom=f"SRID=4326;LINESTRING({line[0]} {line[1]}, {line[2]} {line[3]})",
            )
        )  # fmt: skip
    session.add(
        Facility(
            territory_id=territory.id, source="osm", source_ref="n1", kind="library", name="Westend Library",
            attributes={}, geom=f"SRID=4326;POINT({WEST + 0.01} {SOUTH + 0.01})",
        )
    )  # fmt: skip
    session.flush()
    return small_city


def bring(session: Session, city: Halves, path: Path, key: str = "reports", **more):
    territory = city[0]
    actor = system_actor(territory.id)
    place = Placer(lambda lon, lat: locate(session, territory.id, lon, lat).grid_id, codes_in(session, territory))
    return load_file(session, actor, territory, path, Intake(key, place, **more))


def placed(session: Session, key: str = "reports") -> dict[str, tuple]:
    rows = session.execute(
        text(
            "SELECT r.row_key, r.properties ->> 'placed_by', ST_X(r.geom), ST_Y(r.geom), r.unit_grid_id"
            " FROM data_set_row AS r JOIN data_set AS d ON d.id = r.data_set_id WHERE d.key = :key AND valid_to IS NULL"
        ),
        {"key": key},
    )
    return {row[0]: tuple(row[1:]) for row in rows}


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_addresses_place_rows_and_what_may_be_two_places_is_asked_back(
    session: Session, town: Halves, tmp_path: Path
) -> None:
    file = write(
        tmp_path / "reports.csv", "编号,地址",
        'R1,"12 High St, Westend"', "R2,解放路１２号", "R3,st james st & high street", "R4,Westend Libary",
        "R5,High Street", "R6,Coast Road 5", "R7,Zebra Avenue", 'R8,"High Steet, Eastend"', "R9,",
    )  # fmt: skip
    done = bring(session, town, file)
    assert (done.read, done.loaded, done.rejected, done.placed) == (9, 5, 4, 5)
    held = placed(session)
    assert set(held) == {"R1", "R2", "R3", "R4", "R8"}
    assert held["R1"][1] < MIDDLE < held["R8"][1], "the community decides between two roads of one name"
    assert held["R3"][1:3] == pytest.approx((WEST + 0.006, SOUTH + 0.004), abs=1e-6)
    assert held["R3"][0].startswith("crossing: ")
    assert all(row[3] for row in held.values())
    guess = next(each for each in done.guesses if each.what == "place by address")
    assert "found here" in guess.reason
    waiting = {each.raw["编号"]: each for each in quarantine.list_rows(session, system_actor(town[0].id), town[0].id)}
    assert set(waiting) == {"R5", "R6", "R7", "R9"}
    asked = waiting["R5"].violations[0]
    assert "several places" in asked["sentence"]
    assert set(asked["repair"].split("; ")) == {"High Street, Eastend", "High Street, Westend"}
    assert "too roughly" in waiting["R6"].violations[0]["sentence"]
    assert "placed_by" not in waiting["R5"].raw
    assert [each["row"] for each in done.not_placed] == [5, 6, 7, 9]

    fixed = quarantine.retry(
        session, system_actor(town[0].id), town[0], {waiting["R5"].id: {"地址": "High Street, Eastend"}},
        place=Placer(lambda lon, lat: locate(session, town[0].id, lon, lat).grid_id, codes_in(session, town[0])),
    )  # fmt: skip
    assert fixed.fixed == 1
    assert placed(session)["R5"][1] > MIDDLE
    again = bring(session, town, file)
    assert (again.loaded, again.changed) == (0, 0), "what was taken for an address is kept in the mapping"


def test_coordinates_win_and_a_strong_disagreement_is_told(session: Session, town: Halves, tmp_path: Path) -> None:
    here = f"{WEST + 0.0061},{SOUTH + 0.0041}"
    file = write(
        tmp_path / "both.csv", "id,address,lon,lat",
        f'1,"12 High Street, Westend",{here}', f'2,"12 High Street, Eastend",{here}', '3,"12 High Street, Eastend",,',
        f"4,Zebra Avenue,{here}",
    )  # fmt: skip
    done = bring(session, town, file)
    assert (done.loaded, done.rejected, done.placed) == (4, 0, 4)
    held = placed(session)
    assert held["2"][1] == pytest.approx(WEST + 0.0061), "coordinates win"
    assert held["3"][1] > MIDDLE, "where there are none, the address places"
    assert held["3"][0].startswith("road: 12 High Street, Eastend")
    assert [held[each][0] for each in "124"] == [None] * 3, "what was measured says of no address"
    fields = session.scalars(text("SELECT fields FROM data_set WHERE key = 'reports'")).one()
    assert "placed_by" in [each["name"] for each in fields]
    assert done.scores["completeness"] == 1.0, "of the file, not of the gate"
    whole = write(tmp_path / "whole.csv", "id,address,lon,lat", f'1,"12 High Street, Westend",{here}')
    assert bring(session, town, whole, key="measured").loaded == 1
    fields = session.scalars(text("SELECT fields FROM data_set WHERE key = 'measured'")).one()
    assert [each["name"] for each in fields] == ["id", "address"], "no column that says nothing"
    told = next(each for each in done.guesses if each.what == "disagree")
    assert "row 2" in told.reason
    assert "row 1" not in told.reason


def test_a_row_that_quarantine_places_by_its_address_says_so(session: Session, town: Halves, tmp_path: Path) -> None:
    here = f"{WEST + 0.0061},{SOUTH + 0.0041}"
    file = write(tmp_path / "one.csv", "id,address,lon,lat", f'1,"12 High Street, Westend",{here}', "2,High Street,,")
    assert bring(session, town, file).rejected == 1
    actor = system_actor(town[0].id)
    (waiting,) = quarantine.list_rows(session, actor, town[0].id)
    place = Placer(lambda lon, lat: locate(session, town[0].id, lon, lat).grid_id, codes_in(session, town[0]))
    mended = {waiting.id: {"address": "High Street, Eastend"}}
    assert quarantine.retry(session, actor, town[0], mended, place=place).fixed == 1
    assert placed(session)["2"][0].startswith("road: High Street, Eastend")
    fields = session.scalars(text("SELECT fields FROM data_set WHERE key = 'reports'")).one()
    assert [each["name"] for each in fields] == ["id", "address", "placed_by"]


def test_a_person_may_say_that_a_column_is_no_address(session: Session, town: Halves, tmp_path: Path) -> None:
    file = write(tmp_path / "plain.csv", "id,address", '1,"12 High Street, Westend"', "2,Westend Library")
    done = bring(session, town, file, over=Overrides(roles={"address": Role.FIELD}))
    assert (done.loaded, done.placed) == (2, 0)
    assert {each["why"] for each in done.not_placed} == {"It has no place."}


def test_known_house_numbers_place_to_the_house(session: Session, town: Halves, tmp_path: Path) -> None:
    numbers = write(
        tmp_path / "a.csv", "street,housenumber,lon,lat",
        f"High Street,10,{WEST + 0.005},{SOUTH + 0.0041}", f"High Street,20,{WEST + 0.007},{SOUTH + 0.0041}",
    )  # fmt: skip
    bring(session, town, numbers, key="addresses")
    found = gazetteer_of(session, town[0])
    assert found.match("10 High St, Westend").best.how == "number"
    between = found.match("15 High Street, Westend")
    assert between.best.how == "road", "no odd number is known"
    assert found.match("14 High Street, Westend").best.how == "between"


def test_codes_of_grids_and_components_place_rows(session: Session, town: Halves, tmp_path: Path) -> None:
    territory = town[0]
    codes = session.scalars(text("SELECT code FROM unit_grid WHERE ended_on IS NULL ORDER BY code LIMIT 3")).all()
    session.execute(
        text(
            "INSERT INTO code_link (territory_id, old_scheme, old_code, unit_grid_id, new_code, valid_until, source)"
            " SELECT territory_id, '2019', 'OLD-7', id, code, '2020-01-01', 'x' FROM unit_grid WHERE code = :code"
        ),
        {"code": codes[2]},
    )
    rows = [f"{n},{code}" for n, code in enumerate([codes[0], codes[1], "OLD-7", "NOWHERE-1"])]
    done = bring(session, town, write(tmp_path / "g.csv", "id,网格编码", *rows), key="lamps")
    assert (done.loaded, done.placed, done.rejected) == (3, 3, 1)
    held = placed(session, "lamps")
    ids = dict(session.execute(text("SELECT code, id FROM unit_grid WHERE ended_on IS NULL")).all())
    assert [held[str(n)][3] for n in range(3)] == [ids[code] for code in (codes[0], codes[1], codes[2])]
    assert "2019" in held["2"][0]
    wrong = session.execute(text("SELECT violations -> 0 ->> 'sentence' FROM quarantined_row")).scalar_one()
    assert "NOWHERE-1" in wrong
    assert np.isfinite(held["0"][1])
    assert territory.id


def test_rows_along_one_road_are_no_nearer_to_being_one_place(session: Session, town: Halves, tmp_path: Path) -> None:
    for key, row in (("one", "1,Quay Surgery,St. James's St"), ("other", "2,Quay Surgery,Saint James's Street")):
        assert bring(session, town, write(tmp_path / f"{key}.csv", "id,name,address", row), key=key).placed == 1
    actor = system_actor(town[0].id)
    assert pairing.compare(session, actor, town[0], "one", "other")["found"] == 1
    (pair,) = pairing.list_pairs(session, actor, town[0])
    assert pair.terms["vague"]
    assert not {"distance", "metres"} & set(pair.terms)


def test_identifiers_of_components_and_codes_of_another_scheme_place_rows(
    session: Session, town: Halves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    territory, _, east = town
    here = WEST + 0.0031, SOUTH + 0.0027
    add = text(
        "INSERT INTO component (territory_id, code, class_id, community_id, geom)"
        " SELECT :home, '110101' || replace(code, '-', '') || '000001', id, :east,"
        " ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) FROM incident_class"
        " WHERE kind = 'component' AND code = :code RETURNING code, sensitivity"
    )
    given = {"home": territory.id, "east": east, "lon": here[0], "lat": here[1]}
    lamp, hidden = (session.execute(add, given | {"code": code}).one() for code in ("02-01", "01-01"))
    assert (lamp[1], hidden[1]) == ("open", "restricted")
    rows = f"1,{lamp[0]}", f"2,{hidden[0]}", "3,1101010201999999"
    done = bring(session, town, write(tmp_path / "c.csv", "id,部件编码", *rows), key="checks")
    assert (done.loaded, done.placed, done.rejected) == (2, 2, 1)
    held = placed(session, "checks")
    assert held["1"][1:3] == pytest.approx(here)
    assert held["2"][1:3] != pytest.approx(here), "of a restricted one the inside of its grid alone"
    assert held["1"][3] == held["2"][3]

    monkeypatch.setattr(coded, "EXPLAINED", 0)
    own = session.scalars(text("SELECT code FROM unit_grid WHERE code LIKE '002-%' ORDER BY code LIMIT 1")).one()
    session.execute(
        text(
            "INSERT INTO code_link (territory_id, old_scheme, old_code, unit_grid_id, new_code, valid_until, source)"
            " SELECT territory_id, '2019', 'OLD-9', id, code, '2020-01-01', 'x' FROM unit_grid WHERE code = :code"
        ),
        {"code": own},
    )
    other = "110101001002" + own[-2:]
    rows = "1,NOWHERE-1", f"2,{other}", f"3,{own}", "4,OLD-9"
    done = bring(session, town, write(tmp_path / "o.csv", "id,网格编码", *rows), key="other")
    assert (done.loaded, done.rejected) == (3, 1), "also after as many unknown codes as are explained"
    held = placed(session, "other")
    assert held["2"][1:] == held["3"][1:] == held["4"][1:]
    assert "by another scheme" in held["2"][0]
    session.execute(text("UPDATE area SET code = '310101' WHERE level = 'district' AND territory_id = :home"), given)
    again = codes_in(session, territory)("grid", [other, "310101" + other[6:]])
    assert [np.isfinite(each.lon) for each in again.values()] == [False, True], "another district is elsewhere"
