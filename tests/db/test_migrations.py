"""The schema goes up, matches the models, comes down without a trace, and goes up again."""

from __future__ import annotations

from collections.abc import Callable

from alembic import command
from sqlalchemy import text

from geodata.embedded import OWNER, Cluster
from geodata.migrations import config, downgrade, upgrade
from tests.conftest import engine_for

SLOW_WORKS = """
WITH made AS (INSERT INTO territory (name, title_en, title_zh, boundary, metric_srid) VALUES ('somewhere', 'x', 'x',
    'SRID=4326;MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))', 32631) RETURNING id)
INSERT INTO closure (territory_id, name, geom, from_at, made_at, speed_kmh)
SELECT id, 'x', 'SRID=4326;LINESTRING(0 0, 1 1)', now(), now(), 10 FROM made
"""


def test_upgrade_check_downgrade_upgrade(cluster: Cluster, fresh_database: Callable[[], str]) -> None:
    engine = engine_for(cluster, fresh_database(), OWNER)
    with engine.connect() as connection:
        command.check(config(connection))
    with engine.begin() as connection:
        connection.execute(text(SLOW_WORKS))
    downgrade(engine, to="0063")
    with engine.connect() as connection:
        ended = connection.execute(text("SELECT count(*), count(ended_at) FROM closure")).one()
    assert tuple(ended) == (1, 1), "what was only slowed is not closed without its speed"
    downgrade(engine, to="base")
    with engine.connect() as connection:
        left = connection.execute(
            text(
                """
                SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                  AND relname NOT IN ('alembic_version', 'spatial_ref_sys')
                UNION ALL SELECT proname FROM pg_proc WHERE proname LIKE 'gk\\_%' OR proname LIKE 'procrastinate%'
                """
            )
        ).all()
    assert left == []
    upgrade(engine)
    with engine.connect() as connection:
        command.check(config(connection))
    engine.dispose()


def test_postgis_and_the_job_queue_are_left_alone(cluster: Cluster, fresh_database: Callable[[], str]) -> None:
    engine = engine_for(cluster, fresh_database(), OWNER)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM spatial_ref_sys")).scalar_one() > 5000
        assert connection.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar() is not None
    engine.dispose()
