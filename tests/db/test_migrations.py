"""The schema goes up, matches the models, comes down without a trace, and goes up again."""

from __future__ import annotations

from collections.abc import Callable

from alembic import command
from sqlalchemy import text

from geodata.embedded import OWNER, Cluster
from geodata.migrations import config, downgrade, upgrade
from tests.conftest import engine_for


def test_upgrade_check_downgrade_upgrade(cluster: Cluster, fresh_database: Callable[[], str]) -> None:
    engine = engine_for(cluster, fresh_database(), OWNER)
    with engine.connect() as connection:
        command.check(config(connection))
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
