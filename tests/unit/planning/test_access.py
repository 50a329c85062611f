"""Access and equity on small examples, against figures of PySAL, and what is refused in words."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from app.cli import main
from core.errors import InvalidInput
from planning import access, equity
from planning.access_model import AccessQuestion
from planning.norms import SHIPPED, Norm, checked, merged

INF = math.inf


def test_by_hand():
    ways = np.array([60.0, 600.0, 1200.0, INF])
    people = np.array([50.0, 30.0, 15.0, 5.0])
    counted = access.served(ways, people, 900.0)
    assert (counted.within, counted.beyond, counted.unreached, counted.share) == (80, 15, 5, 0.8)
    assert access.percentiles(ways, people, (0.5, 0.51, 0.95, 0.96)) == (60.0, 600.0, 1200.0, INF)
    tenth = access.worst(ways, people)
    assert (tenth.people, tenth.from_s, tenth.mean_s, tenth.unreached) == (10, 1200.0, 1200.0, 5)
    assert access.mean_s(ways[3:], people[3:]) is None
    assert access.served(np.array([900.0]), np.ones(1), 900.0).within == 1, "the limit itself is in time"


OD_S = np.array(
    [
        [1523, 2159, 1875, 587], [762, 2104, 72, 1982], [1925, 1155, 769, 712], [656, 1101, 1241, 1355],
        [2389, 1915, 1516, 2374], [564, 435, 1493, 163], [143, 1265, 1151, 2206], [1532, 1263, 1223, 639],
        [88, 510, 1679, 529], [925, 69, 2002, 421], [686, 2120, 1253, 2042], [1557, 1796, 274, 1326],
    ],
    dtype=np.float64,
)  # fmt: skip
PEOPLE = np.array([104.0, 175, 75, 122, 17, 81, 68, 34, 164, 79, 196, 120])
SUPPLY = np.array([6.0, 6, 6, 2])
PYSAL = {
    "2sfca": [
        0.003724, 0.02366, 0.019941, 0.007444, 0, 0.029687,
        0.007444, 0.003724, 0.029687, 0.022243, 0.007444, 0.016216,
    ],
    "stepped": [
        0.003989, 0.022599, 0.005528, 0.003337, 0, 0.032794,
        0.015169, 0.001291, 0.03577, 0.028419, 0.003337, 0.019262,
    ],
    "normal": [
        0.002973, 0.023944, 0.006797, 0.005086, 0, 0.030709,
        0.013993, 0.00254, 0.032601, 0.032058, 0.004605, 0.017196,
    ],
}  # fmt: skip
"""What PySAL `access` 1.1.10 answers to the same question; ``normal`` is its gaussian with half the limit as sigma."""

GINI, THEIL = 0.403870162297, (0.291818637111, 0.026545191362, 0.265273445749)
"""By PySAL `inequality` 1.1.2."""


@pytest.mark.parametrize("name", PYSAL)
def test_pysal_answers_the_same(name):
    def normal(seconds, limit_s):
        return np.where(seconds <= limit_s, np.exp(-(seconds**2) / (2 * (limit_s / 2) ** 2)), 0.0)

    decay = {"2sfca": access.binary, "stepped": access.stepped(), "normal": normal}[name]
    found = access.two_step(OD_S, PEOPLE, SUPPLY, 900.0, decay=decay).access
    np.testing.assert_allclose(found, PYSAL[name], atol=6e-7)


def test_pysal_finds_the_same_inequality():
    values = np.array([0.4, 9.1, 3.3, 7.7, 1.2, 5.0])
    groups = np.array([0, 0, 1, 1, 2, 2])
    found = equity.theil(values, np.ones(6), groups)
    assert equity.gini(values, np.ones(6)) == pytest.approx(GINI)
    assert (found.total, found.between, found.within) == pytest.approx(THEIL)


def test_a_facility_that_nobody_reaches_is_told():
    found = access.two_step(np.array([[60.0, INF], [2000.0, 901.0]]), np.array([10.0, 5.0]), np.array([4.0, 3.0]), 900)
    assert found.access.tolist() == [0.4, 0.0]
    assert (found.ratio.tolist(), found.unused) == ([0.4, 0.0], 3.0)


def test_the_bell_and_the_staircase():
    ways = np.array([0.0, 300.0, 600.0, 900.0, 901.0, INF])
    assert access.stepped()(ways, 900.0).tolist() == [1.0, 1.0, 0.68, 0.22, 0.0, 0.0]
    bell = access.gaussian(ways, 900.0)
    assert (bell[0], bell[3], bell[5]) == (1.0, 0.0, 0.0)
    assert (np.diff(bell) <= 0).all()


def test_equity_by_hand():
    values, people = np.array([0.0, 1.0, 3.0]), np.array([40.0, 50.0, 10.0])
    assert equity.palma(values, people) == INF
    assert equity.palma(np.array([1.0, 2.0, 6.0]), people) == pytest.approx(60 / 40)
    assert equity.gini(np.full(3, 7.0), people) == pytest.approx(0)
    parts = equity.theil(np.array([1.0, 1.0, 3.0, 3.0]), np.ones(4), np.array([1, 1, 2, 2]))
    assert (parts.within, parts.parts) == (pytest.approx(0, abs=1e-12), {1: pytest.approx(0), 2: pytest.approx(0)})
    assert equity.share_of_lowest(equity.lorenz(values, people), 0.4) == 0


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda: access.served(np.ones(3), np.array([1.0, 0.0, -1.0]), 9), "weights of 2 of 3 places are zero, neg"),
        (lambda: access.served(np.ones(0), np.ones(0), 9), "no place at all"),
        (lambda: access.served(np.array([1.0, np.nan]), np.ones(2), 9), "1 of 2 times are negative or no number"),
        (lambda: access.served(np.ones(2), np.ones(3), 9), "2 places, but weights of 3"),
        (lambda: access.served(np.ones(2), np.ones(2), 0), "no useful limit"),
        (lambda: access.two_step(np.ones((2, 2)), np.ones(2), np.array([1.0, -1.0]), 9), "supply of 1 of 2"),
        (lambda: access.two_step(np.ones((2, 2)), np.ones(2), np.ones(3), 9), "2 facilities, the supply of 3"),
        (lambda: access.stepped((0.2, 0.9)), "fall from 1 to 0"),
        (lambda: access.basket_s(np.ones((2, 0))), "at least one kind"),
        (lambda: equity.gini(np.array([1.0, INF]), np.ones(2)), "1 of 2 values are negative, infinite"),
        (lambda: equity.gini(np.zeros(2), np.ones(2)), "Nobody has anything"),
        (lambda: equity.theil(np.ones(2), np.zeros(2)), "weights of 2 of 2 places are zero"),
        (lambda: AccessQuestion(()), "No kind of facility is chosen"),
        (lambda: AccessQuestion(("cathedral",)), "no kind of facility 'cathedral'"),
        (lambda: AccessQuestion(("clinic",), "fly"), "Nobody travels by 'fly'"),
        (lambda: AccessQuestion(("clinic",), limit_min=0), "no useful limit"),
        (lambda: AccessQuestion(("clinic", "clinic")), "different kinds"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(act, words):
    with pytest.raises(InvalidInput, match=words) as error:
        act()
    assert str(error.value).count(".") >= 1


def test_norms_are_tidied_merged_and_refused_in_words():
    own = Norm("clinic", "community health station (five-minute circle)", "", "walk", "City plan 2026", "", minutes=6)
    found = {norm.key: norm for norm in merged([own])}
    assert found[own.key].source == "City plan 2026"
    assert len(found) == len(SHIPPED)
    assert all(checked(norm) == norm for norm in SHIPPED)
    assert found[own.key].limit_min == 6
    assert Norm("park", "x", "", "walk", "x", "", radius_m=300).limit_min == pytest.approx(4)
    for wrong, words in (
        ({"facility_kind": "x"}, "no kind of facility"),
        ({"minutes": None}, "at least one number"),
        ({"minutes": -1.0}, "cannot be the minutes"),
        ({"source": "  "}, "says where it stands"),
        ({"level": ""}, "what it is of"),
        ({"mode": "fly"}, "Nobody travels"),
    ):
        with pytest.raises(InvalidInput, match=words):
            checked(Norm(**{**{name: getattr(own, name) for name in own.__dataclass_fields__}, **wrong}))


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(each) for each in arguments])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_the_command_answers_on_a_matrix_without_a_database(tmp_path, capsys):
    path = tmp_path / "od.npz"
    od_s = np.array([[60.0, 700.0], [1000.0, 800.0], [INF, INF]])
    np.savez(path, od_s=od_s, weight=np.array([10.0, 5.0, 1.0]), supply=np.array([2.0, 3.0]))
    code, out, _ = command(capsys, "access", "--matrix", path, "--minutes", 15, "--json")
    told = json.loads(out)
    assert (code, told["people"], told["within"], told["beyond"], told["unreached"]) == (0, 16, 15, 0, 1)
    assert told["access"]["2sfca"]["mean"] == pytest.approx(5 / 16)
    assert told["worst"] == {"from_s": 800.0, "mean_s": 800.0, "unreached": 1.0}


def test_files_that_cannot_be_used_are_refused_in_a_sentence(tmp_path, capsys):
    path = tmp_path / "od.npz"
    np.savez(path, od_s=np.ones((2, 2)), weight=np.array([1.0, 0.0]))
    for arguments, words in (
        (("--matrix", path), "weights of 1 of 2 places are zero"),
        (("--matrix", tmp_path / "none.npz"), "There is no file"),
        (("--matrix", path, "--minutes", -1), "no useful limit"),
        (("--matrix", path, "--hour", 8), "no say in a matrix"),
        ((), "No kind of facility is named"),
        (("--facility", "clinic", "--out", tmp_path / "a.txt"), "neither in .gpkg"),
    ):
        code, _, said = command(capsys, "access", *arguments)
        assert code == 2
        assert words in said
        assert "Traceback" not in said
    path.write_text("x")
    assert "no archive of numbers" in command(capsys, "access", "--matrix", path)[2]
