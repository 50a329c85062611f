"""Who comes along to an incident for several workers has a part of his own

Revision ID: 0052
Revises: 0051
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations import FOLDER
from geodata.migrations.support import run_file, run_script

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

LIVE = "state IN ('waiting', 'accepted', 'started')"
REPLACED = (
    ("0029_quick_record.sql", "gk_called_to"),
    ("0023_enforce.sql", "gk_task_step"),
    ("0036_execution.sql", "gk_task_told"),
    ("0047_publish.sql", "gk_publish"),
)
"""File that made a function as it was before, and its name."""


def upgrade() -> None:
    # Who leads does not come along as well, and nobody comes along twice.
    op.create_index(
        "uq_task_live_worker",
        "task",
        ["incident_id", "worker_id"],
        unique=True,
        postgresql_where=sa.text(f"kind = 'handle' AND {LIVE}"),
    )
    run_file("0052_helpers.sql")


def downgrade() -> None:
    run_script(
        "DELETE FROM transition WHERE subject = 'handle' AND target = 'cancelled'"
        " AND role IN ('grid_worker', 'handler') OR subject = 'incident' AND act IN ('finish_part', 'return_part') AND role = 'grid_worker';"
        " DROP FUNCTION gk_publish(bigint, bigint[], timestamptz, boolean);"
    )
    for file, name in REPLACED:
        run_script(_as_it_was(file, name))
    run_script(
        "REVOKE EXECUTE ON FUNCTION gk_publish FROM PUBLIC; GRANT EXECUTE ON FUNCTION gk_publish TO gridkeeper_app;"
    )
    op.execute(
        "UPDATE task SET state = 'cancelled', finished_at = now(), version = version + 1"  # noqa: S608  # nosec B608
        f" WHERE joint AND worker_id IS NOT NULL AND {LIVE}"
    )
    op.drop_index("uq_task_live_worker", table_name="task")


def _as_it_was(file: str, name: str) -> str:
    """Return the function as the file of an earlier migration made it."""
    script, end = (FOLDER / "sql" / file).read_text(), "\nEND $$;"
    start = next(
        at + len(begin)
        for begin in ("CREATE ", "CREATE OR REPLACE ")
        if (at := script.find(f"{begin}FUNCTION {name}(")) >= 0
    )
    return "CREATE OR REPLACE " + script[start : script.index(end, start) + len(end)]
