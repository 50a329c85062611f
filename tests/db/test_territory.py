from __future__ import annotations

import pytest
import shapely
from sqlalchemy import func, select

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from core.settings import settings
from geodata.tables import Area, Territory
from geodata.territory import boundary_of, communities, find_territory, list_territories, make_territory, territory_name

SYSTEM = system_actor()
SQUARE = shapely.box(10.0, 50.0, 10.1, 50.1)


def test_a_new_territory_is_one_community(session):
    made = make_territory(session, SYSTEM, "small-town", boundary=SQUARE, title_zh="小镇")
    assert made.metric_srid == 32632
    assert made.timezone == "Europe/Berlin"
    assert made.zone.key == "Europe/Berlin"
    assert made.bounds == pytest.approx((10.0, 50.0, 10.1, 50.1))
    assert made.title("en") == "Small Town"
    assert made.title("zh") == "小镇"
    assert made.opens[:2] == pytest.approx((10.05, 50.05))
    assert 10 <= made.opens[2] <= 13
    areas = communities(session, made.id)
    assert areas["name"].tolist() == ["Small Town"]
    assert areas.crs.to_epsg() == 4326
    assert areas.geometry.iloc[0].equals(boundary_of(session, made.id))
    levels = session.scalars(select(Area.level).where(Area.territory_id == made.id).order_by(Area.id)).all()
    assert levels == ["district", "street", "community"]
    srid = session.scalar(select(func.ST_SRID(Territory.boundary)).where(Territory.id == made.id))
    assert srid == 4326


def test_chinese_codes_in_china_get_cgcs2000(session):
    made = make_territory(
        session, SYSTEM, "beijing", boundary=shapely.box(116.3, 39.8, 116.5, 40.0), code_scheme="cn15"
    )
    assert made.metric_srid == 4548
    assert made.timezone == "Asia/Shanghai"


def test_which_territory_is_meant(session, monkeypatch):
    before = {territory.name for territory in list_territories(session)}
    if not before:
        with pytest.raises(NotFound, match="no territory yet"):
            find_territory(session)
    one = make_territory(session, SYSTEM, "one", boundary=SQUARE)
    if not before:
        assert find_territory(session) == one
    make_territory(session, SYSTEM, "two", boundary=SQUARE)
    with pytest.raises(InvalidInput, match="one, two"):
        find_territory(session)
    assert find_territory(session, "one") == one
    with pytest.raises(NotFound, match="'three'"):
        find_territory(session, "three")
    monkeypatch.setenv("GRIDKEEPER_TERRITORY", "two")
    settings.cache_clear()
    assert find_territory(session).name == "two"
    monkeypatch.delenv("GRIDKEEPER_TERRITORY")
    settings.cache_clear()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"name": "Big City"}, "cannot be called"),
        ({"boundary": shapely.LineString([(0, 0), (1, 1)])}, "no area"),
        ({"boundary": shapely.box(500000, 5540000, 501000, 5541000)}, "not longitude and latitude"),
        ({"code_scheme": "cn20"}, "code scheme"),
        ({"timezone": "Mars/Olympus"}, "time zone"),
    ],
)
def test_what_cannot_be_a_territory(session, change, what):
    given = {"name": "x", "boundary": SQUARE} | change
    with pytest.raises(InvalidInput, match=what):
        make_territory(session, SYSTEM, given.pop("name"), **given)


def test_a_name_is_taken_once(session):
    make_territory(session, SYSTEM, "taken", boundary=SQUARE)
    with pytest.raises(Conflict, match="exists already"):
        make_territory(session, SYSTEM, "taken", boundary=SQUARE)


def test_only_who_may_load_data_makes_a_territory(session):
    worker = Actor(user_id=None, label="w", role=Role.GRID_WORKER, territory_id=None)
    with pytest.raises(NotPermitted):
        make_territory(session, worker, "x", boundary=SQUARE)


def test_names_from_files():
    assert territory_name("Isle of Wight") == "isle-of-wight"
    assert territory_name("helsinki_centre") == "helsinki-centre"
    assert territory_name("北京") == "city"
