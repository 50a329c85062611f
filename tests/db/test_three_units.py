"""Three units send the same lamps in three encodings and three coordinate systems; on the grid they are one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.identity import system_actor
from geodata import datum, db, quarantine
from geodata.exchange_load import Intake, Loaded, load_file
from geodata.exchange_understand import Overrides
from geodata.territory import make_territory
from grids.service import locate, make_grid

WEST, SOUTH, EAST, NORTH = 114.30, 30.50, 114.34, 30.52
COUNT = 200
OUTSIDE = 1  # of each file, far from the city


def table(name: str, x: np.ndarray, y: np.ndarray, heads: str, separator: str = ",") -> str:
    rows = [separator.join(("编号", "名称", *heads.split()))]
    rows += [
        separator.join((f"L{n:03d}", f"{name}{n}号", f"{a:.9g}" if abs(a) > 1000 else f"{a:.7f}", f"{b:.7f}"))
        for n, (a, b) in enumerate(zip(x, y, strict=True))
    ]
    return "\r\n".join(rows) + "\r\n"


def test_three_files_of_three_units_join_on_the_grid(session: Session, tmp_path: Path) -> None:
    territory = make_territory(
        session, system_actor(), "three-units", boundary=shapely.box(WEST, SOUTH, EAST, NORTH), timezone="Asia/Shanghai"
    )
    actor = system_actor(territory.id)
    db.as_actor(session, actor)
    make_grid(session, actor, territory, kind="square", size_m=500)
    random = np.random.default_rng(5)
    lon, lat = random.uniform(WEST, EAST, COUNT), random.uniform(SOUTH, NORTH, COUNT)
    lon[:OUTSIDE] += 0.5
    water, power = tmp_path / "water.csv", tmp_path / "power.csv"
    police = tmp_path / "police.tsv"
    power.write_bytes(table("路灯", *datum.from_wgs84(lon, lat, datum.Datum.GCJ02), "经度 纬度").encode("gb18030"))
    east, north = pyproj.Transformer.from_crs(4326, 4547, always_xy=True).transform(lon, lat)
    police.write_bytes(table("灯杆", east, north, "东坐标 北坐标", "\t").encode("utf-16"))
    water.write_bytes(table("lamp", lon, lat, "lon lat").encode("utf-8-sig"))

    def bring(path: Path, **said: str) -> Loaded:
        place = lambda lon, lat: locate(session, territory.id, lon, lat).grid_id  # noqa: E731
        return load_file(session, actor, territory, path, Intake(path.stem, place, over=Overrides(**said)))

    done = [bring(power, datum="GCJ-02"), bring(police, crs="EPSG:4547"), bring(water)]
    assert [each.encoding for each in done] == ["GB18030", "UTF-16", "UTF-8"]
    assert [each.read for each in done] == [COUNT] * 3
    assert all(each.placed / each.read >= 0.99 for each in done)
    assert [each.rejected for each in done] == [OUTSIDE] * 3
    assert [each.loaded for each in done] == [COUNT - OUTSIDE] * 3
    joined = session.execute(
        text(
            "SELECT row_key, count(*), count(DISTINCT unit_grid_id), max(ST_X(geom)) - min(ST_X(geom))"
            " FROM data_set_row GROUP BY row_key"
        )
    ).all()
    assert len(joined) == COUNT - OUTSIDE
    assert all(sets == 3 for _, sets, _, _ in joined)
    assert sum(grids == 1 for _, _, grids, _ in joined) >= 0.99 * len(joined)  # the rest: beside or between two grids
    assert max(apart for *_, apart in joined) < 1e-6
    rest = quarantine.list_rows(session, actor, territory.id)
    assert [(each.raw["编号"], each.violations[0]["rule"]) for each in rest] == [("L000", "inside")] * 3
