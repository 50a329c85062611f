"""Data that leave as a file: the same rows in every format, whole, as the actor may see them, no formula alive."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import pytest
from psycopg import sql
from shapely.geometry import shape
from sqlalchemy import Engine, text

from core.errors import InvalidInput
from core.identity import Actor, Role, system_actor
from core.spreadsheets import neutral
from geodata import features, giving
from geodata.catalogue_builtin import builtin
from geodata.db import transaction
from geodata.features import Wanted
from people import accounts


@pytest.fixture(scope="module")
def actors(demo_database: Engine) -> dict[Role, Actor]:
    del demo_database
    with transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


def give(actor: Actor, key: str, form: str, folder: Path, **more: object) -> tuple[Path, giving.Given]:
    path = folder / f"{key}.{form}"
    with transaction(actor) as session:
        told = giving.write(session, builtin()[key], actor.territory_id or 0, form, path, **more)  # type: ignore[arg-type]
    assert not list(folder.glob("*.part*"))
    return path, told


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".csv":
        return pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False)
    return gpd.read_parquet(path) if path.suffix == ".parquet" else gpd.read_file(path)


@pytest.mark.parametrize("key", list(builtin()))
def test_every_table_leaves_in_every_format_with_the_same_rows(
    actors: dict[Role, Actor], tmp_path: Path, key: str
) -> None:
    actor = actors[Role.SUPERVISOR]
    with transaction(actor) as session:
        page = features.page(session, builtin()[key], actor.territory_id or 0, Wanted(limit=10_000))
    for form in giving.FORMATS:
        path, told = give(actor, key, form, tmp_path)
        assert told.rows == len(page.features), form
        assert told.bytes == path.stat().st_size
        if not page.features:
            continue
        found = read(path)
        assert len(found) == told.rows
        names = [each.name for each in builtin()[key].offer.fields]
        assert set(names) <= set(found.columns)
        told_first = json.loads(page.features[0])
        for name in names:
            _same(told_first["properties"][name], found[name].iloc[0], form)
        if isinstance(found, gpd.GeoDataFrame):
            assert found.crs.to_authority() in {("EPSG", "4326"), ("OGC", "CRS84")}
            assert found.geometry.iloc[0].distance(shape(told_first["geometry"])) < 1e-6


def _same(expected: object, found: object, form: str) -> None:
    """A value as the interface tells it is what the file holds, as far as the format can say it."""
    if form == "csv":
        assert (found == "") is (expected is None) or expected == ""
        if isinstance(expected, str) and "T" not in expected:
            assert found == neutral(expected)
    elif expected is None:
        assert found is None or pd.isna(found)
    elif isinstance(found, pd.Timestamp | dt.datetime):
        assert abs(pd.Timestamp(str(expected)) - pd.Timestamp(found)) < pd.Timedelta("1ms")
    else:
        assert str(found) == str(expected) or float(str(found)) == pytest.approx(float(str(expected)))


def test_each_role_takes_its_own_rows(actors: dict[Role, Actor], tmp_path: Path) -> None:
    counts = {
        role: give(actors[role], "incidents", "csv", tmp_path)[1].rows for role in (Role.SUPERVISOR, Role.HANDLER)
    }
    assert 0 < counts[Role.HANDLER] < counts[Role.SUPERVISOR]
    assert give(actors[Role.PLANNER], "incidents", "csv", tmp_path)[1].rows == 0


TRICKY = (
    "=1+1", "+1", "-1", "@x", " =1", "\t=1", "'=1", "''-x", "＝1", "a=1", "'tis", "", "plain", "\rx", "\nx",
    "two\nlines", 'quo"te', "a,b", "中文，值", "\x01=1", "\x7fy", "-", "\u0085=1", "%s{}", "\\.", "x\x0by",
)  # fmt: skip


def test_formulas_are_text_as_everywhere_else(actors: dict[Role, Actor]) -> None:
    with transaction(actors[Role.SUPERVISOR]) as session:
        for each in TRICKY:
            query = sql.SQL("SELECT {}").format(giving.neutral_sql(sql.Literal(each)))
            row = features.driver_of(session).execute(query).fetchone()
            assert row is not None
            assert row[0] == neutral(each), repr(each)


def test_the_last_moment_of_a_minute_is_no_sixtieth_second(actors: dict[Role, Actor], tmp_path: Path) -> None:
    actor = actors[Role.SUPERVISOR]
    late = "2026-01-09T15:04:59.999900Z"
    with transaction(system_actor(actor.territory_id)) as session:
        session.execute(
            text("UPDATE incident SET reported_at = :at WHERE id = (SELECT min(id) FROM incident)"), {"at": late}
        )
    for form in ("gpkg", "parquet", "geojson"):
        found = read(give(actor, "incidents", form, tmp_path)[0]).sort_values("reported_at")["reported_at"]
        assert pd.api.types.is_datetime64_any_dtype(found), form
        assert abs(found - pd.Timestamp(late)).min() < pd.Timedelta("1ms")


def test_names_with_formulas_lines_and_quotes_survive_each_format(actors: dict[Role, Actor], tmp_path: Path) -> None:
    actor = actors[Role.SUPERVISOR]
    path = tmp_path / "tricky"
    told = [each for each in TRICKY if each]
    with transaction(system_actor(actor.territory_id)) as session:
        for at, name in enumerate(told):
            session.execute(
                text(
                    "INSERT INTO facility (territory_id, source, source_ref, kind, name, geom)"
                    " VALUES (:home, 'tricky', :ref, 'school', :name, 'SRID=4326;POINT(1 1)')"
                ),
                {"home": actor.territory_id, "ref": f"{at:04}", "name": name},
            )
        for form in giving.FORMATS:
            wanted = Wanted(equals={"source": "tricky"})
            made = giving.write(session, builtin()["facilities"], actor.territory_id or 0, form, path, wanted=wanted)
            assert made.rows == len(told)
            if form == "csv":
                rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
                assert [row["name"] for row in rows] == [neutral(each) for each in told]
                assert {(row["lon"], row["lat"]) for row in rows} == {("1.0000000", "1.0000000")}
            elif form == "geojson":
                names = [each["properties"]["name"] for each in json.loads(path.read_text())["features"]]
                assert names == told
            elif form == "parquet":
                assert pq.read_table(path)["name"].to_pylist() == told
            else:
                assert gpd.read_file(path)["name"].tolist() == told
            path.unlink()
        session.rollback()


def test_a_row_is_joined_with_its_grid(actors: dict[Role, Actor], tmp_path: Path) -> None:
    path, _ = give(actors[Role.SUPERVISOR], "incidents", "csv", tmp_path, with_grid=True)
    found = read(path)
    assert (found["in_grid"] == found["grid"]).mean() > 0.99


def test_places_are_not_invented(actors: dict[Role, Actor], tmp_path: Path) -> None:
    with transaction(actors[Role.SUPERVISOR]) as session, pytest.raises(InvalidInput, match="no format"):
        giving.write(session, builtin()["streets"], 1, "shp", tmp_path / "x")
