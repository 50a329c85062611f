"""A department's file through the gate: understood, checked, loaded, quarantined, loaded again, undone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, DataQuality, InvalidInput, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import quarantine
from geodata.exchange_load import Intake, load_file, undo_batch
from geodata.exchange_understand import Overrides, understand
from geodata.retention import forget_quarantine
from grids.service import locate
from tests.halves import EAST, MIDDLE, NORTH, SOUTH, WEST, Halves

LAMPS = "编号,名称,类型,功率,安装日期,经度,纬度\n"


def lamp(number: int, power: object = 60, lon: float | str = MIDDLE - 0.01, lat: float | str = 50.69) -> str:
    return f"L{number:04d},路灯{number},单臂,{power},2024年3月{number % 28 + 1}日,{lon},{lat}\n"


def bring(session: Session, city: Halves, path: Path, **more):
    territory = city[0]
    actor = more.pop("actor", system_actor(territory.id))
    more.setdefault("key", "lamps")
    more.setdefault("place", lambda lon, lat: locate(session, territory.id, lon, lat).grid_id)
    return load_file(session, actor, territory, path, Intake(**more))


def rows(session: Session, key: str = "lamps") -> list[tuple]:
    return session.execute(
        text(
            "SELECT r.row_key, r.properties, ST_X(r.geom), ST_Y(r.geom), r.unit_grid_id, r.valid_to"
            " FROM data_set_row AS r"
            " JOIN data_set AS d ON d.id = r.data_set_id WHERE d.key = :key ORDER BY r.row_key, r.batch_id"
        ),
        {"key": key},
    ).all()


@pytest.fixture
def lamps(tmp_path: Path) -> Path:
    path = tmp_path / "lamps.csv"
    good = "".join(lamp(n, lon=MIDDLE - 0.0001 * n) for n in range(1, 41))
    bad = lamp(41, power="弱") + lamp(42, lon=10.0) + lamp(43, lat="")
    path.write_bytes((LAMPS + good + bad).encode("gb18030"))
    return path


def test_good_rows_are_taken_in_and_bad_ones_wait_with_every_reason(
    session: Session, small_city: Halves, lamps: Path
) -> None:
    done = bring(session, small_city, lamps)
    assert (done.read, done.loaded, done.rejected, done.placed) == (43, 40, 3, 40)
    assert done.encoding == "GB18030"
    held = rows(session)
    assert len(held) == 40
    assert held[0][0] == "L0001"
    assert held[0][1] == {"编号": "L0001", "名称": "路灯1", "类型": "单臂", "功率": 60, "安装日期": "2024-03-02"}
    assert held[0][2] == pytest.approx(MIDDLE - 0.0001)
    waiting = session.execute(text("SELECT row_number, raw, violations FROM quarantined_row ORDER BY row_number")).all()
    assert [row[0] for row in waiting] == [41, 42, 43]
    assert waiting[0][1]["功率"] == "弱"
    assert [(each["field"], each["rule"]) for each in waiting[0][2]] == [("功率", "type")]
    assert waiting[1][2][0]["rule"] == "inside"
    assert waiting[2][2][0]["rule"] == "place"
    recorded = session.execute(text("SELECT count(*) FROM record WHERE subject_table = 'data_batch'")).scalar_one()
    assert recorded == 1


def test_the_same_again_adds_nothing_and_a_change_is_a_version(
    session: Session, small_city: Halves, tmp_path: Path
) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text(LAMPS + "".join(lamp(n) for n in range(1, 21)))
    second.write_text(LAMPS + "".join(lamp(n, power=80 if n == 3 else 60) for n in range(1, 23)))
    bring(session, small_city, first)
    again = bring(session, small_city, first)
    assert (again.loaded, again.changed, again.duplicates, again.known) == (0, 0, 20, True)
    done = bring(session, small_city, second)
    assert (done.loaded, done.changed, done.duplicates) == (2, 1, 19)
    assert {each.what for each in done.guesses} >= {"mapping"}
    versions = [row for row in rows(session) if row[0] == "L0003"]
    assert [(row[1]["功率"], row[5] is None) for row in versions] == [(60, False), (80, True)]
    with pytest.raises(Conflict, match="loaded later"):
        undo_batch(session, system_actor(small_city[0].id), again.batch_id)
    undo_batch(session, system_actor(small_city[0].id), done.batch_id)
    session.expire_all()
    held = rows(session)
    assert len(held) == 20
    assert all(row[5] is None for row in held)
    once_more = bring(session, small_city, second)
    assert (once_more.loaded, once_more.changed) == (2, 1)


def test_a_key_twice_in_one_file(session: Session, small_city: Halves, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(LAMPS + "".join(lamp(n) for n in range(1, 11)) + lamp(3) + lamp(4, power=99))
    done = bring(session, small_city, path, over=Overrides(key=("编号",)))
    assert (done.read, done.loaded, done.duplicates, done.rejected) == (12, 10, 1, 1)
    wrong = session.execute(text("SELECT row_number, violations FROM quarantined_row")).one()
    assert wrong[0] == 12
    assert wrong[1][0]["rule"] == "unique"
    other = tmp_path / "b.csv"
    other.write_text(LAMPS + lamp(11) + lamp(11) + lamp(12) + lamp(12, power=1))
    done = bring(session, small_city, other)
    assert (done.loaded, done.duplicates, done.rejected) == (2, 1, 1)


def test_a_dry_run_keeps_nothing(session: Session, small_city: Halves, lamps: Path) -> None:
    done = bring(session, small_city, lamps, dry_run=True)
    assert (done.loaded, done.rejected, done.batch_id) == (40, 3, None)
    assert session.execute(text("SELECT count(*) FROM data_set")).scalar_one() == 0
    assert bring(session, small_city, lamps).loaded == 40


def test_all_or_nothing_where_it_is_asked(session: Session, small_city: Halves, lamps: Path) -> None:
    with pytest.raises(DataQuality, match="3 of 43 rows break a rule"):
        bring(session, small_city, lamps, whole=True)


def test_axes_that_are_swapped_are_seen(session: Session, small_city: Halves, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    swapped = "".join(f"{n},50.69,{MIDDLE}\n" for n in range(1, 9))
    path.write_text("id,longitude,latitude\n" + swapped)
    territory = small_city[0]
    found = understand(session, system_actor(territory.id), territory, path)
    assert found.spec.swapped
    assert any(each.what == "axes" and "swapped" in each.value for each in found.guesses)
    done = bring(session, small_city, path, key="swapped")
    assert (done.loaded, done.placed) == (8, 8)


def test_a_file_without_a_coordinate_system_is_placed_by_where_it_would_lie(
    session: Session, small_city: Halves, tmp_path: Path
) -> None:
    import geopandas as gpd
    import shapely

    frame = gpd.GeoDataFrame(
        {"n": [1, 2]},
        geometry=[shapely.box(WEST, SOUTH, MIDDLE, NORTH), shapely.box(MIDDLE, SOUTH, EAST, NORTH)],
        crs=4326,
    ).to_crs(small_city[0].metric_srid)
    path = tmp_path / "a.shp"
    frame.to_file(path, encoding="UTF-8")
    path.with_suffix(".prj").unlink()
    done = bring(session, small_city, path, key="halves")
    assert (done.loaded, done.placed) == (2, 2)
    assert done.crs == f"EPSG:{small_city[0].metric_srid}"
    held = session.execute(text("SELECT ST_GeometryType(geom), geometry_type FROM data_set_row, data_set")).first()
    assert held == ("ST_Polygon", "Polygon")


def test_a_department_brings_its_own_only(session: Session, small_city: Halves, lamps: Path) -> None:
    clerk = Actor(None, "clerk", Role.HANDLER, small_city[0].id, unit_ids=(1, 2))
    bring(session, small_city, lamps)
    with pytest.raises(NotPermitted, match="not your unit's"):
        bring(session, small_city, lamps, actor=clerk)


def test_nothing_good_is_refused_in_a_sentence(session: Session, small_city: Halves, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,lon,lat\n1,100,10\n2,101,11\n")
    with pytest.raises(InvalidInput, match=r"2 of 2 rows break a rule.*It lies outside"):
        bring(session, small_city, path)


def test_a_table_without_places(session: Session, small_city: Halves, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("code;amount;phone\nA1;1.234,50;13812345678\nA2;7,25;13912345678\nA3;8,5;13712345678\n")
    done = bring(session, small_city, path, key="budget")
    assert (done.loaded, done.placed) == (3, 0)
    assert [row[1] for row in rows(session, "budget")] == [
        {"code": "A1", "amount": 1234.5}, {"code": "A2", "amount": 7.25}, {"code": "A3", "amount": 8.5},
    ]  # fmt: skip


def test_rules_are_checked_and_repairs_suggested(session: Session, small_city: Halves, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(LAMPS + "".join(lamp(n) for n in range(1, 31)) + lamp(31, power="８０瓦") + lamp(32, power=9000))
    rules = (
        {"rule": "range", "field": "功率", "min": 1, "max": 500},
        {"rule": "codes", "field": "类型", "codes": ["双臂", "单臂灯"]},
    )
    with pytest.raises(DataQuality):
        bring(session, small_city, path, over=Overrides(rules=rules))
    done = bring(session, small_city, path, over=Overrides(rules=rules[:1]))
    assert (done.loaded, done.rejected) == (30, 2)
    wrong = session.execute(text("SELECT violations FROM quarantined_row ORDER BY row_number")).scalars().all()
    assert wrong[0][0]["repair"] == "80"
    assert wrong[1][0]["rule"] == "range"
    assert np.isclose(done.scores["validity"], 30 / 32, atol=1e-4)


def test_rows_in_quarantine_are_mended_here_or_in_a_spreadsheet(
    session: Session, small_city: Halves, lamps: Path, tmp_path: Path
) -> None:
    territory = small_city[0]
    actor = system_actor(territory.id)
    bring(session, small_city, lamps)

    def place(lon, lat):
        return locate(session, territory.id, lon, lat).grid_id

    rows_ = quarantine.list_rows(session, actor, territory.id, data_set="lamps")
    assert quarantine.waiting(session, actor, territory.id)[0].rows == 3
    done = quarantine.retry(session, actor, territory, {rows_[0].id: {"功率": "100"}, rows_[1].id: {}}, place=place)
    assert (done.tried, done.fixed, done.left) == (2, 1, 1)
    left = quarantine.list_rows(session, actor, territory.id)
    assert [each.row_number for each in left] == [42, 43]
    sheet = tmp_path / "mend.csv"
    written = quarantine.as_csv(left, quarantine.headings_of(session, left))
    assert written.splitlines()[0].startswith("_quarantine,_problem,_repair,编号")
    odd = "²,x\r\n" + "9" * 40 + ",x\r\n"
    sheet.write_text(written.replace(",10.0,", f",{MIDDLE},") + odd, encoding="utf-8-sig")
    done = quarantine.retry_file(session, actor, territory, sheet, place=place)
    assert (done.tried, done.fixed) == (2, 1)
    assert quarantine.drop(session, actor, territory.id, [left[1].id]) == 1
    assert quarantine.waiting(session, actor, territory.id) == []
    assert len(rows(session)) == 42
    with pytest.raises(Conflict, match="settled meanwhile"):
        quarantine.drop(session, actor, territory.id, [left[1].id])
    with pytest.raises(InvalidInput, match="no column _quarantine"):
        quarantine.retry_file(session, actor, territory, lamps, place=place)
    undo_batch(session, actor, done.batches[0])
    assert [each.row_number for each in quarantine.list_rows(session, actor, territory.id)] == [42]


def test_what_is_about_a_person_is_not_kept_of_a_row_that_breaks(
    session: Session, small_city: Halves, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("phone,code,n\n" + "".join(f"1381234567{n},A{n},{n}\n" for n in range(9)) + "13800009999,A9,1,2\n")
    done = bring(session, small_city, path, key="calls")
    assert (done.loaded, done.rejected) == (9, 1)
    kept = session.execute(text("SELECT raw::text || violations::text FROM quarantined_row")).scalar_one()
    assert "13800009999" not in kept + str(done.first_wrong)


def test_a_row_whose_key_stands_twice_is_mended_by_another_key(
    session: Session, small_city: Halves, tmp_path: Path
) -> None:
    territory = small_city[0]
    actor = system_actor(territory.id)
    path = tmp_path / "a.csv"
    path.write_text(LAMPS + "".join(lamp(n) for n in range(1, 11)) + lamp(4, power=99))
    bring(session, small_city, path, over=Overrides(key=("编号",)))
    (waits,) = quarantine.list_rows(session, actor, territory.id)
    done = quarantine.retry(
        session, actor, territory, {waits.id: {"编号": "L0099"}},
        place=lambda lon, lat: locate(session, territory.id, lon, lat).grid_id,
    )  # fmt: skip
    assert (done.fixed, done.left) == (1, 0)
    assert [row[1] | {"grid": row[4] is not None} for row in rows(session) if row[0] == "L0099"] == [
        {"编号": "L0099", "名称": "路灯4", "类型": "单臂", "功率": 99, "安装日期": "2024-03-05", "grid": True}
    ]


def test_what_is_suggested_is_taken_at_once_and_what_is_old_is_forgotten(
    session: Session, small_city: Halves, tmp_path: Path
) -> None:
    territory = small_city[0]
    actor = system_actor(territory.id)
    path = tmp_path / "a.csv"
    turned = lamp(22, lon=50.69, lat=MIDDLE)
    path.write_text(
        LAMPS + "".join(lamp(n) for n in range(1, 21)) + lamp(21, power="六十") + turned + lamp(23, power="")
    )
    bring(session, small_city, path, over=Overrides(rules=({"rule": "required", "field": "功率"},)))
    found = quarantine.list_rows(session, actor, territory.id)
    told = {each.id: quarantine.suggested(each) for each in found if quarantine.mendable(each)}
    assert list(told.values()) == [{"功率": "60"}, {"经度": str(MIDDLE), "纬度": "50.69"}]
    done = quarantine.retry(
        session, actor, territory, told, place=lambda lon, lat: locate(session, territory.id, lon, lat).grid_id
    )
    assert (done.fixed, done.left) == (2, 0)
    session.execute(text("UPDATE data_batch SET started_at = now() - interval '200 days' WHERE retry_of IS NULL"))
    keeper = system_actor(label="retention")
    assert forget_quarantine(session, keeper, now() - dt.timedelta(days=180)) == 3
    assert quarantine.list_rows(session, actor, territory.id, state="") == []
