"""The usual shift of each worker becomes a pattern, and goes back where the schema goes back."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import text

from geodata.embedded import OWNER, Cluster
from geodata.migrations import downgrade, upgrade
from tests.conftest import engine_for

WORKERS = """
INSERT INTO territory (name, title_en, title_zh, metric_srid, code_scheme, timezone, boundary)
VALUES ('t', 'T', 'T', 32630, 'local', 'UTC', ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))', 4326));
INSERT INTO unit (territory_id, code, kind, name, valid_from) SELECT id, 'U', 'team', 'U', '2020-01-01' FROM territory;
INSERT INTO worker (territory_id, unit_id, code, shift_start, shift_end, shift_weekdays)
SELECT u.territory_id, u.id, w.code, w.s, w.e, w.d FROM unit AS u, (VALUES
    ('W1', TIME '08:00', TIME '16:00', '{1,2,3,4,5}'::integer[]), ('W2', '21:00', '06:00', '{7,6,1}'),
    ('W3', '08:00', '16:00', '{5,4,3,2,1}'), ('W4', '08:00', '13:00', '{1}'), ('W5', NULL, NULL, '{1,2}')
) AS w (code, s, e, d)
"""
STEPS = """
SELECT w.code, p.cycle_days, step ->> 'day', step ->> 'start_min', step ->> 'end_min', step ->> 'break_min'
FROM worker AS w JOIN worker_pattern AS a ON a.worker_id = w.id JOIN shift_pattern AS p ON p.id = a.pattern_id,
     jsonb_array_elements(p.steps) AS step ORDER BY 1, 3
"""


def test_usual_shifts_become_patterns_and_back(cluster: Cluster, fresh_database: Callable[[], str]) -> None:
    engine = engine_for(cluster, fresh_database(), OWNER)
    downgrade(engine, to="0007")
    with engine.begin() as connection:
        connection.exec_driver_sql(WORKERS)
    upgrade(engine)
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(STEPS))]
        kinds = connection.execute(text("SELECT count(*) FROM shift_pattern")).scalar_one()
    day = [("W1", 7, str(at), "480", "960", "30") for at in range(5)]
    assert rows == [
        *day,
        *(("W2", 7, at, "1260", "1800", "30") for at in ("0", "5", "6")),
        *(("W3", *row[1:]) for row in day),
        ("W4", 7, "0", "480", "780", "0"),
    ]
    assert kinds == 3
    downgrade(engine, to="0007")
    with engine.connect() as connection:
        back = connection.execute(
            text("SELECT code, shift_start::text, shift_end::text, shift_weekdays FROM worker ORDER BY code")
        )
        found = {code: tuple(row) for code, *row in back}
    assert found["W1"] == ("08:00:00", "16:00:00", [1, 2, 3, 4, 5])
    assert found["W2"] == ("21:00:00", "06:00:00", [1, 6, 7])
    assert found["W5"][:2] == (None, None)
    engine.dispose()
