"""The commands of the hotline's file: in, out, compared; and the page with the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.cli import main
from app.jobs import MORE_KINDS
from app.upstream_jobs import KIND
from core.identity import system_actor
from core.progress import Silent
from geodata import jobs
from geodata.db import transaction
from geodata.files import read_table
from people import accounts

HEAD = "工单编号,受理时间,来电人,联系电话,诉求内容,事发地址,诉求分类,工单状态,答复时限"
ROW = "HL-{n},2026-01-0{n} 09:00,张三,13800001111,路灯不亮,12 Oak Avenue,路灯,办理中,2026-01-09 09:00"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["upstream", *arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    code, out, _ = run(capsys, *arguments, "--json")
    assert code == 0
    return dict(json.loads(out))


def test_in_out_and_compared(demo_database: Engine, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    del demo_database
    file = tmp_path / "day.csv"
    file.write_text("\n".join([HEAD, ROW.format(n=1), ROW.format(n=2), ROW.format(n=3).replace("Oak", "Zanzibar")]))
    done = answer(capsys, "import", str(file))
    assert (done["read"], done["loaded"], done["reasons"]) == (3, 2, {"no_position": 1})
    assert answer(capsys, "import", str(file))["loaded"] == 0
    out = tmp_path / "back.csv"
    assert answer(capsys, "write-back", "--out", str(out)) == {"batch": 1, "rows": 2, "file": str(out)}
    first = out.read_bytes()
    assert list(read_table(out).columns["上级编号"]) == ["HL-1", "HL-2"]
    assert answer(capsys, "write-back", "--out", str(out)) == {"batch": 0, "rows": 0, "file": None}
    answer(capsys, "write-back", "--batch", "1", "--out", str(out))
    assert out.read_bytes() == first
    compared = answer(capsys, "reconcile")
    assert (compared["missing"], compared["unknown"], compared["overdue"]) == (1, 0, 2)
    code, told, _ = run(capsys, "reconcile", str(file))
    assert code == 0
    assert "HL-3" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("write-back", "--out", "answers.doc"), "neither .csv nor .xlsx"),
        (("write-back", "--batch", "77"), "no batch 77"),
        (("write-back", "--language", "fr"), "no language"),
        (("reconcile", "--column", "time"), "no role with its heading"),
        (("import", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_bad_input_is_a_sentence(
    demo_database: Engine, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    del demo_database
    code, _, err = run(capsys, *arguments)
    assert (code, said in err) == (2, True), err


def test_the_job_of_the_page_takes_a_file_in_and_leaves_none(demo_database: Engine, tmp_path: Path) -> None:
    del demo_database
    assert MORE_KINDS
    path = tmp_path / "upload.csv"
    path.write_text("\n".join([HEAD, ROW.format(n=5)]))
    with transaction(system_actor()) as session:
        supervisor = next(each for each in accounts.demo_accounts(session) if each.role == "supervisor").actor()
    found = jobs._work_of(KIND)(supervisor, {"path": str(path), "name": "day.csv"}, Silent())
    assert (found["loaded"], found["name"], path.exists()) == (1, "day.csv", False)
    with transaction(supervisor) as session:
        status = session.execute(text("SELECT status FROM incident WHERE external_ref = 'HL-5'")).scalar_one()
    assert status == "reported"
