"""The incident summary kept current, and the running numbers

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from alembic import op

from geodata.migrations.support import run_file

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("0002_incident_day.sql")
    run_file("0002_incident_indexes.sql")


def downgrade() -> None:
    for index in ("community_reported", "unit_reported", "status_reported", "filed", "closed"):
        op.execute(f"DROP INDEX incident_{index}")
    for event in ("insert", "update", "delete"):
        op.execute(f"DROP TRIGGER day_{event} ON incident")
    op.execute("DROP TRIGGER day_time_zone ON territory")
    for function in (
        "gk_take_numbers",
        "gk_time_zone_changed",
        "gk_recount_incident_days",
        "gk_incident_changed",
        "gk_change_incident_days",
        "gk_add",
        "gk_close_bin",
    ):
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP TYPE gk_incident_change")
    op.execute("DROP TABLE incident_number")
    op.execute("DELETE FROM incident_day")
