"""grid split, merge, publish, export, codes, balance: what scripts may rely on; files without a database."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from sqlalchemy import Engine

from app.cli import main
from core.identity import system_actor
from geodata import db
from geodata.territory import make_territory


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    code, out, err = run(capsys, *arguments, "--json")
    assert code == 0, err
    told: dict[str, object] = json.loads(out)
    return told


def test_from_make_to_export(database: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del database
    with db.transaction(system_actor()) as session:
        make_territory(session, system_actor(), "small-town", boundary=shapely.box(24.9, 60.1, 24.93, 60.12))
    made = answer(capsys, "grid", "make", "--kind", "square", "--size-m", "500")
    before = tmp_path / "before.gpkg"
    answer(capsys, "grid", "export", "--out", str(before))
    cells = gpd.read_file(before)
    whole = cells[np.isclose(cells["area_m2"], 250_000, rtol=1e-3)].reset_index(drop=True)
    one = whole.geometry.iloc[0]
    west, _, east, _ = one.bounds
    line = f"{west - 0.001} {one.centroid.y}, {east + 0.001} {one.centroid.y}"
    split = answer(capsys, "grid", "split", whole["code"].iloc[0], "--line", line)
    assert (split["new"], split["ended"]) == (2, 1)
    done = answer(capsys, "grid", "publish", str(split["change"]))
    assert (done["new"], done["parents"]) == (2, 2)
    became = answer(capsys, "grid", "codes", "show", whole["code"].iloc[0])["became"]
    assert isinstance(became, list)
    assert len(became) == 2
    merged = answer(capsys, "grid", "merge", *became)
    answer(capsys, "grid", "publish", str(merged["change"]))
    code = whole["code"].iloc[0]
    told = answer(capsys, "grid", "codes", "show", code)
    assert told["how"] == "later"
    assert [each["generation"] for each in told["family"]] == [0, 1, 1, 2]
    assert answer(capsys, "grid", "codes", "parse", code)["sequence"] == int(code[-5:])
    listed = tmp_path / "codes.csv"
    listed.write_text(f"code\n{code}\nNOWHERE\n")
    checked = answer(capsys, "grid", "codes", "check", str(listed))
    assert (checked["later"], checked["unknown"]) == (1, 1)
    walk = tmp_path / "walk.csv"
    assert answer(capsys, "grid", "codes", "crosswalk", "--out", str(walk))["links"] == 4
    assert walk.read_text().count(f"local,{code},") == 2
    assert answer(capsys, "grid", "codes", "list")["cells"] == made["cells"]
    assert answer(capsys, "grid", "codes", "scheme", "harbour", "HB{community:3}{sequence:4}")["version"] == 1
    assert len(answer(capsys, "grid", "codes", "schemes")["schemes"]) == 5
    community = next(iter(answer(capsys, "grid", "codes", "list")["communities"]))
    numbered = answer(capsys, "grid", "codes", "renumber", community)
    answer(capsys, "grid", "publish", str(numbered["change"]))
    balanced = answer(capsys, "grid", "balance", "--k", "4", "--weights", "area_m2=1")
    assert (balanced["k"], balanced["non_contiguous"]) == (4, 0)
    answer(capsys, "grid", "publish", str(balanced["change"]))
    after = tmp_path / "after.geojson"
    out = answer(capsys, "grid", "export", "--out", str(after))
    assert out["cells"] == made["cells"]
    assert out["area_m2"] == pytest.approx(made["area_m2"], rel=1e-6)
    assert gpd.read_file(after)["responsibility_grid"].nunique() == 4
    assert answer(capsys, "grid", "export", "--as-of", "2020-01-01", "--out", str(after))["cells"] == 0
    for bad, says in (
        (("split", "NOWHERE-1", "--line", line), "No unit grid has the code"),
        (("export", "--as-of", "soon", "--out", str(after)), "is no day"),
        (("balance", "--k", "2", "--weights", "joy=1"), "no number"),
    ):
        code, _, err = run(capsys, "grid", *bad)
        assert code
        assert says in err


def test_files_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    boundary, cells, out = tmp_path / "town.geojson", tmp_path / "cells.gpkg", tmp_path / "areas.geojson"
    town = gpd.GeoDataFrame(geometry=[shapely.box(24.9, 60.1, 24.94, 60.12)], crs=4326)
    town.to_file(boundary)
    hexagons = answer(capsys, "grid", "make", "--kind", "h3", "--resolution", "8", "--boundary", str(boundary),
                      "--out", str(cells))  # fmt: skip
    assert hexagons["area_m2"] == pytest.approx(hexagons["boundary_area_m2"], rel=1e-6)
    points = tmp_path / "points.geojson"
    places = np.random.default_rng(1).uniform((24.9, 60.1), (24.94, 60.12), (20, 2))
    gpd.GeoDataFrame(geometry=shapely.points(places), crs=4326).to_file(points)
    nearest = answer(capsys, "grid", "make", "--kind", "voronoi", "--points", str(points), "--boundary", str(boundary),
                     "--out", str(cells))  # fmt: skip
    assert 15 <= int(str(nearest["cells"])) <= 20  # a crumb joins its neighbour
    told = answer(
        capsys, "grid", "balance", "--cells", str(cells), "--weights", "area_m2", "--k", "4", "--out", str(out)
    )
    assert {"k", "max_over_mean", "cv", "non_contiguous", "cut", "changed_cells", "seconds"} <= set(told)
    assert (told["k"], told["non_contiguous"]) == (4, 0)
    assert sorted(gpd.read_file(out)["area"].unique()) == [1, 2, 3, 4]
    assert answer(capsys, "grid", "check", str(cells))["ok"] is True
    for bad, says in (
        (("make", "--kind", "h3", "--boundary", str(boundary), "--out", str(out)), "--resolution"),
        (("make", "--kind", "voronoi", "--boundary", str(boundary), "--out", str(out)), "--points"),
        (("balance", "--cells", str(cells), "--weights", "joy", "--k", "4", "--out", str(out)), "no column"),
        (("balance", "--cells", str(cells), "--k", "4"), "--out"),
        (("balance", "--cells", str(tmp_path / "none.gpkg"), "--k", "4", "--out", str(out)), "no file"),
    ):
        code, _, err = run(capsys, "grid", *bad)
        assert code == 2
        assert says in err
