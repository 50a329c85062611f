"""A table of a named PostGIS database comes in like a file; what is named stands in a file of the platform's keeper."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound, SourceUnavailable
from core.identity import system_actor
from geodata import exchange_table, sourcing
from geodata.embedded import APP, Cluster
from tests.db.test_data_gate import bring
from tests.halves import Halves


def test_a_table_of_another_database_comes_in_with_its_coordinate_system(
    session: Session, small_city: Halves, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(session.connection().engine.url.database)
    path = tmp_path / "sources.toml"
    path.write_text(
        f'[databases]\ncity = "{cluster.conninfo(APP, name)}"\ngone = "postgresql://me:secret@127.0.0.1:1/x"\n'
    )
    given = SimpleNamespace(data_sources=path, upload_max_mib=8)
    monkeypatch.setattr(exchange_table, "settings", lambda: given)
    actor = system_actor(small_city[0].id)
    assert sourcing.databases(actor) == ("city", "gone")
    assert "public.unit_grid" in exchange_table.tables("city")
    found = sourcing.near(actor, "city/public.unit_grid", tmp_path)
    count = session.execute(text("SELECT count(*) FROM unit_grid")).scalar_one()
    assert (found.name, found.rows) == ("city: public.unit_grid", count)
    done = bring(session, small_city, found.path, key="copy")
    assert (done.read, done.loaded, done.crs) == (count, count, "EPSG:4326")
    with pytest.raises(NotFound, match=r"no table 'public\.nothing'.*public\.absence"):
        sourcing.near(actor, "city/public.nothing", tmp_path)
    with pytest.raises(SourceUnavailable, match="gone gives nothing: it cannot be reached") as refused:
        sourcing.near(actor, "gone/public.lamps", tmp_path)
    assert "secret" not in str(refused.value)
    given.upload_max_mib = 0
    with pytest.raises(InvalidInput, match="more than is taken at once"):
        sourcing.near(actor, "city/public.unit_grid", tmp_path)
    path.write_text('databases = "city"')
    with pytest.raises(InvalidInput, match="Write it as TOML"):
        sourcing.databases(actor)
    path.write_text("databases")
    with pytest.raises(InvalidInput, match="Write it as TOML"):
        sourcing.near(actor, "city/public.lamps", tmp_path)
