"""Answers given twice about one close become one on the way up; the laws of before stand again on the way down."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, text

from geodata.embedded import OWNER, Cluster
from geodata.migrations import FOLDER, downgrade, upgrade
from tests.conftest import engine_for

REPLACED = text("SELECT proname, prosrc FROM pg_proc WHERE proname IN ('gk_citizen_word', 'gk_is_party', 'gk_appeal')")
WORDS = """
INSERT INTO territory (name, title_en, title_zh, metric_srid, code_scheme, timezone, boundary)
VALUES ('t', 'T', 'T', 32630, 'local', 'UTC', ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))', 4326));
ALTER TABLE citizen_word DROP CONSTRAINT fk_citizen_word_incident_id_incident;
INSERT INTO citizen_word (territory_id, incident_id, reached, solved, satisfied, told_at, closed_at)
SELECT t.id, 7, w.s IS NOT NULL, w.s > 2, w.s, now(), w.at FROM territory AS t, (VALUES
    (NULL, TIMESTAMPTZ '2026-01-01 00:00+00'), (2, '2026-01-01 00:00+00'), (5, '2026-01-01 00:00+00'),
    (4, '2026-02-01 00:00+00')
) AS w (s, at)
"""


def bodies(connection: Connection) -> dict[str, str]:
    return {str(row.proname): str(row.prosrc) for row in connection.execute(REPLACED)}


def test_one_answer_is_left_and_the_old_laws_come_back(cluster: Cluster, fresh_database: Callable[[], str]) -> None:
    engine = engine_for(cluster, fresh_database(), OWNER)
    with engine.connect() as connection:
        ours = bodies(connection)
    downgrade(engine, to="0033")
    before = (FOLDER / "sql" / "0027_evaluation.sql").read_text()
    with engine.begin() as connection:
        old = bodies(connection)
        connection.exec_driver_sql(WORDS)
    assert old.keys() == ours.keys()
    assert len(old) == 3
    assert all(body in before and body != ours[name] for name, body in old.items())
    upgrade(engine)
    with engine.connect() as connection:
        left = connection.scalars(text("SELECT satisfied FROM citizen_word ORDER BY id")).all()
        gone = connection.scalar(
            text("SELECT before ->> 'satisfied' FROM record WHERE subject_table = 'citizen_word' AND action = 'delete'")
        )
        assert bodies(connection) == ours
    assert (left, gone) == ([None, 2, 4], "5")
    engine.dispose()
