"""Rules of a data set: set with a reason, kept by version, named by what breaks them; and the scores of its files."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import data_rules, quarantine
from geodata.data_rules import set_rules
from tests.db.test_data_gate import LAMPS, bring, lamp
from tests.halves import Halves


@pytest.fixture
def brought(session: Session, small_city: Halves, tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text(LAMPS + "".join(lamp(n, power=40 + n) for n in range(1, 21)))
    bring(session, small_city, path)
    return path


def supervisor(city: Halves) -> Actor:
    return Actor(None, "steward", Role.SUPERVISOR, city[0].id)


def test_the_next_file_is_checked_by_the_rules_and_what_breaks_one_names_it(
    session: Session, small_city: Halves, brought: Path, tmp_path: Path
) -> None:
    actor = supervisor(small_city)
    with pytest.raises(InvalidInput, match=r"Rule 2: there is no column 'power'"):
        set_rules(
            session, actor, "lamps", [{"rule": "unique", "field": "名称"}, {"rule": "required", "field": "power"}]
        )
    made = set_rules(
        session, actor, "lamps",
        [{"rule": "range", "field": "功率", "min": 1, "max": 50}, {"rule": "unique", "field": "名称"}], reason="norm",
    )  # fmt: skip
    assert [(each["rule"], each["id"]) for each in made.rules] == [("range", "1"), ("unique", "2")]
    assert [(each.version, each.by, each.reason) for each in made.history] == [(1, "steward", "norm")]
    assert data_rules.would_break(session, actor, "lamps", made.rules[0]) == (10, 20)
    with pytest.raises(InvalidInput, match="there is no data set 'nowhere'"):
        nowhere = {"rule": "refers", "field": "名称", "data_set": "nowhere", "to": "x"}
        data_rules.would_break(session, actor, "lamps", nowhere)
    with pytest.raises(Conflict, match="meanwhile"):
        set_rules(session, actor, "lamps", [], version=0)
    path = tmp_path / "b.csv"
    twice = lamp(22, power=41).replace("路灯22", "路灯5")
    path.write_text(LAMPS + lamp(5, power=45) + lamp(21, power=99) + twice + lamp(23, power=50))
    done = bring(session, small_city, path)
    assert (done.loaded, done.duplicates, done.rejected) == (1, 1, 2)
    wrong = session.execute(text("SELECT row_number, violations FROM quarantined_row ORDER BY row_number")).all()
    assert [(row[0], row[1][0]["rule"], row[1][0]["by"]) for row in wrong] == [(2, "range", "1"), (3, "unique", "2")]
    without = set_rules(session, actor, "lamps", [made.rules[1]])
    assert [each["id"] for each in without.rules] == ["2"]
    assert [len(each.rules) for each in without.history] == [1, 2]
    again = set_rules(session, actor, "lamps", [*without.rules, {"rule": "required", "field": "类型"}])
    assert [each["id"] for each in again.rules] == ["2", "3"], "a number that went is not given again"
    rows = quarantine.list_rows(session, system_actor(small_city[0].id), small_city[0].id)
    place = small_city[0]
    mended = quarantine.retry(
        session, system_actor(place.id), place, {rows[0].id: {}}, place=lambda lon, _lat: (lon * 0).astype("int64")
    )
    assert mended.fixed == 1, "mended rows are checked by the rules of today"
    scores = data_rules.scores_of(session, actor, "lamps")
    assert [each.scores["validity"] for each in scores] == [1.0, 0.5]
    assert [each.taken for each in scores] == [20, 1]


def test_only_those_who_keep_the_data_set_its_rules(session: Session, small_city: Halves, brought: Path) -> None:
    clerk = Actor(None, "clerk", Role.HANDLER, small_city[0].id, unit_ids=(1, 2))
    assert not data_rules.rules_of(session, clerk, "lamps").may_change
    with pytest.raises(NotPermitted):
        set_rules(session, clerk, "lamps", [])


def test_columns_are_renamed_and_retyped_and_the_mapping_keeps_it(
    session: Session, small_city: Halves, tmp_path: Path
) -> None:
    from geodata.exchange import Type
    from geodata.exchange_understand import Overrides

    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text(LAMPS + "".join(lamp(n) for n in range(1, 11)))
    second.write_text(LAMPS + "".join(lamp(n) for n in range(1, 13)))
    over = Overrides(names={"功率": "power", "编号": "code"}, types={"功率": Type.TEXT})
    bring(session, small_city, first, over=over)
    done = bring(session, small_city, second)
    assert (done.loaded, done.duplicates) == (2, 10)
    said = session.execute(text("SELECT properties FROM data_set_row WHERE row_key = 'L0012'")).scalar_one()
    assert said == {"code": "L0012", "名称": "路灯12", "类型": "单臂", "power": "60", "安装日期": "2024-03-13"}
    with pytest.raises(InvalidInput, match="same name"):
        bring(session, small_city, second, over=Overrides(names={"名称": "power"}))
