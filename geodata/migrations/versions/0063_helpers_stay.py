"""Whom a hand called in stays, who was there has been there, who refused sees the incident no more

Revision ID: 0063
Revises: 0062
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations import FOLDER
from geodata.migrations.support import run_file, run_script

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

REPLACED = (
    ("0052_helpers.sql", "gk_called_to"),
    ("0052_helpers.sql", "gk_task_step"),
    ("0052_helpers.sql", "gk_task_told"),
    ("0052_helpers.sql", "gk_publish"),
    ("0036_execution.sql", "gk_task_planned"),
)
"""File that made a function as it was before, and its name."""
TOPICS = "'assigned', 'withdrawn', 'rework', 'returned', 'escalated'"


def upgrade() -> None:
    op.add_column("task", sa.Column("by_hand", sa.Boolean(), server_default="false", nullable=False))
    _topics(f"{TOPICS}, 'counted'")
    run_file("0063_helpers.sql")
    run_file("0063_publish.sql")


def downgrade() -> None:
    run_script(
        "DELETE FROM transition WHERE subject = 'handle' AND source = 'cancelled' AND target = 'done';"
        " DROP FUNCTION gk_came_along(bigint, text, timestamptz);"
    )
    for file, name in REPLACED:
        run_script(_as_it_was(file, name))
    op.execute("DELETE FROM notice WHERE topic = 'counted'")
    op.execute("DELETE FROM outbox WHERE topic = 'counted'")
    _topics(TOPICS)
    op.drop_column("task", "by_hand")


def _topics(known: str) -> None:
    op.drop_constraint(op.f("ck_outbox_topic"), "outbox", type_="check")
    op.create_check_constraint(op.f("ck_outbox_topic"), "outbox", f"topic IN ({known})")


def _as_it_was(file: str, name: str) -> str:
    """Return the function as the file of an earlier migration made it."""
    script, end = (FOLDER / "sql" / file).read_text(), "\nEND $$;"
    start = next(
        at + len(begin)
        for begin in ("CREATE ", "CREATE OR REPLACE ")
        if (at := script.find(f"{begin}FUNCTION {name}(")) >= 0
    )
    return "CREATE OR REPLACE " + script[start : script.index(end, start) + len(end)]
