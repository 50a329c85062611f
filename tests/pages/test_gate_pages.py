"""Pages of the data gate with data: a pair that may be one place is decided, a data set's rules and scores stand."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app import state
from app.data_gate import bring_in
from core.identity import Role
from core.progress import Silent
from geodata import data_rules, pairing
from geodata.db import transaction
from geodata.exchange_understand import Overrides
from geodata.territory import find_territory
from tests.demo_city import TINY_TOWN
from tests.pages.conftest import shown, words

FILES = {
    "health": ("code,name,beds,lon,lat", "C1,Westside Clinic (new),12,{lon},{lat}", "C2,Quay Library,40,{lon},{lat}"),
    "trade": ("code,name,lon,lat", "7,Westside <b>Clinic</b>,{lon},{lat}", "8,Mill Bakery,{lon},{lat}"),
}


@pytest.fixture(scope="module")
def brought(actors, tmp_path_factory):
    """Two data sets of two files, compared with each other; the territory they are in."""
    actor, folder = actors[Role.SUPERVISOR], tmp_path_factory.mktemp("gate")
    with transaction(actor) as session:
        town = find_territory(session, TINY_TOWN.name)
        inside = "SELECT ST_PointOnSurface(geom) AS at FROM unit_grid WHERE territory_id = :home ORDER BY id LIMIT 1"
        lon, lat = session.execute(text(f"SELECT ST_X(at), ST_Y(at) FROM ({inside}) AS g"), {"home": town.id}).one()
        for key, rows in FILES.items():
            path = folder / f"{key}.csv"
            path.write_text("\n".join(rows).format(lon=lon, lat=lat) + "\n", encoding="utf-8")
            over = Overrides(key=("code",))
            bring_in(session, actor, town, path, key=key, title=key, progress=Silent(), over=over)
        assert pairing.compare(session, actor, town, "health", "trade")["found"] == 1
    return town


def press(page, label: str) -> None:
    next(each for each in page.button if each.label == label).click()
    page.run()
    assert not page.exception, page.exception


def test_a_pair_is_seen_side_by_side_and_decided_with_a_reason(run, actors, brought) -> None:
    page = run("same_place", Role.SUPERVISOR)
    told = words(page)
    assert "Westside <b>Clinic</b>" in told, "as it stands in the file, not as a mark of the page"
    assert "Distance 100%" in told
    assert "\\" not in told
    page.radio[0].set_value("different")
    press(page, "Save the decision")
    assert any(each.startswith("Say why.") for each in shown(page))
    page.radio[0].set_value("same")
    press(page, "Save the decision")
    assert "is decided." in words(page)
    with transaction(actors[Role.SUPERVISOR]) as session:
        found = pairing.counts(session, actors[Role.SUPERVISOR], brought)
        (pair,) = pairing.list_pairs(session, actors[Role.SUPERVISOR], brought, state="same")
        assert pairing.tally(session, actors[Role.SUPERVISOR], brought, list(FILES)) == {"rows": 4, "places": 3}
    assert (found["open"], found["same"]) == (0, 1)
    later = words(run("same_place", Role.SUPERVISOR, pair=str(pair.id)))
    assert "Westside <b>Clinic</b>" in later, "its address stays its own when it is decided"


def test_rules_are_added_beside_the_entry_and_scores_stand(run, actors, brought) -> None:
    assert brought
    page = run("catalogue", Role.SUPERVISOR, entry="set-health")
    assert {"Rules", "Quality"} <= {tab.label for tab in page.tabs}
    assert {"health.csv", "No rules of its own yet."} <= set(shown(page))
    mark = f"{state.DATA_RULE}_health_0"
    page.selectbox(key=f"{mark}_kind").set_value("range").run()
    page.number_input(key=f"{mark}_range_min").set_value(20)
    press(page, "Try it on the rows of today")
    assert "It would refuse 1 of 2 rows." in words(page)
    press(page, "Add the rule")
    assert "beds is at least 20." in words(page)
    with transaction(actors[Role.SUPERVISOR]) as session:
        kept = data_rules.rules_of(session, actors[Role.SUPERVISOR], "health")
    assert kept.rules == ({"rule": "range", "field": "beds", "min": 20, "id": "1"},)
