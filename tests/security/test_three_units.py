"""Three units' files in three encodings and three coordinate systems: in by the gate, on one grid, out by GDAL."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from app import bearer
from core.identity import Actor, Role, system_actor
from geodata import datum, quarantine
from geodata.db import transaction
from geodata.exchange_load import Intake, Loaded, load_file
from geodata.exchange_understand import Overrides
from geodata.territory import TerritoryInfo, make_territory
from grids.service import locate, make_grid
from people import accounts, tokens
from tests.security.test_ogc_clients import Interface, gdal_environment, interface

__all__ = ["interface"]
WEST, SOUTH, EAST, NORTH = 114.30, 30.50, 114.34, 30.52
COUNT, OUTSIDE = 300, 2
UNITS = {"water": "自来水公司", "power": "供电局", "roads": "Autobahndirektion Süd"}
READ = """
import json, sys
import pyogrio

address, secret = sys.argv[1:]
pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": secret})
told = {}
for key in ("water", "power", "roads"):
    frame = pyogrio.read_dataframe("OAPIF:" + address, layer="set-" + key)
    told[key] = dict(zip(frame["number"], zip(frame["unit_grid"], frame.geometry.x, frame.geometry.y)))
told["few"] = len(pyogrio.read_dataframe("OAPIF:" + address, layer="set-roads", where="watts > 290"))
print(json.dumps(told))
"""


def files(folder: Path) -> dict[str, tuple[Path, dict[str, str]]]:
    """The same lamps as three offices keep them, with what their clerks say of them; two lie far from the city."""
    random = np.random.default_rng(5)
    lon, lat = random.uniform(WEST, EAST, COUNT), random.uniform(SOUTH, NORTH, COUNT)
    lon[:OUTSIDE] += 0.5
    gcj = datum.from_wgs84(lon, lat, datum.Datum.GCJ02)
    metric = pyproj.Transformer.from_crs(4326, 4547, always_xy=True).transform(lon, lat)

    def table(heads: str, name: str, at: tuple[np.ndarray, np.ndarray], digits: int, separator: str) -> str:
        rows = [heads.replace(",", separator)]
        rows += [
            separator.join((f"L{n:03d}", f"{name} {n}", str(n), f"{x:.{digits}f}", f"{y:.{digits}f}"))
            for n, (x, y) in enumerate(zip(*at, strict=True))
        ]
        return "\r\n".join(rows) + "\r\n"

    made = {
        "water": (table("number,name,watts,lon,lat", "路灯", (lon, lat), 7, ",").encode("utf-8-sig"), {}),
        "power": (
            table("number,名称,watts,经度,纬度", "街灯", gcj, 7, ",").encode("gb18030"),
            {"datum": "GCJ-02"},
        ),
        "roads": (
            table("number,Straße,watts,east,north", "Laterne Königsallee", metric, 3, ";").encode("cp1252"),
            {"crs": "EPSG:4547"},
        ),
    }
    for name, (content, _) in made.items():
        (folder / f"{name}.csv").write_bytes(content)
    return {name: (folder / f"{name}.csv", said) for name, (_, said) in made.items()}


def city(session: Session) -> tuple[TerritoryInfo, dict[str, Actor], Actor]:
    """A territory with a grid, three units with a clerk each, and a supervisor."""
    home = make_territory(
        session, system_actor(), "three-rivers", boundary=shapely.box(WEST, SOUTH, EAST, NORTH),
        timezone="Asia/Shanghai",
    )  # fmt: skip
    session.execute(text("SELECT set_config('gridkeeper.territory', :t, true)"), {"t": str(home.id)})
    make_grid(session, system_actor(home.id), home, kind="square", size_m=250)
    clerks = {}
    for code, name in UNITS.items():
        unit = session.scalar(
            text(
                "INSERT INTO unit (territory_id, code, kind, name, valid_from)"
                " VALUES (:t, :c, 'department', :n, '2020-01-01') RETURNING id"
            ),
            {"t": home.id, "c": code, "n": name},
        )
        accounts.ensure_user(
            session, login=f"clerk.{code}", role=Role.HANDLER, territory_id=home.id, title_en="Clerk",
            title_zh="职员", unit_ids=[unit],
        )  # fmt: skip
        clerks[code] = accounts.find_account(session, f"clerk.{code}", home.id).actor()
    accounts.ensure_user(
        session, login="head.three-rivers", role=Role.SUPERVISOR, territory_id=home.id, title_en="Head", title_zh="主管"
    )
    return home, clerks, accounts.find_account(session, "head.three-rivers", home.id).actor()


def test_three_units_meet_on_the_grid_and_gdal_reads_them(interface: Interface, tmp_path: Path) -> None:
    with transaction(system_actor()) as session:
        home, clerks, head = city(session)
    done: dict[str, Loaded] = {}
    for name, (path, said) in files(tmp_path).items():
        with transaction(clerks[name]) as session:
            place = lambda lon, lat, session=session: locate(session, home.id, lon, lat).grid_id  # noqa: E731
            over = Overrides(key=("number",), **said)  # type: ignore[arg-type]
            done[name] = load_file(session, clerks[name], home, path, Intake(name, place, over=over))
    assert [each.encoding for each in done.values()] == ["UTF-8", "GB18030", "Windows-1252"]
    assert {each.read for each in done.values()} == {COUNT}
    for each in done.values():
        assert each.placed / each.read >= 0.99
        assert each.loaded == each.placed == COUNT - OUTSIDE
        assert len(each.not_placed) == each.rejected == OUTSIDE  # the list of the rest, each with its reason
    with transaction(head) as session:
        rest = quarantine.list_rows(session, head, home.id)
        assert sorted(row.violations[0]["rule"] for row in rest) == ["inside"] * 3 * OUTSIDE
        secret = tokens.issue(session, head, name="GDAL of the head").secret
    bearer.forget()
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", READ, interface.address, secret],
        env=gdal_environment(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    read = json.loads(told.stdout.splitlines()[-1])
    assert read.pop("few") == COUNT - 1 - 290  # GDAL sends the condition along, or sifts by itself
    numbers = {f"L{n:03d}" for n in range(OUTSIDE, COUNT)}
    assert all(set(rows) == numbers for rows in read.values())
    together = sum(len({rows[each][0] for rows in read.values()}) == 1 for each in numbers)
    assert together >= 0.99 * len(numbers)  # the rest lie on the line between two grids
    for axis in (1, 2):
        apart = [np.ptp([rows[each][axis] for rows in read.values()]) for each in numbers]
        assert max(apart) == pytest.approx(0, abs=2e-7)
