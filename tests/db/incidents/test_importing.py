"""Files of incidents come in once, whole or not at all, and every row is accounted for."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotPermitted
from core.identity import Role
from geodata.persons import unseal
from geodata.record import history
from geodata.tables import Incident, IncidentClass, IncidentDay, IncidentPersonal, Load, Quarantine
from geodata.territory import make_territory
from incidents.imported import ImportResult
from incidents.numbers import check_number
from incidents.service import import_file, seed_catalogue
from tests.db.incidents.conftest import NOW, City

Write = Callable[..., Path]
HEAD = "id,date,class,lon,lat,address,description"
GOOD = (
    "a1,2025-03-05 08:00,Gas leak,-1.31,50.69,High Street,Smell reported by Mrs Jones",
    "a2,2025-03-06 09:30,Loud music,-1.27,50.69,Mill Lane,",
)


@pytest.fixture
def bring_in(session: Session, city: City) -> Callable[..., ImportResult]:
    def bring(path: Path, **options: object) -> ImportResult:
        return import_file(session, city.actor, city.territory, path, moment=NOW, **options)

    return bring


def written(session: Session) -> dict[str, int]:
    tables = (Incident, IncidentPersonal, Quarantine, Load, IncidentDay)
    return {
        table.__tablename__: session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables
    }


def reasons(session: Session) -> dict[int, str]:
    return dict(session.execute(select(Quarantine.row_no, Quarantine.reason).order_by(Quarantine.row_no)).all())


def test_good_rows_become_incidents(session: Session, city: City, bring_in: Callable, write_csv: Write) -> None:
    result = bring_in(write_csv(HEAD, *GOOD))
    assert (result.read, result.loaded, result.rejected, result.duplicates, result.placed) == (2, 2, 0, 0, 2)
    leak, music = session.scalars(select(Incident).order_by(Incident.external_ref))
    assert leak.reported_at == dt.datetime(2025, 3, 5, 8, 0, tzinfo=dt.UTC)
    assert (leak.category, leak.emergency, leak.place, leak.source_system) == (
        "event-04",
        True,
        "High Street",
        "reports",
    )
    assert (leak.community_id, music.community_id) == (city.west_id, city.east_id)
    assert (leak.status, leak.closed_at, leak.due_at) == ("closed", None, None)
    assert check_number(leak.number).startswith("SC-2025-00000")
    own = session.get(IncidentClass, music.class_id)
    assert own is not None
    assert (own.scheme, own.name_en, own.category) == ("import:reports", "Loud music", "import-loud-music")
    assert history(session, "incident", leak.id)[0].action == "insert"


def test_free_text_is_only_kept_sealed(session: Session, bring_in: Callable, write_csv: Write) -> None:
    bring_in(write_csv(HEAD, *GOOD))
    (sealed,) = session.scalars(select(IncidentPersonal))
    assert sealed.note_cipher is not None
    assert b"Jones" not in sealed.note_cipher
    assert unseal(session, sealed.subject_id, sealed.note_cipher) == "Smell reported by Mrs Jones"


def test_columns_about_persons_are_left_out(session: Session, bring_in: Callable, write_csv: Write) -> None:
    result = bring_in(write_csv("id,date,class,lon,lat,phone", "1,2025-03-05,Gas leak,-1.31,50.69,01983 555"))
    assert any("left out: phone" in remark for remark in result.remarks)
    assert written(session)["incident_personal"] == 0


def test_the_same_file_twice_adds_nothing(session: Session, bring_in: Callable, write_csv: Write) -> None:
    path = write_csv(HEAD, *GOOD, "a3,2025-03-06,Gas leak,9.0,50.69,,")
    first = bring_in(path)
    before = written(session)
    again = bring_in(path)
    assert (first.loaded, first.rejected) == (2, 1)
    assert (again.read, again.loaded, again.rejected, again.duplicates, again.placed) == (3, 0, 1, 2, 2)
    assert written(session) == before


def test_a_longer_edition_of_the_file_adds_only_what_is_new(
    session: Session, bring_in: Callable, write_csv: Write
) -> None:
    bring_in(write_csv(HEAD, *GOOD))
    result = bring_in(write_csv(HEAD, *GOOD, "a3,2025-03-07,Gas leak,-1.31,50.69,,"))
    assert (result.loaded, result.duplicates) == (1, 2)


def test_duplicate_ids_and_equal_rows_are_counted_once(session: Session, bring_in: Callable, write_csv: Write) -> None:
    result = bring_in(write_csv(HEAD, *GOOD, GOOD[0], "a2,2025-04-01,Gas leak,-1.31,50.69,,"))
    assert (result.loaded, result.duplicates) == (2, 2)


def test_without_ids_equal_rows_are_duplicates(session: Session, bring_in: Callable, write_csv: Write) -> None:
    row = "2025-03-05 08:00,Gas leak,-1.31,50.69"
    path = write_csv("date,class,lon,lat", row, row, "2025-03-05 09:00,Gas leak,-1.31,50.69")
    assert (bring_in(path).duplicates, bring_in(path).duplicates) == (1, 3)
    assert written(session)["incident"] == 2


def test_every_bad_row_is_kept_sealed_with_its_reason(session: Session, bring_in: Callable, write_csv: Write) -> None:
    path = write_csv(
        HEAD,
        *GOOD,
        "b1,2025-03-05,Gas leak,0.0,50.69,,far away",
        "b2,2027-01-01,Gas leak,-1.31,50.69,,",
        "b3,yesterday,Gas leak,-1.31,50.69,,",
        "b4,2025-03-05,,-1.31,50.69,,",
        "b5,2025-03-05,Gas leak,,50.69,,",
        "b6,2025-03-05,Gas leak,50.69,-1.31,,",
        "b7,2025-03-05,Gas leak,0,0,,",
        "b8,2025-03-05,Gas leak,431000,90000,,",
    )
    result = bring_in(path)
    assert (result.read, result.loaded, result.rejected) == (10, 2, 8)
    assert reasons(session) == {
        4: "outside",
        5: "future",
        6: "bad_date",
        7: "unknown_class",
        8: "bad_position",
        9: "swapped",
        10: "bad_position",
        11: "bad_position",
    }
    assert result.reasons == {"bad_position": 3, "outside": 1, "future": 1, "bad_date": 1} | {
        "unknown_class": 1,
        "swapped": 1,
    }
    kept = session.scalars(select(Quarantine).where(Quarantine.row_no == 4)).one()
    assert kept.message.startswith("reports.csv, row 4: The point lies in no unit grid")
    raw = unseal(session, kept.subject_id, kept.raw_cipher)
    assert raw is not None
    assert json.loads(raw)["description"] == "far away"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["date,class,lon,lat", *["2025-03-05,Gas leak,50.69,-1.31"] * 3], "longitude and latitude are swapped"),
        (["date,class,lon,lat", "2025-03-05,Gas leak,9.0,48.0"], "none of its 1 rows lies in a unit grid"),
        (["date,class", "2025-03-05,Gas leak"], "--lon-column and --lat-column"),
        (["date,class,lon,lat"], "has no rows"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_leaves_nothing(
    session: Session, bring_in: Callable, write_csv: Write, lines: list[str], said: str
) -> None:
    before = written(session)
    with pytest.raises(InvalidInput, match=said) as refused:
        bring_in(write_csv(*lines))
    assert "reports.csv" in str(refused.value)
    assert written(session) == before


def test_swapped_columns_are_mended_by_naming_them(session: Session, bring_in: Callable, write_csv: Write) -> None:
    path = write_csv("date,class,lon,lat", "2025-03-05,Gas leak,50.69,-1.31")
    with pytest.raises(InvalidInput, match="--lon-column 'lat' --lat-column 'lon'"):
        bring_in(path)
    assert bring_in(path, named={"lon": "lat", "lat": "lon"}).loaded == 1


def test_chinese_file_in_gbk(session: Session, bring_in: Callable, write_csv: Write) -> None:
    path = write_csv(
        "案件编号,上报时间,小类,经度,纬度,地址,问题描述,案件状态,结案时间",
        "1,2025年3月5日 8时30分,暴露垃圾,-1.31,50.69,中山路,王先生反映路口有垃圾,已结案,2025年3月5日 12时30分",
        "2,2025年3月6日 8时30分,燃气管道破裂,-1.31,50.69,解放路,,处置中,",
        encoding="gb18030",
    )
    result = bring_in(path)
    assert (result.loaded, result.form) == (2, "CSV, GB18030")
    refuse, leak = session.scalars(select(Incident).order_by(Incident.external_ref))
    assert (refuse.category, refuse.status, refuse.place) == ("event-01", "closed", "中山路")
    assert refuse.closed_at == refuse.reported_at + dt.timedelta(hours=4)
    assert leak.status == "handling"
    assert leak.due_at == leak.reported_at + dt.timedelta(hours=3)
    bins = session.scalars(select(IncidentDay.closed_within).where(IncidentDay.category == "event-01")).one()
    assert bins[3] == sum(bins) == 1


def test_what_looks_like_a_formula_stays_text(session: Session, bring_in: Callable, write_csv: Write) -> None:
    bring_in(write_csv("date,class,lon,lat,address", '2025-03-05,Gas leak,-1.31,50.69,"=HYPERLINK(""http://x"")"'))
    assert session.scalars(select(Incident.place)).one() == '=HYPERLINK("http://x")'


def test_a_closing_before_the_report_is_not_believed(session: Session, bring_in: Callable, write_csv: Write) -> None:
    path = write_csv("date,class,lon,lat,status,closed date", "2025-03-05,Gas leak,-1.31,50.69,Pending,2024-01-01")
    result = bring_in(path)
    row = session.scalars(select(Incident)).one()
    assert (row.status, row.closed_at) == ("filed", None)
    assert any("closing times were not taken over" in remark for remark in result.remarks)


def test_points_of_a_map_file(session: Session, bring_in: Callable, tmp_path: Path) -> None:
    path = tmp_path / "points.geojson"
    gpd.GeoDataFrame(
        {"class": ["Gas leak", "Gas leak"], "date": ["2025-03-05", "2025-03-06"]},
        geometry=[shapely.Point(-1.31, 50.69), shapely.box(-1.31, 50.69, -1.30, 50.695)],
        crs=4326,
    ).to_file(path)
    result = bring_in(path)
    assert (result.loaded, result.reasons) == (1, {"bad_position": 1})


def test_many_values_are_no_classes(session: Session, bring_in: Callable, write_csv: Write) -> None:
    rows = [f"2025-03-05,word {number},-1.31,50.69" for number in range(600)]
    with pytest.raises(InvalidInput, match="600 different values, too many for classes"):
        bring_in(write_csv("date,class,lon,lat", *rows))


def test_a_truncated_archive_is_refused(session: Session, bring_in: Callable, tmp_path: Path) -> None:
    rows = "\n".join(f"{i},2025-03-05,Gas leak,-1.31,50.69{i:04d}" for i in range(2000))
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(gzip.compress(f"id,date,class,lon,lat\n{rows}\n".encode())[:-500])
    with pytest.raises(InvalidInput, match=r"cut\.csv\.gz is cut short"):
        bring_in(path)
    assert written(session)["load"] == 1  # the grid's own


def test_a_territory_without_grids_is_refused(session: Session, city: City, write_csv: Write) -> None:
    bare = make_territory(session, city.actor, "bare", boundary=shapely.box(-1.4, 50.6, -1.3, 50.7))
    with pytest.raises(InvalidInput, match=r"has no unit grids"):
        import_file(session, city.actor, bare, write_csv(HEAD, *GOOD), moment=NOW)


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.PLANNER, Role.AUDITOR, Role.GRID_MANAGER])
def test_only_those_who_load_data_may(session: Session, city: City, write_csv: Write, role: Role) -> None:
    with pytest.raises(NotPermitted):
        import_file(session, city.officer(role), city.territory, write_csv(HEAD, *GOOD))
    with pytest.raises(NotPermitted):
        seed_catalogue(session, city.officer(role), city.territory)
