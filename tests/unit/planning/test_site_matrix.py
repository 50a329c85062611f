"""The command site-matrix: questions on files of costs, without a database."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from app import cli
from core.errors import InvalidInput
from planning.matrix_files import read_costs

LINE = np.abs(np.arange(9)[:, None] - np.arange(9)[None]).astype(float)


@pytest.fixture
def run(tmp_path, capsys):
    """Runs the command on an archive; returns the exit code, the answer and what was said of errors."""

    def run_(*options: str, **parts) -> tuple[int, dict, str]:
        np.savez(tmp_path / "costs.npz", **parts)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main(["site-matrix", str(tmp_path / "costs.npz"), "--json", *options])
        told = capsys.readouterr()
        return int(ended.value.code or 0), json.loads(told.out) if told.out else {}, told.err

    return run_


@pytest.mark.parametrize(
    ("options", "objective"),
    [
        (("--kind", "p-median", "--p", "1"), 20.0),
        (("--kind", "p-center", "--p", "2"), 2.0),
        (("--kind", "lscp", "--limit", "1"), 3.0),
        (("--kind", "mclp", "--p", "1", "--limit", "2"), 5.0),
        (("--kind", "cpmp", "--p", "3"), 6.0),
        (("--kind", "capacitated", "--p", "3"), 6.0),
        (("--kind", "cmclp", "--p", "2", "--limit", "1"), 6.0),
        (("--kind", "backup", "--p", "2", "--limit", "4"), 17.0),
        (("--kind", "p-dispersion", "--p", "3"), 4.0),
        (("--kind", "fixed-charge"), 12.0),
        (("--kind", "p-median", "--p", "2", "--budget", "4"), 10.0),
    ],
)
def test_each_question_is_answered_with_its_proof(run, options, objective):
    code, told, _ = run(*options, cost=LINE, weight=np.ones(9), capacity=np.full(9, 3.0), site_cost=np.full(9, 2.0))
    assert code == 0
    assert told["kind"] == {"capacitated": "cpmp"}.get(options[1], options[1])
    assert told["status"] == "optimal"
    assert told["objective"] == told["bound"] == pytest.approx(objective)
    assert told["gap"] == pytest.approx(0)
    assert all(0 <= site < 9 for site in told["sites"])
    assert told["seconds"] >= 0


def test_market_share_reads_costs_as_seconds(run):
    code, told, _ = run("--kind", "huff", "--p", "1", cost=LINE * 600, weight=np.ones(9))
    assert code == 0
    assert (told["status"], told["sites"]) == ("optimal", [4])
    assert 0 < told["objective"] <= 9


def test_weights_count_where_people_are_counted(run):
    weight = np.array([9.0, 0, 0, 0, 0, 0, 0, 0, 1])
    assert run("--kind", "p-median", "--p", "1", cost=LINE, weight=weight)[1]["sites"] == [0]
    assert run("--kind", "p-center", "--p", "1", cost=LINE, weight=weight)[1]["objective"] == 4


@pytest.mark.parametrize(
    ("options", "parts", "said"),
    [
        (("--kind", "best"), {}, "There is no siting question 'best'"),
        (("--kind", "p-median"), {}, "not said how many sites"),
        (("--kind", "lscp"), {}, "what counts as covered"),
        (("--kind", "cpmp", "--p", "2"), {}, "says no capacity"),
        (("--kind", "cpmp", "--p", "2"), {"capacity": np.full(9, 3.0)}, "does not fit into the capacities"),
        (("--kind", "p-center", "--p", "10"), {}, "fewer candidates"),
        (("--kind", "fixed-charge"), {}, "says no site_cost"),
        (("--kind", "p-dispersion", "--p", "2"), {"cost": np.ones((3, 2))}, "no distances between candidates"),
        (("--kind", "p-median", "--p", "3", "--budget", "1"), {"site_cost": np.ones(9)}, "budget is too small"),
        (("--kind", "lscp", "--limit", "1"), {"cost": np.full((2, 2), np.inf)}, "no candidate that can serve it"),
        (("--kind", "p-median", "--p", "1"), {"weight": np.ones(4)}, "weight has shape"),
        (("--kind", "p-median", "--p", "1"), {"weight": -np.ones(9)}, "9 of 9 numbers of weight"),
        (("--kind", "p-median", "--p", "1"), {"cost": -LINE}, "72 of 81 costs"),
        (("--kind", "p-median", "--p", "1"), {"cost": np.ones(3)}, r"shape \(3,\)"),
    ],
)
def test_bad_input_ends_with_2_and_a_sentence(run, options, parts, said):
    code, told, error = run(*options, **{"cost": LINE, **parts})
    assert code == 2
    assert re.search(said, error)
    assert told == {} or told["status"] == "infeasible"


def test_an_instance_of_the_library_asks_for_its_own_p(shared_data, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["site-matrix", str(shared_data / "benchmarks/pmed/pmed1.txt"), "--kind", "p-median", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (ended.value.code or 0, told["p"], told["objective"], told["status"]) == (0, 5, 5819, "optimal")


def test_p_center_finds_the_published_radius(shared_data):
    from planning.center import solve_center

    folder = shared_data / "benchmarks" / "pmed"
    known = dict(line.split() for line in (folder / "kcenteropt.txt").read_text().splitlines() if line.strip())
    for number in (1, 2, 5):
        given = read_costs(folder / f"pmed{number}.txt")
        found = solve_center(given.cost, given.p or 0)
        assert (found.objective, found.status) == (float(known[f"pmed{number}"]), "optimal")


def test_files_that_are_no_instance_are_refused(tmp_path):
    path = tmp_path / "graph.txt"
    for text, said in (
        ("words", "no p-median instance"),
        ("3 2 1\n1 2 5\n", "holds 1 edges"),
        ("3 1 1\n1 9 5\n", "1 of them with other nodes"),
        ("3 1 1\n1 2 -5\n", "1 lengths are negative"),
    ):
        path.write_text(text)
        with pytest.raises(InvalidInput, match=said):
            read_costs(path)
    path.write_text("3 3 1\n1 2 5\n2 1 4\n2 3 1\n")
    assert read_costs(path).cost.tolist() == [[0, 4, 5], [4, 0, 1], [5, 1, 0]]
    np.savez(tmp_path / "a.npz", price=np.ones(1))
    with pytest.raises(InvalidInput, match="has no cost"):
        read_costs(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes(b"nothing")
    with pytest.raises(InvalidInput, match="no archive"):
        read_costs(tmp_path / "b.npz")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"p": np.nan}, "p is no whole number"),
        ({"p": 2.5}, "p is no whole number"),
        ({"p": np.array([1, 2])}, "p is no whole number"),
        ({"cost": LINE + 1j}, "complex numbers"),
    ],
)
def test_an_archive_that_asks_for_nonsense_is_refused(run, parts, said):
    code, _, err = run("--kind", "p-median", **({"cost": LINE} | parts))
    assert code == 2
    assert said in err


def test_an_instance_too_large_for_memory_is_refused_at_once(tmp_path):
    (tmp_path / "large.txt").write_text("1000000000 1 5\n1 2 3\n")
    with pytest.raises(InvalidInput, match="do not fit into memory"):
        read_costs(tmp_path / "large.txt")


@pytest.mark.parametrize("kind", ["p-center", "lscp", "cpmp"])
def test_where_nobody_is_served_that_is_said(run, kind):
    code, told, err = run(
        "--kind", kind, "--p", "2", "--limit", "1", cost=LINE, weight=np.zeros(9), capacity=np.ones(9)
    )
    assert (code, told["binding"]) == (2, "people")
    assert "all weights are zero" in err
