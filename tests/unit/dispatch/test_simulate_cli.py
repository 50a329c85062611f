"""`gridkeeper simulate`: the same seed the same answer, several rules in one run, bad rows named, plain refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli import build
from core.errors import InvalidInput
from dispatch.simulate_made import DAY_S, RUSH, made_day

HEAD = "id,lon,lat,arrival_s,service_s,skill,priority,due_s\n"
ROWS = [
    f"{k},{-1.3 + k % 7 / 100},{50.6 + k % 5 / 100},{300 * k},900,{'lamp' if k % 3 else ''},{k % 3},{300 * k + 2400}"
    for k in range(30)
]


def run(folder: Path, *more: str, rows: list[str] | None = None) -> dict:
    file = folder / "day.csv"
    file.write_text(HEAD + "\n".join(ROWS if rows is None else rows))
    command = ["simulate", "--incidents", str(file), "--workers", "4", "--rounds", "20", "--json", *more]
    done = CliRunner().invoke(build(), command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_rules_and_changes_in_one_run(tmp_path: Path) -> None:
    more = ["--policy", "nearest-pair", "--policy", "rolling", "--more-workers", "2", "--owner-penalty", "900"]
    answer = run(tmp_path, *more, "--refusals", "0.1", "--seed", "3")
    assert [(each["policy"], each["change"]) for each in answer["runs"]] == [
        ("nearest_pair", "as it is"),
        ("nearest_pair", "+2 workers"),
        ("rolling", "as it is"),
        ("rolling", "+2 workers"),
        ("rolling", "owner penalty 900 s"),
    ]
    assert answer["runs"][1]["workers"] == 6
    assert set(answer["runs"][0]["by_priority"]) == {"0", "1", "2"}
    assert answer["assumed"]
    again = run(tmp_path, *more, "--refusals", "0.1", "--seed", "3")
    for each in (*answer["runs"], *again["runs"]):
        each.pop("seconds")
    assert answer == again


def test_all_rules_by_default_and_bad_rows_named(tmp_path: Path) -> None:
    answer = run(tmp_path, rows=[*ROWS[:9], "x,-1.3,50.6,0,-1,,2,", "y,,,0,60,,2,"])
    assert [each["policy"] for each in answer["runs"]] == [
        "nearest_idle", "nearest_pair", "fixed_owner", "owner_overflow", "rolling",
    ]  # fmt: skip
    assert [(each["row"], each["id"]) for each in answer["errors"]] == [(11, "x"), (12, "y")]
    assert {each["incidents"] for each in answer["runs"]} == {9}


def made(*more: str) -> dict:
    command = ["simulate", "--policy", "nearest-pair", "--policy", "rolling", "--rounds", "10", "--json", *more]
    done = CliRunner().invoke(build(), command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_a_made_day_needs_no_file_and_is_the_same_for_a_seed() -> None:
    size = ["--generate", "6x60", "--peak", "0.5"]
    answer, again, other = made(*size, "--seed", "3"), made(*size, "--seed", "3"), made(*size, "--seed", "4")
    for each in (*answer["runs"], *again["runs"], *other["runs"]):
        each.pop("seconds")
    assert answer == again != other
    assert {(each["incidents"], each["workers"]) for each in answer["runs"]} == {(60, 6)}
    assert [each["unserved"] for each in answer["runs"]] == [0, 0]
    assert "no incident, worker or place in it is real" in answer["assumed"][0]


def test_the_peak_of_a_made_day_brings_its_share_in_two_hours() -> None:
    calls = np.array([call.arrival_s for call in made_day(5, 4000, 0.5).calls])
    rush = (abs(calls[:, None] - np.array(RUSH) * DAY_S) < 1800).any(axis=1).mean()
    even = np.array([call.arrival_s for call in made_day(5, 4000, 0.0).calls])
    assert rush > 1.8 * (abs(even[:, None] - np.array(RUSH) * DAY_S) < 1800).any(axis=1).mean()
    assert {len(call.skills) for call in made_day(5, 200).calls} == {0, 1}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--generate", "60"], "no size of a day"),
        (["--generate", "0x9"], "cannot be made"),
        (["--generate", "6x60", "--workers", "3"], "its own incidents"),
        ([], "no day to play"),
    ],
)
def test_what_no_day_can_be_made_of_is_said(given: list[str], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        made(*given)


def test_what_cannot_be_played_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no policy 'foo'"):
        run(tmp_path, "--policy", "foo")
    with pytest.raises(InvalidInput, match="no incident that can be used"):
        run(tmp_path, rows=["x,-1.3,50.6,0,-1,,2,"])
    with pytest.raises(InvalidInput, match="workers fewer"):
        run(tmp_path, "--policy", "nearest-idle", "--more-workers", "-4")
