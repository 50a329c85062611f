"""A restricted data set of three lamps in the small demo town."""

from __future__ import annotations

import json

from sqlalchemy import text
from sqlalchemy.orm import Session

KEY = "set-lamps"
FIELDS = [
    {"name": "no", "type": "text", "title_en": "Number", "title_zh": "编号", "role": "field"},
    {"name": "watts", "type": "integer", "unit": "W", "role": "field"},
    {"name": "built", "type": "date", "role": "field"},
    {"name": "seen", "type": "datetime", "role": "field"},
    {"name": "share", "type": "number", "role": "field"},
    {"name": "on", "type": "boolean", "role": "field"},
    {"name": "keeper", "type": "text", "role": "personal"},
    {"name": "x", "type": "number", "role": "lon"},
]
ROWS = [
    {"no": "L1", "watts": 40, "built": "2019-05-01", "seen": "2026-03-01T08:00:00+08:00", "share": 0.5, "on": True},
    {"no": "L2", "watts": None, "built": None, "seen": None, "share": None, "on": False},
    {"no": "100%{x}", "watts": 60, "built": "2020-01-01", "seen": "2026-03-02T08:00:00Z", "share": 1, "on": None},
]


def make_lamps(session: Session, territory_id: int | None, *, not_of: list[int], key: str = "lamps") -> int:
    """Load them for a unit that is none of ``not_of``, as the system; return the number of the data set."""
    unit = session.scalar(text("SELECT id FROM unit WHERE NOT id = ANY (:mine) ORDER BY id LIMIT 1"), {"mine": not_of})
    number = session.scalar(
        text(
            "INSERT INTO data_set (territory_id, key, title, kind, geometry_type, fields, owner_unit_id, sensitivity,"
            " natural_key) VALUES (:t, :k, 'Lamps', 'places', 'Point', CAST(:f AS jsonb), :u, 'restricted',"
            " '{no}') RETURNING id"
        ),
        {"t": territory_id, "f": json.dumps(FIELDS), "u": unit, "k": key},
    )
    batch = session.scalar(
        text(
            "INSERT INTO data_batch (territory_id, data_set_id, file_name, sha256, status, loaded_label, read, loaded,"
            " ended_at, scores) VALUES (:t, :d, 'lamps.csv', 'x', 'loaded', 'x', 3, 3, now(), '{\"validity\": 1}')"
            " RETURNING id"
        ),
        {"t": territory_id, "d": number},
    )
    session.execute(text("SELECT gk_data_set_table(:d)"), {"d": number})
    for at, row in enumerate(ROWS):
        session.execute(
            text(
                f"INSERT INTO data_set_row_{number} (data_set_id, row_key, batch_id, row_number, content_hash,"
                " properties, geom, valid_from) VALUES (:d, :k, :b, :n, 'x', CAST(:p AS jsonb),"
                " ST_SetSRID(ST_MakePoint(-1.29 + :n * 0.001, 50.695), 4326), now())"
            ),
            {"d": number, "k": row["no"], "b": batch, "n": at, "p": json.dumps(row | {"keeper": "Secret", "x": 1})},
        )
    session.execute(text("SELECT gk_data_set_attach(:d)"), {"d": number}).all()
    assert isinstance(number, int)
    return number
