"""Units and the duty list as files and commands: every wrong row told, nothing half-written, twice is once."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.cli import main
from core.errors import DataQuality, InvalidInput
from core.identity import Actor, system_actor
from geodata.files import read_table
from people import duties, importing, units
from people.duty_files import day, shielded
from people.table_out import as_csv, as_xlsx
from people.unit_model import UnitSpec
from tests.halves import Halves

START = dt.date(2020, 1, 1)
TODAY = dt.datetime.now(dt.UTC).date()


@pytest.fixture
def home(small_city: Halves) -> int:
    return small_city[0].id


@pytest.fixture
def boss(session: Session, home: int) -> Actor:
    actor = system_actor(home)
    for code in ("HW", "PG"):
        units.add(session, actor, home, UnitSpec(code, "department", f"=Unit {code}", START))
    return actor


def table(text: str) -> dict[str, list[str]]:
    lines = [line.split(",") for line in text.strip().splitlines()]
    return {heading: [row[place] for row in lines[1:]] for place, heading in enumerate(lines[0])}


# --- units


UNITS = """编码,类型,名称,上级,电话
GOV,中心,Governance,,
HW,department,Highways,GOV,+44 1632 960001
R1,team,Roads,HW,
"""


def test_units_come_in_once_whatever_the_order_and_the_language_of_the_headings(session, home, boss) -> None:
    given = table(UNITS)
    backwards = {heading: cells[::-1] for heading, cells in given.items()}
    assert importing.import_units(session, boss, home, backwards, file="u.csv").as_dict() == {
        "added": 2, "changed": 1, "unchanged": 0,
    }  # fmt: skip
    assert importing.import_units(session, boss, home, given, file="u.csv").unchanged == 3
    tree = {unit.code: unit.spec for unit in units.tree(session, boss, home)}
    assert (tree["R1"].parent, tree["HW"].parent, tree["HW"].valid_from) == ("HW", "GOV", START)


def test_a_file_that_turns_the_tree_round_goes_through(session, home, boss) -> None:
    importing.import_units(session, boss, home, table(UNITS), file="u.csv")
    turned = table("code,kind,name,parent\nGOV,centre,Governance,R1\nHW,department,Highways,\nR1,team,Roads,HW\n")
    assert importing.import_units(session, boss, home, turned, file="u.csv").changed == 2


def test_units_go_out_and_come_back_as_they_were(session, home, boss, tmp_path: Path) -> None:
    importing.import_units(session, boss, home, table(UNITS), file="u.csv")
    before = units.tree(session, boss, home)
    out = importing.export_units(session, boss, home)
    for name, content in (("u.csv", as_csv(out)), ("u.xlsx", as_xlsx(out, sheet="units"))):
        path = tmp_path / name
        path.write_bytes(content)
        columns = {heading: cells.tolist() for heading, cells in read_table(path).columns.items()}
        assert importing.import_units(session, boss, home, columns, file=name).unchanged == len(before)
    assert units.tree(session, boss, home) == before


def test_every_wrong_unit_is_told_and_nothing_is_written(session, home, boss) -> None:
    given = table(
        "code,kind,name,parent,valid from,valid to,email\n"
        "A,kingdom,A,,,,\nB,team,,ZZ,,,\nC,team,C,,2026-13-01,,x\nC,team,C,,2026-02-01,2026-01-01,\nHW,team,H,HW,,,\n"
    )
    with pytest.raises(DataQuality) as refused:
        importing.import_units(session, boss, home, given, file="u.csv")
    told = "\n".join(refused.value.violations)
    for piece in (
        "row 2: there is no kind of unit 'kingdom'",
        "row 3: the name is empty",
        "row 3: there is no unit 'ZZ' above",
        "row 4: '2026-13-01' is no date",
        "row 4: 'x' is no e-mail address",
        "row 5: the last day 2026-01-01 is before the first",
        "row 5: the code C stands in row 4 already",
        "row 6: HW cannot stand above itself",
    ):
        assert piece in told
    assert {unit.code for unit in units.tree(session, boss, home)} == {"HW", "PG"}


def test_a_ring_in_a_file_is_named(session, home, boss) -> None:
    given = table("code,kind,name,parent\nA,team,A,B\nB,team,B,C\nC,team,C,A\n")
    with pytest.raises(DataQuality, match="A → B → C → A"):
        importing.import_units(session, boss, home, given, file="u.csv")


@pytest.mark.parametrize("take", [importing.import_units, importing.import_duties])
def test_wrong_headings_are_a_sentence_with_the_right_ones(session, home, boss, take) -> None:
    with pytest.raises(InvalidInput, match="found no column for .* among colour, size") as refused:
        take(session, boss, home, {"colour": ["red"], "size": ["1"]}, file="x.xlsx")
    assert "The headings are:" in refused.value.hint
    assert "表头中缺少" in refused.value.zh


# --- the duty list


def test_what_goes_out_comes_back_as_it_was(session, home, boss, tmp_path: Path) -> None:
    listed = duties.read(session, boss, home)
    west = next(each.id for each in listed.areas.values() if each.name == "Westend")
    owner = next(each.id for each in listed.units.values() if each.code == "HW")
    duties.assign(
        session, boss, home, class_ids=list(listed.classes), area_ids=[None, west], unit_id=owner,
        legal_basis="@Law, §7 “x”", valid_from=START,
    )  # fmt: skip
    before = duties.read(session, boss, home).entries
    out = importing.export_duties(session, boss, home)
    for name, content in (("d.csv", as_csv(out)), ("d.xlsx", as_xlsx(out, sheet="duty list"))):
        path = tmp_path / name
        path.write_bytes(content)
        columns = {heading: cells.tolist() for heading, cells in read_table(path).columns.items()}
        done = importing.import_duties(session, boss, home, columns, file=name)
        assert (done.added, done.changed, done.unchanged) == (0, 0, len(before))
    assert duties.read(session, boss, home).entries == before
    assert b"'=Unit HW" in as_csv(out), "no cell is a formula"


def test_a_file_ends_one_entry_and_begins_the_next(session, home, boss) -> None:
    first = table("class,area,unit,legal basis,valid from\nGas leak,,HW,By-law,2020-01-01\nBench,1,PG,,\n")
    assert importing.import_duties(session, boss, home, first, file="d.csv").added == 2
    assert importing.import_duties(session, boss, home, first, file="d.csv").unchanged == 2, (
        "no first day: the one in force"
    )
    turn = table(
        "小类,区域,单位,生效日期,失效日期\nevent-04-03,全辖区,PG,2026年3月1日,\nevent-04-03,,HW,2020/1/1,20260228\n"
    )
    assert importing.import_duties(session, boss, home, turn, file="d.csv").as_dict() == {
        "added": 1, "changed": 1, "unchanged": 0,
    }  # fmt: skip


def test_every_wrong_row_is_told_and_nothing_is_written(session, home, boss) -> None:
    importing.import_duties(
        session, boss, home, table("class,area,unit,valid from\nGas leak,,HW,2020-01-01\n"), file="d.csv"
    )
    given = table(
        "class,area,unit,valid from,valid to\n"
        "04-03,,HW,,\n"  # in use by components too? no: unknown as a bare code of two kinds
        "01-02,,HW,,\n"
        "Gas leak,Atlantis,HW,,\n"
        "Gas leak,,XX,soon,\n"
        "Gas leak,,PG,2021-01-01,\n"
        "Bench,,PG,2021-01-01,2020-01-01\n"
        "Pole,,PG,2021-01-01,\n"
        "Pole,,HW,2021-06-01,\n"
        "Bench,,PG,2010-01-01,\n"
    )
    with pytest.raises(DataQuality) as refused:
        importing.import_duties(session, boss, home, given, file="d.csv")
    told = "\n".join(refused.value.violations)
    for piece in (
        "row 3: '01-02' can be several",
        "row 4: there is no area 'Atlantis'",
        "row 5: there is no unit 'XX'",
        "row 5: 'soon' is no date",
        "row 6: Gas leak in the whole territory belongs to =Unit HW from 2020-01-01",
        "row 7: the last day 2020-01-01 is before the first",
        "row 9: Pole in the whole territory belongs to =Unit PG from 2021-01-01",
        "row 10: =Unit PG does not exist on 2010-01-01",
    ):
        assert piece in told, told
    assert len(duties.read(session, boss, home).entries) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2026-03-01", 1), ("2026/3/1", 1), ("2026年3月1日", 1), ("20260301", 1), ("2026-03-01T00:00:00", 1), ("", None)],
)
def test_days_as_people_write_them(text: str, expected: int | None) -> None:
    assert day(text) == (None if expected is None else dt.date(2026, 3, 1))


@pytest.mark.parametrize("text", ["1/3/2026", "2026-02-30", "tomorrow", "2026"])
def test_other_days_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        day(text)


def test_formulas_are_shielded() -> None:
    assert [shielded(text) for text in ("=1+1", "+44", "-x", "@x", "plain")] == ["'=1+1", "'+44", "'-x", "'@x", "plain"]
    for text in ("\t=1", "\n=1", " =1", "＝1", "'=1"):
        assert shielded(text) == f"'{text}"
    assert shielded("\r=1") == "'=1"


# --- commands


@pytest.fixture
def command(demo_database, capsys, monkeypatch):
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def answer(command, *arguments: str) -> dict:
    code, out, err = command(*arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def test_a_unit_by_commands_from_its_first_day_to_its_last(command) -> None:
    made = answer(command, "unit", "add", "X9", "--name", "Night Team", "--kind", "team", "--parent", "HW")
    assert (made["parent"], made["version"]) == ("HW", 1)
    changed = answer(command, "unit", "change", "X9", "--name", "Day Team", "--phone", "01632 960999")
    assert (changed["name"], changed["phone"], changed["version"]) == ("Day Team", "01632 960999", 2)
    assert answer(command, "unit", "change", "X9", "--phone", "-")["phone"] is None
    assert answer(command, "unit", "end", "X9")["valid_to"] == TODAY.isoformat()
    shown = answer(command, "unit", "show", "HW")
    assert shown["duties"] > 0
    codes = [unit["code"] for unit in answer(command, "unit", "list", "--kind", "team")["units"]]
    assert {"X9", "HW-R"} <= set(codes)
    assert "Highways" in command("unit", "list")[1]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "HW", "--name", "x", "--kind", "team"), 4, "The code HW is that of Highways"),
        (("add", "Q", "--name", "x", "--kind", "king"), 2, "no kind of unit 'king'"),
        (("add", "Q", "--name", "x", "--kind", "team", "--parent", "ZZ"), 2, "no unit 'ZZ'"),
        (("change", "GOV", "--parent", "HW-R"), 2, "GOV → HW-R → HW → GOV"),
        (("change", "HW"), 2, "Nothing to change"),
        (("end", "PG"), 4, "cannot end: it still has"),
        (("end", "PG", "--last", "yesterday"), 2, "is no date"),
        (("show", "ZZ"), 2, "no unit 'ZZ'"),
        (("change", "HW", "--name", "x", "--version", "9"), 4, "changed meanwhile"),
        (("change", "HW", "--name", "x", "--as", "dispatcher@tiny-town"), 3, "As dispatcher you may not manage units"),
        (
            ("duty", "assign", "HW", "--class", "event-04-03"),
            2,
            "Gas leak in the whole territory belongs to Gas Company",
        ),
        (("duty", "assign", "HW", "--class", "nothing"), 2, "no class 'nothing'"),
        (("duty", "assign", "HW", "--class", "bench", "--area", "Atlantis"), 2, "no area 'Atlantis'"),
        (("duty", "end", "99999"), 2, "no entry 99999"),
        (("duty", "export", "list.pdf"), 2, "neither .csv nor .xlsx"),
        (("duty", "import", "/nowhere.csv"), 2, "no file"),
    ],
)
def test_bad_input_is_a_sentence_with_its_exit_code(command, arguments, code, said) -> None:
    found, _, err = command("unit", *arguments)
    assert (found, said in err, "Traceback" in err) == (code, True, False), err


def test_the_duty_list_by_commands(command, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    count = answer(command, "unit", "duty", "export", str(path))["entries"]
    assert answer(command, "unit", "duty", "import", str(path)) == {
        "file": "list.xlsx", "added": 0, "changed": 0, "unchanged": count,
    }  # fmt: skip
    assert answer(command, "unit", "duty", "check")["gaps"] == 0
    (entry,) = answer(command, "unit", "duty", "list", "--class", "bench")["entries"]
    tomorrow = (TODAY + dt.timedelta(days=1)).isoformat()
    done = answer(command, "unit", "duty", "replace", str(entry["id"]), "--unit", "HW", "--from", tomorrow)
    answer(command, "unit", "duty", "end", str(done["begun"]), "--last", tomorrow)
    (gap,) = answer(command, "unit", "duty", "check")["problems"]
    assert (gap["kind"], gap["class"], gap["where"]) == ("gap", "component-04-07", "every community")
    after = (TODAY + dt.timedelta(days=2)).isoformat()
    answer(command, "unit", "duty", "assign", "PG", "--class", "bench", "--area", "Westside", "--from", after)
    (gap,) = answer(command, "unit", "duty", "check")["problems"]
    assert gap["where"] == "Eastside"
