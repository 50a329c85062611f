"""Workers from a file: previewed, in one act, again without effect, with every reason why not."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.errors import Conflict, InvalidInput, NotPermitted
from core.identity import Role
from people import worker_import
from people.worker_files import as_csv, as_xlsx
from tests.staff_town import TODAY, open_staff_town

HEAD = "Staff number,Name,Unit,Phone,Responsibility grid,Skills\n"


@pytest.fixture
def town(demo_database):
    with open_staff_town(demo_database) as opened:
        yield opened


@pytest.fixture
def bring(town, tmp_path):
    """Brings text or a file in: ``bring(role, "…")`` is the preview, with ``act=True`` the act."""

    def bringing(role, content, *, act=False, name="staff.csv", **more):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        use = worker_import.apply_import if act else worker_import.plan_import
        return use(town.session, town.act(role), town.id, path, today=TODAY, **more)

    return bringing


def written(town):
    return town.session.execute(text("SELECT count(*) FROM record WHERE action IN ('insert', 'update')")).scalar_one()


def test_new_changed_unchanged_and_refused(town, bring):
    first, second = town.rows(Role.SUPERVISOR)[:2]
    content = HEAD + (
        f"W100,王小明,PG,13900138000,,lamps\n"
        f"{first.code},{first.name},{first.unit_code},,,climbing\n"
        f"{second.code},{second.name},{second.unit_name},,{second.grid.code},\n"
        f"W101,,PG,,,\n"
        f"W102,Ann,Nowhere,,NOGRID,\n"
        f"W103,Ben,Parks and Greenery,0139 0013 8000,,\n"
        f"W104,Cy,PG,139 0013 8000,,\n"
    )
    before = written(town)
    plan = bring(Role.SUPERVISOR, content)
    assert plan.counts == {"new": 2, "changed": 1, "unchanged": 1, "refused": 3}
    told = [(fault.row, fault.column, fault.en) for fault in plan.faults]
    assert told == [
        (5, "name", "the name is missing"),
        (6, "unit", "there is no unit Nowhere"),
        (6, "grid", "there is no responsibility grid NOGRID"),
        (8, "phone", "row 2 has the same phone"),
    ]
    assert all(fault.zh for fault in plan.faults)
    assert written(town) == before, "a preview writes nothing"
    done = bring(Role.SUPERVISOR, content, act=True, digest=plan.digest)
    assert done.counts == plan.counts
    detail = town.detail(Role.SUPERVISOR, "W100")
    assert (detail.row.name, detail.phone, detail.row.unit_code) == ("王小明", "13900138000", "PG")
    assert town.detail(Role.SUPERVISOR, first.code).row.skills == ("climbing",)
    before = written(town)
    again = bring(Role.SUPERVISOR, content, act=True)
    assert again.counts == {"new": 0, "changed": 0, "unchanged": 4, "refused": 3}
    assert written(town) == before
    with pytest.raises(Conflict, match="changed since the preview"):
        bring(Role.SUPERVISOR, content, act=True, digest=plan.digest)


@pytest.mark.parametrize("locale", ["en", "zh"])
@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMINISTRATOR, Role.GRID_MANAGER])
def test_an_exported_list_brought_in_again_changes_nothing(town, bring, role, locale):
    odd = town.rows(Role.SUPERVISOR)[0]
    town.change(
        Role.SUPERVISOR, odd, name="=cmd|' /c calc'!A1", phone="+44 1983 (0) 55", skills=("@home", "-x", "a b"),
        equipment=("'quoted", "=1"),
    )  # fmt: skip
    rows = worker_import.export_staff(town.session, town.act(role), town.id, today=TODAY)
    assert len(rows) == len(town.rows(role))
    before = written(town)
    for name, content in (("a.csv", as_csv(rows, locale)), ("a.xlsx", as_xlsx(rows, locale))):
        plan = bring(role, content, act=True, name=name)
        assert plan.faults == ()
        assert plan.counts["unchanged"] == len(rows)
        assert plan.counts["new"] == plan.counts["changed"] == 0
    assert written(town) == before


def test_each_role_brings_in_its_own(town, bring):
    own = {row.code for row in town.rows(Role.GRID_MANAGER)}
    mine = town.rows(Role.GRID_MANAGER)[0]
    other = next(row for row in town.rows(Role.SUPERVISOR) if row.code not in own)
    content = HEAD + (
        f"W201,Ann,{mine.unit_code},,{mine.grid.code},\n"
        f"W202,Ben,{mine.unit_code},,,\n"
        f"{other.code},Cy,{other.unit_code},,{mine.grid.code},\n"
    )
    plan = bring(Role.GRID_MANAGER, content, act=True)
    assert plan.counts == {"new": 1, "changed": 0, "unchanged": 0, "refused": 2}
    assert [fault.en for fault in plan.faults] == [
        "it needs a grid in your communities",
        f"{other.code} is not a worker of yours",
    ]
    handler = bring(Role.HANDLER, HEAD + "P1,Di,PG,,,\nP2,Ed,HW,,,\n", act=True)
    assert [fault.en for fault in handler.faults] == ["this is not your unit"]
    assert [row.code for row in town.rows(Role.HANDLER)] == ["P1"]
    for role in (Role.DISPATCHER, Role.AUDITOR):
        with pytest.raises(NotPermitted):
            bring(role, content)
        with pytest.raises(NotPermitted):
            worker_import.export_staff(town.session, town.act(role), town.id, today=TODAY)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", "Nr,Name\n1,Ann\n", "lacks the columns Staff number, Unit"),
        ("a.pdf", b"%PDF", "neither a table nor a workbook"),
        ("a.xlsx", b"PK nonsense", "no readable Excel workbook"),
        ("a.csv", b"x" * (5 << 20) + b"yy", "larger than 5 MB"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence(bring, name, content, said):
    with pytest.raises(InvalidInput, match=said):
        bring(Role.SUPERVISOR, content, name=name)


@pytest.mark.slow
def test_thousands_come_in_at_once(town, bring):
    rows = [[f"N{n:05d}", f"Name {n}", "PG", f"0700 {n:06d}", "", "en", "", "", ""] for n in range(2_000)]
    plan = bring(Role.ADMINISTRATOR, as_csv(rows, "en"), act=True)
    assert plan.counts["new"] == 2_000
    changed = [[*row[:6], "lamps", *row[7:]] for row in rows]
    assert bring(Role.ADMINISTRATOR, as_csv(changed, "en"), act=True).counts["changed"] == 2_000
