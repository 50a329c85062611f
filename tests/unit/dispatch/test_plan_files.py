"""`gridkeeper plan` and `gridkeeper vrptw`: rows that cannot be used are named, the others are planned."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.cli import main
from core.errors import InvalidInput
from dispatch.plan_model import Stop
from dispatch.vrptw import SCALE, left_out, read_vrptw, solve_vrptw

WORKERS = "id,lon,lat,skills,start_s,end_s\nw1,-1.30,50.70,water;road,0,28800\nw2,-1.25,50.68,road,0,28800\n"
TASKS = """id,lon,lat,service_s,skill,priority,earliest_s,due_s,prize
t1,-1.31,50.71,600,water,0,0,3600,40000
t2,-1.26,50.69,600,road,1,0,7200,15000
t3,-1.24,50.66,900,,2,0,,
"""
CORNERS = """NAME : SQUARE
TYPE : VRPTW
DIMENSION : 5
VEHICLES : 3
CAPACITY : 2
SERVICE_TIME : 1
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 3 4
3 3 5
4 -3 4
5 -3 5
DEMAND_SECTION
1 0
2 1
3 1
4 1
5 1
TIME_WINDOW_SECTION
1 0 100
2 0 100
3 0 100
4 0 100
5 0 100
DEPOT_SECTION
1
-1
EOF
"""


def plan(tmp_path: Path, capsys: Any, tasks: str, workers: str = WORKERS, matrix: Any = None) -> Any:
    """Exit code, answer and standard error of the command."""
    (tmp_path / "tasks.csv").write_text(tasks)
    (tmp_path / "workers.csv").write_text(workers)
    line = ["plan", "--tasks", str(tmp_path / "tasks.csv"), "--workers", str(tmp_path / "workers.csv"), "--json"]
    if matrix is not None:
        np.save(tmp_path / "ways.npy", matrix)
        line += ["--matrix", str(tmp_path / "ways.npy")]
    with pytest.raises(SystemExit) as ended:
        main([*line, "--seconds", "60", "--rounds", "50", "--seed", "1"])
    out, err = capsys.readouterr()
    return ended.value.code, json.loads(out) if out else {}, err


def test_files_without_a_matrix_are_planned_by_straight_lines_and_say_so(tmp_path: Path, capsys: Any) -> None:
    code, answer, _ = plan(tmp_path, capsys, TASKS)
    assert code == 0
    assert sorted(task for route in answer["routes"].values() for task in route) == ["t1", "t2", "t3"]
    assert "t1" in answer["routes"]["w1"]
    assert answer["travel"].startswith("straight line × 1.3 at 25 km/h")
    assert (answer["unserved"], answer["violations"], answer["lateness_s"], answer["changed"]) == (0, 0, 0, 0)
    assert answer["cost_s"] == pytest.approx(sum(answer["cost"].values()), abs=0.01)
    assert answer["cost"]["travel"] == pytest.approx(answer["travel_s"], abs=0.01)


def test_a_matrix_is_obeyed(tmp_path: Path, capsys: Any) -> None:
    ways = np.full((5, 5), 1000)
    ways[0, 2], ways[2, 3], ways[3, 4] = 10, 20, 30
    code, answer, _ = plan(tmp_path, capsys, TASKS, matrix=ways)
    assert (code, answer["routes"], answer["travel_s"]) == (0, {"w1": ["t1", "t2", "t3"], "w2": []}, 60)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("t4,-1.3,50.7,-5,road,1,0,7200,100", "service time is -5.0 s"),
        ("t4,-1.3,50.7,soon,road,1,0,7200,100", "service_s is 'soon', not a number"),
        ("t4,-1.3,50.7,60,road,7,0,7200,100", "priority is 7"),
        ("t4,-1.3,150.7,60,road,1,0,7200,100", "is not on the earth"),
        ("t4,,,60,road,1,0,7200,100", "not on the road network"),
        ("t1,-1.3,50.7,60,road,1,0,7200,100", "the same id stands in row 2"),
        (",-1.3,50.7,60,road,1,0,7200,100", "the id is missing"),
        ("t4,-1.3,50.7,60,road,1,0,7200,-1", "cost of being left out is -1"),
        ("t4,-1.3,50.7,60,road,inf,0,7200,100", "priority is inf, not a whole number"),
        ("t4,-1.3,50.7,60,road,1,0,-inf,100", "A time of it is missing or not a number"),
        ("t4,-1,3,50,7,60,road,1,0,7200,100", "it has more cells than the heading"),
        ('"t4,-1.3,50.7,60\nt5,-1.3', "a quotation mark that was not closed"),
    ],
)
def test_one_bad_task_is_named_by_its_row_and_blocks_no_other(
    tmp_path: Path, capsys: Any, row: str, words: str
) -> None:
    code, answer, err = plan(tmp_path, capsys, TASKS + row + "\n")
    assert code == 0
    assert [(each["file"], each["row"]) for each in answer["errors"]] == [("tasks.csv", 5)]
    assert words in answer["errors"][0]["error"]
    assert "tasks.csv, row 5" in err
    assert sum(len(route) for route in answer["routes"].values()) == 3
    assert answer["unserved"] == 1


def test_pins_that_contradict_each_other_are_named(tmp_path: Path, capsys: Any) -> None:
    tasks = "id,lon,lat,service_s,skill,pinned,excluded\n" + "".join(
        f"t{k},-1.3,50.7,60,{rest}\n" for k, rest in enumerate(["water,w2,", "road,w1,w1", "road,w9,", "road,w2,w1"])
    )
    code, answer, _ = plan(tmp_path, capsys, tasks)
    assert code == 0
    assert [(each["row"], each["error"]) for each in answer["errors"]] == [
        (2, "It is pinned to w2, who lacks water."),
        (3, "It is pinned to w1 and excludes the same."),
        (4, "It is pinned to w9, who is not in this plan."),
    ]
    assert answer["routes"] == {"w1": [], "w2": ["t3"]}


def test_workers_without_position_or_with_a_shift_that_ended_are_named(tmp_path: Path, capsys: Any) -> None:
    workers = WORKERS + "w3,,,road,0,28800\nw4,-1.3,50.7,road,-7200,-60\n"
    _, answer, _ = plan(tmp_path, capsys, TASKS, workers)
    assert [(each["file"], each["row"], each["id"]) for each in answer["errors"]] == [
        ("workers.csv", 4, "w3"),
        ("workers.csv", 5, "w4"),
    ]
    assert answer["unserved"] == 0


def test_a_missing_time_names_the_row_it_belongs_to(tmp_path: Path, capsys: Any) -> None:
    ways = np.full((5, 5), 100.0)
    ways[3, :] = np.nan
    code, answer, _ = plan(tmp_path, capsys, TASKS, matrix=ways)
    assert (code, [(each["row"], each["id"]) for each in answer["errors"]]) == (0, [(3, "t2")])
    assert answer["errors"][0]["error"] == "A time of the way to it or from it is missing or below zero."
    assert answer["unserved"] == 1
    none = np.full((5, 5), 100.0)
    none[3, :], none[:, 3] = np.inf, np.inf
    _, answer, err = plan(tmp_path, capsys, TASKS, matrix=none)
    assert [(each["row"], each["error"][:23]) for each in answer["errors"]] == [(3, "No way leads there from")]
    assert "tasks.csv, row 3 (t2)" in err
    ways[:, 3] = np.nan
    ways[1, :] = -5
    _, answer, _ = plan(tmp_path, capsys, TASKS, matrix=ways)
    assert [(each["id"], each["error"][:23]) for each in answer["errors"]] == [
        ("t2", "A time of the way to it"),
        ("w2", "A time of the way to it"),
    ]


def test_no_more_workers_are_asked_for_than_there_are(tmp_path: Path, capsys: Any) -> None:
    tasks = "id,lon,lat,service_s,workers\nt1,-1.3,50.7,60,3\nt2,-1.3,50.7,60,1e18\nt3,-1.3,50.7,60,2\n"
    code, answer, _ = plan(tmp_path, capsys, tasks)
    assert (code, [each["row"] for each in answer["errors"]]) == (0, [2, 3])
    assert answer["errors"][0]["error"] == "workers is 3, and the file of workers has 2"
    assert answer["routes"] == {"w1": ["t3"], "w2": ["t3"]}


def test_blank_lines_shift_neither_row_numbers_nor_the_matrix(tmp_path: Path, capsys: Any) -> None:
    ways = np.full((5, 5), 1000)
    ways[0, 2], ways[2, 3], ways[3, 4] = 10, 20, 30
    tasks = TASKS.replace("t2,", "\n\nt2,") + "t9,-1.3,50.7,soon\n"
    wide = np.full((6, 6), 1000)
    wide[:5, :5] = ways
    code, answer, _ = plan(tmp_path, capsys, tasks, matrix=wide)
    assert (code, answer["routes"], answer["travel_s"]) == (0, {"w1": ["t1", "t2", "t3"], "w2": []}, 60)
    assert [(each["id"], each["row"]) for each in answer["errors"]] == [("t9", 7)]


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("id;lon;lat;service_s", "found: id;lon;lat;service_s"),
        ("id,id,lon,lat,service_s", "has the column id twice"),
    ],
)
def test_a_heading_that_cannot_be_read_says_what_was_found(
    tmp_path: Path, capsys: Any, heading: str, words: str
) -> None:
    code, _, err = plan(tmp_path, capsys, heading + "\n")
    assert code == 2
    assert words in err


@pytest.mark.parametrize("shape", [b"(100000000, 100000000)", b"(3, 3"], ids=["enormous", "torn"])
def test_a_matrix_whose_heading_cannot_be_is_refused_unread(tmp_path: Path, capsys: Any, shape: bytes) -> None:
    (tmp_path / "tasks.csv").write_text(TASKS)
    (tmp_path / "workers.csv").write_text(WORKERS)
    head = (b"{'descr': '<f8', 'fortran_order': False, 'shape': %b, }" % shape).ljust(117) + b"\n"
    (tmp_path / "ways.npy").write_bytes(b"\x93NUMPY\x01\x00v\x00" + head)
    files = [f"--{name}={tmp_path / name}.csv" for name in ("tasks", "workers")]
    with pytest.raises(SystemExit) as ended:
        main(["plan", *files, f"--matrix={tmp_path / 'ways.npy'}"])
    assert ended.value.code == 2
    assert "ways.npy cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("matrix", [np.zeros((4, 5)), np.zeros((4, 4)), np.zeros(5), np.array([["x"] * 5] * 5)])
def test_a_matrix_that_does_not_fit_is_refused(tmp_path: Path, capsys: Any, matrix: Any) -> None:
    code, _, err = plan(tmp_path, capsys, TASKS, matrix=matrix)
    assert code == 2
    assert "matrix" in err.lower()


def test_what_binds_an_unserved_task_is_told(tmp_path: Path, capsys: Any) -> None:
    tasks = "id,lon,lat,service_s,skill,prize,latest_s\nt1,-1.3,50.7,60,gas,100,\nt2,-1.3,50.7,36000,road,100,\n"
    tasks += "t3,-1.1,50.7,60,road,1,\nt4,-1.1,50.7,60,road,9999,60\n"
    _, answer, _ = plan(tmp_path, capsys, tasks)
    told = {each["task"]: (each["why"], each["way_out"]) for each in answer["unserved_tasks"]}
    assert told["t1"] == ("No worker has all of: gas.", "Put somebody with gas on duty.")
    assert "done 120 min after the end of the shift" in told["t2"][0]
    assert "overtime" in told["t2"][1]
    assert "leaving it out costs 1 s" in told["t3"][0]
    assert "after it can be begun" in told["t4"][0]


def test_a_square_of_customers_is_driven_at_the_least_distance(tmp_path: Path) -> None:
    (tmp_path / "square.vrp").write_text(CORNERS)
    answer = solve_vrptw(read_vrptw(tmp_path / "square.vrp"), Stop(60, 200), 1)
    assert answer.feasible
    assert answer.vehicles == 2
    assert answer.cost == pytest.approx(2 * (50 + 10 + 58) / SCALE)


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ("2 3 4", "2 3", "line 10: 2 numbers stand here, and 3 are needed"),
        ("2 3 4", "2 nan 4", "line 10: nan does not lie between"),
        ("2 3 4", "3 3 4", "line 11: place 3 stands in line 10 already"),
        ("2 3 4", "2.5 3 4", "line 10: 2.5 is not one of the places 1 to 5"),
        ("3 1\n4 1\n", "3 1\n", "place 4 has no row in DEMAND_SECTION"),
        ("2 1\n", "2 -1\n", "line 16: -1 does not lie between 0"),
        ("2 0 100", "2 100 0", "line 22: the window of place 2 ends (0) before it begins (100)"),
        ("VEHICLES : 3", "VEHICLES : -1", "line 4: VEHICLES is -1"),
        ("VEHICLES : 3", "VEHICLES : 2.5", "line 4: VEHICLES is 2.5, not a whole number"),
        ("CAPACITY : 2", "CAPACITY : much", "line 5: CAPACITY is 'much', not a number"),
        ("DIMENSION : 5", "DIMENSION : 6", "line 3: DIMENSION is not 5"),
        ("EUC_2D", "EXPLICIT", "line 7: ways of the kind 'EXPLICIT'"),
        ("SECTION\n1\n-1", "SECTION\n9\n-1", "line 27: the depot is not one of the places 1 to 5"),
        ("SECTION\n1\n-1", "SECTION\n1\n2\n-1", "line 28: there is more than one depot"),
        ("DEPOT_SECTION", "DEMAND_SECTION", "line 26: DEMAND_SECTION stands a second time"),
        ("VEHICLES : 3\n", "", "has no VEHICLES"),
    ],
)
def test_a_wrong_figure_of_a_benchmark_file_is_named_by_its_line(
    tmp_path: Path, was: str, now: str, words: str
) -> None:
    (tmp_path / "square.vrp").write_text(CORNERS.replace(was, now, 1))
    with pytest.raises(InvalidInput, match=re.escape(words)):
        read_vrptw(tmp_path / "square.vrp")


def test_who_takes_more_than_a_vehicle_is_named_and_more_vehicles_than_customers_take_no_room(tmp_path: Path) -> None:
    text = CORNERS.replace("VEHICLES : 3", "VEHICLES : 1000000").replace("SECTION\n1 0\n2 1", "SECTION\n1 0\n2 9")
    (tmp_path / "square.vrp").write_text(text)
    answer = solve_vrptw(read_vrptw(tmp_path / "square.vrp"), Stop(60, 50), 1)
    assert not answer.feasible
    assert [left_out(each) for each in answer.result.unserved] == [
        "place 2: It takes 9.0 of capacity; the most anybody has is 2.0."
    ]


def test_a_file_of_another_kind_is_refused(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "other.vrp").write_text(CORNERS.replace("TIME_WINDOW_SECTION", "SOMETHING_SECTION"))
    with pytest.raises(SystemExit) as ended:
        main(["vrptw", str(tmp_path / "other.vrp"), "--json"])
    assert ended.value.code == 2
    assert "has no TIME_WINDOW_SECTION" in capsys.readouterr().err
