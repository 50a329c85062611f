"""gridkeeper site by a matrix of one's own, with a layer of demand, and at many points."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from app.cli import main
from core.identity import system_actor
from geodata.db import transaction
from geodata.territory import find_territory
from planning import layering

WALK_M_S = 1.25


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict, str]:
    with pytest.raises(SystemExit) as ended:
        main(["site", *arguments, "--json"])
    shown = capsys.readouterr()
    return int(ended.value.code or 0), json.loads(shown.out) if shown.out else {}, " ".join(shown.err.split())


def listed(path: Path) -> tuple[list[str], np.ndarray]:
    rows = list(csv.DictReader(path.open()))
    return [row["id"] for row in rows], np.array([(float(row["lon"]), float(row["lat"])) for row in rows])


def test_a_layer_and_a_matrix_from_their_files_to_the_same_answer_again(
    demo_database: Engine, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, best, _ = run(capsys, "--kind", "p-median", "--p", "2", "--candidates", "9", "--points", "3000",
                        "--time-limit", "0.1")  # fmt: skip
    assert code == 0
    assert best["by_blocks"]
    assert best["every_building"]["bound"] <= best["every_building"]["objective"]
    at = [(site["lon"], site["lat"]) for site in best["sites"]]
    at += [(lon + 0.002, lat + 0.001) for lon, lat in at]
    people, places = tmp_path / "census.csv", tmp_path / "places.csv"
    people.write_text("name,lon,lat,people\n" + "".join(f"h{n},{x},{y},{n + 1}\n" for n, (x, y) in enumerate(at)))
    places.write_text("name,lon,lat\n" + "".join(f"c{n},{x},{y}\n" for n, (x, y) in enumerate(at[:3])))
    actor = system_actor(label="test")
    with transaction(actor, purpose="bring a layer") as session:
        layering.bring(session, actor, find_territory(session), "demand", people, name="census")

    asked = ["--kind", "p-median", "--p", "1", "--facility", "library", "--demand", "census"]
    code, streets, _ = run(capsys, *asked, "--candidates", "20")
    assert (code, streets["people"], streets["demand"]) == (0, 10.0, "census, 1")

    own = ["--candidates", str(places)]
    code, told, _ = run(capsys, *asked, *own, "--matrix-places", str(tmp_path))
    assert (code, told["rows"], told["candidates"], told["people"]) == (0, 4, 3, 10.0)
    (rows, homes), (columns, goals) = (listed(tmp_path / name) for name in ("rows.csv", "columns.csv"))
    assert len(columns) == told["candidates"] + told["there"]
    metres = np.hypot(*((homes[:, None] - goals[None]) * [70_000, 111_000]).transpose(2, 0, 1))
    matrix = tmp_path / "by-bus.npz"
    np.savez(matrix, od_s=(metres / WALK_M_S).astype(np.float32), origins=rows, destinations=columns)
    code, first, _ = run(capsys, *asked, *own, "--matrix", str(matrix))
    assert (code, first["matrix"], first["people"], first["candidates"]) == (0, "by-bus.npz, 1", 10.0, 3)
    code, again, _ = run(capsys, *asked, "--matrix", "by-bus.npz")
    assert code == 0
    assert (again["objective"], again["sites"], again["matrix_sha256"]) == (
        first["objective"], first["sites"], first["matrix_sha256"]
    )  # fmt: skip
    code, _, said = run(capsys, *asked, "--matrix", str(matrix))
    assert (code, "A matrix is about places of your own" in said) == (2, True)
    code, _, said = run(capsys, *asked, *own, "--matrix", "by-tram")
    assert (code, "There is no layer 'by-tram' of matrix. There are: by-bus.npz." in said) == (2, True)
