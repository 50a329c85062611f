"""Bringing components in: every format, all faults at once, twice is once, and only one's own."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from core.errors import DataQuality, InvalidInput, NotPermitted
from core.identity import Role, system_actor
from geodata import db
from geodata.territory import find_territory
from incidents.component_files import component_table
from incidents.service import components as register
from incidents.service.component_import import ImportedComponents, import_components
from people import accounts
from tests.db.incidents.test_components import LAMP, PIPE, Town

HEAD = ("标识码", "经度", "纬度", "状态", "主管部门", "地点", "开始日期")


@pytest.fixture
def town(demo_database: Engine) -> Iterator[Town]:
    with demo_database.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            db.as_actor(session, system_actor())
            territory = find_territory(session, "tiny-town")
            actors = {each.role: each.actor("en") for each in accounts.demo_accounts(session)}
            actors[Role.SYSTEM] = system_actor(territory.id)
            yield Town(session, territory, actors)
        outer.rollback()


def rows_of(town: Town) -> list[tuple[str, ...]]:
    lamps = town.all_of(LAMP)[:3]
    unit = next(iter(register.component_units(town.session, town.act(Role.SYSTEM)).values()))
    return [
        (
            f"0000000118{at:06d}",
            f"{row.lon:.7f}",
            f"{row.lat:.7f}",
            "完好",
            unit[2] or unit[1],
            "人民路",
            "2024年3月1日",
        )
        for at, row in enumerate(lamps, start=900_001)
    ]


def write_csv(path: Path, rows: Sequence[Sequence[str]], encoding: str = "gb18030") -> Path:
    path.write_bytes("\n".join(",".join(row) for row in (HEAD, *rows)).encode(encoding))
    return path


def bring(town: Town, path: Path, role: Role = Role.SUPERVISOR, **more: bool) -> ImportedComponents:
    return import_components(town.session, town.act(role), town.territory, path, **more)


def counts(done: ImportedComponents) -> tuple[int, int, int]:
    return done.added, done.changed, done.unchanged


def test_a_gbk_file_twice_is_once_and_a_preview_writes_nothing(town: Town, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "部件.csv", rows_of(town))
    assert counts(bring(town, path, preview=True)) == (3, 0, 0)
    assert counts(bring(town, path)) == (3, 0, 0)
    assert counts(bring(town, path)) == (0, 0, 3)
    actor = town.act(Role.SUPERVISOR)
    detail = register.component_detail(town.session, actor, "0000000118900001")
    assert (detail.row.place, detail.row.state, str(detail.row.valid_from)) == ("人民路", "in_use", "2024-03-01")
    assert [entry.action for entry in detail.history] == ["insert"]
    rows = rows_of(town)
    rows[1] = (*rows[1][:3], "破损", *rows[1][4:])
    assert counts(bring(town, write_csv(tmp_path / "b.csv", rows, "utf-8"))) == (0, 1, 2)
    changed = register.component_detail(town.session, actor, "0000000118900002")
    assert (changed.row.state, changed.row.version) == ("damaged", 2)
    assert changed.history[-1].changes["state"] == ("in_use", "damaged")


def test_excel_and_geojson_say_the_same(town: Town, tmp_path: Path) -> None:
    rows = rows_of(town)
    book = openpyxl.Workbook()
    for row in (HEAD, *rows):
        book.active.append(list(row))
    book.save(tmp_path / "a.xlsx")
    assert counts(bring(town, tmp_path / "a.xlsx")) == (3, 0, 0)
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [float(row[1]), float(row[2])]},
            "properties": {"标识码": row[0], "状态": row[3]},
        }
        for row in rows
    ]
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    assert counts(bring(town, path)) == (0, 0, 3)


def test_every_fault_is_told_and_nothing_is_written(town: Town, tmp_path: Path) -> None:
    rows = rows_of(town)
    away = (rows[1][0], "10.0", "10.0", *rows[1][3:])
    faulty = [
        rows[0],
        away,
        ("12345", *rows[2][1:]),
        ("0000009999000001", *rows[2][1:]),
        (*rows[2][:3], "kaputt", "Nobody", rows[2][5], "2024-13-01"),
        rows[0],
        (rows[2][0][:-1] + "9", "x", "y", *rows[2][3:]),
    ]
    with pytest.raises(DataQuality) as refused:
        bring(town, write_csv(tmp_path / "a.csv", faulty))
    told = "\n".join(refused.value.violations)
    for part in (
        "row 3: the component 0000000118900002 lies outside the territory",
        "row 4: '12345' is no component identifier",
        "row 5: there is no component class '99-99'",
        "row 6: there is no state 'kaputt'",
        "row 6: there is no unit 'Nobody'",
        "row 6: '2024-13-01' is no date",
        "row 7: the identifier 0000000118900001 stands in row 2 already",
        "row 8: longitude and latitude are no numbers",
    ):
        assert part in told
    town.act(Role.SYSTEM)
    left = town.session.execute(text("SELECT count(*) FROM component WHERE code LIKE '0000000118900%'")).scalar_one()
    assert left == 0


def test_a_file_without_identifiers_names_the_columns_it_needs(town: Town, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("name,lon,lat\nx,1,2\n")
    with pytest.raises(InvalidInput, match="found no column for code"):
        bring(town, path)


def test_each_brings_in_his_own_only(town: Town, tmp_path: Path) -> None:
    manager = town.actors[Role.GRID_MANAGER]
    mine = [row for row in town.all_of(LAMP) if row.community_id in manager.area_ids]
    other = next(row for row in town.all_of(LAMP) if row.community_id not in manager.area_ids)
    own = ("0000000118900001", str(mine[0].lon), str(mine[0].lat), "完好", "", "x", "")
    foreign = ("0000000118900002", str(other.lon), str(other.lat), "完好", "", "x", "")
    assert counts(bring(town, write_csv(tmp_path / "a.csv", [own]), Role.GRID_MANAGER)) == (1, 0, 0)
    with pytest.raises(DataQuality, match="row 3: the component 0000000118900002 is not yours"):
        bring(town, write_csv(tmp_path / "b.csv", [own, foreign]), Role.GRID_MANAGER)
    for role in (Role.PLANNER, Role.DISPATCHER, Role.AUDITOR, Role.ADMINISTRATOR):
        with pytest.raises(NotPermitted):
            bring(town, tmp_path / "a.csv", role)


def test_what_is_taken_out_comes_back_as_it_was_without_the_restricted(town: Town, tmp_path: Path) -> None:
    actor = town.act(Role.SUPERVISOR)
    rows = [*town.all_of(LAMP)[:20], *town.all_of(PIPE)[:5]]
    units: Mapping[int, str] = {
        unit_id: each[0] for unit_id, each in register.component_units(town.session, actor).items()
    }
    table = component_table(rows, units)
    assert len(table["code"]) == 20
    assert not {row.code for row in town.all_of(PIPE)} & set(table["code"])
    path = tmp_path / "a.csv"
    lines = [",".join(table), *(",".join(row) for row in zip(*table.values(), strict=True))]
    path.write_text("\n".join(lines))
    assert counts(bring(town, path)) == (0, 0, 20)


def test_a_restricted_class_stays_so_and_is_no_change(town: Town, tmp_path: Path) -> None:
    pipe = dataclasses.replace(town.all_of(PIPE)[0])
    path = tmp_path / "a.csv"
    path.write_text(f"identifier,lon,lat,sensitivity\n{pipe.code},{pipe.lon:.9f},{pipe.lat:.9f},open\n")
    assert counts(bring(town, path)) == (0, 0, 1)
